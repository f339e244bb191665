//! By what nodes are found, as SQL: what `DescribeInstanceInformation` and `DescribeInstanceProperties` share. Nodes
//! are `n`; each filter becomes one condition.

use crate::errors::{ApiError, ApiResult};
use crate::validation::is_instance_id;
use muster_store::Sql;
use muster_store::sql::prefix_pattern;

/// What the service calls machines that were registered with an activation.
pub(crate) const RESOURCE_TYPE: &str = "ManagedInstance";
/// The same as a source.
pub(crate) const SOURCE_TYPE: &str = "AWS::SSM::ManagedInstance";

const FAILED: &str = "exists (select 1 from ssm_association_nodes a where a.region = n.region \
                      and a.node_id = n.node_id and a.status in ('Failed', 'TimedOut'))";
const PENDING: &str = "exists (select 1 from ssm_association_nodes a where a.region = n.region \
                       and a.node_id = n.node_id and a.status = 'Pending')";
const ANY: &str = "exists (select 1 from ssm_association_nodes a where a.region = n.region \
                   and a.node_id = n.node_id)";

/// How the associations of a node stand together, as `super::standing` says it.
fn association_status(sql: &mut Sql, values: &[String]) {
    sql.push("(1 = 0");
    for value in values {
        match value.as_str() {
            "Failed" => {
                sql.push(" or ").push(FAILED);
            }
            "Pending" => {
                sql.push(" or (not ").push(FAILED);
                sql.push(" and ").push(PENDING).push(")");
            }
            "Success" => {
                sql.push(" or (not ").push(FAILED);
                sql.push(" and not ").push(PENDING);
                sql.push(" and ").push(ANY).push(")");
            }
            _ => {}
        }
    }
    sql.push(")");
}

/// Adds the condition that a filter by `key` makes. `invalid_value` is the error for a value that cannot be.
pub(crate) fn add(
    sql: &mut Sql,
    key: &str,
    values: &[String],
    online_since: i64,
    invalid_value: &'static str,
) -> ApiResult<()> {
    let has = |word: &str| values.iter().any(|value| value == word);
    let sure = |is: bool| if is { "1 = 1" } else { "1 = 0" };
    if let Some(key) = key.strip_prefix("tag:") {
        sql.push("exists (select 1 from ssm_tags t where t.resource_type = 'ManagedInstance'");
        sql.push(" and t.resource_id = n.node_id and t.tag_key = ")
            .text(key);
        sql.push(" and t.tag_value in (").texts(values).push("))");
        return Ok(());
    }
    let column = match key {
        "tag-key" => {
            sql.push("exists (select 1 from ssm_tags t where t.resource_type = 'ManagedInstance'");
            sql.push(" and t.resource_id = n.node_id and t.tag_key in (")
                .texts(values)
                .push("))");
            return Ok(());
        }
        "InstanceIds" => {
            if let Some(bad) = values.iter().find(|value| !is_instance_id(value)) {
                return Err(ApiError::new(
                    "InvalidInstanceId",
                    format!("{bad} is not a valid instance ID"),
                ));
            }
            column(key)
        }
        "SourceIds" => Some("n.node_id"),
        "PingStatus" => {
            if values
                .iter()
                .any(|v| !matches!(v.as_str(), "Online" | "ConnectionLost" | "Inactive"))
            {
                return Err(ApiError::new(
                    invalid_value,
                    "PingStatus is one of Online, ConnectionLost, Inactive.",
                ));
            }
            match (has("Online"), has("ConnectionLost")) {
                (true, false) => sql.push("n.last_ping_at >= ").int(online_since),
                (false, true) => sql.push("n.last_ping_at < ").int(online_since),
                (both, _) => sql.push(sure(both)),
            };
            return Ok(());
        }
        "ResourceType" => {
            sql.push(sure(has(RESOURCE_TYPE)));
            return Ok(());
        }
        "SourceType" => {
            sql.push(sure(has(SOURCE_TYPE)));
            return Ok(());
        }
        "AssociationStatus" => {
            association_status(sql, values);
            return Ok(());
        }
        "DocumentName" => {
            sql.push(
                "exists (select 1 from ssm_association_nodes a, ssm_associations s where a.region = n.region \
                 and a.node_id = n.node_id and s.region = a.region and s.association_id = a.association_id \
                 and s.document in (",
            );
            sql.texts(values).push("))");
            return Ok(());
        }
        other => column(other),
    };
    let column = column.ok_or_else(|| ApiError::bare("InvalidFilterKey"))?;
    sql.push(column).push(" in (").texts(values).push(")");
    Ok(())
}

/// The column behind a key that is a text of the node's own.
fn column(key: &str) -> Option<&'static str> {
    Some(match key {
        "InstanceIds" => "n.node_id",
        "AgentVersion" => "n.agent_version",
        "PlatformTypes" => "n.platform_type",
        "ActivationIds" => "n.activation_id",
        "IamRole" => "n.iam_role",
        _ => return None,
    })
}

/// Adds the condition that the text behind `key` begins with one of the values.
pub(crate) fn add_begin(sql: &mut Sql, key: &str, values: &[String]) -> ApiResult<()> {
    let column = column(key).ok_or_else(|| {
        ApiError::validation(format!(
            "The filter {key} does not know the operator BeginWith: use it with InstanceIds, AgentVersion, \
             PlatformTypes, ActivationIds or IamRole."
        ))
    })?;
    sql.push("(1 = 0");
    for value in values {
        sql.push(" or lower(")
            .push(column)
            .push(") like ")
            .text(prefix_pattern(value))
            .push(" escape '\\'");
    }
    sql.push(")");
    Ok(())
}
