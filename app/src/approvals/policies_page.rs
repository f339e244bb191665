//! The policies: what holds, as sentences; changing them as text; and trying out what an act would meet.

use super::policies_api::get_policies;
use super::policies_form::PoliciesForm;
use super::policy_words::{about, by_default, follows, frozen};
use super::tester::Tester;
use crate::components::{
    Badge, Empty, EmptyState, ErrorNotice, Fact, Glyph, Icon, Keeper, PageHead, Skeleton, StatusBadge,
    TimeAgo,
};
use crate::error::set_page_status;
use crate::url::use_query;
use leptos::prelude::*;
use muster_domain::approvals::{Effect, PoliciesView, Policy};

/// The page.
#[component]
pub(crate) fn PoliciesPage() -> impl IntoView {
    let query = use_query();
    let saved = Memo::new(move |_| query.with(|query| query.get("saved").is_some()));
    // What was saved is read anew.
    let policies = Resource::new(move || saved.get(), |_| get_policies());
    let keeper = Keeper::here();
    view! {
        <nav class="crumbs" aria-label="Path">
            <a href="/approvals" data-escape="">
                "Approvals"
            </a>
            " / Policies"
        </nav>
        <PageHead title="Policies" subtitle=|| "Which acts take a second pair of eyes, and whose" />
        {move || {
            saved
                .get()
                .then(|| {
                    view! {
                        <div class="notice ok policies-saved" role="status">
                            <Icon glyph=Glyph::Check />
                            <div>"The policies are saved. They hold from now on."</div>
                        </div>
                    }
                })
        }}
        <Transition fallback=|| view! { <div class="card"><Skeleton lines=10 /></div> }>
            {move || {
                let keeper = keeper.clone();
                Suspend::new(async move {
                    match policies.await {
                        Ok(view) => keeper.view(move || view! { <Content view /> }),
                        Err(error) => {
                            set_page_status(&error);
                            view! {
                                <div class="card card-body">
                                    <ErrorNotice error what="the policies" />
                                </div>
                            }
                                .into_any()
                        }
                    }
                })
            }}
        </Transition>
    }
}

#[component]
fn Content(view: PoliciesView) -> impl IntoView {
    // What the text area says now, so that it can be tried out before it is saved.
    let text = RwSignal::new(String::new());
    view! {
        <div class="stack">
            {(!view.problem.is_empty())
                .then(|| {
                    view! {
                        <div class="notice bad" role="alert">
                            <Icon glyph=Glyph::Warning />
                            <div>
                                <strong>"The file cannot be used, so the policies before it hold. "</strong>
                                {view.problem.clone()}
                            </div>
                        </div>
                    }
                })}
            <Holding view=view.clone() />
            <Tester text />
            <PoliciesForm view text />
        </div>
    }
}

#[component]
fn Holding(view: PoliciesView) -> impl IntoView {
    let none = view.policies.is_empty() && view.freezes.is_empty();
    view! {
        <section class="card" aria-labelledby="holding-title">
            <header>
                <h2 id="holding-title">"What holds"</h2>
                <span class="aside">
                    {view
                        .changed_at
                        .map(|at| view! { "changed by " {view.changed_by.clone()} " · " <TimeAgo at /> })}
                </span>
            </header>
            {if none {
                view! {
                    <EmptyState kind=Empty::NothingExists title="There are no policies yet">
                        <p>"Everything that a role allows is done at once. Below is an example to begin with."</p>
                    </EmptyState>
                }
                    .into_any()
            } else {
                view! {
                    <ul class="list policies">
                        {view.policies.into_iter().map(|policy| view! { <Row policy /> }).collect_view()}
                        {view
                            .freezes
                            .into_iter()
                            .map(|freeze| {
                                view! {
                                    <li>
                                        <span class="grow">
                                            <strong>{freeze.name.clone()}</strong>
                                            <p class="muted">{frozen(&freeze)}</p>
                                        </span>
                                        <StatusBadge badge=Badge::Info label="Freeze" />
                                    </li>
                                }
                            })
                            .collect_view()}
                    </ul>
                }
                    .into_any()
            }}
            <div class="panel-foot">
                <p>{by_default(view.default)}</p>
                {(!view.groups.is_empty())
                    .then(|| {
                        view! {
                            <dl class="facts">
                                {view
                                    .groups
                                    .into_iter()
                                    .map(|(name, accounts)| {
                                        let accounts = if accounts.is_empty() { "nobody".to_owned() } else { accounts.join(", ") };
                                        view! { <Fact label=format!("Group {name}")>{accounts}</Fact> }
                                    })
                                    .collect_view()}
                            </dl>
                        }
                    })}
            </div>
        </section>
    }
}

#[component]
fn Row(policy: Policy) -> impl IntoView {
    let (badge, word) = match policy.effect {
        Effect::Allow => (Badge::Ok, "Allows"),
        Effect::Approve => (Badge::Warn, "Asks"),
        Effect::Deny => (Badge::Bad, "Forbids"),
    };
    view! {
        <li data-policy=policy.name.clone()>
            <span class="grow">
                <strong>{policy.name.clone()}</strong>
                <p>{format!("{}.", about(&policy))}</p>
                <p class="muted">{follows(&policy).join(" ")}</p>
            </span>
            <StatusBadge badge label=word />
        </li>
    }
}
