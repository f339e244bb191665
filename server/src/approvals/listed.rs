//! Requests as lists show them: without what was asked for and without the plan, whose nodes can be thousands.

use crate::approvals::rows::{self, RequestRow};
use crate::approvals::together;
use muster_domain::Timestamp;
use muster_domain::approvals::{Act, Alike, Demand, Plan, Policies, Standing};
use muster_domain::ids::{NodeId, RequestId, UserId};
use muster_store::{Db, RowExt, Sql, StoreError};
use sqlx::any::AnyRow;
use std::collections::HashMap;

/// The columns that [`listed`] reads, of the table `approval_requests` with the alias `r`.
const COLUMNS: &str = "select r.request_id, r.number, r.act, r.title, r.requester_id, r.requester, r.requester_person, r.asked_at, \
     r.state, r.generation, r.waits_since, r.expires_at, r.usable_until, r.ended_at, r.reason, r.ticket, r.digest, r.demand, \
     r.nodes, r.in_production, r.glass_broken, r.review_due_at from approval_requests r where r.request_id in (";

/// What a list shows of a request.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    pub(super) id: RequestId,
    pub(super) number: i64,
    pub(super) act: Act,
    pub(super) title: String,
    pub(super) requester_id: Option<UserId>,
    pub(super) asked_at: Timestamp,
    pub(super) ended_at: Option<Timestamp>,
    pub(super) reason: String,
    pub(super) ticket: String,
    pub(super) digest: String,
    pub(super) standing: Standing,
    /// Whether its policies let it be approved together with others, as they were when it was asked for.
    pub(super) bulk: bool,
    /// How many its plan has.
    pub(super) nodes: u32,
    pub(super) in_production: u32,
    pub(super) review_due_at: Option<Timestamp>,
}

impl From<&RequestRow> for Listed {
    fn from(row: &RequestRow) -> Self {
        Self {
            id: row.id.clone(),
            number: row.number,
            act: row.act,
            title: row.title.clone(),
            requester_id: row.requester_id.clone(),
            asked_at: row.asked_at,
            ended_at: row.ended_at,
            reason: row.reason.clone(),
            ticket: row.ticket.clone(),
            digest: row.digest.clone(),
            standing: row.standing.clone(),
            bulk: row.demand.bulk,
            nodes: u32::try_from(row.plan.nodes.len()).unwrap_or(u32::MAX),
            in_production: row.in_production,
            review_due_at: row.review_due_at,
        }
    }
}

fn listed(row: &AnyRow) -> Result<Listed, StoreError> {
    let demand: Demand = rows::json(row, "demand")?;
    Ok(Listed {
        id: RequestId::new(row.text("request_id")?),
        number: row.int("number")?,
        act: rows::act(row)?,
        title: row.text("title")?,
        requester_id: row.text_or_none("requester_id")?.map(UserId::new),
        asked_at: row.time("asked_at")?,
        ended_at: row.time_or_none("ended_at")?,
        reason: row.text("reason")?,
        ticket: row.text("ticket")?,
        digest: row.text("digest")?,
        bulk: demand.bulk,
        standing: rows::standing(row, demand.tracks)?,
        nodes: u32::try_from(row.int("nodes")?).unwrap_or_default(),
        in_production: u32::try_from(row.int("in_production")?).unwrap_or_default(),
        review_due_at: row.time_or_none("review_due_at")?,
    })
}

/// The requests of these ids with their decisions and the people as the policies say now, in the order of the ids.
///
/// # Errors
/// When the database does not answer. The same holds for all others here.
pub(super) async fn by_ids(db: &Db, ids: &[String], policies: &Policies) -> Result<Vec<Listed>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = Sql::new(COLUMNS);
    sql.texts(ids).push(")");
    let mut found: HashMap<String, Listed> = HashMap::new();
    for row in &sql.all(db.reader()).await? {
        let row = listed(row)?;
        found.insert(row.id.to_string(), row);
    }
    let mut decisions = rows::decisions_of(db, ids).await?;
    Ok(ids
        .iter()
        .filter_map(|id| {
            let mut row = found.remove(id)?;
            let decided = decisions.remove(id).unwrap_or_default();
            row.standing.decisions = decided.into_iter().map(|(decision, _)| decision).collect();
            rows::people_as_of(&mut row.standing, policies);
            Some(row)
        })
        .collect())
}

/// By what each of these can be approved together with others. Plans are read of those only that policies let be.
pub(super) async fn alike(
    db: &Db,
    listed: &[Listed],
    policies: &Policies,
) -> Result<HashMap<RequestId, Alike>, StoreError> {
    let mut may: HashMap<String, &Listed> = listed
        .iter()
        .filter(|row| together::may_be(&row.standing, row.bulk, policies))
        .map(|row| (row.id.to_string(), row))
        .collect();
    if may.is_empty() {
        return Ok(HashMap::new());
    }
    let mut sql = Sql::new("select r.request_id, r.plan from approval_requests r where r.request_id in (");
    sql.texts(&may.keys().cloned().collect::<Vec<_>>()).push(")");
    let mut found = HashMap::new();
    for row in &sql.all(db.reader()).await? {
        let plan: Plan = rows::json(row, "plan")?;
        if let Some(request) = may.remove(&row.text("request_id")?)
            && let Some(alike) = together::of_plan(&plan, &request.digest)
        {
            found.insert(request.id.clone(), alike);
        }
    }
    Ok(found)
}

/// The nodes of the plans of these.
pub(super) async fn nodes_of(db: &Db, ids: &[String]) -> Result<HashMap<String, Vec<NodeId>>, StoreError> {
    let mut found: HashMap<String, Vec<NodeId>> = HashMap::new();
    if ids.is_empty() {
        return Ok(found);
    }
    let mut sql =
        Sql::new("select q.request_id, q.node_id from approval_request_nodes q where q.request_id in (");
    sql.texts(ids).push(")");
    for row in &sql.all(db.reader()).await? {
        let nodes = found.entry(row.text("request_id")?).or_default();
        nodes.push(NodeId::new(row.text("node_id")?));
    }
    Ok(found)
}
