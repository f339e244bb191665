//! State Manager: associations bind a document to nodes, run it when they are made or changed, on a schedule and on nodes
//! that newly match, and tell on which nodes it holds. One file per operation; the running is in `rounds.rs`.
//!
//! Invariant: a run's command is written down in the transaction that says that the run has begun, so it is sent once.

pub(crate) mod create_association;
pub(crate) mod create_association_batch;
pub(crate) mod definition;
pub(crate) mod delete_association;
pub(crate) mod describe_association;
pub(crate) mod describe_association_execution_targets;
pub(crate) mod describe_association_executions;
pub(crate) mod describe_effective_instance_associations;
pub(crate) mod describe_instance_associations_status;
pub(crate) mod list_association_versions;
pub(crate) mod list_associations;
pub(crate) mod queries;
pub(crate) mod refresh;
pub(crate) mod rounds;
pub(crate) mod run_queries;
pub(crate) mod running;
pub(crate) mod shown;
pub(crate) mod start_associations_once;
pub(crate) mod update_association;

use crate::commands::order;
use crate::commands::targets::by_targets;
use crate::control_plane::ControlPlane;
use crate::documents::parameters;
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use crate::validation::{Pattern, Shape, is_uuid, matching};
use definition::Definition;
use queries::AssociationRow;

/// The word in `resource_type` for an association's tags.
pub(crate) const TAGS: &str = "Association";
/// Associations of a region at most (service quotas).
pub(crate) const MAX_ASSOCIATIONS: i64 = 2_000;
/// Versions of an association at most (service quotas).
pub(crate) const MAX_VERSIONS: i64 = 1_000;

fn has_uuid(text: &str) -> bool {
    // The model's pattern is not tied to the ends of the text.
    (0..text.len()).any(|at| {
        text.get(at..at + 36)
            .is_some_and(|part| is_uuid(&part.to_ascii_lowercase()))
    })
}

const UUID: Pattern = Pattern {
    text: "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}",
    holds: has_uuid,
};
pub(crate) const ASSOCIATION_ID: Shape = matching(0, usize::MAX, UUID);
pub(crate) const EXECUTION_ID: Shape = matching(0, usize::MAX, UUID);
pub(crate) const ASSOCIATION_VERSION: Shape = matching(
    0,
    usize::MAX,
    Pattern {
        text: "^(([$]LATEST)|([1-9][0-9]*))$",
        holds: |text| {
            text == "$LATEST"
                || (!text.is_empty() && !text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit()))
        },
    },
);
pub(crate) const ASSOCIATION_NAME: Shape = matching(
    0,
    usize::MAX,
    Pattern {
        text: "^[a-zA-Z0-9_\\-.]{3,128}$",
        holds: |text| (3..=128).contains(&text.len()) && crate::documents::is_plain(text),
    },
);

pub(crate) fn refused(code: &'static str, message: impl Into<String>) -> ApiError {
    ApiError::new(code, message)
}

pub(crate) fn missing() -> ApiError {
    refused(
        "AssociationDoesNotExist",
        "The specified association does not exist.",
    )
}

/// An association of the call's region, by its id, or by its document and node as the oldest ones are named.
pub(crate) async fn find(
    plane: &ControlPlane,
    call: &Call,
    id: Option<&str>,
    name: Option<&str>,
    node: Option<&str>,
) -> ApiResult<AssociationRow> {
    let found = match (id, name, node) {
        (Some(id), _, _) => queries::association(plane.db.reader(), &call.region, id).await?,
        (None, Some(name), Some(node)) => queries::of_document(plane.db.reader(), &call.region, name)
            .await?
            .into_iter()
            .find(|row| row.definition.instance_id.as_deref() == Some(node)),
        _ => {
            return Err(ApiError::validation(
                "Name the association: by AssociationId, or by Name and InstanceId.",
            ));
        }
    };
    found.ok_or_else(missing)
}

/// That the document is there and takes the parameters, and the targets can be read.
pub(crate) async fn check(plane: &ControlPlane, call: &Call, definition: &Definition) -> ApiResult<()> {
    definition.check()?;
    let version = definition.document_version.as_deref();
    let document = order::document(plane, &call.region, &definition.name, version).await?;
    if let Some(content) = document.content.command() {
        let given = definition.parameters.clone().unwrap_or_default();
        parameters::check_names(&document.name, &content.parameters, &given)?;
        // A value that refers to a parameter is known when it is run.
        if !given
            .values()
            .flatten()
            .any(|value| crate::parameters::references::is_in(value))
        {
            parameters::check(&document.name, &content.parameters, &given)?;
        }
    }
    let nodes = by_targets(plane, &call.region, &definition.all_targets())
        .await
        .map_err(|error| match error.code {
            "ValidationException" => refused("InvalidTarget", error.message.unwrap_or_default()),
            _ => error,
        })?;
    match &definition.instance_id {
        Some(id) if nodes.is_empty() => Err(refused(
            "InvalidInstanceId",
            format!("{id} is not a valid instance ID"),
        )),
        _ => Ok(()),
    }
}
