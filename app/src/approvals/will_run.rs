//! What exactly will run, where and when: the plan, as it was frozen when it was asked for.

use super::request_view::short;
use super::words::{joined, minutes};
use crate::components::{Fact, TimeAgo, plural};
use crate::deployments::WillDeploy;
use crate::parameters::WillChange;
use crate::patching::{WillChangeBaseline, WillExcept};
use crate::windows::WillChangeWindow;
use leptos::prelude::*;
use muster_domain::Timestamp;
use muster_domain::approvals::{Act, Plan, PlanSubject, RequestDetail, Window};
use std::collections::BTreeMap;

/// Nodes that are named.
const NAMED: usize = 100;

/// `5 at a time · stop after 1 error`.
fn rate(max_concurrency: &str, max_errors: &str) -> String {
    let stop = match max_errors.trim() {
        "0" => "stop at the first error".to_owned(),
        "1" => "stop after 1 error".to_owned(),
        errors => format!("stop after {errors} errors"),
    };
    format!("{max_concurrency} at a time · {stop}")
}

/// When it runs, in words.
fn when(windows: &[Vec<Window>], not_before: Option<Timestamp>) -> String {
    let mut said = vec!["on approval".to_owned()];
    if let Some(at) = not_before {
        said.push(format!("not before {}", at.readable()));
    }
    for either in windows {
        let names = either
            .iter()
            .map(|window| {
                format!(
                    "{} for {} ({})",
                    window.schedule,
                    minutes(window.hours.saturating_mul(60)),
                    window.time_zone
                )
            })
            .collect();
        said.push(format!("inside the window {}", joined(names, "or")));
    }
    said.join(", ")
}

/// The card.
#[component]
pub(super) fn WillRun(detail: RequestDetail) -> impl IntoView {
    let Plan {
        act,
        subject,
        targets,
        nodes,
        not_before,
        ..
    } = detail.plan;
    let when = when(&detail.windows, not_before.map(Timestamp));
    let names: Vec<(String, String)> = nodes
        .into_iter()
        .map(|node| (node.node_id.to_string(), node.name))
        .collect();
    view! {
        <section class="card" aria-labelledby="will-run-title">
            <header>
                <h3 id="will-run-title">"What will run"</h3>
                {(detail.generation > 1)
                    .then(|| view! { <span class="aside">{format!("changed {}", plural(u64::from(detail.generation - 1), "time", "times"))}</span> })}
            </header>
            <div class="card-body">
                <dl class="facts">
                    <Subject act subject />
                    {(!targets.is_empty()).then(|| view! { <Fact label="Targets">{targets}</Fact> })}
                    {(!names.is_empty()).then(|| view! { <Fact label="Nodes"><Nodes names /></Fact> })}
                    <Fact label="When">
                        {when}
                        {detail.runs_at.map(|at| view! { " · runs " <TimeAgo at /> })}
                    </Fact>
                </dl>
            </div>
        </section>
    }
}

#[component]
fn Nodes(names: Vec<(String, String)>) -> impl IntoView {
    let count = names.len();
    let more = count.saturating_sub(NAMED);
    view! {
        <details open={count <= 3}>
            <summary>{plural(count as u64, "node", "nodes")}</summary>
            {names
                .into_iter()
                .take(NAMED)
                .map(|(id, name)| {
                    view! {
                        <div>
                            <a href=format!("/fleet/{id}")>{if name.is_empty() { id.clone() } else { name }}</a>
                        </div>
                    }
                })
                .collect_view()}
            {(more > 0).then(|| view! { <div class="muted">{format!("and {more} more")}</div> })}
        </details>
    }
}

/// A document with its version and the beginning of its hash.
#[component]
fn Document(name: String, version: String, sha256: String) -> impl IntoView {
    view! {
        <Fact label="Document">
            <span class="mono">{name}</span>
            {if version.is_empty() { " (no preferences are saved) ".to_owned() } else { format!(" version {version} ") }}
            <span class="mono muted small-text" title=format!("SHA-256 {sha256}")>
                {short(&sha256)}
            </span>
        </Fact>
    }
}

#[component]
fn Parameters(given: BTreeMap<String, Vec<String>>, references: BTreeMap<String, i64>) -> impl IntoView {
    view! {
        {given
            .into_iter()
            .map(|(name, values)| {
                let text = values.join("\n");
                let is_code = text.len() > 40 || text.contains('\n');
                view! {
                    <Fact label=name.clone()>
                        {if is_code {
                            view! {
                                <pre class="code" data-parameter=name tabindex="0">
                                    {text}
                                </pre>
                            }
                                .into_any()
                        } else {
                            view! { <span data-parameter=name>{text}</span> }.into_any()
                        }}
                    </Fact>
                }
            })
            .collect_view()}
        {(!references.is_empty())
            .then(|| {
                let said = references.iter().map(|(name, version)| format!("{name} version {version}")).collect();
                view! { <Fact label="Stored parameters">{joined(said, "and")}</Fact> }
            })}
    }
}

