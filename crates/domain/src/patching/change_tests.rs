//! What can be said against a change of a baseline.

use super::*;

fn fields() -> BaselineFields {
    BaselineFields {
        name: "web-servers".into(),
        operating_system: "DEBIAN".into(),
        rules: vec![ApprovalRule {
            filters: PatchFilter::read("PRODUCT=*").unwrap(),
            compliance_level: "HIGH".into(),
            approve_after_days: Some(3),
            approve_until_date: None,
            enable_non_security: false,
        }],
        approved_level: "UNSPECIFIED".into(),
        rejected_action: "BLOCK".into(),
        ..BaselineFields::default()
    }
}

fn complaints(change: impl Fn(&mut BaselineFields)) -> Vec<String> {
    let mut fields = fields();
    change(&mut fields);
    match (BaselineChange::Create { fields }).check() {
        Err(PortalError::Invalid { fields }) => fields.into_iter().map(|one| one.field).collect(),
        Ok(()) => Vec::new(),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn whatever_is_wrong_is_named_by_its_field() {
    assert!(complaints(|_| ()).is_empty());
    assert_eq!(complaints(|fields| fields.name = "a b".into()), ["name"]);
    assert_eq!(
        complaints(|fields| fields.operating_system = "OS2".into()),
        ["operating_system"]
    );
    assert_eq!(
        complaints(|fields| fields.description = "x".repeat(1_025)),
        ["description"]
    );
    assert_eq!(
        complaints(|fields| fields.rules[0].filters.clear()),
        ["filters.0"]
    );
    assert_eq!(
        complaints(|fields| fields.rules[0].filters[0].values[0] = "x".repeat(65)),
        ["filters.0"]
    );
    assert_eq!(
        complaints(|fields| fields.rules[0].compliance_level = "BAD".into()),
        ["levels.0"]
    );
    assert_eq!(
        complaints(|fields| fields.rules[0].approve_after_days = Some(361)),
        ["days.0"]
    );
    assert_eq!(
        complaints(|fields| fields.rules[0].approve_after_days = None),
        ["days.0"]
    );
    assert_eq!(
        complaints(|fields| fields.rules[0].approve_until_date = Some("2030-01-31".into())),
        ["until.0"]
    );
    assert_eq!(
        complaints(|fields| {
            fields.rules[0].approve_after_days = None;
            fields.rules[0].approve_until_date = Some("31.1.2030".into());
        }),
        ["until.0"]
    );
    assert_eq!(
        complaints(|fields| fields.rules = vec![fields.rules[0].clone(); 11]),
        ["rules"]
    );
    assert_eq!(
        complaints(|fields| fields.approved_patches = vec!["x".into(); 51]),
        ["approved_patches"]
    );
    assert_eq!(
        complaints(|fields| {
            fields.approved_patches = vec!["openssl*".into()];
            fields.rejected_patches = vec!["openssl*".into()];
        }),
        ["rejected_patches"]
    );
    assert_eq!(
        complaints(|fields| fields.rejected_action = String::new()),
        ["rejected_action"]
    );
}

#[test]
fn what_a_form_does_not_say_stays() {
    let base = BaselineContent {
        available_security_updates: "NON_COMPLIANT".into(),
        global_filters: PatchFilter::read("SECTION=main").unwrap(),
        ..BaselineContent::default()
    };
    let applied = fields().applied_to(&base);
    assert_eq!(applied.global_filters, base.global_filters);
    assert_eq!(applied.available_security_updates, "NON_COMPLIANT");
    assert_eq!(applied.name, "web-servers");
}

#[test]
fn groups_and_deletions_are_checked() {
    let group = |group: &str| {
        let change = BaselineChange::AddGroup {
            baseline_id: "pb-1".into(),
            seen: String::new(),
            group: group.into(),
        };
        change.check().is_ok()
    };
    assert!(group("Web Servers/EU") && !group("") && !group("a\nb"));
    let delete = |confirmation: &str| {
        let delete = DeleteBaseline {
            baseline_id: "pb-1".into(),
            seen: String::new(),
            name: "web".into(),
            confirmation: confirmation.into(),
        };
        delete.check().is_ok()
    };
    assert!(delete("web") && !delete("wep") && !delete(""));
}
