//! Maintenance windows. The portal keeps a copy of what the list says of each, so that lists are read from the database; the
//! page of one window asks Systems Manager for the rest.
//!
//! - `service` does what a person does, through the door; `change` changes windows, as they were looked at.
//! - `openings` says when windows are open, for the calendar.
//! - `queries` reads and writes the copy, `copy` brings it up to date: all of it in rounds, one window at once.
//! - `ssm` has the calls that read, `runs` those that say how it went, `calls` those that change something.
//! - `plan` says what policies see of a change, and what a request for approval freezes; `documents` what its documents say.

mod calls;
mod change;
pub mod copy;
mod documents;
pub mod openings;
pub mod plan;
pub mod queries;
pub mod runs;
pub mod service;
pub mod ssm;

pub use service::WindowService;
