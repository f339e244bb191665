//! The demo nodes' network: a bridge with this machine on it, and a cable to each node.

use crate::failure::Outcome;
use crate::process::{program, read, run_quietly, succeeds};

const BRIDGE: &str = "muster-demo0";
/// Names of the nodes' network namespaces begin so.
const NAMESPACE: &str = "muster-demo-";
/// This machine, seen from a node.
pub(super) const HOST: &str = "10.213.77.1";
/// Where the embedded endpoint listens for the nodes, besides its own address.
pub(crate) const ENDPOINT_ADDRESS: &str = "10.213.77.1:4580";

pub(super) fn namespace(number: u32) -> String {
    format!("{NAMESPACE}{number}")
}

/// A node's own address.
pub(super) fn address(number: u32) -> String {
    format!("10.213.77.{}", 10 + number)
}

pub(super) fn is_up() -> bool {
    succeeds(&mut program("ip", ["link", "show", BRIDGE]))
}

pub(super) fn bridge_up() -> Outcome {
    ip(&["link", "add", BRIDGE, "type", "bridge"])?;
    ip(&["address", "add", &format!("{HOST}/24"), "dev", BRIDGE])?;
    ip(&["link", "set", BRIDGE, "up"])
}

/// Makes a node's network namespace and plugs it in.
pub(super) fn plug_in(number: u32) -> Outcome {
    let (namespace, cable) = (namespace(number), format!("muster-demo-{number}"));
    let inside = |words: &[&str]| {
        let mut line = vec!["-n", &namespace];
        line.extend(words);
        ip(&line)
    };
    ip(&["netns", "add", &namespace])?;
    ip(&[
        "link", "add", &cable, "type", "veth", "peer", "name", "eth0", "netns", &namespace,
    ])?;
    ip(&["link", "set", &cable, "master", BRIDGE, "up"])?;
    inside(&["link", "set", "lo", "up"])?;
    inside(&[
        "address",
        "add",
        &format!("{}/24", address(number)),
        "dev",
        "eth0",
    ])?;
    inside(&["link", "set", "eth0", "up"])?;
    inside(&["route", "add", "default", "via", HOST])
}

/// Removes bridge, cables and namespaces, whoever made them. A cable goes with its namespace.
pub(super) fn down() {
    let list = read(&mut program("ip", ["netns", "list"])).unwrap_or_default();
    for name in list.lines().filter_map(|line| line.split_whitespace().next()) {
        if name.starts_with(NAMESPACE) {
            succeeds(&mut program("ip", ["netns", "delete", name]));
        }
    }
    succeeds(&mut program("ip", ["link", "delete", BRIDGE]));
}

fn ip(words: &[&str]) -> Outcome {
    run_quietly(&mut program("ip", words), &format!("ip {}", words.join(" ")))
}
