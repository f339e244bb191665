//! Coming in: who a session belongs to, signing in, and the first administrator by the one-time link.

use crate::access::limits::{self, Subject};
use crate::access::queries::{self, UserRow};
use crate::access::service::{AccessService, no_user};
use crate::access::users::{self, NewUser};
use crate::error::store;
use muster_domain::access::{GrantView, Password, SignedIn};
use muster_domain::action::Action;
use muster_domain::actor::{Account, Origin};
use muster_domain::audit::Intent;
use muster_domain::ids::{SessionId, UserId};
use muster_domain::permission::{Role, Scope};
use muster_domain::{Actor, PortalError, Timestamp};
use muster_store::StoreError;
use ring::digest::{SHA256, digest};
use std::sync::Arc;

/// How long the one-time link holds.
const SETUP_MS: i64 = 24 * 3_600_000;

fn token_hash(token: &str) -> String {
    hex::encode(digest(&SHA256, token.as_bytes()))
}

/// How the one-time link stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetupLink {
    /// It makes the first administrator.
    Holds,
    /// It is too old, or another one was printed since.
    Expired,
    /// There is an administrator already.
    NotNeeded,
}

/// Whether `token` is the one whose hash and end are `stored`.
fn holds(stored: &str, token: &str, now: Timestamp) -> bool {
    let Some((hash, until)) = stored.split_once(' ') else {
        return false;
    };
    let same: bool = subtle::ConstantTimeEq::ct_eq(token_hash(token).as_bytes(), hash.as_bytes()).into();
    same && until.parse::<i64>().unwrap_or(0) >= now.0
}

fn wrong() -> PortalError {
    PortalError::invalid("password", "The name or the password is not right.")
}

