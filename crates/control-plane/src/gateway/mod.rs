//! The message gateway: agents open a control channel here and keep it open. Jobs go out on it, reports
//! and output come in; and each session has data channels of its own. What they mean for commands and
//! sessions is decided in `commands` and `sessions`.

pub(crate) mod channel;
pub(crate) mod data_channel;
pub(crate) mod get_messages;
pub(crate) mod http;
pub(crate) mod registry;
pub(crate) mod relay;
pub(crate) mod tasks;
