//! Writes as people read them: executors that were written alike are one.

use std::fmt;

use super::notices::reasons;
use crate::flame::names::ObjectRef;
use crate::flame::plan::Why;
use crate::flame::rollout::Action;
use crate::output::text;

/// Writes that are not told yet, in their order.
#[derive(Default)]
pub struct Writes(Vec<(Action, ObjectRef, String)>);

/// What is told as one.
#[derive(Debug, PartialEq, Eq)]
pub struct Written {
    /// What was done.
    pub action: Action,
    /// To what, as `10 Pods demo-executor-manager-0-9`.
    pub objects: String,
    /// Why, behind a blank and in parentheses; empty where the action says it.
    pub why: String,
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}{}", self.action, self.objects, self.why)
    }
}

impl Writes {
    /// Takes in a write.
    pub fn add(&mut self, action: Action, object: &ObjectRef, why: &[Why]) {
        self.0.push((action, object.clone(), reasons(why)));
    }

    /// Forgets a write that is told otherwise.
    pub fn forget(&mut self, action: Action, object: &ObjectRef) {
        self.0.retain(|(of, it, _)| (*of, it) != (action, object));
    }

    /// Takes all of it, in the order of the first of those that are alike.
    pub fn take(&mut self) -> Vec<Written> {
        let mut groups: Vec<(Action, String, String, Vec<u32>)> = Vec::new();
        for (action, object, why) in std::mem::take(&mut self.0) {
            let (name, index) = match text::executor(&object) {
                Some((prefix, index)) => (prefix.to_owned(), Some(index)),
                None => (object.to_string(), None),
            };
            let alike = groups
                .iter_mut()
                .find(|group| index.is_some() && (group.0, &group.1, &group.2) == (action, &name, &why));
            match alike {
                Some(group) => group.3.extend(index),
                None => groups.push((action, name, why, index.into_iter().collect())),
            }
        }
        groups
            .into_iter()
            .map(|(action, name, why, indices)| Written { action, objects: objects(&name, indices), why })
            .collect()
    }
}

fn objects(name: &str, mut indices: Vec<u32>) -> String {
    indices.sort_unstable();
    indices.dedup();
    match indices.as_slice() {
        [] => name.to_owned(),
        [index] => format!("Pod {name}{index}"),
        many => format!("{} Pods {name}{}", many.len(), text::ranges(many, '-')),
    }
}
