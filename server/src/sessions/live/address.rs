//! Where the token of a session may be shown: at Session Manager's own addresses, in whichever partition of AWS, and at the
//! endpoint that the settings name, which is where it came from. It is all that stands between somebody and the shell.

use crate::aws::Connection;
use http::Uri;

/// How the names of AWS's services end, by partition: commercial and GovCloud, China, the European sovereign cloud, those that are
/// kept apart, and dual-stack names.
const ENDINGS: [&str; 10] = [
    "amazonaws.com",
    "amazonaws.com.cn",
    "amazonaws.eu",
    "c2s.ic.gov",
    "sc2s.sgov.gov",
    "cloud.adc-e.uk",
    "csp.hci.ic.gov",
    "api.aws",
    "api.amazonwebservices.com.cn",
    "api.amazonwebservices.eu",
];

/// Whether a host is Session Manager's in a region: by its public names, or by that of an interface endpoint of a VPC.
fn is_session_manager(host: &str, region: &str) -> bool {
    let host = host.to_ascii_lowercase();
    let public = ["ssmmessages.", "ssmmessages-fips."]
        .iter()
        .find_map(|service| host.strip_prefix(service));
    let (rest, is_private) = match (public, host.split_once(".ssmmessages.")) {
        (Some(rest), _) => (rest, false),
        (None, Some((endpoint, rest))) if endpoint.starts_with("vpce-") && !endpoint.contains('.') => {
            (rest, true)
        }
        _ => return false,
    };
    let Some(ending) = rest.strip_prefix(region).and_then(|rest| rest.strip_prefix('.')) else {
        return false;
    };
    let ending = match (is_private, ending.strip_prefix("vpce.")) {
        (true, Some(ending)) => ending,
        (true, None) => return false,
        (false, _) => ending,
    };
    ENDINGS.contains(&ending)
}

/// Whether the address is at the endpoint of the settings, and as well protected.
fn is_at(uri: &Uri, endpoint: &str) -> bool {
    let Ok(endpoint) = endpoint.parse::<Uri>() else {
        return false;
    };
    let is_open = endpoint.scheme_str() == Some("http");
    endpoint.authority().is_some()
        && endpoint.authority() == uri.authority()
        && (is_open || uri.scheme_str() == Some("wss"))
}

/// Whether a token may be shown there; `endpoint` is where the settings say that services are.
///
/// # Errors
/// Why not, in words.
pub(super) fn check(uri: &Uri, connection: &Connection, endpoint: Option<&str>) -> Result<(), String> {
    if endpoint.is_some_and(|endpoint| is_at(uri, endpoint)) {
        return Ok(());
    }
    let host = uri.host().unwrap_or_default();
    if connection.embedded {
        return Err(format!("the session's address ({host}) is not at the endpoint"));
    }
    let is_plain = uri.authority().is_some_and(|authority| {
        matches!(authority.port_u16(), None | Some(443)) && !authority.as_str().contains('@')
    });
    if uri.scheme_str() == Some("wss") && is_plain && is_session_manager(host, &connection.region) {
        return Ok(());
    }
    Err(format!(
        "the session's address ({host}) is not Session Manager's in {}",
        connection.region
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use muster_domain::ids::ConnectionId;

    fn connection(region: &str, endpoint: Option<&str>, embedded: bool) -> Connection {
        Connection {
            id: ConnectionId::new("default"),
            name: String::new(),
            account: String::new(),
            region: region.into(),
            embedded,
            endpoint: endpoint.map(str::to_owned),
            role_arn: None,
            activation_role: String::new(),
            output_bucket: None,
            s3_endpoint: None,
            keys: None,
            url: String::new(),
            is_production: false,
        }
    }

    fn holds(url: &str, connection: &Connection) -> bool {
        let url = format!("{url}/v1/data-channel/s-1?role=publish_subscribe");
        check(&url.parse().unwrap(), connection, connection.endpoint.as_deref()).is_ok()
    }

    #[test]
    fn every_partition_is_known_and_nobody_else() {
        for (region, host) in [
            ("eu-west-1", "ssmmessages.eu-west-1.amazonaws.com"),
            ("eu-west-1", "ssmmessages.eu-west-1.amazonaws.com:443"),
            ("us-gov-west-1", "ssmmessages-fips.us-gov-west-1.amazonaws.com"),
            ("cn-north-1", "ssmmessages.cn-north-1.amazonaws.com.cn"),
            ("eusc-de-east-1", "ssmmessages.eusc-de-east-1.amazonaws.eu"),
            ("us-iso-east-1", "ssmmessages.us-iso-east-1.c2s.ic.gov"),
            ("eu-west-1", "ssmmessages.eu-west-1.api.aws"),
            ("eu-west-1", "vpce-0a-1b.ssmmessages.eu-west-1.vpce.amazonaws.com"),
        ] {
            let here = connection(region, None, false);
            assert!(holds(&format!("wss://{host}"), &here), "{host}");
            assert!(!holds(&format!("ws://{host}"), &here), "in the clear: {host}");
        }
        let here = connection("eu-west-1", None, false);
        for host in [
            "ssmmessages.eu-west-2.amazonaws.com",
            "ssmmessages.eu-west-1.amazonaws.com.evil.example",
            "ssmmessages.eu-west-1.evil.example",
            "ssmmessages.eu-west-1.s3.amazonaws.com",
            "somebody.s3.eu-west-1.amazonaws.com",
            "ec2-192-0-2-1.eu-west-1.compute.amazonaws.com",
            "a.ssmmessages.eu-west-1.vpce.amazonaws.com",
            "vpce-1.ssmmessages.eu-west-1.amazonaws.com",
            "ssmmessages.eu-west-1.amazonaws.com:8443",
            "me@ssmmessages.eu-west-1.amazonaws.com",
        ] {
            assert!(!holds(&format!("wss://{host}"), &here), "{host}");
        }
    }

    #[test]
    fn an_endpoint_of_the_settings_gets_back_what_it_gave() {
        for embedded in [true, false] {
            let open = connection("eu-west-1", Some("http://127.0.0.1:4580"), embedded);
            assert!(holds("ws://127.0.0.1:4580", &open));
            assert!(!holds("ws://127.0.0.1:4581", &open));
            let closed = connection("eu-west-1", Some("https://ssm.example"), embedded);
            assert!(holds("wss://ssm.example", &closed));
            assert!(!holds("ws://ssm.example", &closed), "in the clear");
        }
        let aws = connection("eu-west-1", Some("https://ssm.example"), false);
        assert!(holds("wss://ssmmessages.eu-west-1.amazonaws.com", &aws));
        let embedded = connection("eu-west-1", Some("http://127.0.0.1:4580"), true);
        assert!(!holds("wss://ssmmessages.eu-west-1.amazonaws.com", &embedded));
    }
}
