//! Approvals. What a policy asks about is written down as a plan with a digest, decided on by others than who asked, and
//! then carried out exactly once, as it was approved or not at all.
//!
//! - `gate` is where services ask whether an act may go on at once; `policies` reads what the policies say.
//! - `people` says who somebody is to a policy: accounts, groups, roles where the nodes are.
//! - `delegations` says who stands in for whom.
//! - `plan` resolves what would run; it does so again before anything runs.
//! - `store` writes a request and everything that happens to it, compare-and-set; how it goes on is decided by the pure
//!   `muster_domain::approvals::step`.
//! - `carry_out` does what was approved, and says so; `lease` has one portal of several do it.

mod acts;
pub mod asks;
pub mod calendar;
pub mod carry_out;
pub mod decide;
pub(crate) mod delegations;
mod deputies;
pub mod evidence;
pub mod gate;
pub mod http;
mod lease;
pub mod list;
mod listed;
mod not_done;
mod one_voice;
mod outcome;
pub mod people;
pub mod plan;
pub mod policies;
pub mod rows;
pub mod service;
mod steps;
pub mod store;
mod tell;
pub mod terminals;
pub mod times;
mod together;
pub mod views;
mod warn;
mod when;

pub use gate::Gate;
pub use policies::PolicyBook;
pub use service::ApprovalService;
pub use store::Desk;
