//! Runbooks at the portal: what there is, starting an execution, following its steps, telling it what it waits for.
//! Invariants: what will run is one plan, resolved before anything is written (`plan`); an execution is written down with
//! its client token before it is sent (`carry_out`), so that sending it again after a crash starts it once; events of an
//! execution are numbered without gaps (`apply`).

pub mod apply;
pub mod carry_out;
pub mod catalogue;
pub mod content;
pub mod copy;
pub mod detail;
pub mod diff;
pub mod events;
pub mod follow;
pub mod http;
pub mod insert;
pub mod meant;
pub mod moments;
pub mod outside;
pub mod plan;
pub mod queries;
pub mod reach;
pub mod retry;
pub mod schedule_queries;
pub mod schedule_ssm;
pub mod schedule_sync;
pub mod schedules;
pub mod service;
pub mod ssm;
pub mod steps;
pub mod stream;
pub mod template_queries;
pub mod templates;
pub mod text;

pub use carry_out::Order;
pub use meant::Meant;
pub use service::RunbookService;

use ring::digest::{SHA256, digest};

/// By what a text is known: its SHA-256, hexadecimal.
#[must_use]
pub fn content_hash(content: &str) -> String {
    hex::encode(digest(&SHA256, content.as_bytes()))
}
