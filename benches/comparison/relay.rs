//! Stands between tools and the kube-apiserver: every byte arrives half a round trip after it was sent, and is counted.
//!
//! A connection is a pipe without a limit on its throughput. Its first byte comes a whole round trip later, as the server
//! would have had to agree to the connection first.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::Result;

/// Bytes that are read at once.
const CHUNK: usize = 64 << 10;
/// Chunks under way in one direction: more than any latency here lets pile up, and an end to what a slow reader costs.
const UNDER_WAY: usize = 4096;
/// Until a connection is taken after one that could not be.
const PAUSE: Duration = Duration::from_millis(10);

/// A relay that runs on a thread of its own until the process ends.
pub struct Relay {
    pub port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    server: Mutex<SocketAddr>,
    round_trip_micros: AtomicU64,
    sent: AtomicU64,
    received: AtomicU64,
    connections: AtomicU64,
}

/// What went through.
#[derive(Clone, Copy, Debug, Default)]
pub struct Traffic {
    /// Bytes from tools, TLS included.
    pub sent: u64,
    /// Bytes to tools.
    pub received: u64,
    pub connections: u64,
}

impl Traffic {
    /// Returns what came after `before`.
    pub fn since(self, before: Self) -> Self {
        Self {
            sent: self.sent - before.sent,
            received: self.received - before.received,
            connections: self.connections - before.connections,
        }
    }
}

impl Relay {
    pub fn start() -> Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared {
            server: Mutex::new(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))),
            round_trip_micros: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
            connections: AtomicU64::new(0),
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let relay = Self { port, shared: Arc::clone(&shared) };
        std::thread::spawn(move || {
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener)?;
                loop {
                    match listener.accept().await {
                        Ok((client, _)) => {
                            tokio::spawn(connection(client, Arc::clone(&shared)));
                        }
                        // That connection went away, or there are too many until others end: all other tools come here, too.
                        Err(error) => {
                            eprintln!("the relay took a connection later: {error}");
                            tokio::time::sleep(PAUSE).await;
                        }
                    }
                }
                #[expect(unreachable_code, reason = "says what the block returns")]
                std::io::Result::Ok(())
            })
        });
        Ok(relay)
    }

    /// Leads new connections to another server.
    pub fn lead_to(&self, server: SocketAddr) {
        *self.shared.server.lock().unwrap_or_else(PoisonError::into_inner) = server;
    }

    pub fn set_round_trip(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.shared.round_trip_micros.store(micros, Relaxed);
    }

    pub fn traffic(&self) -> Traffic {
        let Shared { sent, received, connections, .. } = &*self.shared;
        Traffic { sent: sent.load(Relaxed), received: received.load(Relaxed), connections: connections.load(Relaxed) }
    }
}

async fn connection(client: TcpStream, shared: Arc<Shared>) -> std::io::Result<()> {
    let accepted = Instant::now();
    shared.connections.fetch_add(1, Relaxed);
    let server = *shared.server.lock().unwrap_or_else(PoisonError::into_inner);
    let server = TcpStream::connect(server).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let round_trip = Duration::from_micros(shared.round_trip_micros.load(Relaxed));
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let to = Arc::clone(&shared);
    tokio::spawn(direction(from_client, to_server, round_trip / 2, accepted + round_trip, move |bytes| {
        to.sent.fetch_add(bytes, Relaxed);
    }));
    tokio::spawn(direction(from_server, to_client, round_trip / 2, accepted, move |bytes| {
        shared.received.fetch_add(bytes, Relaxed);
    }));
    Ok(())
}

/// Brings bytes from one end to the other, `delay` after they were read, and as if none was there before `open`.
async fn direction(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    delay: Duration,
    open: Instant,
    count: impl Fn(u64),
) -> std::io::Result<()> {
    let (send, mut under_way) = mpsc::channel::<(Instant, Vec<u8>)>(UNDER_WAY);
    let read = async move {
        let mut chunk = vec![0; CHUNK];
        loop {
            let length = from.read(&mut chunk).await?;
            count(length as u64);
            let due = Instant::now().max(open) + delay;
            // An empty chunk is the end, which takes its time as well.
            if send.send((due, chunk[..length].to_vec())).await.is_err() || length == 0 {
                return std::io::Result::Ok(());
            }
        }
    };
    let write = async move {
        // Where nothing is held up there is none: a tool may open thousands of connections, and each timer is a file.
        let timer = if delay.is_zero() { None } else { Some(Timer::new()?) };
        while let Some((due, bytes)) = under_way.recv().await {
            if let Some(timer) = &timer {
                timer.until(due).await?;
            }
            if bytes.is_empty() {
                break;
            }
            to.write_all(&bytes).await?;
        }
        to.shutdown().await
    };
    tokio::try_join!(read, write).map(|_| ())
}

/// A timer that is not rounded up to milliseconds, as tokio's is.
#[cfg(target_os = "linux")]
struct Timer(tokio::io::unix::AsyncFd<std::os::fd::OwnedFd>);

#[cfg(target_os = "linux")]
impl Timer {
    fn new() -> std::io::Result<Self> {
        use rustix::time::{TimerfdClockId, TimerfdFlags, timerfd_create};
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        #[expect(deprecated, reason = "what takes its place is unsafe; an OwnedFd keeps the promise that it asks for")]
        let timer = tokio::io::unix::AsyncFd::new(timer)?;
        Ok(Self(timer))
    }

    async fn until(&self, due: Instant) -> std::io::Result<()> {
        use rustix::time::{Itimerspec, TimerfdTimerFlags, Timespec, timerfd_settime};
        let left = due.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        let once = Timespec { tv_sec: 0, tv_nsec: 0 };
        let left = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: i64::from(left.subsec_nanos()) };
        timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &Itimerspec { it_interval: once, it_value: left })?;
        let mut expirations = [0; 8];
        loop {
            let mut ready = self.0.readable().await?;
            let read = ready.try_io(|timer| Ok(rustix::io::read(timer, &mut expirations)?));
            if let Ok(read) = read {
                return read.map(|_| ());
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
struct Timer;

#[cfg(not(target_os = "linux"))]
impl Timer {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn until(&self, due: Instant) -> std::io::Result<()> {
        tokio::time::sleep_until(due.into()).await;
        Ok(())
    }
}
