//! Requests as rows: what is read from the database and what is written there.

use muster_domain::Timestamp;
use muster_domain::approvals::{
    Act, Decision, Demand, Party, Plan, Policies, ProposedAct, RequestState, Standing, Track, Verdict,
};
use muster_domain::ids::{DelegationId, RequestId, UserId};
use muster_store::{Db, RowExt, Sql, StoreError};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use std::collections::HashMap;

/// What came of looking at an act for which the glass was broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewRecord {
    /// Who looked.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Whether it was right to do.
    pub was_right: bool,
    /// What was found.
    pub comment: String,
}

/// The accounts behind a decision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decider {
    /// Whose account decided.
    pub user: Option<UserId>,
    /// For whose account, where they stood in for somebody.
    pub for_user: Option<UserId>,
    /// By which delegation.
    pub delegation: Option<DelegationId>,
}

/// A request, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestRow {
    /// `CR-1042`.
    pub id: RequestId,
    /// 1042.
    pub number: i64,
    /// Grows by one with every change: who changes a request says which version they saw.
    pub version: i64,
    /// How it stands.
    pub standing: Standing,
    /// The accounts behind the decisions, in their order.
    pub deciders: Vec<Decider>,
    /// What the policies ask for.
    pub demand: Demand,
    /// Which act.
    pub act: Act,
    /// One line that says what it is.
    pub title: String,
    /// Whose account asked.
    pub requester_id: Option<UserId>,
    /// From which address.
    pub address: String,
    /// When.
    pub asked_at: Timestamp,
    /// Not before this time.
    pub not_before: Option<Timestamp>,
    /// When the portal does what was approved.
    pub runs_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Why.
    pub reason: String,
    /// The ticket.
    pub ticket: String,
    /// What was asked for, as it was typed.
    pub proposed: ProposedAct,
    /// What will run where.
    pub plan: Plan,
    /// SHA-256 of the plan's canonical bytes, hexadecimal.
    pub digest: String,
    /// What changed the last time.
    pub changed: Vec<String>,
    /// Nodes in production.
    pub in_production: u32,
    /// Until when a broken glass has to be reviewed, while it is not.
    pub review_due_at: Option<Timestamp>,
    /// What came of the review.
    pub review: Option<ReviewRecord>,
    /// The id of what was done: a command's, a session's; empty before.
    pub outcome_id: String,
    /// Why it failed; empty when it did not.
    pub problem: String,
    /// When somebody was reminded.
    pub reminded_at: Option<Timestamp>,
}

impl RequestRow {
    /// The same with the people behind the accounts as the policies say now: who is found to be one person with the
    /// requester later does not decide either.
    #[must_use]
    pub fn as_of(mut self, policies: &Policies) -> Self {
        people_as_of(&mut self.standing, policies);
        self
    }
}

/// Sets the people behind the accounts as the policies say now.
pub(super) fn people_as_of(standing: &mut Standing, policies: &Policies) {
    standing.requester_person = policies.person(&standing.requester);
    for decision in &mut standing.decisions {
        decision.person = policies.person(&decision.account);
        if let Some(other) = &mut decision.on_behalf_of {
            other.person = policies.person(&other.account);
        }
    }
}

/// Who decided, and for whom: `bob`, `bob on behalf of alice`.
pub(super) fn said_by(decision: &Decision) -> String {
    match &decision.on_behalf_of {
        Some(other) => format!("{} on behalf of {}", decision.account, other.account),
        None => decision.account.clone(),
    }
}

/// The columns that [`request`] reads, of the table `approval_requests` with the alias `r`.
const COLUMNS: &str = "select r.request_id, r.number, r.act, r.title, r.requester_id, r.requester, r.requester_person, r.address, \
     r.asked_at, r.state, r.generation, r.version, r.waits_since, r.expires_at, r.usable_until, r.not_before, r.runs_at, \
     r.ended_at, r.reason, r.ticket, r.proposed, r.plan, r.digest, r.changed, r.demand, r.in_production, \
     r.glass_broken, r.review_due_at, r.review, r.outcome_id, r.problem, r.reminded_at from approval_requests r";

/// Selects requests of the connection of `db`; what else must hold is added with `and`.
#[must_use]
pub fn of(db: &Db) -> Sql {
    let mut sql = Sql::new(COLUMNS);
    sql.push(" where ").within("r.connection_id", db);
    sql
}

/// A column that holds JSON.
pub(super) fn json<T: DeserializeOwned>(row: &AnyRow, column: &str) -> Result<T, StoreError> {
    serde_json::from_str(&row.text(column)?).map_err(|error| StoreError::Column {
        column: column.to_owned(),
        message: error.to_string(),
    })
}

fn unknown(column: &str, value: &str) -> StoreError {
    StoreError::Column {
        column: column.to_owned(),
        message: format!("{value:?} is none of its words"),
    }
}

/// Which act.
///
/// # Errors
/// When a column holds what it cannot. The same holds for the next.
pub(super) fn act(row: &AnyRow) -> Result<Act, StoreError> {
    let act = row.text("act")?;
    Act::parse(&act).ok_or_else(|| unknown("act", &act))
}

/// How a request stands, but for the decisions.
pub(super) fn standing(row: &AnyRow, tracks: Vec<Track>) -> Result<Standing, StoreError> {
    let state = row.text("state")?;
    Ok(Standing {
        state: RequestState::parse(&state).ok_or_else(|| unknown("state", &state))?,
        generation: u32::try_from(row.int("generation")?).unwrap_or(u32::MAX),
        requester: row.text("requester")?,
        requester_person: row.text("requester_person")?,
        tracks,
        decisions: Vec::new(),
        waits_since: row.time("waits_since")?,
        expires_at: row.time("expires_at")?,
        usable_until: row.time_or_none("usable_until")?,
        glass_broken: row.flag("glass_broken")?,
    })
}

