//! Asking a person who is signed in for the password once more, behind the limits of signing in.

use crate::access::limits::{self, Subject};
use crate::access::passwords::Passwords;
use crate::access::queries;
use crate::error::store;
use muster_domain::access::Password;
use muster_domain::{Actor, PortalError, Timestamp};
use muster_store::Db;

/// Makes sure that `password` is the actor's own.
///
/// # Errors
/// [`PortalError::Invalid`] at the field `password`, [`PortalError::TooManyRequests`], or when the database does not answer.
pub async fn confirm(
    db: &Db,
    passwords: &Passwords,
    actor: &Actor,
    password: Password,
    now: Timestamp,
) -> Result<(), PortalError> {
    let user = match &actor.user_id {
        Some(user) => queries::by_id(db, user).await.map_err(store)?,
        None => None,
    };
    let account = Subject::Account(actor.name.clone());
    let subjects = [account.clone(), Subject::Address(actor.origin.address.clone())];
    limits::check(db, &subjects, now).await?;
    let right = passwords
        .check(password, user.map(|user| user.password_hash))
        .await?;
    if !right {
        limits::failed(db, &subjects, now).await.map_err(store)?;
        return Err(PortalError::invalid("password", "This is not your password."));
    }
    limits::succeeded(db, &account).await.map_err(store)
}
