//! Approvals: what waits for a second pair of eyes, deciding on it, asking for it, and the policies behind it.

mod acts;
mod api;
mod ask_api;
mod ask_panel;
mod blast;
mod calendar_api;
mod calendar_page;
mod decide_form;
mod decisions;
mod delegations_api;
mod delegations_page;
mod happenings;
mod list_page;
mod list_url;
mod policies_api;
mod policies_form;
mod policies_page;
mod policy_words;
mod request_page;
mod request_view;
mod review_form;
mod role_page;
mod rows;
mod tester;
mod text_diff;
mod together;
mod waiting;
mod will_run;
mod words;

pub(crate) use api::get_waiting;
pub(crate) use ask_api::{AskCommand, AskRunbook, AskTerminal};
#[cfg(feature = "ssr")]
pub(crate) use ask_api::{AskFields, to_request};
pub(crate) use ask_panel::{AskPanel, Asking, WHY_ID, asked_for, field_of, fields_now, needs_of};
pub(crate) use calendar_page::CalendarPage;
pub(crate) use delegations_page::DelegationsPage;
pub(crate) use list_page::ListPage;
pub(crate) use policies_page::PoliciesPage;
pub(crate) use request_page::RequestPage;
pub(crate) use role_page::RolePage;
pub(crate) use text_diff::TextDiff;
pub(crate) use waiting::{ApprovalsBadge, NeedsDecisionPanel, provide_waiting, use_heard};
