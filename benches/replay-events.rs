//! Records what a kube-apiserver tells of Pods whose status changes, and tells it again to a `flamectl watch`, at a pace that no
//! server on this machine would keep; for `benches/busy`.
//!
//!   replay-events BED FLAMECTL PATCHER FLAME SECONDS RATE...
//!
//! BED is the directory of a control plane with one flame, that of the file FLAME; PATCHER is the program `status-events`. All
//! Pods are once made not ready and once ready again, and what a watch says of that is kept as it came, but for
//! `resourceVersion`. Then FLAMECTL talks to this program over TLS as it would to the server, and is answered by the server, but
//! for the events of Pods: those come from the recording, evenly RATE times a second, over and over. What it says of the Pods in
//! the end has to be what the last events said.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark may panic, look at the clock and speak"
)]

use std::collections::HashMap;
use std::convert::Infallible;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::ops::Range;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper_util::rt::TokioIo;
use kube::config::{KubeConfigOptions, Kubeconfig};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

const SELECTOR: &str = "labelSelector=app.kubernetes.io/managed-by=flamectl";
const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";
/// Events that may wait for the client; a server keeps about as many.
const QUEUE: usize = 100;
/// How evenly events are told.
const PAUSE: Duration = Duration::from_millis(1);
/// How long a flamectl may take to have seen everything.
const PATIENCE: Duration = Duration::from_secs(60);

fn main() {
    // `cargo test` and `cargo bench` start every bench without these.
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    if let [bed, flamectl, patcher, flame, seconds, rates @ ..] = args.as_slice() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let seconds = Duration::from_secs(seconds.parse().unwrap());
        let rates: Vec<u32> = rates.iter().map(|rate| rate.parse().unwrap()).collect();
        runtime.block_on(async {
            let client = client(&Path::new(bed).join("kubeconfig")).await;
            let recording = Recording::of(&client, patcher).await;
            println!("recorded {} events of {} Pods", recording.events.len(), recording.events.len() / 2);
            let replay = Arc::new(Replay { client, pods: Mutex::new(None) });
            let kubeconfig = listen(Path::new(bed), replay.clone()).await;
            let (flamectl, flame) = (flamectl.clone(), flame.clone());
            let watcher = tokio::task::spawn_blocking(move || Watcher::start(&flamectl, &flame, &kubeconfig));
            measure(recording, &replay, watcher.await.unwrap(), seconds, &rates).await;
        });
    }
}

async fn client(kubeconfig: &Path) -> kube::Client {
    let kubeconfig = Kubeconfig::read_from(kubeconfig).unwrap();
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
    kube::Client::try_from(config.unwrap()).unwrap()
}

/// Returns how many Pods there are, and the `resourceVersion` of this moment.
async fn list(client: &kube::Client) -> (usize, String) {
    let list = format!("/api/v1/pods?{SELECTOR}");
    let list: serde_json::Value = client.request(Request::get(list).body(Vec::new()).unwrap()).await.unwrap();
    let from = list["metadata"]["resourceVersion"].as_str().unwrap().to_owned();
    (list["items"].as_array().unwrap().len(), from)
}

/// Opens a watch of Pods.
async fn watch(client: &kube::Client, from: &str) -> kube::client::Body {
    let watch = format!("/api/v1/pods?{SELECTOR}&watch=true&resourceVersion={from}");
    let watch = Request::get(watch).header("accept", PROTOBUF);
    let watch = client.send(watch.body(Vec::new().into()).unwrap()).await.unwrap();
    assert!(watch.status().is_success(), "{}", watch.status());
    watch.into_body()
}

/// What a server told, in order.
struct Recording {
    events: Vec<Event>,
    /// How many events of each Pod were told, by its uid.
    pods: HashMap<Vec<u8>, usize>,
    next: usize,
}

struct Event {
    frame: Vec<u8>,
    uid: Range<usize>,
    /// The `resourceVersion` that the server told.
    version: String,
}

