//! The account and region on show, and how the portal stands with each of them.

use super::frame::Live;
use crate::components::{Badge, Fact, Glyph, Icon, StatusDot, TimeAgo, once};
use leptos::prelude::*;
use leptos_router::hooks::use_location;
use muster_domain::overview::{ConnectionState, ConnectionView};

pub(super) fn badge(state: ConnectionState) -> (Badge, &'static str) {
    match state {
        ConnectionState::Live => (Badge::Ok, "Live"),
        ConnectionState::Starting => (Badge::Info, "Starting"),
        ConnectionState::Unreachable => (Badge::Bad, "Unreachable"),
    }
}

/// The connections: what the stream said last, else what the page was made with.
pub(super) fn fresh(made_with: Vec<ConnectionView>) -> Signal<Vec<ConnectionView>> {
    let live = use_context::<Live>();
    Signal::derive(move || {
        live.and_then(|live| live.connections.get())
            .unwrap_or_else(|| made_with.clone())
    })
}

/// The connections that the page was made with. To be awaited inside `Suspense`.
pub(super) async fn made_with(frame: super::frame::FrameResource) -> Vec<ConnectionView> {
    frame.await.map(|frame| frame.connections).unwrap_or_default()
}

/// The menu in the top bar.
#[component]
pub(super) fn ConnectionMenu() -> impl IntoView {
    let frame = super::use_frame();
    view! {
        <Transition fallback=|| ()>
            {move || Suspend::new(async move {
                let connections = made_with(frame).await;
                once(move || view! { <Menu connections /> })
            })}
        </Transition>
    }
}

/// The part of the portal that an address is in: what is in it is another thing at another connection, but the part is there.
fn section(path: &str) -> String {
    let first = path.split('/').find(|part| !part.is_empty()).unwrap_or_default();
    format!("/{first}")
}

fn account(one: &ConnectionView) -> String {
    if one.account.is_empty() {
        "account not known yet".to_owned()
    } else {
        one.account.clone()
    }
}

#[component]
fn Menu(connections: Vec<ConnectionView>) -> impl IntoView {
    let connections = fresh(connections);
    let here = move || connections.with(|all| all.iter().find(|one| one.is_here).cloned());
    let others =
        move || connections.with(|all| all.iter().filter(|one| !one.is_here).cloned().collect::<Vec<_>>());
    let is_production = move || here().is_some_and(|one| one.is_production);
    view! {
            <details class="menu connection" class:production=is_production>
                <summary>
                    {move || {
                        match here() {
                            Some(one) => {
                                view! {
                                    <span class=format!("dot {}", badge(one.state).0.class()) aria-hidden="true"></span>
                                    <span class="connection-name">{one.name.clone()}</span>
                                    {one.is_production.then(|| view! { <span class="tag production">"Production"</span> })}
                                    <span class="connection-place">{format!("{} · {}", account(&one), one.region)}</span>
                                }
                                    .into_any()
                            }
                            None => view! { <span class="connection-name">"No connection"</span> }.into_any(),
                        }
                    }}
                    <Icon glyph=Glyph::Down />
                </summary>
                <div class="menu-body">
                    <h2>"This connection"</h2>
                    {move || match here() {
                        Some(one) => view! { <Line one /> }.into_any(),
                        None => view! { <p class="muted">"None is set up, or you may not see them."</p> }.into_any(),
                    }}
                    {move || {
                        let others = others();
                        (!others.is_empty()).then(|| view! { <Others others /> })
                    }}
                    <p class="connection-note muted">
                        "What you see and do is in this account and region alone. One server can speak to several: the README says how, under “Several accounts and regions”."
                    </p>
                </div>
            </details>
    }
}

/// The other connections, each with the way to the same part of the portal there.
#[component]
fn Others(others: Vec<ConnectionView>) -> impl IntoView {
    let path = use_location().pathname;
    view! {
        <h2>"Go to"</h2>
        <ul class="connection-others">
            {others
                .into_iter()
                .map(|one| {
                    let (badge, word) = badge(one.state);
                    let place = format!("{} · {}", account(&one), one.region);
                    let inside = view! {
                        <span class="connection-name">{one.name.clone()}</span>
                        {one.is_production.then(|| view! { <span class="tag production">"Production"</span> })}
                        <span class="connection-place">{place}</span>
                    };
                    if one.url.is_empty() {
                        view! {
                            <li class="muted">{inside} <span>"not used by this server any more"</span></li>
                        }
                            .into_any()
                    } else {
                        let url = one.url.clone();
                        view! {
                            <li>
                                <a href=move || format!("{url}{}", section(&path.get())) rel="external">
                                    {inside}
                                    <StatusDot badge label=word />
                                </a>
                            </li>
                        }
                            .into_any()
                    }
                })
                .collect_view()}
        </ul>
    }
}

#[component]
fn Line(one: ConnectionView) -> impl IntoView {
    let (badge, word) = badge(one.state);
    let mode = if one.mode == "embedded" {
        "Embedded endpoint"
    } else {
        "AWS"
    };
    let account = if one.account.is_empty() {
        "not known yet".to_owned()
    } else {
        one.account
    };
    view! {
        <div class="connection-line">
            <div>
                <strong>{one.name}</strong>
                <StatusDot badge label=word />
            </div>
            <dl class="facts connection-facts">
                <Fact label="Account">{account}</Fact>
                <Fact label="Region">{one.region}</Fact>
                <Fact label="Kind">{mode}</Fact>
                <Fact label="Endpoint">
                    {if one.endpoint.is_empty() {
                        "not used by this server any more".into_any()
                    } else {
                        view! { <span class="mono">{one.endpoint}</span> }.into_any()
                    }}
                </Fact>
                <Fact label="Nodes copied">
                    {match one.synced_at {
                        Some(at) => view! { <TimeAgo at /> }.into_any(),
                        None => "not yet".into_any(),
                    }}
                </Fact>
            </dl>
            {(!one.message.is_empty()).then(|| view! { <div class="bad-text">{one.message}</div> })}
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::section;

    #[test]
    fn the_part_of_the_portal_is_kept_and_what_is_in_it_is_not() {
        for (path, kept) in [
            ("/", "/"),
            ("/fleet", "/fleet"),
            ("/fleet/mi-0123", "/fleet"),
            ("/approvals/CR-7", "/approvals"),
        ] {
            assert_eq!(section(path), kept);
        }
    }
}
