//! Writes users and grants: the SQL that changes them, each in one transaction.

use crate::approvals::delegations;
use muster_domain::Timestamp;
use muster_domain::ids::{GrantId, UserId};
use muster_domain::permission::{Role, Scope};
use muster_store::{Db, RowExt, Sql, StoreError};
use sqlx::{Any, Transaction};

/// A user about to be written.
#[derive(Clone, Debug)]
pub struct NewUser<'a> {
    /// Which.
    pub id: &'a str,
    /// In lower case.
    pub name: &'a str,
    /// Shown to others.
    pub display_name: &'a str,
    /// Of the password.
    pub password_hash: &'a str,
    /// The first grant's id.
    pub grant_id: &'a str,
    /// The first role.
    pub role: Role,
    /// Where it holds.
    pub scope: &'a Scope,
    /// By whom.
    pub by: &'a str,
    /// When.
    pub now: Timestamp,
}

async fn insert_in(transaction: &mut Transaction<'static, Any>, new: &NewUser<'_>) -> Result<(), StoreError> {
    let mut sql = Sql::new(
        "insert into users (user_id, name, display_name, password_hash, disabled, created_at, last_sign_in_at) values (",
    );
    sql.text(new.id)
        .push(", ")
        .text(new.name)
        .push(", ")
        .text(new.display_name)
        .push(", ");
    sql.text(new.password_hash)
        .push(", 0, ")
        .int(new.now.0)
        .push(", null)");
    sql.run(&mut **transaction).await?;
    let mut sql =
        Sql::new("insert into user_grants (grant_id, user_id, role, scope, granted_at, granted_by) values (");
    sql.text(new.grant_id)
        .push(", ")
        .text(new.id)
        .push(", ")
        .text(new.role.as_str())
        .push(", ");
    sql.text(new.scope.to_string())
        .push(", ")
        .int(new.now.0)
        .push(", ")
        .text(new.by)
        .push(")");
    sql.run(&mut **transaction).await.map(|_| ())
}

/// Writes a user with a first grant.
///
/// # Errors
/// When the name is taken (a unique violation), or the database does not answer.
pub async fn insert(db: &Db, new: &NewUser<'_>) -> Result<(), StoreError> {
    let mut transaction = db.begin().await?;
    insert_in(&mut transaction, new).await?;
    transaction.commit().await?;
    Ok(())
}

/// Writes the first administrator if nobody was there and the one-time token is still the one that is
/// waited for. Answers whether it was: of two at once, one is.
///
/// # Errors
/// When the database does not answer.
pub async fn insert_first(db: &Db, new: &NewUser<'_>, token_hash: &str) -> Result<bool, StoreError> {
    let mut transaction = db.begin().await?;
    let mut sql = Sql::new("delete from settings where name = 'setup_token' and value like ");
    sql.text(format!("{token_hash} %"));
    let mine = sql.run(&mut *transaction).await? == 1;
    let users = Sql::new("select count(*) as users from users")
        .one(&mut *transaction)
        .await?
        .int("users")?;
    if !mine || users > 0 {
        transaction.rollback().await?;
        return Ok(false);
    }
    insert_in(&mut transaction, new).await?;
    transaction.commit().await?;
    Ok(true)
}

/// How a change ended that must leave an administrator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept<T> {
    /// It is done.
    Done(T),
    /// Nobody would be left who manages Muster, so nothing was changed.
    Last,
    /// There is no such thing.
    Missing,
}

/// Locks all grants of administrators until the transaction ends, so that of two changes at once the
/// second sees the first.
async fn lock_administrators(transaction: &mut Transaction<'static, Any>) -> Result<(), StoreError> {
    Sql::new("update user_grants set role = role where role = 'administrator'")
        .run(&mut **transaction)
        .await
        .map(|_| ())
}

/// Ends the transaction: well when somebody is left who is not disabled and administrator everywhere.
async fn keep<T>(mut transaction: Transaction<'static, Any>, done: T) -> Result<Kept<T>, StoreError> {
    let left = Sql::new(
        "select count(*) as n from users u join user_grants g on g.user_id = u.user_id \
         where u.disabled = 0 and g.role = 'administrator' and g.scope = '*' and g.expires_at is null",
    )
    .one(&mut *transaction)
    .await?
    .int("n")?;
    if left == 0 {
        transaction.rollback().await?;
        return Ok(Kept::Last);
    }
    transaction.commit().await?;
    Ok(Kept::Done(done))
}

/// Refuses a user from now on.
///
/// # Errors
/// When the database does not answer.
pub async fn disable(db: &Db, user: &UserId, now: Timestamp) -> Result<Kept<()>, StoreError> {
    let mut transaction = db.begin().await?;
    lock_administrators(&mut transaction).await?;
    let mut sql = Sql::new("update users set disabled = 1 where user_id = ");
    sql.text(user.as_str());
    if sql.run(&mut *transaction).await? == 0 {
        return Ok(Kept::Missing);
    }
    // Nobody stands in for them any more, and they for nobody: also not when they are let in again.
    delegations::end_of(&mut transaction, user, now).await?;
    keep(transaction, ()).await
}

/// Lets a user in again. Answers whether there is such a user.
///
/// # Errors
/// When the database does not answer.
pub async fn enable(db: &Db, user: &UserId) -> Result<bool, StoreError> {
    let mut sql = Sql::new("update users set disabled = 0 where user_id = ");
    sql.text(user.as_str());
    Ok(sql.run(db.writer()).await? > 0)
}

