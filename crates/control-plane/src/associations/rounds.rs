//! Associations on the clock: those that are due run, those that have newly matching nodes run there, and runs that have
//! ended are written down. All of it follows from the database, so it goes on after any stop. A run that was missed is made
//! up for once: what an association is there for is that it holds.

use super::definition::Definition;
use super::queries::{self, AssociationRow};
use super::refresh;
use super::run_queries as runs;
use super::running;
use crate::commands::targets::by_targets;
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

/// Associations that are looked at in one go.
const AT_ONCE: i64 = 100;

/// One round.
pub(crate) async fn round(plane: &ControlPlane) {
    let refreshed = refresh::round(plane).await;
    for done in [
        refreshed,
        due(plane).await,
        newly_matching(plane).await,
        ended(plane).await,
    ] {
        if let Err(ApiError { code, .. }) = done {
            tracing::warn!(code, "associations could not be looked after; it is tried again");
        }
    }
}

async fn due(plane: &ControlPlane) -> ApiResult<()> {
    loop {
        let now = plane.clock.now();
        let rows = queries::due(plane.db.reader(), now, AT_ONCE).await?;
        let is_last = i64::try_from(rows.len()).unwrap_or_default() < AT_ONCE;
        let mut moved = false;
        for row in rows {
            match running::start(plane, &row, None).await {
                Ok(()) => moved = true,
                Err(ApiError { code, .. }) => {
                    tracing::warn!(code, association.id = %row.association_id, "an association could not be run; it is tried again");
                }
            }
        }
        if is_last || !moved {
            return Ok(());
        }
    }
}

/// Whether an association runs on a node as soon as the node matches.
fn is_eager(definition: &Definition) -> bool {
    !definition.waits_for_schedule()
}

/// Only when nodes or tags have changed since: matching all associations with all nodes is work.
async fn newly_matching(plane: &ControlPlane) -> ApiResult<()> {
    if !plane.nodes_changed.swap(false, Ordering::AcqRel) {
        return Ok(());
    }
    let result = match_all(plane).await;
    if result.is_err() {
        plane.nodes_changed.store(true, Ordering::Release);
    }
    result
}

async fn match_all(plane: &ControlPlane) -> ApiResult<()> {
    let mut after = (String::new(), String::new());
    loop {
        let rows =
            queries::some_after(plane.db.reader(), (after.0.as_str(), after.1.as_str()), AT_ONCE).await?;
        let Some(last) = rows.last() else {
            return Ok(());
        };
        after = (last.region.clone(), last.association_id.clone());
        for row in rows {
            // One that is due runs everywhere in a moment.
            let is_meant = is_eager(&row.definition) && row.next_at.is_none_or(|at| at > plane.clock.now());
            if !is_meant {
                continue;
            }
            if let Err(ApiError { code, .. }) = on_new_nodes(plane, &row).await {
                tracing::warn!(code, association.id = %row.association_id, "an association could not look for new nodes; it is tried again");
                plane.nodes_changed.store(true, Ordering::Release);
            }
        }
    }
}

async fn on_new_nodes(plane: &ControlPlane, row: &AssociationRow) -> ApiResult<()> {
    let (region, id) = (&row.region, &row.association_id);
    let meant: BTreeSet<String> = by_targets(plane, region, &row.definition.all_targets())
        .await?
        .into_iter()
        .map(|node| node.node_id)
        .collect();
    let known = runs::nodes_of(plane.db.reader(), region, id).await?;
    for gone in known.iter().filter(|state| !meant.contains(&state.node_id)) {
        let mut transaction = plane.db.begin().await?;
        running::leave(&mut transaction, region, id, &gone.node_id).await?;
        transaction.commit().await?;
    }
    let known: BTreeSet<&str> = known.iter().map(|state| state.node_id.as_str()).collect();
    let new: Vec<String> = meant
        .iter()
        .filter(|node| !known.contains(node.as_str()))
        .cloned()
        .collect();
    if !new.is_empty() {
        running::start(plane, row, Some(&new)).await?;
    }
    Ok(())
}

async fn ended(plane: &ControlPlane) -> ApiResult<()> {
    for execution in runs::open(plane.db.reader()).await? {
        if let Err(ApiError { code, .. }) = running::settle(plane, &execution).await {
            tracing::warn!(code, execution.id = %execution.execution_id, "the end of an association's run is not written down yet");
        }
    }
    Ok(())
}
