//! Leader election by a Lease: a task that asks for what [`flame::election`](crate::flame::election) decides, and the
//! [`Fence`] through which only a leader's writes get.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use http::Method;
use kube::core::Request;
use kube::core::params::{GetParams, Patch, PatchParams, PostParams};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::wire::Shape;
use super::{ApiServer, Failure};
use crate::flame::election::{Candidate, Claim, LOOK, LeaseSpec, ObservedLease, RENEW};
use crate::flame::names::FIELD_MANAGER;
use crate::flame::rollout::Time;

/// How long one request about the Lease may take: a second try has to come before the leader's time is up.
const TRY: Duration = Duration::from_secs(3);
/// Pause after a renewal that did not work.
const AGAIN: Duration = Duration::from_millis(500);

/// Where the Lease is, and as whom it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseRef {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The name of this process, which no other may have.
    pub identity: String,
}

/// What happens in an election.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ElectionNews {
    /// Somebody else leads, or nobody does yet.
    StandsBy(Option<String>),
    /// This process leads.
    Leads,
    /// This process leads no longer, and this is why.
    Lost(String),
    /// The Lease cannot be read or written, and this is why.
    Trouble(String),
    /// The Lease was read or written; told whenever it was.
    Well,
}

/// Who is told what happens in an election.
type Tell = Box<dyn Fn(ElectionNews) + Send + Sync>;

/// An election that goes on, on a task of its own.
pub struct Election {
    fence: watch::Receiver<Option<Arc<Fence>>>,
    resigns: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Election {
    /// Begins to stand by; `tell` is told what happens.
    pub fn start(api: &ApiServer, lease: LeaseRef, tell: impl Fn(ElectionNews) + Send + Sync + 'static) -> Self {
        let (sender, fence) = watch::channel(None);
        let (resigns, resigned) = watch::channel(false);
        let candidate = Candidate::new(&lease.identity);
        // It waits for no slot: writes that take long must not cost the Lease.
        let api = ApiServer { slots: Arc::new(Semaphore::new(1)), ..api.clone() };
        let elector = Elector { api, lease, candidate, tell: Box::new(tell), told: None, fence: sender };
        Self { fence, resigns, task: tokio::spawn(elector.run(resigned)) }
    }

    /// Waits until this process leads, and returns the fence of that time. Cancel-safe.
    pub async fn leads(&mut self) -> Arc<Fence> {
        loop {
            if let Some(fence) = self.fence.borrow_and_update().clone().filter(|fence| fence.is_open()) {
                return fence;
            }
            if self.fence.changed().await.is_err() {
                // Nobody stands any more.
                std::future::pending::<()>().await;
            }
        }
    }

    /// Leaves the Lease to others, where this process holds it.
    pub async fn resign(self) {
        let _ = self.resigns.send(true);
        let _ = self.task.await;
    }
}

/// Lets requests through for as long as this process leads; once closed it stays closed.
pub struct Fence {
    until: watch::Sender<Option<Time>>,
}

impl Fence {
    fn new(until: Time) -> Self {
        Self { until: watch::channel(Some(until)).0 }
    }

    /// Tells whether this process leads by its own clock, whatever it has had the time to notice.
    pub fn is_open(&self) -> bool {
        self.until.borrow().is_some_and(|until| clock() < until)
    }

    /// Waits until it was noticed that this process leads no longer.
    pub async fn closed(&self) {
        // The sender is this fence's own.
        let _ = self.until.subscribe().wait_for(Option::is_none).await;
    }

    fn extend(&self, until: Time) {
        self.until
            .send_if_modified(|known| known.as_mut().is_some_and(|known| std::mem::replace(known, until) != until));
    }

    fn close(&self) {
        self.until.send_replace(None);
    }

    /// Carries a request out while this process leads. The clock is looked at whenever the request is brought on: who was
    /// frozen with it half made drops it.
    pub(super) async fn guard<T>(&self, request: impl Future<Output = T>) -> Result<T, Failure> {
        let (mut request, mut closed) = (pin!(request), pin!(self.closed()));
        poll_fn(|context| {
            if closed.as_mut().poll(context).is_ready() || !self.is_open() {
                return Poll::Ready(Err(Failure::Hopeless("given up: this process no longer leads".to_owned())));
            }
            request.as_mut().poll(context).map(Ok)
        })
        .await
    }
}

impl ApiServer {
    /// Sends what may change something only while `fence` is open.
    pub fn fenced(&self, fence: Arc<Fence>) -> Self {
        Self { fence: Some(fence), ..self.clone() }
    }

    /// Tells whether a write would be sent.
    pub fn may_write(&self) -> bool {
        self.fence.as_ref().is_none_or(|fence| fence.is_open())
    }

