//! Lists of requests: what waits for somebody, one's own, all that are open, and what is over.

use crate::approvals::delegations::StandIn;
use crate::approvals::listed;
use crate::approvals::people;
use crate::approvals::rows::RequestRow;
use crate::approvals::service::ApprovalService;
use crate::error::store;
use crate::fleet::filter_sql::push_scopes;
use crate::fleet::queries::{decode_cursor, encode_cursor};
use muster_domain::approvals::{Policies, RequestQuery, RequestSummary, Tab, Voter, WaitingCount};
use muster_domain::ids::NodeId;
use muster_domain::paging::{Page, clamp_limit};
use muster_domain::permission::Scope;
use muster_domain::{Actor, PortalError, Timestamp};
use muster_store::sql::contains_pattern;
use muster_store::{Db, RowExt, Sql, StoreError};
use std::collections::{BTreeSet, HashMap};

/// What waits for somebody is counted up to here.
const MAX_COUNTED: u32 = 100;
/// Rows of a panel.
const FIRST: usize = 5;
/// Pages that are looked through for one page of what somebody can decide.
const MAX_ROUNDS: usize = 20;

/// Adds the condition that a request is of the connection of `db`, and the actor's own or about nodes that are all within
/// `scopes`.
pub(super) fn push_visible(sql: &mut Sql, db: &Db, actor: &Actor, scopes: &[Scope]) {
    sql.within("r.connection_id", db).push(" and ");
    if scopes.contains(&Scope::All) {
        sql.push("1 = 1");
        return;
    }
    sql.push("(");
    if let Some(user) = &actor.user_id {
        sql.push("r.requester_id = ").text(user.as_str()).push(" or ");
    }
    // All of its nodes: half a plan would say what is nobody's business here.
    sql.push(
        "(exists (select 1 from approval_request_nodes q where q.request_id = r.request_id) and not exists (select 1 from \
         approval_request_nodes q left join nodes n on n.node_id = q.node_id where q.request_id = r.request_id and \
         (n.node_id is null or not ",
    );
    push_scopes(sql, scopes);
    sql.push("))))");
}

/// Whether a request is about nodes that are all within `scopes`.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn may_see(db: &Db, row: &RequestRow, scopes: &[Scope]) -> Result<bool, PortalError> {
    if scopes.contains(&Scope::All) {
        return Ok(true);
    }
    if row.plan.nodes.is_empty() {
        return Ok(false);
    }
    let mut sql = Sql::new(
        "select 1 as hidden from approval_request_nodes q left join nodes n on n.node_id = q.node_id where q.request_id = ",
    );
    sql.text(row.id.as_str()).push(" and (n.node_id is null or not ");
    push_scopes(&mut sql, scopes);
    sql.push(") limit 1");
    Ok(sql.first(db.reader()).await.map_err(store)?.is_none())
}

fn push_filter(sql: &mut Sql, query: &RequestQuery) {
    if let Some(state) = query.state {
        sql.push(" and r.state = ").text(state.as_str());
    }
    if let Some(act) = query.act {
        sql.push(" and r.act = ").text(act.as_str());
    }
    if !query.text.trim().is_empty() {
        // Nothing has a NUL in it, and PostgreSQL would not even look.
        sql.push(" and r.search like ")
            .text(contains_pattern(&query.text.trim().replace('\0', "\u{fffd}")))
            .push(" escape '\\'");
    }
}

struct Asked<'a> {
    person: &'a str,
    names: &'a BTreeSet<String>,
    now: Timestamp,
}

/// Whether a request may be among those of the list: what the actor may see, of this tab, as filtered.
fn push_listed(
    sql: &mut Sql,
    db: &Db,
    actor: &Actor,
    query: &RequestQuery,
    asked: &Asked<'_>,
    scopes: &[Scope],
) {
    push_visible(sql, db, actor, scopes);
    match query.tab {
        Tab::Waiting => {
            sql.push(" and exists (select 1 from approval_asked a where a.request_id = r.request_id and a.from_at <= ")
                .int(asked.now.0)
                .push(" and a.name in (")
                .texts(&asked.names.iter().cloned().collect::<Vec<_>>())
                .push(")) and r.requester_person <> ")
                .text(asked.person);
        }
        Tab::All | Tab::History => {}
        Tab::Mine => {
            let own = actor.user_id.as_ref().map_or("", |user| user.as_str());
            sql.push(" and r.requester_id = ").text(own);
        }
    }
    push_filter(sql, query);
}

/// Where a page begins: after this time of expiry and this number.
type After = Option<(String, String)>;

