//! `ListAssociationVersions`: oldest first.

use super::definition::Definition;
use super::queries::{Version, versions};
use super::{ASSOCIATION_ID, find};
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::fleet::seconds;
use crate::operations::Call;
use crate::paging::page;
use crate::validation::{Member, NEXT_TOKEN, optional, required, whole};
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[
    required("AssociationId", ASSOCIATION_ID),
    optional("MaxResults", whole(1, 50)),
    optional("NextToken", NEXT_TOKEN),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    association_id: String,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shown {
    association_id: String,
    association_version: String,
    created_date: f64,
    #[serde(flatten)]
    definition: Definition,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    association_versions: Vec<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let row = find(plane, call, Some(&input.association_id), None, None).await?;
    let scope = format!("ListAssociationVersions|{}|{}", call.region, row.association_id);
    let after = match input.next_token.as_deref() {
        None | Some("") => 0,
        Some(token) => {
            let position = plane.tokens.open(&scope, token)?;
            position
                .first()
                .and_then(|text| text.parse().ok())
                .unwrap_or_default()
        }
    };
    let limit = input.max_results.unwrap_or(50);
    let (region, id) = (&row.region, &row.association_id);
    let rows = versions(plane.db.reader(), region, id, after, limit as i64 + 1).await?;
    let (rows, next_token) = page(&plane.tokens, &scope, rows, limit, |(number, _, _)| {
        vec![number.to_string()]
    });
    let shown = |(number, definition, at): Version| Shown {
        association_id: row.association_id.clone(),
        association_version: number.to_string(),
        created_date: seconds(at),
        definition,
    };
    Ok(Output {
        association_versions: rows.into_iter().map(shown).collect(),
        next_token,
    })
}
