//! The audit log: written before and after every act, chained, signed, never changed.
//! The format is in `docs/AUDIT-LOG.md`.

pub mod at_connection;
pub mod behind;
pub mod export;
pub mod keys;
pub mod log;
pub mod queries;
pub mod row;
pub mod service;
pub mod verify;

pub use at_connection::AtConnection;
pub use log::AuditLog;
pub use service::AuditService;
