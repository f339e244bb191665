//! SQL of the fleet: activations and nodes. Nothing else touches these tables.

use crate::errors::{ApiError, ApiResult};
use muster_domain::Timestamp;
use muster_store::{RowExt, Sql, StoreError};
use sqlx::AnyExecutor;
use sqlx::any::AnyRow;

/// A registered node.
#[derive(Clone, Debug)]
pub(crate) struct NodeRow {
    pub(crate) node_id: String,
    pub(crate) region: String,
    pub(crate) activation_id: String,
    pub(crate) iam_role: String,
    pub(crate) name: String,
    pub(crate) fingerprint: String,
    pub(crate) public_key: String,
    pub(crate) public_key_type: String,
    pub(crate) registered_at: Timestamp,
    pub(crate) last_ping_at: Timestamp,
    pub(crate) agent_version: String,
    pub(crate) platform_type: String,
    pub(crate) platform_name: String,
    pub(crate) platform_version: String,
    pub(crate) computer_name: String,
    pub(crate) ip_address: String,
    /// How it can take a snapshot of itself: `command`, `btrfs` or `lvm`; empty where it cannot.
    pub(crate) snapshots: String,
}

impl NodeRow {
    fn read(row: &AnyRow) -> Result<Self, StoreError> {
        Ok(Self {
            node_id: row.text("node_id")?,
            region: row.text("region")?,
            activation_id: row.text("activation_id")?,
            iam_role: row.text("iam_role")?,
            name: row.text("name")?,
            fingerprint: row.text("fingerprint")?,
            public_key: row.text("public_key")?,
            public_key_type: row.text("public_key_type")?,
            registered_at: row.time("registered_at")?,
            last_ping_at: row.time("last_ping_at")?,
            agent_version: row.text("agent_version")?,
            platform_type: row.text("platform_type")?,
            platform_name: row.text("platform_name")?,
            platform_version: row.text("platform_version")?,
            computer_name: row.text("computer_name")?,
            ip_address: row.text("ip_address")?,
            snapshots: row.text("snapshots")?,
        })
    }

    /// What people call it.
    pub(crate) fn label(&self) -> String {
        if self.name.is_empty() {
            self.computer_name.clone()
        } else {
            self.name.clone()
        }
    }
}

const NODE_COLUMNS: &str = "select n.node_id, n.region, n.activation_id, n.iam_role, n.name, n.fingerprint, \
     n.public_key, n.public_key_type, n.registered_at, n.last_ping_at, n.agent_version, n.platform_type, \
     n.platform_name, n.platform_version, n.computer_name, n.ip_address, n.snapshots from ssm_nodes n ";

/// Begins a query for nodes; conditions speak of the table as `n`.
pub(crate) fn nodes_sql() -> Sql {
    Sql::new(NODE_COLUMNS)
}

pub(crate) async fn nodes(sql: Sql, on: impl AnyExecutor<'_>) -> ApiResult<Vec<NodeRow>> {
    let rows = sql.all(on).await?;
    Ok(rows.iter().map(NodeRow::read).collect::<Result<_, _>>()?)
}

pub(crate) async fn node(on: impl AnyExecutor<'_>, node_id: &str) -> ApiResult<Option<NodeRow>> {
    let mut sql = nodes_sql();
    sql.push("where n.node_id = ").text(node_id);
    Ok(sql.first(on).await?.map(|row| NodeRow::read(&row)).transpose()?)
}

pub(crate) async fn insert_node(on: impl AnyExecutor<'_>, node: &NodeRow) -> ApiResult<()> {
    let mut sql = Sql::new(
        "insert into ssm_nodes (node_id, region, activation_id, iam_role, name, fingerprint, public_key, \
         public_key_type, registered_at, last_ping_at, agent_name, agent_version, platform_type, platform_name, \
         platform_version, computer_name, ip_address) values (",
    );
    for text in [
        &node.node_id,
        &node.region,
        &node.activation_id,
        &node.iam_role,
        &node.name,
        &node.fingerprint,
        &node.public_key,
        &node.public_key_type,
    ] {
        sql.text(text.as_str()).push(", ");
    }
    sql.int(node.registered_at.0).push(", ").int(node.last_ping_at.0);
    sql.push(", '', '', '', '', '', '', '')");
    sql.run(on).await?;
    Ok(())
}

pub(crate) async fn delete_node(on: impl AnyExecutor<'_>, region: &str, node_id: &str) -> ApiResult<u64> {
    let mut sql = Sql::new("delete from ssm_nodes where node_id = ");
    sql.text(node_id).push(" and region = ").text(region);
    Ok(sql.run(on).await?)
}

/// What a node says of itself. Members that it leaves out stay as they are.
pub(crate) struct Report {
    pub(crate) agent_name: String,
    pub(crate) agent_version: String,
    pub(crate) platform_type: String,
    pub(crate) platform_name: Option<String>,
    pub(crate) platform_version: Option<String>,
    pub(crate) computer_name: Option<String>,
    pub(crate) ip_address: Option<String>,
    pub(crate) snapshots: Option<String>,
}

