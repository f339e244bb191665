//! `UpdateMaintenanceWindowTarget`: what is not given stays, with `Replace` it becomes empty.

use super::{
    DESCRIPTION, NAME, OWNER_INFORMATION, TargetDefinition, UUID, WINDOW_ID, check_targets, missing, queries,
};
use crate::commands::shapes::TARGETS;
use crate::commands::targets::Target;
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use crate::validation::{Member, Shape, optional, required};
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[
    required("WindowId", WINDOW_ID),
    required("WindowTargetId", UUID),
    optional("Targets", TARGETS),
    OWNER_INFORMATION,
    optional("Name", NAME),
    DESCRIPTION,
    optional("Replace", Shape::Flag),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    window_id: String,
    window_target_id: String,
    targets: Option<Vec<Target>>,
    owner_information: Option<String>,
    name: Option<String>,
    description: Option<String>,
    replace: Option<bool>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    window_id: String,
    window_target_id: String,
    #[serde(flatten)]
    definition: TargetDefinition,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let (region, window_id, id) = (&call.region, &input.window_id, &input.window_target_id);
    let replaces = input.replace.unwrap_or_default();
    if replaces && input.targets.is_none() {
        return Err(ApiError::validation(
            "Targets: with Replace every member that a target cannot be without has to be given.",
        ));
    }
    let mut transaction = plane.db.begin().await?;
    let old = queries::one_registered::<TargetDefinition>(&mut *transaction, region, window_id, id)
        .await?
        .ok_or_else(|| missing("Maintenance window target", id))?;
    let kept = |given: Option<String>, old: Option<String>| given.or(old.filter(|_| !replaces));
    let definition = TargetDefinition {
        resource_type: old.resource_type,
        targets: input.targets.unwrap_or(old.targets),
        owner_information: kept(input.owner_information, old.owner_information),
        name: kept(input.name, old.name),
        description: kept(input.description, old.description),
    };
    check_targets(&definition.resource_type, &definition.targets)?;
    queries::put_registered(&mut *transaction, region, window_id, id, &definition).await?;
    transaction.commit().await?;
    Ok(Output {
        window_id: input.window_id,
        window_target_id: input.window_target_id,
        definition,
    })
}