/// A request without its decisions.
///
/// # Errors
/// When a column holds what it cannot.
pub fn request(row: &AnyRow) -> Result<RequestRow, StoreError> {
    let demand: Demand = json(row, "demand")?;
    let review = row
        .text_or_none("review")?
        .map(|text| serde_json::from_str(&text))
        .transpose()
        .map_err(|error| StoreError::Column {
            column: "review".into(),
            message: error.to_string(),
        })?;
    Ok(RequestRow {
        id: RequestId::new(row.text("request_id")?),
        number: row.int("number")?,
        version: row.int("version")?,
        standing: standing(row, demand.tracks.clone())?,
        deciders: Vec::new(),
        demand,
        act: act(row)?,
        title: row.text("title")?,
        requester_id: row.text_or_none("requester_id")?.map(UserId::new),
        address: row.text("address")?,
        asked_at: row.time("asked_at")?,
        not_before: row.time_or_none("not_before")?,
        runs_at: row.time_or_none("runs_at")?,
        ended_at: row.time_or_none("ended_at")?,
        reason: row.text("reason")?,
        ticket: row.text("ticket")?,
        proposed: json(row, "proposed")?,
        plan: json(row, "plan")?,
        digest: row.text("digest")?,
        changed: json(row, "changed")?,
        in_production: u32::try_from(row.int("in_production")?).unwrap_or_default(),
        review_due_at: row.time_or_none("review_due_at")?,
        review,
        outcome_id: row.text("outcome_id")?,
        problem: row.text("problem")?,
        reminded_at: row.time_or_none("reminded_at")?,
    })
}

/// The decisions on these requests, each in their order.
///
/// # Errors
/// When the database does not answer. The same holds for all others here.
pub(super) async fn decisions_of(
    db: &Db,
    ids: &[String],
) -> Result<HashMap<String, Vec<(Decision, Decider)>>, StoreError> {
    let mut sql = Sql::new(
        "select request_id, generation, user_id, account, person, for_user_id, for_account, for_person, delegation_id, verdict, \
         counts, decided_at, comment, struck from approval_decisions where request_id in (",
    );
    sql.texts(ids).push(") order by request_id, number");
    let mut found: HashMap<String, Vec<(Decision, Decider)>> = HashMap::new();
    for row in sql.all(db.reader()).await? {
        let verdict = row.text("verdict")?;
        let decision = Decision {
            generation: u32::try_from(row.int("generation")?).unwrap_or(u32::MAX),
            account: row.text("account")?,
            person: row.text("person")?,
            on_behalf_of: match (row.text_or_none("for_account")?, row.text_or_none("for_person")?) {
                (Some(account), Some(person)) => Some(Party { account, person }),
                _ => None,
            },
            verdict: match verdict.as_str() {
                "approve" => Verdict::Approve,
                "reject" => Verdict::Reject,
                _ => return Err(unknown("verdict", &verdict)),
            },
            counts: json(&row, "counts")?,
            at: row.time("decided_at")?,
            comment: row.text("comment")?,
            struck: row.flag("struck")?,
        };
        let decider = Decider {
            user: row.text_or_none("user_id")?.map(UserId::new),
            for_user: row.text_or_none("for_user_id")?.map(UserId::new),
            delegation: row.text_or_none("delegation_id")?.map(DelegationId::new),
        };
        found
            .entry(row.text("request_id")?)
            .or_default()
            .push((decision, decider));
    }
    Ok(found)
}

/// Reads the decisions of some requests into them.
///
/// # Errors
/// When the database does not answer.
pub async fn with_decisions(db: &Db, mut rows: Vec<RequestRow>) -> Result<Vec<RequestRow>, StoreError> {
    if rows.is_empty() {
        return Ok(rows);
    }
    let ids: Vec<String> = rows.iter().map(|row| row.id.to_string()).collect();
    let mut found = decisions_of(db, &ids).await?;
    for row in &mut rows {
        for (decision, decider) in found.remove(row.id.as_str()).unwrap_or_default() {
            row.standing.decisions.push(decision);
            row.deciders.push(decider);
        }
    }
    Ok(rows)
}

/// One request.
///
/// # Errors
/// When the database does not answer.
pub async fn get(db: &Db, id: &RequestId) -> Result<Option<RequestRow>, StoreError> {
    // No id has one, and PostgreSQL would not even look.
    if id.as_str().contains('\0') {
        return Ok(None);
    }
    let mut sql = of(db);
    sql.push(" and r.request_id = ").text(id.as_str());
    match sql.first(db.reader()).await? {
        None => Ok(None),
        Some(row) => Ok(with_decisions(db, vec![request(&row)?]).await?.pop()),
    }
}

/// The request whose act became this, if one did.
///
/// # Errors
/// When the database does not answer.
pub async fn of_outcome(db: &Db, outcome_id: &str) -> Result<Option<RequestRow>, StoreError> {
    let mut sql = of(db);
    sql.push(" and r.outcome_id = ").text(outcome_id).push(" limit 1");
    match sql.first(db.reader()).await? {
        Some(row) if !outcome_id.is_empty() => Ok(with_decisions(db, vec![request(&row)?]).await?.pop()),
        _ => Ok(None),
    }
}
