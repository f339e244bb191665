//! Everything that can be done in Muster, by name: who may, and whether it is written to the audit log.
//! An act that is not listed here cannot pass the door.

use crate::permission::Role;

/// Who may do an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Anybody who reaches the address: signing in and its like.
    Anybody,
    /// Everybody who is signed in, on what is their own.
    SignedIn,
    /// Holders of one of these roles, within their scope.
    Roles(&'static [Role]),
}

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $who:expr, $audited:literal;)*) => {
        /// One kind of act.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Action {
            $($(#[$doc])* $name,)*
        }

        impl Action {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The word used in the audit log and in filters: `feature.verb`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// Who may.
            #[must_use]
            pub const fn who(self) -> Who {
                match self { $(Self::$name => $who,)* }
            }

            /// Whether each such act is written to the audit log (a refused one always is).
            #[must_use]
            pub const fn audited(self) -> bool {
                match self { $(Self::$name => $audited,)* }
            }
        }
    };
}

const READERS: Who = Who::Roles(&[
    Role::Viewer,
    Role::Auditor,
    Role::Operator,
    Role::Approver,
    Role::Administrator,
]);
const OPERATORS: Who = Who::Roles(&[Role::Operator, Role::Administrator]);
const OVERSEERS: Who = Who::Roles(&[Role::Auditor, Role::Approver, Role::Administrator]);
/// Operators among them play what is their own.
const PLAYERS: Who = Who::Roles(&[Role::Operator, Role::Auditor, Role::Approver, Role::Administrator]);
/// They decide on what others have asked for.
const DECIDERS: Who = Who::Roles(&[Role::Approver, Role::Administrator]);
const AUDITORS: Who = Who::Roles(&[Role::Auditor, Role::Administrator]);
const APPROVERS: Who = Who::Roles(&[Role::Approver]);
const ADMINISTRATORS: Who = Who::Roles(&[Role::Administrator]);

