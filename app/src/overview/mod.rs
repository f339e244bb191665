//! The Overview: what needs attention now.

mod api;
mod page;
mod panels;

pub(crate) use page::OverviewPage;
