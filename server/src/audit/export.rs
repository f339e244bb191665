//! The log as a file: every act that matches, read in pages and streamed.

use crate::audit::queries;
use crate::fleet::export::{Format, csv_cell};
use bytes::Bytes;
use futures::Stream;
use muster_domain::audit::{AuditEntryView, AuditQuery};
use muster_domain::paging::MAX_LIMIT;
use muster_store::{Db, StoreError};

const HEADER: &str = "sequence,at,actor,action,resource,outcome,message,address,via,user_agent,detail,act_id,outcome_sequence,hash\r\n";

/// One act as a line of the file.
#[must_use]
pub fn line(format: Format, entry: &AuditEntryView) -> String {
    let compact = serde_json::from_str::<serde_json::Value>(&entry.detail).unwrap_or_default();
    if format == Format::JsonLines {
        let mut text = serde_json::json!({
            "sequence": entry.sequence,
            "at": entry.at.rfc3339(),
            "actor": entry.actor,
            "action": entry.action,
            "resource": entry.resource,
            "outcome": entry.outcome.as_str(),
            "message": entry.message,
            "address": entry.address,
            "via": entry.via,
            "user_agent": entry.user_agent,
            "detail": compact,
            "act_id": entry.act_id,
            "outcome_sequence": entry.outcome_sequence,
            "hash": entry.hash,
        })
        .to_string();
        text.push('\n');
        return text;
    }
    let cells = [
        entry.sequence.to_string(),
        entry.at.rfc3339(),
        entry.actor.clone(),
        entry.action.clone(),
        entry.resource.clone(),
        entry.outcome.as_str().to_owned(),
        entry.message.clone(),
        entry.address.clone(),
        entry.via.clone(),
        entry.user_agent.clone(),
        compact.to_string(),
        entry.act_id.to_string(),
        entry
            .outcome_sequence
            .map(|sequence| sequence.to_string())
            .unwrap_or_default(),
        entry.hash.clone(),
    ];
    let cells: Vec<String> = cells.iter().map(|cell| csv_cell(cell)).collect();
    format!("{}\r\n", cells.join(","))
}

/// The file's bytes, newest act first.
pub fn stream(db: Db, query: AuditQuery, format: Format) -> impl Stream<Item = Result<Bytes, StoreError>> {
    let query = AuditQuery {
        cursor: None,
        limit: Some(MAX_LIMIT),
        ..query
    };
    futures::stream::try_unfold((db, Some(query), true), move |(db, query, first)| async move {
        let Some(query) = query else { return Ok(None) };
        let page = queries::list(&db, &query).await?;
        let mut text = if first && format == Format::Csv {
            HEADER.to_owned()
        } else {
            String::new()
        };
        for entry in &page.items {
            text.push_str(&line(format, entry));
        }
        let next = page.next.map(|cursor| AuditQuery {
            cursor: Some(cursor),
            ..query
        });
        Ok(Some((Bytes::from(text), (db, next, false))))
    })
}
