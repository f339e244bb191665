//! The nodes that a query means, page by page.

use super::query::{INSTANCE_TYPE, TagQuery};
use super::shapes::{inward, outward};
use crate::control_plane::ControlPlane;
use crate::ec2::instance_ids;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::paging::page;
use muster_store::{RowExt, Sql};
use serde::Serialize;

/// A resource as it is answered.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Identifier {
    resource_arn: String,
    resource_type: &'static str,
}

/// A page of them, and the token of the next one.
pub(crate) async fn page_of(
    plane: &ControlPlane,
    call: &Call,
    query: &TagQuery,
    kind: &'static str,
    (scope, limit, token): (&str, Option<usize>, Option<String>),
) -> ApiResult<(Vec<Identifier>, Option<String>)> {
    let scope = format!("{scope}|{}|{kind}|{query:?}", call.region);
    let after = plane.tokens.after(&scope, inward(token).as_deref())?;
    let limit = limit.unwrap_or(50);
    let mut sql = Sql::new("select n.node_id from ssm_nodes n where n.region = ");
    sql.text(&call.region).push(" and n.node_id > ").text(&after);
    sql.push(" and (");
    query.push(&mut sql);
    sql.push(") order by n.node_id limit ")
        .int(i64::try_from(limit + 1).unwrap_or(i64::MAX));
    let rows = sql.all(plane.db.reader()).await?;
    let ids: Vec<String> = rows
        .iter()
        .map(|row| row.text("node_id"))
        .collect::<Result<_, _>>()?;
    let (ids, token) = page(&plane.tokens, &scope, ids, limit, |id| vec![id.clone()]);
    let (region, account) = (&call.region, &plane.config.account);
    let arn = |id: &String| {
        if kind == INSTANCE_TYPE {
            format!(
                "arn:aws:ec2:{region}:{account}:instance/{}",
                instance_ids::shown(id)
            )
        } else {
            format!("arn:aws:ssm:{region}:{account}:managed-instance/{id}")
        }
    };
    let all = ids
        .iter()
        .map(|id| Identifier {
            resource_arn: arn(id),
            resource_type: kind,
        })
        .collect();
    Ok((all, outward(token)))
}