impl Event {
    /// Finds a Pod's uid, and the `resourceVersion` behind it: fields 5 and 6 of its metadata.
    fn new(mut frame: Vec<u8>) -> Self {
        let is_uid = |at: &usize| frame[*at..].starts_with(&[0x2a, 36]) && frame.get(at + 38) == Some(&0x32);
        let uid = (0..frame.len()).find(is_uid).expect("an event without a uid") + 2;
        let version = uid + 36 + 2;
        let digits = usize::from(frame[version - 1]);
        assert!(frame[version..version + digits].iter().all(u8::is_ascii_digit), "no resourceVersion behind the uid");
        let told = String::from_utf8(frame[version..version + digits].to_vec()).unwrap();
        // Later than anything, so that nothing is taken for old news; of the same length, as that is written all around it.
        frame[version..version + digits].fill(b'9');
        Self { frame, uid: uid..uid + 36, version: told }
    }

    fn uid(&self) -> &[u8] {
        &self.frame[self.uid.clone()]
    }
}

impl Recording {
    /// Watches how all Pods become not ready, and ready again.
    async fn of(client: &kube::Client, patcher: &str) -> Self {
        let (pods, mut from) = list(client).await;
        let mut body = watch(client, &from).await;

        let patching = Started(Command::new(patcher).args(["flaps", "1000", "600"]).spawn().unwrap());
        let (mut events, mut left) = (Vec::new(), Vec::new());
        let mut of_pod: HashMap<Vec<u8>, usize> = HashMap::new();
        while events.len() < 2 * pods {
            let Some(frame) = body.frame().await else {
                // Servers leave behind who is too slow for them.
                left.clear();
                body = watch(client, &from).await;
                continue;
            };
            left.extend_from_slice(frame.unwrap().data_ref().map_or(&[], |data| data));
            while let Some(length) = left.first_chunk().map(|length| u32::from_be_bytes(*length) as usize + 4)
                && left.len() >= length
            {
                let event = Event::new(left.drain(..length).collect());
                from.clone_from(&event.version);
                let nth = of_pod.entry(event.uid().to_vec()).or_default();
                *nth += 1;
                // Some have a third turn before others have their second.
                if *nth <= 2 {
                    events.push(event);
                }
            }
        }
        drop(patching);
        // Also of what was written since.
        let digits = list(client).await.1.len();
        assert!(
            events.iter().all(|event| event.version.len() == digits),
            "resourceVersions became longer: run it again"
        );
        Self { events, pods: HashMap::new(), next: 0 }
    }

    /// Returns the next event.
    fn next(&mut self) -> Bytes {
        let event = &self.events[self.next];
        self.next = (self.next + 1) % self.events.len();
        *self.pods.entry(event.uid().to_vec()).or_default() += 1;
        Bytes::from(event.frame.clone())
    }

    /// Puts each Pod's events one after the other; this is a new beginning.
    fn sort_by_pod(&mut self) {
        assert_eq!(self.next, 0, "in the middle of a round");
        let mut first = HashMap::new();
        for (at, event) in self.events.iter().enumerate() {
            first.entry(event.uid().to_vec()).or_insert(at);
        }
        self.events.sort_by_key(|event| first[event.uid()]);
    }

    /// Returns how many Pods are not ready by the last of their events: those with an odd number of them.
    fn not_ready(&self) -> usize {
        self.pods.values().filter(|events| *events % 2 == 1).count()
    }
}

/// The server to a flamectl.
struct Replay {
    client: kube::Client,
    /// Where the events of Pods go, once somebody watches them.
    pods: Mutex<Option<mpsc::Sender<Bytes>>>,
}

type Answer = Response<UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>>;

