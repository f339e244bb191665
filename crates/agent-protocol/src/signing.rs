//! Signature Version 4: the string that is signed, signing as a client and checking as a service;
//! and the variant by which a node signs with its own key. Pure functions: time is passed in.
//!
//! Source: AWS's public description of Signature Version 4; the node's variant as the open agent
//! writes it (base64 of the signature where the hexadecimal HMAC would stand).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use ring::digest::{SHA256, digest};
use ring::hmac;
use ring::signature::{ED25519, Ed25519KeyPair, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};

/// The request as far as it is signed.
#[derive(Clone, Copy, Debug)]
pub struct SignedRequest<'a> {
    /// `POST`.
    pub method: &'a str,
    /// The path as on the wire.
    pub path: &'a str,
    /// The query as on the wire, without `?`; may be empty.
    pub query: &'a str,
    /// All headers; `host` among them.
    pub headers: &'a HeaderMap,
    /// Lower-case hexadecimal SHA-256 of the body, or `UNSIGNED-PAYLOAD`.
    pub body_hash: &'a str,
}

/// The `Authorization` header, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorization {
    /// The access key id, or a node's id.
    pub key_id: String,
    /// `20261123`.
    pub date: String,
    /// `eu-west-1`.
    pub region: String,
    /// `ssm`.
    pub service: String,
    /// Lower-case names, in order.
    pub signed_headers: Vec<String>,
    /// Hexadecimal, or base64 for a node's own key.
    pub signature: String,
}

/// Keys to sign with.
#[derive(Clone)]
pub struct Credentials {
    /// Public.
    pub access_key_id: String,
    /// Secret.
    pub secret_access_key: String,
    /// For temporary keys.
    pub session_token: Option<String>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}

/// Lower-case hexadecimal SHA-256.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(digest(&SHA256, bytes))
}

/// Takes an `Authorization` header apart. `None` when it is not of Signature Version 4.
#[must_use]
pub fn parse_authorization(header: &str) -> Option<Authorization> {
    let rest = header.trim().strip_prefix("AWS4-HMAC-SHA256")?;
    let (mut credential, mut headers, mut signature) = (None, None, None);
    for part in rest.split(',') {
        // A base64 signature holds `=` itself: only the first one separates.
        let (name, value) = part.trim().split_once('=')?;
        match name {
            "Credential" => credential = Some(value),
            "SignedHeaders" => headers = Some(value),
            "Signature" => signature = Some(value),
            _ => {}
        }
    }
    let mut scope = credential?.split('/');
    let authorization = Authorization {
        key_id: scope.next()?.to_owned(),
        date: scope.next()?.to_owned(),
        region: scope.next()?.to_owned(),
        service: scope.next()?.to_owned(),
        signed_headers: headers?.split(';').map(str::to_ascii_lowercase).collect(),
        signature: signature?.to_owned(),
    };
    (scope.next() == Some("aws4_request") && scope.next().is_none()).then_some(authorization)
}

fn unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

fn encode_into(out: &mut String, bytes: &[u8], keep_slash: bool) {
    for &byte in bytes {
        if unreserved(byte) || (keep_slash && byte == b'/') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
}

fn percent_decode(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let code = (byte == b'%')
            .then(|| bytes.get(at + 1..at + 3))
            .flatten()
            .and_then(|pair| std::str::from_utf8(pair).ok())
            .and_then(|pair| u8::from_str_radix(pair, 16).ok());
        out.push(code.unwrap_or(byte));
        at += if code.is_some() { 3 } else { 1 };
    }
    out
}

fn canonical_query(query: &str) -> String {
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let (mut n, mut v) = (String::new(), String::new());
            encode_into(&mut n, &percent_decode(name), false);
            encode_into(&mut v, &percent_decode(value), false);
            (n, v)
        })
        .collect();
    pairs.sort();
    pairs
        .iter()
        .map(|(n, v)| format!("{n}={v}"))
        .collect::<Vec<_>>()
        .join("&")
}

