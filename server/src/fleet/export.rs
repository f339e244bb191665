//! The fleet as a file: every node that matches when it begins, each once, read in pieces and streamed.

use crate::fleet::queries;
use bytes::Bytes;
use futures::Stream;
use muster_domain::Timestamp;
use muster_domain::fleet::{FleetQuery, NodeSummary};
use muster_domain::ids::NodeId;
use muster_domain::permission::Scope;
use muster_store::{Db, StoreError};
use std::collections::HashMap;

/// Nodes read and sent at a time.
const AT_ONCE: usize = 200;

/// The kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For spreadsheets.
    Csv,
    /// One JSON object a line.
    JsonLines,
}

/// A cell of a CSV file. A spreadsheet must not take it for a formula.
#[must_use]
pub fn csv_cell(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        "'"
    } else {
        ""
    };
    if guard.is_empty() && !text.contains(['"', ',', '\n', '\r']) {
        return text.to_owned();
    }
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

const HEADER: &str = "node_id,name,computer_name,status,last_ping_at,platform,platform_version,agent_version,address,tags,as_of\r\n";

fn line(format: Format, node: &NodeSummary) -> String {
    if format == Format::JsonLines {
        let mut text = serde_json::json!({
            "node_id": node.node_id,
            "name": node.name,
            "computer_name": node.computer_name,
            "status": node.ping_status.as_str(),
            "last_ping_at": node.last_ping_at.map(Timestamp::rfc3339),
            "platform": node.platform_name,
            "platform_version": node.platform_version,
            "agent_version": node.agent_version,
            "address": node.ip_address,
            "tags": node.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect::<std::collections::BTreeMap<_, _>>(),
            "as_of": node.synced_at.rfc3339(),
        })
        .to_string();
        text.push('\n');
        return text;
    }
    let tags: Vec<String> = node
        .tags
        .iter()
        .map(|tag| format!("{}={}", tag.key, tag.value))
        .collect();
    let cells = [
        node.node_id.to_string(),
        node.name.clone(),
        node.computer_name.clone(),
        node.ping_status.as_str().to_owned(),
        node.last_ping_at.map(Timestamp::rfc3339).unwrap_or_default(),
        node.platform_name.clone(),
        node.platform_version.clone(),
        node.agent_version.clone(),
        node.ip_address.clone(),
        tags.join(" "),
        node.synced_at.rfc3339(),
    ];
    let cells: Vec<String> = cells.iter().map(|cell| csv_cell(cell)).collect();
    format!("{}\r\n", cells.join(","))
}

struct State {
    db: Db,
    query: FleetQuery,
    scopes: Vec<Scope>,
    now: Timestamp,
    format: Format,
    /// Who is still to be written, once that is known.
    left: Option<std::vec::IntoIter<NodeId>>,
}

/// The file's bytes. Which nodes it holds, and in which order, is settled by one query at its beginning: a node that is
/// renamed meanwhile, and so changes its place in the list, is neither left out nor written twice.
pub fn stream(
    db: Db,
    query: FleetQuery,
    scopes: Vec<Scope>,
    now: Timestamp,
    format: Format,
) -> impl Stream<Item = Result<Bytes, StoreError>> {
    let state = State {
        db,
        query,
        scopes,
        now,
        format,
        left: None,
    };
    futures::stream::try_unfold(state, |mut state| async move {
        let mut text = String::new();
        let left = match &mut state.left {
            Some(left) => left,
            none => {
                if state.format == Format::Csv {
                    text.push_str(HEADER);
                }
                let ids = queries::matching_ids(&state.db, &state.query, &state.scopes, state.now).await?;
                none.insert(ids.into_iter())
            }
        };
        let ids: Vec<NodeId> = left.by_ref().take(AT_ONCE).collect();
        let found = queries::by_ids(&state.db, &ids, &state.scopes).await?;
        let mut found: HashMap<NodeId, NodeSummary> = found
            .into_iter()
            .map(|node| (node.node_id.clone(), node))
            .collect();
        for node in ids.iter().filter_map(|id| found.remove(id)) {
            text.push_str(&line(state.format, &node));
        }
        // The header is sent also where no node matches.
        Ok((!ids.is_empty() || !text.is_empty()).then(|| (Bytes::from(text), state)))
    })
}

#[cfg(test)]
mod tests {
    use super::csv_cell;

    #[test]
    fn cells_are_quoted_and_never_formulas() {
        assert_eq!(csv_cell("web-1"), "web-1");
        assert_eq!(csv_cell("=cmd|' /C calc'!A0"), "\"'=cmd|' /C calc'!A0\"");
        assert_eq!(csv_cell("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(csv_cell("+1"), "\"'+1\"");
    }
}
