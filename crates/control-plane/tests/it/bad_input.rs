//! Bad input to every operation: nothing, wrong types, every constraint, too much of it, no JSON at all.
//! The answer is always a 4xx that says what is wrong.
//! Long because it is a table.

use crate::bad_input_tables::{UUID, members, violations};
use crate::world::World;
use muster_store::test_database::on_both;
use serde_json::{Value, json};

fn with(base: &Value, more: &Value) -> Value {
    let mut input = base.clone();
    for (name, value) in more.as_object().unwrap() {
        input[name] = value.clone();
    }
    input
}

#[tokio::test]
async fn what_the_model_does_not_say_by_itself_is_checked_too() {
    on_both(|db| async {
        let world = World::new(db).await;
        let members = members();
        for (operation, bad, says) in violations() {
            let base = &members.iter().find(|(name, _)| *name == operation).unwrap().1;
            let message = world
                .refused(operation, with(base, &bad), "ValidationException")
                .await;
            assert!(message.contains(says), "{operation} {says}: {message}");
            assert!(
                message.starts_with("1 validation error detected: Value"),
                "{message}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn wrong_types_and_endless_texts_are_refused() {
    on_both(|db| async {
        let world = World::new(db).await;
        for (operation, base) in members() {
            for (name, value) in base.as_object().unwrap() {
                for other in [
                    json!(7),
                    json!("x"),
                    json!(true),
                    json!([]),
                    json!({}),
                    json!([[]]),
                    json!(["x", null]),
                ] {
                    let is_same = std::mem::discriminant(&other) == std::mem::discriminant(value);
                    let (status, output) = world.call(operation, with(&base, &json!({name: other}))).await;
                    assert!(
                        is_same || status == 400,
                        "{operation}.{name} {other}: {status} {output}"
                    );
                    assert!(status < 500, "{operation}.{name} {other}: {output}");
                }
                let endless = match value {
                    Value::String(_) => json!("ä".repeat(500_000)),
                    Value::Array(_) => json!(["x".repeat(1_000_000)]),
                    Value::Number(_) => json!(1e300),
                    _ => continue,
                };
                let (status, output) = world.call(operation, with(&base, &json!({name: endless}))).await;
                assert_eq!(status, 400, "{operation}.{name}");
                assert!(
                    output.to_string().len() < 50_000,
                    "{operation}.{name} answers too much"
                );
            }
        }
    })
    .await;
}

#[tokio::test]
async fn bodies_that_are_no_json_objects_are_refused() {
    on_both(|db| async {
        let world = World::new(db).await;
        let keys = world.plane.operator_credentials();
        let deep = [b"{\"a\":".repeat(5_000), b"1".to_vec(), b"}".repeat(5_000)].concat();
        let bodies: [&[u8]; 10] = [
            b"{",
            b"[]",
            b"3",
            b"null",
            b"\"x\"",
            b"{\"a\":1,}",
            b"\xff\xfe",
            b"{\"a\":\"\xc3\"}",
            b"\0",
            &deep,
        ];
        for (operation, _) in members() {
            for body in bodies {
                let (status, output) = world.raw(&keys, operation, body.to_vec()).await;
                assert_eq!(
                    (status, output["__type"].as_str()),
                    (400, Some("SerializationException")),
                    "{operation}"
                );
            }
            let large = world.raw(&keys, operation, vec![b' '; (1 << 20) + 1]).await;
            assert_eq!(large.0, 400, "{operation}");
            assert_eq!(large.1["__type"], "RequestEntityTooLargeException");
        }
    })
    .await;
}

#[tokio::test]
async fn agents_are_checked_as_strictly() {
    on_both(|db| async {
        let world = World::new(db).await;
        let node = world.node("one").await;
        for input in [
            json!({}),
            json!({"InstanceId": 3}),
            json!({"InstanceId": node.id, "PlatformType": "Plan9"}),
            json!({"InstanceId": node.id, "ComputerName": "x".repeat(256)}),
            json!({"InstanceId": "../x"}),
        ] {
            let (status, output) = world.call_as(&node.credentials, "UpdateInstanceInformation", input).await;
            assert_eq!(status, 400, "{output}");
        }
        for input in [
            json!({"ActivationId": UUID}),
            json!({"ActivationId": "x", "ActivationCode": "y"}),
            json!({"ActivationId": UUID, "ActivationCode": "x".repeat(20), "Fingerprint": "f", "PublicKey": "k", "PublicKeyType": "Dsa"}),
        ] {
            let (status, output) = world.unsigned("RegisterManagedInstance", input).await;
            assert_eq!((status, output["__type"].as_str()), (400, Some("ValidationException")));
            assert!(!output.to_string().contains(&"x".repeat(20)), "the code is not repeated: {output}");
        }
        let (status, _) = world.with_node_key(&node.id, &node.key, "RequestManagedInstanceRoleToken", json!({})).await;
        assert_eq!(status, 400);
    })
    .await;
}

#[tokio::test]
async fn what_is_not_there_is_never_a_fault_of_ours() {
    on_both(|db| async {
        let world = World::new(db).await;
        for (method, uri) in [
            ("GET", "/"),
            ("PUT", "/"),
            ("GET", "/v1/data-channel/x"),
            ("DELETE", "/v1/control-channel/mi-1"),
            ("GET", "/nothing/here"),
            ("POST", "/muster-command-output/x"),
            ("GET", "/muster-command-output/"),
        ] {
            let (status, _, _) = world.send(method, uri, http::HeaderMap::new(), Vec::new()).await;
            assert!((400..500).contains(&status), "{method} {uri}: {status}");
        }
        for path in [
            "/v1/control-channel/mi-1",
            "/v1/control-channel/..%2f..",
            "/v1/control-channel/%00",
        ] {
            for method in ["GET", "POST"] {
                let (status, _, _) = world.send(method, path, http::HeaderMap::new(), Vec::new()).await;
                assert!((400..500).contains(&status), "{method} {path}: {status}");
            }
        }
    })
    .await;
}
