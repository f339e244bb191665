//! Tests of what windows are given, and of what becomes of them.

use super::*;
use crate::error::PortalError;

fn settings() -> WindowSettings {
    WindowSettings {
        name: "nightly".into(),
        schedule: "cron(0 2 ? * SUN *)".into(),
        enabled: true,
        duration_hours: 2,
        ..WindowSettings::default()
    }
}

fn target(id: &str) -> WindowTarget {
    WindowTarget {
        id: id.into(),
        targets: read_targets("", "Environment=Production,Staging").unwrap(),
        ..WindowTarget::default()
    }
}

fn task(id: &str, targets: &[&str]) -> WindowTask {
    WindowTask {
        id: id.into(),
        kind: "RUN_COMMAND".into(),
        document: "AWS-RunShellScript".into(),
        parameters: [("commands".to_owned(), vec!["uptime".to_owned()])].into(),
        max_concurrency: "1".into(),
        max_errors: "0".into(),
        targets: if targets.is_empty() {
            Vec::new()
        } else {
            vec![TargetKey {
                key: WINDOW_TARGETS.into(),
                values: targets.iter().map(|id| (*id).to_owned()).collect(),
            }]
        },
        ..WindowTask::default()
    }
}

fn state() -> WindowState {
    WindowState {
        settings: settings(),
        targets: vec![target("t-1")],
        tasks: vec![task("k-1", &["t-1"])],
    }
}

fn change(window: &str, change: WindowChange) -> ChangeWindow {
    ChangeWindow {
        window: window.into(),
        change,
        seen: (!window.is_empty()).then(state),
        confirmation: String::new(),
    }
}

#[test]
fn what_is_wrong_is_said_at_its_field() {
    let good = change("", WindowChange::Create { settings: settings() });
    assert_eq!(good.check(), Ok(()));
    let bad = WindowSettings {
        name: "my window".into(),
        schedule: String::new(),
        duration_hours: 25,
        offset_days: 7,
        ..settings()
    };
    let error = change("", WindowChange::Create { settings: bad })
        .check()
        .unwrap_err();
    for field in ["name", "schedule", "duration_hours", "offset_days"] {
        assert!(error.about(field).is_some(), "{field}");
    }
    let late = WindowSettings {
        cutoff_hours: 2,
        ..settings()
    };
    assert!(late.check().unwrap_err().about("cutoff_hours").is_some());
    let rate = WindowSettings {
        schedule: "rate(7 days)".into(),
        offset_days: 1,
        ..settings()
    };
    assert!(rate.check().unwrap_err().about("offset_days").is_some());
    let mut one = task("", &[]);
    one.max_concurrency = "0".into();
    one.timeout_seconds = 5;
    one.document = String::new();
    one.parameters.insert("Password".into(), vec!["hunter2".into()]);
    let error = change("mw-1", WindowChange::AddTask { task: one })
        .check()
        .unwrap_err();
    for field in [
        "max_concurrency",
        "timeout_seconds",
        "document",
        "parameters.Password",
    ] {
        assert!(error.about(field).is_some(), "{field}");
    }
    let nothing = WindowTarget::default();
    let error = change("mw-1", WindowChange::AddTarget { target: nothing })
        .check()
        .unwrap_err();
    assert!(error.about("target_tags").is_some());
}

#[test]
fn deleting_takes_the_name_and_every_change_what_was_looked_at() {
    let mut delete = change("mw-1", WindowChange::Delete);
    assert!(delete.check().unwrap_err().about("confirmation").is_some());
    delete.confirmation = " nightly ".into();
    assert_eq!(delete.check(), Ok(()));
    delete.seen = None;
    assert!(delete.check().unwrap_err().about("seen").is_some());
    assert!(
        change("", WindowChange::Delete)
            .check()
            .unwrap_err()
            .about("window_id")
            .is_some()
    );
}

