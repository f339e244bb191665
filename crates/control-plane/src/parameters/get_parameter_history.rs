//! `GetParameterHistory`: the versions that are kept, oldest first.

use super::label_queries;
use super::name::Name;
use super::shown::{Metadata, value};
use super::{NAME, WITH_DECRYPTION, not_found, queries};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::paging::page;
use crate::validation::{Member, NEXT_TOKEN, optional, required, whole};
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[
    required("Name", NAME),
    WITH_DECRYPTION,
    optional("MaxResults", whole(1, 50)),
    optional("NextToken", NEXT_TOKEN),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    name: String,
    with_decryption: Option<bool>,
    max_results: Option<u8>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Version {
    #[serde(flatten)]
    metadata: Metadata,
    value: String,
    labels: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    parameters: Vec<Version>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let name = Name::plain(&input.name)?;
    let (on, region) = (plane.db.reader(), &call.region);
    let scope = format!("GetParameterHistory|{region}|{}", name.key);
    let after = match &input.next_token {
        Some(token) => plane.tokens.open(&scope, token)?,
        None => Vec::new(),
    };
    let after: i64 = after.first().and_then(|text| text.parse().ok()).unwrap_or(0);
    let limit = input.max_results.unwrap_or(50);
    let rows = queries::history(on, region, &name.key, after, i64::from(limit) + 1).await?;
    if rows.is_empty() && after == 0 {
        return Err(not_found());
    }
    let (rows, next_token) = page(&plane.tokens, &scope, rows, usize::from(limit), |row| {
        vec![row.version.to_string()]
    });
    let labels = label_queries::labels_of(on, region, &name.key, None).await?;
    let decrypt = input.with_decryption == Some(true);
    let mut parameters = Vec::with_capacity(rows.len());
    for row in rows {
        parameters.push(Version {
            value: value(plane, call, &row, decrypt).await?,
            labels: labels
                .iter()
                .filter(|(_, version)| *version == row.version)
                .map(|(label, _)| label.clone())
                .collect(),
            metadata: Metadata::of(row),
        });
    }
    Ok(Output {
        parameters,
        next_token,
    })
}
