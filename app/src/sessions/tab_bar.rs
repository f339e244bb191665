//! The tabs above the terminals: what one has open, what else was opened here, and what may stand beside.

use super::desk::Desk;
use super::workspace_url::WorkspaceUrl;
use crate::components::{Glyph, Icon, Renewed};
use leptos::prelude::*;
use muster_domain::sessions::{LivePage, SessionKind, SessionSummary};
use std::sync::Arc;

/// One tab: which session, on which node, whether it goes on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Tab {
    id: String,
    node: String,
    live: bool,
}

/// One's own terminals, and those opened on this page.
fn tabs(live: &[SessionSummary], opened: &[String]) -> Vec<Tab> {
    let mut tabs: Vec<Tab> = live
        .iter()
        .filter(|one| one.kind == SessionKind::Shell)
        .filter(|one| one.is_own || opened.iter().any(|id| id == one.session_id.as_str()))
        .map(|one| Tab {
            id: one.session_id.to_string(),
            node: one.node_name.clone(),
            live: true,
        })
        .collect();
    // New ones come last, so that tabs keep their places.
    tabs.reverse();
    for id in opened {
        if !tabs.iter().any(|tab| tab.id == *id) {
            tabs.push(Tab {
                id: id.clone(),
                node: String::new(),
                live: false,
            });
        }
    }
    tabs
}

/// The tabs.
#[component]
pub(super) fn TabBar(desk: Desk, url: Memo<WorkspaceUrl>, live: Renewed<LivePage>) -> impl IntoView {
    let all = RwSignal::new(Vec::<SessionSummary>::new());
    Effect::new(move |_| {
        if let Some(Ok(live)) = live.get() {
            all.set(Arc::unwrap_or_clone(live.value).sessions);
        }
    });
    let shown = Memo::new(move |_| all.with(|all| tabs(all, &desk.opened())));
    let free = move || {
        let on_show = url.with(WorkspaceUrl::on_show);
        shown
            .get()
            .into_iter()
            .filter(|tab| tab.live && !on_show.contains(&tab.id))
            .collect::<Vec<_>>()
    };
    view! {
        <nav class="tabs terminal-tabs" aria-label="Open terminals" data-way-out="" tabindex="-1">
            <For each=move || shown.get() key=Clone::clone let:tab>
                <TabLink tab desk url />
            </For>
            <a class="terminal-new" href="/terminals/new" aria-label="New terminal" title="New terminal">
                <Icon glyph=Glyph::Plus />
            </a>
            {move || {
                let free = free();
                let split = url.with(|url| url.beside.is_some());
                if split {
                    return Some(
                        view! {
                            <a class="terminal-split" href=url.with(|url| url.with_beside(None)) data-noscroll="">
                                <Icon glyph=Glyph::Split />
                                "Close the split"
                            </a>
                        }
                            .into_any(),
                    );
                }
                (!free.is_empty())
                    .then(|| {
                        view! {
                            <details class="menu terminal-split">
                                <summary>
                                    <Icon glyph=Glyph::Split />
                                    "Split"
                                </summary>
                                <div class="menu-body">
                                    <h2>"Show beside"</h2>
                                    {free
                                        .into_iter()
                                        .map(|tab| {
                                            let href = url.with(|url| url.with_beside(Some(&tab.id)));
                                            view! {
                                                <a href=href data-noscroll="">
                                                    {tab.node}
                                                </a>
                                            }
                                        })
                                        .collect_view()}
                                </div>
                            </details>
                        }
                            .into_any()
                    })
            }}
        </nav>
    }
}

#[component]
fn TabLink(tab: Tab, desk: Desk, url: Memo<WorkspaceUrl>) -> impl IntoView {
    let Tab { id, node, live } = tab;
    let (here, there, named) = (id.clone(), id.clone(), id);
    let href = ArcMemo::new(move |_| url.with(|url| url.tab(&there)));
    let current = ArcMemo::new(move |_| url.with(|url| url.id == here).then_some("page"));
    let label = ArcMemo::new(move |_| {
        desk.title_of(&named).unwrap_or_else(|| {
            if node.is_empty() {
                "Terminal".to_owned()
            } else {
                node.clone()
            }
        })
    });
    let title = label.clone();
    view! {
        <a href=move || href.get() data-noscroll="" aria-current=move || current.get() title=move || title.get()>
            <span class=if live { "dot ok" } else { "dot off" } aria-hidden="true"></span>
            <span class="tab-title">{move || label.get()}</span>
        </a>
    }
}
