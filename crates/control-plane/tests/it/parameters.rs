//! Parameter Store from outside: names, versions, labels, secrets, tags, references.

use crate::world::World;
use muster_domain::audit::Outcome;
use muster_store::Sql;
use muster_store::test_database::on_both;
use serde_json::{Value, json};

impl World {
    pub(crate) async fn put(&self, name: &str, value: &str) -> Value {
        let input = json!({"Name": name, "Value": value, "Type": "String", "Overwrite": true});
        self.ok("PutParameter", input).await
    }

    async fn parameter(&self, name: &str) -> Value {
        let input = json!({"Name": name, "WithDecryption": true});
        self.ok("GetParameter", input).await["Parameter"].clone()
    }
}

#[tokio::test]
async fn a_parameter_is_made_changed_read_and_deleted() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let input = json!({"Name": "/app/db/user", "Value": "one", "Type": "String", "Description": "who"});
        let made = world.ok("PutParameter", input.clone()).await;
        assert_eq!(made, json!({"Version": 1, "Tier": "Standard"}));
        let message = world
            .refused("PutParameter", input, "ParameterAlreadyExists")
            .await;
        assert!(message.contains("set the overwrite option"), "{message}");
        let missing = world
            .refused(
                "PutParameter",
                json!({"Name": "/x", "Value": "v"}),
                "ValidationException",
            )
            .await;
        assert_eq!(
            missing,
            "A parameter type is required when you create a parameter."
        );
        // What is left out of an overwrite stays as it was.
        let input = json!({"Name": "/app/db/user", "Value": "two", "Overwrite": true});
        assert_eq!(world.ok("PutParameter", input).await["Version"], 2);
        let found = world.parameter("/app/db/user").await;
        assert_eq!((&found["Value"], &found["Version"]), (&json!("two"), &json!(2)));
        assert_eq!(
            found["ARN"],
            "arn:aws:ssm:eu-west-1:123456789012:parameter/app/db/user"
        );
        assert_eq!(found["DataType"], "text");
        assert_eq!(world.parameter("/app/db/user:1").await["Value"], "one");
        assert_eq!(world.parameter("/app/db/user:1").await["Selector"], ":1");
        let by_arn = world.parameter(found["ARN"].as_str().unwrap()).await;
        assert_eq!(by_arn["Name"], "/app/db/user");
        let described = world.ok("DescribeParameters", json!({})).await["Parameters"][0].clone();
        assert_eq!(described["Description"], "who");
        assert_eq!(
            described["LastModifiedUser"],
            "arn:aws:iam::123456789012:user/muster-operator"
        );
        assert!(described.get("Value").is_none());
        let message = world
            .refused(
                "GetParameter",
                json!({"Name": "/app/db/user:3"}),
                "ParameterVersionNotFound",
            )
            .await;
        assert!(message.contains("version 3 of /app/db/user"), "{message}");
        world
            .refused(
                "PutParameter",
                json!({"Name": "/app/db/user", "Value": "x", "Type": "StringList",
                "Overwrite": true}),
                "HierarchyTypeMismatchException",
            )
            .await;
        world.ok("DeleteParameter", json!({"Name": "/app/db/user"})).await;
        let (_, gone) = world.call("GetParameter", json!({"Name": "/app/db/user"})).await;
        assert_eq!(gone, json!({"__type": "ParameterNotFound"}));
        world
            .refused(
                "DeleteParameter",
                json!({"Name": "/app/db/user"}),
                "ParameterNotFound",
            )
            .await;
        world
            .refused(
                "GetParameterHistory",
                json!({"Name": "/app/db/user"}),
                "ParameterNotFound",
            )
            .await;
    })
    .await;
}

