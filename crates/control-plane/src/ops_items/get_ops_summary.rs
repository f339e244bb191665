//! `GetOpsSummary`: OpsItems, or nodes with what they have of a type, or how many OpsItems have which values. It counts
//! before it filters, so a page may be short.

use super::queries::{OpsItemRow, items, items_sql};
use crate::control_plane::ControlPlane;
use crate::data_sync::queries as data_syncs;
use crate::errors::{ApiError, ApiResult};
use crate::fleet::queries::{nodes, nodes_sql};
use crate::inventory::get_inventory::type_of;
use crate::inventory::list_inventory_entries::{Entry, Filter};
use crate::inventory::node_data::NodeData;
use crate::operations::Call;
use crate::paging::page;
use crate::validation::{
    Member, NEXT_TOKEN, Pattern, Shape, list, matching, one_of, optional, required, text, whole,
};
use muster_domain::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

const FILTERS: Shape = list(
    1,
    5,
    &Shape::Record(&[
        required("Key", text(1, 200)),
        required("Values", list(1, 40, &text(0, 256))),
        optional(
            "Type",
            one_of(&[
                "Equal",
                "NotEqual",
                "BeginWith",
                "LessThan",
                "GreaterThan",
                "Exists",
            ]),
        ),
    ]),
);
const TYPE_NAME: Shape = matching(
    1,
    100,
    Pattern {
        text: "^(AWS|Custom):.*$",
        holds: |text| text.starts_with("AWS:") || text.starts_with("Custom:"),
    },
);
const AGGREGATOR_TYPE: Shape = matching(
    1,
    20,
    Pattern {
        text: "^(range|count|sum)",
        holds: |text| {
            ["range", "count", "sum"]
                .iter()
                .any(|word| text.starts_with(word))
        },
    },
);
/// The model's own shape contains itself; two levels are read.
const INNER: Shape = list(
    1,
    12,
    &Shape::Record(&[
        optional("AggregatorType", AGGREGATOR_TYPE),
        optional("TypeName", TYPE_NAME),
        optional("AttributeName", text(1, 128)),
        optional("Values", Shape::Map(&text(0, 2048))),
        optional("Filters", FILTERS),
    ]),
);
const AGGREGATORS: Shape = list(
    1,
    12,
    &Shape::Record(&[
        optional("AggregatorType", AGGREGATOR_TYPE),
        optional("TypeName", TYPE_NAME),
        optional("AttributeName", text(1, 128)),
        optional("Values", Shape::Map(&text(0, 2048))),
        optional("Filters", FILTERS),
        optional("Aggregators", INNER),
    ]),
);
pub(crate) const INPUT: &[Member] = &[
    optional("SyncName", text(1, 64)),
    optional("Filters", FILTERS),
    optional("Aggregators", AGGREGATORS),
    optional(
        "ResultAttributes",
        list(1, usize::MAX, &Shape::Record(&[required("TypeName", TYPE_NAME)])),
    ),
    optional("NextToken", NEXT_TOKEN),
    optional("MaxResults", whole(1, 50)),
];

