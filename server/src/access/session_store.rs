//! Sessions in the portal's database, behind tower-sessions. The database holds only the hash of what
//! the cookie holds: a stolen copy signs nobody in.

use crate::access::queries::{self, InSession};
use async_trait::async_trait;
use muster_domain::Timestamp;
use muster_domain::time::Clock;
use muster_store::{Db, RowExt, Sql, StoreError};
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tower_sessions::SessionStore;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result};

/// The name under which [`Auth`] stands in a session.
pub const AUTH: &str = "auth";

/// Who is signed in, as the session holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Auth {
    /// The account.
    pub user_id: String,
    /// The session's public handle.
    pub session_id: String,
    /// From where they signed in.
    pub address: String,
    /// With what.
    pub user_agent: String,
    /// When.
    pub signed_in_at: i64,
}

/// The store.
#[derive(Clone)]
pub struct DatabaseSessions {
    db: Db,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for DatabaseSessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DatabaseSessions")
    }
}

fn key(id: &Id) -> String {
    hex::encode(digest(&SHA256, id.to_string().as_bytes()))
}

fn expires(record: &Record) -> i64 {
    record.expiry_date.unix_timestamp() * 1_000
}

fn backend(error: &StoreError) -> Error {
    Error::Backend(error.to_string())
}

impl DatabaseSessions {
    /// Sessions in `db`.
    #[must_use]
    pub fn new(db: Db, clock: Arc<dyn Clock>) -> Self {
        Self { db, clock }
    }

    /// Writes a new session.
    async fn insert(&self, record: &Record) -> std::result::Result<(), StoreError> {
        let mut sql =
            Sql::new("insert into web_sessions (session_key, data, expires_at, last_seen_at) values (");
        sql.text(key(&record.id)).push(", '{}', ").int(expires(record));
        sql.push(", ").int(self.clock.now().0).push(")");
        sql.run(self.db.writer()).await.map(|_| ())
    }

    /// Writes what a session holds, if it is there: one that was ended while a request ran stays ended.
    async fn update(&self, record: &Record) -> Result<()> {
        let data = serde_json::to_string(&record.data).map_err(|error| Error::Encode(error.to_string()))?;
        let auth: Option<Auth> = record
            .data
            .get(AUTH)
            .and_then(|value| serde_json::from_value(value.clone()).ok());
        let (address, user_agent) = auth.as_ref().map_or_else(Default::default, |auth| {
            (auth.address.clone(), auth.user_agent.clone())
        });
        let mut sql = Sql::new("update web_sessions set data = ");
        sql.text(data).push(", expires_at = ").int(expires(record));
        sql.push(", session_id = ")
            .text_or_none(auth.as_ref().map(|auth| auth.session_id.clone()));
        sql.push(", user_id = ")
            .text_or_none(auth.as_ref().map(|auth| auth.user_id.clone()));
        sql.push(", address = ")
            .text(address)
            .push(", user_agent = ")
            .text(user_agent);
        sql.push(", signed_in_at = ")
            .int_or_none(auth.as_ref().map(|auth| auth.signed_in_at));
        sql.push(" where session_key = ").text(key(&record.id));
        let written = sql.run(self.db.writer()).await;
        written.map(|_| ()).map_err(|error| backend(&error))
    }

    /// Whether the session was used within `idle_ms`; one that was not is deleted. Notes at most once a
    /// minute that it is used.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn touch(&self, session_id: &str, idle_ms: i64) -> std::result::Result<bool, StoreError> {
        let mut sql = Sql::new("select last_seen_at from web_sessions where session_id = ");
        sql.text(session_id);
        let Some(row) = sql.first(self.db.reader()).await? else {
            return Ok(false);
        };
        let seen = row.time_or_none("last_seen_at")?.unwrap_or(Timestamp(0));
        self.used(session_id, seen, idle_ms).await
    }

    /// The same for one of which it is known when it was noted last.
    async fn used(
        &self,
        session_id: &str,
        seen: Timestamp,
        idle_ms: i64,
    ) -> std::result::Result<bool, StoreError> {
        let now = self.clock.now();
        if now.since_ms(seen) > idle_ms {
            let mut sql = Sql::new("delete from web_sessions where session_id = ");
            sql.text(session_id);
            sql.run(self.db.writer()).await?;
            return Ok(false);
        }
        if now.since_ms(seen) > 60_000 {
            let mut sql = Sql::new("update web_sessions set last_seen_at = ");
            sql.int(now.0).push(" where session_id = ").text(session_id);
            sql.run(self.db.writer()).await?;
        }
        Ok(true)
    }

    /// Who is signed in with this session, which is used by asking, as [`Self::touch`] says. Nobody when there is no such
    /// session, it has ended, or it was not used within `idle_ms`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn signed_in(
        &self,
        id: &Id,
        idle_ms: i64,
    ) -> std::result::Result<Option<InSession>, StoreError> {
        let Some(found) = queries::in_session(&self.db, key(id), self.clock.now()).await? else {
            return Ok(None);
        };
        let used = self.used(&found.session_id, found.last_seen_at, idle_ms).await?;
        Ok(used.then_some(found))
    }

    /// Whether the session is there and has not ended; being asked is no use of it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn is_there(&self, session_id: &str) -> std::result::Result<bool, StoreError> {
        let mut sql = Sql::new("select 1 as found from web_sessions where session_id = ");
        sql.text(session_id)
            .push(" and expires_at > ")
            .int(self.clock.now().0);
        Ok(sql.first(self.db.reader()).await?.is_some())
    }

    /// Deletes what has ended.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn clean(&self, idle_ms: i64) -> std::result::Result<u64, StoreError> {
        let now = self.clock.now();
        let mut sql = Sql::new("delete from web_sessions where expires_at < ");
        sql.int(now.0)
            .push(" or last_seen_at < ")
            .int(now.plus_ms(-idle_ms).0);
        sql.run(self.db.writer()).await
    }
}

#[async_trait]
impl SessionStore for DatabaseSessions {
    async fn create(&self, record: &mut Record) -> Result<()> {
        // 128 random bits: two alike do not happen.
        self.insert(record).await.map_err(|error| backend(&error))?;
        self.update(record).await
    }

    async fn save(&self, record: &Record) -> Result<()> {
        self.update(record).await
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let mut sql = Sql::new("select data, expires_at from web_sessions where session_key = ");
        sql.text(key(id))
            .push(" and expires_at > ")
            .int(self.clock.now().0);
        let Some(row) = sql
            .first(self.db.reader())
            .await
            .map_err(|error| backend(&error))?
        else {
            return Ok(None);
        };
        let data = row.text("data").map_err(|error| backend(&error))?;
        let expires = row.int("expires_at").map_err(|error| backend(&error))?;
        Ok(Some(Record {
            id: *id,
            data: serde_json::from_str(&data).map_err(|error| Error::Decode(error.to_string()))?,
            expiry_date: time::OffsetDateTime::from_unix_timestamp(expires / 1_000)
                .map_err(|error| Error::Decode(error.to_string()))?,
        }))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        let mut sql = Sql::new("delete from web_sessions where session_key = ");
        sql.text(key(id));
        sql.run(self.db.writer())
            .await
            .map(|_| ())
            .map_err(|error| backend(&error))
    }
}
