//! The FlameCluster object on the server that a flame lives as, where it lives as one: what is made for the flame belongs to
//! it, and goes with it.

use std::fmt;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;

use super::{API_VERSION, KIND};

/// A FlameCluster object that owns what is made for its flame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// `metadata.name`, which is the flame's.
    pub name: String,
    /// `metadata.uid`.
    pub uid: String,
    /// `metadata.generation`: which of its specs the flame is.
    pub generation: i64,
}

impl Owner {
    /// Returns the reference that every object of the flame carries: deleting the FlameCluster deletes them, and a
    /// foreground deletion waits for them.
    pub fn reference(&self) -> OwnerReference {
        OwnerReference {
            api_version: API_VERSION.to_owned(),
            kind: KIND.to_owned(),
            name: self.name.clone(),
            uid: self.uid.clone(),
            controller: Some(true),
            block_owner_deletion: Some(true),
        }
    }
}

/// The owner that controls an object, as the object says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Controller {
    /// `apiVersion`.
    pub api_version: String,
    /// `kind`.
    pub kind: String,
    /// `name`.
    pub name: String,
    /// `uid`.
    pub uid: String,
}

impl fmt::Display for Controller {
    /// Writes `ReplicaSet/web`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

impl Controller {
    /// Tells whether it is a FlameCluster of this name, of whatever uid and version.
    pub fn is_flame(&self, name: &str) -> bool {
        let group = |api_version: &str| api_version.split_once('/').map(|(group, _)| group.to_owned());
        self.kind == KIND && self.name == name && group(&self.api_version) == group(API_VERSION)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flame_is_known_by_group_kind_and_name_in_any_version() {
        let of = |api_version: &str, kind: &str| Controller {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
            name: "demo".to_owned(),
            uid: "1".to_owned(),
        };
        assert!(of("flame.xflops.io/v1alpha1", "FlameCluster").is_flame("demo"));
        assert!(of("flame.xflops.io/v1", "FlameCluster").is_flame("demo"));
        assert!(!of("flame.xflops.io/v1alpha1", "FlameCluster").is_flame("other"));
        assert!(!of("flame.example.com/v1alpha1", "FlameCluster").is_flame("demo"));
        assert!(!of("apps/v1", "ReplicaSet").is_flame("demo"));
        assert_eq!(of("apps/v1", "ReplicaSet").to_string(), "ReplicaSet/demo");
    }
}