#[tokio::test]
async fn a_name_is_one_parameter_with_and_without_its_slash() {
    on_both(|db| async move {
        let world = World::new(db).await;
        world.put("plain", "v").await;
        assert_eq!(world.parameter("/plain").await["Name"], "/plain");
        assert_eq!(world.parameter("plain").await["Name"], "plain");
        world
            .refused(
                "PutParameter",
                json!({"Name": "/plain", "Value": "v", "Type": "String"}),
                "ParameterAlreadyExists",
            )
            .await;
        let found = world
            .ok(
                "GetParameters",
                json!({"Names": ["plain", "/plain", "plain", "nothing", "plain:9"]}),
            )
            .await;
        assert_eq!(found["Parameters"].as_array().unwrap().len(), 2);
        assert_eq!(found["InvalidParameters"], json!(["nothing", "plain:9"]));
        let deleted = world
            .ok("DeleteParameters", json!({"Names": ["/plain", "nothing"]}))
            .await;
        assert_eq!(
            deleted,
            json!({"DeletedParameters": ["/plain"], "InvalidParameters": ["nothing"]})
        );
        for name in ["a b", "a/b", "/a//b"] {
            world
                .refused("GetParameter", json!({"Name": name}), "ValidationException")
                .await;
        }
        world
            .refused(
                "GetParameter",
                json!({"Name": "/aws/service/x"}),
                "ParameterNotFound",
            )
            .await;
    })
    .await;
}

#[tokio::test]
async fn secrets_are_sealed_at_rest_and_opened_only_on_request() {
    on_both(|db| async move {
        let world = World::new(db.clone()).await;
        let put = |value: &str| json!({"Name": "/app/password", "Value": value, "Type": "SecureString",
            "Overwrite": true});
        world.ok("PutParameter", put("topsecret")).await;
        let sealed = world.ok("GetParameter", json!({"Name": "/app/password"})).await;
        let value = sealed["Parameter"]["Value"].as_str().unwrap();
        assert!(!value.contains("topsecret") && value.len() > 100, "{value}");
        assert_eq!(world.parameter("/app/password").await["Value"], "topsecret");
        let described = world.ok("DescribeParameters", json!({})).await;
        assert_eq!(described["Parameters"][0]["KeyId"], "alias/aws/ssm");
        // The key management service opens the same ciphertext, with the context that the service documents.
        let context = json!({"PARAMETER_ARN": sealed["Parameter"]["ARN"]});
        let opened = world
            .ok("Decrypt", json!({"CiphertextBlob": value, "EncryptionContext": context}))
            .await;
        assert_eq!(opened["Plaintext"], "dG9wc2VjcmV0");
        world
            .refused("Decrypt", json!({"CiphertextBlob": value}), "InvalidCiphertextException")
            .await;
        // A secret that is moved to another parameter's row does not open there.
        world.ok("PutParameter", json!({"Name": "/other", "Value": "x", "Type": "SecureString"})).await;
        let mut swap = Sql::new("update ssm_parameters set value = ");
        swap.text(value).push(" where name_key = 'other'");
        swap.run(db.writer()).await.unwrap();
        let (status, _) = world.call("GetParameter", json!({"Name": "/other", "WithDecryption": true})).await;
        assert_eq!(status, 500);
        let message = world
            .refused("PutParameter", json!({"Name": "/k", "Value": "topsecret", "Type": "SecureString",
                "KeyId": "alias/none"}), "InvalidKeyId")
            .await;
        assert!(message.starts_with(
            "Alias arn:aws:kms:eu-west-1:123456789012:alias/none is not found. (Service: AWSKMS; Status Code: 400; \
             Error Code: NotFoundException; Request ID: "
        ), "{message}");
        world
            .refused("PutParameter", json!({"Name": "/k", "Value": "v", "Type": "String", "KeyId": "alias/none"}),
                "ValidationException")
            .await;
        // Nothing of it is in the audit log, and who opened it is.
        let log = world.audit.0.lock().unwrap();
        assert!(!format!("{log:?}").contains("topsecret"));
        let reveals: Vec<_> = log.iter().filter(|(_, i, _)| i.logged_as() == "ssm.GetParameter").collect();
        assert_eq!(reveals.len(), 2, "those without WithDecryption are not acts");
        assert_eq!(reveals[0].1.resource, "parameter:/app/password");
        assert_eq!((reveals[0].2, reveals[1].2), (Some(Outcome::Success), Some(Outcome::Failure)));
        let put: Vec<_> = log.iter().filter(|(_, i, _)| i.logged_as() == "ssm.PutParameter").collect();
        assert_eq!(put[0].1.detail["parameters"]["Type"], "SecureString");
        assert!(put[0].1.detail["parameters"].get("Value").is_none());
    })
    .await;
}

