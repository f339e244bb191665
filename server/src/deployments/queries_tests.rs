//! The SQL of deployments, on both databases.

use super::queries::*;
use super::standing::{given, problem, standings, waiting};
use super::write::{self, NewDeployment};
use muster_domain::Timestamp;
use muster_domain::deployments::{
    ApplicationQuery, ApplicationSettings, DeploymentKind, DeploymentQuery, DeploymentState, Environment,
    Release, ReleaseContent, ReleaseQuery,
};
use muster_domain::ids::{ApplicationId, DeploymentId, ExecutionId, ReleaseId};
use muster_domain::runbooks::ExecutionStatus;
use muster_store::test_database::on_both;
use muster_store::{Db, Sql};

fn id() -> ApplicationId {
    ApplicationId::new("a")
}

fn settings(name: &str) -> ApplicationSettings {
    ApplicationSettings {
        name: name.into(),
        document: "Own-Deploy".into(),
        ..ApplicationSettings::default()
    }
}

fn places() -> Vec<Environment> {
    ["Staging", "Production"]
        .iter()
        .map(|name| Environment {
            name: (*name).into(),
            ..Environment::default()
        })
        .collect()
}

fn release(version: &str) -> Release {
    Release {
        release_id: ReleaseId::new(format!("r-{version}")),
        application_id: id(),
        number: 0,
        version: version.into(),
        notes: "a test".into(),
        content: ReleaseContent::default(),
        created_by: "olga".into(),
        created_at: Timestamp(1),
    }
}

fn new(name: &str, version: &str, replaces: Option<&str>) -> NewDeployment {
    NewDeployment {
        id: DeploymentId::new(name),
        application_id: id(),
        revision: 1,
        application: "web".into(),
        environment: "Staging".into(),
        kind: DeploymentKind::Deploy,
        release_id: ReleaseId::new(format!("r-{version}")),
        number: 1,
        version: version.into(),
        replaces: replaces.map(|id| (DeploymentId::new(id), String::new())),
        reason: "a test".into(),
        ticket: String::new(),
        requested_by: "olga".into(),
        requested_by_id: None,
        nodes: 2,
        request_id: None,
    }
}

/// Writes a deployment as it is written with an execution: `Ok(false)` is what does not hold any more.
async fn begin(db: &Db, new: &NewDeployment, at: i64) -> Result<bool, muster_store::StoreError> {
    let mut transaction = db.begin().await?;
    let execution = ExecutionId::new(format!("e-{}", new.id));
    let done = write::deployment(&mut transaction, new, &execution, Timestamp(at)).await?;
    if done {
        transaction.commit().await?;
    }
    Ok(done)
}

async fn stands(db: &Db, name: &str, status: ExecutionStatus, at: i64) {
    let mut transaction = db.begin().await.unwrap();
    let execution = ExecutionId::new(format!("e-{name}"));
    write::follow(&mut transaction, &execution, status, Some(Timestamp(at)))
        .await
        .unwrap();
    transaction.commit().await.unwrap();
}

async fn standing(db: &Db) -> (String, String) {
    let mut all = standings(db, &[id()]).await.unwrap();
    let found = all.remove(&("a".into(), "Staging".into())).unwrap_or_default();
    let of = |one: Option<muster_domain::deployments::DeploymentSummary>| {
        one.map(|one| one.deployment_id.to_string()).unwrap_or_default()
    };
    (of(found.current), of(found.last))
}

async fn made(db: &Db) {
    write::create(db, "c", &id(), &settings("Web"), &places(), "olga", Timestamp(5))
        .await
        .unwrap();
    for version in ["1.0", "1.1"] {
        assert!(
            write::create_release(db, &release(version), 1, None)
                .await
                .unwrap()
        );
    }
}

