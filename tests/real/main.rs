//! The built program against a real control plane (`tests/bed`): what it says, how it exits, and what the server has then.
//!
//! What is on the server is read with kubectl only, so that no mistake in flamectl's reading can hide one in its writing.
//! One control plane serves all tests, each in a namespace of its own; it ends with this process.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test may panic, look at the clock and speak"
)]

mod bed;
mod flames;
mod running;
mod schemas;
mod terminal;

mod access;
mod changes;
mod connect;
mod crd;
mod down;
mod dry;
mod events;
mod failures;
mod fields;
mod foreign;
mod generated;
mod generations;
mod healing;
mod hostnames;
mod install;
mod interrupt;
mod leader;
mod logs;
mod namespaces;
mod objects;
mod operator;
mod pictures;
mod preflight;
mod progress;
mod rbac;
mod scale;
mod serve;
mod status;
mod status_watch;
mod trouble;
mod up;
mod watch;
