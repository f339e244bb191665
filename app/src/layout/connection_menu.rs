//! The account and region on show, and how the portal stands with each of them.

use super::frame::Live;
use crate::components::{Badge, Fact, Glyph, Icon, StatusDot, TimeAgo, once};
use leptos::prelude::*;
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

#[component]
fn Menu(connections: Vec<ConnectionView>) -> impl IntoView {
    let connections = fresh(connections);
    view! {
            <details class="menu connection">
                <summary>
                    {move || {
                        let all = connections.get();
                        match all.first() {
                            Some(first) => {
                                view! {
                                    <span class=format!("dot {}", badge(first.state).0.class()) aria-hidden="true"></span>
                                    <span class="connection-name">{first.name.clone()}</span>
                                    <span class="connection-place">
                                        {format!("{} · {}", first.account, first.region)}
                                    </span>
                                    {(all.len() > 1).then(|| view! { <span class="tag">{format!("+{}", all.len() - 1)}</span> })}
                                }
                                    .into_any()
                            }
                            None => view! { <span class="connection-name">"No connection"</span> }.into_any(),
                        }
                    }}
                    <Icon glyph=Glyph::Down />
                </summary>
                <div class="menu-body">
                    <h2>{move || if connections.with(Vec::len) > 1 { "Connections" } else { "Connection" }}</h2>
                    {move || connections.get().into_iter().map(|one| view! { <Line one /> }).collect_view()}
                    {move || {
                        connections.with(Vec::is_empty).then(|| view! { <p class="muted">"None is set up, or you may not see them."</p> })
                    }}
                    <p class="connection-note muted">
                        "One server speaks to one account in one region, which its settings name. For another, start a second server; the README says how, under “Point it at AWS”."
                    </p>
                </div>
            </details>
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
