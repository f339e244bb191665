//! Joins the parts of the frame, and keeps what all pages share: who is signed in, the state of
//! the connections, and the selection of nodes.

use super::help_dialog::HelpDialog;
use super::palette::Palette;
use super::search_api::{Frame, get_frame};
use super::shortcuts::listen_for_shortcuts;
use super::side_nav::SideNav;
use super::top_bar::{StaleBanner, TopBar};
use crate::approvals::provide_waiting;
use crate::components::Toasts;
use crate::error::AppError;
use crate::fleet::selection::provide_selection;
use crate::live::clock::use_clock;
use crate::live::event_source::{StreamState, listen};
use leptos::prelude::*;
use leptos_router::components::Outlet;
use muster_domain::Timestamp;
use muster_domain::overview::ConnectionView;

/// Who is signed in, and what the portal speaks to.
pub(crate) type FrameResource = Resource<Result<Frame, AppError>>;

/// The frame's data. Pages ask it what the person may do.
pub(crate) fn use_frame() -> FrameResource {
    use_context::<FrameResource>().unwrap_or_else(|| Resource::new(|| (), |()| get_frame()))
}

/// What the stream of connection states has said so far.
#[derive(Clone, Copy)]
pub(super) struct Live {
    pub(super) state: RwSignal<StreamState>,
    /// `None` until the stream has spoken: then the page's own copy holds.
    pub(super) connections: RwSignal<Option<Vec<ConnectionView>>>,
}

/// The frame, with the page inside.
#[component]
pub(crate) fn Layout() -> impl IntoView {
    let frame: FrameResource = Resource::new(|| (), |()| get_frame());
    provide_context(frame);
    let live = Live {
        state: RwSignal::new(StreamState::default()),
        connections: RwSignal::new(None),
    };
    provide_context(live);
    provide_selection();
    let waiting = provide_waiting();
    let palette_open = RwSignal::new(false);
    listen_for_shortcuts(palette_open);
    let clock = use_clock();
    Effect::new(move |_| {
        if let Some(Ok(frame)) = frame.get() {
            clock.heard(frame.as_of);
        }
    });
    Effect::new(move |_| {
        listen(
            "/events/portal".into(),
            None,
            &["state", "time", "approvals"],
            live.state,
            move |event| match event.name.as_str() {
                "state" => {
                    if let Ok(connections) = serde_json::from_str(&event.data) {
                        live.connections.set(Some(connections));
                    }
                }
                "time" => {
                    if let Ok(now) = event.data.parse() {
                        clock.heard(Timestamp(now));
                    }
                }
                "approvals" => waiting.hear(),
                _ => {}
            },
        );
    });
    view! {
        <a class="skip-link" href="#content" rel="external">
            "Skip to the content"
        </a>
        <div class="frame">
            <SideNav />
            <div class="column">
                <TopBar palette_open />
                <StaleBanner />
                <main id="content" class="page" tabindex="-1">
                    <Outlet />
                </main>
            </div>
        </div>
        <Palette open=palette_open />
        <HelpDialog />
        <Toasts />
    }
}
