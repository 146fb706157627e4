//! The session manager's Pod, whichever it is at the time, and the ways to it.

use std::convert::Infallible;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};

use crate::apiserver::read::component_selector;
use crate::apiserver::watch::{News, Watch};
use crate::apiserver::{ApiServer, Observer};
use crate::commands::input::exists;
use crate::error::Result;
use crate::flame::logs::not_started;
use crate::flame::names::{self, Component, Kind};
use crate::flame::observed::{Observed, ObservedPod, Ownership};
use crate::output::Printer;

/// How long a client's connection waits for a session manager before it is closed.
const PATIENCE: Duration = Duration::from_secs(60);
/// First pause after a way that did not open, and its ceiling.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(4));
/// Troubles that may wait to be told.
const QUEUE: usize = 16;

/// How the session manager is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The Pod of this uid takes connections.
    Ready(String),
    /// None does, and this is why.
    Away(String),
}

/// The session manager of one flame, followed by a watch.
pub struct SessionManager {
    api: ApiServer,
    namespace: String,
    flame: String,
    pod: Option<ObservedPod>,
    watch: Watch,
    standing: watch::Sender<Standing>,
}

/// What one client's connection needs.
struct Way {
    api: ApiServer,
    namespace: String,
    pod: String,
    standing: watch::Receiver<Standing>,
    troubles: mpsc::Sender<String>,
}

impl SessionManager {
    /// Looks for it.
    ///
    /// # Errors
    /// Where there is no such flame, or the server cannot be asked.
    pub async fn find(api: &ApiServer, namespace: &str, flame: &str, observer: &dyn Observer) -> Result<Self> {
        let selector = component_selector(flame, Component::SessionManager);
        let listed = api.list_pods(namespace, &selector, observer).await?;
        if listed.pods.is_empty() {
            exists(api, namespace, flame, observer).await?;
        }
        let watch = api.watch(namespace, &[Kind::Pod], &selector, &listed.resource_version);
        let mut found = Self {
            api: api.clone(),
            namespace: namespace.to_owned(),
            flame: flame.to_owned(),
            pod: None,
            watch,
            standing: watch::channel(Standing::Away(String::new())).0,
        };
        found.take(News::Relisted(listed.pods));
        Ok(found)
    }

    /// Returns how it is.
    pub fn standing(&self) -> Standing {
        self.standing.borrow().clone()
    }

    /// Waits for news and takes them in. Cancel-safe.
    pub async fn news(&mut self) {
        if let Some(news) = self.watch.next().await {
            self.take(news);
        }
    }

    fn take(&mut self, news: News) {
        let is_ours = |pod: &ObservedPod| {
            pod.meta.name == names::session_manager(&self.flame) && pod.meta.ownership(&self.flame) == Ownership::Ours
        };
        match news {
            News::Seen(Observed::Pod(pod)) if is_ours(&pod) => self.pod = Some(*pod),
            News::Relisted(pods) => self.pod = pods.into_iter().map(|pod| *pod).find(is_ours),
            News::Deleted(Observed::Pod(gone)) if self.is_uid(&gone.meta.uid) => self.pod = None,
            // The watch goes on by itself; ways that are open stay open.
            News::Trouble(_) | News::Seen(_) | News::Deleted(_) | News::Forgotten(_) => return,
        }
        let standing = standing(self.pod.as_ref());
        self.standing.send_if_modified(|known| {
            let is_new = *known != standing;
            *known = standing;
            is_new
        });
    }

    fn is_uid(&self, uid: &str) -> bool {
        self.pod.as_ref().is_some_and(|pod| pod.meta.uid == uid)
    }

    /// Gives each connection that comes in a way to it, for ever; tells when there is none and when there is one again.
    pub async fn serve(mut self, printer: &Printer, listener: TcpListener) -> Infallible {
        let (troubles, mut told) = mpsc::channel::<String>(QUEUE);
        let mut is_away = false;
        let mut last = String::new();
        loop {
            tokio::select! {
                () = self.news() => match self.standing() {
                    Standing::Away(why) if !is_away => {
                        printer.line(&format!("the session manager is away: {why}; waiting for it"));
                        is_away = true;
                    }
                    Standing::Ready(_) if is_away => {
                        printer.line("the session manager is back");
                        is_away = false;
                        last.clear();
                    }
                    _ => {}
                },
                Some(trouble) = told.recv() => if trouble != last {
                    printer.line(&trouble);
                    last = trouble;
                },
                accepted = listener.accept() => match accepted {
                    Ok((client, _)) => {
                        tokio::spawn(self.way(&troubles).carry(client));
                    }
                    // As when too many files are open: it passes.
                    Err(error) => {
                        printer.line(&format!("a connection could not be taken: {error}"));
                        tokio::time::sleep(BACKOFF.0).await;
                    }
                },
            }
        }
    }

