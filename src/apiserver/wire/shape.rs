//! What an answer is read as, and how it is told in which encoding it came: by its first bytes, as a proxy, or a server that
//! only has JSON, may answer another one than was asked for.

use std::marker::PhantomData;

use kube::core::{Status, WatchEvent};
use prost::Message;
use prost::bytes::Bytes;
use serde::de::{DeserializeOwned, Deserializer, IgnoredAny};

use super::{ConfigMap, Event, FlameCluster, List, Named, Pod, Service, Slim, null_is_default, protobuf};
use crate::flame::observed::Share;

/// What an answer is read as: from JSON always, and from protobuf where that is asked for.
pub trait Shape: DeserializeOwned {
    /// What is asked for; none leaves it at what the request says, which without a word is JSON.
    const ACCEPT: Option<&'static str> = None;

    /// Reads an object of this kind from protobuf; none where it is none such.
    fn from_protobuf(_kind: &str, _raw: Bytes) -> Option<Self> {
        None
    }

    /// Keeps no copies of what the item before it in a list holds as well.
    fn share(&mut self, _previous: &Self) {}
}

/// Adds an item to those of a list. What it shares with the last one is given back at once, as a page has hundreds.
fn add<T: Shape>(items: &mut Vec<T>, mut item: T) {
    if let Some(last) = items.last() {
        item.share(last);
    }
    items.push(item);
}

/// Reads the items of a list from JSON; `null`, which the server writes for those of an empty PartialObjectMetadataList, is none.
pub(super) fn items<'de, T: Shape, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let read: Vec<T> = null_is_default(deserializer)?;
    let mut items = Vec::with_capacity(read.len());
    read.into_iter().for_each(|item| add(&mut items, item));
    Ok(items)
}

/// Reads an answer; none where it is not such an object, in neither encoding.
pub fn read<T: Shape>(body: &Bytes) -> Option<T> {
    if protobuf::is_object(body) {
        let (kind, raw) = protobuf::open(body)?;
        return T::from_protobuf(&kind, raw);
    }
    serde_json::from_slice(body).ok()
}

/// One event of a watch as it came.
#[derive(Debug, PartialEq, Eq)]
pub enum Encoded {
    /// A line of JSON.
    Line(Bytes),
    /// A frame of protobuf.
    Frame(Bytes),
}

impl Encoded {
    /// Returns what it tells; none where it is no event of such objects.
    pub fn event<T: Shape>(&self) -> Option<WatchEvent<T>> {
        match self {
            Self::Line(line) => serde_json::from_slice(line).ok(),
            Self::Frame(frame) => protobuf::event(frame),
        }
    }
}

impl Shape for Pod {
    const ACCEPT: Option<&'static str> = Some(protobuf::ACCEPT);

    fn from_protobuf(kind: &str, raw: Bytes) -> Option<Self> {
        Self::decode(raw).ok().filter(|_| kind == "Pod")
    }
}

impl Shape for Named {
    fn from_protobuf(_kind: &str, raw: Bytes) -> Option<Self> {
        Self::decode(raw).ok()
    }
}

impl<T: Shape> Shape for List<T> {
    const ACCEPT: Option<&'static str> = T::ACCEPT;

    fn from_protobuf(kind: &str, raw: Bytes) -> Option<Self> {
        let kind = kind.strip_suffix("List")?;
        let protobuf::List { metadata, items: raw } = protobuf::List::decode(raw).ok()?;
        let mut items = Vec::with_capacity(raw.len());
        for item in raw {
            add(&mut items, T::from_protobuf(kind, item)?);
        }
        Some(Self { metadata, items })
    }
}

impl<T: Shape + Into<U>, U: Share> Shape for Slim<T, U> {
    const ACCEPT: Option<&'static str> = T::ACCEPT;

    fn from_protobuf(kind: &str, raw: Bytes) -> Option<Self> {
        T::from_protobuf(kind, raw).map(|it| Self(it.into(), PhantomData))
    }

    fn share(&mut self, previous: &Self) {
        self.0.share(&previous.0);
    }
}

impl Shape for Status {
    fn from_protobuf(kind: &str, raw: Bytes) -> Option<Self> {
        protobuf::Status::decode(raw).ok().filter(|_| kind == "Status").map(Into::into)
    }
}

impl Shape for ConfigMap {}
impl Shape for Event {}
impl Shape for FlameCluster {}
impl Shape for IgnoredAny {}
impl Shape for Service {}
impl Shape for serde_json::Value {}
