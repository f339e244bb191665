//! Run Command at the portal: what was asked is written down first, sent through Systems Manager,
//! and followed until every node is done. Invariants: a part is sent at most once; events of a
//! command are numbered without gaps; output bytes are stored once, by offset.

mod admit;
pub mod apply;
pub mod compare;
pub mod dispatch;
pub mod documents;
pub mod download;
pub mod events;
pub mod follow;
pub mod glance;
pub mod groups;
pub mod http;
pub mod insert;
pub mod invocations;
pub mod log_download;
mod output_hash;
pub mod outside;
pub mod parts;
pub mod queries;
pub mod reads;
pub mod service;
pub mod ssm;
pub(crate) mod start;
pub mod step_output;
pub mod stream;
mod whole;
mod write_whole;

pub use service::CommandService;
