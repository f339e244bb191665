//! Runbook pages: what there is to start, one runbook with its versions, starting it, and watching one execution live.

mod acts;
mod api;
mod catalogue_page;
mod catalogue_url;
mod content_tab;
mod definition_tab;
mod diff_view;
mod execution_page;
mod execution_url;
mod executions_table;
mod graph;
mod graph_view;
mod history_page;
mod history_url;
mod live;
mod retry_step;
mod runbook_page;
mod runbook_url;
mod schedule_api;
mod schedule_panel;
mod schedules_page;
mod start_bar;
mod start_form;
#[cfg(feature = "ssr")]
mod start_input;
mod start_page;
mod steps_tab;
mod template_api;
mod template_list;
mod template_panel;
mod waiting;

pub(crate) use api::{get_runbook, list_runbooks};
pub(crate) use catalogue_page::CataloguePage;
pub(crate) use diff_view::DiffList;
pub(crate) use execution_page::ExecutionPage;
pub(crate) use history_page::HistoryPage;
pub(crate) use runbook_page::RunbookPage;
pub(crate) use schedules_page::{SchedulesPage, window_outcome};
#[cfg(feature = "ssr")]
pub(crate) use start_input::StartFields;
pub(crate) use start_page::StartPage;
