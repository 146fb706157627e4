//! Counts the requests that a tool sent, in the log of an audited control plane.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::Result;

/// How long after an answer its line may come.
const LATE: Duration = Duration::from_millis(500);
/// The programs of the control plane itself, which have the administrator's token, too.
const COMPONENTS: [&str; 4] = ["kube-apiserver/", "kube-controller-manager/", "kube-scheduler/", "kwok/"];

/// What was asked.
#[derive(Clone, Debug, Default)]
pub struct Requests {
    pub all: usize,
    /// Answered with 429.
    pub throttled: usize,
    /// Number by verb; server-side apply is a patch.
    pub verbs: BTreeMap<String, usize>,
    /// Number by user agent, in its first word.
    pub agents: BTreeMap<String, usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    stage: String,
    verb: String,
    #[serde(default)]
    user_agent: String,
    #[serde(default)]
    response_status: Answer,
}

#[derive(Default, Deserialize)]
struct Answer {
    #[serde(default)]
    code: u16,
}

/// A place in a log.
pub struct Mark {
    log: PathBuf,
    at: u64,
}

impl Mark {
    /// Marks the end of a log.
    pub fn of(log: &Path) -> Result<Self> {
        std::thread::sleep(LATE);
        Ok(Self { log: log.to_owned(), at: File::open(log)?.metadata()?.len() })
    }

    /// Counts what came since.
    pub fn count(self) -> Result<Requests> {
        std::thread::sleep(LATE);
        let mut file = File::open(&self.log)?;
        file.seek(SeekFrom::Start(self.at))?;
        let mut requests = Requests::default();
        for line in BufReader::new(file).lines() {
            // The last line may still be written.
            if let Ok(event) = serde_json::from_str::<Event>(&line?) {
                requests.add(event);
            }
        }
        Ok(requests)
    }
}

impl Requests {
    fn add(&mut self, event: Event) {
        let is_component = COMPONENTS.iter().any(|name| event.user_agent.starts_with(name));
        // A watch that begins is told at once, one that is refused and everything else when it is over.
        let is_counted = match event.stage.as_str() {
            "ResponseStarted" => event.verb == "watch",
            "ResponseComplete" => event.verb != "watch" || event.response_status.code >= 400,
            _ => false,
        };
        if is_component || !is_counted {
            return;
        }
        self.all += 1;
        self.throttled += usize::from(event.response_status.code == 429);
        *self.verbs.entry(event.verb).or_default() += 1;
        let agent = event.user_agent.split(['/', ' ']).next().unwrap_or_default();
        *self.agents.entry(agent.to_owned()).or_default() += 1;
    }
}