impl Replay {
    async fn answer(&self, request: Request<Incoming>) -> Result<Answer, Infallible> {
        let (parts, body) = request.into_parts();
        let query = parts.uri.query().unwrap_or_default();
        if parts.uri.path().ends_with("/pods") && query.contains("watch=true") {
            let (sender, mut events) = mpsc::channel(QUEUE);
            *self.pods.lock().unwrap() = Some(sender);
            let frames = futures_util::stream::poll_fn(move |context| events.poll_recv(context));
            let frames = frames.map(|event| Ok(Frame::data(event)));
            let answer = Response::builder().header("content-type", format!("{PROTOBUF};stream=watch"));
            return Ok(answer.body(StreamBody::new(frames).boxed_unsync()).unwrap());
        }
        let mut asked = Request::builder().method(parts.method).uri(parts.uri.path_and_query().unwrap().as_str());
        for name in ["content-type", "accept", "accept-encoding"] {
            asked = parts.headers.get(name).into_iter().fold(asked, |asked, value| asked.header(name, value));
        }
        let body = body.collect().await.unwrap().to_bytes();
        let answered = self.client.send(asked.body(body.to_vec().into()).unwrap()).await.unwrap();
        let (parts, body) = answered.into_parts();
        let mut answer = Response::builder().status(parts.status);
        for name in ["content-type", "content-encoding"] {
            answer = parts.headers.get(name).into_iter().fold(answer, |answer, value| answer.header(name, value));
        }
        Ok(answer.body(body.map_err(Into::into).boxed_unsync()).unwrap())
    }

    /// Waits until somebody watches Pods.
    async fn is_watched(&self) {
        while self.pods.lock().unwrap().is_none() {
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Tells so many events a second, evenly, until it is time to end; returns how many there were.
    async fn play(&self, recording: &mut Recording, rate: u32, is_over: impl Fn(Duration, u32) -> bool) -> u32 {
        let (began, mut told) = (Instant::now(), 0);
        while !is_over(began.elapsed(), told) {
            while told < (began.elapsed().as_secs_f64() * f64::from(rate)) as u32 && !is_over(began.elapsed(), told) {
                let listener = self.pods.lock().unwrap().clone().expect("nobody watches Pods");
                listener.send(recording.next()).await.expect("the watch of Pods is gone");
                told += 1;
            }
            tokio::time::sleep(PAUSE).await;
        }
        told
    }
}

/// Listens as the control plane does, with its certificate, and returns the text of a kubeconfig that leads here.
async fn listen(bed: &Path, replay: Arc<Replay>) -> String {
    let certificate = CertificateDer::from_pem_file(bed.join("run/certs/apiserver.crt")).unwrap();
    let key = PrivateKeyDer::from_pem_file(bed.join("run/certs/apiserver.key")).unwrap();
    let tls = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    let tls = TlsAcceptor::from(Arc::new(tls));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let here = format!("server: https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            socket.set_nodelay(true).unwrap();
            let (tls, replay) = (tls.clone(), replay.clone());
            tokio::spawn(async move {
                let service = hyper::service::service_fn(|request| replay.answer(request));
                if let Ok(stream) = tls.accept(socket).await {
                    // A client that goes away has its reasons.
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                }
            });
        }
    });
    let kubeconfig = fs::read_to_string(bed.join("kubeconfig")).unwrap();
    let server = kubeconfig.lines().find(|line| line.trim_start().starts_with("server:")).unwrap().trim_start();
    kubeconfig.replace(server, &here)
}

/// A program that ends with this one, however that ends.
struct Started(Child);

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A `flamectl watch` that keeps the flame.
struct Watcher {
    process: Started,
    /// Where it tells its numbers.
    metrics: String,
}

