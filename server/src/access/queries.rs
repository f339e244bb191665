//! The SQL of users, grants and settings.

use muster_domain::Timestamp;
use muster_domain::access::{GrantView, SessionView, UserView};
use muster_domain::ids::{GrantId, SessionId, UserId};
use muster_domain::permission::{Grant, Role, Scope};
use muster_store::{Db, RowExt, Sql, StoreError};
use sqlx::any::AnyRow;
use std::collections::HashMap;

/// A user as signing in needs them.
#[derive(Clone, Debug)]
pub struct UserRow {
    /// Which.
    pub id: UserId,
    /// Signs in with this.
    pub name: String,
    /// Shown to others.
    pub display_name: String,
    /// Of the password.
    pub password_hash: String,
    /// Whether signing in is refused.
    pub disabled: bool,
    /// When the account was made.
    pub created_at: Timestamp,
    /// When they last signed in.
    pub last_sign_in_at: Option<Timestamp>,
}

const USERS: &str =
    "select user_id, name, display_name, password_hash, disabled, created_at, last_sign_in_at from users";

fn user(row: &AnyRow) -> Result<UserRow, StoreError> {
    Ok(UserRow {
        id: UserId::new(row.text("user_id")?),
        name: row.text("name")?,
        display_name: row.text("display_name")?,
        password_hash: row.text("password_hash")?,
        disabled: row.flag("disabled")?,
        created_at: row.time("created_at")?,
        last_sign_in_at: row.time_or_none("last_sign_in_at")?,
    })
}

/// The user of that name, whatever the case.
///
/// # Errors
/// When the database does not answer. The same holds for all others here.
pub async fn by_name(db: &Db, name: &str) -> Result<Option<UserRow>, StoreError> {
    // No account has one, and PostgreSQL would not even look.
    if name.contains('\0') {
        return Ok(None);
    }
    let mut sql = Sql::new(USERS);
    sql.push(" where name = ").text(name.trim().to_lowercase());
    sql.first(db.reader()).await?.as_ref().map(user).transpose()
}

/// A user.
///
/// # Errors
/// When the database does not answer.
pub async fn by_id(db: &Db, id: &UserId) -> Result<Option<UserRow>, StoreError> {
    let mut sql = Sql::new(USERS);
    sql.push(" where user_id = ").text(id.as_str());
    sql.first(db.reader()).await?.as_ref().map(user).transpose()
}

/// How many users there are.
///
/// # Errors
/// When the database does not answer.
pub async fn count(db: &Db) -> Result<i64, StoreError> {
    Sql::new("select count(*) as users from users")
        .one(db.reader())
        .await?
        .int("users")
}

fn grant(row: &AnyRow) -> Result<Option<(UserId, GrantView)>, StoreError> {
    let Some(role) = Role::parse(&row.text("role")?) else {
        return Ok(None);
    };
    let view = GrantView {
        id: GrantId::new(row.text("grant_id")?),
        role,
        scope: row.text("scope")?,
        granted_at: row.time("granted_at")?,
        granted_by: row.text("granted_by")?,
        expires_at: row.time_or_none("expires_at")?,
    };
    Ok(Some((UserId::new(row.text("user_id")?), view)))
}

/// The grants of one user.
///
/// # Errors
/// When the database does not answer.
pub async fn grants(db: &Db, user: &UserId) -> Result<Vec<GrantView>, StoreError> {
    let mut sql = Sql::new(
        "select grant_id, user_id, role, scope, granted_at, granted_by, expires_at from user_grants where user_id = ",
    );
    sql.text(user.as_str()).push(" order by granted_at, grant_id");
    let mut found = Vec::new();
    for row in sql.all(db.reader()).await? {
        found.extend(grant(&row)?.map(|(_, view)| view));
    }
    Ok(found)
}

/// A user and the grants of that user, of rows that have a user's columns and a grant's, in the order of the grants.
fn user_with_grants(rows: &[AnyRow]) -> Result<Option<(UserRow, Vec<GrantView>)>, StoreError> {
    let Some(first) = rows.first() else {
        return Ok(None);
    };
    let mut grants = Vec::new();
    for row in rows {
        if row.text_or_none("grant_id")?.is_some() {
            grants.extend(grant(row)?.map(|(_, view)| view));
        }
    }
    Ok(Some((user(first)?, grants)))
}

/// A user with the grants of that user, asked for at once.
///
/// # Errors
/// When the database does not answer.
pub async fn with_grants(db: &Db, id: &UserId) -> Result<Option<(UserRow, Vec<GrantView>)>, StoreError> {
    let mut sql = Sql::new(
        "select u.user_id, u.name, u.display_name, u.password_hash, u.disabled, u.created_at, u.last_sign_in_at, g.grant_id, g.role, \
         g.scope, g.granted_at, g.granted_by, g.expires_at from users u left join user_grants g on g.user_id = u.user_id \
         where u.user_id = ",
    );
    sql.text(id.as_str()).push(" order by g.granted_at, g.grant_id");
    user_with_grants(&sql.all(db.reader()).await?)
}

/// A session that somebody is signed in with, and who that is.
#[derive(Clone, Debug)]
pub struct InSession {
    /// The session's public handle.
    pub session_id: String,
    /// When it was last noted that it is used.
    pub last_seen_at: Timestamp,
    /// The account.
    pub user: UserRow,
    /// Its grants.
    pub grants: Vec<GrantView>,
}

