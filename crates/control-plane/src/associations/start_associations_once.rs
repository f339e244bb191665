//! `StartAssociationsOnce`: has them run as soon as may be, whatever their schedule says.

use super::{ASSOCIATION_ID, missing, queries};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::fleet::Empty;
use crate::operations::Call;
use crate::validation::{Member, list, required};
use serde::Deserialize;

pub(crate) const INPUT: &[Member] = &[required("AssociationIds", list(1, 10, &ASSOCIATION_ID))];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    association_ids: Vec<String>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Empty> {
    let mut transaction = plane.db.begin().await?;
    for id in &input.association_ids {
        let row = queries::association(&mut *transaction, &call.region, id)
            .await?
            .ok_or_else(missing)?;
        queries::run_now(&mut *transaction, &row, call.now).await?;
    }
    transaction.commit().await?;
    plane.wake.notify_one();
    Ok(Empty {})
}
