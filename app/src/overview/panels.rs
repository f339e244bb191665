//! The panels of the Overview, and what stands there before the first node has joined.

use crate::components::{Badge, Glyph, Icon, ProgressBar, StatusBadge, StatusDot, TimeAgo, grouped, plural};
use leptos::prelude::*;
use muster_domain::Timestamp;
use muster_domain::audit::{AuditEntryView, Outcome};
use muster_domain::commands::CommandSummary;

/// The document, where the title says something else.
fn document(command: &CommandSummary) -> Option<String> {
    (command.title() != command.document).then(|| format!("{} · ", command.document))
}

#[component]
pub(super) fn RunningPanel(running: Vec<CommandSummary>) -> impl IntoView {
    let none = running.is_empty();
    view! {
        <section class="card">
            <header>
                <h2>"Running now"</h2>
                <a class="aside" href="/commands">
                    "Commands →"
                </a>
            </header>
            {none.then(|| view! { <p class="panel-none">"Nothing is running."</p> })}
            <ul class="list">
                {running
                    .into_iter()
                    .map(|command| {
                        let errors = match command.errors {
                            0 => String::new(),
                            n => format!(" · {} failed", grouped(n.into())),
                        };
                        view! {
                            <li class="run-line">
                                <div class="two-lines grow">
                                    <a class="strong" href=format!("/commands/{}", command.command_id)>
                                        {command.title().to_owned()}
                                    </a>
                                    <small>
                                        {document(&command)}
                                        {command.requested_by.clone()} " · started " <TimeAgo at=command.requested_at />
                                    </small>
                                </div>
                                <div class="run-progress">
                                    <ProgressBar
                                        completed=command.completed
                                        errors=command.errors
                                        total=command.targets
                                    />
                                </div>
                                <span class="run-count muted">
                                    {format!("{} / {}{errors}", grouped(command.completed.into()), plural(command.targets.into(), "node", "nodes"))}
                                </span>
                            </li>
                        }
                    })
                    .collect_view()}
            </ul>
        </section>
    }
}

#[component]
pub(super) fn FailedPanel(failed: Vec<CommandSummary>) -> impl IntoView {
    let none = failed.is_empty();
    view! {
        <section class="card">
            <header>
                <h2>"Failed recently"</h2>
                <span class="aside">"last 24 hours"</span>
            </header>
            {none.then(|| view! { <p class="panel-none">"Nothing failed in the last 24 hours."</p> })}
            <ul class="list">
                {failed
                    .into_iter()
                    .map(|command| {
                        view! {
                            <li>
                                <div class="two-lines grow">
                                    <a class="strong" href=format!("/commands/{}", command.command_id)>
                                        {command.title().to_owned()}
                                    </a>
                                    <small>
                                        {document(&command)}
                                        {format!(
                                            "{} of {} failed · {} · ",
                                            grouped(command.errors.into()),
                                            plural(command.targets.into(), "node", "nodes"),
                                            command.requested_by,
                                        )} <TimeAgo at=command.requested_at />
                                    </small>
                                </div>
                                <StatusBadge badge=command.status label=command.status.label() />
                            </li>
                        }
                    })
                    .collect_view()}
            </ul>
        </section>
    }
}

#[component]
pub(super) fn NotReportingPanel(
    nodes: Vec<(String, String, Option<Timestamp>)>,
    total: u64,
) -> impl IntoView {
    let none = nodes.is_empty();
    view! {
        <section class="card">
            <header>
                <h2>"Not reporting"</h2>
                <a class="aside" href="/fleet?filter=status%3DConnectionLost,Inactive&sort=ping">
                    {if none { "Fleet →".to_owned() } else { format!("All {} →", grouped(total)) }}
                </a>
            </header>
            {none.then(|| view! { <p class="panel-none">"Every node reports."</p> })}
            <ul class="list">
                {nodes
                    .into_iter()
                    .map(|(id, name, last)| {
                        view! {
                            <li>
                                <div class="two-lines grow">
                                    <a class="strong" href=format!("/fleet/{id}")>
                                        {name}
                                    </a>
                                    <small class="mono">{id}</small>
                                </div>
                                <StatusDot badge=Badge::Warn label="Last seen" />
                                {match last {
                                    Some(at) => view! { <TimeAgo at /> }.into_any(),
                                    None => "never".into_any(),
                                }}
                            </li>
                        }
                    })
                    .collect_view()}
            </ul>
        </section>
    }
}

#[component]
pub(super) fn ActivityPanel(recent: Vec<AuditEntryView>) -> impl IntoView {
    let none = recent.is_empty();
    view! {
        <section class="card">
            <header>
                <h2>"Recent activity"</h2>
                <a class="aside" href="/audit">
                    "Audit log →"
                </a>
            </header>
            {none.then(|| view! { <p class="panel-none">"Nothing has been done yet."</p> })}
            <ul class="list">
                {recent
                    .into_iter()
                    .map(|entry| {
                        let bad = entry.outcome != Outcome::Success;
                        view! {
                            <li>
                                <span class="muted small-text activity-time">
                                    <TimeAgo at=entry.at />
                                </span>
                                <div class="two-lines grow">
                                    <span>
                                        <strong class="strong">{entry.actor}</strong>
                                        " "
                                        {entry.action}
                                    </span>
                                    <small class="mono">{entry.resource}</small>
                                </div>
                                {bad.then(|| view! { <StatusBadge badge=entry.outcome label=entry.outcome.as_str() /> })}
                            </li>
                        }
                    })
                    .collect_view()}
            </ul>
            <p class="panel-foot">
                "What changed something. " <a href="/audit?kind=reads">"Show reads"</a>
            </p>
        </section>
    }
}

/// What to do when the fleet is empty.
#[component]
pub(super) fn FirstSteps(may_add: bool) -> impl IntoView {
    view! {
        <section class="card first-steps" data-empty="exists">
            <div class="first-head">
                <span class="empty-icon">
                    <Icon glyph=Glyph::Fleet />
                </span>
                <h2>"No node has joined yet"</h2>
                <p class="muted">
                    "Muster shows and steers the machines that report to Systems Manager. Three steps bring the first one here."
                </p>
            </div>
            <ol class="steps">
                <li>
                    <h3>"Create an activation"</h3>
                    <p>"An id and a code with which nodes may join, for as long and for as many as you say."</p>
                    {if may_add {
                        view! {
                            <a class="btn primary" href="/fleet/add">
                                <Icon glyph=Glyph::Plus />
                                "Add node"
                            </a>
                        }
                            .into_any()
                    } else {
                        view! { <p class="muted">"An administrator does this, under Fleet, Add node."</p> }.into_any()
                    }}
                </li>
                <li>
                    <h3>"Start the agent on the machine"</h3>
                    <p>
                        "The next page shows the commands to copy: "<code>"muster agent register"</code>" and "
                        <code>"muster agent run"</code>". An Amazon SSM Agent will do as well."
                    </p>
                </li>
                <li>
                    <h3>"Run your first command"</h3>
                    <p>"As soon as the node reports, it is listed in the fleet. Select it and choose Run command."</p>
                    <a class="btn" href="/fleet">
                        "Open fleet"
                    </a>
                </li>
            </ol>
        </section>
    }
}
