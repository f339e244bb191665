//! What exactly was asked for. Frozen when the command was made.

use super::detail_page::Live;
use crate::components::{CopyButton, Fact, plural, text_parts};
use crate::url::address;
use leptos::prelude::*;
use muster_domain::fleet::NodeSelection;

/// The part.
#[component]
pub(super) fn DefinitionTab(page: Live) -> impl IntoView {
    let detail = page.detail.get_untracked();
    let ids = Memo::new(move |_| page.detail.with(|detail| detail.ssm_command_ids.clone()));
    let audit = address(
        "/audit",
        [("resource", format!("command:{}", detail.summary.command_id))],
    );
    let document = detail.summary.document.clone();
    let same_document = address("/commands", [("document", document.clone())]);
    let none = detail.parameters.is_empty();
    view! {
        <div class="grid-main">
            <section class="card" aria-labelledby="given-title">
                <header>
                    <h2 id="given-title">"Parameters"</h2>
                </header>
                <div class="card-body">
                    {none.then(|| view! { <p class="muted small-text">"None were given; the document's defaults held."</p> })}
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
                                    <pre class="code" data-parameter=name>{text_parts(text)}</pre>
                                </div>
                            }
                        })
                        .collect_view()}
                </div>
            </section>
            <section class="card" aria-labelledby="facts-title">
                <header>
                    <h2 id="facts-title">"Request"</h2>
                    <a class="aside" href=audit>
                        "Audit log →"
                    </a>
                </header>
                <div class="card-body">
                    <dl class="facts">
                        <Fact label="Document">
                            <a href=same_document>{document}</a>
                        </Fact>
                        <Fact label="Version">{detail.document_version}</Fact>
                        <Fact label="Targets">
                            <Selection selection=detail.selection />
                        </Fact>
                        <Fact label="At most at once">{detail.max_concurrency}</Fact>
                        <Fact label="Stop after errors">{detail.max_errors}</Fact>
                        <Fact label="Delivery time-out">{format!("{} s", detail.timeout_seconds)}</Fact>
                        <Fact label="Comment">{if detail.summary.comment.is_empty() { "—".to_owned() } else { detail.summary.comment }}</Fact>
                        <Fact label="Command id">
                            <span class="mono">{detail.summary.command_id.to_string()}</span>
                        </Fact>
                        <Fact label="Systems Manager ids">
                            {move || {
                                let ids = ids.get();
                                if ids.is_empty() {
                                    view! { <span class="muted">"not sent yet"</span> }.into_any()
                                } else {
                                    ids.into_iter().map(|id| view! { <div class="mono">{id}</div> }).collect_view().into_any()
                                }
                            }}
                        </Fact>
                    </dl>
                </div>
            </section>
        </div>
    }
}

#[component]
fn Selection(selection: NodeSelection) -> impl IntoView {
    match selection {
        NodeSelection::Nothing => "none".into_any(),
        NodeSelection::Matching { filter } if filter.is_empty() => "all nodes".into_any(),
        NodeSelection::Matching { filter } => {
            let text = filter.to_string();
            let href = address("/fleet", [("filter", text.clone())]);
            view! {
                "all that match "
                <a href=href>
                    <code>{text}</code>
                </a>
            }
            .into_any()
        }
        NodeSelection::Nodes { nodes } => {
            let few = nodes.len() <= 5;
            let count = plural(u64::try_from(nodes.len()).unwrap_or(u64::MAX), "node", "nodes");
            view! {
                <details open=few>
                    <summary>{format!("{count}, chosen one by one")}</summary>
                    {nodes
                        .into_iter()
                        .map(|id| {
                            let text = id.to_string();
                            view! {
                                <div>
                                    <a class="mono" href=format!("/fleet/{text}")>
                                        {text.clone()}
                                    </a>
                                </div>
                            }
                        })
                        .collect_view()}
                </details>
            }
            .into_any()
        }
    }
}
