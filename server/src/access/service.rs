//! What can be done with users and sessions, behind the door.

use crate::access::limits::{self, Subject};
use crate::access::passwords::Passwords;
use crate::access::queries;
use crate::access::users::{self, Kept, NewUser};
use crate::door::Door;
use crate::error::store;
use async_trait::async_trait;
use muster_domain::access::{
    Access, ChangePassword, CreateToken, CreateUser, Password, Profile, SessionView, SignedIn, TokenCreated,
    TokenView, UserView, check_password, check_user_name,
};
use muster_domain::action::Action;
use muster_domain::actor::Origin;
use muster_domain::audit::Intent;
use muster_domain::error::FieldError;
use muster_domain::ids::{ApiTokenId, GrantId, SessionId, UserId};
use muster_domain::permission::{Role, Scope};
use muster_domain::time::{Clock, Random};
use muster_domain::{Actor, PortalError};
use muster_store::Db;
use std::sync::Arc;

/// The service of users and sessions.
#[derive(Clone)]
pub struct AccessService {
    /// The portal's database.
    pub db: Db,
    /// The one door.
    pub door: Door,
    /// Tells time.
    pub clock: Arc<dyn Clock>,
    /// Makes ids and tokens.
    pub random: Arc<dyn Random>,
    /// Hashes and checks.
    pub passwords: Passwords,
}

pub(super) fn no_user() -> PortalError {
    PortalError::NotFound {
        what: "The user".into(),
    }
}

fn last_administrator() -> PortalError {
    PortalError::Conflict {
        message: "This is the last administrator: give somebody else the role everywhere first, else nobody could manage Muster.".into(),
    }
}

pub(super) fn own(actor: &Actor) -> Result<UserId, PortalError> {
    actor.user_id.clone().ok_or(PortalError::SignInRequired)
}

#[async_trait]
impl Access for AccessService {
    async fn needs_setup(&self) -> Result<bool, PortalError> {
        Ok(queries::count(&self.db).await.map_err(store)? == 0)
    }

    async fn setup(
        &self,
        origin: Origin,
        token: String,
        name: String,
        password: Password,
    ) -> Result<SignedIn, PortalError> {
        let mut fields = check_user_name(name.trim());
        fields.extend(check_password("password", &password, name.trim()));
        let actor = Actor::anonymous(origin.clone());
        let intent = Intent::new(
            Action::SetupCreateAdministrator,
            format!("user:{}", name.trim().to_lowercase()),
        );
        self.door
            .pass(&actor, intent, PortalError::from_fields(fields), async |_| {
                self.try_setup(origin, &token, &name, password).await
            })
            .await
    }

    async fn sign_in(
        &self,
        origin: Origin,
        name: String,
        password: Password,
    ) -> Result<SignedIn, PortalError> {
        let known = queries::by_name(&self.db, &name).await.map_err(store)?;
        let mut actor = Actor::anonymous(origin.clone());
        // A name that is no account is not written down: people type their password there.
        let resource = known.as_ref().map_or_else(
            || "user:(no such account)".to_owned(),
            |row| format!("user:{}", row.name),
        );
        if let Some(row) = known {
            actor.name = row.name;
        }
        self.door
            .pass(
                &actor,
                Intent::new(Action::SessionSignIn, resource),
                Ok(()),
                async |_| self.try_sign_in(origin, &name, password).await,
            )
            .await
    }

    async fn profile(&self, actor: &Actor) -> Result<Profile, PortalError> {
        self.door
            .pass(actor, Intent::new(Action::ProfileRead, ""), Ok(()), async |_| {
                let id = own(actor)?;
                let may = Action::ALL
                    .iter()
                    .filter(|action| actor.may(**action))
                    .map(|action| action.as_str().to_owned())
                    .collect();
                // Read with the session a moment ago, when this request came.
                if let Some(account) = &actor.account {
                    return Ok(Profile {
                        grants: account.grants.clone(),
                        id,
                        name: actor.name.clone(),
                        display_name: account.display_name.clone(),
                        may,
                    });
                }
                let (row, grants) = queries::with_grants(&self.db, &id)
                    .await
                    .map_err(store)?
                    .ok_or_else(no_user)?;
                Ok(Profile {
                    grants,
                    id: row.id,
                    name: row.name,
                    display_name: row.display_name,
                    may,
                })
            })
            .await
    }

