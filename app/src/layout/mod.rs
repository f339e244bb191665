//! The frame around every page: rail, top bar, command palette, help, live state.

mod account_menu;
mod audit_warning;
mod connection_menu;
mod frame;
mod help_dialog;
mod palette;
mod permitted;
mod search_api;
mod shortcuts;
mod side_nav;
pub(crate) mod storage;
pub(crate) mod theme;
mod top_bar;

pub(crate) use account_menu::initials;
pub(crate) use audit_warning::AuditWarning;
pub(crate) use frame::{Layout, use_frame};
pub(crate) use permitted::{NotPermitted, Permitted, missing};
pub(crate) use search_api::SetTheme;
pub(crate) use shortcuts::{set_shortcuts_on, shortcuts_on};
