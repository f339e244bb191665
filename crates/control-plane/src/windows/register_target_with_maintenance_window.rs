//! `RegisterTargetWithMaintenanceWindow`.

use super::{
    CLIENT_TOKEN, DESCRIPTION, MAX_TARGETS, NAME, OWNER_INFORMATION, RESOURCE_TYPE, TargetDefinition,
    WINDOW_ID, check_targets, missing, queries,
};
use crate::client_tokens::Once;
use crate::commands::shapes::TARGETS;
use crate::commands::targets::Target;
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use crate::validation::{Member, optional, required};
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[
    required("WindowId", WINDOW_ID),
    required("ResourceType", RESOURCE_TYPE),
    required("Targets", TARGETS),
    OWNER_INFORMATION,
    optional("Name", NAME),
    DESCRIPTION,
    CLIENT_TOKEN,
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    window_id: String,
    resource_type: String,
    targets: Vec<Target>,
    owner_information: Option<String>,
    name: Option<String>,
    description: Option<String>,
    client_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    window_target_id: String,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    check_targets(&input.resource_type, &input.targets)?;
    let (region, window_id) = (&call.region, &input.window_id);
    let definition = TargetDefinition {
        resource_type: input.resource_type,
        targets: input.targets,
        owner_information: input.owner_information,
        name: input.name,
        description: input.description,
    };
    let once = Once::new(
        "RegisterTargetWithMaintenanceWindow",
        input.client_token,
        &(window_id, &definition),
    )?;
    let mut transaction = plane.db.begin().await?;
    if let Some(window_target_id) = once.answered(&mut transaction, call).await? {
        return Ok(Output { window_target_id });
    }
    queries::window(&mut *transaction, region, window_id)
        .await?
        .ok_or_else(|| missing("Maintenance window", window_id))?;
    let others = queries::registered::<TargetDefinition>(&mut *transaction, region, window_id).await?;
    if others.len() >= MAX_TARGETS {
        return Err(ApiError::new(
            "ResourceLimitExceededException",
            format!("A maintenance window has at most {MAX_TARGETS} targets."),
        ));
    }
    let window_target_id = call.fresh_id.clone();
    queries::put_registered(
        &mut *transaction,
        region,
        window_id,
        &window_target_id,
        &definition,
    )
    .await?;
    once.keep(&mut transaction, call, &window_target_id).await?;
    transaction.commit().await?;
    Ok(Output { window_target_id })
}