#[tokio::test]
async fn versions_are_kept_labelled_and_dropped_in_order() {
    on_both(|db| async move {
        let world = World::new(db).await;
        for n in 1..=100 {
            assert_eq!(world.put("/v", &n.to_string()).await["Version"], n);
        }
        let label = |version: Value, labels: Value| {
            json!({"Name": "/v", "ParameterVersion": version, "Labels": labels})
        };
        let done = world
            .ok("LabelParameterVersion", label(json!(1), json!(["live", "1st", "aws-x"])))
            .await;
        assert_eq!(done, json!({"InvalidLabels": ["1st", "aws-x"], "ParameterVersion": 1}));
        assert_eq!(world.parameter("/v:live").await["Version"], 1);
        assert_eq!(world.parameter("/v:live").await["Selector"], ":live");
        let input = json!({"Name": "/v", "Value": "x", "Overwrite": true});
        let message = world.refused("PutParameter", input, "ParameterMaxVersionLimitExceeded").await;
        assert!(message.contains("Version 1, the oldest version, can't be deleted"), "{message}");
        // Moved to the newest version, the label no longer holds the oldest one.
        let latest = json!({"Name": "/v", "Labels": ["live"]});
        assert_eq!(world.ok("LabelParameterVersion", latest).await["ParameterVersion"], 100);
        assert_eq!(world.put("/v", "101").await["Version"], 101);
        world.refused("GetParameter", json!({"Name": "/v:1"}), "ParameterVersionNotFound").await;
        let history = world.ok("GetParameterHistory", json!({"Name": "/v", "MaxResults": 50})).await;
        assert_eq!(history["Parameters"][0]["Version"], 2);
        let token = history["NextToken"].clone();
        let rest = world
            .ok("GetParameterHistory", json!({"Name": "/v", "NextToken": token}))
            .await;
        let last = rest["Parameters"].as_array().unwrap().last().unwrap().clone();
        assert_eq!((&last["Version"], &last["Value"]), (&json!(101), &json!("101")));
        assert_eq!(rest["Parameters"][48]["Labels"], json!(["live"]));
        assert!(rest.get("NextToken").is_none());
        let many: Vec<String> = (0..10).map(|n| format!("l{n}")).collect();
        let message = world
            .refused("LabelParameterVersion", label(json!(100), json!(many)), "ParameterVersionLabelLimitExceeded")
            .await;
        assert!(message.contains("maximum 10 labels"), "{message}");
        let removed = world
            .ok("UnlabelParameterVersion", label(json!(100), json!(["live", "other"])))
            .await;
        assert_eq!(removed, json!({"RemovedLabels": ["live"], "InvalidLabels": ["other"]}));
        world.refused("GetParameter", json!({"Name": "/v:live"}), "ParameterVersionNotFound").await;
        world
            .refused("LabelParameterVersion", label(json!(7_000), json!(["x"])), "ParameterVersionNotFound")
            .await;
        world
            .refused("LabelParameterVersion", json!({"Name": "/none", "Labels": ["x"]}), "ParameterNotFound")
            .await;
    })
    .await;
}

