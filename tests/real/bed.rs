//! The control plane, a namespace of it for each test, and how flamectl and kubectl are run there.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// How long anything on the server may take. Nothing here takes longer than a few seconds; a busy machine may.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A control plane that ends with this process.
pub struct Bed {
    /// Its directory; the space in its path finds quoting mistakes.
    pub dir: PathBuf,
    kubectl: PathBuf,
}

impl Bed {
    /// Returns the one that all tests share.
    #[track_caller]
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Result<Bed, String>> = OnceLock::new();
        match SHARED.get_or_init(|| Self::start("shared")) {
            Ok(bed) => bed,
            Err(why) => panic!("there is no control plane to test against:\n{why}"),
        }
    }

    /// Starts one.
    ///
    /// # Errors
    /// What `bed` said.
    pub fn start(name: &str) -> Result<Self, String> {
        Self::start_with(name, &[])
    }

    /// Starts one with options of `bed start`.
    ///
    /// # Errors
    /// What `bed` said.
    pub fn start_with(name: &str, options: &[&str]) -> Result<Self, String> {
        let pid = std::process::id();
        let dir = std::env::temp_dir().join(format!("flamectl real {pid} {name}"));
        let owner = pid.to_string();
        let start = ["start".as_ref(), dir.as_os_str(), "--owner".as_ref(), owner.as_ref()];
        bed(start.into_iter().chain(options.iter().map(OsStr::new)))?;
        let kubectl = bed(["path", "kubectl"])?;
        Ok(Self { dir, kubectl: kubectl.trim_end().into() })
    }

    /// Carries out a verb of `bed` on it, as `restart-apiserver`.
    #[track_caller]
    pub fn verb(&self, verb: &str) {
        bed([OsStr::new(verb), self.dir.as_os_str()]).unwrap();
    }

    /// Makes one of its nodes fall silent.
    #[track_caller]
    pub fn kill_node(&self, node: &str) {
        bed([OsStr::new("kill-node"), self.dir.as_os_str(), OsStr::new(node)]).unwrap();
    }

    /// Returns the administrator's kubeconfig.
    pub fn kubeconfig(&self) -> PathBuf {
        self.dir.join("kubeconfig")
    }

    /// Returns a kubectl command of the administrator.
    pub fn kubectl(&self) -> Command {
        let mut command = Command::new(&self.kubectl);
        command.arg("--kubeconfig").arg(self.kubeconfig()).arg("--cache-dir").arg(self.dir.join("run/kubectl"));
        command
    }

    /// Makes a namespace with its ServiceAccount.
    #[track_caller]
    pub fn namespace(&self) -> Namespace<'_> {
        let namespace = self.no_namespace();
        namespace.make();
        namespace
    }

    /// Returns a namespace's name and a directory, but makes no namespace.
    pub fn no_namespace(&self) -> Namespace<'_> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let files = tempfile::Builder::new().prefix("flamectl files ").tempdir().unwrap();
        Namespace { bed: self, name, files }
    }
}

fn bed<I: AsRef<OsStr>>(args: impl IntoIterator<Item = I>) -> Result<String, String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bed/bed");
    let output = Command::new(&script).args(args).stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("{}: {error}", script.display()))?;
    match output.status.success() {
        true => Ok(text(&output.stdout)),
        false => Err(text(&output.stderr)),
    }
}

/// Returns a namespace of the shared control plane.
#[track_caller]
pub fn namespace() -> Namespace<'static> {
    Bed::shared().namespace()
}

/// One test's namespace, and a directory for its files.
pub struct Namespace<'a> {
    /// Where it is.
    pub bed: &'a Bed,
    /// Its name.
    pub name: String,
    files: TempDir,
}

/// Objects by kind and name, as `Pod demo-session-manager`.
pub type Objects = BTreeMap<String, Value>;

