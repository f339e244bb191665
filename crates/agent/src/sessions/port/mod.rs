//! Sessions that carry connections to a port. Many at once are in `mux`, one after the other in `basic`; where
//! connections may go is decided here.

mod basic;
mod mux;

use super::context::{Context, Ending};
use super::driver::Driver;
use super::plan::PortPlan;
use muster_session_channel::version::PortMode;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::net::TcpStream;

const DIAL_WITHIN: Duration = Duration::from_secs(10);
/// Addresses of one name that are tried.
const MOST_ADDRESSES: usize = 8;

/// Carries connections until the client, the gateway or the agent ends it.
pub(super) async fn run(context: &Context, mut driver: Driver, plan: PortPlan) -> Ending {
    let version = match context.started(&mut driver).await {
        Ok(version) => version,
        Err(ending) => {
            driver.close().await;
            return ending;
        }
    };
    let ending = match driver.port_mode(&version) {
        PortMode::Mux { keepalive } => mux::carry(context, &mut driver, &plan, keepalive).await,
        PortMode::Basic | PortMode::StandardStream => basic::carry(context, &mut driver, &plan).await,
    };
    match ending {
        Ok(()) => {
            driver.finish().await;
            Ending::success()
        }
        Err(ending) => {
            driver.close().await;
            ending
        }
    }
}

/// Link-local addresses are those of the services that hand a machine its credentials (169.254.169.254 and others), and
/// so is Amazon's own block in IPv6: who may reach a port through a node may not take the node's identity.
fn is_denied(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => v4.is_link_local(),
            None => v6.is_unicast_link_local() || v6.segments().starts_with(&AMAZON),
        },
    }
}

/// fd00:ec2::/32.
const AMAZON: [u16; 2] = [0xfd00, 0x0ec2];

/// Connects; the error is a sentence.
async fn dial(plan: &PortPlan) -> Result<TcpStream, String> {
    let port = plan.port;
    let name = plan.host.as_deref().unwrap_or("localhost");
    let dialled = tokio::time::timeout(DIAL_WITHIN, async {
        let addresses: Vec<SocketAddr> = match (&plan.host, name.parse::<IpAddr>()) {
            // Not by name: a node without a resolver has itself all the same.
            (None, _) => vec![
                SocketAddr::from(([127, 0, 0, 1], port)),
                SocketAddr::from((Ipv6Addr::LOCALHOST, port)),
            ],
            (Some(_), Ok(address)) => vec![SocketAddr::from((address, port))],
            (Some(_), Err(_)) => tokio::net::lookup_host((name, port))
                .await
                .map_err(|error| format!("The node cannot find the host {name}: {error}."))?
                .take(MOST_ADDRESSES)
                .collect(),
        };
        let mut reason = format!("The host {name} has no address.");
        for address in addresses {
            if is_denied(address.ip()) {
                reason = format!(
                    "Connections to {} are not allowed: it is link-local.",
                    address.ip()
                );
                continue;
            }
            // The address that was judged, not the name, which may mean another one by now.
            match TcpStream::connect(address).await {
                Ok(connection) => {
                    let _ = connection.set_nodelay(true);
                    return Ok(connection);
                }
                Err(error) => reason = format!("The node cannot connect to {name} port {port}: {error}."),
            }
        }
        Err(reason)
    });
    match dialled.await {
        Ok(result) => result,
        Err(_) => Err(format!(
            "The node cannot connect to {name} port {port}: no answer within {} seconds.",
            DIAL_WITHIN.as_secs()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_hand_out_credentials_are_denied() {
        for denied in [
            "169.254.169.254",
            "169.254.170.2",
            "fd00:ec2::254",
            "fd00:ec2::23",
            "fe80::1",
            "::ffff:169.254.169.254",
        ] {
            assert!(is_denied(denied.parse().unwrap()), "{denied}");
        }
        for allowed in ["127.0.0.1", "10.0.0.1", "::1", "fd00:ec3::254", "93.184.216.34"] {
            assert!(!is_denied(allowed.parse().unwrap()), "{allowed}");
        }
    }
}
