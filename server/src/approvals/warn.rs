//! People are told before it is too late: that a request is about to run out undecided, and that the review of a broken glass is
//! due soon, or overdue. Each is told once, by whichever portal sees it first: what was told is written down with the notice.

use crate::approvals::deputies::Deputies;
use crate::approvals::rows::{self, RequestRow};
use crate::approvals::service::ApprovalService;
use crate::approvals::tell::{all_names, notice, open_names, requester};
use crate::notifications::{Notice, enqueue};
use muster_domain::Timestamp;
use muster_store::{Sql, StoreError};

/// A request is said to run out at the earliest so long before it does …
const EARLIEST_MS: i64 = 3_600_000;
/// … and a review to be due. Both are said when a quarter of the time is left, which is no more than that.
const EARLIEST_REVIEW_MS: i64 = 180 * 3_600_000;
/// Requests that are told of in one round.
const AT_ONCE: i64 = 50;

/// What was told of a review.
const SOON: i64 = 1;
const OVERDUE: i64 = 2;

impl ApprovalService {
    /// Tells of what is about to be too late.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(super) async fn warn(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        for row in self.about_to_expire(now).await? {
            let deputies = Deputies::now(&self.gate.desk, now).await?;
            let mut to = requester(&row.standing);
            to.extend(deputies.with(open_names(&row.standing), &row.standing));
            let what = format!(
                "is about to expire: nobody has decided, and it waits until {}",
                row.standing.expires_at.readable()
            );
            let notice = notice(&row, "expires_soon", &what, to, now, false);
            let mut sql = Sql::new(
                "update approval_requests set expiry_told = expires_at where state = 'waiting' and (expiry_told is null or \
                 expiry_told <> expires_at)",
            );
            sql.push(" and expires_at = ").int(row.standing.expires_at.0);
            self.tell_once(&row, sql, &notice).await?;
        }
        for row in self.to_be_reviewed(now).await? {
            let Some(due_at) = row.review_due_at else { continue };
            let deputies = Deputies::now(&self.gate.desk, now).await?;
            let mut to = deputies.with(all_names(&row.standing), &row.standing);
            let (told, notice) = if due_at <= now {
                to.extend(requester(&row.standing));
                let what = "was done without approval, and its review is overdue: until it is reviewed, who did it cannot do \
                            so again";
                (OVERDUE, notice(&row, "review_overdue", what, to, now, true))
            } else {
                let what = format!(
                    "was done without approval, and has to be reviewed until {}",
                    due_at.readable()
                );
                (SOON, notice(&row, "review_soon", &what, to, now, false))
            };
            let mut sql = Sql::new("update approval_requests set review_told = ");
            sql.int(told)
                .push(" where review_due_at is not null and review_told < ")
                .int(told);
            self.tell_once(&row, sql, &notice).await?;
        }
        Ok(())
    }

    /// Writes down that it was told, and the notice with it, unless it was told already.
    async fn tell_once(&self, row: &RequestRow, mut sql: Sql, notice: &Notice) -> Result<(), StoreError> {
        let desk = &self.gate.desk;
        let mut transaction = desk.db.begin().await?;
        sql.push(" and request_id = ").text(row.id.as_str());
        if sql.run(&mut *transaction).await? == 1 {
            enqueue(&mut transaction, &desk.channels, notice).await?;
            transaction.commit().await?;
        } else {
            transaction.rollback().await?;
        }
        Ok(())
    }

    /// Requests of whose waiting time a quarter is left, and that were not told of since that ends then.
    async fn about_to_expire(&self, now: Timestamp) -> Result<Vec<RequestRow>, StoreError> {
        let mut sql = rows::of(&self.db);
        sql.push(" and r.is_open = 1 and r.state = 'waiting' and r.expires_at > ")
            .int(now.0)
            .push(" and r.expires_at <= ")
            .int(now.plus_ms(EARLIEST_MS).0)
            .push(" and (r.expires_at - ")
            .int(now.0)
            .push(
                ") * 4 <= r.expires_at - r.waits_since and (r.expiry_told is null or r.expiry_told <> r.expires_at) order by \
                 r.expires_at, r.number limit ",
            )
            .int(AT_ONCE);
        self.found(sql).await
    }

    /// What was done without approval and of whose time for a review a quarter is left, or nothing.
    async fn to_be_reviewed(&self, now: Timestamp) -> Result<Vec<RequestRow>, StoreError> {
        let mut sql = rows::of(&self.db);
        sql.push(" and r.review_due_at <= ")
            .int(now.plus_ms(EARLIEST_REVIEW_MS).0)
            .push(" and (r.review_due_at - ")
            .int(now.0)
            // Found by when the review is due: what is over is more and more.
            .push(
                ") * 4 <= r.review_due_at - r.asked_at and r.state not in ('waiting', 'approved', 'running') \
                 and r.review_told < case when r.review_due_at <= ",
            )
            .int(now.0)
            .push(" then 2 else 1 end order by r.review_due_at limit ")
            .int(AT_ONCE);
        self.found(sql).await
    }
}
