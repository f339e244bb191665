//! Delegations: who stands in for whom, as the database has them, and the acts of handing over and of ending that. Who stands in
//! decides as whoever they stand in for: with what that one is, as long as that one is it.

use crate::access::queries as access;
use crate::approvals::people;
use crate::approvals::rows::{Decider, RequestRow};
use crate::approvals::service::ApprovalService;
use crate::error::store;
use crate::events::PortalEvent;
use muster_domain::action::Action;
use muster_domain::approvals::{Delegation, DelegationView, HandOver, Policies, Voter};
use muster_domain::audit::Intent;
use muster_domain::ids::{DelegationId, NodeId, UserId};
use muster_domain::{Actor, PortalError, Timestamp};
use muster_store::{Db, RowExt, Sql, StoreError};
use sqlx::any::AnyRow;
use sqlx::{Any, Transaction};

/// How long one that has ended is shown.
const SHOWN_MS: i64 = 30 * 86_400_000;
/// Delegations that are shown at most.
const MAX_SHOWN: i64 = 200;
/// People for whom one stands in at most; further ones are not looked at.
const MAX_STAND_INS: i64 = 20;

const COLUMNS: &str = "select d.delegation_id, d.from_user, d.from_account, d.to_user, d.to_account, d.reason, d.made_at, d.until_at, \
     d.ended_at from approval_delegations d";

/// A delegation with the accounts behind it.
pub(super) struct DelegationRow {
    pub(super) delegation: Delegation,
    pub(super) from: UserId,
    pub(super) to: UserId,
}

/// Somebody for whom the actor stands in, as they are now.
pub(super) struct StandIn {
    pub(super) delegation: Delegation,
    pub(super) from: Actor,
}

fn read(row: &AnyRow) -> Result<DelegationRow, StoreError> {
    Ok(DelegationRow {
        delegation: Delegation {
            id: DelegationId::new(row.text("delegation_id")?),
            from: row.text("from_account")?,
            to: row.text("to_account")?,
            reason: row.text("reason")?,
            made_at: row.time("made_at")?,
            until: row.time("until_at")?,
            ended_at: row.time_or_none("ended_at")?,
        },
        from: UserId::new(row.text("from_user")?),
        to: UserId::new(row.text("to_user")?),
    })
}

async fn found(db: &Db, sql: Sql) -> Result<Vec<DelegationRow>, StoreError> {
    sql.all(db.reader()).await?.iter().map(read).collect()
}

/// Adds that it holds, by the portal's clock and the database's.
fn push_holds(sql: &mut Sql, db: &Db, now: Timestamp) {
    sql.push(" d.ended_at is null and d.until_at > ")
        .int(now.0)
        .push(" and d.until_at > ")
        .push(db.clock_sql());
}

/// One delegation.
///
/// # Errors
/// When the database does not answer. The same holds for all others here.
pub(super) async fn get(db: &Db, id: &DelegationId) -> Result<Option<Delegation>, StoreError> {
    let mut sql = Sql::new(COLUMNS);
    sql.push(" where d.delegation_id = ").text(id.as_str());
    Ok(found(db, sql).await?.pop().map(|row| row.delegation))
}

/// Those that hold now.
pub(super) async fn holding(db: &Db, now: Timestamp) -> Result<Vec<DelegationRow>, StoreError> {
    let mut sql = Sql::new(COLUMNS);
    sql.push(" where");
    push_holds(&mut sql, db, now);
    sql.push(" order by d.made_at, d.delegation_id limit ")
        .int(MAX_SHOWN);
    found(db, sql).await
}

/// Ends all in which this account has a part, because it is disabled.
pub(crate) async fn end_of(
    transaction: &mut Transaction<'static, Any>,
    user: &UserId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut sql = Sql::new("update approval_delegations set ended_at = ");
    sql.int(now.0)
        .push(" where ended_at is null and (from_user = ")
        .text(user.as_str())
        .push(" or to_user = ")
        .text(user.as_str())
        .push(")");
    sql.run(&mut **transaction).await.map(|_| ())
}

/// Writes down that those are over whose time is.
pub(super) async fn end_in_time(db: &Db, now: Timestamp) -> Result<u64, StoreError> {
    let mut sql = Sql::new(
        "update approval_delegations set ended_at = until_at where ended_at is null and until_at <= ",
    );
    sql.int(now.0);
    sql.run(db.writer()).await
}

