//! The fleet: finding nodes, choosing them, looking at one, and letting new ones join.

mod activation_api;
mod add_node_page;
mod api;
mod filter_bar;
mod list_page;
mod node_facts;
mod node_page;
mod preview_panel;
mod saved_views;
pub(crate) mod selection;
mod table;
mod tags_form;
mod url_state;

pub(crate) use add_node_page::AddNodePage;
pub(crate) use api::{list_nodes, list_views};
pub(crate) use list_page::FleetPage;
pub(crate) use node_page::NodePage;
