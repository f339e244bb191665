//! `CreateMaintenanceWindow`.

use super::queries::{self, WindowRow};
use super::schedule::Moments;
use super::{CLIENT_TOKEN, DESCRIPTION, Definition, MAX_WINDOWS, NAME, TAGS, WindowId, fresh_window_id};
use crate::client_tokens::Once;
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use crate::tags::{self, TagInput};
use crate::validation::{self, ANY_TEXT, Member, Shape, optional, required, text, whole};
use serde::Deserialize;

pub(crate) const INPUT: &[Member] = &[
    required("Name", NAME),
    DESCRIPTION,
    optional("StartDate", ANY_TEXT),
    optional("EndDate", ANY_TEXT),
    required("Schedule", text(1, 256)),
    optional("ScheduleTimezone", ANY_TEXT),
    optional("ScheduleOffset", whole(1, 6)),
    required("Duration", whole(1, 24)),
    required("Cutoff", whole(0, 23)),
    required("AllowUnassociatedTargets", Shape::Flag),
    CLIENT_TOKEN,
    optional("Tags", validation::TAGS),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    name: String,
    description: Option<String>,
    start_date: Option<String>,
    end_date: Option<String>,
    schedule: String,
    schedule_timezone: Option<String>,
    schedule_offset: Option<i64>,
    duration: i64,
    cutoff: i64,
    allow_unassociated_targets: bool,
    client_token: Option<String>,
    tags: Option<Vec<TagInput>>,
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<WindowId> {
    let tags = tags::check_new(input.tags.unwrap_or_default())?;
    let definition = Definition {
        name: input.name,
        description: input.description,
        start_date: input.start_date.filter(|text| !text.is_empty()),
        end_date: input.end_date.filter(|text| !text.is_empty()),
        schedule: input.schedule,
        schedule_timezone: input.schedule_timezone.filter(|text| !text.is_empty()),
        schedule_offset: input.schedule_offset,
        duration: input.duration,
        cutoff: input.cutoff,
        allow_unassociated_targets: input.allow_unassociated_targets,
        enabled: true,
    };
    let moments = Moments::read(&definition, call.now)?;
    let once = Once::new(
        "CreateMaintenanceWindow",
        input.client_token,
        &(&definition, &tags),
    )?;
    let row = WindowRow {
        region: call.region.clone(),
        window_id: fresh_window_id(call),
        definition,
        next_at: moments.next(call.now),
        created_at: call.now,
        modified_at: call.now,
    };
    let mut transaction = plane.db.begin().await?;
    if let Some(window_id) = once.answered(&mut transaction, call).await? {
        return Ok(WindowId { window_id });
    }
    if queries::windows(&mut *transaction, &call.region).await?.len() >= MAX_WINDOWS {
        return Err(ApiError::new(
            "ResourceLimitExceededException",
            format!("A region has at most {MAX_WINDOWS} maintenance windows. Delete one that is not needed."),
        ));
    }
    queries::insert(&mut *transaction, &row).await?;
    for tag in &tags {
        tags::queries::put(&mut *transaction, &call.region, TAGS, &row.window_id, tag).await?;
    }
    once.keep(&mut transaction, call, &row.window_id).await?;
    transaction.commit().await?;
    Ok(WindowId {
        window_id: row.window_id,
    })
}
