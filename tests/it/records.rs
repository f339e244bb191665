//! What the records say: calls of the embedded endpoint by name, and an old copy of the database that was put back.

use muster_tests::portal::{ADMINISTRATOR, run};
use muster_tests::{Client, Portal};
use std::path::{Path, PathBuf};

#[tokio::test]
async fn calls_of_the_endpoint_go_by_their_operation() {
    let folder = tempfile::tempdir().unwrap();
    let portal = Portal::start(folder.path(), &["--local-node", "false"], &[]).unwrap();
    let admin = Client::first_administrator(&portal).await.unwrap();
    let (code, text) = portal.command(&["activation", "create"]).unwrap();
    assert_eq!(code, 0, "{text}");
    for filter in ["ssm.", "ssm.CreateActivation"] {
        let (_, _, log) = admin
            .get(&format!("/export/audit.csv?action={filter}"))
            .await
            .unwrap();
        assert!(
            log.contains(",ssm.CreateActivation,activation:"),
            "{filter}:\n{log}"
        );
        assert!(!log.contains("api.call"), "{log}");
        assert!(!log.contains("setup.create_administrator"), "{log}");
    }
    let (_, _, log) = admin
        .get("/export/audit.csv?action=ssm.SendCommand")
        .await
        .unwrap();
    assert!(!log.contains("ssm.CreateActivation"), "{log}");
}

/// The files of the database.
fn files(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("muster.db"))
        })
        .collect()
}

fn put(from: &Path, to: &Path) {
    for old in files(to) {
        std::fs::remove_file(old).unwrap();
    }
    for file in files(from) {
        std::fs::copy(&file, to.join(file.file_name().unwrap())).unwrap();
    }
}

#[tokio::test]
async fn an_old_copy_of_the_database_is_noticed_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let (data, copy) = (folder.path().join("data"), folder.path().join("copy"));
    std::fs::create_dir(&copy).unwrap();
    let start = || Portal::start(&data, &["--local-node", "false"], &[]).unwrap();
    let viewer = ("viewer", "somebody who only looks");
    let fields = [
        ("name", viewer.0),
        ("display_name", ""),
        ("password", viewer.1),
        ("role", "viewer"),
        ("scope", "*"),
    ];
    {
        let portal = start();
        let admin = Client::first_administrator(&portal).await.unwrap();
        let (status, answer) = admin.call("access/create_user", &fields).await.unwrap();
        assert_eq!(status / 100, 2, "{answer}");
    }
    put(&data, &copy);
    {
        let portal = start();
        let admin = Client::sign_in(&portal.base, ADMINISTRATOR.0, ADMINISTRATOR.1)
            .await
            .unwrap();
        let (_, _, page) = admin.get("/").await.unwrap();
        assert!(!page.contains("data-audit-warning"), "nothing is wrong yet");
        for name in ["x1", "x2", "x3"] {
            let mut fields = fields;
            fields[0].1 = name;
            admin.call("access/create_user", &fields).await.unwrap();
        }
    }
    put(&copy, &data);
    // Also after more was written: a restart hides nothing.
    for round in ["the first start", "the second start"] {
        let portal = start();
        let admin = Client::sign_in(&portal.base, ADMINISTRATOR.0, ADMINISTRATOR.1)
            .await
            .unwrap();
        for path in ["/", "/audit"] {
            let (_, _, page) = admin.get(path).await.unwrap();
            assert!(page.contains("data-audit-warning"), "{path} at {round}");
            assert!(page.contains("old copy of the database"), "{path} at {round}");
        }
        let looks = Client::sign_in(&portal.base, viewer.0, viewer.1).await.unwrap();
        let (status, _, page) = looks.get("/").await.unwrap();
        assert_eq!(status, 200);
        assert!(!page.contains("data-audit-warning"), "it is not for everybody");
        drop(portal);
        let (code, text) = run(&data, &["audit", "verify"]).unwrap();
        assert!(code != 0 && text.contains("NOT intact"), "{text}");
    }
}

#[test]
fn help_names_the_settings_that_a_subcommand_reads() {
    let folder = tempfile::tempdir().unwrap();
    let help = |words: &[&str]| {
        let (code, text) = run(folder.path(), &[words, &["--help"]].concat()).unwrap();
        assert_eq!(code, 0, "{text}");
        text
    };
    let all = help(&["serve"]);
    for setting in [
        "--public-url",
        "--ssm-tls-names",
        "--terminal-reason",
        "--data-dir",
    ] {
        assert!(all.contains(setting), "serve lacks {setting}");
    }
    for words in [
        &["audit", "verify"][..],
        &["user", "add"],
        &["token", "create"],
        &["activation", "create"],
        &["recording", "list"],
        &["migrate"],
        &["keys"],
        &["ca"],
    ] {
        let text = help(words);
        assert!(text.contains("--data-dir"), "{words:?}:\n{text}");
        for setting in ["--terminal-reason", "--idle-timeout-minutes", "--site-root"] {
            assert!(!text.contains(setting), "{words:?} shows {setting}");
        }
    }
}
