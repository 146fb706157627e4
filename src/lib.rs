//! flamectl runs Flame on Kubernetes: it reads a FlameCluster YAML, computes the same names, ConfigMap and endpoints as the
//! Go operator, applies them with server-side apply and follows the Pods until the flame runs.
//!
//! Four layers, one direction:
//!
//! | layer | does | may import |
//! |---|---|---|
//! | [`flame`] | what should exist, what was seen, what to do next: pure | std without I/O, serde, k8s_openapi, YAML, patterns, a hash, times |
//! | [`apiserver`] | every request | `flame`, kube, tokio |
//! | [`cli`], [`output`] | arguments in, text out | `flame`, clap, the terminal |
//! | [`commands`] | one file a verb: the only layer that sees the other three | everything |
//!
//! `tests/layering.rs` holds the rule. The library exists for the tests and promises no API.

pub mod apiserver;
pub mod cli;
pub mod commands;
pub mod error;
pub mod flame;
pub mod output;
