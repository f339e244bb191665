//! `UpdateAssociation`: a new version. What is not given becomes empty, as the service does it, but for the document and
//! the targets. It runs anew, unless it waits for its schedule.

use super::definition::{
    ALARM_CONFIGURATION, CALENDARS, DISPATCH_ROLE, DOCUMENT_VERSION, DURATION, Definition, ITS_NAME,
    ITS_TARGETS, LOCATIONS, MAPS, MAX_CONCURRENCY, MAX_ERRORS, OFFSET, ONLY_AT_INTERVAL, OUTPUT_LOCATION,
    PARAMETERS, SCHEDULE, SEVERITY, SYNC, TARGET_PARAMETER,
};
use super::shown::{Output, description};
use super::{ASSOCIATION_ID, ASSOCIATION_VERSION, MAX_VERSIONS, check, find, missing, queries, refused};
use crate::control_plane::ControlPlane;
use crate::documents::NAME;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::validation::{Member, optional, required};
use serde::Deserialize;

pub(crate) const INPUT: &[Member] = &[
    required("AssociationId", ASSOCIATION_ID),
    PARAMETERS,
    DOCUMENT_VERSION,
    SCHEDULE,
    OUTPUT_LOCATION,
    optional("Name", NAME),
    ITS_TARGETS,
    ITS_NAME,
    optional("AssociationVersion", ASSOCIATION_VERSION),
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
    ALARM_CONFIGURATION,
    DISPATCH_ROLE,
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    association_id: String,
    association_version: Option<String>,
    #[serde(flatten)]
    definition: Definition,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let old = find(plane, call, Some(&input.association_id), None, None).await?;
    if let Some(version) = input.association_version.filter(|version| version != "$LATEST")
        && version != old.version.to_string()
    {
        return Err(refused(
            "InvalidAssociationVersion",
            format!(
                "Version {version} is not the newest, {}; only the newest can be changed.",
                old.version
            ),
        ));
    }
    let mut definition = input.definition;
    if definition.name.is_empty() {
        definition.name.clone_from(&old.definition.name);
    }
    if definition.targets.is_none() {
        definition.targets.clone_from(&old.definition.targets);
        definition.instance_id.clone_from(&old.definition.instance_id);
    }
    check(plane, call, &definition).await?;
    let mut transaction = plane.db.begin().await?;
    let mut row = queries::association(&mut *transaction, &call.region, &old.association_id)
        .await?
        .ok_or_else(missing)?;
    if row.version != old.version {
        return Err(refused(
            "TooManyUpdates",
            "The association was changed by somebody else at the same moment. Look at it and try again.",
        ));
    }
    if row.version >= MAX_VERSIONS {
        return Err(refused(
            "AssociationVersionLimitExceeded",
            format!("An association has at most {MAX_VERSIONS} versions. Make a new one."),
        ));
    }
    row.version += 1;
    row.modified_at = call.now;
    row.next_at = if definition.waits_for_schedule() {
        definition.next(call.now, row.created_at)?
    } else {
        Some(call.now)
    };
    row.definition = definition;
    queries::put(&mut transaction, &row).await?;
    transaction.commit().await?;
    plane.wake.notify_one();
    Ok(Output {
        association_description: description(plane, row).await?,
    })
}