#[test]
fn targets_are_read_from_ids_or_from_lines_of_tags() {
    let ids = read_targets("mi-1, mi-2\r\nmi-3", "").unwrap();
    assert_eq!((ids[0].key.as_str(), ids[0].values.len()), ("InstanceIds", 3));
    let tags = read_targets(" ", "Environment=Production, Staging\r\n\r\nTeam=web\n").unwrap();
    assert_eq!(tags[0].words(), "Environment = Production, Staging");
    assert_eq!(tags[1].key, "tag:Team");
    for (nodes, tags) in [("mi-1", "a=b"), ("", "Environment"), ("", "=x"), ("", "a= ,")] {
        assert_eq!(read_targets(nodes, tags).unwrap_err().field, "target_tags");
    }
    assert!(read_targets("", "").unwrap().is_empty());
}

#[test]
fn a_window_is_what_the_change_makes_of_it() {
    let now = state();
    let after = |change: WindowChange| change.apply(Some(&now));
    assert_eq!(after(WindowChange::Delete).unwrap(), None);
    let off = after(WindowChange::Enable { enabled: false }).unwrap().unwrap();
    assert!(!off.settings.enabled && off.tasks == now.tasks);
    // A task without targets runs on all of them; one target cannot go while a task runs on it.
    let more = after(WindowChange::AddTask { task: task("", &[]) })
        .unwrap()
        .unwrap();
    assert_eq!(more.tasks[1].targets[0].values, ["t-1"]);
    let held = after(WindowChange::RemoveTarget { target: "t-1".into() }).unwrap_err();
    assert!(matches!(held, PortalError::Conflict { message } if message.contains("deregister that first")));
    let fewer = after(WindowChange::RemoveTask { task: "k-1".into() })
        .unwrap()
        .unwrap();
    let bare = WindowChange::RemoveTarget { target: "t-1".into() }
        .apply(Some(&fewer))
        .unwrap()
        .unwrap();
    assert!(bare.targets.is_empty());
    let nowhere = WindowChange::AddTask { task: task("", &[]) }
        .apply(Some(&bare))
        .unwrap_err();
    assert!(nowhere.about("task_target").is_some());
    let elsewhere = after(WindowChange::AddTask {
        task: task("", &["t-9"]),
    })
    .unwrap_err();
    assert!(elsewhere.about("task_target").is_some());
    let mut direct = task("", &[]);
    direct.targets = read_targets("mi-1", "").unwrap();
    let refused = after(WindowChange::AddTask { task: direct }).unwrap_err();
    assert!(
        refused.about("task_nodes").is_some(),
        "unregistered nodes are not allowed here"
    );
    for gone in [
        WindowChange::RemoveTask { task: "k-9".into() },
        WindowChange::RemoveTarget { target: "t-9".into() },
    ] {
        assert!(after(gone).is_err());
    }
    assert!(WindowChange::Enable { enabled: true }.apply(None).is_err());
}

#[test]
fn whatever_is_different_is_said_and_shown() {
    let old = state();
    assert!(old.differences(&old).is_empty());
    let mut new = old.clone();
    new.settings.schedule = "rate(1 day)".into();
    new.tasks[0]
        .parameters
        .insert("commands".into(), vec!["date".into()]);
    new.targets.push(target("t-2"));
    let said = old.differences(&new).join(" ");
    for part in [
        "Its schedule is rate(1 day) now (cron(0 2 ? * SUN *) was looked at).",
        "The task AWS-RunShellScript has changed.",
        "is new.",
    ] {
        assert!(said.contains(part), "{said}");
    }
    let (before, after) = (old.text(), new.text());
    assert!(before.contains("    uptime") && after.contains("    date"));
    assert!(
        before.contains("  on: Environment = Production, Staging"),
        "{before}"
    );
    new.targets.clear();
    new.tasks.clear();
    assert!(old.differences(&new).iter().any(|said| said.contains("is gone")));
}

