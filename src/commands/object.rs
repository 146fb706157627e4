//! Flames that live as FlameCluster objects: the object is written, and whoever follows such objects does the rest.

use std::sync::Arc;
use std::time::Duration;

use super::Context;
use super::preflight::Preflight;
use super::up::{Bring, agree, finish, pretend};
use super::work::{self, View, Work, interrupts};
use crate::apiserver::objects::{FlameObject, Stored};
use crate::apiserver::{ApiServer, Observer};
use crate::cli::{CheckArgs, DryRun};
use crate::commands::input::checked;
use crate::error::{Content, Error, ErrorKind, Problem, Result, Severity};
use crate::flame::FlameCluster;
use crate::flame::manifests::manifests;
use crate::flame::names::{FlameKey, Kind};
use crate::flame::owner::Owner;
use crate::flame::plan::Desired;
use crate::flame::rollout::{Event, FieldConflict, Options, Rollout};

/// What to do about a server that does not know the kind.
pub const NO_CRD: &str =
    "the server has no FlameClusters: `flamectl crd | kubectl apply --server-side -f -` installs them";
/// Pauses between the tries of a write that the server was too busy for.
const PAUSES: [Duration; 4] =
    [Duration::from_millis(250), Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2)];
/// Longest pause that the server may ask for.
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// Returns the flame that an object says, and the warnings about it.
///
/// # Errors
/// Every problem at once, by field: nobody knows the lines.
pub fn flame_of(object: &FlameObject) -> Result<(FlameCluster, Vec<Problem>)> {
    let content = Content::from(object.text.clone().into_bytes());
    checked(&format!("FlameCluster {}", object.key), &content, CheckArgs::default())
}

/// Says a problem without its place, which is that of no file.
pub fn told(problem: &Problem) -> String {
    match problem.path.as_str() {
        "" => problem.message.clone(),
        path => format!("{path}: {}", problem.message),
    }
}

/// Returns why an object is not followed, in one line.
pub fn why_refused(error: &Error) -> String {
    let errors = error.problems.iter().filter(|problem| problem.severity == Severity::Error);
    let all: Vec<String> = errors.map(told).collect();
    if all.is_empty() { error.what.clone() } else { all.join("; ") }
}

/// What is sent to the server.
enum Change {
    /// The whole object.
    Apply,
    /// The number of executors of the object with this owner's uid.
    Scale(Owner),
}

/// Applies the flame as an object, and waits until it is so.
///
/// # Errors
/// What the server refused, what did not get ready in time, or that nobody confirmed.
pub async fn apply(context: &Context<'_>, api: &ApiServer, bring: Bring) -> Result<u8> {
    let key = FlameKey::of(&bring.flame);
    let existing = api.get_object(&key, &View::without_display(context)).await?;
    send(context, api, (key, existing, Change::Apply), bring).await
}

/// Gives an object another number of executors, and waits until it is so.
///
/// # Errors
/// As for [`apply`].
pub async fn scale(context: &Context<'_>, api: &ApiServer, object: FlameObject, bring: Bring) -> Result<u8> {
    let change = Change::Scale(object.owner.clone());
    send(context, api, (object.key.clone(), Some(object), change), bring).await
}

