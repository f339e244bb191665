//! Run Command pages: what was run, running a document on nodes, and watching one command live.

mod acts;
mod ansi;
mod api;
mod compare_view;
mod confirm_run;
mod definition_tab;
mod detail_page;
mod detail_url;
mod follow;
mod glance_view;
mod groups_view;
mod history_page;
mod history_url;
mod live;
mod log;
mod log_tab;
mod nodes_tab;
mod output_view;
mod parameter_form;
mod parameters;
mod run_bar;
mod run_form;
#[cfg(feature = "ssr")]
mod run_input;
mod run_page;
mod summary_tab;
mod target_picker;

// What starting a runbook has in common with running a command.
pub(crate) use api::{get_document, list_documents};
pub(crate) use compare_view::Hunk;
pub(crate) use confirm_run::{CONFIRM_ID, ConfirmRun, ConfirmStep, STEP_COUNT_ID, asked_for, must_confirm};
pub(crate) use detail_page::DetailPage;
pub(crate) use history_page::HistoryPage;
pub(crate) use history_url::Period;
pub(crate) use parameter_form::ParameterForm;
pub(crate) use parameters::complaints;
pub(crate) use run_form::{FORM_ID, field_now};
#[cfg(feature = "ssr")]
pub(crate) use run_input::RunFields;
pub(crate) use run_page::{Chosen, LIST, RunPage};
pub(crate) use target_picker::TargetPicker;
#[cfg(feature = "ssr")]
pub(crate) use {confirm_run::read_count, parameters::read_field, run_input::selection};