impl Namespace<'_> {
    /// Creates the namespace on the server.
    #[track_caller]
    pub fn make(&self) {
        self.admin(&["create", "namespace", &self.name]);
        self.kubectl(&["wait", "--for=create", "serviceaccount/default", "--timeout=60s"]);
    }

    /// Writes a file and returns its path.
    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// Returns a path in the test's own directory.
    pub fn path(&self, name: &str) -> String {
        self.files.path().join(name).to_str().unwrap().to_owned()
    }

    /// Returns a flamectl command for this namespace that nothing of this machine's environment reaches.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = self.bare_command(args);
        command.env("KUBECONFIG", self.bed.kubeconfig()).args(["--namespace", &self.name]);
        command
    }

    /// Returns a flamectl command without any kubeconfig or namespace.
    pub fn bare_command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flamectl"));
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.files.path()).env("TMPDIR", self.files.path()).env("FLAMECTL_TIMEOUT", "60s");
        command.args(args).stdin(Stdio::null());
        command
    }

    /// Runs flamectl in this namespace.
    #[track_caller]
    pub fn flamectl(&self, args: &[&str]) -> Ran {
        Ran::of(self.command(args))
    }

    /// Runs `up` with a file that says `flame`, without questions.
    #[track_caller]
    pub fn up(&self, flame: &str) -> Ran {
        self.up_with(flame, &["-y"])
    }

    /// Runs `up` with a file that says `flame`.
    #[track_caller]
    pub fn up_with(&self, flame: &str, args: &[&str]) -> Ran {
        let file = self.file("flame.yaml", flame);
        self.flamectl(&[&["up", "-f", &file], args].concat())
    }

    /// Runs kubectl in this namespace as administrator and returns what it prints.
    #[track_caller]
    pub fn kubectl(&self, args: &[&str]) -> String {
        self.admin(&[&["--namespace", &self.name], args].concat())
    }

    /// Applies a manifest with kubectl.
    #[track_caller]
    pub fn apply(&self, manifest: &str, args: &[&str]) -> String {
        let args = [&["apply", "-f", "-"], args].concat();
        let mut command = self.bed.kubectl();
        command.args(["--namespace", &self.name]).args(args);
        Ran::with_input(command, manifest).exits(0).stdout
    }

    /// Merges JSON into an object, as somebody with kubectl does; `object` is as `pod/demo-session-manager`.
    #[track_caller]
    pub fn patch(&self, object: &str, patch: &str) {
        self.kubectl(&["patch", object, "--type=merge", "--patch", patch]);
    }

    #[track_caller]
    fn admin(&self, args: &[&str]) -> String {
        let mut command = self.bed.kubectl();
        command.args(args).stdin(Stdio::null());
        Ran::of(command).exits(0).stdout
    }

    /// Reads every ConfigMap, Service and Pod of the namespace but the one ConfigMap that Kubernetes makes in each.
    #[track_caller]
    pub fn objects(&self) -> Objects {
        let list = self.kubectl(&["get", "configmaps,services,pods", "-o", "json", "--show-managed-fields"]);
        let list: Value = serde_json::from_str(&list).unwrap();
        let objects =
            list["items"].as_array().unwrap().iter().filter(|it| at(it, "/metadata/name") != "kube-root-ca.crt");
        objects.map(|it| (format!("{} {}", at(it, "/kind"), at(it, "/metadata/name")), it.clone())).collect()
    }

    /// Waits until the objects are as `is` wants them, and returns them.
    #[track_caller]
    pub fn until(&self, what: &str, mut is: impl FnMut(&Objects) -> bool) -> Objects {
        let began = Instant::now();
        loop {
            let objects = self.objects();
            if is(&objects) {
                return objects;
            }
            assert!(began.elapsed() < PATIENCE, "{what}: not after {PATIENCE:?}; there is {objects:#?}");
        }
    }
}

/// Returns the text at a JSON pointer; empty where there is none.
pub fn at<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// Returns the uid of each object.
pub fn uids(objects: &Objects) -> BTreeMap<String, String> {
    objects.iter().map(|(name, it)| (name.clone(), at(it, "/metadata/uid").to_owned())).collect()
}

/// Returns the uid and resourceVersion of each object: equal where nobody wrote anything.
pub fn versions(objects: &Objects) -> BTreeMap<String, (String, String)> {
    let version = |it: &Value| (at(it, "/metadata/uid").to_owned(), at(it, "/metadata/resourceVersion").to_owned());
    objects.iter().map(|(name, it)| (name.clone(), version(it))).collect()
}

/// Returns the names of the objects.
pub fn names(objects: &Objects) -> Vec<&str> {
    objects.keys().map(String::as_str).collect()
}

/// How a program ended, and what it said.
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    command: String,
}

impl Ran {
    /// Runs a program to its end.
    #[track_caller]
    pub fn of(mut command: Command) -> Self {
        let output = command.output().unwrap();
        Self::new(&command, &output)
    }

    /// Runs a program that reads `input`.
    #[track_caller]
    pub fn with_input(mut command: Command, input: &str) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        Self::new(&command, &output)
    }

    /// Takes down how a program ended.
    pub fn new(command: &Command, output: &Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
            command: format!("{command:?}"),
        }
    }

    /// Checks the exit code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// Checks that stderr holds `text`.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "stderr does not say {text:?}: {self}");
        self
    }

    /// Checks that stdout holds `text`.
    #[track_caller]
    pub fn prints(self, text: &str) -> Self {
        assert!(self.stdout.contains(text), "stdout does not say {text:?}: {self}");
        self
    }
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, stdout, stderr, command } = self;
        write!(f, "{command}\nexit code {code:?}\n--- stdout\n{stdout}--- stderr\n{stderr}---")
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}
