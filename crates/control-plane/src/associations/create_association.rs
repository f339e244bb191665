//! `CreateAssociation`. It runs at once, unless it waits for its schedule.

use super::definition::{
    ALARM_CONFIGURATION, CALENDARS, DISPATCH_ROLE, DOCUMENT_VERSION, DURATION, Definition, ITS_NAME,
    ITS_TARGETS, LOCATIONS, MAPS, MAX_CONCURRENCY, MAX_ERRORS, NODE, OFFSET, ONLY_AT_INTERVAL,
    OUTPUT_LOCATION, PARAMETERS, SCHEDULE, SEVERITY, SYNC, TARGET_PARAMETER,
};
use super::queries::{self, AssociationRow};
use super::shown::{Output, description};
use super::{MAX_ASSOCIATIONS, TAGS, check, refused};
use crate::control_plane::ControlPlane;
use crate::documents::NAME;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::tags::{self, TagInput};
use crate::validation::{self, Member, optional, required};
use serde::Deserialize;

pub(crate) const INPUT: &[Member] = &[
    required("Name", NAME),
    DOCUMENT_VERSION,
    NODE,
    PARAMETERS,
    ITS_TARGETS,
    SCHEDULE,
    OUTPUT_LOCATION,
    ITS_NAME,
    TARGET_PARAMETER,
    MAX_ERRORS,
    MAX_CONCURRENCY,
    SEVERITY,
    SYNC,
    ONLY_AT_INTERVAL,
    CALENDARS,
    LOCATIONS,
    OFFSET,
    DURATION,
    MAPS,
    optional("Tags", validation::TAGS),
    ALARM_CONFIGURATION,
    DISPATCH_ROLE,
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    #[serde(flatten)]
    definition: Definition,
    tags: Option<Vec<TagInput>>,
}

/// Makes one; `id` is new.
pub(crate) async fn create(
    plane: &ControlPlane,
    call: &Call,
    id: String,
    definition: Definition,
    tags: Vec<(String, String)>,
) -> ApiResult<AssociationRow> {
    check(plane, call, &definition).await?;
    let row = AssociationRow {
        region: call.region.clone(),
        association_id: id,
        version: 1,
        next_at: if definition.waits_for_schedule() {
            definition.next(call.now, call.now)?
        } else {
            Some(call.now)
        },
        definition,
        created_at: call.now,
        modified_at: call.now,
        last_execution_at: None,
        last_success_at: None,
    };
    let mut transaction = plane.db.begin().await?;
    if queries::count(&mut *transaction, &call.region).await? >= MAX_ASSOCIATIONS {
        return Err(crate::errors::ApiError::bare("AssociationLimitExceeded"));
    }
    if let Some(node) = &row.definition.instance_id {
        let others = queries::of_document(&mut *transaction, &call.region, &row.definition.name).await?;
        if others
            .iter()
            .any(|other| other.definition.instance_id.as_ref() == Some(node))
        {
            return Err(crate::errors::ApiError::bare("AssociationAlreadyExists"));
        }
    }
    queries::put(&mut transaction, &row).await?;
    for tag in &tags {
        tags::queries::put(&mut *transaction, &call.region, TAGS, &row.association_id, tag).await?;
    }
    transaction.commit().await?;
    plane.wake.notify_one();
    Ok(row)
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let tags = tags::check_new(input.tags.unwrap_or_default()).map_err(|error| {
        refused(
            "InvalidTag",
            error.message.unwrap_or_else(|| error.code.to_owned()),
        )
    })?;
    let row = create(plane, call, call.fresh_id.clone(), input.definition, tags).await?;
    Ok(Output {
        association_description: description(plane, row).await?,
    })
}
