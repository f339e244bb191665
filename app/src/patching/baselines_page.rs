//! The patch baselines that there are.

use super::baseline_api::list_baselines;
use super::baseline_url::{BaselinesUrl, view_path};
use crate::components::{
    Badge, Empty, EmptyState, ErrorNotice, Fresh, Glyph, Icon, PageHead, SelectField, Skeleton, StaleNotice,
    StatusBadge, TableCard, TimeAgo, any_or, plural, renewed,
};
use crate::url::{problem_of, use_query};
use leptos::prelude::*;
use leptos_router::components::Form;
use muster_domain::patching::{BaselineList, BaselineSummary, OPERATING_SYSTEMS, system_label};
use std::sync::Arc;
use std::time::Duration;

/// How often the rows are asked for again: others change baselines, too.
const EVERY: Duration = Duration::from_secs(20);

/// The page.
#[component]
pub(crate) fn BaselinesPage() -> impl IntoView {
    let query = use_query();
    let state = Memo::new(move |_| query.with(BaselinesUrl::read));
    let rows = renewed(
        move || state.get(),
        |state| async move {
            let state = state.readable()?;
            let owner = state.owner().to_owned();
            list_baselines(Some(state.system), Some(owner), Some(state.text)).await
        },
    );
    Effect::new(move |_| {
        let renewing = set_interval_with_handle(
            move || {
                if !document().hidden() {
                    rows.refetch();
                }
            },
            EVERY,
        );
        on_cleanup(move || {
            if let Ok(renewing) = renewing {
                renewing.clear();
            }
        });
    });
    let frame = crate::layout::use_frame();
    view! {
        <nav class="crumbs" aria-label="Path">
            <a href="/patching">"Patching"</a>
            " / Baselines"
        </nav>
        <PageHead title="Patch baselines" subtitle=|| "Which patches nodes should have, and which they must not.">
            <Suspense fallback=|| ()>
                {move || Suspend::new(async move {
                    let may = frame.await.is_ok_and(|frame| frame.may(muster_domain::action::Action::BaselinesChange));
                    may.then(|| {
                        view! {
                            <a class="btn primary" href="/patching/baselines/new">
                                <Icon glyph=Glyph::Plus />
                                "New baseline"
                            </a>
                        }
                    })
                })}
            </Suspense>
        </PageHead>
        {move || view! { <Filter state=state.get() /> }}
        <Transition fallback=|| view! { <div class="card"><Skeleton lines=10 /></div> }>
            {move || Suspend::new(async move {
                match rows.await {
                    Ok(Fresh { value: list, stale }) => {
                        let list = Arc::unwrap_or_clone(list);
                        view! {
                            <StaleNotice stale />
                            <Rows state=state.get_untracked() list />
                        }
                            .into_any()
                    }
                    Err(error) => {
                        view! {
                            <div class="card card-body">
                                <ErrorNotice error what="the patch baselines" clear="/patching/baselines" />
                            </div>
                        }
                            .into_any()
                    }
                }
            })}
        </Transition>
    }
}

#[component]
fn Filter(state: BaselinesUrl) -> impl IntoView {
    let narrowed = state.is_filtered() || !state.problems.is_empty();
    view! {
        <Form
            method="GET"
            action="/patching/baselines"
            attr:class="command-filter"
            attr:role="search"
            attr:aria-label="Filter patch baselines"
        >
            <div class="field">
                <label for="text">"Name, description or group contains"</label>
                <input id="text" name="text" value=state.text.clone() autocomplete="off" data-filter="" />
            </div>
            <SelectField
                name="system"
                label="Operating system"
                options=any_or(OPERATING_SYSTEMS)
                selected=state.system.clone()
                error=problem_of(&state.problems, "system")
            />
            <SelectField
                name="owner"
                label="Made by"
                options=any_or([("own", "Us"), ("given", "Systems Manager")])
                selected=state.owner()
                error=problem_of(&state.problems, "owner")
            />
            <div class="row">
                <button type="submit" class="btn primary">
                    "Filter"
                </button>
                {narrowed.then(|| view! { <a class="btn quiet" href="/patching/baselines">"Clear"</a> })}
            </div>
        </Form>
    }
}

#[component]
fn Rows(state: BaselinesUrl, list: BaselineList) -> impl IntoView {
    if list.items.is_empty() {
        let (kind, title, text) = if state.is_filtered() {
            (
                Empty::NothingMatches,
                "No baseline matches",
                format!(
                    "Nothing fits all conditions; there are {} in all.",
                    plural(list.total, "baseline", "baselines")
                ),
            )
        } else {
            (
                Empty::NothingExists,
                "There is no baseline yet",
                "They are being copied from Systems Manager for the first time: look again in a few seconds."
                    .to_owned(),
            )
        };
        return view! {
            <section class="card">
                <EmptyState kind title>
                    <p>{text}</p>
                    <a class="btn" href="/patching/baselines">
                        "All baselines"
                    </a>
                </EmptyState>
            </section>
        }
        .into_any();
    }
    let count = format!(
        "{} of {}",
        list.items.len(),
        plural(list.total, "baseline", "baselines")
    );
    view! {
        <TableCard label="Patch baselines">
            <table class="baselines">
                <thead>
                    <tr>
                        <th scope="col">"Name"</th>
                        <th scope="col">"Operating system"</th>
                        <th scope="col">"Approves"</th>
                        <th scope="col" class="right">"Rejects"</th>
                        <th scope="col">"Holds for"</th>
                        <th scope="col">"Changed"</th>
                    </tr>
                </thead>
                <tbody>{list.items.into_iter().map(|one| view! { <Row one /> }).collect_view()}</tbody>
            </table>
        </TableCard>
        <p class="muted small-text">
            {count}
            {list.synced_at.map(|at| view! { ". Copied from Systems Manager " <TimeAgo at /> "." })}
        </p>
    }
    .into_any()
}

/// What its rules approve, in short.
fn approves(one: &BaselineSummary) -> String {
    match one.content.rules.as_slice() {
        [] => "Nothing by itself".into(),
        [rule] => rule.words(),
        [rule, more @ ..] => format!(
            "{} And {} more.",
            rule.words(),
            plural(more.len() as u64, "rule", "rules")
        ),
    }
}

#[component]
fn Row(one: BaselineSummary) -> impl IntoView {
    let approves = approves(&one);
    let changed = if one.is_given {
        view! { <span class="muted">"comes with Systems Manager"</span> }.into_any()
    } else {
        view! { <TimeAgo at=one.modified_at /> }.into_any()
    };
    view! {
        <tr data-row="" data-baseline=one.name.clone() tabindex="-1">
            <td>
                <div class="two-lines">
                    <a class="strong break-anywhere" data-act="open" href=view_path(&one.baseline_id)>
                        {one.name.clone()}
                    </a>
                    <small class="mono">{one.short_id().to_owned()}</small>
                </div>
            </td>
            <td>{system_label(&one.operating_system).to_owned()}</td>
            <td class="baseline-words">{approves}</td>
            <td class="right mono">{one.content.rejected_patches.len()}</td>
            <td>
                <div class="row">
                    {one.is_default.then(|| view! { <StatusBadge badge=Badge::Info label="Default" /> })}
                    {one.groups.iter().map(|group| view! { <span class="tag">{group.clone()}</span> }).collect_view()}
                </div>
            </td>
            <td class="nowrap">{changed}</td>
        </tr>
    }
}
