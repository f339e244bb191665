//! The SQL of the fleet.

use crate::fleet::filter_sql::{push_scopes, push_where};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use muster_domain::Timestamp;
use muster_domain::fleet::{Facet, FleetQuery, FleetSort, NodeSummary, PingStatus, Tag};
use muster_domain::fleet_filter::FleetFilter;
use muster_domain::ids::{ConnectionId, NodeId};
use muster_domain::paging::{Cursor, Page, clamp_limit};
use muster_domain::permission::Scope;
use muster_store::{Db, RowExt, Sql, StoreError};
use sqlx::any::AnyRow;
use std::collections::{HashMap, HashSet};

const COLUMNS: &str = "select n.connection_id, n.node_id, n.name, n.sort_name, n.computer_name, n.ping_status, n.last_ping_at, n.platform_type, \
     n.platform_name, n.platform_version, n.agent_version, n.ip_address, n.resource_type, n.activation_id, n.iam_role, \
     n.registered_at, n.synced_at from nodes n";

/// A node's row with what only its own page shows.
#[derive(Clone, Debug)]
pub struct NodeRow {
    /// The row as lists show it; tags are filled in apart.
    pub summary: NodeSummary,
    /// `ManagedInstance` or `EC2Instance`.
    pub resource_type: String,
    /// The activation it joined with.
    pub activation_id: Option<String>,
    /// Its role.
    pub iam_role: Option<String>,
    /// When it joined.
    pub registered_at: Option<Timestamp>,
}

fn row(row: &AnyRow) -> Result<NodeRow, StoreError> {
    Ok(NodeRow {
        summary: NodeSummary {
            node_id: NodeId::new(row.text("node_id")?),
            name: row.text("name")?,
            computer_name: row.text("computer_name")?,
            ping_status: PingStatus::parse(&row.text("ping_status")?),
            last_ping_at: row.time_or_none("last_ping_at")?,
            platform_type: row.text("platform_type")?,
            platform_name: row.text("platform_name")?,
            platform_version: row.text("platform_version")?,
            agent_version: row.text("agent_version")?,
            ip_address: row.text("ip_address")?,
            tags: Vec::new(),
            connection_id: ConnectionId::new(row.text("connection_id")?),
            synced_at: row.time("synced_at")?,
        },
        resource_type: row.text("resource_type")?,
        activation_id: row.text_or_none("activation_id")?,
        iam_role: row.text_or_none("iam_role")?,
        registered_at: row.time_or_none("registered_at")?,
    })
}

/// The expression that a list is ordered by; always followed by the node's id.
const fn order(sort: FleetSort) -> &'static str {
    match sort {
        FleetSort::Name => "n.sort_name",
        FleetSort::Status => "n.ping_status",
        FleetSort::Platform => "n.sort_platform",
        FleetSort::Agent => "n.agent_version",
        FleetSort::Address => "n.ip_address",
        FleetSort::LastPing => "n.sort_ping",
    }
}

fn sort_key(sort: FleetSort, node: &NodeSummary) -> String {
    match sort {
        FleetSort::Name => node.name.to_lowercase(),
        FleetSort::Status => node.ping_status.as_str().to_owned(),
        FleetSort::Platform => format!("{} {}", node.platform_name, node.platform_version),
        FleetSort::Agent => node.agent_version.clone(),
        FleetSort::Address => node.ip_address.clone(),
        FleetSort::LastPing => node.last_ping_at.map_or(0, |at| at.0).to_string(),
    }
}

/// Writes a place in a list as a cursor.
#[must_use]
pub fn encode_cursor(key: &str, id: &str) -> Cursor {
    Cursor(URL_SAFE_NO_PAD.encode(serde_json::json!([key, id]).to_string()))
}

/// Reads a cursor; one that is not ours is as good as none.
#[must_use]
pub fn decode_cursor(cursor: &Cursor) -> Option<(String, String)> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(&cursor.0).ok()?).ok()
}

/// A page of nodes.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    db: &Db,
    query: &FleetQuery,
    scopes: &[Scope],
    now: Timestamp,
) -> Result<Page<NodeSummary>, StoreError> {
    let limit = clamp_limit(query.limit);
    let mut sql = Sql::new(COLUMNS);
    push_where(&mut sql, db, &query.filter, scopes, now);
    let column = order(query.sort);
    if let Some((key, id)) = query.cursor.as_ref().and_then(decode_cursor) {
        sql.push(" and (").push(column).push(if query.descending {
            ", n.node_id) < ("
        } else {
            ", n.node_id) > ("
        });
        if query.sort == FleetSort::LastPing {
            sql.int(key.parse().unwrap_or_default());
        } else {
            sql.text(key);
        }
        sql.push(", ").text(id).push(")");
    }
    push_order(&mut sql, query);
    sql.push(" limit ").int(i64::from(limit) + 1);
    let mut items = Vec::new();
    for found in sql.all(db.reader()).await? {
        items.push(row(&found)?.summary);
    }
    let more = items.len() > limit as usize;
    items.truncate(limit as usize);
    let next = items
        .last()
        .filter(|_| more)
        .map(|last| encode_cursor(&sort_key(query.sort, last), last.node_id.as_str()));
    add_tags(db, &mut items).await?;
    Ok(Page { items, next })
}

