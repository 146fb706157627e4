//! Tests of the reader; what it says stands in the catalogue, `tests/golden/bad/catalogue.txt`.

#[path = "../../../tests/corpus/catalogue.rs"]
mod catalogue;
#[path = "../../../tests/corpus/reader.rs"]
mod reader;

use self::catalogue::{
    cases, image, in_annotations, in_cache, in_executor_manager, in_labels, in_metadata, in_resources, in_spec, slot,
};
use super::quantity::Quantity;
use super::slot::Slot;
use super::*;
use crate::flame::{ExecutorManager, Metadata, ObjectCache, Resources, SessionManager, Spec};

const MINIMAL: &str = "\
apiVersion: flame.xflops.io/v1alpha1
kind: FlameCluster
metadata:
  name: demo
spec:
  sessionManager:
    image: a
  executorManager:
    image: b
";
/// The reference's "Complete Example".
const COMPLETE: &str = r#"apiVersion: flame.xflops.io/v1alpha1
kind: FlameCluster
metadata:
  name: production-flame
  namespace: flame-production
spec:
  sessionManager:
    image: "xflops/flame-session:v0.1.0"
    resources:
      requests:
        cpu: "500m"
        memory: "512Mi"
      limits:
        cpu: "1"
        memory: "1Gi"
    slot: "cpu=2,mem=4g"
    policy: priority
    storage: sqlite://flame.db
  
  executorManager:
    image: "xflops/flame-executor:v0.1.0"
    replicas: 10
    resources:
      requests:
        cpu: "2"
        memory: "4Gi"
      limits:
        cpu: "4"
        memory: "8Gi"
    shim: host
    maxExecutors: 20
  
  objectCache:
    networkInterface: "eth0"
    storage: "/var/lib/flame/cache"
"#;

/// Checks every problem of `input`, each as its line and its hint.
#[track_caller]
fn check(input: impl AsRef<[u8]>, expected: &str) {
    let input = input.as_ref();
    let parsed = reader::check(input);
    assert_eq!(said(&parsed), expected, "of the input:\n{}", String::from_utf8_lossy(input));
}

/// Returns every problem, each as its line and its hint.
fn said(parsed: &Parsed) -> String {
    let mut lines = Vec::new();
    for problem in &parsed.problems {
        lines.push(problem.to_string());
        lines.extend(problem.hint.as_ref().map(|hint| format!("hint: {hint}")));
    }
    lines.join("\n")
}

/// Returns the file of each case in the catalogue, and all that is said about it.
pub(crate) fn catalogue() -> Vec<(String, String)> {
    cases().into_iter().map(|case| (case.input, case.expected)).collect()
}

#[test]
fn every_message_is_the_one_in_the_catalogue() {
    let cases = cases();
    assert!(cases.len() > 400, "{} cases", cases.len());
    let mut different = Vec::new();
    for case in cases {
        let said = said(&reader::check(case.input.as_bytes()));
        if said != case.expected {
            let said = if said.is_empty() { "(nothing)" } else { &said };
            different.push(format!("{}\n{said}", case.lines));
        }
    }
    assert!(different.is_empty(), "these are different now:\n\n{}\n\n", different.join("\n\n"));
}

/// Returns the flame in `input`, which has no problems.
#[track_caller]
fn flame(input: impl AsRef<[u8]>) -> FlameCluster {
    let mut parsed = parse("f.yaml", input.as_ref());
    // What the reference's example deserves.
    parsed.problems.retain(|problem| !problem.message.starts_with("relative, so in the container"));
    assert_eq!(parsed.problems, []);
    parsed.flame.expect("a file without problems has a flame")
}

fn complete() -> FlameCluster {
    let amounts = |cpu: &str, memory: &str| {
        [("cpu", cpu), ("memory", memory)].map(|(name, amount)| (name.to_owned(), amount.to_owned())).into()
    };
    FlameCluster {
        api_version: API_VERSION.to_owned(),
        kind: KIND.to_owned(),
        metadata: Metadata {
            name: "production-flame".to_owned(),
            namespace: Some("flame-production".to_owned()),
            ..Default::default()
        },
        spec: Spec {
            session_manager: SessionManager {
                image: "xflops/flame-session:v0.1.0".to_owned(),
                resources: Resources { requests: amounts("500m", "512Mi"), limits: amounts("1", "1Gi") },
                slot: "cpu=2,mem=4g".to_owned(),
                policy: "priority".to_owned(),
                storage: "sqlite://flame.db".to_owned(),
            },
            executor_manager: ExecutorManager {
                image: "xflops/flame-executor:v0.1.0".to_owned(),
                replicas: 10,
                resources: Resources { requests: amounts("2", "4Gi"), limits: amounts("4", "8Gi") },
                shim: "host".to_owned(),
                max_executors: 20,
            },
            object_cache: ObjectCache {
                network_interface: "eth0".to_owned(),
                storage: "/var/lib/flame/cache".to_owned(),
            },
        },
    }
}

