//! For each operation of Parameter Store, of the key management service, and some on documents, every member with a value that fits.

use crate::bad_input_tables::UUID;
use serde_json::{Value, json};

pub(crate) fn examples() -> Vec<(&'static str, Value)> {
    let filters = json!([{"Key": "Type", "Option": "Equals", "Values": ["String"]}]);
    let context = json!({"a": "b"});
    let recipient = json!({"KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256", "AttestationDocument": "eA=="});
    vec![
        (
            "DescribeDocumentPermission",
            json!({"Name": "name", "PermissionType": "Share", "MaxResults": 1, "NextToken": "x"}),
        ),
        (
            "ListDocumentVersions",
            json!({"Name": "name", "MaxResults": 1, "NextToken": "x"}),
        ),
        (
            "ModifyDocumentPermission",
            json!({"Name": "name", "PermissionType": "Share", "AccountIdsToAdd": ["all"],
                "AccountIdsToRemove": ["123456789012"], "SharedDocumentVersion": "$ALL"}),
        ),
        ("GetServiceSetting", json!({"SettingId": "x"})),
        ("ResetServiceSetting", json!({"SettingId": "x"})),
        (
            "UpdateServiceSetting",
            json!({"SettingId": "x", "SettingValue": "v"}),
        ),
        (
            "PutParameter",
            json!({"Name": "/none/x", "Description": "d", "Value": "v", "Type": "String", "KeyId": "alias/none",
                "Overwrite": false, "AllowedPattern": ".*", "Tags": [{"Key": "k", "Value": "v"}], "Tier": "Standard",
                "Policies": "[{}]", "DataType": "text"}),
        ),
        ("GetParameter", json!({"Name": "/none", "WithDecryption": true})),
        (
            "GetParameters",
            json!({"Names": ["/none"], "WithDecryption": true}),
        ),
        (
            "GetParametersByPath",
            json!({"Path": "/none", "Recursive": true, "ParameterFilters": filters, "WithDecryption": true,
                "MaxResults": 1, "NextToken": "x"}),
        ),
        (
            "GetParameterHistory",
            json!({"Name": "/none", "WithDecryption": true, "MaxResults": 1, "NextToken": "x"}),
        ),
        (
            "DescribeParameters",
            json!({"Filters": [{"Key": "Name", "Values": ["x"]}], "ParameterFilters": filters, "MaxResults": 1,
                "NextToken": "x", "Shared": false}),
        ),
        ("DeleteParameter", json!({"Name": "/none"})),
        ("DeleteParameters", json!({"Names": ["/none"]})),
        (
            "LabelParameterVersion",
            json!({"Name": "/none", "ParameterVersion": 1, "Labels": ["live"]}),
        ),
        (
            "UnlabelParameterVersion",
            json!({"Name": "/none", "ParameterVersion": 1, "Labels": ["live"]}),
        ),
        (
            "CreateKey",
            json!({"Policy": "{}", "Description": "d", "KeyUsage": "ENCRYPT_DECRYPT",
                "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT", "KeySpec": "SYMMETRIC_DEFAULT", "Origin": "AWS_KMS",
                "CustomKeyStoreId": "c", "BypassPolicyLockoutSafetyCheck": true,
                "Tags": [{"TagKey": "k", "TagValue": "v"}], "MultiRegion": false, "XksKeyId": "x"}),
        ),
        (
            "CreateAlias",
            json!({"AliasName": "alias/none", "TargetKeyId": UUID}),
        ),
        ("DescribeKey", json!({"KeyId": UUID, "GrantTokens": ["t"]})),
        (
            "ListKeys",
            json!({"Limit": 1, "Marker": "x", "ResourceOwners": ["SELF"]}),
        ),
        ("ListAliases", json!({"KeyId": UUID, "Limit": 1, "Marker": "x"})),
        (
            "Encrypt",
            json!({"KeyId": UUID, "Plaintext": "eA==", "EncryptionContext": context, "GrantTokens": ["t"],
                "EncryptionAlgorithm": "SYMMETRIC_DEFAULT", "DryRun": false}),
        ),
        (
            "Decrypt",
            json!({"CiphertextBlob": "eA==", "EncryptionContext": context, "GrantTokens": ["t"], "KeyId": UUID,
                "EncryptionAlgorithm": "SYMMETRIC_DEFAULT", "Recipient": recipient, "DryRun": false,
                "DryRunModifiers": ["IGNORE_CIPHERTEXT"]}),
        ),
        (
            "GenerateDataKey",
            json!({"KeyId": UUID, "EncryptionContext": context, "NumberOfBytes": 1, "KeySpec": "AES_256",
                "GrantTokens": ["t"], "Recipient": recipient, "DryRun": false}),
        ),
    ]
}
