//! Maintenance windows as they are registered, changed, listed and told, without anything being run.

use crate::world::World;
use muster_domain::Timestamp;
use muster_domain::time::Clock as _;
use muster_store::test_database::on_both;
use serde_json::{Value, json};

/// Wednesday, 25 November 2026, ten o'clock.
pub(crate) const MORNING: &str = "2026-11-25T10:00:00Z";

pub(crate) fn set_clock(world: &World, text: &str) {
    let at = Timestamp::parse(text).unwrap();
    world.clock.advance(at.since_ms(world.clock.now()));
}

pub(crate) async fn window(world: &World, more: Value) -> String {
    let mut input = json!({"Name": "web", "Schedule": "cron(0 2 ? * SUN *)", "Duration": 4, "Cutoff": 1,
        "AllowUnassociatedTargets": true});
    for (name, value) in more.as_object().unwrap() {
        input[name] = value.clone();
    }
    let made = world.ok("CreateMaintenanceWindow", input).await;
    made["WindowId"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_window_is_made_told_changed_and_deleted() {
    on_both(|db| async move {
        let world = World::new(db).await;
        set_clock(&world, MORNING);
        let id = window(
            &world,
            json!({"Description": "of the web", "Tags": [{"Key": "team", "Value": "web"}]}),
        )
        .await;
        assert!(id.starts_with("mw-") && id.len() == 20, "{id}");
        let told = world.ok("GetMaintenanceWindow", json!({"WindowId": id})).await;
        assert_eq!(told["NextExecutionTime"], "2026-11-29T02:00Z");
        assert_eq!(
            (&told["Enabled"], &told["Duration"], &told["Cutoff"]),
            (&json!(true), &json!(4), &json!(1))
        );
        let tags = world
            .ok(
                "ListTagsForResource",
                json!({"ResourceType": "MaintenanceWindow", "ResourceId": id}),
            )
            .await;
        assert_eq!(tags["TagList"], json!([{"Key": "team", "Value": "web"}]));
        let changed = world
            .ok(
                "UpdateMaintenanceWindow",
                json!({"WindowId": id, "ScheduleTimezone": "America/New_York", "Enabled": false}),
            )
            .await;
        assert_eq!(
            (&changed["Enabled"], &changed["Description"]),
            (&json!(false), &json!("of the web"))
        );
        let told = world.ok("GetMaintenanceWindow", json!({"WindowId": id})).await;
        assert_eq!(
            told.get("NextExecutionTime"),
            None,
            "what is disabled does not open"
        );
        world
            .ok(
                "UpdateMaintenanceWindow",
                json!({"WindowId": id, "Enabled": true}),
            )
            .await;
        let told = world.ok("GetMaintenanceWindow", json!({"WindowId": id})).await;
        assert_eq!(told["NextExecutionTime"], "2026-11-29T02:00-05:00");
        let replaced = json!({"WindowId": id, "Replace": true, "Name": "new", "Schedule": "rate(1 day)", "Duration": 2,
            "Cutoff": 0, "AllowUnassociatedTargets": false});
        let replaced = world.ok("UpdateMaintenanceWindow", replaced).await;
        assert_eq!(
            (replaced.get("Description"), replaced.get("ScheduleTimezone")),
            (None, None)
        );
        let short = json!({"WindowId": id, "Replace": true, "Name": "new"});
        let message = world
            .refused("UpdateMaintenanceWindow", short, "ValidationException")
            .await;
        assert!(message.starts_with("Schedule: "), "{message}");
        for _ in 0..2 {
            let gone = world.ok("DeleteMaintenanceWindow", json!({"WindowId": id})).await;
            assert_eq!(gone["WindowId"], json!(id));
        }
        let message = world
            .refused(
                "GetMaintenanceWindow",
                json!({"WindowId": id}),
                "DoesNotExistException",
            )
            .await;
        assert_eq!(message, format!("Maintenance window {id} does not exist"));
    })
    .await;
}

#[tokio::test]
async fn a_repeated_token_makes_one_window() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let one = window(&world, json!({"ClientToken": "once"})).await;
        assert_eq!(window(&world, json!({"ClientToken": "once"})).await, one);
        assert_ne!(window(&world, json!({})).await, one);
        let other = json!({"Name": "other", "Schedule": "rate(1 day)", "Duration": 4, "Cutoff": 1,
            "AllowUnassociatedTargets": true, "ClientToken": "once"});
        world
            .refused("CreateMaintenanceWindow", other, "IdempotentParameterMismatch")
            .await;
        let all = world.ok("DescribeMaintenanceWindows", json!({})).await;
        assert_eq!(all["WindowIdentities"].as_array().unwrap().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn lists_are_filtered_and_paged() {
    on_both(|db| async move {
        let world = World::new(db).await;
        for at in 0..12 {
            window(&world, json!({"Name": format!("w-{at:02}")})).await;
        }
        let mut names = Vec::new();
        let mut token = Value::Null;
        let mut pages = 0;
        loop {
            let page = world
                .ok(
                    "DescribeMaintenanceWindows",
                    json!({"MaxResults": 10, "NextToken": token}),
                )
                .await;
            pages += 1;
            names.extend(
                page["WindowIdentities"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|w| w["Name"].clone()),
            );
            token = page["NextToken"].clone();
            if token.is_null() {
                break;
            }
        }
        names.sort_by_key(|name| name.as_str().map(str::to_owned));
        names.dedup();
        assert_eq!((names.len(), pages), (12, 2));
        let filter = |key: &str, value: &str| json!({"Filters": [{"Key": key, "Values": [value]}]});
        let found = world
            .ok("DescribeMaintenanceWindows", filter("Name", "w-03"))
            .await;
        assert_eq!(found["WindowIdentities"].as_array().unwrap().len(), 1);
        let found = world
            .ok("DescribeMaintenanceWindows", filter("Enabled", "false"))
            .await;
        assert_eq!(found["WindowIdentities"], json!([]));
        let message = world
            .refused(
                "DescribeMaintenanceWindows",
                filter("Color", "x"),
                "ValidationException",
            )
            .await;
        assert!(message.contains("[Name, Enabled]"), "{message}");
    })
    .await;
}

#[tokio::test]
async fn targets_and_tasks_are_registered_changed_and_taken_away() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let id = window(&world, json!({"AllowUnassociatedTargets": false})).await;
        let target = world
            .ok(
                "RegisterTargetWithMaintenanceWindow",
                json!({"WindowId": id, "ResourceType": "INSTANCE", "OwnerInformation": "me",
                    "Targets": [{"Key": "tag:PatchGroup", "Values": ["WebServers"]}]}),
            )
            .await["WindowTargetId"]
            .clone();
        let task = json!({"WindowId": id, "TaskArn": "AWS-RunShellScript", "TaskType": "RUN_COMMAND",
            "Targets": [{"Key": "WindowTargetIds", "Values": [target]}],
            "TaskParameters": {"commands": {"Values": ["true"]}}});
        let with = |more: Value| {
            let mut all = task.clone();
            for (name, value) in more.as_object().unwrap() {
                all[name] = value.clone();
            }
            all
        };
        let node = "mi-0123456789abcdef0";
        for (bad, code, says) in [
            (json!({"Targets": []}), "ValidationException", "use WindowTargetIds or InstanceIds"),
            (
                json!({"Targets": [{"Key": "tag:x", "Values": ["y"]}]}),
                "ValidationException",
                "tag:x is an invalid window task target type, use WindowTargetIds or InstanceIds. For Run Command tasks",
            ),
            (
                json!({"Targets": [{"Key": "InstanceIds", "Values": [node]}]}),
                "ValidationException",
                "AllowUnassociatedTargets",
            ),
            (
                json!({"Targets": [{"Key": "WindowTargetIds", "Values": vec![target.clone(); 11]}]}),
                "ValidationException",
                "The maximum number of window targets is 10",
            ),
            (
                json!({"Targets": [{"Key": "WindowTargetIds", "Values": [crate::bad_input_tables::UUID]}]}),
                "DoesNotExistException",
                "Maintenance window target",
            ),
            (json!({"TaskArn": "AWS-Nothing"}), "DoesNotExistException", "TaskArn: "),
            (
                json!({"TaskType": "LAMBDA", "Targets": [], "MaxErrors": "1"}),
                "ValidationException",
                "Maintenance window tasks without targets do not support MaxErrors values.",
            ),
            (json!({"WindowId": "mw-0123456789abcdef0"}), "DoesNotExistException", "mw-0123456789abcdef0"),
        ] {
            let message = world
                .refused("RegisterTaskWithMaintenanceWindow", with(bad), code)
                .await;
            assert!(message.contains(says), "{message}");
        }
        let task_id = world.ok("RegisterTaskWithMaintenanceWindow", task.clone()).await["WindowTaskId"].clone();
        let of_task = json!({"WindowId": id, "WindowTaskId": task_id});
        let told = world.ok("GetMaintenanceWindowTask", of_task.clone()).await;
        assert_eq!((&told["MaxErrors"], &told["CutoffBehavior"]), (&json!("1"), &json!("CONTINUE_TASK")));
        assert_eq!(told["TaskParameters"], json!({"commands": {"Values": ["true"]}}));
        let mut change = of_task.clone();
        change["Priority"] = json!(7);
        change["MaxConcurrency"] = json!("50%");
        let changed = world.ok("UpdateMaintenanceWindowTask", change).await;
        assert_eq!((&changed["Priority"], &changed["MaxConcurrency"]), (&json!(7), &json!("50%")));
        let list = |key: &str, value: &str| json!({"WindowId": id, "Filters": [{"Key": key, "Values": [value]}]});
        for (key, value, count) in [("Priority", "7", 1), ("TaskType", "LAMBDA", 0), ("TaskArn", "AWS-RunShellScript", 1)] {
            let found = world.ok("DescribeMaintenanceWindowTasks", list(key, value)).await;
            assert_eq!(found["Tasks"].as_array().unwrap().len(), count, "{key}");
        }
        for (key, value, count) in [("Type", "INSTANCE", 1), ("OwnerInformation", "me", 1), ("WindowTargetId", "x", 0)] {
            let found = world.ok("DescribeMaintenanceWindowTargets", list(key, value)).await;
            assert_eq!(found["Targets"].as_array().unwrap().len(), count, "{key}");
        }
        let of_target = json!({"WindowId": id, "WindowTargetId": target});
        let mut safely = of_target.clone();
        safely["Safe"] = json!(true);
        world
            .refused("DeregisterTargetFromMaintenanceWindow", safely.clone(), "TargetInUseException")
            .await;
        let mut change = of_target.clone();
        change["Targets"] = json!([{"Key": "InstanceIds", "Values": [node]}]);
        let changed = world.ok("UpdateMaintenanceWindowTarget", change).await;
        assert_eq!((&changed["OwnerInformation"], &changed["Targets"][0]["Values"][0]), (&json!("me"), &json!(node)));
        let mut bad = of_target.clone();
        bad["Targets"] = json!([{"Key": "resource-groups:Name", "Values": ["g"]}]);
        world
            .refused("UpdateMaintenanceWindowTarget", bad, "ValidationException")
            .await;
        world.ok("DeregisterTaskFromMaintenanceWindow", of_task.clone()).await;
        world
            .refused("DeregisterTaskFromMaintenanceWindow", of_task, "DoesNotExistException")
            .await;
        world.ok("DeregisterTargetFromMaintenanceWindow", safely).await;
        let left = world.ok("DescribeMaintenanceWindowTargets", json!({"WindowId": id})).await;
        assert_eq!(left["Targets"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn it_is_told_what_opens_when_for_whom() {
    on_both(|db| async move {
        let world = World::new(db).await;
        set_clock(&world, MORNING);
        let node = world.node("one").await;
        world
            .ok(
                "AddTagsToResource",
                json!({"ResourceType": "ManagedInstance", "ResourceId": node.id,
                    "Tags": [{"Key": "PatchGroup", "Value": "WebServers"}]}),
            )
            .await;
        let sundays = window(&world, json!({"Name": "sundays"})).await;
        let daily = window(&world, json!({"Name": "daily", "Schedule": "cron(0 2 * * ? *)"})).await;
        world
            .ok(
                "RegisterTargetWithMaintenanceWindow",
                json!({"WindowId": sundays, "ResourceType": "INSTANCE",
                    "Targets": [{"Key": "tag:PatchGroup", "Values": ["WebServers"]}]}),
            )
            .await;
        let on = json!([{"Key": "InstanceIds", "Values": [node.id]}]);
        let found = world
            .ok(
                "DescribeMaintenanceWindowsForTarget",
                json!({"ResourceType": "INSTANCE", "Targets": on}),
            )
            .await;
        assert_eq!(
            found["WindowIdentities"],
            json!([{"WindowId": sundays, "Name": "sundays"}])
        );
        let mut times = Vec::new();
        let mut token = Value::Null;
        while times.len() < 8 {
            let page = world
                .ok(
                    "DescribeMaintenanceWindowSchedule",
                    json!({"MaxResults": 3, "NextToken": token}),
                )
                .await;
            for opening in page["ScheduledWindowExecutions"].as_array().unwrap() {
                times.push(format!(
                    "{} {}",
                    opening["Name"].as_str().unwrap(),
                    opening["ExecutionTime"].as_str().unwrap()
                ));
            }
            token = page["NextToken"].clone();
        }
        // Thursday to Saturday, Sunday twice, then on.
        let at = |name: &str, day: &str| format!("{name} 2026-{day}T02:00Z");
        assert_eq!(
            times[..3],
            [at("daily", "11-26"), at("daily", "11-27"), at("daily", "11-28")]
        );
        let mut sunday = times[3..5].to_vec();
        sunday.sort();
        assert_eq!(sunday, [at("daily", "11-29"), at("sundays", "11-29")]);
        assert_eq!(times[5], at("daily", "11-30"));
        let only = world
            .ok(
                "DescribeMaintenanceWindowSchedule",
                json!({"Targets": on, "ResourceType": "INSTANCE", "MaxResults": 1}),
            )
            .await;
        assert_eq!(only["ScheduledWindowExecutions"][0]["Name"], "sundays");
        let one = world
            .ok(
                "DescribeMaintenanceWindowSchedule",
                json!({"WindowId": daily, "MaxResults": 1}),
            )
            .await;
        assert_eq!(one["ScheduledWindowExecutions"][0]["WindowId"], json!(daily));
    })
    .await;
}
