//! The Overview, the state of connections, and search.

pub mod http;
pub mod service;

pub use service::OverviewService;
