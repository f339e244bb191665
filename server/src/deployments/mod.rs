//! Deployments. A deployment is an execution of a runbook, started on the way on which all are (`runbooks/carry_out`): its row
//! is written in the transaction that writes the execution down, and it stands as that stands, because whoever writes how an
//! execution stands writes the deployment, too (`write::follow`). A unique index lets one at a time run in each environment. A
//! release is inserted, and no statement changes one.
//!
//! - `service` does what a person does, through the door; `change` makes and changes applications.
//! - `plan` says what exactly a deployment would be, now: for the page (`preview`), and for policies, for a request and for doing it
//!   (`gate`).
//! - `queries` and `standing` read, `write` writes.

mod change;
mod gate;
mod plan;
mod preview;
pub mod queries;
#[cfg(test)]
mod queries_tests;
mod service;
pub mod standing;
pub mod write;

pub use service::DeploymentService;
pub use standing::past;
pub use write::NewDeployment;
