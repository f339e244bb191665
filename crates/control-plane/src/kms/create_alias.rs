//! `CreateAlias`.

use super::queries::{self, AliasRow};
use super::{ALIAS_NAME, KEY_ID, alias_arn, resolve};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::fleet::Empty;
use crate::operations::Call;
use crate::validation::{Member, required};
use serde::Deserialize;

pub(crate) const INPUT: &[Member] = &[required("AliasName", ALIAS_NAME), required("TargetKeyId", KEY_ID)];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    alias_name: String,
    target_key_id: String,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Empty> {
    let alias = input.alias_name;
    let Some(name) = alias.strip_prefix("alias/") else {
        return Err(ApiError::validation(
            "Alias must start with the prefix \"alias/\". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html",
        ));
    };
    if name.starts_with("aws/") {
        return Err(ApiError::new(
            "NotAuthorizedException",
            "Aliases that begin with alias/aws/ are the service's own: choose another one.",
        ));
    }
    if name.is_empty() || name.contains(':') {
        return Err(ApiError::new(
            "InvalidAliasNameException",
            format!("{alias} names nothing: letters, digits, / _ and - have to follow on alias/."),
        ));
    }
    if input.target_key_id.contains("alias/") {
        return Err(ApiError::validation("Aliases must refer to keys. Not aliases"));
    }
    let key = resolve::key_row(plane, call, &input.target_key_id).await?;
    let row = AliasRow {
        alias,
        key_id: key.key_id,
        created_at: call.now,
    };
    match queries::insert_alias(plane.db.writer(), &call.region, &row).await {
        Err(error) if error.is_unique_violation() => Err(ApiError::new(
            "AlreadyExistsException",
            format!(
                "An alias with the name {} already exists",
                alias_arn(&plane.config.account, &call.region, &row.alias)
            ),
        )),
        Err(error) => Err(error.into()),
        Ok(()) => Ok(Empty {}),
    }
}