impl Watcher {
    /// Starts it.
    fn start(flamectl: &str, flame: &str, kubeconfig: &str) -> Self {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(&file, kubeconfig).unwrap();
        let mut command = Command::new(flamectl);
        command.args(["watch", "-f", flame, "--listen", "127.0.0.1:0", "--kubeconfig"]).arg(file.path());
        let mut process = Started(command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap());
        let mut said = BufReader::new(process.0.stderr.take().unwrap()).lines().map(Result::unwrap);
        let mut until =
            |word: &str| said.find(|line| line.contains(word)).unwrap_or_else(|| panic!("it ended, not {word}"));
        let listens = until("on http://");
        let metrics = listens.split("on http://").nth(1).unwrap().split(['/', ' ']).next().unwrap().to_owned();
        until("watching");
        // A pipe that nobody reads would hold it up.
        std::thread::spawn(move || said.for_each(drop));
        Self { process, metrics }
    }

    /// Returns the processor time of all of its threads by the scheduler's own count: that of clock ticks misses short bursts.
    fn cpu(&self) -> Duration {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.process.0.id())).unwrap();
        let of = |task: fs::DirEntry| fs::read_to_string(task.path().join("schedstat")).unwrap();
        let nanoseconds = |text: String| text.split(' ').next().unwrap().parse::<u64>().unwrap();
        Duration::from_nanos(tasks.map(|task| nanoseconds(of(task.unwrap()))).sum())
    }

    /// Returns the most memory that it had so far, in MiB.
    fn peak(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.0.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    }

    /// Waits until it says of the Pods what their last events do: returns how many are not ready.
    async fn knows(&self, recording: &Recording) -> usize {
        let (expected, began) = (recording.not_ready(), Instant::now());
        while self.not_ready() != expected {
            assert!(began.elapsed() < PATIENCE, "it says {} Pods are not ready, not {expected}", self.not_ready());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        expected
    }

    /// Returns how many Pods it says are not ready.
    fn not_ready(&self) -> usize {
        let mut metrics = TcpStream::connect(&self.metrics).unwrap();
        metrics.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").unwrap();
        let mut text = String::new();
        metrics.read_to_string(&mut text).unwrap();
        let pods = text.lines().filter(|line| line.starts_with("flamectl_pods{") && !line.contains(r#"state="ready""#));
        pods.map(|line| line.rsplit(' ').next().unwrap().parse::<usize>().unwrap()).sum()
    }
}

/// Says what a watcher takes at each rate, and checks that it has missed nothing: first as it was recorded, which means that
/// half of all Pods are not ready at a time, then with each Pod's two events one after the other.
async fn measure(mut recording: Recording, replay: &Replay, watcher: Watcher, time: Duration, rates: &[u32]) {
    replay.is_watched().await;
    for is_by_pod in [false, true] {
        // To the end of a round, after which all Pods are ready; at first, whatever the patcher left.
        let left = (recording.events.len() - recording.next) as u32;
        replay.play(&mut recording, 1000, |_, told| told == left).await;
        assert_eq!(watcher.knows(&recording).await, 0);
        if is_by_pod {
            recording.sort_by_pod();
        }
        println!("{}:", if is_by_pod { "one Pod at a time is not ready" } else { "half of the Pods are not ready" });
        for rate in rates {
            println!("  {}", cost(&mut recording, replay, &watcher, time, *rate).await);
        }
        println!("  in the end {} Pods are not ready, as it says", watcher.knows(&recording).await);
    }
}

/// Tells so many events a second for a while, and returns what that took.
async fn cost(recording: &mut Recording, replay: &Replay, watcher: &Watcher, time: Duration, rate: u32) -> String {
    let (before, began) = (watcher.cpu(), Instant::now());
    let told = f64::from(replay.play(recording, rate, |passed, _| passed >= time).await);
    let (cpu, wall) = ((watcher.cpu() - before).as_secs_f64(), began.elapsed().as_secs_f64());
    let (rate, percent, each) = (told / wall, 100.0 * cpu / wall, 1e6 * cpu / told.max(1.0));
    format!("{rate:.0} a second: {percent:.2} % of a core, {each:.0} us an event, {:.1} MiB at most", watcher.peak())
}
