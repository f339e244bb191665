//! Two names of one node: `mi-` and seventeen digits is what Systems Manager registers, `i-` and the same digits is what
//! EC2 calls it. Operators may use either wherever a node is named.

use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::validation::is_managed_id;
use muster_store::{RowExt, Sql};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The name that EC2 gives a node.
pub(crate) fn shown(node_id: &str) -> String {
    match node_id.strip_prefix("mi-") {
        Some(digits) => format!("i-{digits}"),
        None => node_id.to_owned(),
    }
}

/// The name that Systems Manager gives an instance.
pub(crate) fn node_id(instance_id: &str) -> String {
    match instance_id.strip_prefix("i-") {
        Some(digits) if is_managed_id(&format!("mi-{digits}")) => format!("mi-{digits}"),
        _ => instance_id.to_owned(),
    }
}

/// Members whose values name nodes.
const MEMBERS: [&str; 5] = ["InstanceId", "InstanceIds", "Target", "ResourceId", "ResourceIds"];
/// Keys of targets and filters whose values name nodes.
const KEYS: [&str; 4] = [
    "instanceids",
    "instanceid",
    "resourceid",
    "aws:instanceinformation.instanceid",
];

/// Visits the texts that name nodes: those of certain members, on their own or in lists, and the values beside certain
/// keys. The parameters of documents are not looked into, but for one that is a list of nodes by its name.
fn visit(value: &mut Value, is_name: bool, act: &mut dyn FnMut(&mut String)) {
    match value {
        Value::String(text) if is_name => act(text),
        Value::Array(items) => items.iter_mut().for_each(|item| visit(item, is_name, act)),
        Value::Object(members) => {
            let key = ["Key", "key", "FilterKey"]
                .into_iter()
                .find_map(|name| members.get(name).and_then(Value::as_str));
            let of_key = key.is_some_and(|key| KEYS.contains(&key.to_ascii_lowercase().as_str()));
            // A tag is kept as it was given, also one that is called InstanceId.
            for (name, value) in members.iter_mut().filter(|(name, _)| *name != "Tags") {
                let is_value = ["Values", "values", "Value", "value"].contains(&name.as_str());
                visit(
                    value,
                    MEMBERS.contains(&name.as_str()) || (is_value && of_key),
                    act,
                );
            }
        }
        _ => {}
    }
}

/// Puts nodes' own names in the place of those that EC2 gives them, where there is such a node.
pub(crate) async fn resolve(plane: &ControlPlane, region: &str, input: &mut Value) -> ApiResult<()> {
    let mut aliases = BTreeSet::new();
    visit(input, false, &mut |text| {
        let id = node_id(text);
        if id != *text && aliases.len() < 400 {
            aliases.insert(id);
        }
    });
    if aliases.is_empty() {
        return Ok(());
    }
    let ids: Vec<String> = aliases.into_iter().collect();
    let mut sql = Sql::new("select node_id from ssm_nodes where region = ");
    sql.text(region).push(" and node_id in (").texts(&ids).push(")");
    let mut known = BTreeMap::new();
    for row in sql.all(plane.db.reader()).await? {
        let id = row.text("node_id")?;
        known.insert(shown(&id), id);
    }
    visit(input, false, &mut |text| {
        if let Some(id) = known.get(text) {
            text.clone_from(id);
        }
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_two_names_have_the_same_digits() {
        let (node, instance) = ("mi-0123456789abcdef0", "i-0123456789abcdef0");
        assert_eq!(
            (shown(node).as_str(), node_id(instance).as_str()),
            (instance, node)
        );
        assert_eq!(node_id("i-12345678"), "i-12345678", "an instance of long ago");
        assert_eq!(node_id(node), node);
    }

    #[test]
    fn only_names_of_nodes_are_looked_at() {
        let mut input = json!({"InstanceIds": ["a"], "Targets": [{"Key": "instanceids", "Values": ["c"]}, {"Key": "tag:x", "Values": ["no"]}], "Target": "d",
            "Tags": [{"Key": "InstanceId", "Value": "no"}], "Parameters": {"commands": ["e"], "InstanceIds": ["f"]}, "Comment": "g"});
        let mut seen = Vec::new();
        visit(&mut input, false, &mut |text| seen.push(text.clone()));
        seen.sort();
        assert_eq!(seen, ["a", "c", "d", "f"]);
    }
}
