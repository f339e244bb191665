//! The node agent: registers a machine, keeps one outbound channel to the control plane and runs the
//! commands that come through it, each once, in a process of its own. No listening socket anywhere.

mod agent;
mod backoff;
mod calls;
mod channels;
pub mod cli;
mod collect;
mod commands;
mod config;
mod download;
mod error;
mod files;
mod heartbeat;
mod host;
mod identity;
mod inventory;
mod link;
mod patch;
mod reboot;
mod register;
mod sessions;
pub mod sim;
mod snapshots;
mod tokens;
mod trust;
mod worker;

pub use agent::run;
pub use config::{AgentConfig, DEFAULT_STATE_DIR, Registration};
pub use error::AgentError;
pub use register::register;
