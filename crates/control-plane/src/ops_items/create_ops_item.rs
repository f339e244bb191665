//! `CreateOpsItem`. An open item of the same source that is known by the same text is told instead of made again.

use super::queries::{self, EventRow, OpsItemRow};
use super::{
    ACTUAL_END, ACTUAL_START, CATEGORY, DATA, DESCRIPTION, DataValue, Definition, NOTIFICATIONS, PLANNED_END,
    PLANNED_START, PRIORITY, RELATED, SEVERITY, SOURCE, TAGS, TITLE, arn, dedup, fresh_id, invalid,
};
use crate::caller_identity;
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use crate::tags::{self, TagInput};
use crate::validation::{self, ANY_TEXT, Member, Pattern, Shape, matching, optional, required};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const ACCOUNT: Shape = matching(
    0,
    usize::MAX,
    Pattern {
        text: "^[0-9]{12}$",
        holds: |text| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()),
    },
);
pub(crate) const INPUT: &[Member] = &[
    required("Description", DESCRIPTION),
    optional("OpsItemType", ANY_TEXT),
    DATA,
    NOTIFICATIONS,
    PRIORITY,
    RELATED,
    required("Source", SOURCE),
    required("Title", TITLE),
    optional("Tags", validation::TAGS),
    CATEGORY,
    SEVERITY,
    ACTUAL_START,
    ACTUAL_END,
    PLANNED_START,
    PLANNED_END,
    optional("AccountId", ACCOUNT),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    description: String,
    ops_item_type: Option<String>,
    operational_data: Option<BTreeMap<String, DataValue>>,
    notifications: Option<Vec<BTreeMap<String, String>>>,
    priority: Option<i64>,
    related_ops_items: Option<Vec<BTreeMap<String, String>>>,
    source: String,
    title: String,
    tags: Option<Vec<TagInput>>,
    category: Option<String>,
    severity: Option<String>,
    actual_start_time: Option<f64>,
    actual_end_time: Option<f64>,
    planned_start_time: Option<f64>,
    planned_end_time: Option<f64>,
    account_id: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    ops_item_id: String,
    ops_item_arn: String,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    if input
        .account_id
        .as_ref()
        .is_some_and(|account| *account != plane.config.account)
    {
        return Err(invalid("AccountId: this control plane has one account."));
    }
    if input
        .ops_item_type
        .as_ref()
        .is_some_and(|kind| kind.is_empty() || kind.len() > 256)
    {
        return Err(invalid("OpsItemType has 1 to 256 characters."));
    }
    let tags = tags::check_new(input.tags.unwrap_or_default())?;
    let data = input.operational_data.unwrap_or_default();
    let by = caller_identity::arn(plane, &call.caller);
    let row = OpsItemRow {
        region: call.region.clone(),
        id: fresh_id(call),
        title: input.title,
        source: input.source,
        status: "Open".into(),
        priority: input.priority,
        category: input.category.unwrap_or_default(),
        severity: input.severity.unwrap_or_default(),
        kind: input.ops_item_type.unwrap_or_else(|| "/aws/issue".into()),
        definition: Definition {
            description: input.description,
            operational_data: data,
            notifications: input.notifications.unwrap_or_default(),
            related_ops_items: input.related_ops_items.unwrap_or_default(),
            actual_start_time: input.actual_start_time,
            actual_end_time: input.actual_end_time,
            planned_start_time: input.planned_start_time,
            planned_end_time: input.planned_end_time,
        },
        version: 1,
        created_at: call.now,
        created_by: by.clone(),
        modified_at: call.now,
        modified_by: by.clone(),
    };
    row.definition.check()?;
    let mut transaction = plane.db.begin().await?;
    let known = dedup(&row.definition.operational_data);
    if let Some(id) = queries::known(&mut *transaction, &call.region, &row.source, &known).await? {
        return Err(ApiError::new(
            "OpsItemAlreadyExistsException",
            format!("An OpsItem with id {id} already exists with the same deduplication string and is open."),
        ));
    }
    queries::put(&mut *transaction, &row).await?;
    for tag in &tags {
        tags::queries::put(&mut *transaction, &call.region, TAGS, &row.id, tag).await?;
    }
    let event = EventRow {
        id: row.id.clone(),
        event_id: plane.random.uuid(),
        detail_type: "OpsItem Create".into(),
        detail: serde_json::json!({"title": row.title, "source": row.source, "status": row.status})
            .to_string(),
        created_at: call.now,
        created_by: by,
    };
    queries::insert_event(&mut *transaction, &call.region, &event).await?;
    transaction.commit().await?;
    Ok(Output {
        ops_item_arn: arn(plane, &call.region, &row.id),
        ops_item_id: row.id,
    })
}
