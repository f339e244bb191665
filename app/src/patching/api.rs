//! The server functions of the patching pages. Thin: they read texts and ask the services.

#[cfg(feature = "ssr")]
use super::url::read_standing;
#[cfg(feature = "ssr")]
use crate::backend::call;
use crate::error::AppError;
#[cfg(feature = "ssr")]
use crate::url::keep;
use crate::wire::Json;
use leptos::prelude::*;
use muster_domain::patching::{NodePatches, PatchPage};
#[cfg(feature = "ssr")]
use muster_domain::{PortalError, paging::Cursor, patching::PatchQuery};

/// Nodes and how each of them stands.
#[server(prefix = "/api", endpoint = "patching/states", output = Json)]
pub(crate) async fn patch_states(
    #[server(default)] state: Option<String>,
    #[server(default)] tag: Option<String>,
    #[server(default)] text: Option<String>,
    #[server(default)] cursor: Option<String>,
) -> Result<PatchPage, AppError> {
    call(|backend, actor| async move {
        let mut problems = Vec::new();
        let standing = keep(read_standing(state.as_deref().unwrap_or_default()), &mut problems);
        let (tag, text) = (tag.unwrap_or_default(), text.unwrap_or_default());
        let filter = keep(PatchQuery::filter_of(&tag, &text), &mut problems);
        PortalError::from_fields(problems)?;
        let query = PatchQuery {
            standing,
            filter,
            cursor: cursor.filter(|cursor| !cursor.is_empty()).map(Cursor),
            limit: None,
        };
        backend.patching.states(&actor, query).await
    })
    .await
}

/// How one node stands.
#[server(prefix = "/api", endpoint = "patching/node", output = Json)]
pub(crate) async fn get_node_patches(node_id: String) -> Result<NodePatches, AppError> {
    call(|backend, actor| async move { backend.patching.node(&actor, node_id.as_str().into()).await }).await
}
