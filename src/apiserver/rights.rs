//! What the caller may do.

use kube::core::params::PostParams;

use super::ApiServer;
use crate::error::{Error, Result};

/// A right: verb and resource, as `patch pods`.
pub type Right = (&'static str, &'static str);

/// What the server says one may do in a namespace.
#[derive(serde::Deserialize)]
struct RulesReview {
    status: Rules,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rules {
    #[serde(default)]
    incomplete: bool,
    resource_rules: Vec<Rule>,
}

#[derive(serde::Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Rule {
    verbs: Vec<String>,
    api_groups: Option<Vec<String>>,
    resources: Option<Vec<String>>,
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
    /// Returns which of these rights the caller lacks in a namespace, by one SelfSubjectRulesReview. Where the server cannot
    /// tell them all (an authorizer that does not list its rules), or does not answer, nothing counts as lacking.
    ///
    /// # Errors
    /// Only where no request can be made.
    pub async fn missing_rights(&self, namespace: &str, needed: &[Right]) -> Result<Vec<Right>> {
        let review = serde_json::json!({ "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview",
            "spec": { "namespace": namespace } });
        let requests = kube::core::Request::new("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews");
        let request = requests.create(&PostParams::default(), review.to_string().into_bytes());
        let request = request.map_err(|error| Error::server(format!("rights cannot be asked for: {error}")))?;
        let rules = match self.send::<RulesReview>(request).await {
            Ok((review, _)) if !review.status.incomplete => review.status.resource_rules,
            _ => return Ok(Vec::new()),
        };
        Ok(needed.iter().copied().filter(|right| !rules.iter().any(|rule| rule.grants(*right))).collect())
    }
}