actions! {
    /// Create the first administrator by the one-time link.
    SetupCreateAdministrator = "setup.create_administrator", Who::Anybody, true;
    /// Sign in with name and password.
    SessionSignIn = "session.sign_in", Who::Anybody, true;
    /// Sign out here.
    SessionSignOut = "session.sign_out", Who::SignedIn, true;
    /// End one of one's own sessions.
    SessionRevoke = "session.revoke", Who::SignedIn, true;
    /// Sign out everywhere.
    SessionSignOutEverywhere = "session.sign_out_everywhere", Who::SignedIn, true;
    /// See one's own profile and sessions.
    ProfileRead = "profile.read", Who::SignedIn, false;
    /// Change one's own password.
    ProfileChangePassword = "profile.change_password", Who::SignedIn, true;

    /// Make a token with which a program acts as oneself.
    TokensCreate = "tokens.create", Who::SignedIn, true;
    /// Make a token for a user, at the server's command line.
    TokensCreateFor = "tokens.create_for", ADMINISTRATORS, true;
    /// Take back one of one's own tokens.
    TokensRevoke = "tokens.revoke", Who::SignedIn, true;

    /// See the Overview.
    OverviewRead = "overview.read", READERS, false;
    /// Search in the command palette.
    SearchRead = "search.read", READERS, false;
    /// See the state of the connections.
    ConnectionsRead = "connections.read", READERS, false;

    /// See nodes.
    FleetRead = "fleet.read", READERS, false;
    /// Take the list of nodes away as a file.
    FleetExport = "fleet.export", READERS, true;
    /// Change tags of a node.
    FleetEditTags = "fleet.edit_tags", OPERATORS, true;
    /// Make an activation with which a node can join.
    FleetCreateActivation = "fleet.create_activation", ADMINISTRATORS, true;
    /// Keep a list of chosen nodes that an address can name.
    FleetKeepNodes = "fleet.keep_nodes", OPERATORS, true;
    /// Save a named filter.
    ViewsSave = "views.save", READERS, true;
    /// Delete a named filter.
    ViewsDelete = "views.delete", READERS, true;

    /// See documents.
    DocumentsRead = "documents.read", READERS, false;
    /// See commands and their output on the page.
    CommandsRead = "commands.read", READERS, false;
    /// Run a command.
    CommandsRun = "commands.run", OPERATORS, true;
    /// Cancel a command.
    CommandsCancel = "commands.cancel", OPERATORS, true;
    /// Take a command's full output away as a file.
    CommandsDownloadOutput = "commands.download_output", READERS, true;

    /// See runbooks and their executions.
    RunbooksRead = "runbooks.read", READERS, false;
    /// Start an execution of a runbook.
    RunbooksStart = "runbooks.start", OPERATORS, true;
    /// Do an execution that has ended badly again, from a step on.
    RunbooksRetry = "runbooks.retry", OPERATORS, true;
    /// Have a runbook started on a schedule, pause that or let it go on, or delete it.
    RunbooksSchedule = "runbooks.schedule", OPERATORS, true;
    /// Keep a filled form that starts a runbook, or give it another name.
    RunbooksSaveTemplate = "runbooks.save_template", OPERATORS, true;
    /// Delete such a form.
    RunbooksDeleteTemplate = "runbooks.delete_template", OPERATORS, true;
    /// Stop an execution.
    RunbooksStop = "runbooks.stop", OPERATORS, true;
    /// Let an execution that pauses go on.
    RunbooksSignal = "runbooks.signal", OPERATORS, true;
    /// Approve or reject a step that waits for it; never in an execution of one's own.
    RunbooksDecide = "runbooks.decide", DECIDERS, true;

    /// See parameters, and the values of those that are no secrets.
    ParametersRead = "parameters.read", READERS, false;
    /// Take the list of parameters away as a file, without values.
    ParametersExport = "parameters.export", READERS, true;
    /// See a secret parameter's value.
    ParametersReveal = "parameters.reveal", OPERATORS, true;
    /// Make a parameter, or a new version of one.
    ParametersPut = "parameters.put", OPERATORS, true;
    /// Delete a parameter with all of its versions.
    ParametersDelete = "parameters.delete", OPERATORS, true;
    /// Give labels to versions of a parameter, or take them away.
    ParametersLabel = "parameters.label", OPERATORS, true;
    /// Change tags of a parameter.
    ParametersTag = "parameters.tag", OPERATORS, true;

    /// See how nodes stand against their patch baselines, and the baselines.
    PatchingRead = "patching.read", READERS, false;
    /// Make or change a patch baseline, or for what it holds.
    BaselinesChange = "baselines.change", OPERATORS, true;
    /// Delete a patch baseline.
    BaselinesDelete = "baselines.delete", OPERATORS, true;
    /// Except a patch on a baseline for a time.
    ExceptionsGrant = "exceptions.grant", OPERATORS, true;
    /// End an exception before its day; on its day the server ends it itself.
    ExceptionsEnd = "exceptions.end", OPERATORS, true;
    /// See maintenance windows and how they went.
    WindowsRead = "windows.read", READERS, false;
    /// Make or change a maintenance window, with its targets and tasks.
    WindowsChange = "windows.change", OPERATORS, true;
    /// Delete a maintenance window.
    WindowsDelete = "windows.delete", OPERATORS, true;

    /// See applications, their releases, and what runs where.
    DeploymentsRead = "deployments.read", READERS, false;
    /// Make or change an application or one of its environments.
    DeploymentsChange = "deployments.change", OPERATORS, true;
    /// Delete an application; its releases and its history stay.
    DeploymentsDelete = "deployments.delete", OPERATORS, true;
    /// Write down a release of an application.
    DeploymentsCreateRelease = "deployments.create_release", OPERATORS, true;
    /// Deploy a release to an environment.
    DeploymentsDeploy = "deployments.deploy", OPERATORS, true;
    /// Roll an environment back to a release that ran there before.
    DeploymentsRollBack = "deployments.roll_back", OPERATORS, true;

    /// See sessions on nodes.
    SessionsRead = "sessions.read", READERS, false;
    /// Start a session: open a terminal on a node.
    SessionsStart = "sessions.start", OPERATORS, true;
    /// Attach a browser to one's own session.
    SessionsAttach = "sessions.attach", OPERATORS, true;
    /// Look on in another's session.
    SessionsWatch = "sessions.watch", OVERSEERS, true;
    /// Ask for more time in one's own session.
    SessionsMoreTime = "sessions.more_time", OPERATORS, true;
    /// A browser that was attached is gone (written by the server itself).
    SessionsDetached = "sessions.detached", Who::Anybody, true;
    /// A session is over, however it came (written by the server itself).
    SessionsEnded = "sessions.ended", Who::Anybody, true;
    /// End one's own session.
    SessionsEnd = "sessions.end", OPERATORS, true;
    /// End another's session.
    SessionsEndOther = "sessions.end_other", ADMINISTRATORS, true;
    /// Play, search or take away the recording of a session.
    SessionsPlay = "sessions.play", PLAYERS, true;
    /// Check that a recording is intact.
    SessionsVerify = "sessions.verify", PLAYERS, true;
    /// Open a tunnel to a port of a node.
    SessionsTunnel = "sessions.tunnel", OPERATORS, true;

    /// See requests for approval.
    ApprovalsRead = "approvals.read", READERS, false;
    /// Ask for an act to be approved. Who may not do the act itself cannot ask for it either.
    ApprovalsAsk = "approvals.ask", READERS, true;
    /// Do an act at once that needs approval, and let it be reviewed.
    ApprovalsBreakGlass = "approvals.break_glass", OPERATORS, true;
    /// Approve or reject a request.
    ApprovalsDecide = "approvals.decide", APPROVERS, true;
    /// Approve or reject a request for somebody for whom one stands in. What is theirs to decide is checked behind the door.
    ApprovalsDecideForAnother = "approvals.decide_for_another", READERS, true;
    /// Approve or reject several requests that ask for the same; each of them is written down as a decision too.
    ApprovalsDecideTogether = "approvals.decide_together", APPROVERS, true;
    /// Hand one's own part in approvals over to somebody else for a time.
    ApprovalsHandOver = "approvals.hand_over", APPROVERS, true;
    /// End a delegation early: one's own, or one by which one stands in.
    ApprovalsEndDelegation = "approvals.end_delegation", READERS, true;
    /// Take back one's own request.
    ApprovalsWithdraw = "approvals.withdraw", READERS, true;
    /// Tell those who can decide once more.
    ApprovalsRemind = "approvals.remind", READERS, true;
    /// Give one's own request more time.
    ApprovalsExtend = "approvals.extend", READERS, true;
    /// Review an act for which the glass was broken.
    ApprovalsReview = "approvals.review", APPROVERS, true;
    /// Take everything about a request away as a signed file.
    ApprovalsExportEvidence = "approvals.export_evidence", AUDITORS, true;
    /// What was approved is done, or its approval is void (written by the server itself).
    ApprovalsCarryOut = "approvals.carry_out", Who::Anybody, true;
    /// See the policies.
    ApprovalsReadPolicies = "approvals.read_policies", READERS, false;
    /// Change the policies.
    ApprovalsChangePolicies = "approvals.change_policies", ADMINISTRATORS, true;
    /// Have a role for a time (only asked for and approved).
    AccessHoldRole = "access.hold_role", Who::SignedIn, true;

    /// Read the audit log.
    AuditRead = "audit.read", AUDITORS, true;
    /// Take the audit log away as a file.
    AuditExport = "audit.export", AUDITORS, true;
    /// Check that the audit log is intact.
    AuditVerify = "audit.verify", AUDITORS, true;

    /// See users and their roles.
    UsersRead = "users.read", ADMINISTRATORS, false;
    /// Create a user.
    UsersCreate = "users.create", ADMINISTRATORS, true;
    /// Make another one-time link for the first administrator, on the command line.
    UsersSetupLink = "users.setup_link", ADMINISTRATORS, true;
    /// Disable a user and end their sessions.
    UsersDisable = "users.disable", ADMINISTRATORS, true;
    /// Let a disabled user in again.
    UsersEnable = "users.enable", ADMINISTRATORS, true;
    /// Give a user a new password.
    UsersResetPassword = "users.reset_password", ADMINISTRATORS, true;
    /// Give a user a role in a scope.
    UsersGrantRole = "users.grant_role", ADMINISTRATORS, true;
    /// Take a role from a user.
    UsersRevokeRole = "users.revoke_role", ADMINISTRATORS, true;

    /// A call of the embedded Systems Manager endpoint that changes something.
    ApiCall = "api.call", Who::Anybody, true;
    /// A call of it that is answered with a secret.
    ApiReveal = "api.reveal", Who::Anybody, true;
    /// The server started or stopped (written by the server itself).
    ServerLifecycle = "server.lifecycle", Who::Anybody, true;
}

