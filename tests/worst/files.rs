//! Files that cost a reader the most: each as large as a file may be, and full of one thing.

use std::path::Path;
use std::process::{Command, Stdio};

use flamectl::flame::parse::MAX_FILE_BYTES;

const HEAD: &str = "apiVersion: flame.xflops.io/v1alpha1\nkind: FlameCluster\nmetadata:\n  name: demo\n";
const SPEC: &str = "spec: {sessionManager: {image: a}, executorManager: {image: b}}\n";

/// A file's name, and what makes its content, so that only one is in memory at a time.
pub type File = (&'static str, Box<dyn Fn() -> Vec<u8>>);

/// Each way to report, and its arguments. In colors the lines of the file are shown too.
pub const REPORTS: [(&str, &[&str]); 5] = [
    ("lines", &["--color=never"]),
    ("pictures", &["--color=always"]),
    ("JSON", &["-o", "json"]),
    ("SARIF", &["-o", "sarif"]),
    ("GitHub", &["-o", "github"]),
];

/// Returns a command that validates `path` and writes its report to nowhere.
pub fn validate(path: &Path, report: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flamectl"));
    command.arg("validate").args(report).arg("-f").arg(path);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Returns all files.
pub fn files() -> Vec<File> {
    let mut files: Vec<File> = Vec::new();
    let mut add = |name, make: Box<dyn Fn() -> Vec<u8>>| files.push((name, make));
    for (name, piece) in REPEATED {
        add(name, Box::new(move || full("", piece)));
    }
    for (name, before, line) in NUMBERED {
        add(name, Box::new(move || numbered(before, line)));
    }
    for (name, before, piece) in ONE_VALUE {
        add(name, Box::new(move || full(&format!("{HEAD}{SPEC}{before}"), piece)));
    }
    add("UTF-16", Box::new(|| full("", "a: b\n").iter().flat_map(|byte| [*byte, 0]).take(MAX_FILE_BYTES).collect()));
    add("not UTF-8", Box::new(|| full("a: ", "\u{1}").iter().map(|byte| byte | 0x80).collect()));
    add("a mistake before a million lines", Box::new(|| full("a: @b\n", "\n")));
    add("a valid flame with a long comment", Box::new(|| full(&format!("{HEAD}{SPEC}#"), "x")));
    add(
        "a valid flame with the longest annotation",
        Box::new(|| format!("{HEAD}  annotations: {{note: \"{}\"}}\n{SPEC}", "x".repeat(120 << 10)).into_bytes()),
    );
    add(
        "an alias bomb of values",
        Box::new(|| {
            let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
            for index in 1..60 {
                let of = index - 1;
                bomb += &format!("a{index}: &a{index} [{}]\n", vec![format!("*a{of}"); 10].join(", "));
            }
            bomb.into_bytes()
        }),
    );
    add(
        "an alias bomb of text",
        Box::new(|| {
            let long = "y".repeat(900 << 10);
            let labels: String = (0..8000).map(|index| format!("    x{index}: *l\n")).collect();
            format!("{HEAD}  labels:\n    x: &l {long}\n{labels}{SPEC}").into_bytes()
        }),
    );
    add(
        "an alias bomb of mistakes",
        Box::new(|| {
            let bad: String = (0..100).map(|index| format!("x{index}: '!', ")).collect();
            let managers: String = (0..90).map(|index| format!("  x{index}: *l\n")).collect();
            format!("{HEAD}  labels: &l {{{bad}}}\n  annotations: *l\n{SPEC}more:\n{managers}").into_bytes()
        }),
    );
    files
}

/// A name, and what the file has over and over.
const REPEATED: [(&str, &str); 52] = [
    ("one letter", "x"),
    ("one line", "x y "),
    ("lines of text", "x\n"),
    ("line ends", "\n"),
    ("carriage returns", "\r"),
    ("both line ends", "\r\n"),
    ("spaces", " "),
    ("tabs", "\t"),
    ("lines that begin with a tab", "\ta: b\n"),
    ("NUL", "\0"),
    ("control characters", "\u{7}"),
    ("byte order marks", "\u{FEFF}"),
    ("no-break spaces", "\u{A0}"),
    ("lines indented with no-break spaces", "\u{A0}\u{A0}a: b\n"),
    ("emoji", "😀"),
    ("[", "["),
    ("{", "{"),
    ("[]", "[]"),
    ("{}, in a list", "- {}\n"),
    ("[{", "[{"),
    ("{a: ", "{a: "),
    ("]", "]"),
    (",", ","),
    ("- ", "- "),
    ("- in lines", "-\n"),
    ("? ", "? "),
    (": ", ": "),
    ("a: ", "a: "),
    ("a:", "a:"),
    ("a: b, over and over", "a: b\n"),
    ("double quotes", "\""),
    ("single quotes", "'"),
    ("quoted text in lines", "\"a\"\n"),
    ("text behind quotes", "a: \"b\" c\n"),
    ("values that begin with @", "a: @b\n"),
    ("second colons", "a: b: c\n"),
    ("wrong indentation", "  a: b\n c: d\n"),
    ("comments", "# x\n"),
    ("one comment", "#"),
    ("documents", "---\n"),
    ("documents of text", "---\na\n"),
    ("ends of documents", "...\n"),
    ("anchors", "&a "),
    ("anchors in lines", "- &a b\n"),
    ("aliases", "*a "),
    ("aliases in lines", "- *a\n"),
    ("tags", "!!str "),
    ("tags in lines", "- !t a\n"),
    ("block scalars", "- |\n  a\n"),
    ("directives", "%YAML 1.2\n"),
    ("merge keys", "<<: *a\n"),
    ("backslashes", "\\"),
];

/// A name, what the file begins with, and a line that it has over and over with a number for `#`.
const NUMBERED: [(&str, &str, &str); 15] = [
    ("unknown fields", HEAD, "field#: x\n"),
    (
        "unknown fields with long names",
        HEAD,
        "field#xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx: x\n",
    ),
    ("misspelt fields", HEAD, "  namespac#: x\n"),
    ("labels", HEAD_WITH_LABELS, "    x#: y\n"),
    ("bad labels", HEAD_WITH_LABELS, "    x#: '!'\n"),
    ("labels without a colon", HEAD_WITH_LABELS, "    x#\n"),
    ("keys of an escape", HEAD_WITH_LABELS, "    \"\\u0007#\": y\n"),
    ("templates", HEAD, "field#: {{ .Values.x }}\n"),
    ("templates in lines of their own", HEAD, "{{- with # }}\n"),
    ("merge conflicts", HEAD, "<<<<<<< #\n=======\n>>>>>>>\n"),
    ("comments of other languages", HEAD, "// #\n"),
    ("keys in brackets", "{", "a#: b, "),
    ("nested maps in lists", "", "- a#: {b: [c]}\n"),
    ("flames", "", "---\napiVersion: flame.xflops.io/v1alpha1\nkind: FlameCluster\nmetadata: {name: A#}\n"),
    ("JSON with comments", "{", "\"a#\": 1, // b\n"),
];
const HEAD_WITH_LABELS: &str =
    "apiVersion: flame.xflops.io/v1alpha1\nkind: FlameCluster\nmetadata:\n  name: demo\n  labels:\n";

/// A name, what stands before a value after a flame that is in order, and what the value has over and over.
const ONE_VALUE: [(&str, &str, &str); 13] = [
    ("a key", "", "x"),
    ("a key in quotes", "\"", "x"),
    ("a name", "metadata:\n  name: ", "A"),
    ("an image", "spec:\n  sessionManager:\n    image: ", "A/"),
    ("a tag of an image", "spec:\n  sessionManager:\n    image: A/A/A/A:", "x"),
    ("a slot", "spec:\n  sessionManager:\n    slot: ", "cpu=1,"),
    ("a storage", "spec:\n  sessionManager:\n    storage: sqlite://", "/x"),
    ("a pattern", "spec:\n  objectCache:\n    networkInterface: ", "(x|"),
    ("a quantity", "spec:\n  executorManager:\n    resources:\n      limits:\n        cpu: ", "1"),
    ("an integer", "spec:\n  executorManager:\n    replicas: ", "1"),
    ("a label's key", "metadata:\n  labels:\n    ", "a."),
    ("a text of look-alikes", "spec:\n  executorManager:\n    shim: ", "“"),
    ("a literal block", "metadata:\n  annotations:\n    x: |\n", "      a\n"),
];

/// Returns a file of the largest size that begins with `before`, and then has `piece` over and over.
fn full(before: &str, piece: &str) -> Vec<u8> {
    let mut bytes = before.as_bytes().to_vec();
    bytes.reserve(MAX_FILE_BYTES);
    while bytes.len() + piece.len() <= MAX_FILE_BYTES {
        bytes.extend_from_slice(piece.as_bytes());
    }
    bytes
}

fn numbered(before: &str, line: &str) -> Vec<u8> {
    let mut text = before.to_owned();
    for number in 0.. {
        let line = line.replace('#', &number.to_string());
        if text.len() + line.len() > MAX_FILE_BYTES {
            break;
        }
        text.push_str(&line);
    }
    text.into_bytes()
}