async fn send(
    context: &Context<'_>,
    api: &ApiServer,
    (key, existing, change): (FlameKey, Option<FlameObject>, Change),
    bring: Bring,
) -> Result<u8> {
    if existing.as_ref().is_some_and(|object| object.terminating) {
        let what = format!("FlameCluster {} is being deleted; nothing was written", key.name);
        return Err(Error::refused(what).hint("run this command again once it is gone"));
    }
    let options = Options { observes: true, ..bring.options };
    let view = View::without_display(context);
    let reading = work::read(api, &key.namespace, &key.name, Some(&bring.flame), &view).await?;
    let owner = existing.as_ref().map(|object| object.owner.clone());
    let manifests = Arc::new(manifests(&bring.flame)?.owned_by(owner));
    let rollout = Rollout::new(Desired::up(Arc::clone(&manifests)), options, reading.snapshot);
    let plan = rollout.plan();
    view.finish();
    rollout.refuse_foreign(plan)?;
    let preflight =
        Preflight { api, rollout: &rollout, plan, rights: Vec::new(), create_namespace: Some(bring.create_namespace) };
    let preflight = Some(preflight).filter(|_| !bring.skip_preflight);
    if let Some(dry_run) = bring.dry_run {
        let findings = match &preflight {
            Some(preflight) => preflight.findings(context, &view).await,
            None => Vec::new(),
        };
        if dry_run == DryRun::Server {
            stored(context, api.apply_object(&key, &document(&bring.flame), true, true).await?, &key)?;
        }
        // What the reconciler would send is not for this user's rights to be asked about.
        let dry_run = if dry_run == DryRun::Server { DryRun::Client } else { dry_run };
        return pretend(context, api, &rollout, plan, &findings, dry_run, bring.output).await;
    }
    if !plan.is_empty() {
        agree(context, (&rollout, plan, &manifests), preflight, &bring, &view).await?;
    }
    if bring.create_namespace && existing.is_none() {
        api.create_namespace(&key.namespace, &view).await?;
    }
    let after = write(context, api, &key, &change, &bring, &view).await?;
    context.printer.line(&match &existing {
        None => format!("created FlameCluster {}", key.name),
        Some(before) if before.resource_version == after.resource_version => {
            format!("FlameCluster {} is as it should be", key.name)
        }
        Some(_) => format!("updated FlameCluster {}", key.name),
    });
    follow(context, api, &after, rollout, (reading.resource_version, bring)).await
}

/// Returns the object as a user would write it.
fn document(flame: &FlameCluster) -> serde_json::Value {
    serde_json::to_value(flame).expect("a flame has string keys only")
}

/// Writes the object.
async fn write(
    context: &Context<'_>,
    api: &ApiServer,
    key: &FlameKey,
    change: &Change,
    bring: &Bring,
    view: &View,
) -> Result<FlameObject> {
    let object = document(&bring.flame);
    let send = |force| {
        let object = &object;
        async move {
            match change {
                Change::Apply => api.apply_object(key, object, force, false).await,
                Change::Scale(owner) => api.scale_object(key, owner, bring.flame.spec.executor_manager.replicas).await,
            }
        }
    };
    let force = bring.options.force_conflicts;
    let outcome = match patiently(key, view, || send(force)).await? {
        // An owner by update only changed it once; whoever applies it again has the last word.
        Stored::Conflict(conflicts) if !force && !conflicts.iter().any(FieldConflict::is_claimed) => {
            let what: Vec<String> =
                conflicts.iter().map(|it| format!("{}, changed by {}", it.field, it.manager)).collect();
            context.printer.line(&format!("putting back {}", what.join("; ")));
            patiently(key, view, || send(true)).await?
        }
        outcome => outcome,
    };
    stored(context, outcome, key)
}

/// Sends a write, again while the server is busy. Whether one that nobody answered was done makes no difference: it says the
/// same the second time.
async fn patiently<F: Future<Output = Result<Stored>>>(
    key: &FlameKey,
    view: &View,
    send: impl Fn() -> F,
) -> Result<Stored> {
    for pause in PAUSES {
        match send().await? {
            Stored::Busy(why, after) => {
                let pause = after.unwrap_or(pause).min(PAUSE_MAX);
                view.event(Event::Retrying(format!("FlameCluster {}", key.name), why, pause));
                tokio::time::sleep(pause).await;
            }
            outcome => return Ok(outcome),
        }
    }
    send().await
}

