//! Every way of tampering is found, and named.

use crate::fixtures::{Place, id, out};
use muster_recording::{Event, InputPolicy, Manifest, Problem, Report, SignedManifest, SigningKey, verify};
use std::path::{Path, PathBuf};

struct Recorded {
    place: Place,
    sha256: String,
}

async fn recorded() -> Recorded {
    let place = Place::small();
    let mut sha256 = String::new();
    for name in ["one", "two"] {
        let mut recorder = place.begin(name, InputPolicy::Keep).await;
        for number in 0..300 {
            let text = format!("{name} {number} {}\r\n", number * 7919 % 1009);
            recorder.record_at(number * 1000, [out(text)]).await.unwrap();
        }
        sha256 = recorder.finish_at(300_000, "done").await.unwrap().manifest_sha256;
    }
    Recorded { place, sha256 }
}

impl Recorded {
    fn folder(&self, name: &str) -> PathBuf {
        self.place.folder.path().join("store").join(name)
    }

    fn chunk(&self, number: u64) -> PathBuf {
        self.folder("two").join(format!("chunk-{number:08}"))
    }

    fn manifest(&self) -> PathBuf {
        self.folder("two").join("manifest.json")
    }

    async fn report(&self) -> Report {
        let key = self.place.recordings.public_key();
        verify(&self.place.storage, &id("two"), key, Some(&self.sha256))
            .await
            .unwrap()
    }

    async fn problems(&self) -> Vec<(Problem, Option<u64>)> {
        self.report()
            .await
            .findings
            .into_iter()
            .map(|finding| (finding.problem, finding.chunk))
            .collect()
    }

    /// Changes the manifest, and signs it again with `key` when there is one.
    fn rewrite(&self, change: impl FnOnce(&mut Manifest), key: Option<&Path>) {
        let mut signed: SignedManifest =
            serde_json::from_slice(&std::fs::read(self.manifest()).unwrap()).unwrap();
        let mut manifest: Manifest = serde_json::from_str(&signed.body).unwrap();
        change(&mut manifest);
        signed.body = serde_json::to_string(&manifest).unwrap();
        if let Some(key) = key {
            let pair = ring::signature::Ed25519KeyPair::from_pkcs8(&std::fs::read(key).unwrap()).unwrap();
            signed.signature = hex::encode(pair.sign(signed.body.as_bytes()));
        }
        std::fs::write(self.manifest(), serde_json::to_vec(&signed).unwrap()).unwrap();
    }
}

#[tokio::test]
async fn an_untouched_recording_is_intact_and_complete() {
    let recorded = recorded().await;
    let report = recorded.report().await;
    assert_eq!(report.findings, []);
    assert!(report.is_intact() && report.is_complete());
    assert!(report.chunks > 3);
}

#[tokio::test]
async fn an_edited_byte_is_found_wherever_it_is() {
    let recorded = recorded().await;
    let good = std::fs::read(recorded.chunk(1)).unwrap();
    for at in (0..good.len()).step_by(97).chain([good.len() - 1]) {
        let mut bad = good.clone();
        bad[at] ^= 1;
        std::fs::write(recorded.chunk(1), &bad).unwrap();
        let report = recorded.report().await;
        assert!(!report.is_intact() && report.is_complete());
        assert_eq!(report.findings.len(), 1);
        assert_eq!(
            (report.findings[0].problem, report.findings[0].chunk),
            (Problem::ChunkChanged, Some(1))
        );
    }
}

#[tokio::test]
async fn missing_truncated_moved_extra_and_foreign_chunks_are_told_apart() {
    let recorded = recorded().await;
    let (one, two) = (
        std::fs::read(recorded.chunk(1)).unwrap(),
        std::fs::read(recorded.chunk(2)).unwrap(),
    );

    std::fs::remove_file(recorded.chunk(1)).unwrap();
    let report = recorded.report().await;
    assert_eq!(report.findings[0].problem, Problem::ChunkMissing);
    assert!(report.is_intact() && !report.is_complete());

    std::fs::write(recorded.chunk(1), &one[..one.len() - 1]).unwrap();
    assert_eq!(recorded.problems().await, [(Problem::ChunkTruncated, Some(1))]);
    std::fs::write(recorded.chunk(1), b"").unwrap();
    assert_eq!(recorded.problems().await, [(Problem::ChunkTruncated, Some(1))]);

    std::fs::write(recorded.chunk(1), &two).unwrap();
    std::fs::write(recorded.chunk(2), &one).unwrap();
    assert_eq!(
        recorded.problems().await,
        [(Problem::ChunkMoved, Some(1)), (Problem::ChunkMoved, Some(2))]
    );
    std::fs::write(recorded.chunk(2), &two).unwrap();

    std::fs::copy(recorded.folder("one").join("chunk-00000001"), recorded.chunk(1)).unwrap();
    assert_eq!(recorded.problems().await, [(Problem::ChunkOfAnother, Some(1))]);
    std::fs::write(recorded.chunk(1), &one).unwrap();

    std::fs::write(recorded.chunk(77), &one).unwrap();
    assert_eq!(recorded.problems().await, [(Problem::ChunkExtra, None)]);
}

