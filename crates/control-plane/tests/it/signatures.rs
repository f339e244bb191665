//! Who is let in: keys, clocks, scopes, and what a node may do with its own.

use crate::world::{HOST, REGION, World, amz_date};
use http::HeaderMap;
use muster_agent_protocol::signing::{Credentials, SignedRequest, sha256_hex, sign};
use muster_store::test_database::on_both;
use serde_json::json;

fn headers(target: &str) -> Vec<(&'static str, String)> {
    vec![
        ("content-type", "application/x-amz-json-1.1".into()),
        ("x-amz-target", format!("AmazonSSM.{target}")),
    ]
}

/// What `ListCommands` answers when the request is signed so, and changed after signing.
async fn answered(
    world: &World,
    credentials: &Credentials,
    (service, region): (&str, &str),
    shift_ms: i64,
    change: impl Fn(&mut HeaderMap, &mut Vec<u8>),
) -> (u16, String) {
    let mut body = b"{}".to_vec();
    let mut map = HeaderMap::new();
    map.insert("host", HOST.parse().unwrap());
    for (name, value) in headers("ListCommands") {
        map.insert(name, value.parse().unwrap());
    }
    let request = SignedRequest {
        method: "POST",
        path: "/",
        query: "",
        headers: &map,
        body_hash: &sha256_hex(&body),
    };
    use muster_domain::time::Clock as _;
    let date = amz_date(world.clock.now().plus_ms(shift_ms));
    for (name, value) in sign(&request, credentials, region, service, &date) {
        map.insert(name, value.parse().unwrap());
    }
    change(&mut map, &mut body);
    let (status, _, answer) = world.send("POST", "/", map, body).await;
    let answer: serde_json::Value = serde_json::from_slice(&answer).unwrap();
    (status, answer["__type"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn only_a_true_fresh_signature_is_let_in() {
    on_both(|db| async {
        let world = World::new(db).await;
        let good = world.plane.operator_credentials();
        let keep = |_: &mut HeaderMap, _: &mut Vec<u8>| {};
        let ssm = ("ssm", REGION);
        assert_eq!(answered(&world, &good, ssm, 0, keep).await, (200, String::new()));
        assert_eq!(answered(&world, &good, ssm, -299_000, keep).await.0, 200);
        let forged = Credentials {
            secret_access_key: "wrong".into(),
            ..good.clone()
        };
        let stranger = Credentials {
            access_key_id: "AKIANOBODY".into(),
            ..good.clone()
        };
        let invalid = (400, "InvalidSignatureException".to_owned());
        assert_eq!(answered(&world, &forged, ssm, 0, keep).await, invalid);
        assert_eq!(
            answered(&world, &stranger, ssm, 0, keep).await,
            (400, "UnrecognizedClientException".into())
        );
        assert_eq!(answered(&world, &good, ssm, -301_000, keep).await, invalid);
        assert_eq!(answered(&world, &good, ssm, 302_000, keep).await, invalid);
        assert_eq!(answered(&world, &good, ("s3", REGION), 0, keep).await, invalid);
        assert_eq!(answered(&world, &good, ("ssm", "eu/west"), 0, keep).await.0, 400);
        let change_body = |_: &mut HeaderMap, body: &mut Vec<u8>| *body = b"{ }".to_vec();
        assert_eq!(answered(&world, &good, ssm, 0, change_body).await, invalid);
        let change_host = |map: &mut HeaderMap, _: &mut Vec<u8>| {
            map.insert("host", "other:1".parse().unwrap());
        };
        assert_eq!(answered(&world, &good, ssm, 0, change_host).await, invalid);
        let change_target = |map: &mut HeaderMap, _: &mut Vec<u8>| {
            map.insert("x-amz-target", "AmazonSSM.ListDocuments".parse().unwrap());
        };
        assert_eq!(answered(&world, &good, ssm, 0, change_target).await, invalid);
        let no_signature = |map: &mut HeaderMap, _: &mut Vec<u8>| {
            map.remove("authorization");
        };
        let missing = (400, "MissingAuthenticationTokenException".to_owned());
        assert_eq!(answered(&world, &good, ssm, 0, no_signature).await, missing);
        for text in [
            "",
            "Bearer x",
            "AWS4-HMAC-SHA256",
            "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=, Signature=",
        ] {
            let garbage = move |map: &mut HeaderMap, _: &mut Vec<u8>| {
                map.insert("authorization", text.parse().unwrap());
            };
            assert_eq!(answered(&world, &good, ssm, 0, garbage).await.0, 400, "{text}");
        }
        for date in ["", "yesterday", "20261399T000000Z"] {
            let change_date = move |map: &mut HeaderMap, _: &mut Vec<u8>| {
                map.insert("x-amz-date", date.parse().unwrap());
            };
            assert_eq!(
                answered(&world, &good, ssm, 0, change_date).await.0,
                400,
                "{date}"
            );
        }
        let unsigned_target = |map: &mut HeaderMap, _: &mut Vec<u8>| {
            let text = map["authorization"]
                .to_str()
                .unwrap()
                .replace(";x-amz-target", "");
            map.insert("authorization", text.parse().unwrap());
        };
        assert_eq!(answered(&world, &good, ssm, 0, unsigned_target).await, invalid);
    })
    .await;
}

#[tokio::test]
async fn a_nodes_keys_open_only_its_own_doors_and_not_for_ever() {
    on_both(|db| async {
        let world = World::new(db).await;
        let (one, two) = (world.node("one").await, world.node("two").await);
        let about = |id: &str| json!({"InstanceId": id, "AgentName": "a", "AgentVersion": "1", "PlatformType": "Linux"});
        let code = |(status, output): (u16, serde_json::Value)| {
            (status, output["__type"].as_str().unwrap_or_default().to_owned())
        };
        let denied = (400, "AccessDeniedException".to_owned());
        let foreign = world.call_as(&one.credentials, "UpdateInstanceInformation", about(&two.id)).await;
        assert_eq!(code(foreign), denied);
        assert_eq!(code(world.call_as(&one.credentials, "SendCommand", json!({})).await), denied);
        assert!(world.audit.0.lock().unwrap().iter().any(|(actor, _, _)| *actor == format!("node:{}", one.id)));
        let own_key = world.with_node_key(&one.id, &one.key, "UpdateInstanceInformation", about(&one.id)).await;
        assert_eq!(code(own_key), denied);
        let other_key = json!({"Fingerprint": "print-one"});
        let forged = world.with_node_key(&one.id, &two.key, "RequestManagedInstanceRoleToken", other_key).await;
        assert_eq!(code(forged).1, "InvalidSignatureException");
        let elsewhere = json!({"Fingerprint": "other"});
        let moved = world.with_node_key(&one.id, &one.key, "RequestManagedInstanceRoleToken", elsewhere).await;
        assert_eq!(code(moved).1, "MachineFingerprintDoesNotMatch");
        let borrowed = Credentials { session_token: two.credentials.session_token.clone(), ..one.credentials.clone() };
        let mixed = world.call_as(&borrowed, "UpdateInstanceInformation", about(&one.id)).await;
        assert_eq!(code(mixed).1, "UnrecognizedClientException");
        world.clock.advance(3_600_001);
        let late = world.call_as(&one.credentials, "UpdateInstanceInformation", about(&one.id)).await;
        assert_eq!(code(late).1, "ExpiredTokenException");
        let fresh = world.credentials(&one.id, &one.key, "print-one").await;
        assert_eq!(world.call_as(&fresh, "UpdateInstanceInformation", about(&one.id)).await.0, 200);
        world.ok("DeregisterManagedInstance", json!({"InstanceId": one.id})).await;
        let gone = world.call_as(&fresh, "UpdateInstanceInformation", about(&one.id)).await;
        assert_eq!(code(gone).1, "UnrecognizedClientException");
    })
    .await;
}

#[tokio::test]
async fn a_node_changes_its_key_with_the_old_one() {
    on_both(|db| async {
        use base64::Engine as _;
        use ring::signature::KeyPair as _;
        let world = World::new(db).await;
        let node = world.node("one").await;
        let new = crate::world::new_key();
        let public = base64::engine::general_purpose::STANDARD.encode(new.public_key());
        let change = json!({"NewPublicKey": public, "NewPublicKeyType": "Ed25519"});
        let (status, output) = world
            .with_node_key(&node.id, &node.key, "UpdateManagedInstancePublicKey", change)
            .await;
        assert_eq!(status, 200, "{output}");
        let ask = json!({"Fingerprint": "print-one"});
        let old = world
            .with_node_key(&node.id, &node.key, "RequestManagedInstanceRoleToken", ask)
            .await;
        assert_eq!(old.0, 400);
        world.credentials(&node.id, &new, "print-one").await;
    })
    .await;
}

#[tokio::test]
async fn the_caller_is_told_who_it_is() {
    on_both(|db| async {
        let world = World::new(db).await;
        let body = b"Action=GetCallerIdentity&Version=2011-06-15".to_vec();
        let form = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
        let ask = async |credentials: &Credentials, service: &str, body: Vec<u8>| {
            let signed = world.signed(credentials, service, REGION, ("POST", "/", ""), &form, &body);
            let (status, _, answer) = world.send("POST", "/", signed, body).await;
            (status, String::from_utf8(answer).unwrap())
        };
        let (status, answer) = ask(&world.plane.operator_credentials(), "sts", body.clone()).await;
        assert_eq!(status, 200);
        assert!(answer.contains("<Account>123456789012</Account>"), "{answer}");
        let node = world.node("one").await;
        let (_, answer) = ask(&node.credentials, "sts", body.clone()).await;
        assert!(
            answer.contains(&format!("assumed-role/muster-node/{}", node.id)),
            "{answer}"
        );
        assert_eq!(ask(&node.credentials, "ssm", body).await.0, 400);
        let (status, answer) = ask(
            &world.plane.operator_credentials(),
            "sts",
            b"Action=AssumeRole".to_vec(),
        )
        .await;
        assert!(
            status == 400 && answer.contains("<Code>InvalidAction</Code>"),
            "{answer}"
        );
    })
    .await;
}

/// As Amazon's agent does it: RSA-PSS, in base64, where the hexadecimal HMAC would stand.
#[tokio::test]
async fn amazons_agent_signs_with_its_rsa_key() {
    on_both(|db| async {
        use base64::Engine as _;
        use base64::engine::general_purpose::STANDARD;
        use muster_agent_protocol::signing::string_to_sign;
        use muster_domain::time::Clock as _;
        let world = World::new(db).await;
        let key = ring::rsa::KeyPair::from_pkcs8(include_bytes!("keys/rsa-private.der")).unwrap();
        let public = STANDARD.encode(include_bytes!("keys/rsa-public.der"));
        let made = world.ok("CreateActivation", json!({"IamRole": "r"})).await;
        let joined = json!({"ActivationId": made["ActivationId"], "ActivationCode": made["ActivationCode"],
            "Fingerprint": "f", "PublicKey": public, "PublicKeyType": "Rsa"});
        let (status, output) = world.unsigned("RegisterManagedInstance", joined).await;
        assert_eq!(status, 200, "{output}");
        let id = output["InstanceId"].as_str().unwrap();
        let body = b"{\"Fingerprint\":\"f\"}".to_vec();
        let date = amz_date(world.clock.now());
        let mut map = HeaderMap::new();
        map.insert("host", HOST.parse().unwrap());
        map.insert("x-amz-date", date.parse().unwrap());
        map.insert("x-amz-content-sha256", sha256_hex(&body).parse().unwrap());
        for (name, value) in headers("RequestManagedInstanceRoleToken") {
            map.insert(name, value.parse().unwrap());
        }
        let names: Vec<String> = ["content-type", "host", "x-amz-date", "x-amz-target"]
            .iter()
            .map(|n| (*n).to_owned())
            .collect();
        let request = SignedRequest {
            method: "POST",
            path: "/",
            query: "",
            headers: &map,
            body_hash: &sha256_hex(&body),
        };
        let text = string_to_sign(&request, &names, &date, REGION, "ssm");
        let mut signature = vec![0; key.public().modulus_len()];
        let random = ring::rand::SystemRandom::new();
        key.sign(
            &ring::signature::RSA_PSS_SHA256,
            &random,
            text.as_bytes(),
            &mut signature,
        )
        .unwrap();
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={id}/{}/{REGION}/ssm/aws4_request, SignedHeaders={}, Signature={}",
            &date[..8],
            names.join(";"),
            STANDARD.encode(signature)
        );
        map.insert("authorization", authorization.parse().unwrap());
        let (status, _, answer) = world.send("POST", "/", map, body).await;
        let answer: serde_json::Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!(status, 200, "{answer}");
        for name in [
            "AccessKeyId",
            "SecretAccessKey",
            "SessionToken",
            "TokenExpirationDate",
            "UpdateKeyPair",
        ] {
            assert!(!answer[name].is_null(), "{name}");
        }
    })
    .await;
}
