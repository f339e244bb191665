//! Having a runbook started on a schedule instead of now. Part of the form that starts it, so that all of what was typed goes
//! along: without script by the address of the button, with script by the action. The next starts are shown before it is saved.

use super::schedule_api::ScheduleRunbookFn;
use crate::approvals::fields_now;
use crate::commands::{FORM_ID, field_now};
use crate::components::{FormError, Glyph, Icon, TextField, use_toaster};
use crate::error::{AppError, field_error};
use crate::forms::typed;
use leptos::attr::custom::custom_attribute;
use leptos::ev::MouseEvent;
use leptos::form::FromFormData;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

/// By what it is known that the next starts of this timing were shown.
fn key(schedule: &str, zone: &str) -> String {
    let zone = if zone.trim().is_empty() {
        "UTC"
    } else {
        zone.trim()
    };
    format!("{} | {zone}", schedule.trim())
}

/// The panel; closed until somebody wants it.
#[component]
pub(super) fn SchedulePanel(
    action: ServerAction<ScheduleRunbookFn>,
    /// What was wrong with scheduling it.
    error: Signal<Option<AppError>>,
    /// Whether it is to be scheduled.
    open: bool,
) -> impl IntoView {
    let toaster = use_toaster();
    let pending: Signal<bool> = action.pending().into();
    let starts = field_error(error, "schedule_seen");
    // Without script the fields come back with the page, and with them what its answer was about.
    let seen = RwSignal::new(
        starts
            .get_untracked()
            .map(|_| {
                key(
                    &typed("schedule").unwrap_or_default(),
                    &typed("time_zone").unwrap_or_default(),
                )
            })
            .unwrap_or_default(),
    );
    let send = move |event: MouseEvent| {
        event.prevent_default();
        if pending.get_untracked() {
            return;
        }
        let Some(fields) = fields_now(FORM_ID) else { return };
        match ScheduleRunbookFn::from_form_data(&fields) {
            Ok(input) => {
                let now = |name: &str| field_now(name).unwrap_or_default();
                // What comes back is about these.
                seen.set(key(&now("schedule"), &now("time_zone")));
                action.dispatch(input);
            }
            Err(error) => toaster.complain(format!("The form could not be read: {error}")),
        }
    };
    let others = Signal::derive(move || error.get().filter(|error| error.about("schedule_seen").is_none()));
    let opens = open || error.with_untracked(Option::is_some);
    let says = move || {
        if starts.with(Option::is_some) {
            "Save this schedule"
        } else {
            "Show the next starts"
        }
    };
    view! {
        <details class="card template-panel" id="on-schedule" open=opens>
            <summary>
                <Icon glyph=Glyph::Clock />
                "On a schedule instead of now"
            </summary>
            <div class="card-body">
                <p class="muted small-text">
                    "Systems Manager starts it, by a maintenance window of its own: this version, with these parameters, on the nodes that it comes to now. What policies want approved cannot be scheduled; while a freeze holds, nothing is started."
                </p>
                <TextField
                    name="schedule_name"
                    label="Name of the schedule"
                    hint="1 to 80 characters."
                    error=field_error(error, "schedule_name")
                />
                <div class="form-row">
                    <TextField
                        name="schedule"
                        label="When"
                        hint="cron(0 2 ? * SUN *), rate(7 days) or at(2030-01-31T02:00:00)"
                        error=field_error(error, "schedule")
                    />
                    <TextField
                        name="time_zone"
                        label="Time zone"
                        hint="A name such as Europe/Berlin. cron and at are meant in it."
                        value="UTC"
                        error=field_error(error, "time_zone")
                    />
                </div>
                <div class="form-row">
                    <TextField
                        name="duration_hours"
                        label="Open for hours"
                        hint="1 to 24: what has not begun by then is not begun."
                        value="1"
                        error=field_error(error, "duration_hours")
                    />
                    <TextField
                        name="cutoff_hours"
                        label="Begin nothing in the last hours"
                        hint="Less than the hours it is open; 0 begins until its end."
                        value="0"
                        error=field_error(error, "cutoff_hours")
                    />
                </div>
                <input
                    type="hidden"
                    name="schedule_seen"
                    value=move || if starts.with(Option::is_some) { seen.get() } else { String::new() }
                />
                {move || {
                    starts
                        .get()
                        .map(|text| {
                            view! {
                                <div class="notice" role="status" data-next-starts="">
                                    <Icon glyph=Glyph::Clock />
                                    <div>
                                        <strong>"It would start: "</strong>
                                        {text}
                                        ". Nothing is saved yet."
                                    </div>
                                </div>
                            }
                        })
                }}
                <FormError error=others />
                <div class="row">
                    <button
                        type="submit"
                        class="btn"
                        {..custom_attribute("formaction", ScheduleRunbookFn::PATH)}
                        aria-busy=move || pending.get().then_some("true")
                        on:click=send
                    >
                        {says}
                    </button>
                </div>
            </div>
        </details>
    }
}

#[cfg(test)]
mod tests {
    use super::key;
    use muster_domain::runbooks::Timing;

    #[test]
    fn what_was_shown_is_known_by_the_same_words_as_in_the_portal() {
        let timing = Timing {
            schedule: "rate(7 days)".into(),
            time_zone: "UTC".into(),
            duration_hours: 1,
            cutoff_hours: 0,
        };
        assert_eq!(key(" rate(7 days) ", ""), timing.key());
    }
}
