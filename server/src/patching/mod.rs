//! Patch Manager: how nodes stand against their baselines, and the baselines. Scanning and installing are commands like any
//! other.
//!
//! - `service` does what a person does, through the door; `change` changes baselines, against what was looked at.
//! - `queries` reads the portal's copy of how nodes stand, `keep` writes it: counts of each node, never which patches.
//!   `baseline_queries` and `baseline_keep` do so for baselines, with what each of them said before.
//! - `copy` brings the copies up to date, in rounds, in batches of nodes.
//! - `ssm` and `baseline_ssm` have the calls to Systems Manager.
//! - `exceptions` grants and ends exceptions, `exception_queries` has their register.
//! - `plan` says what a request for approval freezes.

pub mod baseline_keep;
pub mod baseline_queries;
pub mod baseline_ssm;
mod change;
pub mod copy;
pub mod exception_queries;
mod exceptions;
pub mod keep;
pub mod plan;
pub mod queries;
pub mod service;
pub mod ssm;

pub use baseline_keep::By;
pub(crate) use change::resource_of;
pub use service::PatchingService;
