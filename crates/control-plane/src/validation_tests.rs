//! The checks of the service model, by their messages.

use super::*;
use serde_json::json;

const INPUT: &[Member] = &[
    required("DocumentName", text(3, 5)),
    optional("InstanceIds", list(0, 2, &INSTANCE_ID)),
    optional(
        "Targets",
        list(0, 5, &Shape::Record(&[optional("Values", list(0, 1, &ANY_TEXT))])),
    ),
    optional("TimeoutSeconds", whole(30, 60)),
    sensitive(optional("Secret", text(0, 1))),
];

fn message(input: Value) -> String {
    read::<Value>(INPUT, input).unwrap_err().message.unwrap()
}

#[test]
fn one_violation_reads_as_the_service_writes_it() {
    assert_eq!(
        message(json!({})),
        "1 validation error detected: Value null at 'documentName' failed to satisfy constraint: Member must not be null"
    );
}

#[test]
fn all_violations_are_told_together_and_secrets_are_not_repeated() {
    let text = message(json!({
        "DocumentName": "x", "InstanceIds": ["nonsense"], "TimeoutSeconds": 5, "Secret": "geheim",
        "Targets": [{"Values": ["a", "b"]}],
    }));
    assert!(
        text.starts_with("5 validation errors detected: Value 'x' at 'documentName'"),
        "{text}"
    );
    assert!(text.contains("Value '[a, b]' at 'targets.1.member.values' failed to satisfy constraint: Member must have length less than or equal to 1; "));
    assert!(text.contains("at 'instanceIds.1.member' failed to satisfy constraint: Member must satisfy regular expression pattern: (^i-"));
    assert!(text.contains("; Value at 'secret' failed") && !text.contains("geheim"));
}

#[test]
fn a_wrong_type_is_no_violation_but_bad_serialization() {
    for input in [
        json!([]),
        json!({"DocumentName": 3}),
        json!({"DocumentName": "abc", "TimeoutSeconds": 1.5}),
    ] {
        assert_eq!(
            read::<Value>(INPUT, input).unwrap_err().code,
            "SerializationException"
        );
    }
    assert!(read::<Value>(INPUT, json!({"DocumentName": "abc", "TimeoutSeconds": null})).is_ok());
}

#[test]
fn ids_are_told_apart() {
    assert!(is_instance_id("mi-0123456789abcdef0") && is_instance_id("i-12345678"));
    assert!(
        !is_instance_id("mi-123")
            && !is_instance_id("../../../etc")
            && !is_managed_id("mi-0123456789ABCDEF0")
    );
    assert!(
        is_uuid("00112233-4455-6677-8899-aabbccddeeff") && !is_uuid("00112233-4455-6677-8899-aabbccddee/.")
    );
}