/// The text that is signed. `amz_date` is `20261123T094107Z`.
#[must_use]
pub fn string_to_sign(
    request: &SignedRequest<'_>,
    signed_headers: &[String],
    amz_date: &str,
    region: &str,
    service: &str,
) -> String {
    let mut path = String::new();
    if service == "s3" {
        path.push_str(request.path);
    } else {
        // Every service but S3 encodes the path on the wire once more.
        encode_into(&mut path, request.path.as_bytes(), true);
    }
    let mut headers = String::new();
    for name in signed_headers {
        let values: Vec<String> = request
            .headers
            .get_all(name)
            .iter()
            .map(|value| {
                let text = String::from_utf8_lossy(value.as_bytes());
                text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
            })
            .collect();
        headers.push_str(&format!("{name}:{}\n", values.join(",")));
    }
    let canonical = format!(
        "{}\n{}\n{}\n{headers}\n{}\n{}",
        request.method,
        if path.is_empty() { "/" } else { &path },
        canonical_query(request.query),
        signed_headers.join(";"),
        request.body_hash,
    );
    let date = amz_date.get(..8).unwrap_or_default();
    format!(
        "AWS4-HMAC-SHA256\n{amz_date}\n{date}/{region}/{service}/aws4_request\n{}",
        sha256_hex(canonical.as_bytes())
    )
}

fn hmac_sha256(key: &[u8], text: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes())
}

/// The key for one day, region and service.
#[must_use]
pub fn signing_key(secret: &str, date: &str, region: &str, service: &str) -> hmac::Key {
    let day = hmac_sha256(format!("AWS4{secret}").as_bytes(), date);
    let region = hmac_sha256(day.as_ref(), region);
    let service = hmac_sha256(region.as_ref(), service);
    let key = hmac_sha256(service.as_ref(), "aws4_request");
    hmac::Key::new(hmac::HMAC_SHA256, key.as_ref())
}

/// Whether `authorization` was made with `secret` over this request. In constant time.
#[must_use]
pub fn verify(
    authorization: &Authorization,
    secret: &str,
    request: &SignedRequest<'_>,
    amz_date: &str,
) -> bool {
    let text = string_to_sign(
        request,
        &authorization.signed_headers,
        amz_date,
        &authorization.region,
        &authorization.service,
    );
    let key = signing_key(
        secret,
        &authorization.date,
        &authorization.region,
        &authorization.service,
    );
    let Ok(signature) = hex::decode(&authorization.signature) else {
        return false;
    };
    amz_date.get(..8) == Some(authorization.date.as_str())
        && hmac::verify(&key, text.as_bytes(), &signature).is_ok()
}

/// A node's public key as it registered it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeKey {
    /// Amazon's agent: PKCS#1 DER of an RSA key.
    Rsa(Vec<u8>),
    /// Our agent: the 32 raw bytes.
    Ed25519(Vec<u8>),
}

/// DER of `AlgorithmIdentifier { rsaEncryption, NULL }`.
const RSA_ALGORITHM: [u8; 15] = [
    0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
];

impl NodeKey {
    /// Reads what a node sends at registration. `None` when it is no such key.
    #[must_use]
    pub fn parse(public_key_type: &str, public_key: &str) -> Option<Self> {
        let bytes = STANDARD.decode(public_key.trim()).ok()?;
        match public_key_type {
            "Ed25519" => (bytes.len() == 32).then_some(Self::Ed25519(bytes)),
            "Rsa" => {
                // SubjectPublicKeyInfo: the key itself is the BIT STRING after the algorithm.
                let at = bytes
                    .windows(RSA_ALGORITHM.len())
                    .take(16)
                    .position(|w| w == RSA_ALGORITHM)?;
                let rest = bytes.get(at + RSA_ALGORITHM.len()..)?;
                let skip = match rest.get(..2)? {
                    [0x03, 0x81] => 3,
                    [0x03, 0x82] => 4,
                    [0x03, length] if *length < 0x80 => 2,
                    _ => return None,
                };
                // One more byte: the count of unused bits, always 0.
                Some(Self::Rsa(rest.get(skip + 1..)?.to_vec()))
            }
            _ => None,
        }
    }

