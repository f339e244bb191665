//! Split points: the code of pages that belong together is a file of its own, which the browser fetches when
//! the first of them is opened. What all pages share stays in the first file, with sign-in and the
//! Overview, where everybody begins. On the server nothing is split.

#[cfg(not(feature = "ssr"))]
use crate::components::{Glyph, Icon, PageHead};
use leptos::prelude::*;
use leptos_router::LazyRoute;
#[cfg(not(feature = "ssr"))]
use leptos_router::hooks::use_location;
#[cfg(not(feature = "ssr"))]
use std::future::Future;

/// How often a part is asked for before its page, which asks once more, says that it does not come.
#[cfg(not(feature = "ssr"))]
const TRIES: u32 = 3;

/// A part could not be fetched: the portal or the way to it is away, or the page is just being left.
#[cfg(not(feature = "ssr"))]
pub(crate) struct NotFetched;

#[cfg(not(feature = "ssr"))]
impl From<leptos::wasm_split::SplitLoaderError> for NotFetched {
    fn from(_: leptos::wasm_split::SplitLoaderError) -> Self {
        Self
    }
}

/// Waits for a part. One that does not come is asked for again after a pause. For the page that came whole from the server as
/// long as it takes: it works without script meanwhile, and nothing else may be put in its place. For others a few times.
#[cfg(not(feature = "ssr"))]
async fn patiently<F: Future<Output = Result<(), leptos::wasm_split::SplitLoaderError>>>(
    load: impl Fn() -> F,
) {
    // The mark that the frontend sets once the page answers to script.
    let came_whole = document()
        .document_element()
        .is_some_and(|root| !root.has_attribute("data-hydrated"));
    let mut tried = 0_u32;
    while load().await.is_err() && (came_whole || tried + 1 < TRIES) {
        pause(crate::live::event_source::pause_ms(tried)).await;
        tried += 1;
    }
}

#[cfg(not(feature = "ssr"))]
async fn pause(ms: u64) {
    let waited = js_sys::Promise::new(&mut |resolve, _| {
        let resolved = move || {
            let _ = resolve.call0(&wasm_bindgen::JsValue::UNDEFINED);
        };
        set_timeout(resolved, std::time::Duration::from_millis(ms));
    });
    let _ = wasm_bindgen_futures::JsFuture::from(waited).await;
}

/// In place of a page whose part did not come.
#[cfg(not(feature = "ssr"))]
#[component]
fn NotThere() -> impl IntoView {
    let place = use_location();
    let here = format!(
        "{}{}",
        place.pathname.get_untracked(),
        match place.search.get_untracked() {
            search if search.is_empty() => String::new(),
            search => format!("?{}", search.trim_start_matches('?')),
        }
    );
    view! {
        <PageHead title="Page not fetched" />
        <div class="notice bad" role="alert" data-not-fetched="">
            <Icon glyph=Glyph::Warning />
            <div>
                <strong>"This page could not be fetched from the portal. "</strong>
                "Is the portal there, and the network? "
                // Whole, from the server: what was fetched before may be of another version.
                <a href=here rel="external">
                    "Try again"
                </a>
            </div>
        </div>
    }
}