#[test]
fn the_complete_example_of_the_reference_is_read() {
    assert_eq!(flame(COMPLETE), complete());
}

#[test]
fn line_ends_and_a_byte_order_mark_change_nothing() {
    assert_eq!(flame(COMPLETE.replace('\n', "\r\n")), complete());
    assert_eq!(flame(COMPLETE.replace('\n', "\r")), complete());
    assert_eq!(flame(format!("\u{FEFF}{COMPLETE}")), complete());
    assert_eq!(flame(format!("---\n{COMPLETE}...\n---\n")), complete());
}

#[test]
fn json_is_yaml() {
    let json = serde_json::to_string_pretty(&complete()).expect("a FlameCluster is JSON");
    assert_eq!(flame(&json), complete());
    let json = serde_json::to_string(&complete()).expect("a FlameCluster is JSON");
    assert_eq!(flame(&json), complete());
}

#[test]
fn what_is_absent_null_or_empty_gets_the_defaults_of_the_reference() {
    let minimal = flame(MINIMAL);
    assert_eq!(minimal.metadata, Metadata { name: "demo".to_owned(), ..Default::default() });
    assert_eq!(minimal.spec.executor_manager.replicas, 1);
    assert_eq!(minimal.spec.executor_manager.max_executors, 0);
    assert_eq!(minimal.spec.object_cache, ObjectCache::default());
    let spelled_out = "apiVersion: flame.xflops.io/v1alpha1
kind: FlameCluster
metadata: {name: demo, namespace: , labels: null, annotations: {}}
spec:
  sessionManager: {image: a, resources: {requests: , limits: {}}, slot: '', policy: ~, storage: ''}
  executorManager: {image: b, resources: {}, shim: null, maxExecutors: null}
  objectCache: {networkInterface: '', storage: null}
";
    assert_eq!(flame(spelled_out), minimal);
    assert_eq!(flame(format!("{MINIMAL}  objectCache:\n")), minimal);
}

#[test]
fn quantities_labels_and_annotations_stay_as_written() {
    let resources =
        flame(in_resources("limits: {cpu: 1, memory: 1.5Gi, ephemeral-storage: 1e3}")).spec.executor_manager.resources;
    let limits: Vec<(&str, &str)> = resources.limits.iter().map(|(name, text)| (&**name, &**text)).collect();
    assert_eq!(limits, [("cpu", "1"), ("ephemeral-storage", "1e3"), ("memory", "1.5Gi")]);
    let annotations = flame(in_annotations("note: |\n  two\n  lines\nb/c: '5'")).metadata.annotations;
    assert_eq!(annotations["note"], "two\nlines\n");
    assert_eq!(annotations["b/c"], "5");
}

#[test]
fn an_alias_stands_for_its_anchor() {
    let manager =
        flame(in_spec("sessionManager: {image: &image a/b:1}\nexecutorManager: {image: *image}")).spec.executor_manager;
    assert_eq!(manager.image, "a/b:1");
}

#[test]
fn an_alias_bomb_is_refused() {
    let mut bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (name, of) in [("b", "a"), ("c", "b"), ("d", "c"), ("e", "d")] {
        bomb += &format!("{name}: &{name} [{}]\n", [format!("*{of}").as_str(); 10].join(", "));
    }
    let problems = parse("f.yaml", bomb.as_bytes()).problems;
    assert!(problems.iter().any(|problem| problem.message == "more than 10000 values, counting aliases in full"));
}

#[test]
fn bytes_that_are_no_text_are_told() {
    let utf16: Vec<u8> = MINIMAL.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let told = "f.yaml:1:1: looks like UTF-16, want UTF-8\nhint: iconv -f UTF-16 -t UTF-8 f.yaml";
    check(&utf16, told);
    check([b"\xff\xfe", &utf16[..]].concat(), told);
    check(
        MINIMAL.replace("image: a", "image: \u{e9}\u{e9}").chars().map(|c| c as u8).collect::<Vec<_>>(),
        "f.yaml:7:12: byte 0xe9 at offset 114 is not UTF-8\nhint: save the file as UTF-8\n\
         f.yaml:7:13: byte 0xe9 at offset 115 is not UTF-8\nhint: save the file as UTF-8",
    );
    check(
        MINIMAL.replace("demo", "de\0mo").replace("image: b", "image: b\n    replicas: x # \u{7}\u{9f}"),
        "f.yaml:4:11: control character U+0000\nhint: remove it\n\
         f.yaml:10:15: spec.executorManager.replicas: want an integer 0 to 10000, got x\n\
         hint: remove the key for the default, 1\n\
         f.yaml:10:19: control character U+0007\nhint: remove it\n\
         f.yaml:10:20: control character U+009F\nhint: remove it",
    );
    check([0x7f; 100], "f.yaml:1:1: not a text file\nhint: name a YAML or JSON file");
}

