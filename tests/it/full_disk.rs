//! The whole portal on a disk that fills up: new acts are refused with the reason, pages stay, nothing that was
//! accepted is lost, and all goes on when there is space again.

use crate::support;
use muster_tests::portal::{Fallible, program};
use muster_tests::{Client, Portal};
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A program that runs Muster on a small disk of its own, made in a namespace of its own: nobody's rights are
/// needed for that, and nothing is left of it afterwards.
pub(crate) fn small_disk(folder: &Path, disk: &Path) -> Fallible<PathBuf> {
    use std::os::unix::fs::PermissionsExt as _;
    let script = folder.join("muster-on-a-small-disk");
    let text = format!(
        "#!/bin/sh\nexec unshare --user --map-root-user --mount sh -c \
         'mount -t tmpfs -o size=24m none {disk} && exec {program} \"$@\"' sh \"$@\"\n",
        disk = disk.display(),
        program = program()?.display(),
    );
    std::fs::write(&script, text)?;
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755))?;
    Ok(script)
}

/// Fills the disk to its last byte.
pub(crate) fn fill(ballast: &Path) -> Fallible<()> {
    let mut file = File::create(ballast)?;
    let mut size = 1 << 20;
    while size > 0 {
        // Larger pieces first, so that no corner is left.
        while file.write_all(&vec![0_u8; size]).is_ok() {}
        size /= 2;
    }
    Ok(())
}

#[tokio::test]
async fn a_full_disk_refuses_what_is_new_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let script = small_disk(folder.path(), &disk).unwrap();
    let portal = Portal::start_program(&script, &disk.join("data"), &[]).unwrap();
    let admin = Client::first_administrator(&portal).await.unwrap();
    let node = support::online_node(&admin).await;
    let before = support::run_script(&admin, &node, "echo before").await;
    assert_eq!(
        support::status(&support::follow(&admin, &before, 0).await),
        "Success"
    );

    // The disk as the portal sees it.
    let inside = PathBuf::from(format!("/proc/{}/root", portal.pid())).join(disk.strip_prefix("/").unwrap());
    let ballast = inside.join("ballast");
    fill(&ballast).unwrap();
    let fields = [
        ("document", "AWS-RunShellScript"),
        ("parameters[commands]", "echo lost"),
        ("nodes", node.as_str()),
    ];
    // SQLite may have some room left in its own files: it is used up by acts that are accepted.
    let mut accepted = Vec::new();
    let refusal = loop {
        let (status, answer) = admin.call("commands/run", &fields).await.unwrap();
        match (status, answer.as_str()) {
            (200..400, Some(id)) => accepted.push(id.to_owned()),
            _ => break (status, answer),
        }
        fill(&inside.join(format!("ballast-{}", accepted.len()))).unwrap();
        assert!(accepted.len() < 200, "the disk is never full");
    };
    assert_eq!(refusal.0, 503, "{}", refusal.1);
    assert!(
        refusal.1.to_string().contains("No space is left"),
        "{}",
        refusal.1
    );
    for path in [
        "/",
        "/fleet",
        "/commands",
        &format!("/commands/{before}"),
        "/audit",
        "/health",
    ] {
        let (status, _, text) = admin.get(path).await.unwrap();
        let refused = path == "/audit" && text.contains("No space is left");
        // Reading the audit log is an act that is recorded: without space for that it is refused, too.
        assert!(status == 200 || refused, "{path}: {status}");
    }
    let (_, _, page) = admin.get(&format!("/commands/{before}")).await.unwrap();
    assert!(page.contains("before"), "what was kept is shown");

    for entry in std::fs::read_dir(&inside).unwrap().flatten() {
        if entry.file_name().to_string_lossy().starts_with("ballast") {
            std::fs::remove_file(entry.path()).unwrap();
        }
    }
    let id = admin
        .until(
            "an act to be accepted again",
            Duration::from_secs(30),
            async |client| {
                let (status, answer) = client.call("commands/run", &fields).await?;
                Ok((200..400)
                    .contains(&status)
                    .then(|| answer.as_str().unwrap_or_default().to_owned()))
            },
        )
        .await
        .unwrap();
    for id in accepted.iter().chain([&before, &id]) {
        let events = support::follow(&admin, id, 0).await;
        assert_eq!(support::status(&events), "Success", "{id}");
    }
    let (status, report) = admin.call("audit/verify", &[]).await.unwrap();
    assert_eq!(status, 200, "{report}");
    assert_eq!(report["findings"].as_array().map(Vec::len), Some(0), "{report}");
}
