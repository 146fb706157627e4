//! Kubernetes' protobuf: the envelope around each object, lists, errors and the events of a watch.
//!
//! Why: of a Pod's JSON nine tenths are not looked at, but all of it has to be read to find where they end. Here what is not
//! looked at is skipped by its length, `managedFields` above all, and it is less to begin with.

use kube::core::WatchEvent;
use kube::core::response::{StatusCause, StatusDetails};
use kube::core::watch::{Bookmark, BookmarkMeta};
use prost::Message;
use prost::bytes::Bytes;

use super::{ListMeta, Shape};

/// What is asked for where protobuf is understood. Watches need no `stream=watch`, as the server puts that there itself.
pub const ACCEPT: &str = "application/vnd.kubernetes.protobuf,application/json";
/// What is asked for where an object's metadata is all that is new.
pub const ACCEPT_METADATA: &str = "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,\
    application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";
/// What is asked for where of a list only metadata counts.
pub const ACCEPT_METADATA_LIST: &str = "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,\
    application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";

/// How each object begins.
const MAGIC: &[u8] = b"k8s\0";

/// `runtime.Unknown`.
#[derive(Message)]
struct Envelope {
    #[prost(message, required, tag = "1")]
    type_meta: TypeMeta,
    /// None where the envelope was cut off.
    #[prost(bytes = "bytes", optional, tag = "2")]
    raw: Option<Bytes>,
}

#[derive(Message)]
struct TypeMeta {
    #[prost(string, tag = "2")]
    kind: String,
}

/// A list whose items were not read yet: each is a part of the page that it came in.
#[derive(Message)]
pub(super) struct List {
    #[prost(message, required, tag = "1")]
    pub metadata: ListMeta,
    #[prost(bytes = "bytes", repeated, tag = "2")]
    pub items: Vec<Bytes>,
}

/// A frame of a watch, which comes without an envelope.
#[derive(Message)]
struct Frame {
    #[prost(string, tag = "1")]
    r#type: String,
    #[prost(message, required, tag = "2")]
    object: RawExtension,
}

#[derive(Message)]
struct RawExtension {
    #[prost(bytes = "bytes", tag = "1")]
    raw: Bytes,
}

/// What a bookmark holds, whatever its kind.
#[derive(Message)]
struct Marked {
    #[prost(message, required, tag = "1")]
    metadata: MarkedMeta,
}

#[derive(Message)]
struct MarkedMeta {
    #[prost(string, tag = "6")]
    resource_version: String,
}

#[derive(Message)]
pub(super) struct Status {
    #[prost(string, tag = "3")]
    message: String,
    #[prost(string, tag = "4")]
    reason: String,
    #[prost(message, optional, tag = "5")]
    details: Option<Details>,
    #[prost(int32, tag = "6")]
    code: i32,
}

#[derive(Message)]
struct Details {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    group: String,
    #[prost(string, tag = "3")]
    kind: String,
    #[prost(message, repeated, tag = "4")]
    causes: Vec<Cause>,
    #[prost(int32, tag = "5")]
    retry_after_seconds: i32,
    #[prost(string, tag = "6")]
    uid: String,
}

#[derive(Message)]
struct Cause {
    #[prost(string, tag = "1")]
    reason: String,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(string, tag = "3")]
    field: String,
}

/// Tells whether these bytes are an object in protobuf: no JSON begins like that.
pub fn is_object(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Takes an object out of its envelope: its kind, and a part of the same bytes.
pub fn open(bytes: &Bytes) -> Option<(String, Bytes)> {
    let envelope = bytes.starts_with(MAGIC).then(|| bytes.slice(MAGIC.len()..))?;
    let Envelope { type_meta, raw } = Envelope::decode(envelope).ok()?;
    Some((type_meta.kind, raw?))
}

/// Reads what a frame of a watch tells.
pub(super) fn event<T: Shape>(frame: &Bytes) -> Option<WatchEvent<T>> {
    let Frame { r#type, object } = Frame::decode(frame.clone()).ok()?;
    let (kind, raw) = open(&object.raw)?;
    Some(match r#type.as_str() {
        "ADDED" => WatchEvent::Added(T::from_protobuf(&kind, raw)?),
        "MODIFIED" => WatchEvent::Modified(T::from_protobuf(&kind, raw)?),
        "DELETED" => WatchEvent::Deleted(T::from_protobuf(&kind, raw)?),
        "BOOKMARK" => WatchEvent::Bookmark(bookmark(&Marked::decode(raw).ok()?)),
        "ERROR" => WatchEvent::Error(Box::new(kube::core::Status::from_protobuf(&kind, raw)?)),
        _ => return None,
    })
}

fn bookmark(marked: &Marked) -> Bookmark {
    let resource_version = marked.metadata.resource_version.clone();
    Bookmark { types: Default::default(), metadata: BookmarkMeta { resource_version, annotations: Default::default() } }
}

impl From<Status> for kube::core::Status {
    fn from(Status { message, reason, details, code }: Status) -> Self {
        let code = code.try_into().unwrap_or(0);
        Self { message, reason, code, details: details.map(Into::into), ..Default::default() }
    }
}

impl From<Details> for StatusDetails {
    fn from(Details { name, group, kind, causes, retry_after_seconds, uid }: Details) -> Self {
        let cause = |Cause { reason, message, field }| StatusCause { reason, message, field };
        let causes = causes.into_iter().map(cause).collect();
        Self { name, group, kind, uid, causes, retry_after_seconds: retry_after_seconds.try_into().unwrap_or(0) }
    }
}
