//! Run Command: accepting commands, delivering them within their rate limits, taking in what nodes
//! report, keeping output, and answering about all of it.
//!
//! Invariant: a command is accepted in one transaction with all of its invocations; an invocation ends
//! once, and the command's counters change in the same transaction.

pub(crate) mod cancel_command;
pub(crate) mod delivery;
pub(crate) mod embedded;
pub(crate) mod get_command_invocation;
pub(crate) mod list_command_invocations;
pub(crate) mod list_commands;
pub(crate) mod notices;
pub(crate) mod order;
pub(crate) mod output_bucket;
pub(crate) mod output_copies;
pub(crate) mod output_store;
pub(crate) mod queries;
pub(crate) mod rate;
pub(crate) mod reports;
pub(crate) mod send_command;
pub(crate) mod shapes;
pub(crate) mod shown;
pub(crate) mod status;
pub(crate) mod step_queries;
pub(crate) mod targets;
pub(crate) mod text;
