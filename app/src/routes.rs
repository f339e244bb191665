//! Every address of the portal and the page behind it. All pages are rendered whole
//! (`SsrMode::Async`): they must be readable without script, where streamed parts never arrive,
//! and their data comes from the portal's own copy, which answers fast. The code of the pages
//! reaches the browser by feature, when it is wanted: see [`crate::lazy`].

use crate::access::{SetupPage, SignInPage};
use crate::components::empty_state::NotFound;
use crate::layout::Layout;
use crate::lazy::{
    AddNode, Audit, Baselines, Calendar, Delegations, Deploy, Deployments, EditApplication, EditBaseline,
    EditParameter, EditWindow, Exceptions, Executions, Fleet, History, NewApplication, NewBaseline,
    NewParameter, NewRelease, NewRole, NewTerminal, NewWindow, Node, OneApplication, OneBaseline, OneCommand,
    OneDeployment, OneExecution, OneParameter, OneRecording, OneRelease, OneRequest, OneRunbook, OneTerminal,
    OneWindow, Parameters, PatchStates, Policies, Profile, Requests, Roles, RollBack, RunDocument, Runbooks,
    Schedules, Sessions, SettingsParts, StartRunbook, Terminals, Tokens, Users, Windows,
};
use crate::overview::OverviewPage;
use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::components::{ParentRoute, Redirect, Route, Router, Routes};
use leptos_router::{Lazy, SsrMode, path};

/// The whole portal.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    crate::forms::provide_kept_form();
    crate::live::clock::provide_clock();
    crate::components::toast::provide_toaster();
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
                    <Route path=path!("/fleet") view={Lazy::<Fleet>::new()} />
                    <Route path=path!("/fleet/add") view={Lazy::<AddNode>::new()} />
                    <Route path=path!("/fleet/:node_id") view={Lazy::<Node>::new()} />
                    <Route path=path!("/commands") view={Lazy::<History>::new()} />
                    <Route path=path!("/commands/new") view={Lazy::<RunDocument>::new()} />
                    <Route path=path!("/commands/:command_id") view={Lazy::<OneCommand>::new()} />
                    <Route path=path!("/runbooks") view={Lazy::<Runbooks>::new()} />
                    <Route path=path!("/runbooks/:name") view={Lazy::<OneRunbook>::new()} />
                    <Route path=path!("/runbooks/:name/start") view={Lazy::<StartRunbook>::new()} />
                    <Route path=path!("/schedules") view={Lazy::<Schedules>::new()} />
                    <Route path=path!("/executions") view={Lazy::<Executions>::new()} />
                    <Route path=path!("/executions/:execution_id") view={Lazy::<OneExecution>::new()} />
                    <Route path=path!("/parameters") view={Lazy::<Parameters>::new()} />
                    <Route path=path!("/parameters/view") view={Lazy::<OneParameter>::new()} />
                    <Route path=path!("/parameters/new") view={Lazy::<NewParameter>::new()} />
                    <Route path=path!("/parameters/edit") view={Lazy::<EditParameter>::new()} />
                    <Route path=path!("/patching") view={Lazy::<PatchStates>::new()} />
                    <Route path=path!("/patching/exceptions") view={Lazy::<Exceptions>::new()} />
                    <Route path=path!("/patching/baselines") view={Lazy::<Baselines>::new()} />
                    <Route path=path!("/patching/baselines/new") view={Lazy::<NewBaseline>::new()} />
                    <Route path=path!("/patching/baselines/:baseline_id") view={Lazy::<OneBaseline>::new()} />
                    <Route path=path!("/patching/baselines/:baseline_id/edit") view={Lazy::<EditBaseline>::new()} />
                    <Route path=path!("/windows") view={Lazy::<Windows>::new()} />
                    <Route path=path!("/windows/new") view={Lazy::<NewWindow>::new()} />
                    <Route path=path!("/windows/:window_id") view={Lazy::<OneWindow>::new()} />
                    <Route path=path!("/windows/:window_id/edit") view={Lazy::<EditWindow>::new()} />
                    <Route path=path!("/deployments") view={Lazy::<Deployments>::new()} />
                    <Route path=path!("/deployments/new") view={Lazy::<NewApplication>::new()} />
                    <Route path=path!("/deployments/:application_id") view={Lazy::<OneApplication>::new()} />
                    <Route path=path!("/deployments/:application_id/edit") view={Lazy::<EditApplication>::new()} />
                    <Route path=path!("/deployments/:application_id/new-release") view={Lazy::<NewRelease>::new()} />
                    <Route path=path!("/deployments/:application_id/deploy") view={Lazy::<Deploy>::new()} />
                    <Route path=path!("/deployments/:application_id/roll-back") view={Lazy::<RollBack>::new()} />
                    <Route path=path!("/deployments/:application_id/releases/:release_id") view={Lazy::<OneRelease>::new()} />
                    <Route path=path!("/deployments/:application_id/runs/:deployment_id") view={Lazy::<OneDeployment>::new()} />
                    <Route path=path!("/terminals") view={Lazy::<Terminals>::new()} />
                    <Route path=path!("/terminals/new") view={Lazy::<NewTerminal>::new()} />
                    <Route path=path!("/terminals/:session_id") view={Lazy::<OneTerminal>::new()} />
                    <Route path=path!("/terminals/:session_id/recording") view={Lazy::<OneRecording>::new()} />
                    <Route path=path!("/approvals") view={Lazy::<Requests>::new()} />
                    <Route path=path!("/approvals/role") view={Lazy::<NewRole>::new()} />
                    <Route path=path!("/approvals/delegations") view={Lazy::<Delegations>::new()} />
                    <Route path=path!("/approvals/calendar") view={Lazy::<Calendar>::new()} />
                    <Route path=path!("/approvals/policies") view={Lazy::<Policies>::new()} />
                    <Route path=path!("/approvals/:request_id") view={Lazy::<OneRequest>::new()} />
                    <Route path=path!("/audit") view={Lazy::<Audit>::new()} />
                    <ParentRoute path=path!("/settings") view={Lazy::<SettingsParts>::new()}>
                        <Route path=path!("") view=|| view! { <Redirect path="/settings/profile" /> } />
                        <Route path=path!("profile") view={Lazy::<Profile>::new()} />
                        <Route path=path!("sessions") view={Lazy::<Sessions>::new()} />
                        <Route path=path!("tokens") view={Lazy::<Tokens>::new()} />
                        <Route path=path!("users") view={Lazy::<Users>::new()} />
                        <Route path=path!("roles") view={Lazy::<Roles>::new()} />
                    </ParentRoute>
                    <Route path=path!("/*any") view=NotFound />
                </ParentRoute>
            </Routes>
        </Router>
    }
}
