//! The built binary on a real node: a kubelet starts the containers, and programs that stand in for Flame's run in them.
//!
//! What only a node shows is tested here: probes, arguments, names, mounts, users, restarts, hostnames, logs and forwarded ports.
//! The node is `tests/bed`'s and needs root and some of Debian's packages. Where there is none, every test says on standard
//! error that it is skipped and why; with `FLAMECTL_NODE=required` that is a failure.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test may panic, look at the clock and speak"
)]

#[allow(dead_code, reason = "other tests use all of it")]
#[path = "../real/bed.rs"]
mod bed;
mod flame;
#[allow(dead_code, reason = "other tests use all of it")]
#[path = "../real/running.rs"]
mod running;
mod skip;

mod comes_back;
mod trouble;
mod works;
