//! The words of Muster: ids, inputs with their checks, views, permissions and one
//! operations trait per feature. Nothing here reads a clock, a socket or a file
//! (except `system`, which is never built for the browser).

pub mod access;
pub mod action;
pub mod actor;
pub mod approvals;
pub mod audit;
pub mod backend;
pub mod commands;
pub mod deployments;
pub mod error;
pub mod fleet;
pub mod fleet_filter;
pub mod ids;
pub mod overview;
pub mod paging;
pub mod parameters;
pub mod patching;
pub mod permission;
pub mod runbooks;
pub mod sessions;
#[cfg(all(feature = "system", not(target_family = "wasm")))]
pub mod system;
pub mod time;
pub mod windows;

pub use actor::Actor;
pub use backend::Backend;
pub use error::{FieldError, PortalError};
pub use time::Timestamp;
