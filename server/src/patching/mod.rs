//! Patch Manager: how nodes stand against their baselines. Scanning and installing are commands like any other.
//!
//! - `service` does what a person does, through the door.
//! - `queries` reads the portal's copy, `keep` writes it: counts of each node, never which patches.
//! - `copy` brings it up to date, in rounds, in batches of nodes.
//! - `ssm` has the calls to Systems Manager.

pub mod copy;
pub mod keep;
pub mod queries;
pub mod service;
pub mod ssm;

pub use service::PatchingService;
