//! Network interfaces with their addresses, from the kernel.

use super::{Entry, entry, output};
use serde_json::Value;
use std::path::Path;

pub(super) fn all() -> Vec<Entry> {
    let gateway =
        std::fs::read_to_string("/proc/net/route").map_or_else(|_| String::new(), |text| gateway(&text));
    let servers =
        std::fs::read_to_string("/etc/resolv.conf").map_or_else(|_| String::new(), |text| servers(&text));
    match output("ip", &["-json", "address"]) {
        Some(text) => from_ip(&text, &gateway, &servers),
        None => from_sys(Path::new("/sys/class/net"), &gateway, &servers),
    }
}

/// The default route's gateway: hexadecimal, in the order of bytes of this machine.
fn gateway(table: &str) -> String {
    let found = table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (destination, gateway) = (fields.get(1)?, fields.get(2)?);
        (*destination == "00000000").then(|| u32::from_str_radix(gateway, 16).ok())?
    });
    found
        .map(|address| std::net::Ipv4Addr::from(address.to_ne_bytes()).to_string())
        .unwrap_or_default()
}

fn servers(text: &str) -> String {
    let all: Vec<&str> = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("nameserver"))
        .map(str::trim)
        .collect();
    all.join(",")
}

fn mask(prefix: u64) -> String {
    let bits = u32::MAX
        .checked_shl(32 - u32::try_from(prefix.min(32)).unwrap_or(32))
        .unwrap_or(0);
    std::net::Ipv4Addr::from(bits).to_string()
}

fn from_ip(text: &str, gateway: &str, servers: &str) -> Vec<Entry> {
    let links: Vec<Value> = serde_json::from_str(text).unwrap_or_default();
    let mut all = Vec::new();
    for link in links {
        let word = |name: &str| link.get(name).and_then(Value::as_str).unwrap_or_default();
        if word("link_type") == "loopback" {
            continue;
        }
        let addresses = link
            .get("addr_info")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        let of = |family: &str| -> Vec<&Value> {
            addresses
                .iter()
                .filter(|address| address.get("family").and_then(Value::as_str) == Some(family))
                .collect()
        };
        let joined = |found: &[&Value]| {
            let texts: Vec<&str> = found
                .iter()
                .filter_map(|address| address.get("local").and_then(Value::as_str))
                .collect();
            texts.join(",")
        };
        let (four, six) = (of("inet"), of("inet6"));
        let prefix = four
            .first()
            .and_then(|address| address.get("prefixlen")?.as_u64());
        all.push(entry(&[
            ("Name", word("ifname")),
            ("SubnetMask", &prefix.map(mask).unwrap_or_default()),
            ("Gateway", gateway),
            ("DHCPServer", ""),
            ("DNSServer", servers),
            ("MacAddress", word("address")),
            ("IPV4", &joined(&four)),
            ("IPV6", &joined(&six)),
        ]));
    }
    all
}

/// Where there is no `ip`: names and hardware addresses at least.
fn from_sys(folder: &Path, gateway: &str, servers: &str) -> Vec<Entry> {
    let names = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut all: Vec<Entry> = names
        .map(|found| found.file_name().to_string_lossy().into_owned())
        .filter(|name| name != "lo")
        .map(|name| {
            let mac = std::fs::read_to_string(folder.join(&name).join("address")).unwrap_or_default();
            entry(&[
                ("Name", &name),
                ("SubnetMask", ""),
                ("Gateway", gateway),
                ("DHCPServer", ""),
                ("DNSServer", servers),
                ("MacAddress", mac.trim()),
                ("IPV4", ""),
                ("IPV6", ""),
            ])
        })
        .collect();
    all.sort_by_key(|entry| entry.get("Name").map(ToString::to_string));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_words_are_read() {
        let text = r#"[{"ifname":"lo","link_type":"loopback"},{"ifname":"eth0","link_type":"ether","address":"02:00:00:00:00:01",
            "addr_info":[{"family":"inet","local":"10.0.0.5","prefixlen":20},{"family":"inet6","local":"fe80::1","prefixlen":64}]}]"#;
        let all = from_ip(text, "10.0.0.1", "1.1.1.1");
        assert_eq!(all.len(), 1);
        assert_eq!(
            (&all[0]["IPV4"], &all[0]["SubnetMask"]),
            (&"10.0.0.5".into(), &"255.255.240.0".into())
        );
        assert_eq!(
            (mask(0).as_str(), mask(32).as_str()),
            ("0.0.0.0", "255.255.255.255")
        );
        assert_eq!(
            servers("nameserver 1.1.1.1\n# x\nnameserver 9.9.9.9\n"),
            "1.1.1.1,9.9.9.9"
        );
        assert_eq!(gateway("Iface Destination Gateway\neth0 00000000 nonsense\n"), "");
        assert!(from_ip("nonsense", "", "").is_empty());
    }
}
