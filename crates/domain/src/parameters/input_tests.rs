//! What is said against inputs.

use super::*;

fn put(kind: ParameterKind, value: &str) -> PutParameter {
    PutParameter {
        name: "/app/x".into(),
        kind,
        value: NewValue::Typed {
            value: Value(value.into()),
        },
        replaces: None,
        tier: Some(ParameterTier::Standard),
        data_type: Some("text".into()),
        key_id: None,
        description: None,
        allowed_pattern: None,
        policies: None,
    }
}

fn field(input: &PutParameter) -> String {
    match input.check() {
        Ok(()) => String::new(),
        Err(PortalError::Invalid { fields }) => fields[0].field.clone(),
        Err(other) => other.to_string(),
    }
}

#[test]
fn limits_are_those_of_the_tier() {
    assert_eq!(field(&put(ParameterKind::String, &"ä".repeat(4_096))), "");
    assert_eq!(field(&put(ParameterKind::String, &"x".repeat(4_097))), "value");
    let mut large = put(ParameterKind::String, &"x".repeat(8_192));
    large.tier = Some(ParameterTier::Advanced);
    assert_eq!(field(&large), "");
    large.value = NewValue::Typed {
        value: Value("x".repeat(8_193)),
    };
    assert_eq!(field(&large), "value");
    assert_eq!(field(&put(ParameterKind::String, "")), "value");
    let mut policies = put(ParameterKind::String, "x");
    policies.policies = Some("[{\"Type\":\"Expiration\"}]".into());
    assert_eq!(field(&policies), "policies");
    policies.tier = Some(ParameterTier::Intelligent);
    assert_eq!(field(&policies), "");
    policies.policies = Some("{}".into());
    assert_eq!(field(&policies), "policies");
}

#[test]
fn what_does_not_go_together_is_said_at_its_field() {
    let mut image = put(ParameterKind::String, "ami-12345678");
    image.data_type = Some("aws:ec2:image".into());
    assert_eq!(field(&image), "");
    image.value = NewValue::Typed {
        value: Value("ubuntu".into()),
    };
    assert_eq!(field(&image), "value");
    image.kind = ParameterKind::SecureString;
    assert_eq!(field(&image), "data_type");
    let mut key = put(ParameterKind::String, "x");
    key.key_id = Some("alias/a".into());
    assert_eq!(field(&key), "key_id");
    key.kind = ParameterKind::SecureString;
    assert_eq!(field(&key), "");
    key.value = NewValue::Version { version: 3 };
    assert_eq!(field(&key), "value", "nothing to restore where there is nothing");
    key.replaces = Some(4);
    assert_eq!(field(&key), "");
}

#[test]
fn nothing_is_deleted_by_a_slip() {
    let delete = |confirmation: &str| DeleteParameter {
        name: "/app/x".into(),
        version: 1,
        confirmation: confirmation.into(),
    };
    assert!(delete("/app/y").check().is_err());
    assert!(delete(" /app/x ").check().is_ok());
}

#[test]
fn labels_are_told_from_other_texts() {
    let label = |labels: &[&str]| LabelVersion {
        name: "/x".into(),
        version: 1,
        labels: labels.iter().map(|one| (*one).to_owned()).collect(),
    };
    assert!(label(&["live", "Prod-1", "a.b_c"]).check().is_ok());
    assert!(label(&[]).check().is_err() && label(&["x"; 11]).check().is_err());
    for bad in ["", "1st", "awsx", "SSM", "a b", "ä"] {
        assert!(label(&[bad]).check().is_err(), "{bad}");
    }
}

#[test]
fn a_value_is_never_printed() {
    let text = format!("{:?}", put(ParameterKind::SecureString, "hunter2"));
    assert!(!text.contains("hunter2"), "{text}");
}