pub(crate) async fn report(
    on: impl AnyExecutor<'_>,
    node_id: &str,
    report: Report,
    now: Timestamp,
) -> ApiResult<()> {
    let mut sql = Sql::new("update ssm_nodes set last_ping_at = ");
    sql.int(now.0).push(", agent_name = ").text(report.agent_name);
    sql.push(", agent_version = ").text(report.agent_version);
    sql.push(", platform_type = ").text(report.platform_type);
    for (column, value) in [
        (", platform_name = ", report.platform_name),
        (", platform_version = ", report.platform_version),
        (", computer_name = ", report.computer_name),
        (", ip_address = ", report.ip_address),
        (", snapshots = ", report.snapshots),
    ] {
        if let Some(value) = value {
            sql.push(column).text(value);
        }
    }
    sql.push(" where node_id = ").text(node_id);
    sql.run(on).await?;
    Ok(())
}

pub(crate) async fn pinged(on: impl AnyExecutor<'_>, node_id: &str, now: Timestamp) -> ApiResult<()> {
    let mut sql = Sql::new("update ssm_nodes set last_ping_at = ");
    sql.int(now.0).push(" where node_id = ").text(node_id);
    sql.run(on).await?;
    Ok(())
}

pub(crate) async fn set_public_key(
    on: impl AnyExecutor<'_>,
    node_id: &str,
    kind: &str,
    key: &str,
) -> ApiResult<()> {
    let mut sql = Sql::new("update ssm_nodes set public_key_type = ");
    sql.text(kind).push(", public_key = ").text(key);
    sql.push(" where node_id = ").text(node_id);
    sql.run(on).await?;
    Ok(())
}

/// An activation. The code itself is not kept, only its hash.
#[derive(Clone, Debug)]
pub(crate) struct ActivationRow {
    pub(crate) activation_id: String,
    pub(crate) region: String,
    pub(crate) code_hash: String,
    pub(crate) description: String,
    pub(crate) default_instance_name: String,
    pub(crate) iam_role: String,
    pub(crate) registration_limit: i64,
    pub(crate) registrations: i64,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

impl ActivationRow {
    fn read(row: &AnyRow) -> ApiResult<Self> {
        Ok(Self {
            activation_id: row.text("activation_id")?,
            region: row.text("region")?,
            code_hash: row.text("code_hash")?,
            description: row.text("description")?,
            default_instance_name: row.text("default_instance_name")?,
            iam_role: row.text("iam_role")?,
            registration_limit: row.int("registration_limit")?,
            registrations: row.int("registrations")?,
            tags: serde_json::from_str(&row.text("tags")?).map_err(ApiError::internal)?,
            created_at: row.time("created_at")?,
            expires_at: row.time("expires_at")?,
        })
    }
}

/// Begins a query for activations.
pub(crate) fn activations_sql() -> Sql {
    Sql::new(
        "select activation_id, region, code_hash, description, default_instance_name, iam_role, registration_limit, \
         registrations, tags, created_at, expires_at from ssm_activations ",
    )
}

pub(crate) async fn activations(sql: Sql, on: impl AnyExecutor<'_>) -> ApiResult<Vec<ActivationRow>> {
    sql.all(on).await?.iter().map(ActivationRow::read).collect()
}

pub(crate) async fn activation(on: impl AnyExecutor<'_>, id: &str) -> ApiResult<Option<ActivationRow>> {
    let mut sql = activations_sql();
    sql.push("where activation_id = ").text(id);
    sql.first(on)
        .await?
        .map(|row| ActivationRow::read(&row))
        .transpose()
}

pub(crate) async fn insert_activation(on: impl AnyExecutor<'_>, row: &ActivationRow) -> ApiResult<()> {
    let mut sql = Sql::new(
        "insert into ssm_activations (activation_id, region, code_hash, description, default_instance_name, iam_role, \
         tags, registration_limit, registrations, created_at, expires_at) values (",
    );
    let tags = serde_json::to_string(&row.tags).map_err(ApiError::internal)?;
    for text in [
        &row.activation_id,
        &row.region,
        &row.code_hash,
        &row.description,
        &row.default_instance_name,
        &row.iam_role,
        &tags,
    ] {
        sql.text(text.as_str()).push(", ");
    }
    sql.int(row.registration_limit).push(", ").int(row.registrations);
    sql.push(", ")
        .int(row.created_at.0)
        .push(", ")
        .int(row.expires_at.0)
        .push(")");
    sql.run(on).await?;
    Ok(())
}

/// Takes one registration from an activation, when it has one left. In one statement: two nodes that
/// register at once cannot both take the last one.
pub(crate) async fn take_registration(on: impl AnyExecutor<'_>, id: &str, now: Timestamp) -> ApiResult<bool> {
    let mut sql = Sql::new(
        "update ssm_activations set registrations = registrations + 1 where registrations < registration_limit",
    );
    sql.push(" and activation_id = ").text(id);
    sql.push(" and expires_at > ").int(now.0);
    Ok(sql.run(on).await? == 1)
}

pub(crate) async fn delete_activation(on: impl AnyExecutor<'_>, region: &str, id: &str) -> ApiResult<u64> {
    let mut sql = Sql::new("delete from ssm_activations where activation_id = ");
    sql.text(id).push(" and region = ").text(region);
    Ok(sql.run(on).await?)
}