#[tokio::test]
async fn values_keep_to_their_tier_pattern_and_data_type() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let put = |more: Value| {
            let mut input = json!({"Name": "/t", "Type": "String", "Value": "topsecret", "Overwrite": true});
            for (name, value) in more.as_object().unwrap() {
                input[name] = value.clone();
            }
            input
        };
        let long = "x".repeat(4097);
        let message = world
            .refused("PutParameter", put(json!({"Value": long})), "ValidationException")
            .await;
        assert!(
            message.starts_with("Standard tier parameters support a maximum parameter value of 4096"),
            "{message}"
        );
        let made = world
            .ok(
                "PutParameter",
                put(json!({"Value": long, "Tier": "Intelligent-Tiering"})),
            )
            .await;
        assert_eq!(made["Tier"], "Advanced");
        let message = world
            .refused(
                "PutParameter",
                put(json!({"Tier": "Standard"})),
                "ValidationException",
            )
            .await;
        assert!(
            message.starts_with("This parameter uses the advanced-parameter tier."),
            "{message}"
        );
        for (more, code, says) in [
            (json!({"Value": ""}), "ValidationException", "at 'value'"),
            (
                json!({"AllowedPattern": "^\\d+$"}),
                "ParameterPatternMismatchException",
                "allowedPattern: ^\\d+$",
            ),
            (
                json!({"AllowedPattern": "("}),
                "InvalidAllowedPatternException",
                "AllowedPattern",
            ),
            (
                json!({"DataType": "Text"}),
                "ValidationException",
                "not supported: Text",
            ),
            (
                json!({"DataType": "aws:ec2:image"}),
                "ValidationException",
                "ami-",
            ),
            (
                json!({"Tags": [{"Key": "k", "Value": "v"}]}),
                "ValidationException",
                "can't be used together",
            ),
            (
                json!({"Tags": [{"Key": "aws:k", "Value": "v"}], "Overwrite": false, "Name": "/u"}),
                "ValidationException",
                "reserved",
            ),
        ] {
            let message = world.refused("PutParameter", put(more), code).await;
            assert!(message.contains(says), "{message}");
            assert!(!message.contains("topsecret"));
        }
        world
            .ok(
                "PutParameter",
                put(json!({"Value": "17", "AllowedPattern": "^\\d+$"})),
            )
            .await;
        // The pattern stays until another one is given.
        world
            .refused(
                "PutParameter",
                put(json!({})),
                "ParameterPatternMismatchException",
            )
            .await;
        world.ok("PutParameter", put(json!({"AllowedPattern": ""}))).await;
    })
    .await;
}

#[tokio::test]
async fn many_writers_of_one_parameter_lose_nothing() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let writes = (0..20).map(|n| {
            let input = json!({"Name": "/race", "Value": n.to_string(), "Type": "String", "Overwrite": true});
            world.call("PutParameter", input)
        });
        let answers = futures::future::join_all(writes).await;
        let mut versions: Vec<i64> = Vec::new();
        for (status, output) in answers {
            assert_eq!(status, 200, "{output}");
            versions.push(output["Version"].as_i64().unwrap());
        }
        versions.sort_unstable();
        let expected: Vec<i64> = (1..=20).collect();
        assert_eq!(versions, expected, "each version was given out once");
        assert_eq!(world.parameter("/race").await["Version"], json!(versions.len()));
    })
    .await;
}