/// The ids of all nodes that match, each once, in the query's order; its page and limit are left aside.
///
/// # Errors
/// When the database does not answer.
pub async fn matching_ids(
    db: &Db,
    query: &FleetQuery,
    scopes: &[Scope],
    now: Timestamp,
) -> Result<Vec<NodeId>, StoreError> {
    let mut sql = Sql::new("select n.node_id from nodes n");
    push_where(&mut sql, db, &query.filter, scopes, now);
    push_order(&mut sql, query);
    let mut seen = HashSet::new();
    let mut ids = Vec::new();
    for found in sql.all(db.reader()).await? {
        let id = NodeId::new(found.text("node_id")?);
        if seen.insert(id.clone()) {
            ids.push(id);
        }
    }
    Ok(ids)
}

fn push_order(sql: &mut Sql, query: &FleetQuery) {
    let direction = if query.descending { " desc" } else { "" };
    sql.push(" order by ")
        .push(order(query.sort))
        .push(direction)
        .push(", n.node_id")
        .push(direction);
}

/// Fills in the tags of these nodes, in one query for each 200.
///
/// # Errors
/// When the database does not answer.
pub async fn add_tags(db: &Db, nodes: &mut [NodeSummary]) -> Result<(), StoreError> {
    for part in nodes.chunks_mut(200) {
        let ids: Vec<String> = part.iter().map(|node| node.node_id.to_string()).collect();
        if ids.is_empty() {
            continue;
        }
        // By both halves of the key: by the node alone the whole table would be read.
        let mut sql = Sql::new("select connection_id, node_id, tag_key, tag_value from node_tags where ");
        sql.within("connection_id", db)
            .push(" and node_id in (")
            .texts(&ids)
            .push(") order by connection_id, node_id, tag_key");
        let mut by_node: HashMap<(String, String), Vec<Tag>> = HashMap::new();
        for found in sql.all(db.reader()).await? {
            by_node
                .entry((found.text("connection_id")?, found.text("node_id")?))
                .or_default()
                .push(Tag {
                    key: found.text("tag_key")?,
                    value: found.text("tag_value")?,
                });
        }
        for node in part {
            let key = (node.connection_id.to_string(), node.node_id.to_string());
            node.tags = by_node.remove(&key).unwrap_or_default();
        }
    }
    Ok(())
}

/// How many nodes match, and how many of them do not report.
///
/// # Errors
/// When the database does not answer.
pub async fn count(
    db: &Db,
    filter: &FleetFilter,
    scopes: &[Scope],
    now: Timestamp,
) -> Result<(u64, u64), StoreError> {
    let mut sql = Sql::new(
        "select count(*) as nodes, coalesce(sum(case when n.ping_status = 'Online' then 0 else 1 end), 0) as silent from nodes n",
    );
    push_where(&mut sql, db, filter, scopes, now);
    let found = sql.one(db.reader()).await?;
    Ok((
        found.int("nodes")?.unsigned_abs(),
        found.int("silent")?.unsigned_abs(),
    ))
}

/// When the fleet was last copied.
///
/// # Errors
/// When the database does not answer.
pub async fn synced_at(db: &Db) -> Result<Option<Timestamp>, StoreError> {
    let mut sql = Sql::new("select synced_at as at from connections where ");
    sql.within("connection_id", db);
    let row = sql.first(db.reader()).await?;
    row.map_or(Ok(None), |row| row.time_or_none("at"))
}

/// One node within the scopes.
///
/// # Errors
/// When the database does not answer.
pub async fn get(db: &Db, node: &NodeId, scopes: &[Scope]) -> Result<Option<NodeRow>, StoreError> {
    let mut sql = Sql::new(COLUMNS);
    sql.push(" where n.node_id = ").text(node.as_str()).push(" and ");
    sql.within("n.connection_id", db).push(" and ");
    push_scopes(&mut sql, scopes);
    let Some(found) = sql.first(db.reader()).await? else {
        return Ok(None);
    };
    let mut node = row(&found)?;
    add_tags(db, std::slice::from_mut(&mut node.summary)).await?;
    Ok(Some(node))
}

/// Nodes by id within the scopes, with tags, in order of name.
///
/// # Errors
/// When the database does not answer.
pub async fn by_ids(db: &Db, ids: &[NodeId], scopes: &[Scope]) -> Result<Vec<NodeSummary>, StoreError> {
    let mut nodes = Vec::new();
    for part in ids.chunks(500) {
        let ids: Vec<String> = part.iter().map(ToString::to_string).collect();
        let mut sql = Sql::new(COLUMNS);
        sql.push(" where n.node_id in (").texts(&ids).push(") and ");
        sql.within("n.connection_id", db).push(" and ");
        push_scopes(&mut sql, scopes);
        for found in sql.all(db.reader()).await? {
            nodes.push(row(&found)?.summary);
        }
    }
    add_tags(db, &mut nodes).await?;
    nodes.sort_by_cached_key(|node| (node.name.to_lowercase(), node.node_id.to_string()));
    Ok(nodes)
}