    async fn sessions(&self, actor: &Actor) -> Result<Vec<SessionView>, PortalError> {
        self.door
            .pass(actor, Intent::new(Action::ProfileRead, ""), Ok(()), async |_| {
                queries::sessions(&self.db, &own(actor)?, actor.session.as_ref(), self.clock.now())
                    .await
                    .map_err(store)
            })
            .await
    }

    async fn revoke_session(&self, actor: &Actor, session: SessionId) -> Result<(), PortalError> {
        self.door
            .pass(
                actor,
                Intent::new(Action::SessionRevoke, format!("session:{session}")),
                Ok(()),
                async |_| {
                    let ended = queries::end_sessions(&self.db, &own(actor)?, Some(&session), None)
                        .await
                        .map_err(store)?;
                    if ended == 0 {
                        Err(PortalError::NotFound {
                            what: "The session".into(),
                        })
                    } else {
                        Ok(())
                    }
                },
            )
            .await
    }

    async fn sign_out_everywhere(&self, actor: &Actor) -> Result<(), PortalError> {
        self.door
            .pass(
                actor,
                Intent::new(Action::SessionSignOutEverywhere, format!("user:{}", actor.name)),
                Ok(()),
                async |pass| {
                    let ended = queries::end_sessions(&self.db, &own(actor)?, None, None)
                        .await
                        .map_err(store)?;
                    pass.note("sessions", ended);
                    Ok(())
                },
            )
            .await
    }

    async fn sign_out(&self, actor: &Actor) -> Result<(), PortalError> {
        self.door
            .pass(
                actor,
                Intent::new(Action::SessionSignOut, format!("user:{}", actor.name)),
                Ok(()),
                async |_| {
                    queries::end_sessions(&self.db, &own(actor)?, actor.session.as_ref(), None)
                        .await
                        .map_err(store)
                        .map(|_| ())
                },
            )
            .await
    }

    async fn change_password(&self, actor: &Actor, input: ChangePassword) -> Result<(), PortalError> {
        let mut fields = check_password("new", &input.new, &actor.name);
        if input.new != input.repeat {
            fields.push(FieldError::new(
                "repeat",
                "The two new passwords are not the same.",
            ));
        }
        let intent = Intent::new(Action::ProfileChangePassword, format!("user:{}", actor.name));
        self.door
            .pass(actor, intent, PortalError::from_fields(fields), async |pass| {
                let id = own(actor)?;
                let row = queries::by_id(&self.db, &id)
                    .await
                    .map_err(store)?
                    .ok_or_else(no_user)?;
                let subject = Subject::Account(row.name.clone());
                limits::check(&self.db, std::slice::from_ref(&subject), self.clock.now()).await?;
                if !self
                    .passwords
                    .check(input.current.clone(), Some(row.password_hash))
                    .await?
                {
                    limits::failed(&self.db, &[subject], self.clock.now())
                        .await
                        .map_err(store)?;
                    return Err(PortalError::invalid("current", "This is not your password."));
                }
                let hash = self.passwords.hash(input.new.clone()).await?;
                users::set_password(&self.db, &id, &hash).await.map_err(store)?;
                let ended = queries::end_sessions(&self.db, &id, None, actor.session.as_ref())
                    .await
                    .map_err(store)?;
                pass.note("other_sessions_ended", ended);
                Ok(())
            })
            .await
    }

    async fn tokens(&self, actor: &Actor) -> Result<Vec<TokenView>, PortalError> {
        self.own_tokens(actor).await
    }

    async fn create_token(&self, actor: &Actor, input: CreateToken) -> Result<TokenCreated, PortalError> {
        self.make_own_token(actor, input).await
    }

    async fn revoke_token(&self, actor: &Actor, token: ApiTokenId) -> Result<(), PortalError> {
        self.revoke_own_token(actor, token).await
    }

    async fn users(&self, actor: &Actor) -> Result<Vec<UserView>, PortalError> {
        self.door
            .pass(actor, Intent::new(Action::UsersRead, ""), Ok(()), async |_| {
                queries::list(&self.db, self.clock.now()).await.map_err(store)
            })
            .await
    }

