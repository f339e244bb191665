//! The server functions for the accounts of others.

#[cfg(feature = "ssr")]
use crate::backend::{call, redirect_to};
use crate::error::AppError;
use crate::wire::Json;
use leptos::prelude::*;
use muster_domain::access::{Password, UserView};
#[cfg(feature = "ssr")]
use muster_domain::{
    PortalError,
    access::{self},
    permission::{Role, Scope},
};

#[cfg(feature = "ssr")]
fn role_and_scope(role: &str, scope: &str) -> Result<(Role, Scope), PortalError> {
    let role = Role::parse(role).ok_or_else(|| PortalError::invalid("role", "Choose a role."))?;
    let scope = Scope::of_role(scope).map_err(|message| PortalError::invalid("scope", message))?;
    Ok((role, scope))
}

/// All users.
#[server(prefix = "/api", endpoint = "access/users", output = Json)]
pub(crate) async fn list_users() -> Result<Vec<UserView>, AppError> {
    call(|backend, actor| async move { backend.access.users(&actor).await }).await
}

/// Makes a user and shows them.
#[server(prefix = "/api", endpoint = "access/create_user", output = Json)]
pub(crate) async fn create_user(
    name: String,
    display_name: String,
    password: Password,
    role: String,
    scope: String,
) -> Result<(), AppError> {
    let id = call(|backend, actor| async move {
        let (role, scope) = role_and_scope(&role, &scope)?;
        let input = access::CreateUser {
            name: name.trim().to_owned(),
            display_name: display_name.trim().to_owned(),
            password,
            role,
            scope,
        };
        backend.access.create_user(&actor, input).await
    })
    .await?;
    redirect_to(&format!("/settings/users?user={id}"));
    Ok(())
}

/// Refuses a user and ends their sessions.
#[server(prefix = "/api", endpoint = "access/disable_user", output = Json)]
pub(crate) async fn disable_user(user_id: String) -> Result<(), AppError> {
    call(|backend, actor| async move { backend.access.disable_user(&actor, user_id.as_str().into()).await })
        .await
}

/// Lets a user in again.
#[server(prefix = "/api", endpoint = "access/enable_user", output = Json)]
pub(crate) async fn enable_user(user_id: String) -> Result<(), AppError> {
    call(|backend, actor| async move { backend.access.enable_user(&actor, user_id.as_str().into()).await })
        .await
}

/// Gives a user a new password.
#[server(prefix = "/api", endpoint = "access/reset_password", output = Json)]
pub(crate) async fn reset_password(user_id: String, password: Password) -> Result<(), AppError> {
    call(|backend, actor| async move {
        backend
            .access
            .reset_password(&actor, user_id.as_str().into(), password)
            .await
    })
    .await
}

/// Gives a user a role.
#[server(prefix = "/api", endpoint = "access/grant_role", output = Json)]
pub(crate) async fn grant_role(user_id: String, role: String, scope: String) -> Result<(), AppError> {
    call(|backend, actor| async move {
        let (role, scope) = role_and_scope(&role, &scope)?;
        backend
            .access
            .grant_role(&actor, user_id.as_str().into(), role, scope)
            .await
            .map(drop)
    })
    .await
}

/// Takes a role from a user.
#[server(prefix = "/api", endpoint = "access/revoke_role", output = Json)]
pub(crate) async fn revoke_role(grant_id: String) -> Result<(), AppError> {
    call(|backend, actor| async move { backend.access.revoke_role(&actor, grant_id.as_str().into()).await })
        .await
}
