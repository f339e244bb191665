//! Patching pages: how nodes stand against their patch baselines; the baselines, one of them, and changing one.

mod api;
mod baseline_acts;
mod baseline_api;
mod baseline_ask_api;
mod baseline_form;
#[cfg(feature = "ssr")]
mod baseline_input;
mod baseline_page;
mod baseline_put_page;
mod baseline_url;
mod baseline_versions;
mod baselines_page;
mod exception_api;
mod exception_card;
mod exception_end;
mod exception_url;
mod exceptions_page;
mod list_page;
mod node_card;
mod plan_view;
mod rows;
mod url;

pub(crate) use baseline_page::BaselinePage;
pub(crate) use baseline_put_page::{EditBaselinePage, NewBaselinePage};
pub(crate) use baselines_page::BaselinesPage;
pub(crate) use exception_card::WillExcept;
pub(crate) use exceptions_page::ExceptionsPage;
pub(crate) use list_page::ListPage;
pub(crate) use node_card::NodePatchesCard;
pub(crate) use plan_view::WillChangeBaseline;