/// Who is signed in with the session of that key, unless it has ended. One statement for all of it: every request asks.
///
/// # Errors
/// When the database does not answer.
pub async fn in_session(
    db: &Db,
    session_key: String,
    now: Timestamp,
) -> Result<Option<InSession>, StoreError> {
    let mut sql = Sql::new(
        "select s.session_id, s.last_seen_at, u.user_id, u.name, u.display_name, u.password_hash, u.disabled, u.created_at, \
         u.last_sign_in_at, g.grant_id, g.role, g.scope, g.granted_at, g.granted_by, g.expires_at from web_sessions s \
         join users u on u.user_id = s.user_id left join user_grants g on g.user_id = u.user_id where s.session_key = ",
    );
    sql.text(session_key)
        .push(" and s.session_id is not null and s.expires_at > ")
        .int(now.0)
        .push(" order by g.granted_at, g.grant_id");
    let rows = sql.all(db.reader()).await?;
    let (Some(first), Some((user, grants))) = (rows.first(), user_with_grants(&rows)?) else {
        return Ok(None);
    };
    Ok(Some(InSession {
        session_id: first.text("session_id")?,
        last_seen_at: first.time_or_none("last_seen_at")?.unwrap_or(Timestamp(0)),
        user,
        grants,
    }))
}

/// As the door of the connection of `db` needs them at `now`. A scope that cannot be read gives nothing, nor does a grant that has
/// ended, nor one for another connection.
#[must_use]
pub fn effective(db: &Db, grants: &[GrantView], now: Timestamp) -> Vec<Grant> {
    grants
        .iter()
        .filter(|grant| grant.expires_at.is_none_or(|at| now < at))
        .filter_map(|grant| {
            Some(Grant {
                role: grant.role,
                scope: Scope::of_role(&grant.scope)
                    .ok()?
                    .at_connection(db.connection())?,
            })
        })
        .collect()
}

/// All users by name, with grants and the number of their sessions.
///
/// # Errors
/// When the database does not answer.
pub async fn list(db: &Db, now: Timestamp) -> Result<Vec<UserView>, StoreError> {
    let mut by_user: HashMap<UserId, Vec<GrantView>> = HashMap::new();
    let sql = Sql::new(
        "select grant_id, user_id, role, scope, granted_at, granted_by, expires_at from user_grants order by granted_at, grant_id",
    );
    for row in sql.all(db.reader()).await? {
        if let Some((user, view)) = grant(&row)? {
            by_user.entry(user).or_default().push(view);
        }
    }
    let mut sql = Sql::new(
        "select user_id, count(*) as sessions from web_sessions where user_id is not null and expires_at > ",
    );
    sql.int(now.0).push(" group by user_id");
    let mut sessions: HashMap<String, i64> = HashMap::new();
    for row in sql.all(db.reader()).await? {
        sessions.insert(row.text("user_id")?, row.int("sessions")?);
    }
    let mut sql = Sql::new(USERS);
    sql.push(" order by name limit 10000");
    let mut users = Vec::new();
    for row in sql.all(db.reader()).await? {
        let user = user(&row)?;
        users.push(UserView {
            grants: by_user.remove(&user.id).unwrap_or_default(),
            sessions: u32::try_from(sessions.get(user.id.as_str()).copied().unwrap_or(0)).unwrap_or_default(),
            id: user.id,
            name: user.name,
            display_name: user.display_name,
            disabled: user.disabled,
            created_at: user.created_at,
            last_sign_in_at: user.last_sign_in_at,
        });
    }
    Ok(users)
}

/// A user's live sessions, newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn sessions(
    db: &Db,
    user: &UserId,
    current: Option<&SessionId>,
    now: Timestamp,
) -> Result<Vec<SessionView>, StoreError> {
    let mut sql = Sql::new(
        "select session_id, address, user_agent, signed_in_at, last_seen_at, expires_at from web_sessions where session_id is not null and user_id = ",
    );
    sql.text(user.as_str())
        .push(" and expires_at > ")
        .int(now.0)
        .push(" order by signed_in_at desc, session_id");
    let mut found = Vec::new();
    for row in sql.all(db.reader()).await? {
        let id = SessionId::new(row.text("session_id")?);
        found.push(SessionView {
            current: Some(&id) == current,
            id,
            address: row.text("address")?,
            user_agent: row.text("user_agent")?,
            signed_in_at: row.time("signed_in_at")?,
            last_seen_at: row.time("last_seen_at")?,
            expires_at: row.time("expires_at")?,
        });
    }
    Ok(found)
}

/// Ends sessions of a user: one, all, or all but one.
///
/// # Errors
/// When the database does not answer.
pub async fn end_sessions(
    db: &Db,
    user: &UserId,
    only: Option<&SessionId>,
    but: Option<&SessionId>,
) -> Result<u64, StoreError> {
    let mut sql = Sql::new("delete from web_sessions where user_id = ");
    sql.text(user.as_str());
    if let Some(only) = only {
        sql.push(" and session_id = ").text(only.as_str());
    }
    if let Some(but) = but {
        sql.push(" and (session_id is null or session_id <> ")
            .text(but.as_str())
            .push(")");
    }
    sql.run(db.writer()).await
}

/// Reads a setting.
///
/// # Errors
/// When the database does not answer.
pub async fn setting(db: &Db, name: &str) -> Result<Option<String>, StoreError> {
    let mut sql = Sql::new("select value from settings where name = ");
    sql.text(name);
    sql.first(db.reader())
        .await?
        .map(|row| row.text("value"))
        .transpose()
}

/// Writes a setting.
///
/// # Errors
/// When the database does not answer.
pub async fn set_setting(db: &Db, name: &str, value: &str) -> Result<(), StoreError> {
    let mut sql = Sql::new("insert into settings (name, value) values (");
    sql.text(name)
        .push(", ")
        .text(value)
        .push(") on conflict (name) do update set value = excluded.value");
    sql.run(db.writer()).await.map(|_| ())
}
