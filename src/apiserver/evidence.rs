//! What the server knows of a Pod beyond its status: its newest warnings, its last words, its node.
//!
//! [`Inquiry`]s → [`Evidence`]. Nothing here fails a command: what is not answered in time is not known, and only `--verbose`
//! says why. The number of requests depends on the number of causes, never on that of the Pods.

use std::collections::{HashMap, HashSet};
use std::pin::Pin;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join3;
use futures_util::stream::FuturesUnordered;
use kube::core::params::{GetParams, ListParams};
use kube::core::subresource::LogParams;
use prost::bytes::Bytes;
use serde::de::DeserializeOwned;

use super::wire::{self, List};
use super::{ApiServer, Failure, Observer, retry_after, spent};
use crate::flame::events::{self, ObservedEvent};
use crate::flame::evidence::{Evidence, Inquiry, LogOf, LogTail, NodeNote, Warning};
use crate::flame::logs::tail;
use crate::flame::names::{Kind, component_of};
use crate::flame::observed::ObservedPod;
use crate::flame::rollout::{Event, Rollout, Time};

/// How long one question may take, a second try included: evidence that comes later helps nobody.
const PATIENCE: Duration = Duration::from_secs(3);
/// Pause before the second try, and its ceiling where the server names one.
const RETRY: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(1));
/// Most events read of one Pod. Reporters send no more than about thirty different ones in an hour, which is how long they
/// are kept.
const EVENTS: u32 = 200;
/// Lines of a log that are read.
const TAIL_LINES: usize = 20;
/// Most bytes read of a log: a container runtime stores no line of more than 16 KiB in one piece. The server cuts at the end,
/// where the last words are, so that a lower limit would cut off just those.
const TAIL_BYTES: i64 = 20 * (16 << 10) + 4096;
/// Shortest and longest time between two looks at what there is to ask: evidence is there within two seconds of the server
/// knowing, on a busy machine, too.
const LOOK: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(1));
/// A look over many Pods that do not serve costs; the next one comes after so many times its processor time.
const LOOKING: u32 = 200;
/// Inquiries in flight at most.
const IN_FLIGHT: usize = 6;

impl ApiServer {
    /// Answers inquiries, all at once; what is not answered in time is missing.
    pub async fn answers(
        &self,
        namespace: &str,
        inquiries: Vec<Inquiry>,
        observer: &dyn Observer,
    ) -> Vec<(String, Evidence)> {
        let answers = inquiries.into_iter().map(|inquiry| self.answer_to(namespace, inquiry, observer));
        answers.collect::<FuturesUnordered<_>>().collect().await
    }

    /// Answers an inquiry, and says the uid of the Pod that it is about.
    async fn answer_to(&self, namespace: &str, inquiry: Inquiry, observer: &dyn Observer) -> (String, Evidence) {
        let (warnings, log, node) = join3(
            self.warnings(namespace, &inquiry, observer),
            self.last_words(namespace, &inquiry, observer),
            self.node(&inquiry, observer),
        )
        .await;
        (inquiry.uid, Evidence { asked: inquiry.asked, warnings, log, node })
    }

    async fn warnings(&self, namespace: &str, inquiry: &Inquiry, observer: &dyn Observer) -> Vec<Warning> {
        let (pod, uid) = (&inquiry.pod, &inquiry.uid);
        // By uid, too: what was said of an earlier Pod of this name is no evidence.
        let fields = format!("regarding.kind=Pod,regarding.name={pod},regarding.uid={uid},type=Warning");
        let params = ListParams { limit: Some(EVENTS), field_selector: Some(fields), ..Default::default() };
        let request = event_requests(namespace).list(&params);
        match self.ask_for::<List<wire::Event>>(request).await {
            Ok(list) => {
                let others = list.items.into_iter().filter(|event| !event.is_ours());
                events::warnings(others.map(Into::into).collect())
            }
            Err(failure) => {
                tell(observer, &format!("warnings about Pod {pod} are not known"), &failure);
                Vec::new()
            }
        }
    }

