//! `DescribeAssociation`: as it is, or as a version of it was.

use super::definition::NODE;
use super::shown::{Output, description};
use super::{ASSOCIATION_ID, ASSOCIATION_VERSION, find, queries, refused};
use crate::control_plane::ControlPlane;
use crate::documents::NAME;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::validation::{Member, optional};
use serde::Deserialize;

pub(crate) const INPUT: &[Member] = &[
    optional("Name", NAME),
    NODE,
    optional("AssociationId", ASSOCIATION_ID),
    optional("AssociationVersion", ASSOCIATION_VERSION),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    name: Option<String>,
    instance_id: Option<String>,
    association_id: Option<String>,
    association_version: Option<String>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let id = input.association_id.as_deref();
    let mut row = find(
        plane,
        call,
        id,
        input.name.as_deref(),
        input.instance_id.as_deref(),
    )
    .await?;
    if let Some(version) = input.association_version.filter(|version| version != "$LATEST") {
        let number: i64 = version.parse().unwrap_or(i64::MAX);
        let (region, id) = (&row.region, &row.association_id);
        let found = queries::versions(plane.db.reader(), region, id, number.saturating_sub(1), 1).await?;
        let found = found.into_iter().find(|(found, _, _)| *found == number);
        let (number, definition, at) = found.ok_or_else(|| {
            refused(
                "InvalidAssociationVersion",
                format!("The association has no version {version}."),
            )
        })?;
        (row.version, row.definition, row.modified_at) = (number, definition, at);
    }
    Ok(Output {
        association_description: description(plane, row).await?,
    })
}
