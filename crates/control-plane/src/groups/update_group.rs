//! `UpdateGroup`: what people say of it. What is not sent stays.

use super::queries;
use super::shapes::{CRITICALITY, DESCRIPTION, DISPLAY_NAME, GROUP, GROUP_NAME, OWNER};
use super::{GroupOutput, locked, shown};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::validation::Member;
use queries::About;
use serde::Deserialize;

pub(crate) const INPUT: &[Member] = &[GROUP_NAME, GROUP, DESCRIPTION, CRITICALITY, OWNER, DISPLAY_NAME];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    group_name: Option<String>,
    group: Option<String>,
    #[serde(flatten)]
    about: About,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<GroupOutput> {
    let mut transaction = plane.db.begin().await?;
    let named = (input.group.as_deref(), input.group_name.as_deref());
    let mut row = locked(plane, &mut transaction, call, named.0, named.1).await?;
    let old = row.about;
    row.about = About {
        description: input.about.description.or(old.description),
        criticality: input.about.criticality.or(old.criticality),
        owner: input.about.owner.or(old.owner),
        display_name: input.about.display_name.or(old.display_name),
    };
    queries::update(&mut *transaction, &row).await?;
    transaction.commit().await?;
    Ok(GroupOutput {
        group: shown(plane, &row),
    })
}