    /// Returns the fence that a request has to get through.
    pub(super) fn fence_for(&self, method: &Method) -> Option<&Fence> {
        self.fence.as_deref().filter(|_| *method != Method::GET)
    }
}

struct Elector {
    api: ApiServer,
    lease: LeaseRef,
    candidate: Candidate,
    tell: Tell,
    /// What was told last.
    told: Option<ElectionNews>,
    fence: watch::Sender<Option<Arc<Fence>>>,
}

/// A Lease as the server sends it.
#[derive(Deserialize)]
struct Wire {
    metadata: WireMeta,
    #[serde(default)]
    spec: LeaseSpec,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireMeta {
    resource_version: String,
}

impl Shape for Wire {}

impl From<Wire> for ObservedLease {
    fn from(it: Wire) -> Self {
        Self { spec: it.spec, resource_version: it.metadata.resource_version }
    }
}

impl Elector {
    async fn run(mut self, mut resigned: watch::Receiver<bool>) {
        tokio::select! {
            () = self.stand() => {}
            // Whoever resigns tells by going away, too.
            _ = resigned.changed() => {}
        }
        if let Some(fence) = self.fence.borrow().as_ref() {
            fence.close();
        }
        self.release().await;
    }

    /// Stands by, leads, and stands by again.
    async fn stand(&mut self) {
        loop {
            let until = self.stand_by().await;
            let fence = Arc::new(Fence::new(until));
            self.fence.send_replace(Some(Arc::clone(&fence)));
            self.tell(ElectionNews::Leads);
            let why = self.renew(&fence).await;
            fence.close();
            self.candidate.lost();
            self.fence.send_replace(None);
            self.tell(ElectionNews::Lost(why));
        }
    }

    /// Looks until the Lease can be had, and returns until when it is.
    async fn stand_by(&mut self) -> Time {
        loop {
            let is_read = self.look().await;
            let now = clock();
            if now >= self.candidate.may_claim_at() {
                if let Some(until) = self.claim(now).await {
                    return until;
                }
            } else if is_read {
                self.tell(ElectionNews::StandsBy(self.candidate.other_holder().map(str::to_owned)));
            }
            sleep(self.candidate.may_claim_at().saturating_sub(clock()).clamp(AGAIN.min(LOOK), LOOK)).await;
        }
    }

    /// Renews the Lease for as long as that works, and returns why it does not.
    async fn renew(&mut self, fence: &Fence) -> String {
        let mut pause = RENEW;
        loop {
            sleep(pause).await;
            let now = clock();
            let Some(left) = self.candidate.leads_until().and_then(|until| until.checked_sub(now)) else {
                return self.why_not_renewed();
            };
            pause = match timeout(left, self.claim(now)).await {
                Ok(Some(until)) => {
                    fence.extend(until);
                    RENEW.saturating_sub(clock().saturating_sub(now))
                }
                Err(_) => AGAIN,
                Ok(None) => {
                    // Somebody else changed it, or the answer to the last try got lost.
                    let _ = timeout(left, self.look()).await;
                    AGAIN
                }
            };
            if let Some(other) = self.candidate.other_holder() {
                return format!("{other} does");
            }
        }
    }

    fn why_not_renewed(&self) -> String {
        let lease = format!("Lease {} was not renewed in time", self.lease.name);
        match &self.told {
            Some(ElectionNews::Trouble(why)) => format!("{lease}: {why}"),
            _ => lease,
        }
    }

    /// Reads the Lease; tells whether that worked.
    async fn look(&mut self) -> bool {
        let request = self.requests().get(&self.lease.name, &GetParams::default());
        match self.send(request).await {
            Ok(lease) => self.candidate.saw(Some(lease), clock()),
            Err(failure) if failure.code() == 404 => self.candidate.saw(None, clock()),
            Err(failure) => {
                self.trouble(&failure);
                return false;
            }
        }
        self.tell(ElectionNews::Well);
        true
    }

    /// Asks for the Lease at `now`; returns until when it is had.
    async fn claim(&mut self, now: Time) -> Option<Time> {
        match self.change(self.candidate.claim(&moment())).await {
            Ok(lease) => {
                self.candidate.won(lease, now);
                self.tell(ElectionNews::Well);
                self.candidate.leads_until()
            }
            Err(failure) => {
                // Somebody was faster, or deleted it: the next look tells who.
                if failure.code() != 409 && !(failure.code() == 404 && self.candidate.leads_until().is_some()) {
                    self.trouble(&failure);
                }
                None
            }
        }
    }