    /// Whether `authorization` was made with this node's private key.
    #[must_use]
    pub fn verify(&self, authorization: &Authorization, request: &SignedRequest<'_>, amz_date: &str) -> bool {
        let text = string_to_sign(
            request,
            &authorization.signed_headers,
            amz_date,
            &authorization.region,
            &authorization.service,
        );
        let Ok(signature) = STANDARD.decode(&authorization.signature) else {
            return false;
        };
        match self {
            Self::Rsa(key) => UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, key)
                .verify(text.as_bytes(), &signature)
                .is_ok(),
            Self::Ed25519(key) => UnparsedPublicKey::new(&ED25519, key)
                .verify(text.as_bytes(), &signature)
                .is_ok(),
        }
    }
}

/// Headers to add so that the request is signed with `credentials`: `x-amz-date`,
/// `x-amz-security-token` for temporary keys, and `authorization`. All headers that
/// `request` holds are signed, so it must hold `host` and none that a proxy changes.
#[must_use]
pub fn sign(
    request: &SignedRequest<'_>,
    credentials: &Credentials,
    region: &str,
    service: &str,
    amz_date: &str,
) -> Vec<(&'static str, String)> {
    let mut added = vec![("x-amz-date", amz_date.to_owned())];
    added.extend(
        credentials
            .session_token
            .clone()
            .map(|token| ("x-amz-security-token", token)),
    );
    let (text, names) = prepare(request, &added, region, service, amz_date);
    let date = amz_date.get(..8).unwrap_or_default();
    let key = signing_key(&credentials.secret_access_key, date, region, service);
    let signature = hex::encode(hmac::sign(&key, text.as_bytes()));
    added.push((
        "authorization",
        authorization_header(
            &credentials.access_key_id,
            date,
            region,
            service,
            &names,
            &signature,
        ),
    ));
    added
}

/// As [`sign`], but with a node's own Ed25519 key: only for `RequestManagedInstanceRoleToken`.
#[must_use]
pub fn sign_with_node_key(
    request: &SignedRequest<'_>,
    node_id: &str,
    key: &Ed25519KeyPair,
    region: &str,
    amz_date: &str,
) -> Vec<(&'static str, String)> {
    let mut added = vec![("x-amz-date", amz_date.to_owned())];
    let (text, names) = prepare(request, &added, region, "ssm", amz_date);
    let signature = STANDARD.encode(key.sign(text.as_bytes()));
    let date = amz_date.get(..8).unwrap_or_default();
    added.push((
        "authorization",
        authorization_header(node_id, date, region, "ssm", &names, &signature),
    ));
    added
}

fn prepare(
    request: &SignedRequest<'_>,
    added: &[(&'static str, String)],
    region: &str,
    service: &str,
    amz_date: &str,
) -> (String, Vec<String>) {
    let mut headers = request.headers.clone();
    for (name, value) in added {
        if let Ok(value) = http::HeaderValue::from_str(value) {
            headers.insert(*name, value);
        }
    }
    let mut names: Vec<String> = headers.keys().map(|name| name.as_str().to_owned()).collect();
    names.sort();
    let request = SignedRequest {
        headers: &headers,
        ..*request
    };
    (string_to_sign(&request, &names, amz_date, region, service), names)
}

fn authorization_header(
    key_id: &str,
    date: &str,
    region: &str,
    service: &str,
    names: &[String],
    signature: &str,
) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential={key_id}/{date}/{region}/{service}/aws4_request, SignedHeaders={}, Signature={signature}",
        names.join(";")
    )
}

#[cfg(test)]
mod tests;
