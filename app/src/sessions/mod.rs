//! Terminals: what is open and what was, opening one, working in it, and playing its recording.

mod acts;
mod api;
mod desk;
mod history_table;
mod list_page;
mod list_url;
mod live_table;
mod new_page;
mod node_card;
mod pane;
mod people;
mod player;
mod shell_documents;
mod side_history;
mod side_panel;
mod tab_bar;
mod terminal;
mod words;
mod workspace;
mod workspace_url;

#[cfg(feature = "ssr")]
pub(crate) use api::StartFields;
pub(crate) use list_page::ListPage;
pub(crate) use new_page::NewPage;
pub(crate) use node_card::NodeTerminals;
pub(crate) use player::RecordingPage;
pub(crate) use words::{OpenTerminal, open_terminal};
pub(crate) use workspace::WorkspacePage;