#[test]
fn a_file_may_have_1_mib() {
    let filled = |length: usize| format!("{MINIMAL}#{}", "x".repeat(length - MINIMAL.len() - 1));
    check(filled(MAX_FILE_BYTES), "");
    check(
        filled(MAX_FILE_BYTES + 1),
        "f.yaml:1:1: 1048577 bytes, at most 1048576\nhint: name a file that holds one FlameCluster",
    );
}

#[test]
fn annotations_have_256_kib_together() {
    let annotations = |length: usize| in_annotations(&format!("a: {}\nb: c", "x".repeat(length)));
    check(annotations(256 * 1024 - 3), "");
    check(
        annotations(256 * 1024 - 2),
        "f.yaml:6:3: metadata.annotations: 262145 bytes of annotations, Kubernetes keeps at most 262144\n\
         hint: keep large data in a ConfigMap of its own",
    );
}

#[test]
fn a_field_is_sent_home_from_another_section() {
    check(
        in_executor_manager("limits: {cpu: 1}"),
        "f.yaml:8:5: spec.executorManager.limits: unknown field here; it belongs to spec.sessionManager.resources or \
         spec.executorManager.resources\nhint: move it to spec.sessionManager.resources or spec.executorManager.resources",
    );
}

#[test]
fn long_values_are_refused_and_not_repeated_in_full() {
    check(
        image(&"x".repeat(256)),
        "f.yaml:7:12: spec.sessionManager.image: the name has 256 characters, at most 255\nhint: write NAME:TAG",
    );
    check(
        image(&format!("a:{}", "t".repeat(129))),
        "f.yaml:7:15: spec.sessionManager.image: the tag has 129 characters, at most 128\nhint: write a shorter tag",
    );
    check(
        image(&"A/".repeat(5000)),
        "f.yaml:7:12: spec.sessionManager.image: 10000 bytes, at most 4096\nhint: write less",
    );
    check(
        image(&"A/".repeat(1000)),
        "f.yaml:7:12: spec.sessionManager.image: 2000 characters, at most 1024\nhint: write NAME:TAG",
    );
    check(
        slot(&"x".repeat(200)),
        "f.yaml:8:11: spec.sessionManager.slot: 200 characters: want cpu, mem and perhaps gpu\n\
         hint: slot: \"cpu=1,mem=1g\"",
    );
    check(
        in_cache(&format!("storage: /{}", "d".repeat(256))),
        "f.yaml:8:14: spec.objectCache.storage: a directory's name has 256 bytes, at most 255\n\
         hint: storage: /var/lib/flame/cache",
    );
    check(
        in_cache(&format!("networkInterface: ({})", "e|".repeat(200))),
        "f.yaml:8:23: spec.objectCache.networkInterface: 402 characters, at most 256\nhint: networkInterface: eth0",
    );
    let shim = format!("shim: {}", "y".repeat(1000));
    let expected = format!(
        "f.yaml:8:11: spec.executorManager.shim: want host or wasm, got {}…: Flame exits at start\nhint: shim: host",
        "y".repeat(60)
    );
    check(in_executor_manager(&shim), &expected);
}

#[test]
fn the_prefix_of_a_device_leaves_room_for_quotas() {
    let device = |length: usize| {
        let prefix = &["p".repeat(59).as_str(); 5].join(".")[..length];
        in_resources(&format!("limits: {{{prefix}/gpu: 1}}"))
    };
    check(device(244), "");
    let problems = parse("f.yaml", device(245).as_bytes()).problems;
    assert_eq!(problems[0].message, "the prefix has 245 characters, at most 244");
}

#[test]
fn so_many_problems_are_told_one_by_one() {
    let labels: String = (0..1000).map(|index| format!("x{index}: '!'\n")).collect();
    let file = in_labels(&labels).replace("image: b", "image: b, replicas: 0");
    let problems = parse("f.yaml", file.as_bytes()).problems;
    assert_eq!(problems.len(), 502);
    assert_eq!(problems.iter().map(|problem| problem.count).sum::<usize>(), 1001);
    assert_eq!(problems[500].to_string(), "f.yaml:506:12: 500 more errors, not told one by one");
    assert_eq!(problems[501].to_string(), "f.yaml:506:12: warning: 1 more warning, not told one by one");
}

