//! The status of a FlameCluster object: the reference's fields, `observedGeneration`, and conditions for `kubectl wait`.

use serde_json::{Map, Value, json};

use super::state::{ClusterState, Status};

/// Longest message of a condition, in characters.
const LENGTH: usize = 1024;

/// What is known of a flame that lives as an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The generation of the object's spec that all of this is about.
    pub generation: i64,
    /// Why the spec is not followed, in words; what was followed before stays in force.
    pub refused: Option<String>,
    /// The reference's status block; none as long as nobody looked.
    pub status: Option<Status>,
    /// What stops the work until somebody does something.
    pub stalled: Option<String>,
    /// What somebody keeps changing back.
    pub contested: Option<String>,
}

/// Returns the `status` that the object should have, given the one it has: what time a condition turned is kept as long as
/// it stays what it is. `now` is in RFC 3339's form.
pub fn object_status(standing: &Standing, previous: &Value, now: &str) -> Value {
    let mut status = match &standing.status {
        Some(status) => json!({
            "sessionManager": { "ready": status.session_manager.ready, "endpoint": status.session_manager.endpoint },
            "executorManager": { "replicas": status.executor_manager.replicas, "ready": status.executor_manager.ready },
            "state": status.state.to_string(),
            "configGeneration": status.config_generation,
        }),
        // What was said of it before stays, as the Pods do.
        None => json!({ "state": previous["state"].as_str().unwrap_or("Pending") }),
    };
    status["message"] = message(standing).into();
    status["observedGeneration"] = standing.generation.into();
    let conditions = [accepted(standing), ready(standing), stalled(standing), contested(standing)];
    let conditions = conditions.map(|condition| condition.value(standing.generation, previous, now));
    status["conditions"] = Value::Array(conditions.into());
    status
}

/// Tells whether a status says what it should, whatever else it says.
pub fn says(status: &Value, wanted: &Value) -> bool {
    match (status, wanted) {
        (Value::Object(status), Value::Object(wanted)) => {
            let has = |(key, value): (&String, &Value)| says(status.get(key).unwrap_or(&Value::Null), value);
            wanted.iter().all(has)
        }
        (Value::Array(status), Value::Array(wanted)) => {
            status.len() == wanted.len() && status.iter().zip(wanted).all(|(status, wanted)| says(status, wanted))
        }
        _ => status == wanted,
    }
}

fn message(standing: &Standing) -> String {
    let of_status = standing.status.as_ref().map(|status| status.message.as_str());
    match (&standing.refused, &standing.stalled, of_status) {
        (Some(why), ..) => format!("not followed: {why}"),
        (None, Some(why), _) => why.clone(),
        (None, None, Some(message)) => message.to_owned(),
        (None, None, None) => "not looked at yet".to_owned(),
    }
}

struct Condition<'a> {
    kind: &'static str,
    status: &'static str,
    reason: &'static str,
    message: std::borrow::Cow<'a, str>,
}

impl Condition<'_> {
    fn value(&self, generation: i64, previous: &Value, now: &str) -> Value {
        let known = previous["conditions"].as_array().into_iter().flatten();
        let known = known.filter(|it| it["type"] == self.kind && it["status"] == self.status);
        let since = known.filter_map(|it| it["lastTransitionTime"].as_str()).next();
        let message: String = self.message.chars().take(LENGTH).collect();
        let fields = [
            ("type", self.kind.into()),
            ("status", self.status.into()),
            ("reason", self.reason.into()),
            ("message", message.into()),
            ("observedGeneration", generation.into()),
            ("lastTransitionTime", since.unwrap_or(now).into()),
        ];
        Value::Object(
            fields.map(|(key, value): (&str, Value)| (key.to_owned(), value)).into_iter().collect::<Map<_, _>>(),
        )
    }
}

fn accepted(standing: &Standing) -> Condition<'_> {
    let (status, reason, message) = match &standing.refused {
        Some(why) => ("False", "Invalid", why.as_str()),
        None => ("True", "Valid", "The spec is valid and followed"),
    };
    Condition { kind: "Accepted", status, reason, message: message.into() }
}

