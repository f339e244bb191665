//! The split panel: one node beside the table.

use super::api::get_node;
use super::node_facts::NodeFacts;
use crate::components::{ErrorNotice, Glyph, Icon, Keeper, Skeleton, TagList};
use crate::error::AppError;
use crate::sessions::OpenTerminal;
use leptos::prelude::*;
use muster_domain::fleet::NodeDetail;

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
    let keeper = Keeper::here();
    view! {
        <Transition fallback=|| ()>
            {move || {
                let keeper = keeper.clone();
                Suspend::new(async move {
                    let detail = detail.await?;
                    Some(keeper.view(move || view! { <Panel detail close /> }))
                })
            }}
        </Transition>
    }
}

#[component]
fn Panel(detail: Result<NodeDetail, AppError>, close: Signal<String>) -> impl IntoView {
    let title = match &detail {
        Ok(detail) => detail.summary.name.clone(),
        Err(_) => "Node".into(),
    };
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
                                                {detail.may_run.then(|| view! { <OpenTerminal node=id.clone() /> })}
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