/// One feature: a lazily loaded function that makes the view of any of its pages, and a route for each.
macro_rules! feature {
    ($load:ident, $preload:ident, $pages:ident: $($(#[$doc:meta])* $page:ident => $view:path),+ $(,)?) => {
        #[derive(Clone, Copy)]
        enum $pages { $($page),+ }

        // What `#[lazy]` makes, except that a part which cannot be fetched is told of: that one ends the page.
        #[cfg(not(feature = "ssr"))]
        #[leptos::wasm_split::wasm_split(
            $load,
            wasm_split_path = ::leptos::wasm_split,
            preload($preload),
            fallible
        )]
        fn $load(page: $pages) -> Result<AnyView, NotFetched> {
            Ok(match page { $($pages::$page => $view().into_any()),+ })
        }

        #[cfg(feature = "ssr")]
        fn $load(page: $pages) -> AnyView {
            match page { $($pages::$page => $view().into_any()),+ }
        }

        $(
            $(#[$doc])*
            #[derive(Debug)]
            pub(crate) struct $page;

            impl LazyRoute for $page {
                fn data() -> Self {
                    Self
                }

                #[cfg(not(feature = "ssr"))]
                async fn view(_: Self) -> AnyView {
                    match $load($pages::$page).await {
                        Ok(view) => view,
                        Err(NotFetched) => view! { <NotThere /> }.into_any(),
                    }
                }

                #[cfg(feature = "ssr")]
                async fn view(_: Self) -> AnyView {
                    leptos::prefetch_lazy_fn_on_server(stringify!($load));
                    $load($pages::$page)
                }

                async fn preload() {
                    #[cfg(not(feature = "ssr"))]
                    patiently($preload).await;
                }
            }
        )+
    };
}

feature!(fleet_pages, __preload_fleet_pages, FleetPages:
    /// All nodes.
    Fleet => crate::fleet::FleetPage,
);
feature!(node_pages, __preload_node_pages, NodePages:
    /// An activation for new nodes.
    AddNode => crate::fleet::AddNodePage,
    /// One node.
    Node => crate::fleet::NodePage,
);
feature!(history_pages, __preload_history_pages, HistoryPages:
    /// What was run.
    History => crate::commands::HistoryPage,
);
feature!(run_pages, __preload_run_pages, RunPages:
    /// Run a command.
    RunDocument => crate::commands::RunPage,
);
feature!(command_pages, __preload_command_pages, CommandPages:
    /// One command.
    OneCommand => crate::commands::DetailPage,
);
feature!(terminal_pages, __preload_terminal_pages, TerminalPages:
    /// Terminals that are open, and those that were.
    Terminals => crate::sessions::ListPage,
    /// Open a terminal.
    NewTerminal => crate::sessions::NewPage,
    /// One terminal, and others in tabs.
    OneTerminal => crate::sessions::WorkspacePage,
    /// One recording.
    OneRecording => crate::sessions::RecordingPage,
);
feature!(approval_pages, __preload_approval_pages, ApprovalPages:
    /// What waits for a second pair of eyes.
    Requests => crate::approvals::ListPage,
    /// One request.
    OneRequest => crate::approvals::RequestPage,
    /// Windows, freezes, and what is to come.
    Calendar => crate::approvals::CalendarPage,
    /// Ask for a role.
    NewRole => crate::approvals::RolePage,
    /// Who decides for whom.
    Delegations => crate::approvals::DelegationsPage,
    /// What takes a second pair of eyes.
    Policies => crate::approvals::PoliciesPage,
);
feature!(runbook_pages, __preload_runbook_pages, RunbookPages:
    /// What can be started.
    Runbooks => crate::runbooks::CataloguePage,
    /// One runbook.
    OneRunbook => crate::runbooks::RunbookPage,
    /// What was started.
    Executions => crate::runbooks::HistoryPage,
    /// What is started by itself.
    Schedules => crate::runbooks::SchedulesPage,
);
feature!(start_pages, __preload_start_pages, StartPages:
    /// Start a runbook.
    StartRunbook => crate::runbooks::StartPage,
);
feature!(execution_pages, __preload_execution_pages, ExecutionPages:
    /// One execution.
    OneExecution => crate::runbooks::ExecutionPage,
);
feature!(parameter_pages, __preload_parameter_pages, ParameterPages:
    /// Configuration and secrets, folder by folder.
    Parameters => crate::parameters::ListPage,
    /// One parameter.
    OneParameter => crate::parameters::ViewPage,
    /// Make one.
    NewParameter => crate::parameters::NewPage,
    /// Change one.
    EditParameter => crate::parameters::EditPage,
);
feature!(patching_pages, __preload_patching_pages, PatchingPages:
    /// How nodes stand against their patch baselines.
    PatchStates => crate::patching::ListPage,
    /// The patch baselines.
    Baselines => crate::patching::BaselinesPage,
    /// One of them.
    OneBaseline => crate::patching::BaselinePage,
    /// Make one.
    NewBaseline => crate::patching::NewBaselinePage,
    /// Change one.
    EditBaseline => crate::patching::EditBaselinePage,
    /// Patches that nodes need not have for a time.
    Exceptions => crate::patching::ExceptionsPage,
);
feature!(window_pages, __preload_window_pages, WindowPages:
    /// When something is done by itself.
    Windows => crate::windows::ListPage,
    /// One maintenance window.
    OneWindow => crate::windows::ViewPage,
    /// Make one.
    NewWindow => crate::windows::NewPage,
    /// Change one.
    EditWindow => crate::windows::EditPage,
);
feature!(deployment_pages, __preload_deployment_pages, DeploymentPages:
    /// Which release of which application runs where.
    Deployments => crate::deployments::MatrixPage,
    /// One application.
    OneApplication => crate::deployments::ApplicationPage,
    /// Make one.
    NewApplication => crate::deployments::NewPage,
    /// Change one.
    EditApplication => crate::deployments::EditPage,
    /// Write a release down.
    NewRelease => crate::deployments::NewReleasePage,
    /// One release.
    OneRelease => crate::deployments::ReleasePage,
    /// Deploy one.
    Deploy => crate::deployments::DeployPage,
    /// Roll back to one.
    RollBack => crate::deployments::RollBackPage,
    /// One deployment.
    OneDeployment => crate::deployments::RunPage,
);
feature!(audit_pages, __preload_audit_pages, AuditPages:
    /// Who did what.
    Audit => crate::audit::AuditPage,
);
feature!(settings_pages, __preload_settings_pages, SettingsPages:
    /// The frame around all settings.
    SettingsParts => crate::access::SettingsFrame,
    /// One's own name and password.
    Profile => crate::access::ProfilePage,
    /// Where one is signed in.
    Sessions => crate::access::SessionsPage,
    /// With what programs act as oneself.
    Tokens => crate::access::TokensPage,
    /// Who may sign in.
    Users => crate::access::UsersPage,
    /// What each role may do.
    Roles => crate::access::RolesPage,
);
