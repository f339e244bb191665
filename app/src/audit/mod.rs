//! The audit log: who did what, on what, when, from where, and how it ended.

mod acts_of;
mod api;
mod entry;
mod page;
mod url_state;
mod verify;

pub(crate) use acts_of::ActsOf;
pub(crate) use page::AuditPage;
