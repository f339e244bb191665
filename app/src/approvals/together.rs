//! Approving or rejecting several requests at once that ask for the same: ticked in the list, with the password once. The boxes belong to this
//! form, which stands beside the list, so that the list can be drawn anew while somebody types.

use super::api::DecideTicked;
use super::decide_form::Voice;
use super::delegations_api::get_delegations;
use super::words::request_address;
use crate::access::PasswordField;
use crate::components::{FormError, Glyph, Icon, Keeper, TextField, plural};
use crate::error::{AppError, action_error, field_error};
use crate::forms::{action_answer, keep_fields, kept_values};
use crate::layout::use_frame;
use leptos::form::ActionForm;
use leptos::prelude::*;
use muster_domain::action::Action;
use muster_domain::approvals::{Alike, OneOfSeveral, RequestSummary, StandsIn};
use std::collections::BTreeMap;

/// The form's id, by which boxes elsewhere belong to it.
const FORM: &str = "together";
/// The boxes' name.
const FIELD: &str = "ticked[]";

/// What is ticked: the boxes' values, each with the key of what it asks for.
#[derive(Clone, Copy)]
pub(super) struct Ticks(RwSignal<BTreeMap<String, String>>);

fn value_of(request: &str, alike: &Alike) -> String {
    format!("{request}:{}", alike.digest)
}

impl Ticks {
    /// What was ticked in a form that was refused, and else nothing. Called where the page is made.
    pub(super) fn new() -> Self {
        let kept = kept_values::<DecideTicked>(FIELD);
        let ticks = kept.into_iter().map(|value| (value, String::new())).collect();
        Self(RwSignal::new(ticks))
    }

    /// Forgets those that are not on show any more; what is learns what it asks for.
    pub(super) fn keep_of(self, rows: &[RequestSummary]) {
        let shown: BTreeMap<String, String> = rows
            .iter()
            .filter_map(|row| {
                let alike = row.alike.as_ref()?;
                Some((value_of(row.request_id.as_str(), alike), alike.key.clone()))
            })
            .collect();
        let now: BTreeMap<String, String> = self.0.with_untracked(|ticks| {
            let shown = shown.into_iter();
            shown.filter(|(value, _)| ticks.contains_key(value)).collect()
        });
        if self.0.with_untracked(|ticks| *ticks != now) {
            self.0.set(now);
        }
    }
}

/// The box of a request that can be decided on together with others.
#[component]
pub(super) fn Tick(request: String, alike: Alike, ticks: Ticks) -> impl IntoView {
    let value = value_of(&request, &alike);
    let Ticks(ticks) = ticks;
    let begins = ticks.with_untracked(|ticks| ticks.contains_key(&value));
    let is_ticked = {
        let value = value.clone();
        move || ticks.with(|ticks| ticks.contains_key(&value))
    };
    // Others ask for something else: they are decided on another time.
    let is_other = {
        let key = alike.key.clone();
        move || ticks.with(|ticks| ticks.values().any(|other| !other.is_empty() && *other != key))
    };
    let change = {
        let value = value.clone();
        move |event: leptos::ev::Event| {
            let (value, key) = (value.clone(), alike.key.clone());
            let on = event_target_checked(&event);
            ticks.update(|ticks| {
                if on {
                    ticks.insert(value, key);
                } else {
                    ticks.remove(&value);
                }
            });
        }
    };
    view! {
        <input
            type="checkbox"
            class="tick"
            name=FIELD
            form=FORM
            value=value
            checked=begins
            data-act="select"
            aria-label=format!("Decide on {request} together with others")
            prop:checked=is_ticked
            prop:disabled=is_other
            on:change=change
        />
    }
}

/// The form; on show while the list has boxes.
#[component]
pub(super) fn Together(
    ticks: Ticks,
    /// Told when something was decided.
    acted: Callback<()>,
) -> impl IntoView {
    let decide = ServerAction::<DecideTicked>::new();
    let answer = action_answer(decide);
    Effect::new(move |_| {
        if let Some(Ok(_)) = decide.value().get() {
            let _ = acted.try_run(());
        }
    });
    view! {
        {move || match answer.get() {
            Some(Ok(all)) => Some(view! { <Outcomes all /> }),
            _ => None,
        }}
        <Fields ticks decide />
    }
}