    /// Reads what happened to these Pods, a request each; what is not answered in time is missing.
    pub async fn pod_events(
        &self,
        namespace: &str,
        pods: &[&ObservedPod],
        observer: &dyn Observer,
    ) -> Vec<ObservedEvent> {
        let events = pods.iter().map(|pod| async {
            let (pod, uid) = (&pod.meta.name, &pod.meta.uid);
            let fields = format!("regarding.kind=Pod,regarding.name={pod},regarding.uid={uid}");
            let params = ListParams { limit: Some(EVENTS), field_selector: Some(fields), ..Default::default() };
            match self.ask_for::<List<wire::Event>>(event_requests(namespace).list(&params)).await {
                Ok(list) => list.items,
                Err(failure) => {
                    tell(observer, &format!("events of Pod {pod} are not known"), &failure);
                    Vec::new()
                }
            }
        });
        let events: Vec<Vec<wire::Event>> = events.collect::<FuturesUnordered<_>>().collect().await;
        events.into_iter().flatten().map(Into::into).collect()
    }

    /// Reads the end of a log; of the running container where there is none of an ended one (400).
    async fn last_words(&self, namespace: &str, inquiry: &Inquiry, observer: &dyn Observer) -> Option<LogTail> {
        let mut previous = inquiry.log? == LogOf::Previous;
        loop {
            match self.log_end(namespace, inquiry, previous).await {
                Ok(log) => return tail(&log, TAIL_LINES, previous),
                Err(failure) if previous && failure.code() == 400 => previous = false,
                Err(failure) => {
                    tell(observer, &format!("the log of Pod {} is not known", inquiry.pod), &failure);
                    return None;
                }
            }
        }
    }

    async fn log_end(&self, namespace: &str, inquiry: &Inquiry, previous: bool) -> Result<Bytes, Failure> {
        let params = LogParams {
            container: Some(inquiry.container.clone()).filter(|name| !name.is_empty()),
            tail_lines: Some(TAIL_LINES as i64),
            limit_bytes: Some(TAIL_BYTES),
            previous,
            ..Default::default()
        };
        self.ask(super::requests(namespace, Kind::Pod).logs(&inquiry.pod, &params)).await
    }

    async fn node(&self, inquiry: &Inquiry, observer: &dyn Observer) -> Option<NodeNote> {
        let name = inquiry.node.as_ref()?;
        let request = kube::core::Request::new("/api/v1/nodes").get(name, &GetParams::default());
        match self.ask_for::<wire::Node>(request).await {
            Ok(node) => Some(node.into()),
            Err(failure) if failure.code() == 404 => Some(NodeNote { name: name.clone(), ..Default::default() }),
            Err(failure) => {
                tell(observer, &format!("node {name} is not known"), &failure);
                None
            }
        }
    }

    async fn ask_for<T: DeserializeOwned>(&self, request: Built) -> Result<T, Failure> {
        let answer = self.ask(request).await?;
        serde_json::from_slice(&answer).map_err(|error| Failure::Broken(format!("the answer cannot be read: {error}")))
    }

    /// Asks, and once more after a passing failure, all within [`PATIENCE`].
    async fn ask(&self, request: Built) -> Result<Bytes, Failure> {
        let request = request.map_err(|error| Failure::Hopeless(error.to_string()))?;
        let answer = async {
            match self.send_for_bytes(request.clone()).await {
                Err(failure) if failure.is_transient() => {
                    tokio::time::sleep(retry_after(&failure).unwrap_or(RETRY.0).min(RETRY.1)).await;
                    self.send_for_bytes(request).await
                }
                other => other,
            }
        };
        let late = |_| Failure::Broken(format!("{} did not answer within {} s", self.url, PATIENCE.as_secs()));
        let (answer, _) = tokio::time::timeout(PATIENCE, answer).await.map_err(late)??;
        Ok(answer)
    }
}

