//! The accounts of the portal. The address says which one is open beside the list.

use super::user_panel::{NewUserPanel, UserPanel};
use super::users_api::{
    CreateUser, DisableUser, EnableUser, GrantRole, ResetPassword, RevokeRole, list_users,
};
use crate::components::{
    Badge, Empty, EmptyState, ErrorNotice, Glyph, Icon, Keeper, PageHead, Skeleton, StatusDot, TableCard,
    TimeAgo, close_dialogs, plural, use_toaster,
};
use crate::error::AppError;
use crate::url::{address, use_query};
use leptos::prelude::*;
use muster_domain::access::UserView;

/// Everything that can be done with a user; shared by list and panel.
#[derive(Clone, Copy)]
pub(super) struct UserActions {
    pub(super) create: ServerAction<CreateUser>,
    pub(super) disable: ServerAction<DisableUser>,
    pub(super) enable: ServerAction<EnableUser>,
    pub(super) reset: ServerAction<ResetPassword>,
    pub(super) grant: ServerAction<GrantRole>,
    pub(super) revoke: ServerAction<RevokeRole>,
}

impl UserActions {
    fn new() -> Self {
        Self {
            create: ServerAction::new(),
            disable: ServerAction::new(),
            enable: ServerAction::new(),
            reset: ServerAction::new(),
            grant: ServerAction::new(),
            revoke: ServerAction::new(),
        }
    }

    /// Changes whenever something was done, so that the list is read again.
    fn version(self) -> usize {
        self.create.version().get()
            + self.disable.version().get()
            + self.enable.version().get()
            + self.reset.version().get()
            + self.grant.version().get()
            + self.revoke.version().get()
    }
}

/// Says how an act of a dialog ended.
fn report(value: impl Fn() -> Option<Result<(), AppError>> + 'static, done: &'static str) {
    let toaster = use_toaster();
    Effect::new(move |_| match value() {
        Some(Ok(())) => {
            close_dialogs();
            toaster.say(done);
        }
        Some(Err(error)) => {
            close_dialogs();
            toaster.complain(error.to_string());
        }
        None => {}
    });
}

/// The page.
#[component]
pub(crate) fn UsersPage() -> impl IntoView {
    let actions = UserActions::new();
    report(
        move || actions.disable.value().get(),
        "User disabled. Their sessions have ended.",
    );
    report(move || actions.enable.value().get(), "User enabled.");
    report(move || actions.revoke.value().get(), "Role taken.");
    let toaster = use_toaster();
    Effect::new(move |_| {
        if let Some(Ok(())) = actions.reset.value().get() {
            toaster.say("New password set. Their sessions have ended.");
        }
    });
    Effect::new(move |_| {
        if let Some(Ok(())) = actions.grant.value().get() {
            toaster.say("Role given.");
        }
    });
    let query = use_query();
    let keeper = Keeper::here();
    let open = Memo::new(move |_| query.with(|query| query.text("user")));
    let making = Memo::new(move |_| query.with(|query| query.get("new").is_some()));
    let users = Resource::new(move || actions.version(), |_| list_users());
    view! {
        <PageHead title="Users" subtitle=|| "Who can sign in, and what they may do where">
            <a class="btn primary" href="/settings/users?new=true" data-noscroll="">
                <Icon glyph=Glyph::Plus />
                "New user"
            </a>
        </PageHead>
        <Transition fallback=|| view! { <div class="card"><Skeleton /></div> }>
            {move || {
                let keeper = keeper.clone();
                Suspend::new(async move {
                    match users.await {
                        Ok(users) => keeper.view(move || view! { <Users users open making actions /> }),
                        Err(error) => {
                            view! {
                                <div class="card card-body">
                                    <ErrorNotice error what="the users" />
                                </div>
                            }
                                .into_any()
                        }
                    }
                })
            }}
        </Transition>
    }
}

#[component]
fn Users(
    users: Vec<UserView>,
    open: Memo<Option<String>>,
    making: Memo<bool>,
    actions: UserActions,
) -> impl IntoView {
    let for_panel = users.clone();
    let panel = move || {
        if making.get() {
            return view! { <NewUserPanel actions /> }.into_any();
        }
        let Some(id) = open.get() else {
            return ().into_any();
        };
        match for_panel.iter().find(|user| user.id.as_str() == id) {
            Some(user) => view! { <UserPanel user=user.clone() actions /> }.into_any(),
            None => view! {
                <aside class="card">
                    <EmptyState kind=Empty::NothingMatches title="No such user">
                        <p>"The account does not exist."</p>
                    </EmptyState>
                </aside>
            }
            .into_any(),
        }
    };
    view! {
        <div class="split" class:open=move || making.get() || open.get().is_some()>
            <div class="split-main">
                <TableCard label="Users">
                    <table>
                        <thead>
                            <tr>
                                <th scope="col">"User"</th>
                                <th scope="col">"State"</th>
                                <th scope="col">"Roles"</th>
                                <th scope="col">"Last sign-in"</th>
                                <th scope="col">"Sessions"</th>
                            </tr>
                        </thead>
                        <tbody>
                            {users.into_iter().map(|user| view! { <Line user open /> }).collect_view()}
                        </tbody>
                    </table>
                </TableCard>
            </div>
            {panel}
        </div>
    }
}

#[component]
fn Line(user: UserView, open: Memo<Option<String>>) -> impl IntoView {
    let id = user.id.to_string();
    let href = address("/settings/users", [("user", id.clone())]);
    let (badge, word) = if user.disabled {
        (Badge::Off, "Disabled")
    } else {
        (Badge::Ok, "Active")
    };
    let none = user.grants.is_empty();
    view! {
        <tr data-row="" tabindex="-1" class:previewed=move || open.get().as_deref() == Some(id.as_str())>
            <td>
                <div class="two-lines">
                    <a class="strong" href=href data-act="open" data-noscroll="">
                        {user.name}
                    </a>
                    <small>{user.display_name}</small>
                </div>
            </td>
            <td>
                <StatusDot badge label=word />
            </td>
            <td>
                <span class="tag-list">
                    {none.then(|| view! { <span class="muted">"none"</span> })}
                    {user
                        .grants
                        .into_iter()
                        .map(|grant| {
                            let place = if grant.scope == "*" { String::new() } else { format!(" · {}", grant.scope) };
                            view! { <span class="tag">{format!("{}{place}", grant.role.as_str())}</span> }
                        })
                        .collect_view()}
                </span>
            </td>
            <td class="muted nowrap">
                {match user.last_sign_in_at {
                    Some(at) => view! { <TimeAgo at /> }.into_any(),
                    None => "never".into_any(),
                }}
            </td>
            <td class="nowrap">{plural(user.sessions.into(), "session", "sessions")}</td>
        </tr>
    }
}
