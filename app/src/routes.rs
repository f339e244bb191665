//! Every address of the portal and the page behind it. All pages are rendered whole
//! (`SsrMode::Async`): they must be readable without script, where streamed parts never arrive,
//! and their data comes from the portal's own copy, which answers fast.

use crate::access::{ProfilePage, RolesPage, SessionsPage, SettingsFrame, SetupPage, SignInPage, UsersPage};
use crate::audit::AuditPage;
use crate::commands::{DetailPage, HistoryPage, RunPage};
use crate::components::empty_state::NotFound;
use crate::fleet::{AddNodePage, FleetPage, NodePage};
use crate::layout::Layout;
use crate::overview::OverviewPage;
use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::components::{ParentRoute, Redirect, Route, Router, Routes};
use leptos_router::{SsrMode, path};

/// The whole portal.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    crate::live::clock::provide_clock();
    crate::components::toast::provide_toaster();
    // Browser tests and styles wait for this mark: from now on the page answers to script.
    Effect::new(|_| {
        if let Some(root) = document().document_element() {
            let _ = root.set_attribute("data-hydrated", "");
        }
    });
    view! {
        <Title formatter=|title: String| {
            if title.is_empty() { "Muster".to_owned() } else { format!("{title} · Muster") }
        } />
        <Router>
            <Routes fallback=NotFound>
                <Route path=path!("/sign-in") view=SignInPage ssr=SsrMode::Async />
                <Route path=path!("/setup") view=SetupPage ssr=SsrMode::Async />
                <ParentRoute path=path!("") view=Layout ssr=SsrMode::Async>
                    <Route path=path!("/") view=OverviewPage />
                    <Route path=path!("/fleet") view=FleetPage />
                    <Route path=path!("/fleet/add") view=AddNodePage />
                    <Route path=path!("/fleet/:node_id") view=NodePage />
                    <Route path=path!("/commands") view=HistoryPage />
                    <Route path=path!("/commands/new") view=RunPage />
                    <Route path=path!("/commands/:command_id") view=DetailPage />
                    <Route path=path!("/audit") view=AuditPage />
                    <ParentRoute path=path!("/settings") view=SettingsFrame>
                        <Route path=path!("") view=|| view! { <Redirect path="/settings/profile" /> } />
                        <Route path=path!("profile") view=ProfilePage />
                        <Route path=path!("sessions") view=SessionsPage />
                        <Route path=path!("users") view=UsersPage />
                        <Route path=path!("roles") view=RolesPage />
                    </ParentRoute>
                    <Route path=path!("/*any") view=NotFound />
                </ParentRoute>
            </Routes>
        </Router>
    }
}
