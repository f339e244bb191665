//! Sessions on nodes. What this promises: a session goes on without a browser until somebody or a limit ends it;
//! whatever the node writes is recorded before anybody sees it; every browser gets each byte once and in order,
//! whenever it comes and comes back; and a portal that was killed goes on with its sessions when it is back.

pub(crate) mod documents;
pub mod http;
pub mod live;
pub mod policy;
pub mod queries;
mod recordings;
mod restore;
pub mod service;
mod ssm;
mod start;
mod start_act;
pub mod sweep;

pub use documents::Chosen;
pub(crate) use documents::document_of;
pub use policy::{RecordingPolicy, SessionPolicy};
pub use recordings::{Bucket, OpenError, Store, storage};
pub use service::SessionService;