/// All nodes that match, with tags, at most `limit`.
///
/// # Errors
/// When the database does not answer.
pub async fn matching(
    db: &Db,
    filter: &FleetFilter,
    scopes: &[Scope],
    now: Timestamp,
    limit: u32,
) -> Result<Vec<NodeSummary>, StoreError> {
    let mut sql = Sql::new(COLUMNS);
    push_where(&mut sql, db, filter, scopes, now);
    sql.push(" order by n.sort_name, n.node_id limit ")
        .int(i64::from(limit));
    let mut nodes = Vec::new();
    for found in sql.all(db.reader()).await? {
        nodes.push(row(&found)?.summary);
    }
    add_tags(db, &mut nodes).await?;
    Ok(nodes)
}

/// Properties and the values that occur among nodes within the scopes.
///
/// # Errors
/// When the database does not answer.
pub async fn facets(db: &Db, scopes: &[Scope]) -> Result<Vec<Facet>, StoreError> {
    // One walk over the nodes for all three: their combinations are few.
    let mut sql = Sql::new(
        "select n.ping_status, n.sort_platform as platform, n.agent_version, count(*) as nodes \
         from nodes n where ",
    );
    sql.within("n.connection_id", db).push(" and ");
    push_scopes(&mut sql, scopes);
    sql.push(" group by 1, 2, 3");
    let mut found: [HashMap<String, u64>; 3] = Default::default();
    for row in sql.all(db.reader()).await? {
        let nodes = row.int("nodes")?.unsigned_abs();
        for (column, values) in ["ping_status", "platform", "agent_version"]
            .iter()
            .zip(&mut found)
        {
            *values.entry(row.text(column)?).or_default() += nodes;
        }
    }
    let mut facets = Vec::new();
    for (property, values) in ["status", "platform", "agent"].iter().zip(found) {
        let mut values: Vec<(String, u64)> = values.into_iter().collect();
        values.sort_by(|(a, nodes_a), (b, nodes_b)| nodes_b.cmp(nodes_a).then_with(|| a.cmp(b)));
        values.truncate(50);
        facets.push(Facet {
            property: (*property).to_owned(),
            values,
        });
    }
    let mut sql = Sql::new("select g.tag_key, g.tag_value, count(*) as nodes from node_tags g where ");
    sql.within("g.connection_id", db).push(" and ");
    if !scopes.contains(&Scope::All) {
        sql.push("exists (select 1 from nodes n where n.connection_id = g.connection_id and n.node_id = g.node_id and ");
        push_scopes(&mut sql, scopes);
        sql.push(") and ");
    }
    sql.push("1 = 1 group by 1, 2 order by 1, 3 desc, 2 limit 2000");
    for found in sql.all(db.reader()).await? {
        let property = format!("tag:{}", found.text("tag_key")?);
        let value = (found.text("tag_value")?, found.int("nodes")?.unsigned_abs());
        match facets.last_mut().filter(|facet| facet.property == property) {
            Some(facet) if facet.values.len() >= 50 => {}
            Some(facet) => facet.values.push(value),
            None => facets.push(Facet {
                property,
                values: vec![value],
            }),
        }
    }
    Ok(facets)
}

/// Writes the tags of a node into the portal's copy, in place of those it had.
///
/// # Errors
/// When the database does not answer.
pub async fn replace_tags(
    db: &Db,
    connection: &ConnectionId,
    node: &NodeId,
    tags: &[Tag],
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut transaction = db.begin().await?;
    let mut sql = Sql::new("delete from node_tags where connection_id = ");
    sql.text(connection.as_str())
        .push(" and node_id = ")
        .text(node.as_str());
    sql.run(&mut *transaction).await?;
    for tag in tags {
        let mut sql = Sql::new("insert into node_tags (connection_id, node_id, tag_key, tag_value) values (");
        sql.text(connection.as_str())
            .push(", ")
            .text(node.as_str())
            .push(", ");
        sql.text(&tag.key).push(", ").text(&tag.value).push(")");
        sql.run(&mut *transaction).await?;
    }
    // A Name tag is what people call the node.
    let mut sql = Sql::new("update nodes set tags_synced_at = ");
    sql.int(now.0);
    if let Some(name) = tags.iter().find(|tag| tag.key == "Name" && !tag.value.is_empty()) {
        sql.push(", name = ")
            .text(&name.value)
            .push(", sort_name = ")
            .text(name.value.to_lowercase());
    }
    sql.push(" where connection_id = ")
        .text(connection.as_str())
        .push(" and node_id = ")
        .text(node.as_str());
    sql.run(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(())
}
