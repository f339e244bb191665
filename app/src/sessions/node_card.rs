//! The card "Terminals" on a node's page.

use super::api::find_sessions;
use super::live_table::RecentRows;
use crate::components::{ErrorNotice, Keeper, Skeleton};
use crate::url::address;
use leptos::prelude::*;

/// Sessions on the card at most.
const SHOWN: u32 = 6;

/// The newest sessions on a node.
#[component]
pub(crate) fn NodeTerminals(#[prop(into)] node: String) -> impl IntoView {
    let all = address("/terminals", [("node", node.clone()), ("period", "all".into())]);
    let recent = Resource::new(
        move || node.clone(),
        |node| {
            find_sessions(
                None,
                Some(node),
                None,
                None,
                Some("all".into()),
                None,
                Some(SHOWN),
            )
        },
    );
    let keeper = Keeper::here();
    view! {
        <section class="card" aria-labelledby="node-terminals">
            <header>
                <h2 id="node-terminals">"Terminals"</h2>
                <a class="aside" href=all>
                    "All →"
                </a>
            </header>
            <Transition fallback=|| view! { <Skeleton lines=3 /> }>
                {move || {
                    let keeper = keeper.clone();
                    Suspend::new(async move {
                        match recent.await {
                            Ok(page) if page.items.is_empty() => {
                                view! { <p class="panel-none">"No terminal has been opened on this node yet."</p> }.into_any()
                            }
                            Ok(page) => keeper.view(move || view! { <RecentRows sessions=page.items /> }),
                            Err(error) => {
                                view! {
                                    <div class="card-body">
                                        <ErrorNotice error what="this node's terminals" />
                                    </div>
                                }
                                    .into_any()
                            }
                        }
                    })
                }}
            </Transition>
        </section>
    }
}