#[component]
fn Fields(ticks: Ticks, decide: ServerAction<DecideTicked>) -> impl IntoView {
    keep_fields::<DecideTicked>();
    let error: Signal<Option<AppError>> = action_error(decide);
    let wrong = field_error(error, "requests");
    let Ticks(ticks) = ticks;
    let count = move |does: &str| match ticks.with(BTreeMap::len) {
        0 => format!("{does} what is ticked"),
        count => format!("{does} {}", plural(count as u64, "request", "requests")),
    };
    let pending: Signal<bool> = decide.pending().into();
    let once = move |event: leptos::ev::MouseEvent| {
        if pending.get_untracked() {
            event.prevent_default();
        }
    };
    view! {
        <section class="card together" aria-labelledby="together-title">
            <header>
                <h2 id="together-title">"Decide on several"</h2>
                <span class="aside">"tick those that ask for the same"</span>
            </header>
            <div class="card-body">
                <ActionForm action=decide attr:id=FORM attr:class="form wide">
                    <FormError error />
                    <div class="field"><div class="field-error" id="together-requests-error">{move || wrong.get()}</div></div>
                    <ForWhom error />
                    <TextField
                        name="comment"
                        id="together-comment"
                        label="Comment for all"
                        hint="Kept in the audit log with each of them; needed to reject."
                        error=field_error(error, "comment")
                    />
                    <PasswordField
                        name="password"
                        id="together-password"
                        label="Password, once for all"
                        autocomplete="current-password"
                        hint="Asked once for all of them, and kept nowhere."
                        error=field_error(error, "password")
                    />
                    <div class="row">
                        // First, so that Enter in the password field is not a no.
                        <button
                            type="submit"
                            name="verdict"
                            value="approve"
                            class="btn ok"
                            aria-busy=move || pending.get().then_some("true")
                            on:click=once
                        >
                            {move || count("Approve")}
                        </button>
                        <button
                            type="submit"
                            name="verdict"
                            value="reject"
                            class="btn danger"
                            aria-busy=move || pending.get().then_some("true")
                            on:click=once
                        >
                            {move || count("Reject")}
                        </button>
                    </div>
                </ActionForm>
            </div>
        </section>
    }
}

/// For whom it is decided, where the reader stands in for somebody.
#[component]
fn ForWhom(error: Signal<Option<AppError>>) -> impl IntoView {
    let frame = use_frame();
    let delegations = Resource::new(|| (), |()| get_delegations());
    let keeper = Keeper::here();
    view! {
        <Suspense fallback=|| ()>
            {move || {
                let keeper = keeper.clone();
                Suspend::new(async move {
                    let themselves = frame.await.is_ok_and(|frame| frame.may(Action::ApprovalsDecide));
                    // What cannot be read is not offered; whoever decides for themselves still can.
                    let all = delegations.await.unwrap_or_default();
                    let stands_in: Vec<StandsIn> = all
                        .into_iter()
                        .filter(|one| one.holds && one.may_end && !one.is_own)
                        .map(|one| StandsIn {
                            account: one.delegation.from,
                            until: one.delegation.until,
                        })
                        .collect();
                    keeper.view(move || view! { <Voice id="together-for" themselves stands_in error /> })
                })
            }}
        </Suspense>
    }
}

/// What came of each.
#[component]
fn Outcomes(all: Vec<OneOfSeveral>) -> impl IntoView {
    let done = all.iter().filter(|one| one.is_done).count();
    let title = format!(
        "{done} of {} decided on",
        plural(all.len() as u64, "request", "requests")
    );
    view! {
        <section class="card" aria-labelledby="outcomes-title" role="status" data-together="">
            <header>
                <h2 id="outcomes-title">{title}</h2>
            </header>
            <ul class="list">
                {all
                    .into_iter()
                    .map(|one| {
                        let (glyph, id) = (if one.is_done { Glyph::Check } else { Glyph::Warning }, one.request.to_string());
                        view! {
                            <li data-outcome-of=id.clone()>
                                <Icon glyph />
                                <span class="grow">
                                    <a href=request_address(&id)>{id.clone()}</a>
                                    {if one.is_done { ": decided. " } else { ": not decided. " }}
                                    {one.said}
                                </span>
                            </li>
                        }
                    })
                    .collect_view()}
            </ul>
        </section>
    }
}
