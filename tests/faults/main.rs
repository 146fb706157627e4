//! The built binary against a real kube-apiserver with a proxy in between that breaks things on purpose.
//!
//! A learning run counts the requests of a command; then each of them is one case: there the client is killed or
//! interrupted, the connection dropped, an error answered, a body cut. Whatever it was, the end must be exactly the state of an
//! undisturbed run. The control plane is `tests/bed`, one for all tests here; every case has a namespace of its own.
//!
//! Some sweeps take samples where flames are large. `FAULTS=full cargo test --test faults` takes every request.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test may panic, look at the clock and speak"
)]

mod bed;
mod client;
mod proxy;
mod scenario;
mod stream;
mod table;

mod cost;
mod evidence;
mod keeping;
mod kills;
mod pairs;
mod preflight;
mod replies;
mod signals;
mod watches;
