//! `UpdateMaintenanceWindow`: what is not given stays, with `Replace` it becomes empty.

use super::queries;
use super::schedule::Moments;
use super::{DESCRIPTION, Definition, NAME, WINDOW_ID};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use crate::validation::{ANY_TEXT, Member, Shape, optional, required, text, whole};
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[
    required("WindowId", WINDOW_ID),
    optional("Name", NAME),
    DESCRIPTION,
    optional("StartDate", ANY_TEXT),
    optional("EndDate", ANY_TEXT),
    optional("Schedule", text(1, 256)),
    optional("ScheduleTimezone", ANY_TEXT),
    optional("ScheduleOffset", whole(1, 6)),
    optional("Duration", whole(1, 24)),
    optional("Cutoff", whole(0, 23)),
    optional("AllowUnassociatedTargets", Shape::Flag),
    optional("Enabled", Shape::Flag),
    optional("Replace", Shape::Flag),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    window_id: String,
    name: Option<String>,
    description: Option<String>,
    start_date: Option<String>,
    end_date: Option<String>,
    schedule: Option<String>,
    schedule_timezone: Option<String>,
    schedule_offset: Option<i64>,
    duration: Option<i64>,
    cutoff: Option<i64>,
    allow_unassociated_targets: Option<bool>,
    enabled: Option<bool>,
    replace: Option<bool>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    window_id: String,
    #[serde(flatten)]
    definition: Definition,
}

/// A text that is given empty is taken away.
fn text_or(given: Option<String>, before: Option<String>) -> Option<String> {
    given.or(before).filter(|text| !text.is_empty())
}

fn changed(input: &Input, old: Definition) -> ApiResult<Definition> {
    let replaces = input.replace.unwrap_or_default();
    let needed = |member: &str| {
        ApiError::validation(format!(
            "{member}: with Replace every member that a window cannot be without has to be given."
        ))
    };
    if replaces {
        for (member, is_given) in [
            ("Name", input.name.is_some()),
            ("Schedule", input.schedule.is_some()),
            ("Duration", input.duration.is_some()),
            ("Cutoff", input.cutoff.is_some()),
            (
                "AllowUnassociatedTargets",
                input.allow_unassociated_targets.is_some(),
            ),
        ] {
            if !is_given {
                return Err(needed(member));
            }
        }
    }
    let kept = |text: Option<String>| text.filter(|_| !replaces);
    Ok(Definition {
        name: input.name.clone().unwrap_or(old.name),
        description: text_or(input.description.clone(), kept(old.description)),
        start_date: text_or(input.start_date.clone(), kept(old.start_date)),
        end_date: text_or(input.end_date.clone(), kept(old.end_date)),
        schedule: input.schedule.clone().unwrap_or(old.schedule),
        schedule_timezone: text_or(input.schedule_timezone.clone(), kept(old.schedule_timezone)),
        schedule_offset: input
            .schedule_offset
            .or(old.schedule_offset.filter(|_| !replaces)),
        duration: input.duration.unwrap_or(old.duration),
        cutoff: input.cutoff.unwrap_or(old.cutoff),
        allow_unassociated_targets: input
            .allow_unassociated_targets
            .unwrap_or(old.allow_unassociated_targets),
        // What a window is that is replaced without a word about it: enabled, as a new one.
        enabled: input.enabled.unwrap_or(old.enabled || replaces),
    })
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let mut transaction = plane.db.begin().await?;
    let mut row = queries::window(&mut *transaction, &call.region, &input.window_id)
        .await?
        .ok_or_else(|| super::missing("Maintenance window", &input.window_id))?;
    let before = row.definition.clone();
    row.definition = changed(&input, row.definition)?;
    let moments = Moments::read(&row.definition, row.created_at)?;
    // Others may have opened it while this call waited.
    let now = plane.clock.now();
    let is_due = row.next_at.is_some_and(|at| at <= now);
    row.next_at = match row.definition.enabled {
        false => None,
        // What is due opens still, and then by the new schedule.
        true if is_due || before.opens_as(&row.definition) => row.next_at,
        true => moments.next(now),
    };
    row.modified_at = now;
    queries::update(&mut *transaction, &row).await?;
    transaction.commit().await?;
    Ok(Output {
        window_id: row.window_id,
        definition: row.definition,
    })
}