#[component]
fn Subject(act: Act, subject: PlanSubject) -> impl IntoView {
    match subject {
        PlanSubject::Command {
            document,
            document_version,
            document_sha256,
            parameters,
            references,
            baselines,
            max_concurrency,
            max_errors,
            timeout_seconds,
        } => view! {
            <Document name=document version=document_version sha256=document_sha256 />
            <Parameters given=parameters references />
            {(!baselines.is_empty())
                .then(|| {
                    let said = baselines.iter().map(|(id, sha256)| format!("{id} ({})", short(sha256))).collect();
                    view! { <Fact label="Patch baselines">{joined(said, "and")}</Fact> }
                })}
            <Fact label="Rate">{rate(&max_concurrency, &max_errors)}</Fact>
            <Fact label="Delivery time-out">{format!("{timeout_seconds} s")}</Fact>
        }
        .into_any(),
        PlanSubject::Runbook {
            document,
            document_version,
            document_sha256,
            parameters,
            references,
            max_concurrency,
            max_errors,
        } => view! {
            <Document name=document version=document_version sha256=document_sha256 />
            <Parameters given=parameters references />
            <Fact label="Rate">{rate(&max_concurrency, &max_errors)}</Fact>
        }
        .into_any(),
        PlanSubject::Terminal {
            os_user,
            minutes: count,
            document,
            document_version,
            document_sha256,
        } => {
            let user = if os_user.is_empty() {
                "whom the document or the node says".to_owned()
            } else {
                os_user
            };
            view! {
                <Fact label="Terminal as">{user}</Fact>
                {(!document.is_empty())
                    .then(|| view! { <Document name=document version=document_version sha256=document_sha256 /> })}
                <Fact label="For">{minutes(count)}</Fact>
            }
            .into_any()
        }
        PlanSubject::Tunnel {
            port,
            host,
            minutes: count,
        } => {
            let host = if host.is_empty() { "the node itself".to_owned() } else { host };
            view! {
                <Fact label="Tunnel to">{format!("port {port} of {host}")}</Fact>
                <Fact label="For">{minutes(count)}</Fact>
            }
            .into_any()
        }
        PlanSubject::Role {
            role,
            scope,
            minutes: count,
        } => {
            let place = if scope == "*" {
                "everywhere".to_owned()
            } else {
                format!("on nodes with {scope}")
            };
            view! {
                <Fact label="Role">{role}</Fact>
                <Fact label="Where">{place}</Fact>
                <Fact label="For">{minutes(count)}</Fact>
            }
            .into_any()
        }
        PlanSubject::Policies {
            old_sha256,
            new_sha256,
        } => view! {
            <Fact label="Text now">
                <span class="mono" title=old_sha256.clone()>{short(&old_sha256)}</span>
            </Fact>
            <Fact label="Text then">
                <span class="mono" title=new_sha256.clone()>{short(&new_sha256)}</span>
            </Fact>
        }
        .into_any(),
        PlanSubject::Parameter { parameter } => view! { <WillChange act parameter /> }.into_any(),
        PlanSubject::Baseline { baseline } => view! { <WillChangeBaseline baseline=*baseline /> }.into_any(),
        PlanSubject::Exception { exception } => view! { <WillExcept exception /> }.into_any(),
        PlanSubject::Deployment { deployment } => {
            let rate = rate(&deployment.max_concurrency, &deployment.max_errors);
            view! {
                <WillDeploy planned=*deployment.clone() />
                <Parameters given=deployment.parameters references=deployment.references />
                <Fact label="Rate">{rate}</Fact>
            }
            .into_any()
        }
        PlanSubject::Window { window } => view! { <WillChangeWindow window=*window /> }.into_any(),
        PlanSubject::Step {
            execution,
            step,
            message,
        } => view! {
            <Fact label="Execution">
                <span class="mono">{execution}</span>
            </Fact>
            <Fact label="Step">{step}</Fact>
            <Fact label="It says">{if message.is_empty() { "—".to_owned() } else { message }}</Fact>
        }
        .into_any(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_and_times_are_sentences() {
        assert_eq!(rate("5", "1"), "5 at a time · stop after 1 error");
        assert_eq!(rate("10%", "0"), "10% at a time · stop at the first error");
        assert_eq!(when(&[], None), "on approval");
        let window = Window {
            schedule: "cron(0 2 ? * SUN *)".into(),
            hours: 4,
            time_zone: "Europe/Berlin".into(),
        };
        assert_eq!(
            when(&[vec![window]], Some(Timestamp(0))),
            "on approval, not before 1970-01-01 00:00:00 UTC, \
             inside the window cron(0 2 ? * SUN *) for 4 hours (Europe/Berlin)"
        );
    }
}
