//! Users, their roles, signing in and sessions.

use crate::actor::{Actor, Origin};
use crate::error::{FieldError, PortalError};
use crate::ids::{ApiTokenId, GrantId, SessionId, UserId};
use crate::permission::{Role, Scope};
use crate::time::Timestamp;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// The cookie that brings the name of a failed sign-in back to the form.
pub const TRIED_NAME_COOKIE: &str = "tried_name";

/// A password on its way to be checked or hashed. Never printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Password(pub String);

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(…)")
    }
}

/// Shortest acceptable password, in characters.
pub const MIN_PASSWORD: usize = 12;
/// Longest acceptable password, in characters: more would only cost time.
pub const MAX_PASSWORD: usize = 256;

/// Complaints about a new password for `user_name`, for the field `field`.
#[must_use]
pub fn check_password(field: &str, password: &Password, user_name: &str) -> Vec<FieldError> {
    let length = password.0.chars().count();
    let mut complaints = Vec::new();
    if length < MIN_PASSWORD {
        complaints.push(FieldError::new(
            field,
            format!("Use at least {MIN_PASSWORD} characters; a few words in a row are good."),
        ));
    } else if length > MAX_PASSWORD {
        complaints.push(FieldError::new(
            field,
            format!("Use at most {MAX_PASSWORD} characters."),
        ));
    } else if password.0.to_lowercase().contains(&user_name.to_lowercase()) && user_name.len() > 2 {
        complaints.push(FieldError::new(
            field,
            "Do not use the user name in the password.",
        ));
    } else if password.0.chars().collect::<std::collections::HashSet<_>>().len() < 5 {
        complaints.push(FieldError::new(field, "Use at least 5 different characters."));
    }
    complaints
}

/// Complaints about a new user name, for the field `name`.
#[must_use]
pub fn check_user_name(name: &str) -> Vec<FieldError> {
    let good = (2..=64).contains(&name.chars().count())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '@'))
        && name.chars().next().is_some_and(|c| c.is_ascii_alphanumeric());
    if good {
        Vec::new()
    } else {
        vec![FieldError::new(
            "name",
            "Use 2 to 64 letters, digits or . _ - @, beginning with a letter or digit.",
        )]
    }
}

/// Input: create a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateUser {
    /// The name to sign in with.
    pub name: String,
    /// The name shown to others; may be empty.
    pub display_name: String,
    /// The first password.
    pub password: Password,
    /// The first role.
    pub role: Role,
    /// Where that role holds.
    pub scope: Scope,
}

impl CreateUser {
    /// # Errors
    /// [`PortalError::Invalid`] naming the fields.
    pub fn check(&self) -> Result<(), PortalError> {
        let mut fields = check_user_name(&self.name);
        fields.extend(check_password("password", &self.password, &self.name));
        if self.display_name.chars().count() > 100 {
            fields.push(FieldError::new("display_name", "Use at most 100 characters."));
        }
        PortalError::from_fields(fields)
    }
}

/// A role that a user has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantView {
    /// Which grant.
    pub id: GrantId,
    /// What.
    pub role: Role,
    /// Where, as text: `*` or `Environment=Staging`.
    pub scope: String,
    /// Since when.
    pub granted_at: Timestamp,
    /// By whom.
    pub granted_by: String,
    /// Until when, where it was given for a time.
    pub expires_at: Option<Timestamp>,
}

/// One user, as a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserView {
    /// Which.
    pub id: UserId,
    /// Signs in with this.
    pub name: String,
    /// Shown to others.
    pub display_name: String,
    /// Whether signing in is refused.
    pub disabled: bool,
    /// Roles, and where.
    pub grants: Vec<GrantView>,
    /// When the account was made.
    pub created_at: Timestamp,
    /// When they last signed in.
    pub last_sign_in_at: Option<Timestamp>,
    /// Sessions alive now.
    pub sessions: u32,
}

/// One signed-in browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionView {
    /// Its public handle.
    pub id: SessionId,
    /// From where.
    pub address: String,
    /// With what.
    pub user_agent: String,
    /// Since when.
    pub signed_in_at: Timestamp,
    /// Last used.
    pub last_seen_at: Timestamp,
    /// Ends then at the latest.
    pub expires_at: Timestamp,
    /// Whether it is the one that asks.
    pub current: bool,
}

/// The person who asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Which account.
    pub id: UserId,
    /// Signs in with this.
    pub name: String,
    /// Shown to others.
    pub display_name: String,
    /// Roles, and where.
    pub grants: Vec<GrantView>,
    /// The names of all actions that this person may do at least somewhere.
    pub may: Vec<String>,
}

/// Input: change one's own password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangePassword {
    /// The one in use.
    pub current: Password,
    /// The new one.
    pub new: Password,
    /// The new one again.
    pub repeat: Password,
}

