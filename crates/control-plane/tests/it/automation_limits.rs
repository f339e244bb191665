//! Runbooks at their limits: cancelled, stopped in between, started wrongly, listed page by page.

use crate::agent::{Agent, serve};
use crate::automation::{api, document, pairs, start, statuses, told, told_ended};
use crate::world::World;
use muster_control_plane::Change;
use muster_store::Sql;
use muster_store::test_database::on_both;
use serde_json::{Value, json};

#[tokio::test]
async fn a_command_is_cancelled_with_its_execution_and_sent_once() {
    on_both(|db| async move {
        let world = World::new(db.clone()).await;
        let address = serve(&world).await;
        let node = world.node("one").await;
        let steps = json!([
            {"name": "Run", "action": "aws:runCommand", "onCancel": "step:Clean", "inputs": {"DocumentName": "AWS-RunShellScript",
                "InstanceIds": [node.id], "Parameters": {"commands": "sleep 60"}}},
            {"name": "Other", "action": "aws:sleep", "inputs": {"Duration": "PT1H"}},
            {"name": "Clean", "action": "aws:sleep", "inputs": {"Duration": "PT0S"}, "isEnd": true}
        ]);
        document(&world, "Runs", steps, json!({})).await;
        let id = start(&world, "Runs", json!({})).await;
        world.plane.tick().await;
        let sent = world.ok("ListCommands", json!({})).await["Commands"].clone();
        assert_eq!(sent.as_array().unwrap().len(), 1);
        // As if it had been written down and not sent.
        for table in ["delete from ssm_invocations", "delete from ssm_commands"] {
            Sql::new(table).run(db.writer()).await.unwrap();
        }
        world.plane.tick().await;
        let again = world.ok("ListCommands", json!({})).await["Commands"].clone();
        assert_eq!((again.as_array().unwrap().len(), &again[0]["CommandId"]), (1, &sent[0]["CommandId"]));
        world.plane.tick().await;
        let mut agent = Agent::connect(&world, &node, address, &[]).await;
        world.plane.tick().await;
        world.plane.tick().await;
        let (message, job, content) = agent.job().await;
        agent.ack(&message, &job.job_id, "200").await;
        world.ok("StopAutomationExecution", json!({"AutomationExecutionId": id})).await;
        world.plane.tick().await;
        assert_eq!(told(&world, &id).await["StepExecutions"][0]["StepStatus"], "Cancelling");
        world.plane.tick().await;
        agent.receive("agent_job").await;
        agent.end(&content.command_id, "Cancelled", 137, "", "").await;
        for _ in 0..3 {
            world.plane.tick().await;
        }
        let ended = told_ended(&world, &id).await;
        assert_eq!(ended["AutomationExecutionStatus"], "Cancelled");
        assert_eq!(
            statuses(&ended),
            pairs(&[("Run", "Cancelled"), ("Clean", "Success"), ("Other", "Pending")])
        );

        // A call that changes something is not made again when it is not known whether it was.
        let put = json!([api("Put", "PutParameter", json!({"Name": "/once", "Value": "1", "Type": "String"}))]);
        document(&world, "Puts", put, json!({})).await;
        let id = start(&world, "Puts", json!({})).await;
        world.plane.tick().await;
        let mut sql = Sql::new("update ssm_automation_steps set status = 'InProgress', ended_at = null where execution_id = ");
        sql.text(&id);
        sql.run(db.writer()).await.unwrap();
        let mut sql = Sql::new("update ssm_automation_executions set status = 'InProgress', ended_at = null where execution_id = ");
        sql.text(&id);
        sql.run(db.writer()).await.unwrap();
        world.plane.tick().await;
        let ended = told_ended(&world, &id).await;
        assert!(ended["FailureMessage"].as_str().unwrap().contains("is not known"), "{ended}");
    })
    .await;
}