/// Writes a new password. Answers whether there is such a user.
///
/// # Errors
/// When the database does not answer.
pub async fn set_password(db: &Db, user: &UserId, hash: &str) -> Result<bool, StoreError> {
    let mut sql = Sql::new("update users set password_hash = ");
    sql.text(hash).push(" where user_id = ").text(user.as_str());
    Ok(sql.run(db.writer()).await? > 0)
}

/// Notes a sign-in.
///
/// # Errors
/// When the database does not answer.
pub async fn signed_in(db: &Db, user: &UserId, now: Timestamp) -> Result<(), StoreError> {
    let mut sql = Sql::new("update users set last_sign_in_at = ");
    sql.int(now.0).push(" where user_id = ").text(user.as_str());
    sql.run(db.writer()).await.map(|_| ())
}

/// Gives a role. One that the user has already stays as it is.
///
/// # Errors
/// When the database does not answer.
pub async fn grant(
    db: &Db,
    id: &str,
    user: &UserId,
    role: Role,
    scope: &Scope,
    by: &str,
    now: Timestamp,
) -> Result<GrantId, StoreError> {
    let mut sql =
        Sql::new("insert into user_grants (grant_id, user_id, role, scope, granted_at, granted_by) values (");
    sql.text(id)
        .push(", ")
        .text(user.as_str())
        .push(", ")
        .text(role.as_str())
        .push(", ")
        .text(scope.to_string());
    sql.push(", ").int(now.0).push(", ").text(by);
    // One that was given for a time stays from now on.
    sql.push(") on conflict (user_id, role, scope) do update set expires_at = null returning grant_id");
    Ok(GrantId::new(sql.one(db.writer()).await?.text("grant_id")?))
}

/// A role for a time.
#[derive(Clone, Debug)]
pub struct NewLoan<'a> {
    /// The grant's id.
    pub id: &'a str,
    /// Who gets it.
    pub user: &'a UserId,
    /// What.
    pub role: Role,
    /// Where.
    pub scope: &'a Scope,
    /// On whose word.
    pub by: &'a str,
    /// From when.
    pub now: Timestamp,
    /// Until when.
    pub until: Timestamp,
}

/// Gives a role for a time. One that is held already is held until the later end; one without an end stays so, and stays the
/// grant that it is. One that has an end becomes the grant with the new id: who finds that id knows that this was done.
///
/// # Errors
/// When the database does not answer.
pub async fn lend(db: &Db, loan: &NewLoan<'_>) -> Result<(), StoreError> {
    let mut sql = Sql::new(
        "insert into user_grants (grant_id, user_id, role, scope, granted_at, granted_by, expires_at) values (",
    );
    sql.text(loan.id)
        .push(", ")
        .text(loan.user.as_str())
        .push(", ")
        .text(loan.role.as_str())
        .push(", ")
        .text(loan.scope.to_string())
        .push(", ")
        .int(loan.now.0)
        .push(", ")
        .text(loan.by)
        .push(", ")
        .int(loan.until.0);
    sql.push(
        ") on conflict (user_id, role, scope) do update set expires_at = case when user_grants.expires_at is null then \
         null when user_grants.expires_at > excluded.expires_at then user_grants.expires_at else excluded.expires_at end, \
         grant_id = case when user_grants.expires_at is null then user_grants.grant_id else excluded.grant_id end, \
         granted_by = case when user_grants.expires_at is null then user_grants.granted_by else excluded.granted_by end",
    );
    sql.run(db.writer()).await.map(|_| ())
}

/// Whether somebody has got a role by the grant with this id, or has it without an end, which such a grant leaves as it is.
///
/// # Errors
/// When the database does not answer.
pub async fn holds(
    db: &Db,
    user: &UserId,
    role: Role,
    scope: &Scope,
    grant: &str,
) -> Result<bool, StoreError> {
    let mut sql = Sql::new("select 1 as found from user_grants where user_id = ");
    sql.text(user.as_str())
        .push(" and role = ")
        .text(role.as_str())
        .push(" and scope = ")
        .text(scope.to_string())
        .push(" and (expires_at is null or grant_id = ")
        .text(grant)
        .push(") limit 1");
    Ok(sql.first(db.reader()).await?.is_some())
}

/// Clears away what was given for a time that is over.
///
/// # Errors
/// When the database does not answer.
pub async fn clear_loans(db: &Db, now: Timestamp) -> Result<u64, StoreError> {
    let mut sql = Sql::new("delete from user_grants where expires_at <= ");
    sql.int(now.0);
    sql.run(db.writer()).await
}

/// Takes a role. Answers what it was, and whose.
///
/// # Errors
/// When the database does not answer.
pub async fn revoke(db: &Db, grant: &GrantId) -> Result<Kept<(UserId, String)>, StoreError> {
    let mut transaction = db.begin().await?;
    lock_administrators(&mut transaction).await?;
    let mut sql = Sql::new("delete from user_grants where grant_id = ");
    sql.text(grant.as_str()).push(" returning user_id, role, scope");
    let Some(row) = sql.first(&mut *transaction).await? else {
        return Ok(Kept::Missing);
    };
    let what = format!("{} in {}", row.text("role")?, row.text("scope")?);
    keep(transaction, (UserId::new(row.text("user_id")?), what)).await
}
