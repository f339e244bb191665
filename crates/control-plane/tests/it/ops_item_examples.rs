//! For each operation on OpsItems every member with a value that fits.

use serde_json::{Value, json};

const ITEM: &str = "oi-0123456789ab";

pub(crate) fn examples() -> Vec<(&'static str, Value)> {
    let arn = format!("arn:aws:ssm:eu-west-1:123456789012:opsitem/{ITEM}");
    let common = json!({"Description": "d", "OperationalData": {"k": {"Value": "v", "Type": "String"}},
        "Notifications": [{"Arn": "arn:aws:sns:eu-west-1:123456789012:t"}], "Priority": 1,
        "RelatedOpsItems": [{"OpsItemId": ITEM}], "Title": "t", "Category": "c", "Severity": "s",
        "ActualStartTime": 1.5, "ActualEndTime": 1.5, "PlannedStartTime": 1.5, "PlannedEndTime": 1.5});
    let with = |more: Value| {
        let mut all = common.clone();
        for (name, value) in more.as_object().unwrap() {
            all[name] = value.clone();
        }
        all
    };
    vec![
        (
            "CreateOpsItem",
            with(
                json!({"OpsItemType": "/aws/issue", "Source": "s", "Tags": [{"Key": "k", "Value": "v"}],
                "AccountId": "123456789012"}),
            ),
        ),
        (
            "UpdateOpsItem",
            with(
                json!({"OperationalDataToDelete": ["k"], "Status": "Open", "OpsItemId": ITEM, "OpsItemArn": arn}),
            ),
        ),
        ("GetOpsItem", json!({"OpsItemId": ITEM, "OpsItemArn": arn})),
        (
            "GetOpsSummary",
            json!({"SyncName": "s", "Filters": [{"Key": "AWS:OpsItem.Status", "Values": ["Open"], "Type": "Equal"}],
                "Aggregators": [{"AggregatorType": "count", "TypeName": "AWS:OpsItem", "AttributeName": "Status",
                    "Values": {"k": "v"}, "Filters": [{"Key": "AWS:OpsItem.Status", "Values": ["Open"]}],
                    "Aggregators": [{"AggregatorType": "count", "TypeName": "AWS:OpsItem", "AttributeName": "Source"}]}],
                "ResultAttributes": [{"TypeName": "AWS:OpsItem"}], "MaxResults": 1, "NextToken": "x"}),
        ),
        ("DeleteOpsItem", json!({"OpsItemId": ITEM})),
        (
            "DescribeOpsItems",
            json!({"OpsItemFilters": [{"Key": "Status", "Values": ["Open"], "Operator": "Equal"}], "MaxResults": 1,
                "NextToken": "x"}),
        ),
        (
            "AssociateOpsItemRelatedItem",
            json!({"OpsItemId": ITEM, "AssociationType": "RelatesTo", "ResourceType": "t", "ResourceUri": "u"}),
        ),
        (
            "DisassociateOpsItemRelatedItem",
            json!({"OpsItemId": ITEM, "AssociationId": "a"}),
        ),
        (
            "ListOpsItemRelatedItems",
            json!({"OpsItemId": ITEM, "Filters": [{"Key": "ResourceUri", "Values": ["u"], "Operator": "Equal"}],
                "MaxResults": 1, "NextToken": "x"}),
        ),
        (
            "ListOpsItemEvents",
            json!({"Filters": [{"Key": "OpsItemId", "Values": [ITEM], "Operator": "Equal"}], "MaxResults": 1,
                "NextToken": "x"}),
        ),
    ]
}
