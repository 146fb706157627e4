//! What the caller may do.
//!
//! One SelfSubjectRulesReview tells for a whole namespace. Where an authorizer cannot list its rules, as a webhook's, a
//! SelfSubjectAccessReview a right tells the rest.

use futures_util::future::join_all;
use kube::core::params::PostParams;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::wire::Shape;
use super::{ApiServer, Failure, Observer, Read, read_error};
use crate::error::{Error, Result};
use crate::flame::plan::Right;
use crate::flame::preflight::CREATE_NAMESPACES;
use crate::flame::rbac::Access as Needed;

/// A review with the server's answer.
#[derive(Deserialize)]
struct Review<S> {
    status: S,
}

impl<S: DeserializeOwned> Shape for Review<S> {}

/// What the server says one may do in a namespace.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rules {
    #[serde(default)]
    incomplete: bool,
    resource_rules: Vec<Rule>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Rule {
    verbs: Vec<String>,
    api_groups: Option<Vec<String>>,
    resources: Option<Vec<String>>,
}

/// Whether one may do one thing.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Access {
    allowed: bool,
    /// Why the server could not find out.
    #[serde(default)]
    evaluation_error: String,
}

impl Rule {
    /// A rule for named objects counts as one for all: whether it names ours is the server's to say.
    fn grants(&self, (verb, resource): Right) -> bool {
        let has = |list: &Option<Vec<String>>, wanted: &str| list.iter().flatten().any(|it| it == wanted || it == "*");
        self.verbs.iter().any(|it| it == verb || it == "*")
            && has(&self.api_groups, "")
            && has(&self.resources, resource)
    }
}

impl ApiServer {
    /// Returns which of these rights the caller lacks in a namespace. Where nobody may ask, nothing counts as lacking.
    ///
    /// # Errors
    /// Why the server could not be asked.
    pub(super) async fn ask_rights(
        &self,
        namespace: &str,
        needed: &[Right],
        observer: &dyn Observer,
    ) -> Result<Vec<Right>, Failure> {
        let mut open = needed.to_vec();
        let spec = json!({ "namespace": namespace });
        match self.review::<Rules>("SelfSubjectRulesReview", &spec, observer).await {
            Ok(Some(rules)) => {
                // A namespace is not in itself: what its rules say of namespaces is not about making one.
                let granted = |right: &Right| rules.resource_rules.iter().any(|rule| rule.grants(*right));
                open.retain(|right| *right == CREATE_NAMESPACES || !granted(right));
                if !rules.incomplete && !open.contains(&CREATE_NAMESPACES) {
                    return Ok(open);
                }
            }
            Ok(None) => {}
            Err(failure) => return Err(failure),
        }
        let asked = open.iter().map(|right| self.may(namespace, *right, observer));
        let mut missing = Vec::new();
        for (right, may) in open.iter().zip(join_all(asked).await) {
            if !may? {
                missing.push(*right);
            }
        }
        Ok(missing)
    }

    /// Returns which of these rights the caller lacks, each asked for by itself: unlike rules, the server's answers take named
    /// objects and every authorizer into account.
    ///
    /// # Errors
    /// Where the server does not tell.
    pub async fn lacking(&self, needed: &[Needed], observer: &dyn Observer) -> Result<Vec<Needed>> {
        let answers = join_all(needed.iter().map(|right| self.has(right, observer))).await;
        let mut lacking = Vec::new();
        for (right, has) in needed.iter().zip(answers) {
            if !has? {
                lacking.push(right.clone());
            }
        }
        Ok(lacking)
    }

    async fn has(&self, right: &Needed, observer: &dyn Observer) -> Result<bool> {
        let (resource, subresource) = right.resource.split_once('/').unwrap_or((right.resource, ""));
        let spec = json!({ "resourceAttributes": {
            "namespace": right.namespace, "verb": right.verb, "group": right.group, "resource": resource,
            "subresource": subresource, "name": right.name,
        }});
        let asked = self.review::<Access>("SelfSubjectAccessReview", &spec, observer).await;
        match asked.map_err(|failure| read_error("your rights", self.url(), &failure))? {
            Some(Access { allowed: false, evaluation_error }) if !evaluation_error.is_empty() => {
                Err(Error::server(format!("the server could not find out whether you may {right}: {evaluation_error}")))
            }
            Some(access) => Ok(access.allowed),
            None => Err(Error::server("the server does not tell you what you may do")
                .hint("whoever administers it has taken the ClusterRole system:basic-user away")),
        }
    }

    async fn may(&self, namespace: &str, right: Right, observer: &dyn Observer) -> Result<bool, Failure> {
        let (verb, resource) = right;
        let namespace = if right == CREATE_NAMESPACES { "" } else { namespace };
        let attributes = json!({ "namespace": namespace, "verb": verb, "resource": resource });
        let spec = json!({ "resourceAttributes": attributes });
        let access = self.review::<Access>("SelfSubjectAccessReview", &spec, observer).await?;
        Ok(access.is_none_or(|access| access.allowed || !access.evaluation_error.is_empty()))
    }

    /// Asks for a review, which stores nothing and so may be repeated; none where one may not ask.
    async fn review<S: DeserializeOwned>(
        &self,
        kind: &str,
        spec: &Value,
        observer: &dyn Observer,
    ) -> Result<Option<S>, Failure> {
        let review = json!({ "apiVersion": "authorization.k8s.io/v1", "kind": kind, "spec": spec });
        let path = format!("/apis/authorization.k8s.io/v1/{}s", kind.to_ascii_lowercase());
        let request = kube::core::Request::new(path).create(&PostParams::default(), review.to_string().into_bytes());
        let request = request.map_err(|error| Failure::Hopeless(error.to_string()))?;
        match self.attempt::<Review<S>>("rights", request, observer).await {
            Ok(Read::Found(review)) => Ok(Some(review.status)),
            Ok(Read::Missing | Read::Expired) => Ok(None),
            Err(failure) if failure.code() == 403 => Ok(None),
            Err(failure) => Err(failure),
        }
    }
}
