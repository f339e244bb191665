//! Tokens with which programs act as a user: made, shown once, taken back, recognised. Only their hash is kept.

use crate::access::queries;
use crate::access::service::{AccessService, own};
use crate::error::store;
use muster_domain::access::{CreateToken, TokenCreated, TokenView};
use muster_domain::action::Action;
use muster_domain::actor::Origin;
use muster_domain::audit::Intent;
use muster_domain::ids::{ApiTokenId, UserId};
use muster_domain::{Actor, PortalError};
use muster_store::{RowExt, Sql, StoreError};
use ring::digest::{SHA256, digest};

/// What every token begins with, so that scanners for secrets find lost ones.
pub const PREFIX: &str = "mst_";
/// A token's use is noted at most this often.
const NOTED_EVERY_MS: i64 = 60_000;
/// Tokens of one user that hold at once.
const MAX_TOKENS: usize = 50;

fn hash(secret: &str) -> String {
    hex::encode(digest(&SHA256, secret.as_bytes()))
}

impl AccessService {
    pub(super) async fn own_tokens(&self, actor: &Actor) -> Result<Vec<TokenView>, PortalError> {
        let intent = Intent::new(Action::ProfileRead, "");
        self.door
            .pass(actor, intent, Ok(()), async |_| {
                self.tokens_of(&own(actor)?).await.map_err(store)
            })
            .await
    }

    async fn tokens_of(&self, user: &UserId) -> Result<Vec<TokenView>, StoreError> {
        let mut sql = Sql::new(
            "select token_id, name, created_at, expires_at, last_used_at from api_tokens where user_id = ",
        );
        sql.text(user.as_str())
            .push(" and revoked_at is null and expires_at > ")
            .int(self.clock.now().0)
            .push(" order by created_at desc, token_id");
        sql.all(self.db.reader())
            .await?
            .iter()
            .map(|row| {
                Ok(TokenView {
                    id: ApiTokenId::new(row.text("token_id")?),
                    name: row.text("name")?,
                    created_at: row.time("created_at")?,
                    expires_at: row.time("expires_at")?,
                    last_used_at: row.time_or_none("last_used_at")?,
                })
            })
            .collect()
    }

    async fn make_token(&self, user: &UserId, input: &CreateToken) -> Result<TokenCreated, PortalError> {
        if self.tokens_of(user).await.map_err(store)?.len() >= MAX_TOKENS {
            return Err(PortalError::Conflict {
                message: format!(
                    "{MAX_TOKENS} tokens hold already. Take back one that is not used any more."
                ),
            });
        }
        let created = TokenCreated {
            id: ApiTokenId::new(self.random.uuid()),
            secret: format!("{PREFIX}{}", self.random.hex(32)),
        };
        let now = self.clock.now();
        let mut sql = Sql::new(
            "insert into api_tokens (token_id, user_id, name, token_hash, created_at, expires_at) values (",
        );
        sql.text(created.id.as_str()).push(", ").text(user.as_str());
        sql.push(", ")
            .text(input.name.trim())
            .push(", ")
            .text(hash(&created.secret));
        sql.push(", ").int(now.0).push(", ");
        sql.int(now.plus_ms(i64::from(input.days) * 86_400_000).0)
            .push(")");
        sql.run(self.db.writer()).await.map_err(store)?;
        Ok(created)
    }

    pub(super) async fn make_own_token(
        &self,
        actor: &Actor,
        input: CreateToken,
    ) -> Result<TokenCreated, PortalError> {
        let intent = Intent::new(Action::TokensCreate, format!("user:{}", actor.name))
            .with("name", input.name.clone())
            .with("days", input.days);
        self.door
            .pass(actor, intent, input.check(), async |pass| {
                if actor.session.is_none() {
                    return Err(PortalError::Forbidden {
                        message: "A token cannot make another token: sign in with a browser.".into(),
                    });
                }
                let created = self.make_token(&own(actor)?, &input).await?;
                pass.note("token", created.id.as_str());
                Ok(created)
            })
            .await
    }

    /// Makes a token for a user, at the server's own command line.
    ///
    /// # Errors
    /// Those of the door; when there is no such user; when the input cannot be accepted.
    pub async fn create_token_for(
        &self,
        actor: &Actor,
        user_name: &str,
        input: CreateToken,
    ) -> Result<TokenCreated, PortalError> {
        let intent = Intent::new(Action::TokensCreateFor, format!("user:{user_name}"))
            .with("name", input.name.clone())
            .with("days", input.days);
        self.door
            .pass(actor, intent, input.check(), async |pass| {
                let user = queries::by_name(&self.db, user_name)
                    .await
                    .map_err(store)?
                    .filter(|user| !user.disabled)
                    .ok_or_else(|| PortalError::NotFound {
                        what: format!("An enabled user {user_name}"),
                    })?;
                let created = self.make_token(&user.id, &input).await?;
                pass.note("token", created.id.as_str());
                Ok(created)
            })
            .await
    }

    pub(super) async fn revoke_own_token(&self, actor: &Actor, token: ApiTokenId) -> Result<(), PortalError> {
        let intent = Intent::new(Action::TokensRevoke, format!("token:{token}"));
        self.door
            .pass(actor, intent, Ok(()), async |_| {
                let mut sql = Sql::new("update api_tokens set revoked_at = ");
                sql.int(self.clock.now().0).push(" where token_id = ");
                sql.text(token.as_str()).push(" and user_id = ");
                sql.text(own(actor)?.as_str()).push(" and revoked_at is null");
                if sql.run(self.db.writer()).await.map_err(store)? == 0 {
                    return Err(PortalError::NotFound {
                        what: "The token".into(),
                    });
                }
                Ok(())
            })
            .await
    }

    /// The person behind a token, as they are now. `None` when it does not hold, or its user may not come in.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn actor_of_token(&self, secret: &str, origin: Origin) -> Result<Option<Actor>, StoreError> {
        if !secret.starts_with(PREFIX) || secret.len() > 128 {
            return Ok(None);
        }
        let now = self.clock.now();
        // Found by its hash: comparing hashes in the index tells nothing about a secret that is not known.
        let mut sql = Sql::new("select token_id, user_id, last_used_at from api_tokens where token_hash = ");
        sql.text(hash(secret))
            .push(" and revoked_at is null and expires_at > ")
            .int(now.0);
        let Some(row) = sql.first(self.db.reader()).await? else {
            return Ok(None);
        };
        let user = UserId::new(row.text("user_id")?);
        let found = queries::with_grants(&self.db, &user).await?;
        let Some((user_row, grants)) = found.filter(|(row, _)| !row.disabled) else {
            return Ok(None);
        };
        let used = row.time_or_none("last_used_at")?;
        if used.is_none_or(|used| now.since_ms(used) > NOTED_EVERY_MS) {
            let mut sql = Sql::new("update api_tokens set last_used_at = ");
            sql.int(now.0)
                .push(" where token_id = ")
                .text(row.text("token_id")?);
            sql.run(self.db.writer()).await?;
        }
        let origin = Origin {
            via: "api".into(),
            ..origin
        };
        Ok(self.actor_of(user_row, grants, None, origin))
    }
}
