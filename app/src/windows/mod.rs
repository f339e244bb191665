//! The pages of maintenance windows: what there is; one window with its targets, tasks and executions; making and changing
//! one, with the next openings before anything is saved.

mod acts;
mod api;
mod change_form;
#[cfg(feature = "ssr")]
mod change_input;
mod executions;
mod list_page;
mod plan_view;
mod rows;
mod settings_form;
mod settings_page;
mod state_cards;
mod task_choose;
mod task_form;
mod url;
mod view_page;

pub(crate) use list_page::ListPage;
pub(crate) use plan_view::WillChangeWindow;
pub(crate) use settings_page::{EditPage, NewPage};
pub(crate) use view_page::ViewPage;
