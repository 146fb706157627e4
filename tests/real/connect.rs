//! `connect`: bytes from a local port to the session manager's and back, over Pods that come and go.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Instant;

use serde_json::{Value, json};

use crate::bed::{Namespace, PATIENCE, Ran, namespace};
use crate::flames::{DEMO, MANAGER, images};
use crate::running::Running;

/// What a session manager says to whoever greets it.
const GREETING: &[u8] = b"hello, ";

/// Starts what stands for a session manager, as nothing listens in a simulated Pod: it greets, and says everything again.
fn session_manager(space: &Namespace<'_>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || {
                let (mut from, mut to) = (client.try_clone().unwrap(), client);
                let _ = to.write_all(GREETING).and_then(|()| std::io::copy(&mut from, &mut to).map(drop));
            });
        }
    });
    let forward = json!({
        "apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": "PortForward", "metadata": { "name": "demo-session-manager" },
        "spec": { "forwards": [{ "ports": [8080], "target": { "address": "127.0.0.1", "port": port } }] },
    });
    space.apply(&forward.to_string(), &[]);
}

/// Starts `connect` without a program; returns it and where the session manager is.
#[track_caller]
fn connected(space: &Namespace<'_>) -> (Running, String) {
    let mut connect = Running::start_with_data(space.command(&["connect", "demo"]));
    let endpoint = connect.until_says("http://127.0.0.1:");
    let address = endpoint.split("http://").nth(1).unwrap();
    let address = address.split(|c: char| !c.is_ascii_digit() && c != '.' && c != ':').next().unwrap();
    (connect, address.to_owned())
}

/// Runs `connect` with a program.
#[track_caller]
fn ran(space: &Namespace<'_>, args: &[&str], program: &[&str]) -> Ran {
    let mut command = space.command(&[&["connect", "demo"], args].concat());
    command.arg("--").args(program);
    Ran::of(command)
}

/// Opens a connection and is greeted.
#[track_caller]
fn greeted(address: &str) -> TcpStream {
    let mut client = TcpStream::connect(address).unwrap();
    let mut greeting = [0; GREETING.len()];
    client.read_exact(&mut greeting).unwrap();
    assert_eq!(greeting, GREETING);
    client
}

#[test]
fn a_program_reaches_the_session_manager_and_its_exit_code_is_handed_on() {
    let space = namespace();
    space.up(DEMO).exits(0);
    session_manager(&space);
    let script = r#"
        exec 3<>"/dev/tcp/127.0.0.1/${FLAME_ENDPOINT##*:}"
        printf 'world\n' >&3
        read -r said <&3
        echo "$said"
        grep -c "$FLAME_ENDPOINT" "$1"
        exit 7"#;
    let ran = ran(&space, &[], &["bash", "-c", script, "bash", "{config}"]).exits(7);
    assert_eq!(ran.stdout, "hello, world\n2\n");
}

#[test]
fn a_hundred_kilobytes_in_pieces_come_back_as_they_were_and_many_connections_at_once() {
    let space = namespace();
    space.up(DEMO).exits(0);
    session_manager(&space);
    let (_connect, address) = connected(&space);
    let clients: Vec<TcpStream> = (0..20).map(|_| greeted(&address)).collect();
    let threads = clients.into_iter().enumerate().map(|(number, client)| {
        thread::spawn(move || {
            let text: Vec<u8> = (0..100_000_usize).map(|at| (at * (number + 7) % 251) as u8).collect();
            let (mut to, sent) = (client.try_clone().unwrap(), text.clone());
            let writer = thread::spawn(move || sent.chunks(777).for_each(|piece| to.write_all(piece).unwrap()));
            let mut back = vec![0; text.len()];
            (&client).read_exact(&mut back).unwrap();
            writer.join().unwrap();
            assert!(back == text, "connection {number}");
        })
    });
    threads.collect::<Vec<_>>().into_iter().for_each(|thread| thread.join().unwrap());
}