/// A freshly signed-in session: the edge puts `cookie` into the cookie and forgets it.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Who.
    pub actor: Actor,
    /// Whose account.
    pub user_id: UserId,
}

/// Days that a token may hold at most.
pub const MAX_TOKEN_DAYS: u32 = 365;

/// Input: make a token with which a program acts as a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateToken {
    /// What it is for: told apart by this.
    pub name: String,
    /// Days until it ends.
    pub days: u32,
}

impl CreateToken {
    /// # Errors
    /// [`PortalError::Invalid`] naming the fields.
    pub fn check(&self) -> Result<(), PortalError> {
        let mut fields = Vec::new();
        let length = self.name.trim().chars().count();
        if !(1..=64).contains(&length) || self.name.chars().any(char::is_control) {
            fields.push(FieldError::new(
                "name",
                "Say what it is for, in 1 to 64 characters.",
            ));
        }
        if !(1..=MAX_TOKEN_DAYS).contains(&self.days) {
            fields.push(FieldError::new("days", "A token holds for 1 to 365 days."));
        }
        PortalError::from_fields(fields)
    }
}

/// A token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenView {
    /// Its public handle.
    pub id: ApiTokenId,
    /// What it is for.
    pub name: String,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
    /// Last used.
    pub last_used_at: Option<Timestamp>,
}

/// A token's secret, shown once. Never printed otherwise.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenCreated {
    /// Its public handle.
    pub id: ApiTokenId,
    /// What a program sends as `Authorization: Bearer …`.
    pub secret: String,
}

impl std::fmt::Debug for TokenCreated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenCreated")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// What can be done with users and sessions. Every call passes the door.
#[async_trait]
pub trait Access: Send + Sync {
    /// Whether the first administrator has yet to be made.
    async fn needs_setup(&self) -> Result<bool, PortalError>;
    /// Makes the first administrator; `token` comes from the one-time link. Works once.
    async fn setup(
        &self,
        origin: Origin,
        token: String,
        name: String,
        password: Password,
    ) -> Result<SignedIn, PortalError>;
    /// Checks name and password, at a constant pace and behind a rate limit. Every failure reads the same.
    async fn sign_in(
        &self,
        origin: Origin,
        name: String,
        password: Password,
    ) -> Result<SignedIn, PortalError>;
    /// The person who asks.
    async fn profile(&self, actor: &Actor) -> Result<Profile, PortalError>;
    /// One's own sessions, newest first.
    async fn sessions(&self, actor: &Actor) -> Result<Vec<SessionView>, PortalError>;
    /// Ends one of one's own sessions.
    async fn revoke_session(&self, actor: &Actor, session: SessionId) -> Result<(), PortalError>;
    /// Ends all of one's own sessions, this one too.
    async fn sign_out_everywhere(&self, actor: &Actor) -> Result<(), PortalError>;
    /// Ends the session that asks.
    async fn sign_out(&self, actor: &Actor) -> Result<(), PortalError>;
    /// Changes one's own password and ends all other sessions.
    async fn change_password(&self, actor: &Actor, input: ChangePassword) -> Result<(), PortalError>;
    /// One's own tokens that hold, newest first.
    async fn tokens(&self, actor: &Actor) -> Result<Vec<TokenView>, PortalError>;
    /// Makes a token with which a program acts as oneself; its secret is in the answer and nowhere else.
    async fn create_token(&self, actor: &Actor, input: CreateToken) -> Result<TokenCreated, PortalError>;
    /// Takes back one of one's own tokens.
    async fn revoke_token(&self, actor: &Actor, token: ApiTokenId) -> Result<(), PortalError>;
    /// All users by name.
    async fn users(&self, actor: &Actor) -> Result<Vec<UserView>, PortalError>;
    /// Makes a user.
    async fn create_user(&self, actor: &Actor, input: CreateUser) -> Result<UserId, PortalError>;
    /// Refuses a user and ends their sessions. Never the last administrator.
    async fn disable_user(&self, actor: &Actor, user: UserId) -> Result<(), PortalError>;
    /// Lets a user in again.
    async fn enable_user(&self, actor: &Actor, user: UserId) -> Result<(), PortalError>;
    /// Gives a user a new password and ends their sessions.
    async fn reset_password(
        &self,
        actor: &Actor,
        user: UserId,
        password: Password,
    ) -> Result<(), PortalError>;
    /// Gives a user a role.
    async fn grant_role(
        &self,
        actor: &Actor,
        user: UserId,
        role: Role,
        scope: Scope,
    ) -> Result<GrantId, PortalError>;
    /// Takes a role from a user. Never the last administrator's.
    async fn revoke_role(&self, actor: &Actor, grant: GrantId) -> Result<(), PortalError>;
}
