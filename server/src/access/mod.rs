//! Users, roles, signing in and sessions.

mod entry;
pub mod limits;
pub mod passwords;
pub mod queries;
pub mod service;
pub mod session_store;
pub mod step_up;
pub mod tokens;
pub mod users;

pub use entry::SetupLink;
pub use service::AccessService;
