//! Writes requests: each change in one transaction that begins by comparing the version that was seen, with what
//! happened beside it.

use crate::approvals::deputies::Deputies;
use crate::approvals::policies::PolicyBook;
use crate::approvals::rows::{Decider, RequestRow, ReviewRecord};
use crate::approvals::{lease, tell};
use crate::notifications::{Channels, enqueue};
use muster_domain::Timestamp;
use muster_domain::approvals::{Demand, Plan, ProposedAct, RequestState, Standing, Verdict};
use muster_domain::ids::RequestId;
use muster_store::{Db, RowExt, Sql, StoreError};
use sqlx::{Any, Transaction};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where requests are written, and who is told.
#[derive(Clone)]
pub struct Desk {
    /// The portal's database.
    pub db: Db,
    /// Where notices go.
    pub channels: Arc<Channels>,
    /// The policies: they say who is in which group.
    pub book: PolicyBook,
    /// Which portal this is, of several on one database: another one after each start.
    pub owner: Arc<str>,
}

/// What must hold by the database's own clock for a change to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Nothing.
    Anytime,
    /// It still waits.
    Waits,
    /// The approval can still be used.
    Usable,
    /// Nobody is at work on it.
    Free,
}

/// What is different about a request, beside how it stands.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// Who did it.
    pub who: String,
    /// What happened, as a sentence.
    pub what: String,
    /// Whose account decided, when somebody did, and from which address.
    pub decider: Option<(Decider, String)>,
    /// What would run now, where that has changed: the plan, its digest, what is different.
    pub plan: Option<(Plan, String, Vec<String>)>,
    /// What the policies ask for now, where that has changed.
    pub demand: Option<Demand>,
    /// When the portal does it.
    pub runs_at: Option<Timestamp>,
    /// What it became.
    pub outcome_id: Option<String>,
    /// Why it failed.
    pub problem: Option<String>,
    /// What came of the review.
    pub review: Option<ReviewRecord>,
    /// Somebody was reminded.
    pub reminded: bool,
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn search_of(row: &RequestRow) -> String {
    [
        row.id.as_str(),
        &row.title,
        &row.standing.requester,
        &row.reason,
        &row.ticket,
    ]
    .join("\n")
    .to_lowercase()
}

/// Everybody who is asked, by name, and since when.
fn asked(row: &RequestRow, standing: &Standing, review_due: bool) -> BTreeMap<String, i64> {
    let mut names: BTreeMap<String, i64> = BTreeMap::new();
    let mut add = |name: &String, from: i64| {
        let known = names.entry(name.clone()).or_insert(from);
        *known = (*known).min(from);
    };
    for (track, progress) in standing.tracks.iter().zip(standing.progress()) {
        for (level, progress) in track.levels.iter().zip(progress) {
            if !progress.is_open && !review_due {
                continue;
            }
            level.of.iter().for_each(|name| add(name, 0));
            let after = i64::from(level.escalate_after_minutes.unwrap_or_default()) * 60_000;
            let from = row.standing.waits_since.max(standing.waits_since).plus_ms(after);
            level.escalate_to.iter().for_each(|name| add(name, from.0));
        }
    }
    names
}

async fn write_asked(
    transaction: &mut Transaction<'static, Any>,
    row: &RequestRow,
    standing: &Standing,
    review_due: bool,
) -> Result<(), StoreError> {
    let mut sql = Sql::new("delete from approval_asked where request_id = ");
    sql.text(row.id.as_str());
    sql.run(&mut **transaction).await?;
    if standing.state != RequestState::Waiting && !review_due {
        return Ok(());
    }
    for (name, from) in asked(row, standing, review_due) {
        let mut sql = Sql::new("insert into approval_asked (name, request_id, from_at) values (");
        sql.text(name)
            .push(", ")
            .text(row.id.as_str())
            .push(", ")
            .int(from)
            .push(")");
        sql.run(&mut **transaction).await?;
    }
    Ok(())
}