#[tokio::test]
async fn a_changed_manifest_is_found_with_and_without_the_key() {
    let recorded = recorded().await;
    let good = std::fs::read(recorded.manifest()).unwrap();
    let key = recorded.place.folder.path().join("signing-key");

    recorded.rewrite(|manifest| manifest.facts.clear(), None);
    assert_eq!(
        recorded.problems().await,
        [
            (Problem::NotTheExpectedManifest, None),
            (Problem::WrongSignature, None)
        ]
    );
    // Who holds the key signs what they like: only the digest in the audit log shows that.
    std::fs::write(recorded.manifest(), &good).unwrap();
    recorded.rewrite(|manifest| manifest.facts.clear(), Some(&key));
    assert_eq!(
        recorded.problems().await,
        [(Problem::NotTheExpectedManifest, None)]
    );

    std::fs::write(recorded.manifest(), &good).unwrap();
    let other = recorded.place.folder.path().join("other-key");
    SigningKey::load_or_make(&other).unwrap();
    recorded.rewrite(|_| {}, Some(&other));
    assert!(
        recorded
            .problems()
            .await
            .contains(&(Problem::WrongSignature, None))
    );

    std::fs::copy(recorded.folder("one").join("manifest.json"), recorded.manifest()).unwrap();
    let problems = recorded.problems().await;
    assert!(
        problems.contains(&(Problem::ManifestOfAnother, None)),
        "{problems:?}"
    );

    std::fs::write(recorded.manifest(), b"{}").unwrap();
    assert!(
        recorded
            .problems()
            .await
            .contains(&(Problem::ManifestUnreadable, None))
    );
    std::fs::write(recorded.manifest(), &good[..good.len() / 2]).unwrap();
    assert!(
        recorded
            .problems()
            .await
            .contains(&(Problem::ManifestUnreadable, None))
    );

    std::fs::remove_file(recorded.manifest()).unwrap();
    let report = recorded.report().await;
    assert_eq!(report.findings[0].problem, Problem::NoManifest);
    assert!(!report.is_complete());
}

#[tokio::test]
async fn a_cut_tail_is_found_even_when_the_manifest_is_signed_again() {
    let recorded = recorded().await;
    let key = recorded.place.folder.path().join("signing-key");
    let mut cut = 0;
    recorded.rewrite(
        |manifest| {
            cut = manifest.chunks.pop().unwrap().index;
            manifest.totals = muster_recording::Totals::of(&manifest.chunks);
        },
        Some(&key),
    );
    std::fs::remove_file(recorded.chunk(cut)).unwrap();
    let problems = recorded.problems().await;
    assert!(problems.contains(&(Problem::EndMissing, None)), "{problems:?}");

    recorded.rewrite(|manifest| manifest.chunks.swap(0, 1), Some(&key));
    let problems = recorded.problems().await;
    assert!(
        problems.contains(&(Problem::ManifestInconsistent, Some(0))),
        "{problems:?}"
    );
}

#[tokio::test]
async fn a_bomb_in_a_chunks_place_is_only_a_wrong_digest() {
    let recorded = recorded().await;
    let bomb = zstd::encode_all(&vec![0_u8; 200 << 20][..], 3).unwrap();
    std::fs::write(recorded.chunk(1), bomb).unwrap();
    assert_eq!(recorded.problems().await, [(Problem::ChunkChanged, Some(1))]);
}

#[tokio::test]
async fn an_unfinished_recording_is_intact_and_not_complete() {
    let place = Place::small();
    let mut recorder = place.begin("open", InputPolicy::Drop).await;
    recorder.record(Event::Marker("x".into())).await.unwrap();
    let report = verify(&place.storage, &id("open"), place.recordings.public_key(), None)
        .await
        .unwrap();
    assert_eq!(report.findings[0].problem, Problem::Unfinished);
    assert!(report.is_intact() && !report.is_complete());
    assert!(verify(&place.storage, &id("none"), "", None).await.is_err());
}