impl ApprovalService {
    /// For whom the actor stands in now.
    pub(super) async fn stand_ins(&self, actor: &Actor) -> Result<Vec<StandIn>, PortalError> {
        let Some(user) = &actor.user_id else {
            return Ok(Vec::new());
        };
        let now = self.clock.now();
        let mut sql = Sql::new(COLUMNS);
        sql.push(" where d.to_user = ").text(user.as_str()).push(" and");
        push_holds(&mut sql, &self.db, now);
        sql.push(" order by d.made_at, d.delegation_id limit ")
            .int(MAX_STAND_INS);
        let mut stand_ins = Vec::new();
        for row in found(&self.db, sql).await.map_err(store)? {
            if let Some(from) = people::actor_now(&self.db, &row.from, now).await? {
                stand_ins.push(StandIn {
                    delegation: row.delegation,
                    from,
                });
            }
        }
        Ok(stand_ins)
    }

    /// Whether the actor stands in for that account now.
    pub(super) async fn stands_in_for(&self, actor: &Actor, account: &str) -> Result<bool, PortalError> {
        let stand_ins = self.stand_ins(actor).await?;
        Ok(stand_ins
            .iter()
            .any(|one| one.from.name.eq_ignore_ascii_case(account)))
    }

    /// As whom the actor can speak on this request: for themselves first, then for each for whom they stand in.
    pub(super) async fn voters(
        &self,
        actor: &Actor,
        stand_ins: &[StandIn],
        nodes: &[NodeId],
        policies: &Policies,
    ) -> Result<Vec<Voter>, PortalError> {
        let mut voters = vec![people::voter(&self.db, &actor.name, &actor.grants, nodes, policies).await?];
        for one in stand_ins {
            voters.push(people::voter_for(&self.db, &actor.name, &one.from, nodes, policies).await?);
        }
        Ok(voters)
    }

    /// The actor as who decides on a request: for themselves, or for the account that they name.
    pub(super) async fn speaker(
        &self,
        actor: &Actor,
        on_behalf_of: &str,
        row: &RequestRow,
        policies: &Policies,
    ) -> Result<(Voter, Decider), PortalError> {
        let decider = Decider {
            user: actor.user_id.clone(),
            ..Decider::default()
        };
        if on_behalf_of.is_empty() {
            return Ok((self.voter(actor, row, policies).await?, decider));
        }
        let stand_ins = self.stand_ins(actor).await?;
        let one = stand_ins
            .iter()
            .find(|one| one.from.name.eq_ignore_ascii_case(on_behalf_of))
            .ok_or_else(|| PortalError::Forbidden {
                message: format!("You do not stand in for {on_behalf_of} now."),
            })?;
        let nodes = crate::approvals::decide::nodes(row);
        let voter = people::voter_for(&self.db, &actor.name, &one.from, &nodes, policies).await?;
        let decider = Decider {
            for_user: one.from.user_id.clone(),
            delegation: Some(one.delegation.id.clone()),
            ..decider
        };
        Ok((voter, decider))
    }

    pub(super) async fn delegations_inner(&self, actor: &Actor) -> Result<Vec<DelegationView>, PortalError> {
        let now = self.clock.now();
        let mut sql = Sql::new(COLUMNS);
        sql.push(" where d.ended_at is null or d.ended_at > ")
            .int(now.plus_ms(-SHOWN_MS).0)
            .push(" order by d.made_at desc, d.delegation_id limit ")
            .int(MAX_SHOWN);
        let rows = found(&self.db, sql).await.map_err(store)?;
        Ok(rows
            .into_iter()
            .map(|row| {
                let is = |user: &UserId| actor.user_id.as_ref() == Some(user);
                let is_own = is(&row.from);
                DelegationView {
                    holds: row.delegation.holds(now),
                    may_end: row.delegation.holds(now)
                        && (is_own || is(&row.to))
                        && actor.may(Action::ApprovalsEndDelegation),
                    is_own,
                    delegation: row.delegation,
                }
            })
            .collect())
    }

