//! Hostnames of executor Pods. Flame tells executors apart by them: one that comes back under the hostname of an earlier
//! one is taken for it and never gets work again (flame-facts 1.7).
//!
//! A Pod that nobody preceded keeps Kubernetes' default, its own name, so that `render` and `up` make the same objects. One
//! that may have had a predecessor gets a hostname that no Pod had before.

use super::names::{self, MAX_DNS_LABEL_LENGTH};

/// Returns the hostname of the first executor of `index`; none where it is the Pod's name. A node cuts a longer name, and
/// with it the index that tells executors apart.
pub fn first(flame: &str, index: u32) -> Option<String> {
    let is_cut = names::executor_manager(flame, index).len() > MAX_DNS_LABEL_LENGTH;
    is_cut.then(|| label(flame, &names::executor_manager("", index)))
}

/// What makes a hostname one that no earlier Pod had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fresh {
    /// The newest `resourceVersion` known of: every Pod that was seen before has a smaller one.
    pub revision: u64,
    /// How long the command has worked: a Pod that came and went between two looks may have had this very revision.
    pub milliseconds: u64,
}

impl Fresh {
    /// Returns a hostname for the executor of `index`.
    pub fn hostname(self, flame: &str, index: u32) -> String {
        let Self { revision, milliseconds } = self;
        let executor = names::executor_manager("", index);
        label(flame, &format!("{executor}-{revision:x}-{:x}", milliseconds & 0xffff))
    }
}

/// Returns `flame` and behind it `rest`, as a DNS label: what does not fit is cut off the flame's name.
fn label(flame: &str, rest: &str) -> String {
    let room = MAX_DNS_LABEL_LENGTH.saturating_sub(rest.len()).min(flame.len());
    format!("{}{rest}", flame[..room].trim_end_matches('-'))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::flame::parse::grammar;

    const LAST: u32 = names::MAX_REPLICAS - 1;

    /// Flames whose names are cut in different places.
    fn flames() -> [String; 4] {
        let longest = names::MAX_NAME_LENGTH;
        ["a".to_owned(), "demo".to_owned(), "n".repeat(longest), format!("n{}n", "-".repeat(longest - 2))]
    }

    #[test]
    fn the_first_pod_keeps_its_name_as_hostname_unless_a_node_would_cut_it() {
        let name = |length: usize| "n".repeat(length);
        for (flame, index, hostname) in [
            (name(4), LAST, None),
            (name(44), 0, None),
            (name(44), 10, Some(format!("{}-executor-manager-10", name(43)))),
            (name(47), 0, Some(format!("{}-executor-manager-0", name(44)))),
            (name(47), LAST, Some(format!("{}-executor-manager-9999", name(41)))),
            (format!("{}-{}", name(40), name(6)), LAST, Some(format!("{}-executor-manager-9999", name(40)))),
        ] {
            assert_eq!(first(&flame, index), hostname, "{flame} {index}");
        }
    }

    #[test]
    fn every_hostname_is_a_dns_label_of_its_own() {
        for flame in flames() {
            let mut hostnames = BTreeSet::new();
            let indices = [0, 1, 9, 10, 99, 100, 1000, LAST];
            for index in indices {
                let default = names::executor_manager(&flame, index);
                hostnames.insert(first(&flame, index).unwrap_or(default));
                for revision in [0, 1, 0xabc, u64::MAX] {
                    for milliseconds in [0, 1, 0xffff] {
                        hostnames.insert(Fresh { revision, milliseconds }.hostname(&flame, index));
                    }
                }
            }
            assert_eq!(hostnames.len(), indices.len() * 13, "{flame}");
            for hostname in hostnames {
                assert_eq!(grammar::namespace(&hostname), [], "a label as a namespace's name: {hostname}");
            }
        }
    }
}
