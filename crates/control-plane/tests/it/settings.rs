//! Service settings: what they are, who changed them, and what they change.

use crate::world::World;
use muster_store::test_database::on_both;
use serde_json::json;

const TIER: &str = "/ssm/parameter-store/default-parameter-tier";

#[tokio::test]
async fn settings_are_changed_told_and_reset() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let setting = async |operation: &str| {
            let answer = world.ok(operation, json!({"SettingId": TIER})).await;
            answer["ServiceSetting"].clone()
        };
        let usual = setting("GetServiceSetting").await;
        assert_eq!(
            (&usual["SettingValue"], &usual["Status"]),
            (&json!("Standard"), &json!("Default"))
        );
        let arn = format!("arn:aws:ssm:eu-west-1:123456789012:servicesetting{TIER}");
        assert_eq!(usual["ARN"], arn.as_str());
        let update = |value: &str| json!({"SettingId": arn, "SettingValue": value});
        let message = world
            .refused("UpdateServiceSetting", update("Large"), "ValidationException")
            .await;
        assert!(
            message.contains("Standard, Advanced, Intelligent-Tiering"),
            "{message}"
        );
        world
            .ok("UpdateServiceSetting", update("Intelligent-Tiering"))
            .await;
        let changed = setting("GetServiceSetting").await;
        assert_eq!(changed["Status"], "Customized");
        assert_eq!(
            changed["LastModifiedUser"],
            "arn:aws:iam::123456789012:user/muster-operator"
        );
        // Parameters that name no tier follow it; those that are there keep theirs.
        let put = json!({"Name": "/large", "Type": "String", "Value": "x".repeat(5_000)});
        assert_eq!(world.ok("PutParameter", put.clone()).await["Tier"], "Advanced");
        assert_eq!(setting("ResetServiceSetting").await["SettingValue"], "Standard");
        world.ok("DeleteParameter", json!({"Name": "/large"})).await;
        world.refused("PutParameter", put, "ValidationException").await;
        let message = world
            .refused(
                "GetServiceSetting",
                json!({"SettingId": "/ssm/none"}),
                "ServiceSettingNotFound",
            )
            .await;
        assert!(message.contains(TIER), "{message}");
    })
    .await;
}

#[tokio::test]
async fn public_sharing_of_documents_can_be_turned_off() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let content =
            json!({"schemaVersion": "2.2", "mainSteps": [{"action": "aws:runShellScript", "name": "x"}]});
        world
            .ok(
                "CreateDocument",
                json!({"Name": "Mine", "Content": content.to_string()}),
            )
            .await;
        let id = "/ssm/documents/console/public-sharing-permission";
        world
            .ok(
                "UpdateServiceSetting",
                json!({"SettingId": id, "SettingValue": "Disable"}),
            )
            .await;
        let share = json!({"Name": "Mine", "PermissionType": "Share", "AccountIdsToAdd": ["All"]});
        world
            .refused(
                "ModifyDocumentPermission",
                share.clone(),
                "InvalidDocumentOperation",
            )
            .await;
        world.ok("ResetServiceSetting", json!({"SettingId": id})).await;
        world.ok("ModifyDocumentPermission", share).await;
    })
    .await;
}
