//! `DescribeInstances`: the nodes as instances, filtered by tags, state, id and address.

use super::instance_ids::shown;
use super::wildcards::any_of;
use super::{FILTERS, Filter, IDS, check_dry_run, named, volume_id};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::fleet::queries::{NodeRow, nodes, nodes_sql};
use crate::operations::Call;
use crate::paging::page;
use crate::tags;
use crate::validation::{ANY_TEXT, Member, Shape, optional, whole};
use muster_domain::Timestamp;
use muster_store::{Dialect, Sql};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub(crate) const INPUT: &[Member] = &[
    optional("InstanceIds", IDS),
    optional("DryRun", Shape::Flag),
    optional("Filters", FILTERS),
    optional("NextToken", ANY_TEXT),
    optional("MaxResults", whole(5, 1_000)),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    instance_ids: Option<Vec<String>>,
    dry_run: Option<bool>,
    filters: Option<Vec<Filter>>,
    next_token: Option<String>,
    max_results: Option<usize>,
}

#[derive(Debug, Serialize)]
struct State {
    code: i32,
    name: &'static str,
}

#[derive(Debug, Serialize)]
struct Tag {
    key: String,
    value: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Placement {
    availability_zone: String,
}

/// What a snapshot can be taken of: the node as a whole.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Device {
    device_name: &'static str,
    ebs: Volume,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Volume {
    volume_id: String,
    status: &'static str,
    attach_time: String,
    delete_on_termination: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Instance {
    instance_id: String,
    image_id: &'static str,
    instance_state: State,
    private_dns_name: String,
    private_ip_address: String,
    launch_time: String,
    placement: Placement,
    platform_details: String,
    block_device_mapping: Vec<Device>,
    tag_set: Vec<Tag>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Reservation {
    reservation_id: String,
    owner_id: String,
    group_set: Vec<()>,
    instances_set: Vec<Instance>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Output {
    reservation_set: Vec<Reservation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

const TAGGED: &str = " and exists (select 1 from ssm_tags t where t.resource_type = 'ManagedInstance' and \
     t.region = n.region and t.resource_id = n.node_id and ";

fn add_filter(sql: &mut Sql, dialect: Dialect, filter: &Filter, online_since: Timestamp) -> ApiResult<()> {
    let invalid = |why: &str| {
        let name: String = filter.name.chars().take(128).collect();
        ApiError::new(
            "InvalidParameterValue",
            format!("The filter '{name}' is invalid{why}"),
        )
    };
    if filter.values.is_empty() {
        return Err(invalid(": it has no values"));
    }
    if filter.values.len() > MOST_VALUES {
        return Err(ApiError::new(
            "FilterLimitExceeded",
            format!("A filter has at most {MOST_VALUES} values."),
        ));
    }
    match filter.name.as_str() {
        "instance-id" => {
            let ids: Vec<String> = filter
                .values
                .iter()
                .map(|id| match id.strip_prefix("i-") {
                    // Also where only the beginning is given.
                    Some(rest) => format!("mi-{rest}"),
                    None => id.clone(),
                })
                .collect();
            sql.push(" and ");
            any_of(sql, dialect, "n.node_id", &ids);
        }
        "private-ip-address" | "network-interface.addresses.private-ip-address" => {
            sql.push(" and ");
            any_of(sql, dialect, "n.ip_address", &filter.values);
        }
        "private-dns-name" => {
            sql.push(" and ");
            any_of(sql, dialect, "n.computer_name", &filter.values);
        }
        "tag-key" => {
            sql.push(TAGGED);
            any_of(sql, dialect, "t.tag_key", &filter.values);
            sql.push(")");
        }
        "instance-state-name" | "instance-state-code" => {
            let wants = |words: [&str; 2]| filter.values.iter().any(|value| words.contains(&value.as_str()));
            // A node that does not answer is as good as stopped; there are no other states here.
            match (wants(["running", "16"]), wants(["stopped", "80"])) {
                (true, true) => {}
                (true, false) => {
                    sql.push(" and n.last_ping_at >= ").int(online_since.0);
                }
                (false, true) => {
                    sql.push(" and n.last_ping_at < ").int(online_since.0);
                }
                (false, false) => {
                    sql.push(" and 1 = 0");
                }
            }
        }
        name => {
            let Some(key) = name.strip_prefix("tag:").filter(|key| !key.is_empty()) else {
                return Err(invalid(
                    ": known are tag:<key>, tag-key, instance-id, instance-state-name, instance-state-code, \
                     private-ip-address, private-dns-name",
                ));
            };
            sql.push(TAGGED).push("t.tag_key = ").text(key).push(" and ");
            any_of(sql, dialect, "t.tag_value", &filter.values);
            sql.push(")");
        }
    }
    Ok(())
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    check_dry_run(input.dry_run)?;
    let online_since = call.now.plus_ms(-plane.config.connection_lost_after_ms);
    let mut sql = nodes_sql();
    sql.push("where n.region = ").text(&call.region);
    let ids = input.instance_ids.unwrap_or_default();
    if !ids.is_empty() {
        if input.max_results.is_some() {
            return Err(ApiError::new(
                "InvalidParameterCombination",
                "The parameter instancesSet cannot be used with the parameter maxResults",
            ));
        }
        let found = named(plane, call, &ids).await?;
        sql.push(" and n.node_id in (").texts(&found).push(")");
    }
    let filters = input.filters.unwrap_or_default();
    for filter in &filters {
        add_filter(&mut sql, plane.db.dialect(), filter, online_since)?;
    }
    let question: Vec<(&str, &[String])> = filters
        .iter()
        .map(|filter| (filter.name.as_str(), filter.values.as_slice()))
        .collect();
    let scope = format!("DescribeInstances|{}|{question:?}", call.region);
    if let Some(token) = input.next_token.as_deref().filter(|token| !token.is_empty()) {
        let position = plane.tokens.open(&scope, token)?;
        sql.push(" and n.node_id > ")
            .text(position.first().cloned().unwrap_or_default());
    }
    sql.push(" order by n.node_id");
    // Without a number EC2 answers all at once, as far as it can.
    let limit = input.max_results.unwrap_or(AT_ONCE);
    sql.push(" limit ").int(limit as i64 + 1);
    let rows = nodes(sql, plane.db.reader()).await?;
    let (rows, next_token) = page(&plane.tokens, &scope, rows, limit, |row| {
        vec![row.node_id.clone()]
    });
    let mut tags_of: BTreeMap<String, Vec<Tag>> = BTreeMap::new();
    let ids: Vec<String> = rows.iter().map(|row| row.node_id.clone()).collect();
    for some in ids.chunks(400) {
        for (id, (key, value)) in
            tags::queries::of_many(plane.db.reader(), &call.region, tags::NODE, some).await?
        {
            tags_of.entry(id).or_default().push(Tag { key, value });
        }
    }
    let instance = |row: NodeRow| {
        let tag_set = tags_of.remove(&row.node_id).unwrap_or_default();
        let is_online = row.last_ping_at >= online_since;
        let device = || Device {
            device_name: "/dev/root",
            ebs: Volume {
                volume_id: volume_id(&row.node_id),
                status: "attached",
                attach_time: row.registered_at.rfc3339(),
                delete_on_termination: false,
            },
        };
        // Only where a snapshot can be taken there is something to take it of.
        let devices: Vec<Device> = (!row.snapshots.is_empty()).then(device).into_iter().collect();
        Reservation {
            reservation_id: shown(&row.node_id).replacen("i-", "r-", 1),
            owner_id: plane.config.account.clone(),
            group_set: Vec::new(),
            instances_set: vec![Instance {
                instance_id: shown(&row.node_id),
                image_id: "",
                instance_state: if is_online {
                    State {
                        code: 16,
                        name: "running",
                    }
                } else {
                    State {
                        code: 80,
                        name: "stopped",
                    }
                },
                private_dns_name: row.computer_name,
                private_ip_address: row.ip_address,
                launch_time: row.registered_at.rfc3339(),
                placement: Placement {
                    availability_zone: format!("{}a", row.region),
                },
                platform_details: if row.platform_type == "Windows" {
                    row.platform_type
                } else {
                    "Linux/UNIX".into()
                },
                block_device_mapping: devices,
                tag_set,
            }],
        }
    };
    Ok(Output {
        reservation_set: rows.into_iter().map(instance).collect(),
        next_token,
    })
}

/// Values of a filter at most, as EC2 has it.
const MOST_VALUES: usize = 200;
/// Instances in one answer at most; SDKs go on by the token.
const AT_ONCE: usize = 1_000;