#[tokio::test]
async fn tags_of_parameters_belong_to_their_region() {
    on_both(|db| async move {
        let world = World::new(db).await;
        world
            .ok(
                "PutParameter",
                json!({"Name": "/t", "Value": "v", "Type": "String", "Tags": [{"Key": "a", "Value": "1"}]}),
            )
            .await;
        let resource = json!({"ResourceType": "Parameter", "ResourceId": "/t"});
        let with = |name: &str, value: Value| {
            let mut input = resource.clone();
            input[name] = value;
            input
        };
        world
            .ok(
                "AddTagsToResource",
                with(
                    "Tags",
                    json!([{"Key": "b", "Value": "2"}, {"Key": "a", "Value": "3"}]),
                ),
            )
            .await;
        let listed = world.ok("ListTagsForResource", resource.clone()).await;
        assert_eq!(
            listed["TagList"],
            json!([{"Key": "a", "Value": "3"}, {"Key": "b", "Value": "2"}])
        );
        world
            .ok("RemoveTagsFromResource", with("TagKeys", json!(["a"])))
            .await;
        world.ok("DeleteParameter", json!({"Name": "/t"})).await;
        world
            .refused("ListTagsForResource", resource.clone(), "InvalidResourceId")
            .await;
        world.put("/t", "v").await;
        assert_eq!(
            world.ok("ListTagsForResource", resource).await["TagList"],
            json!([])
        );
        let many: Vec<Value> = (0..51)
            .map(|n| json!({"Key": format!("k{n}"), "Value": ""}))
            .collect();
        world
            .refused(
                "PutParameter",
                json!({"Name": "/u", "Value": "v", "Type": "String", "Tags": many}),
                "TooManyTagsError",
            )
            .await;
    })
    .await;
}

#[tokio::test]
async fn commands_refer_to_parameters_and_never_to_secrets() {
    on_both(|db| async move {
        let world = World::new(db.clone()).await;
        let node = world.node("one").await;
        world.put("/greeting", "hello").await;
        world
            .ok(
                "PutParameter",
                json!({"Name": "/secret", "Value": "s", "Type": "SecureString"}),
            )
            .await;
        let send = |text: &str| {
            json!({"DocumentName": "AWS-RunShellScript", "InstanceIds": [node.id],
            "Parameters": {"commands": [text]}})
        };
        let sent = world
            .ok("SendCommand", send("echo {{ssm:/greeting}} {{ ssm:greeting:1 }}"))
            .await;
        // It is shown as it was given, and sent as it is meant.
        assert_eq!(
            sent["Command"]["Parameters"]["commands"],
            json!(["echo {{ssm:/greeting}} {{ ssm:greeting:1 }}"])
        );
        let row = Sql::new("select resolved_parameters from ssm_commands")
            .one(db.reader())
            .await
            .unwrap();
        let text: String = sqlx::Row::get(&row, 0);
        assert!(text.contains("echo hello hello"), "{text}");
        // The defaults of a document's own parameters may refer, too.
        let content = json!({"schemaVersion": "2.2",
            "parameters": {"what": {"type": "String", "default": "{{ssm:/greeting}}"}},
            "mainSteps": [{"action": "aws:runShellScript", "name": "x", "inputs": {"runCommand": ["echo {{ what }}"]}}]});
        world
            .ok("CreateDocument", json!({"Name": "Greet", "Content": content.to_string()}))
            .await;
        world.clock.advance(1);
        world.ok("SendCommand", json!({"DocumentName": "Greet", "InstanceIds": [node.id]})).await;
        let row = Sql::new("select resolved_parameters from ssm_commands order by requested_at desc")
            .first(db.reader())
            .await
            .unwrap()
            .unwrap();
        let text: String = sqlx::Row::get(&row, 0);
        assert_eq!(text, r#"{"what":["hello"]}"#);
        let many = "{{ssm:/greeting}}".repeat(50_000);
        world.ok("PutParameter", json!({"Name": "/long", "Value": "x".repeat(4096), "Type": "String"})).await;
        let longer = "{{ssm:/long}}".repeat(1_000);
        for (text, works) in [(many, true), (longer, false)] {
            let (status, output) = world.call("SendCommand", send(&text)).await;
            assert_eq!(status == 200, works, "{output}");
        }
        for (text, says) in [
            ("{{ssm:/none}}", "the parameter /none, which does not exist"),
            ("{{ssm:/greeting:9}}", "/greeting:9, which does not exist"),
            ("{{ssm:/secret}}", "secrets cannot be used"),
        ] {
            let message = world
                .refused("SendCommand", send(text), "InvalidParameters")
                .await;
            assert!(message.contains(says), "{message}");
        }
    })
    .await;
}
