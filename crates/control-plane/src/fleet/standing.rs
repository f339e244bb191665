//! How the associations of nodes stand together: what lists of nodes say of each.

use super::seconds;
use crate::errors::ApiResult;
use muster_domain::Timestamp;
use muster_store::{RowExt, Sql};
use serde::Serialize;
use sqlx::AnyExecutor;
use std::collections::{BTreeMap, HashMap};

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Overview {
    detailed_status: &'static str,
    instance_association_status_aggregated_count: BTreeMap<String, i64>,
}

/// What a node has besides its own words, when anything is associated with it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Standing {
    association_status: &'static str,
    last_association_execution_date: f64,
    /// Of those that stand well now.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_successful_association_execution_date: Option<f64>,
    association_overview: Overview,
}

/// What the rows of one node say.
#[derive(Default)]
struct Gathered {
    counts: BTreeMap<String, i64>,
    last: Timestamp,
    good: Option<Timestamp>,
}

/// Failed before pending before done: what needs somebody first.
fn together(counts: &BTreeMap<String, i64>) -> &'static str {
    let has = |status: &str| counts.contains_key(status);
    if has("Failed") || has("TimedOut") {
        "Failed"
    } else if has("Pending") {
        "Pending"
    } else {
        "Success"
    }
}

/// How associations stand on these nodes; a node without any is not named.
pub(crate) async fn of_nodes(
    on: impl AnyExecutor<'_>,
    region: &str,
    nodes: &[String],
) -> ApiResult<HashMap<String, Standing>> {
    if nodes.is_empty() {
        return Ok(HashMap::new());
    }
    let mut sql = Sql::new(
        "select node_id, status, count(*) as n, max(execution_at) as at from ssm_association_nodes where region = ",
    );
    sql.text(region)
        .push(" and node_id in (")
        .texts(nodes)
        .push(") group by node_id, status");
    let mut gathered: HashMap<String, Gathered> = HashMap::new();
    for row in sql.all(on).await? {
        let (status, at) = (row.text("status")?, row.time("at")?);
        let of = gathered.entry(row.text("node_id")?).or_default();
        of.last = of.last.max(at);
        if status == "Success" {
            of.good = Some(at);
        }
        of.counts.insert(status, row.int("n")?);
    }
    let shown = |(node, of): (String, Gathered)| {
        let status = together(&of.counts);
        let standing = Standing {
            association_status: status,
            last_association_execution_date: seconds(of.last),
            last_successful_association_execution_date: of.good.map(seconds),
            association_overview: Overview {
                detailed_status: status,
                instance_association_status_aggregated_count: of.counts,
            },
        };
        (node, standing)
    };
    Ok(gathered.into_iter().map(shown).collect())
}