    /// Whoever is to stand in, when they can.
    async fn stand_in_for(
        &self,
        actor: &Actor,
        to: &str,
        now: Timestamp,
    ) -> Result<(UserId, String), PortalError> {
        let wrong = |message: String| PortalError::invalid("to", message);
        let user = access::by_name(&self.db, to)
            .await
            .map_err(store)?
            .filter(|user| !user.disabled)
            .ok_or_else(|| wrong(format!("There is no account {to} that can sign in.")))?;
        let policies = self.gate.book.current().await.map_err(store)?;
        let person = |name: &str| policies.policies.person(name);
        if person(&user.name) == person(&actor.name) {
            return Err(wrong(format!(
                "{} is yourself: somebody else has to stand in for you.",
                user.name
            )));
        }
        let known = people::actor_now(&self.db, &user.id, now).await?;
        if !known.is_some_and(|known| known.may(Action::ApprovalsDecideForAnother)) {
            return Err(wrong(format!("{} has no role here.", user.name)));
        }
        let all = holding(&self.db, now).await.map_err(store)?;
        if let Some(away) = all.iter().find(|row| row.from == user.id) {
            return Err(wrong(format!(
                "{} has handed their own part over to {} until {}, and would not decide for you.",
                user.name,
                away.delegation.to,
                away.delegation.until.readable()
            )));
        }
        Ok((user.id, user.name))
    }

    pub(super) async fn hand_over_inner(
        &self,
        actor: &Actor,
        input: HandOver,
    ) -> Result<DelegationId, PortalError> {
        let now = self.clock.now();
        let id = DelegationId::new(self.random.uuid());
        let intent = Intent::new(Action::ApprovalsHandOver, format!("delegation:{id}"))
            .with("to", input.to.clone())
            .with("until", input.until.rfc3339())
            .with("reason", input.reason.clone());
        self.door
            .pass(actor, intent, input.check(now), async |_| {
                let from = actor.user_id.clone().ok_or(PortalError::SignInRequired)?;
                let (to, to_account) = self.stand_in_for(actor, input.to.trim(), now).await?;
                let delegation = Delegation {
                    id: id.clone(),
                    from: actor.name.clone(),
                    to: to_account,
                    reason: input.reason.trim().to_owned(),
                    made_at: now,
                    until: input.until,
                    ended_at: None,
                };
                end_in_time(&self.db, now).await.map_err(store)?;
                insert(&self.db, &delegation, &from, &to).await?;
                self.bus.tell(PortalEvent::Approvals);
                Ok(id.clone())
            })
            .await
    }

    pub(super) async fn end_delegation_inner(
        &self,
        actor: &Actor,
        id: &DelegationId,
    ) -> Result<(), PortalError> {
        let now = self.clock.now();
        let intent = Intent::new(Action::ApprovalsEndDelegation, format!("delegation:{id}"));
        self.door
            .pass(actor, intent, Ok(()), async |_| {
                let missing = || PortalError::NotFound {
                    what: format!("A delegation {id} of yours that holds"),
                };
                if id.as_str().contains('\0') {
                    return Err(missing());
                }
                let user = actor.user_id.as_ref().map_or("", UserId::as_str);
                let mut sql = Sql::new("update approval_delegations set ended_at = ");
                sql.int(now.0)
                    .push(" where ended_at is null and until_at > ")
                    .int(now.0)
                    .push(" and delegation_id = ")
                    .text(id.as_str())
                    .push(" and (from_user = ")
                    .text(user)
                    .push(" or to_user = ")
                    .text(user)
                    .push(")");
                if sql.run(self.db.writer()).await.map_err(store)? == 0 {
                    return Err(missing());
                }
                self.bus.tell(PortalEvent::Approvals);
                Ok(())
            })
            .await
    }
}

/// Writes a delegation, where whoever hands over has not done so already.
async fn insert(db: &Db, one: &Delegation, from: &UserId, to: &UserId) -> Result<(), PortalError> {
    let mut sql = Sql::new(
        "insert into approval_delegations (delegation_id, from_user, from_account, to_user, to_account, reason, made_at, \
         until_at) values (",
    );
    sql.text(one.id.as_str())
        .push(", ")
        .text(from.as_str())
        .push(", ")
        .text(&one.from)
        .push(", ")
        .text(to.as_str())
        .push(", ")
        .text(&one.to)
        .push(", ")
        .text(&one.reason)
        .push(", ")
        .int(one.made_at.0)
        .push(", ")
        .int(one.until.0)
        .push(")");
    match sql.run(db.writer()).await {
        Err(error) if error.is_unique_violation() => Err(PortalError::Conflict {
            message: "You have handed your part over already: end that first, and choose again.".into(),
        }),
        other => other.map(|_| ()).map_err(store),
    }
}