/// The ids of one page, and one more where there is one. Found by themselves, since whole requests are wide.
async fn page(
    db: &Db,
    actor: &Actor,
    query: &RequestQuery,
    asked: &Asked<'_>,
    scopes: &[Scope],
    after: &After,
    limit: u32,
) -> Result<Vec<String>, StoreError> {
    let number = |text: &str| text.parse::<i64>().unwrap_or_default();
    let limit = i64::from(limit) + 1;
    let by_expiry = |sql: &mut Sql, of: &'static str| {
        sql.push("select r.request_id, r.expires_at, r.number from approval_requests r where ")
            .push(of)
            .push(" and ");
        push_listed(sql, db, actor, query, asked, scopes);
        if let Some((expires, last)) = after {
            sql.push(" and (r.expires_at, r.number) > (")
                .int(number(expires))
                .push(", ")
                .int(number(last))
                .push(")");
        }
        sql.push(" order by r.expires_at, r.number limit ").int(limit);
    };
    let mut sql = Sql::new("");
    match query.tab {
        Tab::Waiting => {
            // A request that was done with a broken glass is over, and waits for its review. Two indexes: the first is read
            // in its order no further than the page goes, the second holds few. `<>` keeps the index of what is over out.
            sql.push("select request_id from (select request_id, expires_at, number from (");
            by_expiry(&mut sql, "r.is_open = 1");
            sql.push(") open union all select request_id, expires_at, number from (");
            by_expiry(&mut sql, "r.is_open <> 1 and r.review_due_at > 0");
            sql.push(") reviewed) of_both order by expires_at, number limit ")
                .int(limit);
        }
        Tab::All => by_expiry(&mut sql, "r.is_open = 1"),
        Tab::History | Tab::Mine => {
            sql.push("select r.request_id from approval_requests r where ");
            if query.tab == Tab::History {
                sql.push("r.is_open = 0 and ");
            }
            push_listed(&mut sql, db, actor, query, asked, scopes);
            if let Some((_, last)) = after {
                sql.push(" and r.number < ").int(number(last));
            }
            sql.push(" order by r.number desc limit ").int(limit);
        }
    }
    let found = sql.all(db.reader()).await?;
    found.iter().map(|row| row.text("request_id")).collect()
}

/// As whom the actor can speak: on every request the same where all roles hold everywhere, else by its nodes.
enum Speaks {
    Everywhere(Vec<Voter>),
    ByNodes(HashMap<String, Vec<NodeId>>),
}

impl ApprovalService {
    async fn speaks(
        &self,
        actor: &Actor,
        stand_ins: &[StandIn],
        ids: &[String],
        policies: &Policies,
    ) -> Result<Speaks, PortalError> {
        let mut grants = stand_ins
            .iter()
            .flat_map(|one| &one.from.grants)
            .chain(&actor.grants);
        if grants.all(|grant| grant.scope == Scope::All) {
            let voters = self.voters(actor, stand_ins, &[], policies).await?;
            return Ok(Speaks::Everywhere(voters));
        }
        let nodes = listed::nodes_of(&self.db, ids).await.map_err(store)?;
        Ok(Speaks::ByNodes(nodes))
    }

    pub(super) async fn list_inner(
        &self,
        actor: &Actor,
        query: &RequestQuery,
        scopes: &[Scope],
    ) -> Result<Page<RequestSummary>, PortalError> {
        let limit = clamp_limit(query.limit);
        let loaded = self.gate.book.current().await.map_err(store)?;
        let policies = &loaded.policies;
        let person = policies.person(&actor.name);
        let mut names = people::names(actor, policies);
        let stand_ins = self.stand_ins(actor).await?;
        for one in &stand_ins {
            names.extend(people::names(&one.from, policies));
        }
        let asked = Asked {
            person: &person,
            names: &names,
            now: self.clock.now(),
        };
        let mut after = query.cursor.as_ref().and_then(decode_cursor);
        let mut items = Vec::new();
        // What somebody is asked for by name may still not be theirs: not on these nodes, or decided on already. So pages
        // are looked through until one is full.
        for _ in 0..MAX_ROUNDS {
            let mut ids = page(&self.db, actor, query, &asked, scopes, &after, limit)
                .await
                .map_err(store)?;
            let is_more = ids.len() > limit as usize;
            ids.truncate(limit as usize);
            let found = listed::by_ids(&self.db, &ids, policies).await.map_err(store)?;
            let mut alike = listed::alike(&self.db, &found, policies).await.map_err(store)?;
            let speaks = self.speaks(actor, &stand_ins, &ids, policies).await?;
            let mut full = None;
            for row in found {
                after = Some((row.standing.expires_at.0.to_string(), row.number.to_string()));
                let by_nodes;
                let voters = match &speaks {
                    Speaks::Everywhere(voters) => voters,
                    Speaks::ByNodes(nodes) => {
                        let nodes = nodes.get(row.id.as_str()).map_or(&[][..], Vec::as_slice);
                        by_nodes = self.voters(actor, &stand_ins, nodes, policies).await?;
                        &by_nodes
                    }
                };
                let summary = self.summary(actor, &row, voters, alike.remove(&row.id));
                if query.tab != Tab::Waiting || summary.waits_for_me {
                    items.push(summary);
                    if items.len() >= limit as usize {
                        full = after.clone();
                        break;
                    }
                }
            }
            let cursor = |at: &Option<(String, String)>| {
                at.as_ref()
                    .map(|(expires, number)| encode_cursor(expires, number))
            };
            if full.is_some() {
                let next = if is_more || full != after {
                    cursor(&full)
                } else {
                    None
                };
                return Ok(Page { items, next });
            }
            if !is_more {
                return Ok(Page { items, next: None });
            }
            if query.tab != Tab::Waiting {
                return Ok(Page {
                    items,
                    next: cursor(&after),
                });
            }
        }
        let next = after.map(|(expires, number)| encode_cursor(&expires, &number));
        Ok(Page { items, next })
    }

    pub(super) async fn waiting_inner(
        &self,
        actor: &Actor,
        scopes: &[Scope],
    ) -> Result<WaitingCount, PortalError> {
        let query = RequestQuery {
            limit: Some(MAX_COUNTED),
            ..RequestQuery::default()
        };
        let page = self.list_inner(actor, &query, scopes).await?;
        Ok(WaitingCount {
            count: u32::try_from(page.items.len()).unwrap_or(u32::MAX),
            first: page.items.into_iter().take(FIRST).collect(),
        })
    }
}