async fn write_nodes(
    transaction: &mut Transaction<'static, Any>,
    id: &RequestId,
    plan: &Plan,
) -> Result<(), StoreError> {
    let mut sql = Sql::new("delete from approval_request_nodes where request_id = ");
    sql.text(id.as_str());
    sql.run(&mut **transaction).await?;
    for nodes in plan.nodes.chunks(200) {
        let mut sql = Sql::new("insert into approval_request_nodes (request_id, node_id) values ");
        for (at, node) in nodes.iter().enumerate() {
            sql.push(if at > 0 { ", (" } else { "(" })
                .text(id.as_str())
                .push(", ")
                .text(node.node_id.as_str())
                .push(")");
        }
        sql.run(&mut **transaction).await?;
    }
    Ok(())
}

async fn write_event(
    transaction: &mut Transaction<'static, Any>,
    id: &RequestId,
    version: i64,
    at: Timestamp,
    who: &str,
    what: &str,
) -> Result<(), StoreError> {
    let mut sql =
        Sql::new("insert into approval_events (request_id, version, happened_at, who, what) values (");
    sql.text(id.as_str())
        .push(", ")
        .int(version)
        .push(", ")
        .int(at.0)
        .push(", ")
        .text(who)
        .push(", ")
        .text(what)
        .push(")");
    sql.run(&mut **transaction).await.map(|_| ())
}

/// The number of the next request. It is taken before the request is looked at, so that the audit log can name also one
/// that was refused; no number is given twice.
///
/// # Errors
/// When the database does not answer.
pub async fn next_number(db: &Db) -> Result<i64, StoreError> {
    let next = Sql::new("update approval_numbers set next = next + 1 where only_one = 1 returning next")
        .one(db.writer())
        .await?
        .int("next")?;
    Ok(next - 1)
}

/// The id of a request with this number.
#[must_use]
pub fn id_of(number: i64) -> RequestId {
    RequestId::new(format!("CR-{number}"))
}

/// Writes a new request. Answers it as it was written.
///
/// # Errors
/// When the database does not answer.
pub async fn insert(desk: &Desk, mut row: RequestRow, what: &str) -> Result<RequestRow, StoreError> {
    let deputies = Deputies::now(desk, row.asked_at).await?;
    let mut transaction = desk.db.begin().await?;
    row.version = 1;
    let standing = &row.standing;
    let mut sql = Sql::new(
        "insert into approval_requests (request_id, connection_id, number, act, title, requester_id, requester, requester_person, address, \
         asked_at, state, is_open, generation, version, waits_since, expires_at, usable_until, not_before, runs_at, ended_at, \
         reason, ticket, proposed, plan, digest, changed, demand, nodes, in_production, glass_broken, review_due_at, review, \
         outcome_id, problem, reminded_at, search) values (",
    );
    sql.text(row.id.as_str())
        .push(", ")
        .text(desk.db.connection())
        .push(", ")
        .int(row.number)
        .push(", ");
    sql.text(row.act.as_str()).push(", ").text(&row.title).push(", ");
    sql.text_or_none(row.requester_id.as_ref().map(ToString::to_string))
        .push(", ");
    sql.text(&standing.requester)
        .push(", ")
        .text(&standing.requester_person)
        .push(", ");
    sql.text(&row.address).push(", ").int(row.asked_at.0).push(", ");
    sql.text(standing.state.as_str())
        .push(", ")
        .int(i64::from(standing.state.is_open()))
        .push(", ");
    sql.int(standing.generation.into())
        .push(", ")
        .int(row.version)
        .push(", ");
    sql.int(standing.waits_since.0)
        .push(", ")
        .int(standing.expires_at.0)
        .push(", ");
    sql.int_or_none(standing.usable_until.map(|at| at.0)).push(", ");
    sql.int_or_none(row.not_before.map(|at| at.0)).push(", ");
    sql.int_or_none(row.runs_at.map(|at| at.0)).push(", null, ");
    sql.text(&row.reason).push(", ").text(&row.ticket).push(", ");
    sql.text(json(&row.proposed))
        .push(", ")
        .text(json(&row.plan))
        .push(", ");
    sql.text(&row.digest)
        .push(", '[]', ")
        .text(json(&row.demand))
        .push(", ");
    sql.int(i64::try_from(row.plan.nodes.len()).unwrap_or(i64::MAX))
        .push(", ");
    sql.int(row.in_production.into())
        .push(", ")
        .int(i64::from(standing.glass_broken))
        .push(", ");
    sql.int_or_none(row.review_due_at.map(|at| at.0))
        .push(", null, ")
        .text(&row.outcome_id)
        .push(", '', null, ")
        .text(search_of(&row))
        .push(")");
    sql.run(&mut *transaction).await?;
    write_nodes(&mut transaction, &row.id, &row.plan).await?;
    write_asked(&mut transaction, &row, &row.standing, row.review_due_at.is_some()).await?;
    write_event(
        &mut transaction,
        &row.id,
        row.version,
        row.asked_at,
        &row.standing.requester,
        what,
    )
    .await?;
    enqueue(&mut transaction, &desk.channels, &tell::of_new(&row, &deputies)).await?;
    transaction.commit().await?;
    Ok(row)
}

