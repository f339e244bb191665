//! Who carries a request out: of several portals on one database, one at a time. Whoever does writes its name beside the
//! request, until a moment of the database's own clock, and moves that on while it is at work. What a portal that died held is
//! free when its time is over, and looked at by whichever portal sees it first.

use crate::approvals::rows::RequestRow;
use crate::approvals::store::Desk;
use muster_domain::ids::RequestId;
use muster_store::{Sql, StoreError};
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

/// For how long a request is held.
pub(super) const HELD_MS: i64 = 30_000;
/// How often that is moved on.
const RENEWED_EVERY: Duration = Duration::from_secs(10);

/// Adds the condition that nobody holds the request whose row has this prefix.
pub(super) fn push_free(sql: &mut Sql, desk: &Desk, prefix: &'static str) {
    sql.push("(")
        .push(prefix)
        .push("held_until is null or ")
        .push(prefix)
        .push("held_until <= ")
        .push(desk.db.clock_sql())
        .push(")");
}

/// Adds that this portal holds the request from now on.
pub(super) fn push_held(sql: &mut Sql, desk: &Desk) {
    sql.push("held_by = ")
        .text(desk.owner.as_ref())
        .push(", held_until = ")
        .push(desk.db.clock_sql())
        .push(" + ")
        .int(HELD_MS);
}

/// Takes a request to carry it out, if it is as it was seen and nobody holds it. Of two at once, one is told no.
///
/// # Errors
/// When the database does not answer. The same holds for all others here.
pub(super) async fn hold(desk: &Desk, row: &RequestRow) -> Result<bool, StoreError> {
    let mut sql = Sql::new("update approval_requests set ");
    push_held(&mut sql, desk);
    sql.push(" where request_id = ")
        .text(row.id.as_str())
        .push(" and version = ")
        .int(row.version)
        .push(" and ");
    push_free(&mut sql, desk, "");
    Ok(sql.run(desk.db.writer()).await? == 1)
}

/// Lets go of a request that is not being done.
pub(super) async fn let_go(desk: &Desk, id: &RequestId) -> Result<(), StoreError> {
    let mut sql = Sql::new(
        "update approval_requests set held_by = null, held_until = null where state <> 'running' and request_id = ",
    );
    sql.text(id.as_str())
        .push(" and held_by = ")
        .text(desk.owner.as_ref());
    sql.run(desk.db.writer()).await.map(|_| ())
}

/// Holds on to a request. Answers whether it is still held: it is not when this portal was away for too long, or when it is
/// done with it.
async fn hold_on(desk: &Desk, id: &RequestId) -> Result<bool, StoreError> {
    let mut sql = Sql::new("update approval_requests set ");
    push_held(&mut sql, desk);
    sql.push(" where request_id = ")
        .text(id.as_str())
        .push(" and held_by = ")
        .text(desk.owner.as_ref());
    Ok(sql.run(desk.db.writer()).await? == 1)
}

/// Does `work`, and holds on to the request for as long as that takes.
pub(super) async fn holding<T>(desk: &Desk, id: &RequestId, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return done,
            () = tokio::time::sleep(RENEWED_EVERY) => match hold_on(desk, id).await {
                Ok(true) => {}
                // What is under way has its id already, so nobody does it a second time under another.
                Ok(false) => tracing::warn!(request = %id, "a request that is carried out is held no more"),
                Err(error) => tracing::warn!(request = %id, %error, "a request that is carried out may not be held"),
            },
        }
    }
}
