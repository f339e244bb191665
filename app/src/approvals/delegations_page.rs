//! Delegations: who stands in for whom, for all to see, and handing one's own part over.

use super::delegations_api::{EndDelegation, HandOverPart, get_delegations};
use super::waiting::use_heard;
use super::words::Countdown;
use crate::components::{
    Badge, Empty, EmptyState, ErrorNotice, FormError, Keeper, PageHead, Skeleton, StatusBadge, SubmitButton,
    TextField, TimeAgo, Tone, use_toaster,
};
use crate::error::{action_error, field_error, set_page_status};
use crate::forms::keep_fields;
use crate::layout::use_frame;
use leptos::form::ActionForm;
use leptos::prelude::*;
use muster_domain::action::Action;
use muster_domain::approvals::DelegationView;

/// The page.
#[component]
pub(crate) fn DelegationsPage() -> impl IntoView {
    let hand_over = ServerAction::<HandOverPart>::new();
    let end = ServerAction::<EndDelegation>::new();
    let heard = use_heard();
    let asked = move || (hand_over.version().get(), end.version().get(), heard.get());
    let all = Resource::new(asked, |_| get_delegations());
    let frame = use_frame();
    let toaster = use_toaster();
    Effect::new(move |_| {
        if let Some(Ok(_)) = hand_over.value().get() {
            toaster.say("Your part is handed over.");
        }
    });
    Effect::new(move |_| {
        if let Some(Ok(())) = end.value().get() {
            toaster.say("The delegation has ended.");
        }
    });
    let end_error = action_error(end);
    let (keeper, form_keeper) = (Keeper::here(), Keeper::here());
    view! {
        <nav class="crumbs" aria-label="Path">
            <a href="/approvals" data-escape="">
                "Approvals"
            </a>
            " / Delegations"
        </nav>
        <PageHead title="Delegations" subtitle=|| "Who decides for whom, while somebody is away" />
        <div class="stack">
            <FormError error=end_error />
            <Transition fallback=|| view! { <div class="card"><Skeleton lines=6 /></div> }>
                {move || {
                    let keeper = keeper.clone();
                    Suspend::new(async move {
                        match all.await {
                            Ok(all) => keeper.view(move || view! { <All all end /> }),
                            Err(error) => {
                                set_page_status(&error);
                                view! {
                                    <div class="card card-body">
                                        <ErrorNotice error what="the delegations" />
                                    </div>
                                }
                                    .into_any()
                            }
                        }
                    })
                }}
            </Transition>
            <Transition fallback=|| ()>
                {move || {
                    let keeper = form_keeper.clone();
                    Suspend::new(async move {
                        let may = frame.await.is_ok_and(|frame| frame.may(Action::ApprovalsHandOver));
                        may.then(|| keeper.view(move || view! { <Form hand_over /> }))
                    })
                }}
            </Transition>
        </div>
    }
}

#[component]
fn All(all: Vec<DelegationView>, end: ServerAction<EndDelegation>) -> impl IntoView {
    view! {
        <section class="card" aria-labelledby="delegations-title">
            <header>
                <h2 id="delegations-title">"Who stands in for whom"</h2>
                <span class="aside">"now, and in the last month"</span>
            </header>
            {if all.is_empty() {
                view! {
                    <EmptyState kind=Empty::NothingExists title="Everybody decides for themselves">
                        <p>"An approver who is away can hand their part over to somebody else for a time."</p>
                    </EmptyState>
                }
                    .into_any()
            } else {
                view! {
                    <ul class="list delegations">{all.into_iter().map(|one| view! { <Row one end /> }).collect_view()}</ul>
                }
                    .into_any()
            }}
        </section>
    }
}

#[component]
fn Row(one: DelegationView, end: ServerAction<EndDelegation>) -> impl IntoView {
    let DelegationView {
        delegation,
        holds,
        is_own,
        may_end,
    } = one;
    let id = delegation.id.to_string();
    let label = if is_own { "Take it back" } else { "Give it back" };
    let until = delegation.until;
    view! {
        <li data-delegation=delegation.from.clone()>
            <span class="two-lines grow">
                <span>
                    <strong>{delegation.to.clone()}</strong>
                    " decides on behalf of "
                    <strong>{delegation.from.clone()}</strong>
                    {is_own.then_some(" (you)")}
                </span>
                <small>
                    {(!delegation.reason.is_empty()).then(|| format!("{} · ", delegation.reason))}
                    "since "
                    <TimeAgo at=delegation.made_at />
                </small>
            </span>
            {if holds {
                view! { <Countdown at=until /> }.into_any()
            } else {
                view! { <StatusBadge badge=Badge::Off label="Ended" /> }.into_any()
            }}
            {may_end
                .then(|| {
                    view! {
                        <ActionForm action=end>
                            <input type="hidden" name="delegation_id" value=id />
                            <SubmitButton pending=end.pending()>{label}</SubmitButton>
                        </ActionForm>
                    }
                })}
        </li>
    }
}

#[component]
fn Form(hand_over: ServerAction<HandOverPart>) -> impl IntoView {
    keep_fields::<HandOverPart>();
    let error = action_error(hand_over);
    view! {
        <section class="card" aria-labelledby="hand-over-title">
            <header>
                <h2 id="hand-over-title">"Hand your part over"</h2>
            </header>
            <div class="card-body">
                <p class="muted">
                    "Whoever stands in decides as you would, and both names stand beside what they decide. They are one voice with you:                      of both, one decides on a request. They decide neither on what they asked for, nor on what you asked for, and                      cannot hand your part on."
                </p>
                <ActionForm action=hand_over attr:class="form">
                    <FormError error />
                    <TextField
                        name="to"
                        id="hand-over-to"
                        label="To whom"
                        hint="The name of their account; they need be no approver."
                        required=true
                        error=field_error(error, "to")
                    />
                    <TextField
                        name="until"
                        id="hand-over-until"
                        label="Until (UTC)"
                        kind="datetime-local"
                        hint="It ends by itself then; at most 90 days from now."
                        required=true
                        error=field_error(error, "until")
                    />
                    <TextField
                        name="reason"
                        id="hand-over-reason"
                        label="Why"
                        hint="For all to read, such as “on leave”."
                        error=field_error(error, "reason")
                    />
                    <div class="row">
                        <SubmitButton tone=Tone::Primary pending=hand_over.pending()>
                            "Hand over"
                        </SubmitButton>
                    </div>
                </ActionForm>
            </div>
        </section>
    }
}
