//! The server functions of the baseline pages. Thin: they read texts and ask the services.

// For the whole file: on an item it does not reach the functions that the macro makes of it.
#![expect(clippy::too_many_arguments, reason = "one argument per field of the form")]

#[cfg(feature = "ssr")]
use super::baseline_input::{PutFields, read_apply};
#[cfg(feature = "ssr")]
use super::baseline_url::{read_owner, read_system, view_path};
#[cfg(feature = "ssr")]
use crate::backend::{call, redirect_to};
use crate::error::AppError;
#[cfg(feature = "ssr")]
use crate::url::keep;
use crate::wire::Json;
use leptos::prelude::*;
use muster_domain::patching::{BaselineComparison, BaselineDetail, BaselineList};
#[cfg(feature = "ssr")]
use muster_domain::{
    PortalError,
    patching::{BaselineQuery, DeleteBaseline},
};
use std::collections::BTreeMap;

/// Baselines.
#[server(prefix = "/api", endpoint = "patching/baselines", output = Json)]
pub(crate) async fn list_baselines(
    #[server(default)] system: Option<String>,
    #[server(default)] owner: Option<String>,
    #[server(default)] text: Option<String>,
) -> Result<BaselineList, AppError> {
    call(|backend, actor| async move {
        let mut problems = Vec::new();
        let operating_system = keep(read_system(system.as_deref().unwrap_or_default()), &mut problems);
        let own = keep(read_owner(owner.as_deref().unwrap_or_default()), &mut problems);
        PortalError::from_fields(problems)?;
        let query = BaselineQuery {
            operating_system,
            own,
            text: text.unwrap_or_default().trim().to_owned(),
        };
        backend.patching.baselines(&actor, query).await
    })
    .await
}

/// One baseline.
#[server(prefix = "/api", endpoint = "patching/baseline", output = Json)]
pub(crate) async fn get_baseline(baseline_id: String) -> Result<BaselineDetail, AppError> {
    call(|backend, actor| async move { backend.patching.baseline(&actor, baseline_id).await }).await
}

/// What a baseline said once against what it said another time.
#[server(prefix = "/api", endpoint = "patching/compare_baseline", output = Json)]
pub(crate) async fn compare_baseline(
    baseline_id: String,
    old: i64,
    new: i64,
) -> Result<BaselineComparison, AppError> {
    call(|backend, actor| async move {
        backend
            .patching
            .compare_baseline(&actor, baseline_id, old, new)
            .await
    })
    .await
}

/// Makes a baseline, or lets one say something else. Answers its id.
#[server(name = PutBaseline, prefix = "/api", endpoint = "patching/put_baseline", output = Json)]
pub(crate) async fn put_baseline(
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
) -> Result<String, AppError> {
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
    let id =
        call(|backend, actor| async move { backend.patching.change_baseline(&actor, fields.read()?).await })
            .await?;
    redirect_to(&format!("{}?saved=1", view_path(&id)));
    Ok(id)
}

/// Lets a baseline hold for its operating system or for a patch group, or for that no longer.
#[server(name = ApplyBaseline, prefix = "/api", endpoint = "patching/apply_baseline", output = Json)]
pub(crate) async fn apply_baseline(
    baseline_id: String,
    seen: String,
    what: String,
    #[server(default)] group: Option<String>,
) -> Result<String, AppError> {
    let id = call(|backend, actor| async move {
        let change = read_apply(baseline_id, seen, &what, group)?;
        backend.patching.change_baseline(&actor, change).await
    })
    .await?;
    redirect_to(&format!("{}?saved=1", view_path(&id)));
    Ok(id)
}

/// Deletes a baseline.
#[server(name = DeleteBaselineFn, prefix = "/api", endpoint = "patching/delete_baseline", output = Json)]
pub(crate) async fn delete_baseline(
    baseline_id: String,
    seen: String,
    name: String,
    #[server(default)] confirmation: Option<String>,
) -> Result<(), AppError> {
    call(|backend, actor| async move {
        let input = DeleteBaseline {
            baseline_id,
            seen,
            name,
            confirmation: confirmation.unwrap_or_default(),
        };
        backend.patching.delete_baseline(&actor, input).await
    })
    .await?;
    redirect_to("/patching/baselines");
    Ok(())
}