#[test]
fn text_counts_in_full_however_often_an_alias_repeats_it() {
    let labels: String = (0..3).map(|index| format!("x{index}: *long\n")).collect();
    let long = format!("x: &long {}\n{labels}", "y".repeat(1000 << 10));
    let problems = parse("f.yaml", in_labels(&long).as_bytes()).problems;
    let told = |message: &str| problems.iter().any(|problem| problem.message == message);
    assert!(told("more than 2097152 bytes of text, counting aliases in full"), "{problems:?}");
}

/// Returns `input` as the problem's hint says it should be, where that is one line with the field's new value.
fn cured(input: &str, problem: &Problem) -> Option<String> {
    let hint = problem.hint.as_deref()?;
    let (name, value) = hint.split_once(": ")?;
    let is_field = problem.path.ends_with(&format!(".{name}")) || problem.path.ends_with(&format!("[\"{name}\"]"));
    let line = input.lines().nth(problem.line - 1).filter(|_| is_field)?;
    // Of several fields of that name in one line, the one that the problem is in.
    let reach: usize = line.chars().take(problem.column + name.len()).map(char::len_utf8).sum();
    let at = line[..reach].rfind(&format!("{name}:"))? + name.len() + 1;
    let (before, rest) = line.split_at(at);
    // In `{…}` the value ends before the next field.
    let end = if before.contains('{') { rest.find([',', '}']).unwrap_or(rest.len()) } else { rest.len() };
    let better = format!("{before} {value}{}", &rest[end..]);
    Some(
        input
            .lines()
            .enumerate()
            .map(|(index, old)| if index + 1 == problem.line { &better } else { old }.to_owned() + "\n")
            .collect(),
    )
}

#[test]
fn every_value_that_is_proposed_cures_its_problem() {
    let (mut cures, mut useless) = (0, Vec::new());
    for case in cases() {
        for problem in parse("f.yaml", case.input.as_bytes()).problems {
            if problem.hint.is_none() {
                useless.push(format!("{problem}: no hint"));
            }
            let Some(input) = cured(&case.input, &problem) else { continue };
            cures += 1;
            let left = parse("f.yaml", input.as_bytes()).problems;
            let is_left = |it: &Problem| it.path == problem.path && it.message == problem.message;
            if left.iter().any(is_left) {
                useless.push(format!("{problem}\n{input}is no better: {left:?}"));
            }
        }
    }
    assert!(useless.is_empty(), "these do not help:\n{}", useless.join("\n\n"));
    assert!(cures > 200, "{cures} cures");
}

#[test]
fn a_problem_marks_exactly_what_is_wrong() {
    for (input, column, marked) in [
        (in_metadata("name: My-flame"), 9, 1),
        (in_metadata("name: \"my flame\""), 12, 1),
        (in_metadata("name: \"m\\x20y\""), 9, 8),
        (in_executor_manager("replicas: -12"), 15, 3),
        (in_executor_manager("replica: 1"), 5, 7),
        (in_executor_manager("replicas:"), 5, 8),
        (slot("cpu=1,mem=1Gi"), 18, 7),
        (slot("cpu=1,mem=1g;gpu=1"), 24, 1),
        (image("a/b:-1"), 17, 2),
        (image("a/B/c"), 15, 1),
        (in_executor_manager("shim: |\n  host"), 7, 4),
    ] {
        let problems = parse("f.yaml", input.as_bytes()).problems;
        let first = problems.first().expect("the input has a problem");
        assert_eq!((first.column, first.length), (column, marked), "{first}");
    }
}

#[test]
fn standard_input_is_called_so() {
    let problems = parse("-", b"").problems;
    assert_eq!(problems[0].to_string(), "-:1:1: no FlameCluster in standard input: the file is empty");
}

