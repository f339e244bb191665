//! Nodes: the portal's own copy of them. Pages read the copy only; `sync` keeps it fresh.
//! Invariant: no query here shows a node outside the actor's scope.

pub mod export;
pub mod figures;
pub mod filter_sql;
pub mod http;
pub mod node_lists;
pub mod queries;
pub mod resolve;
pub mod service;
pub mod views;

pub use figures::Figures;
pub use service::FleetService;