#[tokio::test]
async fn starts_are_refused_in_the_services_words_and_lists_are_paged() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let one = json!([{"name": "S", "action": "aws:sleep", "inputs": {"Duration": "PT{{ Seconds }}S"}}]);
        let more = json!({"parameters": {"Seconds": {"type": "String", "allowedValues": ["0", "1"]},
            "Ids": {"type": "List<AWS::EC2::Instance::Id>", "default": []}}});
        document(&world, "Sleeps", one, more).await;
        let with = |parameters: Value| json!({"DocumentName": "Sleeps", "Parameters": parameters});
        for (input, code, says) in [
            (json!({"DocumentName": "None"}), "AutomationDefinitionNotFoundException", "can't be found"),
            (json!({"DocumentName": "AWS-RunShellScript"}), "AutomationDefinitionNotFoundException", "not Automation"),
            (
                json!({"DocumentName": "Sleeps", "DocumentVersion": "7"}),
                "AutomationDefinitionVersionNotFoundException",
                "no such version",
            ),
            (
                json!({"DocumentName": "Sleeps"}),
                "InvalidAutomationExecutionParametersException",
                "Missing required parameter: Seconds in user inputs.",
            ),
            (
                with(json!({"Seconds": ["2"]})),
                "InvalidAutomationExecutionParametersException",
                "Parameter \"Seconds\" has value \"2\" not found in [0, 1].",
            ),
            (
                with(json!({"Seconds": ["1"], "a": ["1"], "b": ["1"]})),
                "InvalidAutomationExecutionParametersException",
                "Undefined execution inputs: [a, b].",
            ),
            (
                json!({"DocumentName": "Sleeps", "Parameters": {"Seconds": ["1"]},
                    "TargetLocations": [{"Accounts": ["123456789012"], "Regions": ["eu-west-1"]}]}),
                "InvalidAutomationExecutionParametersException",
                "TargetLocations",
            ),
            (
                json!({"DocumentName": "Sleeps", "TargetParameterName": "Ids", "Parameters": {"Seconds": ["1"]}}),
                "InvalidAutomationExecutionParametersException",
                "TargetParameterName",
            ),
        ] {
            let message = world.refused("StartAutomationExecution", input, code).await;
            assert!(message.contains(says), "{message}");
        }
        let token = json!({"DocumentName": "Sleeps", "Parameters": {"Seconds": ["0"]},
            "ClientToken": "0b7e4f9e-66a5-4c1f-8c5e-8a5a3a0c9b11"});
        let first = world.ok("StartAutomationExecution", token.clone()).await;
        assert_eq!(world.ok("StartAutomationExecution", token).await, first);
        for _ in 0..4 {
            world.clock.advance(1_000);
            start(&world, "Sleeps", json!({"Seconds": ["0"]})).await;
        }
        world.plane.tick().await;
        let (mut ids, mut input) = (Vec::new(), json!({"MaxResults": 2, "Filters": [
            {"Key": "DocumentNamePrefix", "Values": ["Sle"]}, {"Key": "ExecutionStatus", "Values": ["Success"]}]}));
        loop {
            let page = world.ok("DescribeAutomationExecutions", input.clone()).await;
            for one in page["AutomationExecutionMetadataList"].as_array().unwrap() {
                ids.push(one["AutomationExecutionId"].clone());
            }
            match page.get("NextToken") {
                Some(token) => input["NextToken"] = token.clone(),
                None => break,
            }
        }
        assert_eq!((ids.len(), ids.last()), (5, Some(&first["AutomationExecutionId"])));
        let of = |filters: Value| json!({"AutomationExecutionId": ids[0], "Filters": filters});
        let steps = of(json!([{"Key": "StepName", "Values": ["S"]}, {"Key": "Action", "Values": ["aws:sleep"]}]));
        let steps = world.ok("DescribeAutomationStepExecutions", steps).await;
        assert_eq!(steps["StepExecutions"][0]["StepStatus"], "Success");
        let none = of(json!([{"Key": "StepExecutionStatus", "Values": ["Failed"]}]));
        assert_eq!(world.ok("DescribeAutomationStepExecutions", none).await["StepExecutions"], json!([]));
        let odd = json!({"Filters": [{"Key": "StartTimeAfter", "Values": ["yesterday"]}]});
        world.refused("DescribeAutomationExecutions", odd, "InvalidFilterValue").await;
        let missing = json!({"AutomationExecutionId": "0b7e4f9e-66a5-4c1f-8c5e-8a5a3a0c9b11"});
        for operation in ["GetAutomationExecution", "StopAutomationExecution", "DescribeAutomationStepExecutions"] {
            world.refused(operation, missing.clone(), "AutomationExecutionNotFoundException").await;
        }
        // What cannot be a runbook is told with its place.
        let bad = json!({"schemaVersion": "0.3", "mainSteps": [{"name": "S", "action": "aws:sleep", "nextStep": "T"}]});
        let bad = json!({"Name": "Bad", "DocumentType": "Automation", "Content": bad.to_string()});
        let message = world.refused("CreateDocument", bad, "InvalidDocumentContent").await;
        assert!(message.contains("nextStep of step S names the step T"), "{message}");
        let described = world.ok("DescribeDocument", json!({"Name": "Sleeps"})).await["Document"].clone();
        assert_eq!((&described["DocumentType"], &described["SchemaVersion"]), (&json!("Automation"), &json!("0.3")));
        let run = json!({"DocumentName": "Sleeps", "InstanceIds": ["mi-0123456789abcdef0"]});
        let (status, _) = world.call("SendCommand", run).await;
        assert_eq!(status, 400);
    })
    .await;
}