    async fn create_user(&self, actor: &Actor, input: CreateUser) -> Result<UserId, PortalError> {
        let lower = input.name.trim().to_lowercase();
        let intent = Intent::new(Action::UsersCreate, format!("user:{lower}"))
            .with("role", input.role.as_str())
            .with("scope", input.scope.to_string());
        self.door
            .pass(actor, intent, input.check(), async |pass| {
                let hash = self.passwords.hash(input.password.clone()).await?;
                let (id, grant_id) = (self.random.uuid(), self.random.uuid());
                let display = input.display_name.trim();
                let new = NewUser {
                    id: &id,
                    name: &lower,
                    display_name: if display.is_empty() {
                        input.name.trim()
                    } else {
                        display
                    },
                    password_hash: &hash,
                    grant_id: &grant_id,
                    role: input.role,
                    scope: &input.scope,
                    by: &actor.name,
                    now: self.clock.now(),
                };
                users::insert(&self.db, &new).await.map_err(|error| {
                    if error.is_unique_violation() {
                        PortalError::invalid("name", "There is a user of this name already.")
                    } else {
                        store(error)
                    }
                })?;
                pass.note("user_id", id.clone());
                Ok(UserId::new(id))
            })
            .await
    }

    async fn disable_user(&self, actor: &Actor, user: UserId) -> Result<(), PortalError> {
        let name = self.named(actor, &user).await?;
        self.door
            .pass(
                actor,
                Intent::new(Action::UsersDisable, format!("user:{name}")),
                Ok(()),
                async |pass| {
                    match users::disable(&self.db, &user, self.clock.now())
                        .await
                        .map_err(store)?
                    {
                        Kept::Done(()) => {}
                        Kept::Last => return Err(last_administrator()),
                        Kept::Missing => return Err(no_user()),
                    }
                    let ended = queries::end_sessions(&self.db, &user, None, None)
                        .await
                        .map_err(store)?;
                    pass.note("sessions_ended", ended);
                    Ok(())
                },
            )
            .await
    }

    async fn enable_user(&self, actor: &Actor, user: UserId) -> Result<(), PortalError> {
        let name = self.named(actor, &user).await?;
        self.door
            .pass(
                actor,
                Intent::new(Action::UsersEnable, format!("user:{name}")),
                Ok(()),
                async |_| {
                    if users::enable(&self.db, &user).await.map_err(store)? {
                        Ok(())
                    } else {
                        Err(no_user())
                    }
                },
            )
            .await
    }

    async fn reset_password(
        &self,
        actor: &Actor,
        user: UserId,
        password: Password,
    ) -> Result<(), PortalError> {
        let name = self.named(actor, &user).await?;
        let fields = check_password("password", &password, &name);
        self.door
            .pass(
                actor,
                Intent::new(Action::UsersResetPassword, format!("user:{name}")),
                PortalError::from_fields(fields),
                async |pass| {
                    let hash = self.passwords.hash(password).await?;
                    if !users::set_password(&self.db, &user, &hash).await.map_err(store)? {
                        return Err(no_user());
                    }
                    limits::succeeded(&self.db, &Subject::Account(name.clone()))
                        .await
                        .map_err(store)?;
                    let ended = queries::end_sessions(&self.db, &user, None, None)
                        .await
                        .map_err(store)?;
                    pass.note("sessions_ended", ended);
                    Ok(())
                },
            )
            .await
    }

    async fn grant_role(
        &self,
        actor: &Actor,
        user: UserId,
        role: Role,
        scope: Scope,
    ) -> Result<GrantId, PortalError> {
        let name = self.named(actor, &user).await?;
        let intent = Intent::new(Action::UsersGrantRole, format!("user:{name}"))
            .with("role", role.as_str())
            .with("scope", scope.to_string());
        self.door
            .pass(actor, intent, Ok(()), async |_| {
                self.user_name(&user).await?;
                let id = self.random.uuid();
                users::grant(&self.db, &id, &user, role, &scope, &actor.name, self.clock.now())
                    .await
                    .map_err(store)
            })
            .await
    }

    async fn revoke_role(&self, actor: &Actor, grant: GrantId) -> Result<(), PortalError> {
        self.door
            .pass(
                actor,
                Intent::new(Action::UsersRevokeRole, format!("grant:{grant}")),
                Ok(()),
                async |pass| {
                    let (user, what) = match users::revoke(&self.db, &grant).await.map_err(store)? {
                        Kept::Done(done) => done,
                        Kept::Last => return Err(last_administrator()),
                        Kept::Missing => {
                            return Err(PortalError::NotFound {
                                what: "The role of this user".into(),
                            });
                        }
                    };
                    pass.note("user", self.user_name(&user).await.unwrap_or_default());
                    pass.note("revoked", what);
                    Ok(())
                },
            )
            .await
    }
}
