//! The SQL that reads the log: acts, each with its outcome, newest first.

use crate::audit::row::Body;
use crate::fleet::queries::{decode_cursor, encode_cursor};
use muster_domain::action::Action;
use muster_domain::audit::{ActKind, AuditEntryView, AuditQuery, Outcome};
use muster_domain::ids::ActId;
use muster_domain::paging::{Page, clamp_limit};
use muster_store::sql::prefix_pattern;
use muster_store::{Db, RowExt, Sql, StoreError};
use sqlx::any::AnyRow;

fn body(row: &AnyRow, column: &str) -> Result<Option<Body>, StoreError> {
    Ok(row
        .text_or_none(column)?
        .and_then(|text| serde_json::from_str(&text).ok()))
}

fn view(row: &AnyRow) -> Result<AuditEntryView, StoreError> {
    let own = body(row, "body")?;
    let ended = body(row, "outcome_body")?;
    let phase = row.text("phase")?;
    let outcome = match &ended {
        Some(ended) => ended.outcome.clone(),
        None => row.text("outcome")?,
    };
    let mut detail = serde_json::Map::new();
    for (name, value) in own.iter().flat_map(|body| &body.detail) {
        detail.insert(name.clone(), value.clone());
    }
    if let Some(results) = ended.as_ref().filter(|ended| !ended.detail.is_empty()) {
        detail.insert("result".into(), serde_json::json!(results.detail));
    }
    let message = ended
        .as_ref()
        .or(own.as_ref())
        .map(|body| body.message.clone())
        .unwrap_or_default();
    Ok(AuditEntryView {
        sequence: row.int("sequence")?,
        act_id: ActId::new(row.text("act_id")?),
        at: row.time("at")?,
        actor: row.text("actor")?,
        action: row.text("action")?,
        resource: row.text("resource")?,
        address: row.text("address")?,
        via: row.text("via")?,
        user_agent: own.map(|body| body.user_agent).unwrap_or_default(),
        outcome: Outcome::parse(&outcome).unwrap_or(Outcome::Unknown),
        outcome_sequence: row.int_or_none("outcome_sequence")?.filter(|_| phase == "intent"),
        message,
        detail: serde_json::to_string_pretty(&detail).unwrap_or_default(),
        hash: row.text("hash")?,
    })
}

/// A page of acts.
///
/// # Errors
/// When the database does not answer.
pub async fn list(db: &Db, query: &AuditQuery) -> Result<Page<AuditEntryView>, StoreError> {
    let limit = clamp_limit(query.limit);
    let mut sql = Sql::new(
        "select a.sequence, a.act_id, a.phase, a.at, a.actor, a.action, a.resource, a.address, a.via, a.outcome, a.body, a.hash, \
         o.sequence as outcome_sequence, o.body as outcome_body from audit_log a left join audit_log o on a.phase = 'intent' \
         and o.act_id = a.act_id and o.phase = 'outcome' where a.phase <> 'outcome'",
    );
    let given = |text: &Option<String>| {
        text.as_deref()
            .map(str::trim)
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    if let Some(actor) = given(&query.actor) {
        sql.push(" and a.actor = ").text(actor);
    }
    if let Some(action) = given(&query.action) {
        if action.ends_with('.') {
            sql.push(" and a.action like ")
                .text(prefix_pattern(&action))
                .push(" escape '\\'");
        } else {
            sql.push(" and a.action = ").text(action);
        }
    }
    if let Some(resource) = given(&query.resource) {
        sql.push(" and lower(a.resource) like ")
            .text(prefix_pattern(&resource))
            .push(" escape '\\'");
    }
    if let Some(kind) = query.kind {
        let word = match kind {
            ActKind::Changes => " and a.action not in (",
            ActKind::Reads => " and a.action in (",
        };
        sql.push(word);
        let reads = Action::ALL.iter().filter(|action| action.is_read());
        for (place, action) in reads.enumerate() {
            if place > 0 {
                sql.push(", ");
            }
            sql.text(action.as_str());
        }
        sql.push(")");
    }
    if let Some(address) = given(&query.address) {
        sql.push(" and a.address = ").text(address);
    }
    match query.outcome {
        Some(Outcome::Unknown) => {
            sql.push(" and a.phase = 'intent' and o.sequence is null");
        }
        Some(outcome) => {
            sql.push(" and coalesce(o.outcome, a.outcome) = ")
                .text(outcome.as_str());
        }
        None => {}
    }
    if let Some(since) = query.since {
        sql.push(" and a.at >= ").int(since.0);
    }
    if let Some(until) = query.until {
        sql.push(" and a.at < ").int(until.0);
    }
    if let Some((sequence, _)) = query.cursor.as_ref().and_then(decode_cursor) {
        sql.push(" and a.sequence < ").int(sequence.parse().unwrap_or(0));
    }
    sql.push(" order by a.sequence desc limit ")
        .int(i64::from(limit) + 1);
    let mut items = Vec::new();
    for row in sql.all(db.reader()).await? {
        items.push(view(&row)?);
    }
    let more = items.len() > limit as usize;
    items.truncate(limit as usize);
    let next = items
        .last()
        .filter(|_| more)
        .map(|last| encode_cursor(&last.sequence.to_string(), ""));
    Ok(Page { items, next })
}