#[test]
fn a_target_and_a_task_are_changed_where_they_stand() {
    let now = WindowState {
        targets: vec![target("t-1"), target("t-2")],
        tasks: vec![task("k-1", &["t-1"]), task("k-2", &["t-2"])],
        ..state()
    };
    let apply = |change: &WindowChange| change.apply(Some(&now)).map(Option::unwrap);
    let renamed = WindowTarget {
        name: "both".into(),
        ..target("t-1")
    };
    let edit = WindowChange::EditTarget {
        target: renamed.clone(),
    };
    assert!(change("mw-1", edit.clone()).check().is_ok() && change("mw-1", edit.clone()).lets_run());
    assert_eq!(apply(&edit).unwrap().targets, [renamed.clone(), target("t-2")]);
    let gone = WindowTarget {
        id: "t-9".into(),
        ..renamed
    };
    assert!(matches!(
        apply(&WindowChange::EditTarget { target: gone }),
        Err(PortalError::Conflict { .. })
    ));

    // What the form does not have stays: what is done at the cutoff, and what there is no field for.
    let mut before = now.clone();
    before.tasks[0].cutoff_behavior = "CANCEL_TASK".into();
    before.tasks[0].others = "hash".into();
    let newer = WindowTask {
        document_version: "3".into(),
        max_concurrency: "10%".into(),
        ..task("k-1", &[])
    };
    let edit = WindowChange::EditTask { task: newer };
    assert!(change("mw-1", edit.clone()).check().is_ok());
    let after = edit.apply(Some(&before)).unwrap().unwrap();
    let first = &after.tasks[0];
    assert_eq!(
        (
            first.cutoff_behavior.as_str(),
            first.others.as_str(),
            first.document_version.as_str()
        ),
        ("CANCEL_TASK", "hash", "3")
    );
    assert_eq!(first.targets[0].values, ["t-1", "t-2"], "all of the window's");
    assert_eq!(after.tasks[1], before.tasks[1]);
    let other = WindowTask {
        document: "AWS-UpdateSSMAgent".into(),
        ..task("k-1", &["t-1"])
    };
    let error = apply(&WindowChange::EditTask { task: other }).unwrap_err();
    assert!(error.about("document").is_some(), "{error}");
    assert!(
        apply(&WindowChange::EditTask {
            task: task("k-9", &[])
        })
        .is_err()
    );
    let nameless = WindowChange::EditTask { task: task("", &[]) };
    assert!(
        change("mw-1", nameless)
            .check()
            .unwrap_err()
            .about("id")
            .is_some()
    );
}

#[test]
fn a_runbook_needs_no_nodes_and_says_its_version() {
    let runbook = |targets: Vec<TargetKey>| WindowTask {
        kind: "AUTOMATION".into(),
        document: "Own-Restart".into(),
        targets,
        ..task("", &[])
    };
    let add = |task: WindowTask| change("mw-1", WindowChange::AddTask { task });
    assert!(add(runbook(Vec::new())).check().is_ok());
    let after = WindowChange::AddTask {
        task: runbook(Vec::new()),
    }
    .apply(Some(&state()))
    .unwrap()
    .unwrap();
    let made = &after.tasks[1];
    assert!(made.targets.is_empty() && made.max_concurrency.is_empty() && made.max_errors.is_empty());
    let all = vec![TargetKey {
        key: WINDOW_TARGETS.into(),
        values: Vec::new(),
    }];
    let after = WindowChange::AddTask { task: runbook(all) }
        .apply(Some(&state()))
        .unwrap()
        .unwrap();
    assert_eq!(after.tasks[1].targets[0].values, ["t-1"]);
    assert_eq!(after.tasks[1].max_errors, "0");
    for (version, is_one) in [
        ("", true),
        ("12", true),
        ("$LATEST", true),
        ("$DEFAULT", true),
        ("0", false),
        ("v2", false),
        ("-1", false),
    ] {
        let task = WindowTask {
            document_version: version.into(),
            ..runbook(Vec::new())
        };
        assert_eq!(add(task).check().is_ok(), is_one, "{version}");
    }
    let commented = WindowTask {
        comment: "no".into(),
        ..runbook(Vec::new())
    };
    assert!(add(commented).check().unwrap_err().about("comment").is_some());
    let lambda = WindowTask {
        kind: "LAMBDA".into(),
        ..task("", &[])
    };
    assert!(add(lambda).check().unwrap_err().about("document").is_some());
}
