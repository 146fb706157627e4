//! Tells systemd that the process is ready, lives, and ends (`sd_notify`), where it started it as such.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

/// A pause that does not end.
const NEVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// The socket that systemd listens on, and how often it wants to hear.
pub struct Systemd {
    #[cfg(unix)]
    socket: Option<std::os::unix::net::UnixDatagram>,
    watchdog: Option<Duration>,
}

impl Systemd {
    /// Tells that the process is ready, from then on twice in each time that systemd waits that it lives, by the one thread
    /// that everything runs on, and that it ends once it was interrupted.
    pub fn follow(self, mut interrupted: watch::Receiver<bool>) {
        // Without a watchdog nobody wants to hear.
        let pause = self.watchdog.map_or(NEVER, |time| time / 2);
        tokio::spawn(async move {
            let mut interval = tokio::time::interval(pause);
            interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut is_stopping = false;
            // Signals are caught by now.
            self.notify("READY=1");
            loop {
                tokio::select! {
                    _ = interval.tick(), if self.watchdog.is_some() => self.notify("WATCHDOG=1"),
                    _ = interrupted.changed(), if !is_stopping => {
                        is_stopping = true;
                        self.notify("STOPPING=1");
                    }
                    else => return,
                }
            }
        });
    }
}

#[cfg(unix)]
impl Systemd {
    /// Reads where systemd listens.
    #[expect(clippy::disallowed_methods, reason = "the variables that systemd sets are read here and nowhere else")]
    pub fn detect() -> Self {
        let text = |name: &str| std::env::var(name).ok();
        let socket = std::env::var_os("NOTIFY_SOCKET").and_then(|name| connect(&name).ok());
        let is_meant = text("WATCHDOG_PID").is_none_or(|pid| pid == std::process::id().to_string());
        let watchdog = text("WATCHDOG_USEC").filter(|_| is_meant).and_then(|time| time.parse().ok());
        Self { socket, watchdog: watchdog.filter(|time| *time > 0).map(Duration::from_micros) }
    }

    fn notify(&self, state: &str) {
        if let Some(socket) = &self.socket {
            // Nobody who listens is nobody to tell.
            let _ = socket.send(state.as_bytes());
        }
    }
}

/// Connects to a socket by its path, or by its abstract name behind an `@`.
#[cfg(unix)]
fn connect(name: &std::ffi::OsStr) -> std::io::Result<std::os::unix::net::UnixDatagram> {
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::net::UnixDatagram;
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    match name.as_bytes().strip_prefix(b"@") {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        Some(name) => {
            use std::os::linux::net::SocketAddrExt;
            socket.connect_addr(&std::os::unix::net::SocketAddr::from_abstract_name(name)?)?;
        }
        _ => socket.connect(name)?,
    }
    Ok(socket)
}

#[cfg(not(unix))]
impl Systemd {
    /// There is no systemd.
    pub fn detect() -> Self {
        Self { watchdog: None }
    }

    fn notify(&self, _: &str) {}
}
