//! `DeleteInventory`: a custom type on all nodes. Here it is done when it is answered. Also how a deletion is told.

use super::{TYPE_NAME, queries};
use crate::client_tokens::Once;
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use crate::validation::{Member, Pattern, Shape, is_uuid, matching, one_of, optional, required};
use serde::{Deserialize, Serialize};

fn has_uuid(text: &str) -> bool {
    // The model's pattern is not tied to the ends of the text.
    (0..text.len()).any(|at| text.get(at..at + 36).is_some_and(is_uuid))
}

pub(crate) const UUID: Shape = matching(
    0,
    usize::MAX,
    Pattern {
        text: "[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}",
        holds: has_uuid,
    },
);
pub(crate) const INPUT: &[Member] = &[
    required("TypeName", TYPE_NAME),
    optional("SchemaDeleteOption", one_of(&["DisableSchema", "DeleteSchema"])),
    optional("DryRun", Shape::Flag),
    optional("ClientToken", UUID),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    type_name: String,
    schema_delete_option: Option<String>,
    dry_run: Option<bool>,
    client_token: Option<String>,
}

/// How many of each version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct VersionCount {
    pub(crate) version: String,
    pub(crate) count: i64,
    pub(crate) remaining_count: i64,
}

/// What a deletion deletes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Summary {
    pub(crate) total_count: i64,
    pub(crate) remaining_count: i64,
    pub(crate) summary_items: Vec<VersionCount>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    #[serde(skip_serializing_if = "String::is_empty")]
    deletion_id: String,
    type_name: String,
    deletion_summary: Summary,
}

fn summary(versions: Vec<(String, i64)>, is_done: bool) -> Summary {
    let left = |count: i64| if is_done { 0 } else { count };
    let total = versions.iter().map(|(_, count)| count).sum();
    Summary {
        total_count: total,
        remaining_count: left(total),
        summary_items: versions
            .into_iter()
            .map(|(version, count)| VersionCount {
                version,
                count,
                remaining_count: left(count),
            })
            .collect(),
    }
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let (region, type_name) = (&call.region, &input.type_name);
    if !type_name.starts_with("Custom:") {
        return Err(ApiError::new(
            "InvalidTypeNameException",
            "TypeName: only types that begin with Custom: can be deleted.",
        ));
    }
    if input.dry_run == Some(true) {
        let versions = queries::versions(plane.db.reader(), region, type_name).await?;
        return Ok(Output {
            deletion_id: String::new(),
            type_name: input.type_name,
            deletion_summary: summary(versions, false),
        });
    }
    let once = Once::new(
        "DeleteInventory",
        input.client_token,
        &(type_name, &input.schema_delete_option),
    )?;
    let mut transaction = plane.db.begin().await?;
    if let Some(deletion_id) = once.answered(&mut transaction, call).await? {
        let known = queries::deletion(&mut *transaction, region, &deletion_id).await?;
        return Ok(Output {
            deletion_id,
            type_name: input.type_name,
            deletion_summary: known.map(|known| known.summary).unwrap_or_default(),
        });
    }
    let versions = queries::versions(&mut *transaction, region, type_name).await?;
    queries::delete_type(&mut *transaction, region, type_name).await?;
    if input.schema_delete_option.as_deref() == Some("DisableSchema") {
        for (version, _) in &versions {
            queries::disable(&mut *transaction, region, type_name, version).await?;
        }
    } else {
        queries::enable(&mut *transaction, region, type_name).await?;
    }
    let row = queries::DeletionRow {
        deletion_id: call.fresh_id.clone(),
        type_name: input.type_name.clone(),
        summary: summary(versions, true),
        started_at: call.now,
    };
    queries::insert_deletion(&mut *transaction, region, &row).await?;
    once.keep(&mut transaction, call, &row.deletion_id).await?;
    transaction.commit().await?;
    Ok(Output {
        deletion_id: row.deletion_id,
        type_name: input.type_name,
        deletion_summary: row.summary,
    })
}
