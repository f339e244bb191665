//! What this machine is: name, platform and address, as the node reports them.

use crate::snapshots;
use muster_agent_protocol::calls::UpdateInstanceInformationRequest;
use muster_domain::ids::NodeId;
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::path::PathBuf;

/// The agent's name, as reported.
pub(crate) const AGENT_NAME: &str = "muster-agent";
/// The agent's version, as reported.
pub(crate) const AGENT_VERSION: &str = env!("CARGO_PKG_VERSION");

/// The liveness probe: as little as can be said.
pub(crate) fn short_information(node: &NodeId) -> UpdateInstanceInformationRequest {
    UpdateInstanceInformationRequest {
        instance_id: node.as_str().to_owned(),
        agent_name: AGENT_NAME.into(),
        agent_version: AGENT_VERSION.into(),
        platform_type: "Linux".into(),
        ..UpdateInstanceInformationRequest::default()
    }
}

/// All that is known. Read anew every time: hosts are renamed, upgraded and moved.
pub(crate) fn full_information(node: &NodeId) -> UpdateInstanceInformationRequest {
    let (name, version) = platform(&read_os_release());
    UpdateInstanceInformationRequest {
        agent_status: Some("Active".into()),
        platform_name: Some(name),
        platform_version: Some(version),
        computer_name: Some(host_name()),
        ip_address: Some(address().to_string()),
        connection_channel: Some("ssmmessages".into()),
        snapshots: Some(snapshots::way().map_or("", |way| way.name()).to_owned()),
        ..short_information(node)
    }
}

fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Version of the operating system, for replies.
pub(crate) fn platform_version() -> String {
    platform(&read_os_release()).1
}

/// Where the system is that is described and patched, when it is not the agent's own: an agent in a container has that of
/// its host somewhere else. Holds for what the system is called, and for packages of rpm.
pub(crate) const SYSTEM_ROOT: &str = "MUSTER_AGENT_SYSTEM_ROOT";

/// The value of [`SYSTEM_ROOT`].
pub(crate) fn system_root() -> Option<PathBuf> {
    std::env::var_os(SYSTEM_ROOT)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}

/// The text that says what the system is.
pub(crate) fn read_os_release() -> String {
    let root = system_root().unwrap_or_else(|| "/".into());
    std::fs::read_to_string(root.join("etc/os-release"))
        .or_else(|_| std::fs::read_to_string(root.join("usr/lib/os-release")))
        .unwrap_or_default()
}

/// Name and version out of `os-release`.
fn platform(os_release: &str) -> (String, String) {
    let value = |name: &str| {
        os_release
            .lines()
            .filter_map(|line| line.split_once('='))
            .find(|(key, _)| key.trim() == name)
            .map(|(_, value)| value.trim().trim_matches(['"', '\'']).to_owned())
            .filter(|value| !value.is_empty())
    };
    (
        value("NAME").unwrap_or_else(|| "Linux".into()),
        // Rolling distributions have no VERSION_ID.
        value("VERSION_ID")
            .or_else(|| value("BUILD_ID"))
            .unwrap_or_default(),
    )
}

/// The address that other machines most likely know this one by.
fn address() -> IpAddr {
    // The kernel picks the address for the default route; connecting a datagram socket sends nothing.
    let routed = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).and_then(|socket| {
        socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9))?;
        socket.local_addr()
    });
    if let Ok(local) = routed
        && !local.ip().is_loopback()
        && !local.ip().is_unspecified()
    {
        return local.ip();
    }
    let table = std::fs::read_to_string("/proc/net/fib_trie").unwrap_or_default();
    local_addresses(&table)
        .into_iter()
        .find(|address| !address.is_loopback() && !address.is_link_local())
        .unwrap_or(Ipv4Addr::LOCALHOST)
        .into()
}

/// The machine's own addresses in the kernel's routing table: a leaf followed by `/32 host LOCAL`.
fn local_addresses(table: &str) -> Vec<Ipv4Addr> {
    let mut leaf = None;
    let mut found = Vec::new();
    for line in table.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix("|-- ") {
            leaf = text.parse().ok();
        } else if line.starts_with("/32 host LOCAL")
            && let Some(address) = leaf.take()
            && !found.contains(&address)
        {
            found.push(address);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn os_release_is_read() {
        let debian =
            "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\n";
        assert_eq!(platform(debian), ("Debian GNU/Linux".into(), "12".into()));
        assert_eq!(platform(""), ("Linux".into(), String::new()));
    }

    #[test]
    fn own_addresses_are_found_in_the_routing_table() {
        let table = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe UNICAST\n     +-- 10.1.2.0/24 2 0 2\n        |-- 10.1.2.7\n           /32 host LOCAL\n        |-- 10.1.2.255\n           /32 link BROADCAST\n     |-- 127.0.0.1\n        /32 host LOCAL\n";
        assert_eq!(
            local_addresses(table),
            [Ipv4Addr::new(10, 1, 2, 7), Ipv4Addr::LOCALHOST]
        );
    }

    #[test]
    fn this_machine_reports_itself_in_full() {
        let full = full_information(&"mi-0".into());
        assert_eq!(full.agent_version, AGENT_VERSION);
        assert!(full.computer_name.is_some_and(|name| !name.is_empty()));
        assert!(full.ip_address.is_some_and(|text| text.parse::<IpAddr>().is_ok()));
    }
}
