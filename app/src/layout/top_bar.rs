//! The top bar: connection, search, and whether what one sees is fresh.

use super::connection_menu::{ConnectionMenu, fresh, made_with};
use super::frame::Live;
use crate::components::time_ago::relative;
use crate::components::{Glyph, Icon, TimeAgo, once};
use crate::live::clock::use_now;
use crate::live::event_source::StreamState;
use leptos::ev;
use leptos::prelude::*;
use muster_domain::Timestamp;
use muster_domain::overview::{ConnectionState, ConnectionView};

/// The top bar.
#[component]
pub(super) fn TopBar(palette_open: RwSignal<bool>) -> impl IntoView {
    let frame = super::use_frame();
    // Without script this is an ordinary search for nodes; with script it opens the palette.
    let open = move |event: ev::MouseEvent| {
        event.prevent_default();
        palette_open.set(true);
    };
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        palette_open.set(true);
    };
    view! {
        <section class="top" aria-label="Connection and search">
            <ConnectionMenu />
            <form class="search" role="search" method="get" action="/fleet" on:submit=submit>
                <Icon glyph=Glyph::Search />
                <input
                    type="search"
                    name="filter"
                    id="portal-search"
                    aria-label="Search nodes, commands and pages"
                    placeholder="Search nodes, commands, pages…"
                    autocomplete="off"
                    on:click=open
                />
                <kbd class="needs-script">"Ctrl K"</kbd>
            </form>
            <Transition fallback=|| ()>
                {move || Suspend::new(async move {
                    let connections = made_with(frame).await;
                    once(move || view! { <LiveState connections /> })
                })}
            </Transition>
        </section>
    }
}

/// The oldest copy among the connections: the page is as fresh as that.
fn oldest(times: impl Iterator<Item = Option<Timestamp>>) -> Option<Timestamp> {
    times.flatten().min()
}

#[component]
fn LiveState(connections: Vec<ConnectionView>) -> impl IntoView {
    let connections = fresh(connections);
    let live = use_context::<Live>();
    let now = use_now();
    let text = move || {
        // How another connection stands is no word about this page; its menu says it.
        let mut all = connections.get();
        all.retain(|one| one.is_here);
        let synced = oldest(all.iter().map(|one| one.synced_at));
        let age = |at: Timestamp| match now.get() {
            Some(now) => relative(now, at),
            None => at.readable(),
        };
        let stream = live.map(|live| live.state.get()).unwrap_or_default();
        if let StreamState::Reconnecting(attempt) = stream {
            return ("warn", format!("Reconnecting ({attempt})"));
        }
        if let Some(broken) = all.iter().find(|one| one.state == ConnectionState::Unreachable) {
            let since = broken
                .synced_at
                .map(|at| format!(" · as of {}", age(at)))
                .unwrap_or_default();
            return ("bad", format!("Unreachable{since}"));
        }
        match synced {
            Some(at) if stream == StreamState::Open => ("ok", format!("Live · synced {}", age(at))),
            Some(at) => ("off", format!("Synced {}", age(at))),
            None => ("off", "Not synced yet".to_owned()),
        }
    };
    let text = Memo::new(move |_| text());
    view! {
        <div class="live" data-live=move || text.get().0>
            <span class=move || format!("dot {}", text.get().0) aria-hidden="true"></span>
            <span>{move || text.get().1}</span>
        </div>
    }
}

/// Says that figures are old when a connection does not answer.
#[component]
pub(super) fn StaleBanner() -> impl IntoView {
    let frame = super::use_frame();
    view! {
        <Transition fallback=|| ()>
            {move || Suspend::new(async move {
                let connections = made_with(frame).await;
                once(move || view! { <Banners connections /> })
            })}
        </Transition>
    }
}

#[component]
fn Banners(connections: Vec<ConnectionView>) -> impl IntoView {
    let connections = fresh(connections);
    view! {
            <div role="status">
                {move || {
                    connections
                        .get()
                        .into_iter()
                        .filter(|one| one.is_here)
                        .filter(|one| one.state == ConnectionState::Unreachable || !one.message.is_empty())
                        .map(|one| {
                            view! {
                                <div class="banner">
                                    <Icon glyph=Glyph::Warning />
                                    <div>
                                        <strong>
                                            {if one.state == ConnectionState::Unreachable {
                                                format!("{} cannot be reached.", one.name)
                                            } else {
                                                format!("{} is not whole.", one.name)
                                            }}
                                        </strong>
                                        " "
                                        {one.message}
                                        {match one.synced_at {
                                            Some(at) => view! { " What you see is as of " <TimeAgo at /> "." }.into_any(),
                                            None => " Nothing has been copied from it yet.".into_any(),
                                        }}
                                    </div>
                                </div>
                            }
                        })
                        .collect_view()
                }}
            </div>
    }
}
