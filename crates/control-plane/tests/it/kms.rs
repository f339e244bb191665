//! The key management service from outside: keys, aliases, sealing and opening, and what becomes of secrets when the
//! master key is not there.

use crate::world::World;
use muster_store::test_database::on_both;
use serde_json::json;
use std::sync::Arc;

#[tokio::test]
async fn keys_have_aliases_and_seal() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let key = world
            .ok("CreateKey", json!({"Description": "for parameters"}))
            .await["KeyMetadata"]
            .clone();
        let id = key["KeyId"].as_str().unwrap();
        let arn = format!("arn:aws:kms:eu-west-1:123456789012:key/{id}");
        assert_eq!((&key["Arn"], &key["KeyState"]), (&json!(arn), &json!("Enabled")));
        let alias = json!({"AliasName": "alias/parameter-store-key", "TargetKeyId": id});
        assert_eq!(world.ok("CreateAlias", alias.clone()).await, json!({}));
        world
            .refused("CreateAlias", alias, "AlreadyExistsException")
            .await;
        for (name, code) in [
            ("plain", "ValidationException"),
            ("alias/aws/x", "NotAuthorizedException"),
            ("alias/", "InvalidAliasNameException"),
        ] {
            world
                .refused("CreateAlias", json!({"AliasName": name, "TargetKeyId": id}), code)
                .await;
        }
        world
            .refused(
                "CreateAlias",
                json!({"AliasName": "alias/x", "TargetKeyId": "alias/parameter-store-key"}),
                "ValidationException",
            )
            .await;
        let names = [
            id.to_owned(),
            arn.clone(),
            "alias/parameter-store-key".to_owned(),
            "arn:aws:kms:eu-west-1:123456789012:alias/parameter-store-key".to_owned(),
        ];
        for name in &names {
            let described = world.ok("DescribeKey", json!({"KeyId": name})).await;
            assert_eq!(described["KeyMetadata"]["KeyId"], id, "{name}");
        }
        for (name, says) in [
            (
                "00112233-4455-6677-8899-aabbccddeeff",
                "Key 'arn:aws:kms:eu-west-1:123456789012:key/00112233",
            ),
            (
                "alias/none",
                "Alias arn:aws:kms:eu-west-1:123456789012:alias/none is not found.",
            ),
            ("alias/aws/s3", "is not found"),
            (
                "arn:aws:kms:us-east-1:123456789012:key/x",
                "not a key of this account and region",
            ),
            ("nonsense", "Invalid keyId 'nonsense'"),
        ] {
            let message = world
                .refused("DescribeKey", json!({"KeyId": name}), "NotFoundException")
                .await;
            assert!(message.contains(says), "{message}");
        }
        let context = json!({"for": "test"});
        let sealed = world
            .ok(
                "Encrypt",
                json!({"KeyId": names[2], "Plaintext": "c2VjcmV0", "EncryptionContext": context}),
            )
            .await;
        assert_eq!(
            (&sealed["KeyId"], &sealed["EncryptionAlgorithm"]),
            (&json!(arn), &json!("SYMMETRIC_DEFAULT"))
        );
        let blob = &sealed["CiphertextBlob"];
        let opened = world
            .ok(
                "Decrypt",
                json!({"CiphertextBlob": blob, "EncryptionContext": context, "KeyId": id}),
            )
            .await;
        assert_eq!(opened["Plaintext"], "c2VjcmV0");
        world
            .refused(
                "Decrypt",
                json!({"CiphertextBlob": blob}),
                "InvalidCiphertextException",
            )
            .await;
        world
            .refused(
                "Decrypt",
                json!({"CiphertextBlob": "eA=="}),
                "InvalidCiphertextException",
            )
            .await;
        let other = world.ok("CreateKey", json!({})).await["KeyMetadata"]["KeyId"].clone();
        world
            .refused(
                "Decrypt",
                json!({"CiphertextBlob": blob, "EncryptionContext": context, "KeyId": other}),
                "IncorrectKeyException",
            )
            .await;
        let made = world
            .ok("GenerateDataKey", json!({"KeyId": id, "KeySpec": "AES_256"}))
            .await;
        let again = world
            .ok("Decrypt", json!({"CiphertextBlob": made["CiphertextBlob"]}))
            .await;
        assert_eq!(made["Plaintext"], again["Plaintext"]);
        assert_eq!(made["Plaintext"].as_str().unwrap().len(), 44);
        for input in [
            json!({"KeyId": id}),
            json!({"KeyId": id, "KeySpec": "AES_128", "NumberOfBytes": 3}),
        ] {
            world
                .refused("GenerateDataKey", input, "ValidationException")
                .await;
        }
        for (input, code) in [
            (json!({"KeySpec": "RSA_2048"}), "UnsupportedOperationException"),
            (json!({"Policy": "{}"}), "UnsupportedOperationException"),
            (json!({"MultiRegion": true}), "UnsupportedOperationException"),
            (
                json!({"Tags": [{"TagKey": "k", "TagValue": "v"}]}),
                "TagException",
            ),
        ] {
            world.refused("CreateKey", input, code).await;
        }
        let log = format!("{:?}", world.audit.0.lock().unwrap());
        assert!(!log.contains(opened["Plaintext"].as_str().unwrap()));
        assert!(!log.contains(made["Plaintext"].as_str().unwrap()));
        assert!(log.contains("kms.Decrypt") && log.contains("kms.GenerateDataKey"));
    })
    .await;
}

#[tokio::test]
async fn keys_and_aliases_are_listed_page_by_page() {
    on_both(|db| async move {
        let world = World::new(db).await;
        for n in 0..3 {
            let key = world.ok("CreateKey", json!({})).await["KeyMetadata"]["KeyId"].clone();
            let alias = json!({"AliasName": format!("alias/k{n}"), "TargetKeyId": key});
            world.ok("CreateAlias", alias).await;
        }
        for (operation, list) in [("ListKeys", "Keys"), ("ListAliases", "Aliases")] {
            let first = world.ok(operation, json!({"Limit": 2})).await;
            assert_eq!(
                (first[list].as_array().unwrap().len(), &first["Truncated"]),
                (2, &json!(true))
            );
            let rest = world
                .ok(operation, json!({"Limit": 2, "Marker": first["NextMarker"]}))
                .await;
            assert_eq!(
                (rest[list].as_array().unwrap().len(), &rest["Truncated"]),
                (1, &json!(false))
            );
            world
                .refused(operation, json!({"Marker": "x"}), "InvalidMarkerException")
                .await;
        }
        let all = world.ok("ListAliases", json!({})).await;
        let of_one = world
            .ok("ListAliases", json!({"KeyId": all["Aliases"][1]["TargetKeyId"]}))
            .await;
        assert_eq!(of_one["Aliases"], json!([all["Aliases"][1]]));
    })
    .await;
}

#[tokio::test]
async fn secrets_survive_a_restart_and_a_lost_master_key_stops_the_start() {
    on_both(|db| async move {
        let world = World::new(db.clone()).await;
        let put = json!({"Name": "/s", "Value": "kept", "Type": "SecureString"});
        world.ok("PutParameter", put).await;
        let again = world.restarted().await;
        let found = again
            .ok("GetParameter", json!({"Name": "/s", "WithDecryption": true}))
            .await;
        assert_eq!(found["Parameter"]["Value"], "kept");
        let other = Arc::new(tempfile::tempdir().unwrap());
        let error = World::try_open(db, other, Arc::clone(&world.clock))
            .await
            .err()
            .unwrap()
            .to_string();
        assert!(
            error.contains("kms-master.key") && error.contains("backup"),
            "{error}"
        );
    })
    .await;
}
