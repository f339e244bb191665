//! Collecting inventory: `aws:softwareInventory`. A process of its own, started by the worker like a script; what it finds
//! it leaves beside its output, and the agent delivers it. Attributes are named as the service's own agent names them; what
//! this system does not tell is left empty.

mod applications;
mod custom;
mod details;
mod files_by_rule;
mod network;
pub(crate) mod request;
mod services;
mod users;

use crate::error::AgentError;
use crate::files;
use crate::host;
use crate::patch::INVENTORY_FILE;
use muster_agent_protocol::calls::InventoryItem;
use muster_agent_protocol::signing::sha256_hex;
use muster_domain::Timestamp;
use muster_domain::ids::NodeId;
use muster_domain::time::Clock;
use request::Request;
use serde_json::{Map, Value};
use std::io::Write as _;
use std::path::Path;

/// What is to be collected.
pub(crate) const REQUEST_FILE: &str = "inventory-request.json";
/// Entries of one type that the service takes.
const MOST_ENTRIES: usize = 10_000;
/// Bytes of one type at most: a request is refused above 1 MiB.
const MOST_BYTES: usize = 900_000;

/// One entry: attributes and their values.
type Entry = Map<String, Value>;

/// An entry from pairs.
fn entry(pairs: &[(&str, &str)]) -> Entry {
    pairs
        .iter()
        .map(|(name, value)| {
            // The service takes values of 4,096 characters.
            let value: String = value.chars().take(4_096).collect();
            ((*name).to_owned(), Value::String(value))
        })
        .collect()
}

fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    // Nobody reads it any more: then nobody misses it.
    let _ = writeln!(out, "{text}");
}

/// A time as inventory writes it: whole seconds.
fn whole_seconds(at: Timestamp) -> String {
    let text = at.rfc3339();
    format!("{}Z", text.split('.').next().unwrap_or_default())
}

/// What a program prints; nothing when it is not there or fails.
fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let out = std::process::Command::new(program)
        .args(arguments)
        .env("LC_ALL", "C")
        .stdin(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .output()
        .ok()?;
    out.status
        .success()
        .then(|| String::from_utf8_lossy(&out.stdout).into_owned())
}

/// Cuts a type to what the service takes, and says so.
fn cut(name: &str, mut content: Vec<Entry>) -> Vec<Entry> {
    let all = content.len();
    content.truncate(MOST_ENTRIES);
    let mut bytes = 0;
    let fits = content
        .iter()
        .take_while(|entry| {
            bytes += serde_json::to_string(entry).map_or(0, |text| text.len() + 1);
            bytes <= MOST_BYTES
        })
        .count();
    content.truncate(fits);
    if content.len() < all {
        say(&format!(
            "{name}: only {} of {all} entries fit into an inventory",
            content.len()
        ));
    }
    content
}

fn item(name: &str, version: &str, content: Vec<Entry>, now: Timestamp) -> InventoryItem {
    let content = cut(name, content);
    let text = serde_json::to_vec(&content).unwrap_or_default();
    say(&format!("{name}: {} entries", content.len()));
    InventoryItem {
        type_name: name.to_owned(),
        schema_version: version.to_owned(),
        capture_time: whole_seconds(now),
        content_hash: sha256_hex(&text),
        content,
    }
}

fn instance_information(node: &NodeId) -> Vec<Entry> {
    let about = host::full_information(node);
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    vec![entry(&[
        ("AgentType", &about.agent_name),
        ("AgentVersion", &about.agent_version),
        ("ComputerName", &text(&about.computer_name)),
        ("InstanceId", &about.instance_id),
        ("InstanceStatus", "Active"),
        ("IpAddress", &text(&about.ip_address)),
        ("PlatformName", &text(&about.platform_name)),
        ("PlatformType", &about.platform_type),
        ("PlatformVersion", &text(&about.platform_version)),
        ("ResourceType", "ManagedInstance"),
    ])]
}

/// Collects what the request in `directory` names.
pub(crate) fn run(directory: &Path, clock: &dyn Clock) -> Result<(), AgentError> {
    let path = directory.join(REQUEST_FILE);
    let request: Request = files::read_json(&path)
        .map_err(AgentError::file("reading", &path))?
        .ok_or_else(|| AgentError::Worker(format!("{} holds no request", directory.display())))?;
    let now = clock.now();
    let node = NodeId::new(&request.node_id);
    let mut items = vec![item(
        "AWS:InstanceInformation",
        "1.0",
        instance_information(&node),
        now,
    )];
    if request.applications {
        items.push(item("AWS:Application", "1.1", applications::all(), now));
    }
    if request.network {
        items.push(item("AWS:Network", "1.0", network::all(), now));
    }
    if request.services {
        items.push(item("AWS:Service", "1.0", services::all(), now));
    }
    if request.details {
        items.push(item(
            "AWS:InstanceDetailedInformation",
            "1.0",
            details::all(),
            now,
        ));
    }
    if request.users {
        items.push(item("Custom:User", "1.0", users::all(), now));
    }
    if !request.files.is_empty() {
        items.push(item("AWS:File", "1.0", files_by_rule::all(&request.files), now));
    }
    if request.custom {
        items.extend(custom::all(Path::new(custom::FOLDER), now));
    }
    let path = directory.join(INVENTORY_FILE);
    files::write_json(&path, &items).map_err(AgentError::file("writing", &path))
}
