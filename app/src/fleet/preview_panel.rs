//! The split panel: one node beside the table.

use super::api::get_node;
use super::node_facts::NodeFacts;
use crate::components::{ErrorNotice, Glyph, Icon, Skeleton, TagList};
use leptos::prelude::*;

/// The panel for `node`; `close` is the address without it.
#[component]
pub(super) fn PreviewPanel(node: Memo<Option<String>>, close: Signal<String>) -> impl IntoView {
    let detail = Resource::new(
        move || node.get(),
        |node| async move {
            match node {
                Some(node) => Some(get_node(node).await),
                None => None,
            }
        },
    );
    view! {
        <Transition fallback=|| ()>
            {move || Suspend::new(async move {
                let detail = detail.await?;
                let title = match &detail {
                    Ok(detail) => detail.summary.name.clone(),
                    Err(_) => "Node".into(),
                };
                Some(
                    view! {
                        <aside class="card preview" aria-label=format!("Preview of {title}")>
                            <header>
                                <h2>{title.clone()}</h2>
                                <a
                                    class="btn quiet small aside"
                                    href=move || close.get()
                                    aria-label="Close the preview"
                                    data-escape=""
                                    data-noscroll=""
                                >
                                    <Icon glyph=Glyph::Cross />
                                </a>
                            </header>
                            <div class="card-body">
                                {match detail {
                                    Ok(detail) => {
                                        let id = detail.summary.node_id.to_string();
                                        let tags = detail.summary.tags.clone();
                                        view! {
                                            <div class="row">
                                                {detail
                                                    .may_run
                                                    .then(|| {
                                                        view! {
                                                            <a class="btn primary" href=format!("/commands/new?nodes={id}")>
                                                                "Run command"
                                                            </a>
                                                        }
                                                    })}
                                                <a class="btn" href=format!("/fleet/{id}")>
                                                    "Open node"
                                                </a>
                                            </div>
                                            <TagList tags />
                                            <NodeFacts node=detail />
                                        }
                                            .into_any()
                                    }
                                    Err(error) => view! { <ErrorNotice error what="this node" /> }.into_any(),
                                }}
                            </div>
                        </aside>
                    },
                )
            })}
        </Transition>
    }
}

/// What stands in the panel's place while nothing is known yet.
#[component]
pub(super) fn TableSkeleton() -> impl IntoView {
    view! {
        <div class="card">
            <Skeleton lines=10 />
        </div>
    }
}
