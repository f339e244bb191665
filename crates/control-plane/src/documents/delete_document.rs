//! `DeleteDocument`: a version that is not the default one, or the document with all of them.

use super::create_document::PLAIN_NAME;
use super::queries;
use super::shown::{missing, no_version, pick};
use super::{TAGS, VERSION, VERSION_NAME};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::fleet::Empty;
use crate::operations::Call;
use crate::tags::queries as tags;
use crate::validation::{Member, Shape, optional, required};
use serde::Deserialize;

pub(crate) const INPUT: &[Member] = &[
    required("Name", PLAIN_NAME),
    optional("DocumentVersion", VERSION),
    optional("VersionName", VERSION_NAME),
    optional("Force", Shape::Flag),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    name: String,
    document_version: Option<String>,
    version_name: Option<String>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Empty> {
    let (region, name) = (&call.region, &input.name);
    let mut transaction = plane.db.begin().await?;
    if !queries::lock(&mut *transaction, region, name).await? {
        return Err(missing(name));
    }
    let rows = queries::versions(&mut *transaction, region, name).await?;
    let is_only = rows.len() == 1;
    let wanted = input.document_version.as_deref().filter(|text| !text.is_empty());
    let version = if wanted.is_some() || input.version_name.is_some() {
        let version = pick(rows, wanted, input.version_name.as_deref()).map_err(|_| no_version())?;
        if version.version == version.default && !is_only {
            return Err(ApiError::new(
                "InvalidDocumentOperation",
                "Default version of the document can't be deleted.",
            ));
        }
        Some(version.version)
    } else {
        None
    };
    let is_last = version.is_none() || is_only;
    if is_last {
        let shared = queries::shared_with(&mut *transaction, region, name, "", 1).await?;
        if !shared.is_empty() {
            return Err(ApiError::new(
                "InvalidDocumentOperation",
                "You attempted to delete a document while it is still shared. You must stop sharing the document before \
                 you can delete it.",
            ));
        }
        tags::remove(&mut *transaction, region, TAGS, name, None).await?;
    }
    queries::delete(&mut *transaction, region, name, version).await?;
    transaction.commit().await?;
    Ok(Empty {})
}