#[test]
fn after_the_pod_was_replaced_the_old_connection_ends_and_a_new_one_reaches_the_new_pod() {
    let space = namespace();
    space.up(DEMO).exits(0);
    session_manager(&space);
    let (mut connect, address) = connected(&space);
    let mut before = greeted(&address);
    space.kubectl(&["delete", "pod", "demo-session-manager", "--wait=false"]);
    connect.until_says("the session manager is away");
    // Who comes now waits for the next one.
    let client = TcpStream::connect(&address).unwrap();
    space.up(DEMO).exits(0);
    connect.until_says("the session manager is back");
    let mut line = String::new();
    (&client).write_all(b"again\n").unwrap();
    BufReader::new(client).read_line(&mut line).unwrap();
    assert_eq!(line, "hello, again\n");
    assert_eq!(before.read(&mut [0]).unwrap(), 0);
    connect.signal("INT");
    let (code, said, _) = connect.end();
    assert_eq!(code, Some(130), "{said}");
    // What it wrote goes with it.
    let home = said.split("HOME=").nth(1).unwrap().split_whitespace().next().unwrap();
    assert!(!std::path::Path::new(home).exists(), "{home}");
}

#[test]
fn a_session_manager_that_does_not_get_ready_is_told_with_its_cause_when_the_time_is_up() {
    let space = namespace();
    space.up_with(&images("bad/sm:v1", "em:v1"), &["--wait=false"]).exits(0);
    space.until("its image is missing", |objects| objects[MANAGER].to_string().contains("ImagePullBackOff"));
    let ran = ran(&space, &["--timeout=1s"], &["true"]).exits(3);
    ran.says("waiting for the session manager of demo: container is waiting: ImagePullBackOff (0 s)")
        .says("error: the session manager of demo is not ready: container is waiting: ImagePullBackOff")
        .says("hint: flamectl status demo");
}

#[test]
fn a_flame_that_is_not_there_and_a_port_that_is_taken_are_told_at_once() {
    let space = namespace();
    space.flamectl(&["connect", "demo"]).exits(1).says("there is no flame demo in namespace");
    space.up(DEMO).exits(0);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let ran = space.flamectl(&["connect", "demo", "--port", &port]).exits(1);
    ran.says(&format!("127.0.0.1:{port} cannot be listened on: Address already in use"));
}

#[test]
fn the_rights_for_connect_are_enough_and_each_is_missed() {
    let space = namespace();
    space.up(DEMO).exits(0);
    session_manager(&space);
    let file = space.file("flame.yaml", DEMO);
    let granted = |name: &str, without: &str| {
        let args = ["rbac", "-f", &file, "--for", "connect", "--user", name];
        let printed = space.flamectl(&args).exits(0).stdout;
        let (role, binding) = printed.split_once("---\n").unwrap();
        let mut role: Value = serde_yaml::from_str(role).unwrap();
        role["metadata"]["name"] = json!(name);
        for rule in role["rules"].as_array_mut().unwrap() {
            if rule["resources"] == json!(["pods/portforward"]) {
                rule["verbs"].as_array_mut().unwrap().retain(|verb| verb != without);
            }
        }
        space.apply(&role.to_string(), &[]);
        space.apply(&binding.replace("name: flamectl-demo-connect", &format!("name: {name}")), &[]);
    };
    let says = |name: &str, text: &str| {
        let mut connect = Running::start_with_data(space.command(&["connect", "demo", "--as", name]));
        let line = connect.until_says("is at http://127.0.0.1:");
        let port = line.split("127.0.0.1:").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
        let _client = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
        connect.until_says(text);
    };
    let [all, no_get, no_create] = ["all", "get", "create"].map(|without| format!("{}-{without}", space.name));
    granted(&all, "nothing");
    // The server learns of rights a moment later.
    let check = ["rbac", "--check", "-f", &file, "--for", "connect", "--as", &all];
    let began = Instant::now();
    while space.flamectl(&check).code != Some(0) {
        assert!(began.elapsed() < PATIENCE);
    }
    let greeting = r#"exec 3<>"/dev/tcp/127.0.0.1/${FLAME_ENDPOINT##*:}"; head -c 7 <&3"#;
    assert_eq!(ran(&space, &["--as", &all], &["bash", "-c", greeting]).exits(0).stdout, "hello, ");
    for (name, verb) in [(&no_get, "get"), (&no_create, "create")] {
        granted(name, verb);
        let missing = format!("{verb} pods/portforward demo-session-manager");
        let check = ["rbac", "--check", "-f", &file, "--for", "connect", "--as", name];
        while space.flamectl(&check).stdout.trim() != missing {
            assert!(began.elapsed() < 3 * PATIENCE);
        }
        says(name, "is forbidden");
    }
}
