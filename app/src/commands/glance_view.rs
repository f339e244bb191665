//! What needs a look first: the nodes that failed, with the end of what they wrote, then those that are not done and
//! whether they report at all.

use super::ansi::{Parser, plain};
use super::api::get_glance;
use super::detail_page::Live;
use crate::components::{
    ErrorNotice, Fresh, Glyph, Icon, Keeper, StaleNotice, StatusBadge, TimeAgo, grouped, plural, renewed,
};
use leptos::prelude::*;
use muster_domain::Timestamp;
use muster_domain::commands::{
    CommandStatus, FailedNode, Glance, InvocationView, OutputStream, UnfinishedNode, details_label,
};
use std::sync::Arc;
use std::time::Duration;

/// Nodes that fall silent tell nobody: while a command runs, they are looked for.
const RENEWED_EVERY: Duration = Duration::from_secs(3);

/// The name of a node, or its id where it has none.
pub(super) fn name_of(view: &InvocationView) -> String {
    if view.node_name.is_empty() {
        view.node_id.to_string()
    } else {
        view.node_name.clone()
    }
}

/// The part. Of a `single` node the output is on show anyway: then only whether it still reports is of interest.
#[component]
pub(super) fn GlanceView(page: Live, single: Memo<bool>) -> impl IntoView {
    let id = Memo::new(move |_| page.url.with(|url| url.id.clone()));
    let glance = renewed(move || id.get(), get_glance);
    let keeper = Keeper::here();
    Effect::new(move |before: Option<u32>| {
        let now = page.renewed.get();
        if before.is_some_and(|before| before != now) {
            glance.refetch();
        }
        now
    });
    let ended = Memo::new(move |_| page.live.with(|live| live.summary.status.is_final()));
    Effect::new(move |_| {
        if ended.get() {
            return;
        }
        let look = move || {
            if !document().hidden() {
                glance.refetch();
            }
        };
        let renewing = set_interval_with_handle(look, RENEWED_EVERY);
        on_cleanup(move || {
            if let Ok(renewing) = renewing {
                renewing.clear();
            }
        });
    });
    view! {
        <Transition fallback=|| ()>
            {move || {
                let keeper = keeper.clone();
                Suspend::new(async move {
                    match glance.await {
                        Ok(Fresh { value, stale }) => {
                            let value = Arc::unwrap_or_clone(value);
                            keeper
                                .view(move || {
                                    view! {
                                        <StaleNotice stale />
                                        <Parts page glance=value single=single.get_untracked() />
                                    }
                                })
                        }
                        Err(error) => view! { <ErrorNotice error what="the nodes that need a look" /> }.into_any(),
                    }
                })
            }}
        </Transition>
    }
}

#[component]
fn Parts(page: Live, glance: Glance, single: bool) -> impl IntoView {
    let Glance {
        failed,
        failed_count,
        unfinished,
        unfinished_count,
        silent_count,
    } = glance;
    view! {
        <div class="stack" data-glance="">
            {(silent_count > 0).then(|| view! { <Silent nodes=unfinished.clone() count=silent_count /> })}
            {(single && silent_count == 0)
                .then(|| {
                    unfinished
                        .first()
                        .map(|node| {
                            let (heard_at, given_up_at) = (node.heard_at, node.given_up_at);
                            view! {
                                <p class="muted small-text" data-prospects="">
                                    <Prospects heard_at given_up_at />
                                </p>
                            }
                        })
                })}
            {(!single && failed_count > 0).then(|| view! { <Failed page nodes=failed count=failed_count /> })}
            {(!single && unfinished_count > 0)
                .then(|| view! { <Unfinished page nodes=unfinished count=unfinished_count /> })}
        </div>
    }
}

/// When a node was heard last, and when it is given up.
#[component]
fn Prospects(heard_at: Option<Timestamp>, given_up_at: Option<Timestamp>) -> impl IntoView {
    view! {
        {heard_at.map(|at| view! { "last heard " <TimeAgo at /> })}
        {(heard_at.is_some() && given_up_at.is_some()).then_some(" · ")}
        {given_up_at.map(|at| view! { "given up " <TimeAgo at /> " at the latest" })}
    }
}

