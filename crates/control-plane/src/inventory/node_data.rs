//! What one node has, of some types: what it reported, and of the node itself also what is known without a report.

use super::get_inventory::{Data, type_of};
use super::list_inventory_entries::{Entry, Filter};
use super::queries;
use super::schemas::INSTANCE_INFORMATION;
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::fleet::queries::NodeRow;
use std::collections::{BTreeMap, BTreeSet};

/// By type.
pub(crate) struct NodeData(BTreeMap<String, Data>);

fn known(node: &NodeRow) -> Data {
    let pairs = [
        ("AgentVersion", &node.agent_version),
        ("ComputerName", &node.computer_name),
        ("InstanceId", &node.node_id),
        ("IpAddress", &node.ip_address),
        ("PlatformName", &node.platform_name),
        ("PlatformType", &node.platform_type),
        ("PlatformVersion", &node.platform_version),
    ];
    let mut entry: Entry = pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .collect();
    entry.insert("ResourceType".into(), "ManagedInstance".into());
    let captured = node.last_ping_at.rfc3339();
    Data {
        type_name: INSTANCE_INFORMATION.into(),
        schema_version: "1.0".into(),
        capture_time: format!("{}Z", captured.split('.').next().unwrap_or_default()),
        content_hash: String::new(),
        content: vec![entry],
    }
}

impl NodeData {
    /// Reads these types of a node.
    pub(crate) async fn read(
        plane: &ControlPlane,
        node: NodeRow,
        types: &BTreeSet<String>,
    ) -> ApiResult<Self> {
        let mut all = BTreeMap::new();
        for name in types {
            // What the node said with its last sign of life is newer than any inventory.
            if name == INSTANCE_INFORMATION {
                all.insert(name.clone(), known(&node));
                continue;
            }
            if let Some(row) = queries::item(plane.db.reader(), &node.region, &node.node_id, name).await? {
                let data = Data {
                    content: row.entries()?,
                    type_name: row.type_name,
                    schema_version: row.schema_version,
                    capture_time: row.capture_time,
                    content_hash: row.content_hash,
                };
                all.insert(name.clone(), data);
            }
        }
        Ok(Self(all))
    }

    /// Whether all filters hold. Those about one type have to hold for one and the same entry.
    pub(crate) fn fits(&self, filters: &[Filter]) -> ApiResult<bool> {
        let mut by_type: BTreeMap<&str, Vec<&Filter>> = BTreeMap::new();
        for filter in filters {
            by_type.entry(type_of(filter.key())?).or_default().push(filter);
        }
        Ok(by_type.into_iter().all(|(name, filters)| {
            self.entries(name)
                .iter()
                .any(|entry| filters.iter().all(|filter| filter.holds(name, entry)))
        }))
    }

    /// Entries of a type.
    pub(crate) fn entries(&self, name: &str) -> &[Entry] {
        self.0
            .get(name)
            .map(|data| data.content.as_slice())
            .unwrap_or_default()
    }

    /// Takes a type out.
    pub(crate) fn take(&mut self, name: &str) -> Option<Data> {
        self.0.remove(name)
    }
}