#[tokio::test]
async fn applications_are_changed_as_they_were_looked_at() {
    on_both(async |db| {
        made(&db).await;
        let other = ApplicationId::new("b");
        let twice = write::create(&db, "c", &other, &settings("WEB "), &[], "olga", Timestamp(5)).await;
        assert!(twice.unwrap_err().is_unique_violation());
        write::create(&db, "c", &other, &settings("Api"), &[], "olga", Timestamp(5))
            .await
            .unwrap();
        let names = async |text: &str, limit| {
            let query = ApplicationQuery {
                text: text.into(),
                limit,
                ..ApplicationQuery::default()
            };
            let (page, total) = list(&db, "c", &query).await.unwrap();
            let names: Vec<String> = page.items.iter().map(|one| one.settings.name.clone()).collect();
            (names.join(","), page.next, total)
        };
        assert_eq!(names("", None).await, ("Api,Web".into(), None, 2));
        assert_eq!(names("we", None).await.0, "Web");
        let (first, next, _) = names("", Some(1)).await;
        assert_eq!(first, "Api");
        let query = ApplicationQuery {
            cursor: next,
            ..ApplicationQuery::default()
        };
        assert_eq!(
            list(&db, "c", &query).await.unwrap().0.items[0].settings.name,
            "Web"
        );

        let change = async |seen, name: &str| {
            write::change(&db, &id(), seen, &settings(name), &places(), "bob", Timestamp(9)).await
        };
        assert!(!change(2, "Web").await.unwrap(), "not what was looked at");
        assert!(change(1, "api").await.unwrap_err().is_unique_violation());
        assert!(change(1, "Shop").await.unwrap());
        assert!(!change(1, "Shop").await.unwrap(), "once");
        let found = application(&db, "c", &id()).await.unwrap().unwrap();
        assert_eq!((found.revision, found.changed_by.as_str()), (2, "bob"));
        assert_eq!(found.newest.unwrap().1, "1.1");
        // Deleted, it is not listed, its history stays, and its name is free.
        assert!(write::delete(&db, &id(), 2, "bob", Timestamp(10)).await.unwrap());
        assert_eq!(names("", None).await.0, "Api");
        assert!(
            application(&db, "c", &id())
                .await
                .unwrap()
                .unwrap()
                .deleted_at
                .is_some()
        );
        let third = ApplicationId::new("d");
        write::create(&db, "c", &third, &settings("shop"), &[], "olga", Timestamp(5))
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test]
async fn releases_are_numbered_and_unique() {
    on_both(async |db| {
        made(&db).await;
        let twice = write::create_release(&db, &release("1.0"), 1, None).await;
        assert!(twice.unwrap_err().is_unique_violation());
        assert!(
            !write::create_release(&db, &release("1.2"), 7, None)
                .await
                .unwrap()
        );
        let query = ReleaseQuery {
            application: id(),
            text: String::new(),
            cursor: None,
            limit: Some(1),
        };
        let page = releases(&db, &query).await.unwrap();
        assert_eq!((page.items[0].number, page.items[0].version.as_str()), (2, "1.1"));
        let query = ReleaseQuery {
            cursor: page.next,
            ..query
        };
        assert_eq!(releases(&db, &query).await.unwrap().items[0].version, "1.0");
        let query = ReleaseQuery {
            text: "1.0".into(),
            cursor: None,
            limit: None,
            ..query
        };
        assert_eq!(releases(&db, &query).await.unwrap().items.len(), 1);
        assert_eq!(
            release_number(&db, &id(), 1).await.unwrap().unwrap().version,
            "1.0"
        );
    })
    .await;
}

#[tokio::test]
async fn one_deployment_at_a_time_and_the_newest_that_succeeded_runs() {
    on_both(async |db| {
        made(&db).await;
        assert!(begin(&db, &new("one", "1.0", None), 10).await.unwrap());
        assert_eq!(standing(&db).await, (String::new(), "one".into()));
        let second = begin(&db, &new("two", "1.1", None), 11).await;
        assert!(second.unwrap_err().is_unique_violation(), "one runs");
        let mut elsewhere = new("other", "1.0", None);
        elsewhere.environment = "Production".into();
        assert!(begin(&db, &elsewhere, 11).await.unwrap(), "another environment");
        assert!(!write::delete(&db, &id(), 1, "olga", Timestamp(12)).await.unwrap());
        stands(&db, "one", ExecutionStatus::InProgress, 12).await;
        let open = get(&db, &DeploymentId::new("one")).await.unwrap().unwrap();
        assert_eq!((open.state, open.ended_at), (DeploymentState::Running, None));
        stands(&db, "one", ExecutionStatus::Success, 13).await;
        assert_eq!(standing(&db).await, ("one".into(), String::new()));

        // Planned with what ran before, or with another application: nothing is written.
        assert!(!begin(&db, &new("two", "1.1", None), 14).await.unwrap());
        let mut stale = new("two", "1.1", Some("one"));
        stale.revision = 9;
        assert!(!begin(&db, &stale, 14).await.unwrap());
        assert!(begin(&db, &new("two", "1.1", Some("one")), 15).await.unwrap());
        let mut sql = Sql::new(
            "insert into executions (execution_id, connection_id, client_token, document, document_version, content_hash, parameters, \
             targets, max_concurrency, max_errors, reaches_further, reason, requested_by, executed_by, requested_at, status, \
             current_step, failure_message, outputs, parent_ssm_id, steps, steps_ended, steps_failed, state, problem, next_event, \
             synced_at) values ('e-two', 'c', '', '', '', '', '{\"Port\":[\"80\"]}', 'null', '', '', 0, '', '', '', 1, 'Failed', '', 'it broke', \
             '{}', '', 1, 1, 1, 'done', '', 1, 1)",
        );
        sql.push("");
        sql.run(db.writer()).await.unwrap();
        let sql = Sql::new(
            "insert into execution_steps (execution_id, position, step_execution_id, name, action, status, started_at, ended_at, \
             response_code, failure_message, inputs, outputs) values ('e-two', 7, 's', 'RollBack', 'aws:runCommand', 'Success', 1, 2, \
             '', '', '{}', '{}')",
        );
        sql.run(db.writer()).await.unwrap();
        stands(&db, "two", ExecutionStatus::Failed, 16).await;
        assert_eq!(standing(&db).await, ("one".into(), "two".into()), "what ran before runs");
        let failed = get(&db, &DeploymentId::new("two")).await.unwrap().unwrap();
        assert_eq!(
            (failed.state, failed.rolled_back.as_str(), failed.ended_at),
            (DeploymentState::Failed, "Success", Some(Timestamp(16)))
        );
        assert_eq!(problem(&db, &failed.execution_id).await.unwrap(), "it broke");
        assert_eq!(given(&db, &failed.execution_id).await.unwrap().unwrap().0["Port"], ["80"]);
        let earlier = succeeded(&db, &id(), "Staging").await.unwrap();
        assert_eq!(earlier.len(), 1, "only what succeeded there");
        assert!(has_succeeded(&db, &ReleaseId::new("r-1.0"), "Staging").await.unwrap());
        assert!(!has_succeeded(&db, &ReleaseId::new("r-1.1"), "Staging").await.unwrap());

        // One that goes on again while another one runs takes no place from it.
        assert!(begin(&db, &new("three", "1.1", Some("one")), 17).await.unwrap());
        stands(&db, "two", ExecutionStatus::InProgress, 18).await;
        stands(&db, "three", ExecutionStatus::Cancelled, 19).await;
        assert!(begin(&db, &new("four", "1.1", Some("one")), 20).await.unwrap());
        // What was certainly not started is taken back whole.
        let mut transaction = db.begin().await.unwrap();
        write::remove_unsent(&mut transaction, &ExecutionId::new("e-four"))
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        assert_eq!(standing(&db).await, ("one".into(), "three".into()));

        let query = DeploymentQuery {
            application: id(),
            environment: "Staging".into(),
            state: None,
            text: String::new(),
            cursor: None,
            limit: Some(2),
        };
        let page = history(&db, &query).await.unwrap();
        let ids = |items: &[muster_domain::deployments::DeploymentSummary]| -> Vec<String> {
            items.iter().map(|one| one.deployment_id.to_string()).collect()
        };
        assert_eq!(ids(&page.items), ["three", "two"]);
        let query = DeploymentQuery {
            cursor: page.next,
            ..query
        };
        assert_eq!(ids(&history(&db, &query).await.unwrap().items), ["one"]);
        let query = DeploymentQuery {
            state: Some(DeploymentState::Stopped),
            text: "OLG".into(),
            cursor: None,
            ..query
        };
        assert_eq!(ids(&history(&db, &query).await.unwrap().items), ["three"]);
        assert!(waiting(&db).await.unwrap().is_empty());

        // An execution that had ended may be copied once more.
        assert!(begin(&db, &new("five", "1.1", Some("one")), 21).await.unwrap());
        stands(&db, "five", ExecutionStatus::Success, 22).await;
        stands(&db, "one", ExecutionStatus::Success, 23).await;
        assert_eq!(standing(&db).await, ("five".into(), String::new()), "the newest that succeeded runs");
    })
    .await;
}