    /// Gives the Lease back, so that another can lead at once; what does not work is left to expire.
    async fn release(&mut self) {
        if self.candidate.leads_until().is_none() {
            return;
        }
        for _ in 0..2 {
            let Some(claim) = self.candidate.release(&moment()) else { return };
            match self.change(claim).await {
                // A renewal that was under way came first.
                Err(failure) if failure.code() == 409 => {
                    self.look().await;
                }
                _ => return,
            }
        }
    }

    async fn change(&self, Claim { spec, resource_version }: Claim) -> Result<ObservedLease, Failure> {
        let LeaseRef { namespace, name, .. } = &self.lease;
        let mut lease = json!({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": { "name": name, "namespace": namespace }, "spec": spec,
        });
        let field_manager = Some(FIELD_MANAGER.to_owned());
        let request = match resource_version {
            Some(version) => {
                lease["metadata"]["resourceVersion"] = version.into();
                let params = PatchParams { field_manager, ..Default::default() };
                self.requests().patch(name, &params, &Patch::Merge(lease))
            }
            None => {
                let params = PostParams { field_manager, ..Default::default() };
                self.requests().create(&params, lease.to_string().into_bytes())
            }
        };
        self.send(request).await
    }

    fn requests(&self) -> Request {
        Request::new(format!("/apis/coordination.k8s.io/v1/namespaces/{}/leases", self.lease.namespace))
    }

    async fn send(
        &self,
        request: Result<http::Request<Vec<u8>>, kube::core::request::Error>,
    ) -> Result<ObservedLease, Failure> {
        let request = request.map_err(|error| Failure::Broken(error.to_string()))?;
        let answer = timeout(TRY, self.api.send::<Wire>(request)).await;
        let late = || Failure::Broken(format!("{} did not answer within {} s", self.api.url, TRY.as_secs()));
        answer.map_err(|_| late())?.map(|(lease, _)| lease.into())
    }

    fn trouble(&mut self, failure: &Failure) {
        let LeaseRef { namespace, name, .. } = &self.lease;
        self.tell(ElectionNews::Trouble(format!("Lease {namespace}/{name}: {}", failure.text())));
    }

    /// Tells what is news.
    fn tell(&mut self, news: ElectionNews) {
        if news == ElectionNews::Well {
            if matches!(self.told, Some(ElectionNews::Trouble(_))) {
                self.told = None;
            }
            return (self.tell)(news);
        }
        if self.told.as_ref() != Some(&news) {
            (self.tell)(news.clone());
            self.told = Some(news);
        }
    }
}

/// Returns the time for people who look at the Lease.
fn moment() -> String {
    format!("{:.6}", jiff::Timestamp::now())
}

/// Returns the time by a clock that nobody sets and that goes on while the machine sleeps: others take over meanwhile.
#[cfg(unix)]
fn clock() -> Time {
    // Apple's monotonic clock goes on by itself.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let clock = rustix::time::ClockId::Boottime;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let clock = rustix::time::ClockId::Monotonic;
    let now = rustix::time::clock_gettime(clock);
    Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec.unsigned_abs() as u32)
}

#[cfg(not(unix))]
fn clock() -> Time {
    use std::sync::LazyLock;
    use std::time::Instant;
    static BEGAN: LazyLock<Instant> = LazyLock::new(super::clock);
    BEGAN.elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn soon() -> Time {
        clock() + Duration::from_secs(60)
    }

    #[tokio::test]
    async fn a_fence_lets_through_what_it_is_open_for_and_nothing_later() {
        let fence = Fence::new(soon());
        assert_eq!(fence.guard(async { 1 }).await.ok(), Some(1));
        // By the clock, though nobody noticed.
        fence.extend(clock());
        assert!(!fence.is_open());
        assert!(fence.guard(async { 1 }).await.is_err());
        fence.extend(soon());
        assert!(fence.is_open());
        fence.close();
        fence.extend(soon());
        assert!(!fence.is_open(), "what is closed stays closed");
        assert!(fence.guard(async { 1 }).await.is_err());
    }

    #[tokio::test]
    async fn a_request_in_flight_is_given_up_when_the_fence_closes() {
        let fence = Fence::new(soon());
        let request = fence.guard(std::future::pending::<()>());
        let close = async {
            tokio::task::yield_now().await;
            fence.close();
        };
        let (ended, ()) = tokio::join!(request, close);
        assert_eq!(ended.unwrap_err().text(), "given up: this process no longer leads");
    }

    #[test]
    fn the_time_in_a_lease_is_one_that_the_server_takes() {
        let moment = moment();
        assert_eq!((moment.len(), moment.as_bytes()[19], moment.ends_with('Z')), (27, b'.', true), "{moment}");
    }
}