#[tokio::test]
async fn variables_stay_small_and_what_has_ended_is_forgotten() {
    on_both(|db| async move {
        let world = World::new(db.clone()).await;
        let text = "{{ variable:v }}";
        let double = json!({"name": "Double", "action": "aws:updateVariable", "nextStep": "Double",
            "inputs": {"Name": "variable:v", "Value": format!("{text}{text}")}});
        document(
            &world,
            "Doubles",
            json!([double]),
            json!({"variables": {"v": {"type": "String", "default": "x"}}}),
        )
        .await;
        let id = start(&world, "Doubles", json!({})).await;
        for _ in 0..3 {
            world.plane.tick().await;
        }
        let ended = told_ended(&world, &id).await;
        let message = ended["FailureMessage"].as_str().unwrap();
        assert!(message.contains("262144 are the most"), "{message}");
        let tags =
            json!({"ResourceType": "Automation", "ResourceId": id, "Tags": [{"Key": "k", "Value": "v"}]});
        world.ok("AddTagsToResource", tags).await;
        world.clock.advance(30 * 86_400_000);
        world.plane.tick().await;
        told_ended(&world, &id).await;
        world.clock.advance(1_000);
        world.plane.tick().await;
        let of = json!({"AutomationExecutionId": id});
        world
            .refused(
                "GetAutomationExecution",
                of,
                "AutomationExecutionNotFoundException",
            )
            .await;
        for table in [
            "ssm_automation_steps where execution_id = ",
            "ssm_tags where resource_id = ",
        ] {
            let mut sql = Sql::new("select 1 from ");
            sql.push(table).text(&id);
            assert!(sql.first(db.reader()).await.unwrap().is_none(), "{table}");
        }
    })
    .await;
}

#[tokio::test]
async fn whoever_listens_is_told_when_an_execution_has_news_and_only_then() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let steps = json!([
            {"name": "First", "action": "aws:sleep", "inputs": {"Duration": "PT0S"}},
            {"name": "Long", "action": "aws:sleep", "inputs": {"Duration": "PT1H"}}
        ]);
        document(&world, "Sleeps", steps, json!({})).await;
        let mut changes = world.plane.changes();
        let id = start(&world, "Sleeps", json!({})).await;
        let mut news = async || {
            world.plane.tick().await;
            let mut told = 0;
            while let Ok(change) = changes.try_recv() {
                assert_eq!(
                    change,
                    Change::Execution {
                        execution_id: id.clone()
                    }
                );
                told += 1;
            }
            told
        };
        assert_eq!(news().await, 1);
        assert_eq!(news().await, 0);
        world.clock.advance(3_600_000);
        assert_eq!(news().await, 1);
        assert_eq!(news().await, 0);
        assert_eq!(
            told_ended(&world, &id).await["AutomationExecutionStatus"],
            "Success"
        );
        // One that waits for somebody to begin its step says so once.
        let input = json!({"DocumentName": "Sleeps", "Mode": "Interactive"});
        let held = world.ok("StartAutomationExecution", input).await;
        world.plane.tick().await;
        let held = held["AutomationExecutionId"].as_str().unwrap().to_owned();
        assert_eq!(
            changes.try_recv().unwrap(),
            Change::Execution { execution_id: held }
        );
        world.plane.tick().await;
        changes.try_recv().unwrap_err();
    })
    .await;
}
