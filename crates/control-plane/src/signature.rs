//! Who signed a request. The arithmetic is in `agent_protocol::signing`; here are the keys, the clock,
//! and the service's refusals. What the caller may do is not decided here.

use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::fleet::queries as nodes;
use crate::keys::Holder;
use crate::validation::is_instance_id;
use http::HeaderMap;
use muster_agent_protocol::signing::{
    Authorization, NodeKey, SignedRequest, parse_authorization, sha256_hex, verify,
};
use muster_domain::Timestamp;

/// Who is calling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    Anonymous,
    /// Somebody with the operator's key, or the portal.
    Operator {
        key_id: String,
        is_portal: bool,
    },
    /// A node with temporary keys.
    Node {
        node_id: String,
        key_id: String,
    },
    /// A node that signed with its own key: only good for getting temporary keys.
    NodeKey {
        node_id: String,
    },
}

/// A signed request's caller and the region that it speaks to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signer {
    pub(crate) caller: Caller,
    pub(crate) region: String,
}

/// The parts of a request that matter here.
pub(crate) struct Signed<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
    /// The service that the credential must be scoped to.
    pub(crate) service: &'static str,
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn bad_signature(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidSignatureException", message)
}

/// Reads `20261123T094107Z`.
fn parse_amz_date(text: &str) -> Option<Timestamp> {
    let digits = |from: usize, to: usize| {
        text.get(from..to)
            .filter(|part| part.bytes().all(|b| b.is_ascii_digit()))
    };
    if text.len() != 16 || text.get(8..9) != Some("T") || text.get(15..) != Some("Z") {
        return None;
    }
    Timestamp::parse(&format!(
        "{}-{}-{}T{}:{}:{}Z",
        digits(0, 4)?,
        digits(4, 6)?,
        digits(6, 8)?,
        digits(9, 11)?,
        digits(11, 13)?,
        digits(13, 15)?
    ))
}

/// `20261123T094107Z`.
pub(crate) fn amz_date(at: Timestamp) -> String {
    let (y, mo, d, h, mi, s, _) = at.civil();
    format!("{y:04}{mo:02}{d:02}T{h:02}{mi:02}{s:02}Z")
}

/// A header that, when sent, changes what a call means, so it must be signed.
const MUST_BE_SIGNED: [&str; 4] = ["host", "x-amz-date", "x-amz-security-token", "x-amz-target"];

/// Says who signed the request.
pub(crate) async fn authenticate(plane: &ControlPlane, request: &Signed<'_>) -> ApiResult<Signer> {
    let Some(text) = header(request.headers, "authorization") else {
        return Err(ApiError::new(
            "MissingAuthenticationTokenException",
            "Missing Authentication Token",
        ));
    };
    let incomplete = |what: &str| ApiError::new("IncompleteSignatureException", what);
    let authorization = parse_authorization(text)
        .ok_or_else(|| incomplete("The Authorization header is not one of Signature Version 4."))?;
    check_scope(&authorization, request)?;
    let date = header(request.headers, "x-amz-date")
        .ok_or_else(|| incomplete("The request has no X-Amz-Date header."))?;
    let at = parse_amz_date(date)
        .ok_or_else(|| incomplete("The X-Amz-Date header is not of the form 20261123T094107Z."))?;
    let now = plane.clock.now();
    let skew = plane.config.clock_skew_ms;
    if now.since_ms(at) > skew {
        let limit = amz_date(now.plus_ms(-skew));
        return Err(bad_signature(format!(
            "Signature expired: {date} is now earlier than {limit} ({} - {} min.)",
            amz_date(now),
            skew / 60_000
        )));
    }
    if at.since_ms(now) > skew {
        let limit = amz_date(now.plus_ms(skew));
        return Err(bad_signature(format!(
            "Signature not yet current: {date} is still later than {limit} ({} + {} min.)",
            amz_date(now),
            skew / 60_000
        )));
    }
    let body_hash = body_hash(request)?;
    let signed = SignedRequest {
        method: request.method,
        path: request.path,
        query: request.query,
        headers: request.headers,
        body_hash: &body_hash,
    };
    let caller = who(plane, request, &authorization, &signed, date, now).await?;
    Ok(Signer {
        caller,
        region: authorization.region,
    })
}