impl Action {
    /// The roles that allow it; empty for those that need none.
    #[must_use]
    pub const fn roles(self) -> &'static [Role] {
        match self.who() {
            Who::Roles(roles) => roles,
            Who::Anybody | Who::SignedIn => &[],
        }
    }

    /// Whether it is done on nodes, or on what nodes did, so that a role for a part of them allows it on that part.
    /// Everything else takes the role everywhere.
    #[must_use]
    pub const fn is_about_nodes(self) -> bool {
        match self {
            Self::OverviewRead
            | Self::SearchRead
            | Self::ConnectionsRead
            | Self::FleetRead
            | Self::FleetExport
            | Self::FleetEditTags
            | Self::FleetKeepNodes
            | Self::ViewsSave
            | Self::ViewsDelete
            | Self::DocumentsRead
            | Self::CommandsRead
            | Self::CommandsRun
            | Self::CommandsCancel
            | Self::CommandsDownloadOutput
            | Self::RunbooksRead
            | Self::RunbooksStart
            | Self::RunbooksRetry
            | Self::RunbooksSchedule
            | Self::RunbooksSaveTemplate
            | Self::RunbooksDeleteTemplate
            | Self::RunbooksStop
            | Self::RunbooksSignal
            | Self::RunbooksDecide
            | Self::ParametersRead
            | Self::ParametersExport
            | Self::PatchingRead
            | Self::DeploymentsRead
            | Self::DeploymentsDeploy
            | Self::DeploymentsRollBack
            | Self::SessionsRead
            | Self::SessionsStart
            | Self::SessionsAttach
            | Self::SessionsWatch
            | Self::SessionsMoreTime
            | Self::SessionsEnd
            | Self::SessionsEndOther
            | Self::SessionsPlay
            | Self::SessionsVerify
            | Self::SessionsTunnel
            | Self::ApprovalsRead
            | Self::ApprovalsAsk
            | Self::ApprovalsBreakGlass
            | Self::ApprovalsDecide
            | Self::ApprovalsDecideForAnother
            | Self::ApprovalsDecideTogether
            | Self::ApprovalsHandOver
            | Self::ApprovalsEndDelegation
            | Self::ApprovalsWithdraw
            | Self::ApprovalsRemind
            | Self::ApprovalsExtend
            | Self::ApprovalsReview
            | Self::ApprovalsReadPolicies => true,
            Self::FleetCreateActivation
            | Self::ParametersReveal
            | Self::ParametersPut
            | Self::ParametersDelete
            | Self::ParametersLabel
            | Self::ParametersTag
            | Self::BaselinesChange
            | Self::BaselinesDelete
            | Self::ExceptionsGrant
            | Self::ExceptionsEnd
            | Self::WindowsRead
            | Self::WindowsChange
            | Self::WindowsDelete
            | Self::DeploymentsChange
            | Self::DeploymentsDelete
            | Self::DeploymentsCreateRelease
            | Self::AuditRead
            | Self::AuditExport
            | Self::AuditVerify
            | Self::UsersRead
            | Self::UsersCreate
            | Self::UsersSetupLink
            | Self::UsersDisable
            | Self::UsersEnable
            | Self::UsersResetPassword
            | Self::UsersGrantRole
            | Self::UsersRevokeRole
            | Self::SetupCreateAdministrator
            | Self::SessionSignIn
            | Self::SessionSignOut
            | Self::SessionRevoke
            | Self::SessionSignOutEverywhere
            | Self::ProfileRead
            | Self::ProfileChangePassword
            | Self::TokensCreate
            | Self::TokensCreateFor
            | Self::TokensRevoke
            | Self::ApprovalsCarryOut
            | Self::ApprovalsChangePolicies
            | Self::ApprovalsExportEvidence
            | Self::AccessHoldRole
            | Self::SessionsDetached
            | Self::SessionsEnded
            | Self::ApiCall
            | Self::ApiReveal
            | Self::ServerLifecycle => false,
        }
    }

    /// Whether it is about what belongs to one connection, so that a role for all of that connection allows it there. People,
    /// policies and the audit log are the whole server's.
    #[must_use]
    pub const fn is_of_connection(self) -> bool {
        self.is_about_nodes()
            || matches!(
                self,
                Self::FleetCreateActivation
                    | Self::ParametersReveal
                    | Self::ParametersPut
                    | Self::ParametersDelete
                    | Self::ParametersLabel
                    | Self::ParametersTag
                    | Self::BaselinesChange
                    | Self::BaselinesDelete
                    | Self::ExceptionsGrant
                    | Self::ExceptionsEnd
                    | Self::WindowsRead
                    | Self::WindowsChange
                    | Self::WindowsDelete
                    | Self::DeploymentsChange
                    | Self::DeploymentsDelete
                    | Self::DeploymentsCreateRelease
            )
    }

    /// Whether it can take from somebody what they may do, or their session.
    #[must_use]
    pub const fn changes_who_may(self) -> bool {
        matches!(
            self,
            Self::SessionSignOut
                | Self::SessionRevoke
                | Self::SessionSignOutEverywhere
                | Self::ProfileChangePassword
                | Self::TokensRevoke
                | Self::UsersDisable
                | Self::UsersResetPassword
                | Self::UsersGrantRole
                | Self::UsersRevokeRole
        )
    }

    /// Whether it only looks: nothing is different afterwards.
    #[must_use]
    pub const fn is_read(self) -> bool {
        matches!(
            self,
            Self::ProfileRead
                | Self::OverviewRead
                | Self::SearchRead
                | Self::ConnectionsRead
                | Self::FleetRead
                | Self::FleetExport
                | Self::DocumentsRead
                | Self::CommandsRead
                | Self::CommandsDownloadOutput
                | Self::RunbooksRead
                | Self::ParametersRead
                | Self::ParametersExport
                | Self::ParametersReveal
                | Self::PatchingRead
                | Self::DeploymentsRead
                | Self::SessionsRead
                | Self::SessionsPlay
                | Self::SessionsVerify
                | Self::ApprovalsRead
                | Self::ApprovalsReadPolicies
                | Self::ApprovalsExportEvidence
                | Self::AuditRead
                | Self::AuditExport
                | Self::AuditVerify
                | Self::UsersRead
                | Self::ApiReveal
        )
    }

    /// The action of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.as_str() == text)
    }
}