/// Nodes that do not report any more while something is expected of them.
#[component]
fn Silent(nodes: Vec<UnfinishedNode>, count: u32) -> impl IntoView {
    let first = nodes.into_iter().find(|node| node.is_silent);
    view! {
        <div class="notice warn" role="status" data-silent=count.to_string()>
            <Icon glyph=Glyph::Warning />
            <div>
                <strong>
                    {plural(count.into(), "node that is not done does not report", "nodes that are not done do not report")}
                    ". "
                </strong>
                {first
                    .map(|node| {
                        let name = name_of(&node.invocation);
                        let taken = node.invocation.started_at.is_some();
                        view! {
                            {name}
                            " was last heard "
                            {match node.heard_at {
                                Some(at) => view! { <TimeAgo at /> }.into_any(),
                                None => "before the portal knew it".into_any(),
                            }}
                            {if taken {
                                ". What it has begun may go on there; when it comes back, its output and how it ended are brought here."
                            } else {
                                ". It has not taken the command; it is given it when it comes back in time."
                            }}
                            {node
                                .given_up_at
                                .map(|at| view! { " Otherwise it is given up as timed out " <TimeAgo at /> "." })}
                        }
                    })}
            </div>
        </div>
    }
}

#[component]
fn Failed(page: Live, nodes: Vec<FailedNode>, count: u32) -> impl IntoView {
    let url = page.url.get_untracked();
    let hidden = u64::from(count).saturating_sub(nodes.len() as u64);
    let rows = nodes
        .into_iter()
        .map(|node| {
            let FailedNode { invocation, last_lines, stream } = node;
            let name = name_of(&invocation);
            let stream = (!last_lines.is_empty()).then_some(stream);
            let href = url.output_of(invocation.node_id.as_str(), stream);
            let (label, code) = (details_label(&invocation.status_details), invocation.response_code);
            let lines = plain(&Parser::default().feed(&last_lines));
            view! {
                <li data-row="" tabindex="-1" data-failed=invocation.node_id.to_string()>
                    <div class="glance-head">
                        <a class="strong" data-act="open" href=href.clone()>
                            {name}
                        </a>
                        <StatusBadge badge=invocation.status label />
                        <span class="muted small-text">{(code != -1).then(|| format!("exit code {code}"))}</span>
                        <a class="small-text aside" href=href>
                            {match stream {
                                Some(OutputStream::Stderr) => "All of its errors",
                                Some(OutputStream::Stdout) => "All of its output",
                                None => "Its output",
                            }}
                        </a>
                    </div>
                    {if lines.is_empty() {
                        view! { <p class="muted small-text">"It wrote nothing."</p> }.into_any()
                    } else {
                        view! { <pre class="beginning">{lines}</pre> }.into_any()
                    }}
                </li>
            }
        })
        .collect_view();
    view! {
        <section class="card" aria-labelledby="failed-title">
            <header>
                <h2 id="failed-title">{format!("Failed on {}", plural(count.into(), "node", "nodes"))}</h2>
                <a class="aside" href=url.nodes(None)>
                    "All nodes →"
                </a>
            </header>
            <ul class="glance">{rows}</ul>
            {(hidden > 0).then(|| view! { <p class="glance-more muted small-text">{format!("and {} more", grouped(hidden))}</p> })}
        </section>
    }
}

#[component]
fn Unfinished(page: Live, nodes: Vec<UnfinishedNode>, count: u32) -> impl IntoView {
    let url = page.url.get_untracked();
    let hidden = u64::from(count).saturating_sub(nodes.len() as u64);
    let rows = nodes
        .into_iter()
        .map(|node| {
            let UnfinishedNode { invocation, heard_at, is_silent, given_up_at } = node;
            let href = url.output_of(invocation.node_id.as_str(), None);
            let name = name_of(&invocation);
            let running = invocation.status == CommandStatus::InProgress;
            view! {
                <li data-row="" tabindex="-1" data-unfinished=invocation.node_id.to_string()>
                    <div class="glance-head">
                        <a class="strong" data-act="open" href=href>
                            {name}
                        </a>
                        <StatusBadge badge=invocation.status label=invocation.status.label() />
                        <span class="muted small-text">
                            {invocation.started_at.filter(|_| running).map(|at| view! { "began " <TimeAgo at /> })}
                        </span>
                        {is_silent
                            .then(|| {
                                view! {
                                    <span class="tag badge warn">
                                        <Icon glyph=Glyph::Warning />
                                        "Does not report"
                                    </span>
                                }
                            })}
                        <span class="muted small-text aside">
                            <Prospects heard_at given_up_at />
                        </span>
                    </div>
                </li>
            }
        })
        .collect_view();
    view! {
        <section class="card" aria-labelledby="unfinished-title">
            <header>
                <h2 id="unfinished-title">{format!("Not done on {}", plural(count.into(), "node", "nodes"))}</h2>
            </header>
            <ul class="glance">{rows}</ul>
            {(hidden > 0).then(|| view! { <p class="glance-more muted small-text">{format!("and {} more", grouped(hidden))}</p> })}
        </section>
    }
}
