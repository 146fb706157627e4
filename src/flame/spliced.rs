//! An executor's Pod as text, written once: of ten thousand only name, index and hostname differ, which are put in between.

use std::fmt::Write;

use super::manifests::Manifests;
use super::names::{self, LABEL_POD_INDEX};

/// What stands in the text where a Pod's own name comes: no name, label or image begins with this character.
const NAME: &str = "\0name";
/// The same for its index.
const INDEX: &str = "\0index";
/// The same for its hostname.
const HOSTNAME: &str = "\0hostname";

/// The JSON of a flame's executors, for a server-side apply that creates and never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spliced {
    flame: String,
    /// What comes in between, each with the text before it.
    parts: Vec<(String, Part)>,
    end: String,
}

/// What differs from Pod to Pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Name,
    Index,
    /// The whole field, which not every Pod has.
    Hostname,
}

impl Spliced {
    /// Writes what all executors of a flame have in common; `complete` puts in what is not in the manifests.
    pub fn new(manifests: &Manifests, complete: impl FnOnce(serde_json::Value) -> serde_json::Value) -> Self {
        let mut pod = manifests.executor_manager(0);
        pod.metadata.name = Some(NAME.to_owned());
        pod.metadata.labels.get_or_insert_default().insert(LABEL_POD_INDEX.to_owned(), INDEX.to_owned());
        pod.spec.get_or_insert_default().hostname = Some(HOSTNAME.to_owned());
        let value = serde_json::to_value(pod).expect("manifests have string keys only");
        Self::cut(manifests.flame.metadata.name.clone(), &complete(value).to_string())
    }

    fn cut(flame: String, text: &str) -> Self {
        // The quote belongs to the mark: within a text it would be escaped.
        let marks = [
            (serde_json::Value::from(NAME).to_string(), Part::Name),
            (serde_json::Value::from(INDEX).to_string(), Part::Index),
            (format!("\"hostname\":{},", serde_json::Value::from(HOSTNAME)), Part::Hostname),
        ];
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some((at, mark, part)) =
            marks.iter().filter_map(|(mark, part)| Some((rest.find(mark)?, mark, *part))).min_by_key(|(at, ..)| *at)
        {
            parts.push((rest[..at].to_owned(), part));
            rest = &rest[at + mark.len()..];
        }
        Self { flame, parts, end: rest.to_owned() }
    }

    /// Returns the Pod of this index and hostname as JSON; without one it is the Pod's name.
    pub fn pod(&self, index: u32, hostname: Option<&str>) -> String {
        let room: usize = self.parts.iter().map(|(text, _)| text.len()).sum();
        let mut json = String::with_capacity(room + self.end.len() + 256);
        for (text, part) in &self.parts {
            json.push_str(text);
            // Names, indices and hostnames have no character that JSON would escape.
            let written = match (part, hostname) {
                (Part::Name, _) => write!(json, "\"{}\"", names::executor_manager(&self.flame, index)),
                (Part::Index, _) => write!(json, "\"{index}\""),
                (Part::Hostname, Some(hostname)) => write!(json, "\"hostname\":\"{hostname}\","),
                (Part::Hostname, None) => Ok(()),
            };
            written.expect("a String takes everything");
        }
        json.push_str(&self.end);
        json
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::flame::manifests::manifests;
    use crate::flame::testing::{flame, flame_06};

    fn read(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn each_pod_is_the_one_that_the_manifests_have() {
        let mut confusing = flame(3);
        confusing.metadata.annotations.insert("note".to_owned(), "\"\\u0000name\" and \\\"hostname\\\":".to_owned());
        let mut long = flame(3);
        long.metadata.name = "n".repeat(names::MAX_NAME_LENGTH);
        for flame in [flame(3), flame_06(3), confusing, long] {
            let manifests = manifests(&flame).unwrap();
            let spliced = Spliced::new(&manifests, |pod| pod);
            for index in [0, 7, 9_999] {
                let pod = manifests.executor_manager(index);
                let hostname = pod.spec.as_ref().unwrap().hostname.clone();
                assert_eq!(read(&spliced.pod(index, hostname.as_deref())), serde_json::to_value(&pod).unwrap());
            }
        }
    }

    #[test]
    fn a_hostname_of_its_own_and_what_else_is_put_in_are_there() {
        let complete = |mut pod: Value| {
            pod["metadata"]["resourceVersion"] = "1".into();
            pod
        };
        let pod = read(&Spliced::new(&manifests(&flame(3)).unwrap(), complete).pod(2, Some("demo-2-1f-9")));
        assert_eq!(
            (&pod["spec"]["hostname"], &pod["metadata"]["resourceVersion"]),
            (&json!("demo-2-1f-9"), &json!("1"))
        );
        assert_eq!(pod["metadata"]["labels"][LABEL_POD_INDEX], "2");
    }
}
