//! The place that a flame is to go to: its namespace, quotas, limit ranges, the nodes and the caller's rights, all at once.
//!
//! Nothing here ends a command: what may not be read, or does not answer, is left out and told.

mod wire;

use std::time::Duration;

use futures_util::future::join5;
use kube::core::params::{GetParams, ListParams};

use super::read::Pages;
use super::wire::Shape;
use super::{ApiServer, Failure, Observer, Read, read_error, sleep};
use crate::flame::plan::Right;
use crate::flame::preflight::{LimitRange, Namespace, Node, Questions, Quota, Surroundings};

/// Something that could not be found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Why, in one line that names it.
    pub why: String,
    /// Whether the caller may not know, as ordinary users may not list nodes.
    pub forbidden: bool,
}

impl ApiServer {
    /// Asks `questions` about a namespace at once, and returns what could not be found out besides.
    pub async fn surroundings(
        &self,
        namespace: &str,
        questions: &Questions,
        observer: &dyn Observer,
    ) -> (Surroundings, Vec<Unread>) {
        let (space, quotas, limit_ranges, nodes, rights) = join5(
            asked(questions.namespace, self.namespace(namespace, observer)),
            asked(questions.quotas, self.quotas(namespace, observer)),
            asked(questions.room_for_pods, self.limit_ranges(namespace, observer)),
            asked(questions.room_for_pods, self.nodes(observer)),
            asked(!questions.rights.is_empty(), self.missing_rights(namespace, &questions.rights, observer)),
        )
        .await;
        let mut unread = Vec::new();
        let surroundings = Surroundings {
            namespace: known(space, &mut unread),
            quotas: known(quotas, &mut unread).unwrap_or_default(),
            limit_ranges: known(limit_ranges, &mut unread).unwrap_or_default(),
            nodes: known(nodes, &mut unread),
            missing_rights: known(rights, &mut unread).unwrap_or_default(),
        };
        (surroundings, unread)
    }

    /// Returns which of these rights the caller lacks in a namespace.
    ///
    /// # Errors
    /// Why that could not be found out.
    pub async fn missing_rights(
        &self,
        namespace: &str,
        needed: &[Right],
        observer: &dyn Observer,
    ) -> Result<Vec<Right>, Unread> {
        let what = format!("your rights in namespace {namespace}");
        let missing = self.ask_rights(namespace, needed, observer).await;
        missing.map_err(|failure| self.unread(&what, &failure))
    }

    /// Reads the quotas once more after a pause: the server counts Pods out of them a little after they went.
    ///
    /// # Errors
    /// Why they could not be read.
    pub async fn quotas_after(
        &self,
        pause: Duration,
        namespace: &str,
        observer: &dyn Observer,
    ) -> Result<Vec<Quota>, Unread> {
        sleep(pause, observer).await;
        self.quotas(namespace, observer).await
    }

    async fn namespace(&self, namespace: &str, observer: &dyn Observer) -> Result<Namespace, Unread> {
        let what = format!("namespace {namespace}");
        let request = kube::core::Request::new("/api/v1/namespaces").get(namespace, &GetParams::default());
        let request = request.map_err(|error| self.unread(&what, &Failure::Hopeless(error.to_string())))?;
        match self.attempt::<wire::Namespace>(&what, request, observer).await {
            Ok(Read::Found(namespace)) => Ok(namespace.into()),
            Ok(Read::Missing | Read::Expired) => Ok(Namespace::Missing),
            Err(failure) => Err(self.unread(&what, &failure)),
        }
    }

    async fn quotas(&self, namespace: &str, observer: &dyn Observer) -> Result<Vec<Quota>, Unread> {
        let path = format!("/api/v1/namespaces/{namespace}/resourcequotas");
        self.all::<wire::Quota, _>("ResourceQuotas", &path, observer).await
    }

    async fn limit_ranges(&self, namespace: &str, observer: &dyn Observer) -> Result<Vec<LimitRange>, Unread> {
        let path = format!("/api/v1/namespaces/{namespace}/limitranges");
        self.all::<wire::LimitRange, _>("LimitRanges", &path, observer).await
    }

    async fn nodes(&self, observer: &dyn Observer) -> Result<Vec<Node>, Unread> {
        self.all::<wire::Node, _>("Nodes", "/api/v1/nodes", observer).await
    }

    async fn all<W: Shape + Into<T>, T>(
        &self,
        what: &str,
        path: &str,
        observer: &dyn Observer,
    ) -> Result<Vec<T>, Unread> {
        let pages = Pages { path, what, params: ListParams::default(), names_only: false };
        match self.pages(&pages, |_: &W| true, observer).await {
            Ok((items, _)) => Ok(items.into_iter().map(Into::into).collect()),
            Err(failure) => Err(self.unread(what, &failure)),
        }
    }

    fn unread(&self, what: &str, failure: &Failure) -> Unread {
        let forbidden = matches!(failure.code(), 403 | 404);
        Unread { why: read_error(what, self.url(), failure).what, forbidden }
    }
}

impl Shape for wire::LimitRange {}
impl Shape for wire::Namespace {}
impl Shape for wire::Node {}
impl Shape for wire::Quota {}

async fn asked<T>(is: bool, question: impl Future<Output = Result<T, Unread>>) -> Option<Result<T, Unread>> {
    if is { Some(question.await) } else { None }
}

fn known<T>(answer: Option<Result<T, Unread>>, unread: &mut Vec<Unread>) -> Option<T> {
    match answer? {
        Ok(answer) => Some(answer),
        Err(why) => {
            unread.push(why);
            None
        }
    }
}
