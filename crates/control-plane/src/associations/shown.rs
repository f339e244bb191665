//! How an association is answered: whole, and in lists.

use super::definition::Definition;
use super::queries::AssociationRow;
use super::run_queries::{self as runs, Counts};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::fleet::seconds;
use serde::Serialize;

/// How an association stands as a whole.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Overview {
    pub(crate) status: &'static str,
    detailed_status: String,
    association_status_aggregated_count: Counts,
}

/// The worst of its nodes; one that has not run anywhere is pending.
pub(crate) fn overview(counts: Counts, has_run: bool) -> Overview {
    let has = |status: &str| counts.get(status).is_some_and(|count| *count > 0);
    let status = if has("Failed") || has("TimedOut") {
        "Failed"
    } else if has("Pending") || has("InProgress") || (counts.is_empty() && !has_run) {
        "Pending"
    } else if counts.is_empty() {
        "Skipped"
    } else {
        "Success"
    };
    let detailed_status = match status {
        "Skipped" => "NoInstancesInTag".to_owned(),
        other => other.to_owned(),
    };
    Overview {
        status,
        detailed_status,
        association_status_aggregated_count: counts,
    }
}

pub(crate) async fn overview_of(plane: &ControlPlane, row: &AssociationRow) -> ApiResult<Overview> {
    let (region, id) = (&row.region, &row.association_id);
    let counts = runs::counts(plane.db.reader(), region, id).await?;
    let mut overview = overview(counts, row.last_execution_at.is_some());
    // What could not even be sent is known from the run alone.
    let newest = runs::newest(plane.db.reader(), region, id).await?;
    if let Some(newest) = newest.filter(|newest| newest.command_id.is_empty() && newest.status == "Failed") {
        overview.status = "Failed";
        overview.detailed_status = newest.detailed_status;
    }
    Ok(overview)
}

/// An association with everything that is known of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Description {
    #[serde(flatten)]
    definition: Definition,
    association_id: String,
    association_version: String,
    date: f64,
    last_update_association_date: f64,
    overview: Overview,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_execution_date: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_successful_execution_date: Option<f64>,
}

/// The answer of operations that tell one.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    pub(crate) association_description: Description,
}

pub(crate) async fn description(plane: &ControlPlane, row: AssociationRow) -> ApiResult<Description> {
    let overview = overview_of(plane, &row).await?;
    let mut definition = row.definition;
    // As the service answers: the version that is meant, and targets also where a node was named.
    definition
        .document_version
        .get_or_insert_with(|| "$DEFAULT".into());
    if definition.targets.is_none() {
        definition.targets = Some(definition.all_targets());
    }
    Ok(Description {
        definition,
        association_id: row.association_id,
        association_version: row.version.to_string(),
        date: seconds(row.created_at),
        last_update_association_date: seconds(row.modified_at),
        overview,
        last_execution_date: row.last_execution_at.map(seconds),
        last_successful_execution_date: row.last_success_at.map(seconds),
    })
}
