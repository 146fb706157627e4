//! What went wrong, in words a user can act on, and the exit code that tells a script the kind.
//!
//! Pure: any layer may use it.

use std::fmt;
use std::sync::Arc;

/// The kinds of failure that a script can tell apart (design: exit codes).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Something failed that the user's input did not cause; exit code 1.
    Server,
    /// Bad input or usage, found before anything was sent; exit code 2.
    Input,
    /// Not (yet) as asked when the time was up; exit code 3.
    Timeout,
    /// The flame is Failed or cannot get ready; exit code 4.
    Unhealthy,
    /// A foreign object, a field conflict or a missing confirmation; exit code 5.
    Refused,
    /// Ctrl-C or SIGTERM; exit code 130.
    Interrupted,
}

impl ErrorKind {
    /// Returns the process exit code.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Server => 1,
            Self::Input => 2,
            Self::Timeout => 3,
            Self::Unhealthy => 4,
            Self::Refused => 5,
            Self::Interrupted => 130,
        }
    }
}

/// One failure: what happened to which object, and what to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Decides the exit code.
    pub kind: ErrorKind,
    /// One or more lines, the first of which can stand alone.
    pub what: String,
    /// What to do next; each is printed behind `hint:`.
    pub hints: Vec<String>,
    /// The places in the input file, printed before `what`.
    pub problems: Vec<Problem>,
    /// The input file that the problems are in.
    pub content: Content,
}

/// The result of everything that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Makes an error of `kind` that says `what` happened.
    pub fn new(kind: ErrorKind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into(), hints: Vec::new(), problems: Vec::new(), content: Content::default() }
    }

    /// Makes an error of kind [`ErrorKind::Server`].
    pub fn server(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Server, what)
    }

    /// Makes an error of kind [`ErrorKind::Input`].
    pub fn input(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Input, what)
    }

    /// Makes an error of kind [`ErrorKind::Refused`].
    pub fn refused(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Refused, what)
    }

    /// Adds a next step.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds the places in an input file, and what it holds.
    pub fn problems(mut self, problems: Vec<Problem>, content: Content) -> Self {
        self.problems = problems;
        self.content = content;
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Error {}

/// Whether a problem stops the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing is sent.
    Error,
    /// Told, and the command goes on.
    Warning,
}

/// What an input file holds, as its bytes. It goes along with the problems so that their lines can be shown: standard
/// input can't be read twice, and a file may have changed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Content(Arc<[u8]>);

impl Content {
    /// Returns the bytes; none where there was no file.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for Content {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

impl fmt::Debug for Content {
    /// Writes the length only: the bytes may be many, and are told by the problems in them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Content({} bytes)", self.0.len())
    }
}

/// One mistake in an input file, with its place and its cure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file as the user named it; `-` for standard input.
    pub file: String,
    /// Line in the file, from 1.
    pub line: usize,
    /// Column in that line in characters, from 1.
    pub column: usize,
    /// Length of the marked text in characters, at least 1.
    pub length: usize,
    /// The field, as `spec.executorManager.replicas`; empty when the problem is not in a field.
    pub path: String,
    /// Whether the command goes on.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
    /// How many problems this is: one, or all those that are not told one by one.
    pub count: usize,
}

impl fmt::Display for Problem {
    /// Writes `file:line:col: path: message`, the form that editors and CI logs make into links.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: ", self.file, self.line, self.column)?;
        if self.severity == Severity::Warning {
            f.write_str("warning: ")?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}
