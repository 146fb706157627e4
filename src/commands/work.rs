//! What `up`, `down`, `scale`, `restart` and `watch` share: read, show, ask, drive.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::Context;
use super::signals::Signals;
use crate::apiserver::drive::{Drive, Outside};
use crate::apiserver::read::Reading;
use crate::apiserver::{ApiServer, Observer};
use crate::cli::WaitArgs;
use crate::error::{Error, Result};
use crate::flame::FlameCluster;
use crate::flame::names::{self, Kind};
use crate::flame::observed::Seconds;
use crate::flame::plan::Plan;
use crate::flame::rollout::{Event, Options, Rollout};
use crate::output::progress::ProgressView;

/// Hands events to the progress view with the command's own time.
pub struct View {
    view: Mutex<ProgressView>,
    started: Instant,
}

impl View {
    /// Starts a view, and with it the clock of what it shows: the time that somebody takes to confirm counts for nothing.
    pub fn new(context: &Context<'_>) -> Self {
        Self::start(ProgressView::new(context.printer, Duration::ZERO))
    }

    /// Starts a view for the time before [`interrupts`] are caught: nothing is drawn that Ctrl-C would leave behind.
    pub fn without_display(context: &Context<'_>) -> Self {
        Self::start(ProgressView::without_display(context.printer, Duration::ZERO))
    }

    #[expect(clippy::disallowed_methods, reason = "the one clock of a command: everything below gets times passed in")]
    fn start(view: ProgressView) -> Self {
        Self { view: Mutex::new(view), started: Instant::now() }
    }

    /// Returns the time since the view began.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Cleans the screen up.
    pub fn finish(&self) {
        self.lock().finish();
    }

    fn lock(&self) -> MutexGuard<'_, ProgressView> {
        // A panic while printing leaves nothing behind that later lines depend on.
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for View {
    fn event(&self, event: Event) {
        self.lock().event(&event, self.elapsed());
    }

    fn tick(&self) {
        self.lock().tick(self.elapsed());
    }
}

/// Returns a signal that turns true with the first Ctrl-C or SIGTERM; the second one ends the process at once. They are caught
/// when this returns, not only once the runtime comes to it: what is sent next may be under way sooner.
pub fn interrupts(context: &Context<'_>) -> watch::Receiver<bool> {
    let (sender, receiver) = watch::channel(false);
    let printer = context.printer.clone();
    let mut signals = Signals::new();
    tokio::spawn(async move {
        signals.next().await;
        let _ = sender.send(true);
        signals.next().await;
        printer.close_display();
        exit_at_once();
    });
    receiver
}

#[expect(clippy::exit, reason = "whoever interrupts twice wants out, whatever is in flight")]
fn exit_at_once() -> ! {
    std::process::exit(crate::error::ErrorKind::Interrupted.exit_code().into())
}

/// Reads everything of a flame, and looks for namesakes of what `flame` wants and the labels did not find.
///
/// # Errors
/// What the server said.
pub async fn read(
    api: &ApiServer,
    namespace: &str,
    name: &str,
    flame: Option<&FlameCluster>,
    view: &dyn Observer,
) -> Result<Reading> {
    let replicas = flame.map_or(0, |flame| flame.spec.executor_manager.replicas);
    let object_cache = flame.filter(|flame| flame.has_object_cache_pod()).map(|_| names::object_cache(name));
    let executors = (0..replicas).map(|index| names::executor_manager(name, index));
    api.snapshot(namespace, name, executors.chain(object_cache), view).await
}

/// One piece of work on one flame.
pub struct Work<'a> {
    /// Where to.
    pub api: &'a ApiServer,
    /// The flame's namespace.
    pub namespace: &'a str,
    /// Where the watch goes on.
    pub resource_version: String,
    /// What is watched.
    pub kinds: &'a [Kind],
    /// Who is told.
    pub view: &'a View,
}

impl Work<'_> {
    /// Drives the rollout to its end.
    ///
    /// # Errors
    /// What the rollout gives up for, or that it was interrupted.
    pub async fn drive(self, rollout: &mut Rollout, interrupted: watch::Receiver<bool>) -> Result<()> {
        let drive = Drive {
            api: self.api,
            namespace: self.namespace,
            resource_version: self.resource_version,
            kinds: self.kinds,
            started: self.view.started,
            observer: self.view,
        };
        let result = drive.run(rollout, &mut Outside { interrupted, aims: None, watch: None }).await;
        self.view.finish();
        result
    }
}

/// Asks before running Pods go, unless `yes`.
///
/// # Errors
/// Where nobody can be asked, or the answer is no.
pub fn confirm(context: &Context<'_>, rollout: &Rollout, plan: &Plan, yes: bool) -> Result<()> {
    let ready: HashSet<&str> =
        rollout.snapshot().pods.values().filter(|pod| pod.is_ready()).map(|pod| pod.meta.name.as_str()).collect();
    let hit = plan.changes().filter(|it| it.disrupts() && ready.contains(it.object.name.as_str())).count();
    if hit == 0 || yes {
        return Ok(());
    }
    let pods = if hit == 1 { "1 running Pod".to_owned() } else { format!("{hit} running Pods") };
    ask(context, &format!("This restarts or deletes {pods}. Go on?"))
}

/// Asks a yes-or-no question; no is an error.
///
/// # Errors
/// Where nobody can be asked, or the answer is no.
pub fn ask(context: &Context<'_>, question: &str) -> Result<()> {
    if context.printer.confirm(question)? {
        return Ok(());
    }
    Err(Error::refused("not confirmed: nothing was changed"))
}

/// Returns the time by the clock on the wall, for what the server's own times are compared with.
pub fn moment() -> Seconds {
    jiff::Timestamp::now().as_second()
}

/// Returns the rollout options of a plain command; `--timeout 0` sends everything and waits for nothing.
pub fn options(wait: &WaitArgs) -> Options {
    let timeout = Some(wait.timeout).filter(|timeout| !timeout.is_zero());
    Options { wait: wait.wait && timeout.is_some(), timeout, started_at: moment(), ..Default::default() }
}

/// Tells whether readiness is to be looked at once in the end, as `kubectl wait --timeout 0` does.
pub fn looks_once(wait: &WaitArgs) -> bool {
    wait.wait && wait.timeout.is_zero()
}
