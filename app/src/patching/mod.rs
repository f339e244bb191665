//! Patching pages: how nodes stand against their patch baselines.

mod api;
mod list_page;
mod node_card;
mod rows;
mod url;

pub(crate) use list_page::ListPage;
pub(crate) use node_card::NodePatchesCard;
