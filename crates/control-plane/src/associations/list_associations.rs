//! `ListAssociations`.

use super::definition::Definition;
use super::queries::{AssociationRow, associations, associations_sql};
use super::shown::{Overview, overview_of};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::fleet::seconds;
use crate::operations::Call;
use crate::paging::page;
use crate::validation::{Member, NEXT_TOKEN, Shape, list, one_of, optional, required, text, whole};
use muster_domain::Timestamp;
use muster_store::Sql;
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[
    optional(
        "AssociationFilterList",
        list(
            1,
            usize::MAX,
            &Shape::Record(&[
                required(
                    "key",
                    one_of(&[
                        "InstanceId",
                        "Name",
                        "AssociationId",
                        "AssociationStatusName",
                        "LastExecutedBefore",
                        "LastExecutedAfter",
                        "AssociationName",
                        "ResourceGroupName",
                        "CloudConnectorId",
                    ]),
                ),
                required("value", text(1, usize::MAX)),
            ]),
        ),
    ),
    optional("MaxResults", whole(1, 50)),
    optional("NextToken", NEXT_TOKEN),
];

#[derive(Debug, Deserialize)]
struct Filter {
    key: String,
    value: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    association_filter_list: Option<Vec<Filter>>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    #[serde(flatten)]
    definition: Definition,
    association_id: String,
    association_version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_execution_date: Option<f64>,
    overview: Overview,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    associations: Vec<Listed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// What the database is asked; the name and the state of an association stand in what is read.
fn add_filter(sql: &mut Sql, filter: &Filter) -> ApiResult<()> {
    let time = || {
        Timestamp::parse(&filter.value).ok_or_else(|| {
            ApiError::validation(format!(
                "The filter {} needs a time of the form 2026-11-23T09:41:07Z.",
                filter.key
            ))
        })
    };
    match filter.key.as_str() {
        "Name" => {
            sql.push(" and a.document = ").text(&filter.value);
        }
        "AssociationId" => {
            sql.push(" and a.association_id = ").text(&filter.value);
        }
        "InstanceId" => {
            sql.push(" and exists (select 1 from ssm_association_nodes n where n.region = a.region and n.node_id = ");
            sql.text(&filter.value)
                .push(" and n.association_id = a.association_id)");
        }
        "LastExecutedBefore" => {
            sql.push(" and a.last_execution_at < ").int(time()?.0);
        }
        "LastExecutedAfter" => {
            sql.push(" and a.last_execution_at > ").int(time()?.0);
        }
        "ResourceGroupName" | "CloudConnectorId" => {
            // There are none here, so nothing is of one.
            sql.push(" and 1 = 0");
        }
        _ => {}
    }
    Ok(())
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let filters = input.association_filter_list.unwrap_or_default();
    let mut sql = associations_sql();
    sql.push("a.region = ").text(&call.region);
    for filter in &filters {
        add_filter(&mut sql, filter)?;
    }
    let question: Vec<(&str, &str)> = filters
        .iter()
        .map(|filter| (filter.key.as_str(), filter.value.as_str()))
        .collect();
    let scope = format!("ListAssociations|{}|{question:?}", call.region);
    if let Some(token) = input.next_token.as_deref().filter(|token| !token.is_empty()) {
        let position = plane.tokens.open(&scope, token)?;
        sql.push(" and a.association_id > ")
            .text(position.first().cloned().unwrap_or_default());
    }
    let limit = input.max_results.unwrap_or(50);
    sql.push(" order by a.association_id limit ")
        .int(limit as i64 + 1);
    let rows = associations(sql, plane.db.reader()).await?;
    // The service counts before it filters: a page may be short.
    let (rows, next_token) = page(&plane.tokens, &scope, rows, limit, |row| {
        vec![row.association_id.clone()]
    });
    let wanted = |key: &str| {
        let of_key = filters.iter().filter(move |filter| filter.key == key);
        of_key.map(|filter| filter.value.clone()).collect::<Vec<_>>()
    };
    let (names, states) = (wanted("AssociationName"), wanted("AssociationStatusName"));
    let mut listed = Vec::with_capacity(rows.len());
    for row in rows {
        let name = row.definition.association_name.clone().unwrap_or_default();
        if !names.iter().all(|wanted| *wanted == name) {
            continue;
        }
        let overview = overview_of(plane, &row).await?;
        if states.iter().all(|wanted| wanted == overview.status) {
            listed.push(shown(row, overview));
        }
    }
    Ok(Output {
        associations: listed,
        next_token,
    })
}

/// Only what the service tells in lists.
fn shown(row: AssociationRow, overview: Overview) -> Listed {
    let whole = row.definition;
    Listed {
        definition: Definition {
            targets: Some(whole.all_targets()),
            name: whole.name,
            instance_id: whole.instance_id,
            document_version: whole.document_version,
            schedule_expression: whole.schedule_expression,
            association_name: whole.association_name,
            schedule_offset: whole.schedule_offset,
            duration: whole.duration,
            ..Definition::default()
        },
        association_id: row.association_id,
        association_version: row.version.to_string(),
        last_execution_date: row.last_execution_at.map(seconds),
        overview,
    }
}
