//! What exactly was asked for. Frozen when the execution was written down.

use super::catalogue_url::runbook_path;
use super::execution_page::Live;
use crate::components::{CopyButton, Fact, plural, text_parts};
use crate::url::address;
use leptos::prelude::*;
use muster_domain::runbooks::PlannedTargets;

/// The part.
#[component]
pub(super) fn DefinitionTab(page: Live) -> impl IntoView {
    let detail = page.detail.get_untracked();
    let ssm_id = Memo::new(move |_| page.detail.with(|detail| detail.ssm_execution_id.clone()));
    let audit = address(
        "/audit",
        [("resource", format!("execution:{}", detail.summary.execution_id))],
    );
    let document = detail.summary.document.clone();
    let version = address(
        &runbook_path(&document),
        [("version", detail.summary.document_version.clone())],
    );
    let same = address("/executions", [("document", document.clone())]);
    let none = detail.parameters.is_empty();
    let one_each = detail.targets.as_ref().is_some_and(|targets| targets.one_each);
    view! {
        <div class="grid-main">
            <div class="stack">
                <section class="card" aria-labelledby="given-title">
                    <header>
                        <h2 id="given-title">"Parameters"</h2>
                    </header>
                    <div class="card-body">
                        {none.then(|| view! { <p class="muted small-text">"None were given; the runbook's defaults held."</p> })}
                        {detail
                            .parameters
                            .into_iter()
                            .map(|(name, values)| {
                                let text = values.join("\n");
                                view! {
                                    <div class="code-step">
                                        <div class="row">
                                            <h3>{name.clone()}</h3>
                                            <CopyButton text=text.clone() label=format!("Copy {name}") />
                                        </div>
                                        <pre class="code" data-parameter=name>
                                            {text}
                                        </pre>
                                    </div>
                                }
                            })
                            .collect_view()}
                    </div>
                </section>
                <section class="card" aria-labelledby="text-title">
                    <header>
                        <h2 id="text-title">"Runbook as it was started"</h2>
                    </header>
                    <div class="card-body">
                        {if detail.content.is_empty() {
                            view! { <p class="muted small-text">"Its text is not known here."</p> }.into_any()
                        } else {
                            view! { <pre class="code runbook-text" tabindex="0" role="region" aria-label="Text of the runbook">{text_parts(detail.content)}</pre> }.into_any()
                        }}
                    </div>
                </section>
            </div>
            <section class="card" aria-labelledby="facts-title">
                <header>
                    <h2 id="facts-title">"Request"</h2>
                    <a class="aside" href=audit>
                        "Audit log →"
                    </a>
                </header>
                <div class="card-body">
                    <dl class="facts">
                        <Fact label="Runbook">
                            <a href=version>{document}</a>
                        </Fact>
                        <Fact label="Version">{detail.summary.document_version}</Fact>
                        <Fact label="SHA-256 of its text">
                            <span class="mono break-anywhere">{if detail.content_hash.is_empty() { "—".to_owned() } else { detail.content_hash }}</span>
                        </Fact>
                        <Fact label="Nodes">
                            <Nodes targets=detail.targets />
                        </Fact>
                        {one_each
                            .then(|| {
                                view! {
                                    <Fact label="At most at once">{detail.max_concurrency}</Fact>
                                    <Fact label="Stop after errors">{detail.max_errors}</Fact>
                                }
                            })}
                        <Fact label="Reason">{if detail.summary.reason.is_empty() { "—".to_owned() } else { detail.summary.reason }}</Fact>
                        <Fact label="Requested by">{detail.summary.requested_by}</Fact>
                        <Fact label="Run as">
                            <span class="mono break-anywhere">{if detail.executed_by.is_empty() { "—".to_owned() } else { detail.executed_by }}</span>
                        </Fact>
                        <Fact label="Execution id">
                            <span class="mono">{detail.summary.execution_id.to_string()}</span>
                        </Fact>
                        <Fact label="Systems Manager id">
                            {move || match ssm_id.get() {
                                Some(id) => view! { <span class="mono">{id}</span> }.into_any(),
                                None => view! { <span class="muted">"not sent yet"</span> }.into_any(),
                            }}
                        </Fact>
                        <Fact label="Others of it">
                            <a href=same>"Executions of this runbook →"</a>
                        </Fact>
                    </dl>
                </div>
            </section>
        </div>
    }
}

#[component]
fn Nodes(targets: Option<PlannedTargets>) -> impl IntoView {
    let Some(targets) = targets else {
        return view! { <span class="muted">"none were planned"</span> }.into_any();
    };
    let few = targets.nodes.len() <= 5;
    let count = plural(
        u64::try_from(targets.nodes.len()).unwrap_or(u64::MAX),
        "node",
        "nodes",
    );
    let how = if targets.one_each {
        ", one execution each"
    } else {
        ""
    };
    view! {
        <details open=few>
            <summary>{format!("{count} in {}{how}", targets.parameter)}</summary>
            {targets
                .nodes
                .into_iter()
                .map(|node| {
                    let id = node.node_id.to_string();
                    let name = if node.name.is_empty() { id.clone() } else { node.name };
                    view! {
                        <div>
                            <a href=format!("/fleet/{id}")>{name}</a>
                        </div>
                    }
                })
                .collect_view()}
        </details>
    }
    .into_any()
}
