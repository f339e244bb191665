//! The fields of a window's settings.

use crate::components::{CheckField, TextField};
use crate::error::{AppError, field_error};
use leptos::prelude::*;
use muster_domain::windows::WindowSettings;

/// What a new window begins with.
pub(super) fn usual() -> WindowSettings {
    WindowSettings {
        enabled: true,
        schedule: "cron(0 2 ? * SUN *)".into(),
        time_zone: "UTC".into(),
        duration_hours: 2,
        cutoff_hours: 1,
        ..WindowSettings::default()
    }
}

/// The fields.
#[component]
pub(super) fn SettingsFields(settings: WindowSettings, error: Signal<Option<AppError>>) -> impl IntoView {
    let days = match settings.offset_days {
        0 => String::new(),
        days => days.to_string(),
    };
    view! {
        <div class="form-row">
            <TextField
                name="name"
                label="Name"
                value=settings.name
                hint="3 to 128 letters, digits, dots, hyphens and underscores."
                required=true
                error=field_error(error, "name")
            />
            <TextField
                name="description"
                label="Description (optional)"
                value=settings.description
                error=field_error(error, "description")
            />
        </div>
        <div class="form-row">
            <TextField
                name="schedule"
                label="Schedule"
                value=settings.schedule
                hint="cron(0 2 ? * SUN *), rate(7 days) or at(2030-01-31T02:00:00)."
                required=true
                error=field_error(error, "schedule")
            />
            <TextField
                name="time_zone"
                label="Time zone"
                value=settings.time_zone
                hint="As Europe/Berlin; empty is UTC."
                error=field_error(error, "time_zone")
            />
            <TextField
                name="offset_days"
                label="Days of offset (optional)"
                value=days
                hint="1 to 6 days after a cron schedule's day."
                error=field_error(error, "offset_days")
            />
        </div>
        <div class="form-row">
            <TextField
                name="duration_hours"
                label="Open for hours"
                value=settings.duration_hours.to_string()
                hint="1 to 24."
                required=true
                error=field_error(error, "duration_hours")
            />
            <TextField
                name="cutoff_hours"
                label="Begin nothing in the last hours"
                value=settings.cutoff_hours.to_string()
                hint="Less than the hours it is open; 0 begins until its end."
                required=true
                error=field_error(error, "cutoff_hours")
            />
        </div>
        <div class="form-row">
            <TextField
                name="starts"
                label="Not before (optional)"
                value=settings.starts
                placeholder="2030-01-31T02:00:00Z"
                error=field_error(error, "starts")
            />
            <TextField
                name="ends"
                label="Not after (optional)"
                value=settings.ends
                placeholder="2030-12-31T02:00:00Z"
                error=field_error(error, "ends")
            />
        </div>
        <CheckField name="enabled" label="Enabled" checked=settings.enabled hint="One that is not enabled never opens." />
        <CheckField
            name="allow_unassociated"
            label="Tasks may name nodes that are no targets of the window"
            checked=settings.allow_unassociated
        />
    }
}