fn check_scope(authorization: &Authorization, request: &Signed<'_>) -> ApiResult<()> {
    if authorization.service != request.service {
        return Err(bad_signature(format!(
            "Credential should be scoped to correct service: '{}'.",
            request.service
        )));
    }
    let region = &authorization.region;
    if !(1..=32).contains(&region.len()) || !region.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return Err(bad_signature(
            "The region in the credential scope cannot be read.",
        ));
    }
    for name in MUST_BE_SIGNED {
        let sent = request.headers.contains_key(name) || name == "host";
        if sent && !authorization.signed_headers.iter().any(|signed| signed == name) {
            return Err(bad_signature(format!(
                "'{name}' must be a 'SignedHeader' in the AWS Authorization."
            )));
        }
    }
    Ok(())
}

fn body_hash(request: &Signed<'_>) -> ApiResult<String> {
    const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
    let actual = sha256_hex(request.body);
    match header(request.headers, "x-amz-content-sha256") {
        // Only S3 lets the body be unsigned, and only what has no body is read there.
        Some(UNSIGNED) if request.service == "s3" => Ok(UNSIGNED.to_owned()),
        Some(claimed) if claimed != actual => Err(bad_signature(
            "The value of x-amz-content-sha256 is not the SHA-256 of the body that arrived.",
        )),
        _ => Ok(actual),
    }
}

async fn who(
    plane: &ControlPlane,
    request: &Signed<'_>,
    authorization: &Authorization,
    signed: &SignedRequest<'_>,
    date: &str,
    now: Timestamp,
) -> ApiResult<Caller> {
    let mismatch = || {
        bad_signature(
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
             Access Key and signing method. Consult the service documentation for details.",
        )
    };
    let unknown = || {
        ApiError::new(
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        )
    };
    let key_id = &authorization.key_id;
    if let Some((holder, secret)) = plane.keys.find(key_id) {
        if !verify(authorization, secret, signed, date) {
            return Err(mismatch());
        }
        return Ok(Caller::Operator {
            key_id: key_id.clone(),
            is_portal: holder == Holder::Portal,
        });
    }
    if let Some(token) = header(request.headers, "x-amz-security-token") {
        let token = plane
            .keys
            .open_token(token)
            .filter(|token| &token.access_key_id == key_id)
            .ok_or_else(unknown)?;
        if !verify(authorization, &token.secret_access_key, signed, date) {
            return Err(mismatch());
        }
        if token.expires_at <= now {
            return Err(ApiError::new(
                "ExpiredTokenException",
                "The security token included in the request is expired",
            ));
        }
        // A node that was deregistered keeps no rights until its token runs out.
        let node = nodes::node(plane.db.reader(), &token.node_id)
            .await?
            .ok_or_else(unknown)?;
        if node.region != authorization.region {
            return Err(ApiError::denied("The node is registered in another region."));
        }
        return Ok(Caller::Node {
            node_id: token.node_id,
            key_id: key_id.clone(),
        });
    }
    if request.service == "ssm" && is_instance_id(key_id) {
        let node = nodes::node(plane.db.reader(), key_id)
            .await?
            .ok_or_else(unknown)?;
        let key = NodeKey::parse(&node.public_key_type, &node.public_key).ok_or_else(unknown)?;
        if !key.verify(authorization, signed, date) {
            return Err(mismatch());
        }
        return Ok(Caller::NodeKey {
            node_id: key_id.clone(),
        });
    }
    Err(unknown())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_requests_are_read_and_written() {
        let at = parse_amz_date("20261123T094107Z").unwrap();
        assert_eq!(amz_date(at), "20261123T094107Z");
        for bad in [
            "",
            "2026-11-23T09:41:07Z",
            "20261123T094107",
            "2026112xT094107Z",
            "20261399T094107Z",
            "éééééééé",
        ] {
            assert_eq!(parse_amz_date(bad), None, "{bad}");
        }
    }
}