fn stored(context: &Context<'_>, outcome: Stored, key: &FlameKey) -> Result<FlameObject> {
    let not_written =
        |why: &str| format!("FlameCluster {} in namespace {} was not written: {why}", key.name, key.namespace);
    match outcome {
        Stored::Yes(object) => Ok(*object),
        Stored::Gone(why) if why.contains("could not find the requested resource") => {
            Err(Error::server(not_written(NO_CRD)))
        }
        Stored::Gone(why) => {
            context.printer.detail(&why);
            Err(Error::server(not_written("it is not there any more, or its namespace is not"))
                .hint("--create-namespace makes a missing namespace"))
        }
        Stored::Conflict(conflicts) => {
            let who: Vec<String> =
                conflicts.iter().map(|it| format!("{} belongs to {}", it.field, it.manager)).collect();
            Err(Error::refused(not_written(&who.join(", "))).hint("--force-conflicts takes the fields"))
        }
        Stored::Refused(why) | Stored::Busy(why, _) => Err(Error::server(not_written(&why))),
    }
}

/// Deletes the object, again while the server is busy; one that is gone already is well.
///
/// # Errors
/// What the server refused.
pub async fn delete(context: &Context<'_>, api: &ApiServer, object: &FlameObject, view: &View) -> Result<()> {
    let key = &object.key;
    match patiently(key, view, || api.delete_object(key, &object.owner)).await? {
        Stored::Gone(_) | Stored::Yes(_) => context.printer.line(&format!("deleted FlameCluster {}", key.name)),
        outcome => drop(stored(context, outcome, key)?),
    }
    Ok(())
}

/// Waits until whoever follows objects made it so, as `up` waits for its own work.
async fn follow(
    context: &Context<'_>,
    api: &ApiServer,
    object: &FlameObject,
    rollout: Rollout,
    (resource_version, bring): (String, Bring),
) -> Result<u8> {
    let key = &object.key;
    if !bring.options.wait && !bring.look_once {
        return Ok(0);
    }
    let manifests = manifests(&bring.flame)?.owned_by(Some(object.owner.clone()));
    let options = Options { observes: true, ..bring.options };
    let mut rollout = Rollout::new(Desired::up(manifests), options, rollout.into_snapshot());
    if bring.options.wait {
        let view = View::new(context);
        let kinds = &[Kind::Pod, Kind::Service, Kind::ConfigMap];
        let work = Work { api, namespace: &key.namespace, resource_version, kinds, view: &view };
        if let Err(error) = work.drive(&mut rollout, interrupts(context)).await {
            return Err(explained(context, api, object, error).await);
        }
    }
    finish(context, &bring, &rollout, Duration::ZERO)
}

/// Adds what the object itself says of why it is not as asked.
async fn explained(context: &Context<'_>, api: &ApiServer, object: &FlameObject, error: Error) -> Error {
    if error.kind == ErrorKind::Interrupted {
        return error;
    }
    let now = match api.get_object(&object.key, &View::without_display(context)).await {
        Ok(Some(now)) if now.owner.uid == object.owner.uid => now,
        Ok(_) => return error.hint("the FlameCluster was deleted meanwhile"),
        Err(_) => return error,
    };
    for trouble in troubles(&now) {
        context.printer.warning(&trouble);
    }
    match now.status["observedGeneration"].as_i64() {
        Some(observed) if observed >= object.owner.generation => error,
        _ => error.hint("nobody seems to follow FlameClusters here: `flamectl watch --crd` does"),
    }
}

/// Returns what an object's conditions say is wrong.
pub fn troubles(object: &FlameObject) -> Vec<String> {
    let conditions = object.status["conditions"].as_array().into_iter().flatten();
    let wrong = conditions.filter_map(|it| {
        let message = it["message"].as_str().unwrap_or_default();
        match (it["type"].as_str()?, it["status"].as_str()?) {
            ("Accepted", "False") => Some(format!("FlameCluster {} is not followed: {message}", object.key.name)),
            ("Stalled", "True") => {
                Some(format!("whoever follows FlameCluster {} is held up: {message}", object.key.name))
            }
            ("Contested", "True") => Some(format!("FlameCluster {} is fought about: {message}", object.key.name)),
            _ => None,
        }
    });
    wrong.collect()
}