    fn way(&self, troubles: &mpsc::Sender<String>) -> Way {
        Way {
            api: self.api.clone(),
            namespace: self.namespace.clone(),
            pod: names::session_manager(&self.flame),
            standing: self.standing.subscribe(),
            troubles: troubles.clone(),
        }
    }
}

impl Way {
    /// Carries a client's bytes to the Pod and back until one of them ends it, or the Pod is another one.
    async fn carry(mut self, mut client: TcpStream) {
        let Ok(opened) = tokio::time::timeout(PATIENCE, self.open()).await else { return };
        let Some((mut forward, uid)) = opened else { return };
        let (stream, trouble) = (forward.stream(), forward.trouble());
        let (Some(mut stream), Some(trouble)) = (stream, trouble) else { return };
        let mut standing = self.standing.clone();
        let is_another = |standing: &Standing| matches!(standing, Standing::Ready(other) if *other != uid);
        let why = tokio::select! {
            // How it ended either side has seen.
            _ = tokio::io::copy_bidirectional(&mut client, &mut stream) => None,
            Some(why) = trouble => Some(why),
            // Who holds the other end of the old Pod may not know that it is gone.
            _ = standing.wait_for(is_another) => None,
        };
        if let Some(why) = why {
            self.tell(format!("Pod {} cannot be reached: {}", self.pod, why.trim())).await;
        }
    }

    /// Opens a way to the Pod that is ready, as often as it takes; none when nobody follows it any more.
    async fn open(&mut self) -> Option<(crate::apiserver::forward::Forward, String)> {
        let mut pause = BACKOFF.0;
        loop {
            let ready = self.standing.wait_for(|standing| matches!(standing, Standing::Ready(_))).await.ok()?.clone();
            let Standing::Ready(uid) = ready else { return None };
            match self.api.forward(&self.namespace, &self.pod, names::SESSION_MANAGER_PORT).await {
                Ok(forward) => return Some((forward, uid)),
                Err(why) => self.tell(format!("Pod {} cannot be reached: {why}", self.pod)).await,
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(BACKOFF.1);
        }
    }

    async fn tell(&self, trouble: String) {
        // Nobody who listens is nobody to tell.
        let _ = self.troubles.send(trouble).await;
    }
}

fn standing(pod: Option<&ObservedPod>) -> Standing {
    let Some(pod) = pod else { return Standing::Away("it has no Pod".to_owned()) };
    if pod.meta.terminating {
        return Standing::Away("its Pod is being deleted".to_owned());
    }
    if pod.is_ready() {
        return Standing::Ready(pod.meta.uid.clone());
    }
    let waits = pod.waiting_reason.as_ref().map(|reason| format!("container is waiting: {reason}"));
    Standing::Away(waits.or_else(|| not_started(pod)).unwrap_or_else(|| "its Pod is not ready".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flame::observed::{ObservedMeta, Phase};

    #[test]
    fn a_session_manager_takes_connections_when_its_pod_is_ready_and_stays() {
        let meta = |terminating| ObservedMeta { uid: "u".into(), terminating, ..Default::default() };
        let ready = |terminating| ObservedPod {
            meta: meta(terminating),
            phase: Phase::Running,
            ready: true,
            node: Some("node-0".into()),
            ..Default::default()
        };
        let away = |why: &str| Standing::Away(why.to_owned());
        assert_eq!(standing(Some(&ready(false))), Standing::Ready("u".into()));
        assert_eq!(standing(Some(&ready(true))), away("its Pod is being deleted"));
        assert_eq!(standing(Some(&ObservedPod { ready: false, ..ready(false) })), away("its Pod is not ready"));
        let waits = ObservedPod { waiting_reason: Some("ImagePullBackOff".into()), ready: false, ..ready(false) };
        assert_eq!(standing(Some(&waits)), away("container is waiting: ImagePullBackOff"));
        assert_eq!(standing(Some(&ObservedPod::default())), away("not scheduled yet"));
        assert_eq!(standing(None), away("it has no Pod"));
    }
}