type Built = Result<http::Request<Vec<u8>>, kube::core::request::Error>;

/// Returns the requests for one namespace's events.
pub(super) fn event_requests(namespace: &str) -> kube::core::Request {
    kube::core::Request::new(format!("/apis/events.k8s.io/v1/namespaces/{namespace}/events"))
}

/// Returns the name of Flame's container in a Pod: others may have put theirs beside it.
pub(super) fn container_of(pod: &str) -> Option<String> {
    component_of(pod).map(|component| component.name().to_owned())
}

fn tell(observer: &dyn Observer, what: &str, failure: &Failure) {
    observer.event(Event::Detail(format!("{what}: {}", failure.text())));
}

/// What an inquiry is about: the Pod's uid, the reason, the restarts.
type About = (String, String, u32);

fn about(inquiry: &Inquiry) -> About {
    (inquiry.uid.clone(), inquiry.asked.reason.clone(), inquiry.asked.restart_count)
}

type Answer<'a> = Pin<Box<dyn Future<Output = (String, Evidence)> + Send + 'a>>;

/// Asks a rollout's inquiries in the background, so that neither news nor writes wait for the answers.
pub struct Inquirer<'a> {
    api: &'a ApiServer,
    namespace: &'a str,
    observer: &'a dyn Observer,
    in_flight: FuturesUnordered<Answer<'a>>,
    /// What was asked already.
    asked: HashSet<About>,
    /// Since when there is something to ask.
    since: HashMap<About, Time>,
    not_before: Time,
}

impl<'a> Inquirer<'a> {
    /// Makes one that asks `api` about Pods in `namespace`.
    pub fn new(api: &'a ApiServer, namespace: &'a str, observer: &'a dyn Observer) -> Self {
        Self {
            api,
            namespace,
            observer,
            in_flight: FuturesUnordered::new(),
            asked: HashSet::new(),
            since: HashMap::new(),
            not_before: Time::ZERO,
        }
    }

    /// Asks what there is to ask, unless it was looked at a moment ago.
    pub fn look(&mut self, rollout: &Rollout, now: Time) {
        if now < self.not_before {
            return;
        }
        let before = spent();
        let inquiries = rollout.inquiries();
        self.not_before = now + (spent().saturating_sub(before) * LOOKING).clamp(LOOK.0, LOOK.1);
        let abouts: HashSet<About> = inquiries.iter().map(about).collect();
        self.since.retain(|about, _| abouts.contains(about));
        for inquiry in inquiries {
            let since = *self.since.entry(about(&inquiry)).or_insert(now);
            if now >= since + inquiry.patience() {
                self.ask(inquiry);
            }
        }
    }

    /// Asks at once what is not known at all, before a command ends.
    pub fn look_at_last(&mut self, rollout: &Rollout) {
        for inquiry in rollout.inquiries() {
            let known = rollout.snapshot().evidence.get(&inquiry.uid);
            // One restart more tells nothing new.
            if known.is_none_or(|known| known.asked.reason != inquiry.asked.reason) {
                self.ask(inquiry);
            }
        }
    }

    /// Tells whether no answer is awaited.
    pub fn is_idle(&self) -> bool {
        self.in_flight.is_empty()
    }

    /// Waits for the next answer: the Pod's uid and what is known of it. Cancel-safe; waits for ever where nothing was asked.
    pub async fn next(&mut self) -> (String, Evidence) {
        match self.in_flight.next().await {
            Some(answer) => answer,
            None => std::future::pending().await,
        }
    }

    fn ask(&mut self, inquiry: Inquiry) {
        if self.in_flight.len() < IN_FLIGHT && self.asked.insert(about(&inquiry)) {
            self.in_flight.push(Box::pin(self.api.answer_to(self.namespace, inquiry, self.observer)));
        }
    }
}
