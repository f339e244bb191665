//! `DeleteParameter`.

use super::name::Name;
use super::{NAME, TAGS, not_found, queries};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::fleet::Empty;
use crate::operations::Call;
use crate::tags::queries as tags;
use crate::validation::{Member, required};
use serde::Deserialize;

pub(crate) const INPUT: &[Member] = &[required("Name", NAME)];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    name: String,
}

/// Deletes a parameter with all that hangs on it; `false` when it is not there.
pub(crate) async fn delete(plane: &ControlPlane, region: &str, key: &str) -> ApiResult<bool> {
    let _turn = plane.parameter_turns.of((region, key)).await;
    let mut transaction = plane.db.begin().await?;
    let found = queries::delete(&mut transaction, region, key).await?;
    if found {
        tags::remove(&mut *transaction, region, TAGS, key, None).await?;
    }
    transaction.commit().await?;
    Ok(found)
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Empty> {
    let name = Name::plain(&input.name)?;
    if delete(plane, &call.region, &name.key).await? {
        Ok(Empty {})
    } else {
        Err(not_found())
    }
}
