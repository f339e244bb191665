//! `CreateAssociationBatch`: each on its own; those that are refused are told with the reason.

use super::create_association::create;
use super::definition::{
    ALARM_CONFIGURATION, CALENDARS, DISPATCH_ROLE, DOCUMENT_VERSION, DURATION, Definition, ITS_NAME,
    ITS_TARGETS, LOCATIONS, MAPS, MAX_CONCURRENCY, MAX_ERRORS, NODE, OFFSET, ONLY_AT_INTERVAL,
    OUTPUT_LOCATION, PARAMETERS, SCHEDULE, SEVERITY, SYNC, TARGET_PARAMETER,
};
use super::shown::{Description, description};
use crate::control_plane::ControlPlane;
use crate::documents::NAME;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::validation::{Member, Shape, list, required};
use serde::{Deserialize, Serialize};

const ENTRY: Shape = Shape::Record(&[
    required("Name", NAME),
    NODE,
    PARAMETERS,
    TARGET_PARAMETER,
    DOCUMENT_VERSION,
    ITS_TARGETS,
    SCHEDULE,
    OUTPUT_LOCATION,
    ITS_NAME,
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
]);
pub(crate) const INPUT: &[Member] = &[required("Entries", list(1, usize::MAX, &ENTRY)), DISPATCH_ROLE];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    entries: Vec<Definition>,
    association_dispatch_assume_role: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Failure {
    entry: Definition,
    message: String,
    fault: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    successful: Vec<Description>,
    failed: Vec<Failure>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for entry in input.entries {
        let definition = Definition {
            association_dispatch_assume_role: input.association_dispatch_assume_role.clone(),
            ..entry.clone()
        };
        match create(plane, call, plane.random.uuid(), definition, Vec::new()).await {
            Ok(row) => successful.push(description(plane, row).await?),
            Err(error) if error.status == 400 => failed.push(Failure {
                entry,
                message: match error.message {
                    Some(message) => format!("{}: {message}", error.code),
                    None => error.code.to_owned(),
                },
                fault: "Client",
            }),
            Err(error) => return Err(error),
        }
    }
    Ok(Output { successful, failed })
}
