//! What each side may use, judged by the other side's version: nothing of it is negotiated.
//! The comparisons are those of AWS's ends, odd as they are: both sides must come to the same answer.

use serde_json::Value;
use std::cmp::Ordering;

/// How a port session carries its connections (session protocol, port sessions).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortMode {
    /// Plain bytes of one connection, from standard input to standard output; for SSH.
    StandardStream,
    /// Plain bytes, one connection after the other.
    Basic,
    /// Many connections at once, in frames of the multiplexer.
    Mux {
        /// Whether both sides say now and then that they are there, and end when the other does not.
        keepalive: bool,
    },
}

fn parts(version: &str) -> Option<Vec<u64>> {
    if version.len() > 64 {
        return None;
    }
    version.split('.').map(|part| part.parse().ok()).collect()
}

// The client's comparison: strictly newer, and any other shape than four numbers counts as too old.
fn agent_newer_than(agent_version: &str, than: [u64; 4]) -> bool {
    parts(agent_version)
        .and_then(|parts| <[u64; 4]>::try_from(parts).ok())
        .is_some_and(|version| version > than)
}

// The agent's comparison: part by part, as numbers where both are, as text otherwise; then the one with more parts is
// the newer. A client that calls itself by a name is newer than every number by this, and counts on it.
fn compare(client_version: &str, with: &str) -> Ordering {
    let mut version = client_version.split('.');
    let mut with = with.split('.');
    loop {
        let order = match (version.next(), with.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(ours), Some(theirs)) => match (ours.parse::<i64>(), theirs.parse::<i64>()) {
                (Ok(ours), Ok(theirs)) => ours.cmp(&theirs),
                _ => ours.cmp(theirs),
            },
        };
        if order.is_ne() {
            return order;
        }
    }
}

fn forwards_local_port(properties: &Value) -> bool {
    properties.get("type").and_then(Value::as_str) == Some("LocalPortForwarding")
}

/// What the client decides for a port session.
#[must_use]
pub fn port_mode_of_client(properties: &Value, agent_version: &str) -> PortMode {
    if !forwards_local_port(properties) {
        PortMode::StandardStream
    } else if agent_newer_than(agent_version, [3, 0, 196, 0]) {
        PortMode::Mux {
            keepalive: !agent_newer_than(agent_version, [3, 1, 1511, 0]),
        }
    } else {
        PortMode::Basic
    }
}

/// What the agent decides for a port session.
#[must_use]
pub fn port_mode_of_agent(properties: &Value, client_version: &str) -> PortMode {
    if forwards_local_port(properties) && compare(client_version, "1.1.70").is_ge() {
        PortMode::Mux {
            keepalive: compare(client_version, "1.2.331.0").is_le(),
        }
    } else {
        PortMode::Basic
    }
}

/// Whether the agent understands the flag that ends a port session; otherwise it is ended through the API.
#[must_use]
pub fn agent_takes_terminate_flag(agent_version: &str) -> bool {
    agent_newer_than(agent_version, [2, 3, 722, 0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_client_wants_four_numbers_and_strictly_more() {
        let local = json!({"portNumber": "80", "type": "LocalPortForwarding"});
        let mode = |version: &str| port_mode_of_client(&local, version);
        assert_eq!(mode("3.0.196.0"), PortMode::Basic);
        assert_eq!(mode("3.0.196.1"), PortMode::Mux { keepalive: true });
        assert_eq!(mode("3.1.1511.0"), PortMode::Mux { keepalive: true });
        assert_eq!(mode("3.3.987.0"), PortMode::Mux { keepalive: false });
        for shape in ["", "4", "3.3.987", "3.3.987.0.1", "3.3.x.0", "9.9.9.-9"] {
            assert_eq!(mode(shape), PortMode::Basic, "{shape}");
        }
        assert_eq!(
            port_mode_of_client(&json!({"portNumber": "22"}), "3.3.987.0"),
            PortMode::StandardStream
        );
        assert_eq!(
            port_mode_of_client(&Value::Null, "3.3.987.0"),
            PortMode::StandardStream
        );
    }

    #[test]
    fn the_agent_knows_no_standard_stream() {
        let local = json!({"type": "LocalPortForwarding"});
        let mode = |version: &str| port_mode_of_agent(&local, version);
        assert_eq!(mode("1.1.69.9"), PortMode::Basic);
        assert_eq!(mode("1.1.70"), PortMode::Mux { keepalive: true });
        assert_eq!(mode("1.1.70.0"), PortMode::Mux { keepalive: true });
        assert_eq!(mode("1.2.331.0"), PortMode::Mux { keepalive: true });
        assert_eq!(mode("1.2.677.0"), PortMode::Mux { keepalive: false });
        assert_eq!(mode(""), PortMode::Basic);
        assert_eq!(mode("1.1"), PortMode::Basic);
        assert_eq!(mode("a-client/0.1.0"), PortMode::Mux { keepalive: false });
        assert_eq!(port_mode_of_agent(&json!({}), "1.2.677.0"), PortMode::Basic);
    }

    #[test]
    fn our_own_versions_agree_with_each_other() {
        let local = json!({"type": "LocalPortForwarding"});
        let client = port_mode_of_client(&local, "3.3.987.0");
        assert_eq!(client, port_mode_of_agent(&local, "1.2.677.0"));
    }

    #[test]
    fn the_terminate_flag_needs_an_agent_that_knows_it() {
        assert!(agent_takes_terminate_flag("3.3.987.0"));
        assert!(!agent_takes_terminate_flag("2.3.722.0"));
        assert!(!agent_takes_terminate_flag(""));
    }
}
