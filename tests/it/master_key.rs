//! The master key of secrets, sealed by a key management service: another Muster's, over the wire.

use muster_tests::Portal;
use muster_tests::api::Api;
use muster_tests::portal::program;
use serde_json::json;

#[tokio::test]
async fn the_master_key_is_sealed_by_a_service_somewhere_else() {
    let (service_folder, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let service = Portal::start(service_folder.path(), &["--local-node", "false"], &[]).unwrap();
    let kms = Api::of(&service).unwrap();
    let key = kms.call("CreateKey", json!({})).await.unwrap()["KeyMetadata"]["KeyId"].clone();
    for alias in ["alias/muster", "alias/next"] {
        let alias = json!({"AliasName": alias, "TargetKeyId": key});
        kms.call("CreateAlias", alias).await.unwrap();
    }
    let environment = [
        ("AWS_ENDPOINT_URL_KMS", service.ssm.as_str()),
        ("AWS_ACCESS_KEY_ID", kms.keys.access_key_id.as_str()),
        ("AWS_SECRET_ACCESS_KEY", kms.keys.secret_access_key.as_str()),
    ];
    let quiet = ["--local-node", "false"];
    let sealed = |uri: &'static str| [quiet[0], quiet[1], "--kms-master-key", uri];
    let (open_file, sealed_file) = (
        folder.path().join("kms-master.key"),
        folder.path().join("kms-master.sealed"),
    );
    let secret = json!({"Name": "/db/password", "Value": "a secret", "Type": "SecureString"});
    let read = async |portal: &Portal| {
        let wanted = json!({"Name": "/db/password", "WithDecryption": true});
        let api = Api::of(portal).unwrap();
        api.call("GetParameter", wanted).await.unwrap()["Parameter"]["Value"].clone()
    };

    // As it was before, with the key open in a file.
    let mut portal = Portal::start(folder.path(), &quiet, &[]).unwrap();
    Api::of(&portal)
        .unwrap()
        .call("PutParameter", secret)
        .await
        .unwrap();
    portal.kill().unwrap();
    assert!(open_file.exists());

    let mut portal = Portal::start(folder.path(), &sealed("aws-kms://alias/muster"), &environment).unwrap();
    assert_eq!(read(&portal).await, "a secret");
    portal.kill().unwrap();
    assert!(!open_file.exists() && sealed_file.exists());

    let mut portal = Portal::start(folder.path(), &sealed("aws-kms://alias/next"), &environment).unwrap();
    assert_eq!(read(&portal).await, "a secret");
    portal.kill().unwrap();
    let kept = std::fs::read_to_string(&sealed_file).unwrap();
    assert!(kept.contains("aws-kms://alias/next"), "{kept}");

    // Without the setting, with a wrong one, and without the service it does not start, and says why.
    let refused = |arguments: &[&str], environment: &[(&str, &str)]| {
        let out = std::process::Command::new(program().unwrap())
            .args([
                "serve",
                "--addr",
                "127.0.0.1:0",
                "--ssm-addr",
                "127.0.0.1:0",
                "--data-dir",
            ])
            .arg(folder.path())
            .args(arguments)
            .envs(environment.iter().copied())
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap();
        assert!(!out.status.success());
        String::from_utf8_lossy(&out.stderr).into_owned()
    };
    let unset = refused(&quiet, &[]);
    assert!(unset.contains("set it to aws-kms://alias/next"), "{unset}");
    let wrong = refused(&sealed("alias/next"), &environment);
    assert!(wrong.contains("use aws-kms://"), "{wrong}");
    let elsewhere = [
        ("AWS_ENDPOINT_URL_KMS", "http://127.0.0.1:9"),
        environment[1],
        environment[2],
    ];
    let away = refused(&sealed("aws-kms://alias/next"), &elsewhere);
    assert!(away.contains("aws-kms://alias/next"), "{away}");
    assert!(!open_file.exists(), "no other key takes its place");
}
