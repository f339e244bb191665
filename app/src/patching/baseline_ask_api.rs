//! The server functions that ask for approval of an act on a baseline, with all fields of the form that was refused. Each leads
//! to the page of the request.

// For the whole file: on an item it does not reach the functions that the macro makes of it.
#![expect(clippy::too_many_arguments, reason = "one argument per field of the form")]

#[cfg(feature = "ssr")]
use super::baseline_input::{PutFields, read_apply};
use crate::error::AppError;
use crate::wire::Json;
#[cfg(feature = "ssr")]
use crate::{
    approvals::{AskFields, to_request},
    backend::call,
};
use leptos::prelude::*;
use muster_domain::ids::RequestId;
#[cfg(feature = "ssr")]
use muster_domain::{approvals::ProposedAct, patching::DeleteBaseline};
use std::collections::BTreeMap;

/// Asks for a baseline to be made, or to say something else.
#[server(name = AskPutBaseline, prefix = "/api", endpoint = "patching/ask_put_baseline", output = Json)]
pub(crate) async fn ask_put_baseline(
    #[server(default)] baseline_id: Option<String>,
    #[server(default)] seen: Option<String>,
    name: String,
    operating_system: String,
    #[server(default)] description: Option<String>,
    #[server(default)] filters: BTreeMap<String, String>,
    #[server(default)] days: BTreeMap<String, String>,
    #[server(default)] until: BTreeMap<String, String>,
    #[server(default)] levels: BTreeMap<String, String>,
    #[server(default)] non_security: BTreeMap<String, String>,
    #[server(default)] approved_patches: Option<String>,
    #[server(default)] approved_level: Option<String>,
    #[server(default)] approved_non_security: Option<String>,
    #[server(default)] rejected_patches: Option<String>,
    #[server(default)] rejected_action: Option<String>,
    #[server(default)] why: Option<String>,
    #[server(default)] ticket: Option<String>,
    #[server(default)] not_before: Option<String>,
    #[server(default)] glass: Option<String>,
    #[server(default)] understood: Option<String>,
) -> Result<RequestId, AppError> {
    let fields = PutFields {
        baseline_id,
        seen,
        name,
        operating_system,
        description,
        filters,
        days,
        until,
        levels,
        non_security,
        approved_patches,
        approved_level,
        approved_non_security,
        rejected_patches,
        rejected_action,
    };
    let asking = AskFields {
        why,
        ticket,
        not_before,
        glass,
        understood,
    };
    let id = call(|backend, actor| async move {
        let change = fields.read()?;
        let ask = asking.of(ProposedAct::ChangeBaseline { change })?;
        backend.approvals.ask(&actor, ask).await
    })
    .await?;
    to_request(&id);
    Ok(id)
}

/// Asks for a baseline to hold for something, or for that no longer.
#[server(name = AskApplyBaseline, prefix = "/api", endpoint = "patching/ask_apply_baseline", output = Json)]
pub(crate) async fn ask_apply_baseline(
    baseline_id: String,
    seen: String,
    what: String,
    #[server(default)] group: Option<String>,
    #[server(default)] why: Option<String>,
    #[server(default)] ticket: Option<String>,
    #[server(default)] not_before: Option<String>,
    #[server(default)] glass: Option<String>,
    #[server(default)] understood: Option<String>,
) -> Result<RequestId, AppError> {
    let asking = AskFields {
        why,
        ticket,
        not_before,
        glass,
        understood,
    };
    let id = call(|backend, actor| async move {
        let change = read_apply(baseline_id, seen, &what, group)?;
        let ask = asking.of(ProposedAct::ChangeBaseline { change })?;
        backend.approvals.ask(&actor, ask).await
    })
    .await?;
    to_request(&id);
    Ok(id)
}

/// Asks for a baseline to be deleted.
#[server(name = AskDeleteBaseline, prefix = "/api", endpoint = "patching/ask_delete_baseline", output = Json)]
pub(crate) async fn ask_delete_baseline(
    baseline_id: String,
    seen: String,
    name: String,
    #[server(default)] confirmation: Option<String>,
    #[server(default)] why: Option<String>,
    #[server(default)] ticket: Option<String>,
    #[server(default)] not_before: Option<String>,
    #[server(default)] glass: Option<String>,
    #[server(default)] understood: Option<String>,
) -> Result<RequestId, AppError> {
    let asking = AskFields {
        why,
        ticket,
        not_before,
        glass,
        understood,
    };
    let id = call(|backend, actor| async move {
        let input = DeleteBaseline {
            baseline_id,
            seen,
            name,
            confirmation: confirmation.unwrap_or_default(),
        };
        input.check()?;
        let (baseline_id, seen) = (input.baseline_id, input.seen);
        let ask = asking.of(ProposedAct::DeleteBaseline { baseline_id, seen })?;
        backend.approvals.ask(&actor, ask).await
    })
    .await?;
    to_request(&id);
    Ok(id)
}
