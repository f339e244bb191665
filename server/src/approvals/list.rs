//! Lists of requests: what waits for somebody, one's own, all that are open, and what is over.

use crate::approvals::delegations::StandIn;
use crate::approvals::people;
use crate::approvals::rows::{self, RequestRow};
use crate::approvals::service::ApprovalService;
use crate::error::store;
use crate::fleet::filter_sql::push_scopes;
use crate::fleet::queries::{decode_cursor, encode_cursor};
use muster_domain::approvals::{RequestQuery, RequestSummary, Tab, Voter, WaitingCount};
use muster_domain::paging::{Page, clamp_limit};
use muster_domain::permission::Scope;
use muster_domain::{Actor, PortalError, Timestamp};
use muster_store::sql::contains_pattern;
use muster_store::{Db, Sql, StoreError};
use std::collections::BTreeSet;

/// What waits for somebody is counted up to here.
const MAX_COUNTED: u32 = 100;
/// Rows of a panel.
const FIRST: usize = 5;
/// Pages that are looked through for one page of what somebody can decide.
const MAX_ROUNDS: usize = 20;

/// Adds the condition that a request is the actor's own, or about nodes that are all within `scopes`.
pub(super) fn push_visible(sql: &mut Sql, actor: &Actor, scopes: &[Scope]) {
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

/// Whether a list is in the order of what expires first; else the newest comes first.
const fn by_expiry(tab: Tab) -> bool {
    matches!(tab, Tab::Waiting | Tab::All)
}

struct Asked<'a> {
    person: &'a str,
    names: &'a BTreeSet<String>,
    now: Timestamp,
}

/// One page, and one row more where there is one.
async fn page(
    db: &Db,
    actor: &Actor,
    query: &RequestQuery,
    asked: &Asked<'_>,
    scopes: &[Scope],
    after: Option<(String, String)>,
    limit: u32,
) -> Result<Vec<RequestRow>, StoreError> {
    let mut sql = Sql::new(rows::COLUMNS);
    sql.push(" where ");
    push_visible(&mut sql, actor, scopes);
    match query.tab {
        Tab::Waiting => {
            // A request that was done with a broken glass is over, and waits for its review.
            sql.push(
                " and (r.is_open = 1 or r.review_due_at is not null) and r.request_id in (select a.request_id from \
                 approval_asked a where a.from_at <= ",
            )
            .int(asked.now.0)
            .push(" and a.name in (")
            .texts(&asked.names.iter().cloned().collect::<Vec<_>>())
            .push(")) and r.requester_person <> ")
            .text(asked.person);
        }
        Tab::All => {
            sql.push(" and r.is_open = 1");
        }
        Tab::History => {
            sql.push(" and r.is_open = 0");
        }
        Tab::Mine => {
            let own = actor.user_id.as_ref().map_or("", |user| user.as_str());
            sql.push(" and r.requester_id = ").text(own);
        }
    }
    push_filter(&mut sql, query);
    let number = |text: &str| text.parse::<i64>().unwrap_or_default();
    if by_expiry(query.tab) {
        if let Some((expires, last)) = after {
            sql.push(" and (r.expires_at, r.number) > (")
                .int(number(&expires))
                .push(", ")
                .int(number(&last))
                .push(")");
        }
        sql.push(" order by r.expires_at, r.number limit ");
    } else {
        if let Some((_, last)) = after {
            sql.push(" and r.number < ").int(number(&last));
        }
        sql.push(" order by r.number desc limit ");
    }
    sql.int(i64::from(limit) + 1);
    let found = sql.all(db.reader()).await?;
    let requests = found.iter().map(rows::request).collect::<Result<Vec<_>, _>>()?;
    rows::with_decisions(db, requests).await
}

impl ApprovalService {
    /// As whom the actor can speak on each of these requests: looked up once where all their roles hold everywhere.
    async fn voters_for(
        &self,
        actor: &Actor,
        stand_ins: &[StandIn],
        row: &RequestRow,
        policies: &muster_domain::approvals::Policies,
        everywhere: &mut Option<Vec<Voter>>,
    ) -> Result<Vec<Voter>, PortalError> {
        let mut grants = stand_ins
            .iter()
            .flat_map(|one| &one.from.grants)
            .chain(&actor.grants);
        if !grants.all(|grant| grant.scope == Scope::All) {
            return self.voters(actor, stand_ins, row, policies).await;
        }
        if let Some(voters) = everywhere {
            return Ok(voters.clone());
        }
        let voters = self.voters(actor, stand_ins, row, policies).await?;
        *everywhere = Some(voters.clone());
        Ok(voters)
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
        let mut everywhere = None;
        let mut items = Vec::new();
        // What somebody is asked for by name may still not be theirs: not on these nodes, or decided on already. So pages
        // are looked through until one is full.
        for _ in 0..MAX_ROUNDS {
            let mut found = page(&self.db, actor, query, &asked, scopes, after.clone(), limit)
                .await
                .map_err(store)?;
            let is_more = found.len() > limit as usize;
            found.truncate(limit as usize);
            let mut full = None;
            for row in found {
                let row = row.as_of(policies);
                after = Some((row.standing.expires_at.0.to_string(), row.number.to_string()));
                let voters = self
                    .voters_for(actor, &stand_ins, &row, policies, &mut everywhere)
                    .await?;
                let summary = self.summary(actor, &row, &voters, policies);
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