impl AccessService {
    /// Makes the token of the one-time link while there is no user; a new one at each call. `None` when
    /// there are users already.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn setup_token(&self) -> Result<Option<String>, StoreError> {
        if queries::count(&self.db).await? > 0 {
            return Ok(None);
        }
        let token = self.random.hex(32);
        let until = self.clock.now().plus_ms(SETUP_MS).0;
        queries::set_setting(
            &self.db,
            "setup_token",
            &format!("{} {until}", token_hash(&token)),
        )
        .await?;
        Ok(Some(token))
    }

    /// The same for whoever asks for it on the command line: it opens the way to everything, so it is an act.
    ///
    /// # Errors
    /// When there are users already; as for every act.
    pub async fn another_setup_token(&self, actor: &Actor) -> Result<String, PortalError> {
        let intent = Intent::new(Action::UsersSetupLink, "setup-link");
        self.door
            .pass(actor, intent, Ok(()), async |_| {
                self.setup_token().await.map_err(store)?.ok_or_else(|| PortalError::Conflict {
                    message: "there are users already, so there is nothing to set up: see `muster user list`, and \
                              `muster user reset-password` for who is locked out"
                        .into(),
                })
            })
            .await
    }

    /// Whether the one-time link with this token still opens the way.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn setup_link(&self, token: &str) -> Result<SetupLink, StoreError> {
        if queries::count(&self.db).await? > 0 {
            return Ok(SetupLink::NotNeeded);
        }
        let stored = queries::setting(&self.db, "setup_token").await?;
        let holds = stored.is_some_and(|stored| holds(&stored, token, self.clock.now()));
        Ok(if holds {
            SetupLink::Holds
        } else {
            SetupLink::Expired
        })
    }

    /// The person behind a session, as they are now. `None` when the account is gone or disabled.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn actor(
        &self,
        user: &UserId,
        session: &str,
        origin: Origin,
    ) -> Result<Option<Actor>, StoreError> {
        let found = queries::with_grants(&self.db, user).await?;
        Ok(found.and_then(|(row, grants)| self.actor_of(row, grants, Some(SessionId::new(session)), origin)))
    }

    /// The person with that account and these grants. `None` when the account is disabled.
    #[must_use]
    pub fn actor_of(
        &self,
        row: UserRow,
        grants: Vec<GrantView>,
        session: Option<SessionId>,
        origin: Origin,
    ) -> Option<Actor> {
        if row.disabled {
            return None;
        }
        Some(Actor {
            user_id: Some(row.id),
            name: row.name,
            grants: queries::effective(&self.db, &grants, self.clock.now()),
            session,
            origin,
            account: Some(Arc::new(Account {
                display_name: row.display_name,
                grants,
            })),
        })
    }

    pub(super) async fn user_name(&self, user: &UserId) -> Result<String, PortalError> {
        Ok(queries::by_id(&self.db, user)
            .await
            .map_err(store)?
            .ok_or_else(no_user)?
            .name)
    }

    pub(super) async fn try_sign_in(
        &self,
        origin: Origin,
        name: &str,
        password: Password,
    ) -> Result<SignedIn, PortalError> {
        let now = self.clock.now();
        let account = Subject::Account(name.trim().to_owned());
        let subjects = [account.clone(), Subject::Address(origin.address.clone())];
        limits::check(&self.db, &subjects, now).await?;
        let row = queries::by_name(&self.db, name).await.map_err(store)?;
        // The work is the same whether there is such a user or not.
        let right = self
            .passwords
            .check(password, row.as_ref().map(|row| row.password_hash.clone()))
            .await?;
        let Some(row) = row.filter(|row| right && !row.disabled) else {
            limits::failed(&self.db, &subjects, now).await.map_err(store)?;
            return Err(wrong());
        };
        limits::succeeded(&self.db, &account).await.map_err(store)?;
        users::signed_in(&self.db, &row.id, now).await.map_err(store)?;
        let session = self.random.hex(12);
        let actor = self
            .actor(&row.id, &session, origin)
            .await
            .map_err(store)?
            .ok_or_else(wrong)?;
        Ok(SignedIn {
            actor,
            user_id: row.id,
        })
    }

    pub(super) async fn try_setup(
        &self,
        origin: Origin,
        token: &str,
        name: &str,
        password: Password,
    ) -> Result<SignedIn, PortalError> {
        let now = self.clock.now();
        let expired = || {
            PortalError::Conflict {
            message: "This link is not valid any more. `muster user setup-link`, on the server's machine, prints a new one while there is no user.".into(),
        }
        };
        let stored = queries::setting(&self.db, "setup_token")
            .await
            .map_err(store)?
            .ok_or_else(expired)?;
        if !holds(&stored, token, now) {
            return Err(expired());
        }
        let given = token_hash(token);
        let password_hash = self.passwords.hash(password).await?;
        let (id, grant_id) = (self.random.uuid(), self.random.uuid());
        let lower = name.trim().to_lowercase();
        let new = NewUser {
            id: &id,
            name: &lower,
            display_name: name.trim(),
            password_hash: &password_hash,
            grant_id: &grant_id,
            role: Role::Administrator,
            scope: &Scope::All,
            by: "the one-time link",
            now,
        };
        if !users::insert_first(&self.db, &new, &given).await.map_err(store)? {
            return Err(expired());
        }
        let user_id = UserId::new(id.clone());
        users::signed_in(&self.db, &user_id, now).await.map_err(store)?;
        let session = self.random.hex(12);
        let actor = self
            .actor(&user_id, &session, origin)
            .await
            .map_err(store)?
            .ok_or_else(no_user)?;
        Ok(SignedIn { actor, user_id })
    }

    /// The name of a user for the audit log; only somebody who may manage users learns that there is none.
    pub(super) async fn named(&self, actor: &Actor, user: &UserId) -> Result<String, PortalError> {
        match queries::by_id(&self.db, user).await.map_err(store)? {
            Some(row) => Ok(row.name),
            None if actor.may(Action::UsersRead) => Err(no_user()),
            None => Ok(user.to_string()),
        }
    }
}
