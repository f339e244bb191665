//! Sessions that go on: one task each, which alone speaks with the node and the recorder. Browsers read from
//! what the task shares and send it commands; none of them can hold another up.

mod address;
mod attach;
mod backlog;
mod closing;
mod connect;
mod end;
mod input;
mod journal;
mod limits;
mod output;
mod shared;
mod socket;
mod task;

pub use attach::{Attachment, serve, tell_end};
pub use backlog::Backlog;
pub use closing::Ending;
pub use connect::{Connector, Opening};
pub use journal::{Journal, Noted};
pub use shared::{Command, EndOrder, Live, LiveState, Reader, Shared};
pub use task::{Begin, LiveGround, Task};

/// Bytes of output that an owner's browser may be behind before the node is slowed down.
pub(crate) const BEHIND: u64 = 1024 * 1024;