#[test]
fn quantities_compare_by_value() {
    let ascending = [
        "-1",
        "0",
        "1n",
        "999999n",
        "1m",
        "0.5",
        "1",
        "1.5",
        "1k",
        "1Ki",
        "1M",
        "1Mi",
        "1e9",
        "1Gi",
        "1.5Gi",
        "1T",
        "1Ti",
        "1P",
        "1E",
        "1Ei",
        "9223372036854775807",
    ];
    let quantity = |text: &str| Quantity::parse(text).unwrap_or_else(|fault| panic!("{text}: {}", fault.message));
    for pair in ascending.windows(2) {
        assert!(quantity(pair[0]) < quantity(pair[1]), "{pair:?}");
    }
    for (one, other) in [
        ("1", "1000m"),
        ("1Gi", "1024Mi"),
        ("1k", "1e3"),
        ("1.5", "1500m"),
        (".5", "0.50"),
        ("2.", "+2"),
        ("0.1n", "1n"),
        ("1E-3", "1m"),
        ("1E", "1e18"),
        ("1e-9999", "1n"),
    ] {
        assert_eq!(quantity(one), quantity(other), "{one} {other}");
    }
    for text in [
        "",
        ".",
        "-",
        "m",
        "1mm",
        "1.2.3",
        "1e",
        "1e+",
        "0x1",
        "1 ",
        "1KB",
        "1ki",
        "9223372036854775808",
        "1e19",
        "8Ei",
        "1e99999",
    ] {
        assert!(Quantity::parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_slot_is_read() {
    for (text, expected) in [
        ("cpu=1,mem=1g", Slot { cpu: 1, memory_bytes: 1 << 30, gpu: 0 }),
        ("memory=512m,cpu=2", Slot { cpu: 2, memory_bytes: 512 << 20, gpu: 0 }),
        ("cpu=4, mem=16k, gpu=2", Slot { cpu: 4, memory_bytes: 16 << 10, gpu: 2 }),
    ] {
        assert_eq!(super::slot::slot(text), Ok(expected), "{text}");
    }
}

/// Every proposal has to be free of what it was proposed against.
#[test]
fn proposed_names_are_good_names() {
    for text in
        ["My_Flame", "-a-", "1", "1.2", "ÄÖ", "", "--", "a".repeat(99).as_str(), &format!("{}-x", "9".repeat(46))]
    {
        let better = grammar::flame_name_like(text);
        assert_eq!(grammar::flame_name(&better), [], "{text} became {better}");
    }
}

const KUBECTL: &str = r#"{apiVersion: "flame.xflops.io/v1alpha1", kind: FlameCluster,
 metadata: {name: &n demo, uid: a-b, managedFields: [{f: {"x": *n}}], labels: {a: "b", c/d: 'e'}},
 spec: {sessionManager: {image: "a\u0062", slot: "cpu=1,mem=1g"}, executorManager: {image: |
  a
  , replicas: 3}}}
"#;

/// A cheap generator; the seed is the position, so that every failure repeats.
fn mixed(seed: usize) -> u64 {
    let x = (seed as u64 ^ 0x9E37_79B9_7F4A_7C15).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB) >> 32
}

#[test]
fn no_damage_to_a_file_makes_the_reader_fail() {
    let damage: [&[u8]; 24] = [
        b"",
        b"\t",
        b"\n",
        b"\r",
        b"\"",
        b"'",
        b":",
        b": ",
        b"{",
        b"}",
        b"[",
        b"]",
        b"#",
        b"- ",
        b"\0",
        b"\xff",
        b"&a ",
        b"*a",
        b"!!x ",
        b"|",
        b"%",
        b"---\n",
        "\u{FEFF}é".as_bytes(),
        b"<<: ",
    ];
    for file in [COMPLETE, KUBECTL] {
        let file = file.as_bytes();
        for at in 0..=file.len() {
            let rest = file.get(at + 1..).unwrap_or_default();
            let replaced = |with: &[u8]| [&file[..at], with, rest].concat();
            // All kinds of damage at each place take too long without optimisation: a fourth of them, in turns.
            let kinds = damage.iter().skip(mixed(at) as usize % 4).step_by(4);
            for input in kinds.map(|with| replaced(with)).chain([file[..at].to_vec()]) {
                reader::check(&input);
            }
        }
    }
}

#[test]
fn random_pieces_of_yaml_do_not_make_the_reader_fail() {
    let pieces = [
        "a",
        ": ",
        "\n",
        "  ",
        "\n  ",
        "- ",
        "{",
        "}",
        "[",
        "]",
        ",",
        "\"",
        "'",
        "&a ",
        "*a ",
        "!t ",
        "? ",
        "| \n",
        "> ",
        "#",
        "\t",
        "metadata",
        "name",
        "spec",
        "image",
        "---\n",
        "...\n",
        "<<",
        "null",
        "1",
        "\\",
        "%",
        "\r\n",
        "\u{85}",
        "é",
        "kind: FlameCluster\n",
    ];
    for seed in 0..3000 {
        let count = mixed(seed) as usize % 60;
        let input: String = (0..count).map(|n| pieces[mixed(seed * 61 + n) as usize % pieces.len()]).collect();
        reader::check(input.as_bytes());
    }
}
