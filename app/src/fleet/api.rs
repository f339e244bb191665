//! The server functions of the fleet pages: reading nodes, tags and saved views.

#[cfg(feature = "ssr")]
use crate::backend::call;
use crate::error::AppError;
use crate::wire::Json;
use leptos::prelude::*;
use muster_domain::fleet::{Facet, FleetPage, NodeDetail, SavedView};
use muster_domain::ids::NodeListId;
#[cfg(feature = "ssr")]
use muster_domain::{
    fleet::{self, EditTags, FleetQuery, FleetSort, Tag},
    fleet_filter::FleetFilter,
    paging::Cursor,
};

/// A page of nodes. `filter` and `sort` as in the address of the page.
#[server(prefix = "/api", endpoint = "fleet/list", output = Json)]
pub(crate) async fn list_nodes(
    filter: String,
    sort: String,
    descending: bool,
    cursor: Option<String>,
) -> Result<FleetPage, AppError> {
    call(|backend, actor| async move {
        let query = FleetQuery {
            filter: FleetFilter::parse(&filter)?,
            sort: FleetSort::parse(&sort).unwrap_or_default(),
            descending,
            cursor: cursor.map(Cursor),
            limit: None,
        };
        backend.fleet.list(&actor, query).await
    })
    .await
}

/// One node.
#[server(prefix = "/api", endpoint = "fleet/get", output = Json)]
pub(crate) async fn get_node(node_id: String) -> Result<NodeDetail, AppError> {
    call(|backend, actor| async move { backend.fleet.get(&actor, node_id.as_str().into()).await }).await
}

/// Properties and values to complete a filter with.
#[server(prefix = "/api", endpoint = "fleet/facets", output = Json)]
pub(crate) async fn get_facets() -> Result<Vec<Facet>, AppError> {
    call(|backend, actor| async move { backend.fleet.facets(&actor).await }).await
}

/// Sets one tag of a node.
#[server(prefix = "/api", endpoint = "fleet/set_tag", output = Json)]
pub(crate) async fn set_tag(node_id: String, key: String, value: String) -> Result<(), AppError> {
    let tag = Tag {
        key: key.trim().to_owned(),
        value: value.trim().to_owned(),
    };
    let input = EditTags {
        node_id: node_id.as_str().into(),
        set: vec![tag],
        remove: Vec::new(),
    };
    call(|backend, actor| async move { backend.fleet.edit_tags(&actor, input).await }).await
}

/// Removes one tag of a node.
#[server(prefix = "/api", endpoint = "fleet/remove_tag", output = Json)]
pub(crate) async fn remove_tag(node_id: String, key: String) -> Result<(), AppError> {
    let input = EditTags {
        node_id: node_id.as_str().into(),
        set: Vec::new(),
        remove: vec![key],
    };
    call(|backend, actor| async move { backend.fleet.edit_tags(&actor, input).await }).await
}

/// Keeps nodes that were chosen one by one (ids, joined by commas), and says under which id.
#[server(prefix = "/api", endpoint = "fleet/keep_nodes", output = Json)]
pub(crate) async fn keep_nodes(nodes: String) -> Result<NodeListId, AppError> {
    let nodes = nodes
        .split(',')
        .map(str::trim)
        .filter(|id| !id.is_empty())
        .map(Into::into)
        .collect();
    call(|backend, actor| async move { backend.fleet.keep_nodes(&actor, nodes).await }).await
}

/// The saved views that this person sees.
#[server(prefix = "/api", endpoint = "fleet/views", output = Json)]
pub(crate) async fn list_views() -> Result<Vec<SavedView>, AppError> {
    call(|backend, actor| async move { backend.fleet.views(&actor).await }).await
}

/// Keeps a filter under a name.
#[server(prefix = "/api", endpoint = "fleet/save_view", output = Json)]
pub(crate) async fn save_view(name: String, query: String, shared: Option<bool>) -> Result<(), AppError> {
    let input = fleet::SaveView {
        name: name.trim().to_owned(),
        query,
        shared: shared.unwrap_or(false),
    };
    call(|backend, actor| async move { backend.fleet.save_view(&actor, input).await.map(drop) }).await
}

/// Deletes a saved view.
#[server(prefix = "/api", endpoint = "fleet/delete_view", output = Json)]
pub(crate) async fn delete_view(view_id: String) -> Result<(), AppError> {
    call(|backend, actor| async move { backend.fleet.delete_view(&actor, view_id.as_str().into()).await })
        .await
}