/// Writes how a request stands now, if nobody changed it since `row` was read. Answers whether that was so: of two who
/// change it at once, one is told no.
///
/// # Errors
/// When the database does not answer.
pub async fn change(
    desk: &Desk,
    row: &RequestRow,
    next: &Standing,
    change: &Change,
    guard: Guard,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let deputies = Deputies::now(desk, now).await?;
    let mut transaction = desk.db.begin().await?;
    let version = row.version + 1;
    let ended = !next.state.is_open() && row.standing.state.is_open();
    let mut sql = Sql::new("update approval_requests set version = ");
    sql.int(version)
        .push(", state = ")
        .text(next.state.as_str())
        .push(", is_open = ")
        .int(i64::from(next.state.is_open()))
        .push(", generation = ")
        .int(next.generation.into())
        .push(", waits_since = ")
        .int(next.waits_since.0)
        .push(", expires_at = ")
        .int(next.expires_at.0)
        .push(", usable_until = ")
        .int_or_none(next.usable_until.map(|at| at.0))
        .push(", runs_at = ")
        .int_or_none(change.runs_at.map(|at| at.0))
        .push(", ");
    // It is held while it is being done; whatever else happens to it, nobody is at work on it any more.
    if next.state == RequestState::Running {
        lease::push_held(&mut sql, desk);
    } else {
        sql.push("held_by = null, held_until = null");
    }
    if ended {
        sql.push(", ended_at = ").int(now.0);
        if let ProposedAct::PutParameter { parameter } = &row.proposed
            && let Some(parameter) = parameter.without_secret()
        {
            // Whatever the end is, nobody writes it any more: it is not kept, not even sealed.
            sql.push(", proposed = ")
                .text(json(&ProposedAct::PutParameter { parameter }));
        }
    }
    if let Some((plan, digest, changed)) = &change.plan {
        let in_production = plan
            .nodes
            .iter()
            .filter(|node| muster_domain::commands::is_production(&node.environment))
            .count();
        sql.push(", plan = ")
            .text(json(plan))
            .push(", digest = ")
            .text(digest)
            .push(", changed = ")
            .text(json(changed))
            .push(", title = ")
            .text(plan.title())
            .push(", nodes = ")
            .int(i64::try_from(plan.nodes.len()).unwrap_or(i64::MAX))
            .push(", in_production = ")
            .int(i64::try_from(in_production).unwrap_or(i64::MAX));
    }
    if let Some(demand) = &change.demand {
        sql.push(", demand = ").text(json(demand));
    }
    if let Some(outcome) = &change.outcome_id {
        sql.push(", outcome_id = ").text(outcome);
    }
    if let Some(problem) = &change.problem {
        sql.push(", problem = ").text(problem);
    }
    if let Some(review) = &change.review {
        sql.push(", review_due_at = null, review = ").text(json(review));
    }
    if change.reminded {
        sql.push(", reminded_at = ").int(now.0);
    }
    sql.push(" where request_id = ")
        .text(row.id.as_str())
        .push(" and version = ")
        .int(row.version);
    match guard {
        Guard::Anytime => {}
        Guard::Waits => {
            sql.push(" and expires_at > ").push(desk.db.clock_sql());
        }
        Guard::Usable => {
            sql.push(" and usable_until > ").push(desk.db.clock_sql());
        }
        Guard::Free => {
            sql.push(" and ");
            lease::push_free(&mut sql, desk, "");
        }
    }
    if sql.run(&mut *transaction).await? != 1 {
        transaction.rollback().await?;
        return Ok(false);
    }
    write_decisions(&mut transaction, row, next, change).await?;
    if let Some((plan, ..)) = &change.plan {
        write_nodes(&mut transaction, &row.id, plan).await?;
    }
    let review_due = row.review_due_at.is_some() && change.review.is_none();
    write_asked(&mut transaction, row, next, review_due).await?;
    write_event(&mut transaction, &row.id, version, now, &change.who, &change.what).await?;
    for notice in tell::of_change(row, next, change, now, &deputies) {
        enqueue(&mut transaction, &desk.channels, &notice).await?;
    }
    transaction.commit().await?;
    Ok(true)
}