/// The type that OpsItems are.
const OPS_ITEM: &str = "AWS:OpsItem";
/// Items that are looked at in one go when they are counted.
const AT_ONCE: i64 = 500;
/// Values that are counted at most.
const MOST_VALUES: usize = 10_000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Aggregator {
    aggregator_type: Option<String>,
    type_name: Option<String>,
    attribute_name: Option<String>,
    filters: Option<Vec<Filter>>,
    aggregators: Option<Vec<Aggregator>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attribute {
    type_name: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    sync_name: Option<String>,
    filters: Option<Vec<Filter>>,
    aggregators: Option<Vec<Aggregator>>,
    result_attributes: Option<Vec<Attribute>>,
    next_token: Option<String>,
    max_results: Option<usize>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Item {
    #[serde(skip_serializing_if = "String::is_empty")]
    capture_time: String,
    content: Vec<Entry>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entity {
    #[serde(skip_serializing_if = "String::is_empty")]
    id: String,
    data: BTreeMap<String, Item>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    entities: Vec<Entity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

fn whole_seconds(at: Timestamp) -> String {
    let text = at.rfc3339();
    format!("{}Z", text.split('.').next().unwrap_or_default())
}

/// An item's attributes, as texts.
fn entry(row: &OpsItemRow) -> Entry {
    let mut all: Entry = [
        ("OpsItemId", row.id.clone()),
        ("Title", row.title.clone()),
        ("Description", row.definition.description.clone()),
        ("Source", row.source.clone()),
        ("Status", row.status.clone()),
        ("Category", row.category.clone()),
        ("Severity", row.severity.clone()),
        ("OpsItemType", row.kind.clone()),
        (
            "Priority",
            row.priority
                .map(|priority| priority.to_string())
                .unwrap_or_default(),
        ),
        ("CreatedTime", whole_seconds(row.created_at)),
        ("CreatedBy", row.created_by.clone()),
        ("LastModifiedTime", whole_seconds(row.modified_at)),
        ("LastModifiedBy", row.modified_by.clone()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    all.retain(|_, value| !value.is_empty());
    all
}

fn fits(filters: &[Filter], entry: &Entry) -> bool {
    filters.iter().all(|filter| filter.holds(OPS_ITEM, entry))
}

/// That filters speak of the type that is answered.
fn check(filters: &[Filter], type_name: &str) -> ApiResult<()> {
    let is_other = |filter: &&Filter| type_of(filter.key()).is_ok_and(|name| name != type_name);
    match filters.iter().find(is_other) {
        Some(filter) => Err(ApiError::new(
            "InvalidFilter",
            format!(
                "The filter key {} does not speak of {type_name}, which is asked for.",
                filter.key()
            ),
        )),
        None => Ok(()),
    }
}

fn invalid_aggregator(why: &str) -> ApiError {
    ApiError::new("InvalidAggregatorException", why)
}

/// That it can be counted.
fn check_aggregator(aggregator: &Aggregator) -> ApiResult<()> {
    if aggregator
        .aggregator_type
        .as_deref()
        .is_some_and(|kind| kind != "count")
    {
        return Err(invalid_aggregator(
            "AggregatorType: this control plane counts; it knows no range and no sum.",
        ));
    }
    if aggregator
        .type_name
        .as_deref()
        .is_some_and(|name| name != OPS_ITEM)
    {
        return Err(invalid_aggregator(
            "TypeName: AWS:OpsItem is counted here; of nodes GetInventory counts.",
        ));
    }
    if aggregator.attribute_name.is_none() {
        return Err(invalid_aggregator(
            "AttributeName has to name an attribute, as Status.",
        ));
    }
    check(aggregator.filters.as_deref().unwrap_or_default(), OPS_ITEM)?;
    aggregator
        .aggregators
        .iter()
        .flatten()
        .try_for_each(check_aggregator)
}

/// Which aggregator counts, by its place, and what: two may count the same attribute, of other items.
type Key = (String, Vec<(String, String)>);

/// The values under which an item is counted; with more than one level, each combination.
fn keys(place: &str, aggregator: &Aggregator, entry: &Entry) -> Vec<Key> {
    let name = aggregator.attribute_name.as_deref().unwrap_or_default();
    let Some(value) = entry.get(name) else {
        return Vec::new();
    };
    if !fits(aggregator.filters.as_deref().unwrap_or_default(), entry) {
        return Vec::new();
    }
    let own = (name.to_owned(), value.clone());
    match &aggregator.aggregators {
        None => vec![(place.to_owned(), vec![own])],
        Some(inner) => inner
            .iter()
            .enumerate()
            .flat_map(|(at, aggregator)| keys(&format!("{place}/{at:02}"), aggregator, entry))
            .map(|(place, mut rest)| {
                rest.insert(0, own.clone());
                (place, rest)
            })
            .collect(),
    }
}

async fn count(
    plane: &ControlPlane,
    region: &str,
    filters: &[Filter],
    aggregators: &[Aggregator],
) -> ApiResult<Vec<Entity>> {
    aggregators.iter().try_for_each(check_aggregator)?;
    let mut counts: BTreeMap<Key, i64> = BTreeMap::new();
    let mut after = String::new();
    loop {
        let mut sql = items_sql(region);
        sql.push(" and o.ops_item_id > ").text(&after);
        sql.push(" order by o.ops_item_id limit ").int(AT_ONCE);
        let rows = items(sql, plane.db.reader()).await?;
        let Some(last) = rows.last() else { break };
        after.clone_from(&last.id);
        for entry in rows.iter().map(entry).filter(|entry| fits(filters, entry)) {
            let all = aggregators.iter().enumerate();
            for key in all.flat_map(|(at, aggregator)| keys(&format!("{at:02}"), aggregator, &entry)) {
                if counts.len() < MOST_VALUES || counts.contains_key(&key) {
                    *counts.entry(key).or_default() += 1;
                }
            }
        }
    }
    let content = counts
        .into_iter()
        .map(|((_, key), count)| {
            let mut entry: Entry = key.into_iter().collect();
            entry.insert("Count".into(), count.to_string());
            entry
        })
        .collect();
    let item = Item {
        capture_time: String::new(),
        content,
    };
    Ok(vec![Entity {
        id: String::new(),
        data: BTreeMap::from([(OPS_ITEM.to_owned(), item)]),
    }])
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    if let Some(name) = &input.sync_name {
        let known = data_syncs::syncs(plane.db.reader(), &call.region).await?;
        if known.iter().all(|sync| sync.name != *name) {
            return Err(ApiError::new(
                "ResourceDataSyncNotFoundException",
                format!("There is no resource data sync {name}."),
            ));
        }
    }
    let filters = input.filters.unwrap_or_default();
    if let Some(aggregators) = input.aggregators {
        check(&filters, OPS_ITEM)?;
        if let Some(token) = input.next_token.as_deref().filter(|token| !token.is_empty()) {
            // Counts are answered all at once, so there is no token that goes on with them.
            plane.tokens.open("GetOpsSummary of counts", token)?;
        }
        return Ok(Output {
            entities: count(plane, &call.region, &filters, &aggregators).await?,
            next_token: None,
        });
    }
    let mut asked = input.result_attributes.unwrap_or_default().into_iter();
    let first = asked.next();
    let others: Vec<String> = asked.map(|one| one.type_name).collect();
    let of_filter = filters
        .iter()
        .find_map(|filter| type_of(filter.key()).ok())
        .map(str::to_owned);
    let wanted = first
        .map(|one| one.type_name)
        .or(of_filter)
        .unwrap_or_else(|| OPS_ITEM.to_owned());
    if (wanted == OPS_ITEM && !others.is_empty()) || others.iter().any(|name| name == OPS_ITEM) {
        return Err(ApiError::new(
            "InvalidTypeNameException",
            "ResultAttributes: AWS:OpsItem is told alone, types of nodes together.",
        ));
    }
    let scope = format!("GetOpsSummary|{}|{filters:?}|{wanted}|{others:?}", call.region);
    let after = plane.tokens.after(&scope, input.next_token.as_deref())?;
    let limit = input.max_results.unwrap_or(50);
    if wanted != OPS_ITEM {
        let types: Vec<String> = std::iter::once(wanted).chain(others).collect();
        return of_nodes(plane, call, &filters, (&types, &scope, &after, limit)).await;
    }
    check(&filters, OPS_ITEM)?;
    let mut sql = items_sql(&call.region);
    sql.push(" and o.ops_item_id > ").text(&after);
    sql.push(" order by o.ops_item_id limit ").int(limit as i64 + 1);
    let rows = items(sql, plane.db.reader()).await?;
    let (rows, next_token) = page(&plane.tokens, &scope, rows, limit, |row| vec![row.id.clone()]);
    let entities = rows.iter().map(|row| (row, entry(row)));
    Ok(Output {
        entities: entities
            .filter(|(_, entry)| fits(&filters, entry))
            .map(|(row, entry)| Entity {
                id: row.id.clone(),
                data: BTreeMap::from([(
                    OPS_ITEM.to_owned(),
                    Item {
                        capture_time: whole_seconds(row.modified_at),
                        content: vec![entry],
                    },
                )]),
            })
            .collect(),
        next_token,
    })
}

/// Nodes, with what they have of a type.
async fn of_nodes(
    plane: &ControlPlane,
    call: &Call,
    filters: &[Filter],
    (wanted, scope, after, limit): (&[String], &str, &str, usize),
) -> ApiResult<Output> {
    let mut types: BTreeSet<String> = wanted.iter().cloned().collect();
    for filter in filters {
        types.insert(type_of(filter.key())?.to_owned());
    }
    let mut sql = nodes_sql();
    sql.push("where n.region = ").text(&call.region);
    sql.push(" and n.node_id > ").text(after);
    sql.push(" order by n.node_id limit ").int(limit as i64 + 1);
    let rows = nodes(sql, plane.db.reader()).await?;
    let (rows, next_token) = page(&plane.tokens, scope, rows, limit, |row| vec![row.node_id.clone()]);
    let mut entities = Vec::new();
    for row in rows {
        let id = row.node_id.clone();
        let mut data = NodeData::read(plane, row, &types).await?;
        if !data.fits(filters)? {
            continue;
        }
        let mut told = BTreeMap::new();
        for name in wanted {
            if let Some(found) = data.take(name) {
                let item = Item {
                    capture_time: found.capture_time,
                    content: found.content,
                };
                told.insert(name.clone(), item);
            }
        }
        if !told.is_empty() {
            entities.push(Entity { id, data: told });
        }
    }
    Ok(Output { entities, next_token })
}
