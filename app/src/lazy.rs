//! Split points: the code of pages that belong together is a file of its own, which the browser fetches when
//! the first of them is opened. What all pages share stays in the first file, with sign-in and the
//! Overview, where everybody begins. On the server nothing is split.

use leptos::prelude::*;
use leptos_router::LazyRoute;

/// One feature: a lazily loaded function that makes the view of any of its pages, and a route for each.
macro_rules! feature {
    ($load:ident, $preload:ident, $pages:ident: $($(#[$doc:meta])* $page:ident => $view:path),+ $(,)?) => {
        enum $pages { $($page),+ }

        #[lazy]
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

                async fn view(_: Self) -> AnyView {
                    $load($pages::$page).await
                }

                async fn preload() {
                    #[cfg(target_arch = "wasm32")]
                    $preload().await;
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