/// Ready means all, as for a Deployment; the reference's Running needs only one executor.
fn ready(standing: &Standing) -> Condition<'_> {
    let Some(known) = &standing.status else {
        return Condition { kind: "Ready", status: "Unknown", reason: "NotLooked", message: "".into() };
    };
    let is_complete =
        known.session_manager.ready > 0 && known.executor_manager.ready == known.executor_manager.replicas;
    let (status, reason) = match known.state {
        _ if is_complete => ("True", "AllReady"),
        ClusterState::Running => ("False", "SomeReady"),
        ClusterState::Pending => ("False", "Pending"),
        ClusterState::Failed => ("False", "Failed"),
    };
    Condition { kind: "Ready", status, reason, message: known.message.as_str().into() }
}

fn stalled(standing: &Standing) -> Condition<'_> {
    let (status, reason, message) = match &standing.stalled {
        Some(why) => ("True", "Trouble", why.as_str()),
        None => ("False", "Working", ""),
    };
    Condition { kind: "Stalled", status, reason, message: message.into() }
}

fn contested(standing: &Standing) -> Condition<'_> {
    let (status, reason, message) = match &standing.contested {
        Some(what) => ("True", "ChangedBack", what.as_str()),
        None => ("False", "Undisputed", ""),
    };
    Condition { kind: "Contested", status, reason, message: message.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flame::observed::Snapshot;
    use crate::flame::state::verdict;
    use crate::flame::testing::{flame, running};

    fn conditions(status: &Value) -> Vec<String> {
        let conditions = status["conditions"].as_array().unwrap().iter();
        let text = |it: &Value, key: &str| it[key].as_str().unwrap().to_owned();
        conditions.map(|it| format!("{}={} {}", text(it, "type"), text(it, "status"), text(it, "reason"))).collect()
    }

    fn of(snapshot: &Snapshot) -> Standing {
        Standing { generation: 3, status: Some(verdict(&flame(2), snapshot, 0).status), ..Default::default() }
    }

    #[test]
    fn the_status_has_the_references_fields_and_says_when_its_conditions_turned() {
        let all = object_status(&of(&running(&flame(2))), &Value::Null, "2026-01-02T03:04:05Z");
        let mut fields = all.clone();
        fields.as_object_mut().unwrap().remove("conditions");
        assert_eq!(
            fields,
            json!({
                "sessionManager": { "ready": 1, "endpoint": "http://demo-session-manager:8080" },
                "executorManager": { "replicas": 2, "ready": 2 },
                "state": "Running",
                "configGeneration": 1,
                "message": "All components healthy",
                "observedGeneration": 3,
            })
        );
        let well =
            ["Accepted=True Valid", "Ready=True AllReady", "Stalled=False Working", "Contested=False Undisputed"];
        assert_eq!(conditions(&all), well);
        let mut one_less = running(&flame(2));
        one_less.pods.remove("demo-executor-manager-1");
        let some = object_status(&of(&one_less), &all, "2026-01-02T04:00:00Z");
        assert_eq!(conditions(&some)[1], "Ready=False SomeReady");
        let since: Vec<&str> = some["conditions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["lastTransitionTime"].as_str().unwrap())
            .collect();
        assert_eq!(
            since,
            ["2026-01-02T03:04:05Z", "2026-01-02T04:00:00Z", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"]
        );
        assert!(says(&all, &all) && !says(&all, &some));
        let mut more = all.clone();
        more["selector"] = "x".into();
        assert!(says(&more, &all) && !says(&all, &more));
    }

    #[test]
    fn what_is_refused_stalled_or_contested_is_said() {
        let refused = Standing { refused: Some("spec.x: unknown field".to_owned()), ..Default::default() };
        let status = object_status(&refused, &Value::Null, "now");
        assert_eq!(
            (status["state"].as_str(), status["message"].as_str()),
            (Some("Pending"), Some("not followed: spec.x: unknown field"))
        );
        assert_eq!(conditions(&status)[..2], ["Accepted=False Invalid", "Ready=Unknown NotLooked"]);
        let mut standing = of(&running(&flame(2)));
        standing.stalled = Some("Pod demo-session-manager is not ours".to_owned());
        standing.contested = Some("Service demo-object-cache".to_owned());
        let status = object_status(&standing, &Value::Null, "now");
        assert_eq!(status["message"], "Pod demo-session-manager is not ours");
        assert_eq!(conditions(&status)[2..], ["Stalled=True Trouble", "Contested=True ChangedBack"]);
    }
}
