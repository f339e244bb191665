//! For each operation on patches and inventory every member with a value that fits.

use crate::bad_input_tables::{NODE, UUID};
use serde_json::{Value, json};

const BASELINE: &str = "pb-0123456789abcdef0";

pub(crate) fn examples() -> Vec<(&'static str, Value)> {
    let group = json!({"PatchFilters": [{"Key": "PRODUCT", "Values": ["*"]}]});
    let filters = json!([{"Key": "OWNER", "Values": ["x"]}]);
    let inventory =
        json!({"Key": "AWS:InstanceInformation.PlatformType", "Values": ["Linux"], "Type": "Equal"});
    let entry = json!({"a": "b"});
    let baseline = json!({"Name": "name", "GlobalFilters": group,
        "ApprovalRules": {"PatchRules": [{"PatchFilterGroup": group, "ComplianceLevel": "CRITICAL",
            "ApproveAfterDays": 1, "ApproveUntilDate": "2030-01-01", "EnableNonSecurity": true}]},
        "ApprovedPatches": ["a"], "ApprovedPatchesComplianceLevel": "HIGH", "ApprovedPatchesEnableNonSecurity": true,
        "RejectedPatches": ["b"], "RejectedPatchesAction": "BLOCK", "Description": "d",
        "Sources": [{"Name": "src", "Products": ["*"], "Configuration": "deb x"}],
        "AvailableSecurityUpdatesComplianceStatus": "COMPLIANT"});
    let with = |base: &Value, more: Value| {
        let mut all = base.clone();
        for (name, value) in more.as_object().unwrap() {
            all[name] = value.clone();
        }
        all
    };
    let paged = json!({"Filters": filters, "MaxResults": 1, "NextToken": "x"});
    let long = json!({"MaxResults": 10, "NextToken": "x"});
    let of_group = json!({"BaselineId": BASELINE, "PatchGroup": "web"});
    vec![
        (
            "CreatePatchBaseline",
            with(
                &baseline,
                json!({"OperatingSystem": "DEBIAN", "ClientToken": "t", "Tags": [{"Key": "k", "Value": "v"}]}),
            ),
        ),
        (
            "UpdatePatchBaseline",
            with(&baseline, json!({"BaselineId": BASELINE, "Replace": false})),
        ),
        ("GetPatchBaseline", json!({"BaselineId": BASELINE})),
        ("DeletePatchBaseline", json!({"BaselineId": BASELINE})),
        ("RegisterDefaultPatchBaseline", json!({"BaselineId": BASELINE})),
        ("GetDefaultPatchBaseline", json!({"OperatingSystem": "DEBIAN"})),
        ("RegisterPatchBaselineForPatchGroup", of_group.clone()),
        ("DeregisterPatchBaselineForPatchGroup", of_group),
        (
            "GetPatchBaselineForPatchGroup",
            json!({"PatchGroup": "web", "OperatingSystem": "DEBIAN"}),
        ),
        ("DescribePatchBaselines", paged.clone()),
        ("DescribePatchGroups", paged.clone()),
        ("DescribeAvailablePatches", paged.clone()),
        (
            "DescribeEffectivePatchesForPatchBaseline",
            json!({"BaselineId": BASELINE, "MaxResults": 1, "NextToken": "x"}),
        ),
        (
            "DescribePatchProperties",
            json!({"OperatingSystem": "DEBIAN", "Property": "PRODUCT", "PatchSet": "OS", "MaxResults": 1,
                "NextToken": "x"}),
        ),
        ("DescribePatchGroupState", json!({"PatchGroup": "web"})),
        (
            "DescribeInstancePatchStates",
            with(&long, json!({"InstanceIds": [NODE]})),
        ),
        (
            "DescribeInstancePatchStatesForPatchGroup",
            with(
                &long,
                json!({"PatchGroup": "web", "Filters": [{"Key": "MissingCount", "Values": ["1"], "Type": "Equal"}]}),
            ),
        ),
        (
            "DescribeInstancePatches",
            with(&long, json!({"InstanceId": NODE, "Filters": filters})),
        ),
        (
            "PutInventory",
            json!({"InstanceId": NODE, "Items": [{"TypeName": "Custom:X", "SchemaVersion": "1.0",
                "CaptureTime": "2026-11-26T12:00:00Z", "ContentHash": "h", "Content": [entry], "Context": entry}]}),
        ),
        (
            "GetInventory",
            json!({"Filters": [inventory], "Aggregators": [{"Expression": "AWS:InstanceInformation.PlatformType",
                "Aggregators": [{"Expression": "AWS:InstanceInformation.PlatformName",
                    "Groups": [{"Name": "g", "Filters": [inventory]}]}],
                "Groups": [{"Name": "g", "Filters": [inventory]}]}],
                "ResultAttributes": [{"TypeName": "AWS:Application"}], "NextToken": "x", "MaxResults": 1}),
        ),
        (
            "GetInventorySchema",
            json!({"TypeName": "AWS:", "NextToken": "x", "MaxResults": 50, "Aggregator": false, "SubType": false}),
        ),
        (
            "DeleteInventory",
            json!({"TypeName": "Custom:X", "SchemaDeleteOption": "DeleteSchema", "DryRun": true,
                "ClientToken": UUID}),
        ),
        (
            "DescribeInventoryDeletions",
            json!({"DeletionId": UUID, "NextToken": "x", "MaxResults": 1}),
        ),
        (
            "ListInventoryEntries",
            json!({"InstanceId": NODE, "TypeName": "Custom:X", "Filters": [{"Key": "a", "Values": ["b"],
                "Type": "Equal"}], "NextToken": "x", "MaxResults": 1}),
        ),
    ]
}
