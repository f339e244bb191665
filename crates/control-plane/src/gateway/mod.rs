//! The message gateway: agents open a control channel here and keep it open. Jobs go out on it, reports
//! and output come in. What they mean for commands is decided in `commands`.

pub(crate) mod channel;
pub(crate) mod get_messages;
pub(crate) mod http;
pub(crate) mod registry;
