//! The Overview, the state of connections, and search (`search`: what the command palette finds).

pub mod http;
mod search;
pub mod service;

pub use service::OverviewService;
