//! The verifier printed in `docs/RECORDINGS.md` agrees with ours. Runs where `MUSTER_TEST_PYTHON` names a Python that has
//! the packages `zstandard` and `cryptography`.

use crate::fixtures::{Place, out};
use muster_recording::InputPolicy;
use std::path::Path;
use std::process::Command;

/// What the verifier says, and whether it found nothing.
fn check(python: &str, program: &Path, folder: &Path, key: &str, manifest: &str) -> (String, bool) {
    let done = Command::new(python)
        .arg(program)
        .arg(folder)
        .args([key, manifest])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    (text, done.status.success())
}

#[tokio::test]
async fn the_verifier_in_the_documentation_finds_what_ours_finds() {
    let Ok(python) = std::env::var("MUSTER_TEST_PYTHON") else {
        return;
    };
    let packages = Command::new(&python)
        .args(["-c", "import zstandard, cryptography"])
        .output()
        .unwrap();
    if !packages.status.success() {
        return;
    }
    let place = Place::small();
    let program = place.folder.path().join("verify_recording.py");
    let page = include_str!("../../../../docs/RECORDINGS.md");
    let text = page
        .split("```python\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    std::fs::write(&program, text).unwrap();
    let mut recorder = place.begin("checked", InputPolicy::Keep).await;
    for number in 0..300 {
        recorder
            .record_at(number * 1000, [out(format!("line {number}\r\n"))])
            .await
            .unwrap();
    }
    let finished = recorder.finish("done").await.unwrap();
    let folder = place.folder.path().join("store/checked");
    let key = place.recordings.public_key();
    let run = || check(&python, &program, &folder, key, &finished.manifest_sha256);

    let (text, good) = run();
    assert!(good && text.contains(", 0 findings"), "{text}");
    let chunk = folder.join("chunk-00000001");
    let bytes = std::fs::read(&chunk).unwrap();
    let mut changed = bytes.clone();
    changed[40] ^= 1;
    for (bad, words) in [
        (&changed[..], "is not the one that was recorded"),
        (&bytes[1..], "is truncated"),
    ] {
        std::fs::write(&chunk, bad).unwrap();
        let (text, good) = run();
        assert!(!good && text.contains(words), "{text}");
    }
    std::fs::remove_file(&chunk).unwrap();
    assert!(run().0.contains("chunk 1: is missing"));
    std::fs::write(&chunk, &bytes).unwrap();
    let wrong_key = "00".repeat(32);
    let (text, good) = check(&python, &program, &folder, &wrong_key, &finished.manifest_sha256);
    assert!(!good && text.contains("not signed with this key"), "{text}");
}
