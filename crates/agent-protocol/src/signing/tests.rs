//! Signing and checking, against AWS's published example and against what must not pass.

use super::*;
use ring::signature::KeyPair;

/// The worked example of AWS's own description of Signature Version 4 (`iam`, `ListUsers`).
#[test]
fn the_published_example_comes_out() {
    let mut headers = HeaderMap::new();
    headers.insert(
        "content-type",
        "application/x-www-form-urlencoded; charset=utf-8"
            .parse()
            .unwrap(),
    );
    headers.insert("host", "iam.amazonaws.com".parse().unwrap());
    headers.insert("x-amz-date", "20150830T123600Z".parse().unwrap());
    let request = SignedRequest {
        method: "GET",
        path: "/",
        query: "Action=ListUsers&Version=2010-05-08",
        headers: &headers,
        body_hash: &sha256_hex(b""),
    };
    let authorization = parse_authorization(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
         SignedHeaders=content-type;host;x-amz-date, \
         Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
    )
    .unwrap();
    let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    assert!(verify(&authorization, secret, &request, "20150830T123600Z"));
    assert!(!verify(&authorization, "another", &request, "20150830T123600Z"));
    let other = SignedRequest {
        query: "Action=ListRoles&Version=2010-05-08",
        ..request
    };
    assert!(!verify(&authorization, secret, &other, "20150830T123600Z"));
}

#[test]
fn what_is_signed_is_verified() {
    let mut headers = HeaderMap::new();
    headers.insert("host", "127.0.0.1:4580".parse().unwrap());
    let request = SignedRequest {
        method: "GET",
        path: "/v1/control-channel/mi-0",
        query: "stream=input&role=subscribe",
        headers: &headers,
        body_hash: &sha256_hex(b""),
    };
    let credentials = Credentials {
        access_key_id: "AKIA".into(),
        secret_access_key: "secret".into(),
        session_token: Some("token".into()),
    };
    let added = sign(
        &request,
        &credentials,
        "eu-west-1",
        "ssmmessages",
        "20261123T094107Z",
    );
    let mut sent = headers.clone();
    for (name, value) in &added {
        sent.insert(*name, value.parse().unwrap());
    }
    let authorization = parse_authorization(sent["authorization"].to_str().unwrap()).unwrap();
    assert_eq!(
        authorization.signed_headers,
        ["host", "x-amz-date", "x-amz-security-token"]
    );
    let received = SignedRequest {
        headers: &sent,
        ..request
    };
    assert!(verify(&authorization, "secret", &received, "20261123T094107Z"));
    assert!(!verify(&authorization, "secret", &received, "20261123T094108Z"));
}

#[test]
fn a_node_signs_with_its_own_key() {
    let document = Ed25519KeyPair::generate_pkcs8(&ring::rand::SystemRandom::new()).unwrap();
    let pair = Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap();
    let key = NodeKey::parse("Ed25519", &STANDARD.encode(pair.public_key())).unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("host", "cp:1".parse().unwrap());
    let hash = sha256_hex(b"{}");
    let request = SignedRequest {
        method: "POST",
        path: "/",
        query: "",
        headers: &headers,
        body_hash: &hash,
    };
    let added = sign_with_node_key(&request, "mi-1", &pair, "eu-west-1", "20261123T094107Z");
    let mut sent = headers.clone();
    for (name, value) in &added {
        sent.insert(*name, value.parse().unwrap());
    }
    let authorization = parse_authorization(sent["authorization"].to_str().unwrap()).unwrap();
    assert_eq!(authorization.key_id, "mi-1");
    let received = SignedRequest {
        headers: &sent,
        ..request
    };
    assert!(key.verify(&authorization, &received, "20261123T094107Z"));
    let forged = sha256_hex(b"{\"a\":1}");
    assert!(!key.verify(
        &authorization,
        &SignedRequest {
            body_hash: &forged,
            ..received
        },
        "20261123T094107Z"
    ));
}