async fn write_decisions(
    transaction: &mut Transaction<'static, Any>,
    row: &RequestRow,
    next: &Standing,
    change: &Change,
) -> Result<(), StoreError> {
    for (at, decision) in next.decisions.iter().enumerate() {
        let number = i64::try_from(at).unwrap_or(i64::MAX);
        if let Some(before) = row.standing.decisions.get(at) {
            if decision.struck && !before.struck {
                let mut sql = Sql::new("update approval_decisions set struck = 1 where request_id = ");
                sql.text(row.id.as_str()).push(" and number = ").int(number);
                sql.run(&mut **transaction).await?;
            }
            continue;
        }
        let (decider, address) = change.decider.clone().unwrap_or_default();
        let (for_account, for_person) = match &decision.on_behalf_of {
            Some(other) => (Some(other.account.clone()), Some(other.person.clone())),
            None => (None, None),
        };
        let mut sql = Sql::new(
            "insert into approval_decisions (request_id, number, generation, user_id, account, person, verdict, counts, \
             decided_at, comment, digest, address, for_user_id, for_account, for_person, delegation_id, struck) values (",
        );
        sql.text(row.id.as_str()).push(", ").int(number).push(", ");
        sql.int(decision.generation.into())
            .push(", ")
            .text_or_none(decider.user.map(|user| user.to_string()))
            .push(", ");
        sql.text(&decision.account)
            .push(", ")
            .text(&decision.person)
            .push(", ");
        sql.text(match decision.verdict {
            Verdict::Approve => "approve",
            Verdict::Reject => "reject",
        })
        .push(", ");
        sql.text(json(&decision.counts))
            .push(", ")
            .int(decision.at.0)
            .push(", ")
            .text(&decision.comment)
            .push(", ")
            .text(&row.digest)
            .push(", ")
            .text(address)
            .push(", ")
            .text_or_none(decider.for_user.map(|user| user.to_string()))
            .push(", ")
            .text_or_none(for_account)
            .push(", ")
            .text_or_none(for_person)
            .push(", ")
            .text_or_none(decider.delegation.map(|id| id.to_string()))
            .push(", 0)");
        sql.run(&mut **transaction).await?;
    }
    Ok(())
}
