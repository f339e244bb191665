//! Checks a recording against its signed manifest, with nothing but the storage and a public key.
//!
//! Two verdicts: integrity says that what is there is what was recorded, completeness that all of it is there.

use crate::chunk::{self, Chunk};
use crate::event::Event;
use crate::keys::{is_signed, sha256};
use crate::manifest::{ChunkEntry, Manifest, SignedManifest, Totals};
use crate::report::{Problem, Report};
use crate::storage::{MAX_STORED_BYTES, Storage, blocking};
use crate::{RecordingError, RecordingId};
use bytes::Bytes;
use std::collections::BTreeMap;

/// Checks the recording `id`: every chunk is read once, one at a time, and no more is kept than the manifest.
///
/// `public_key` is hexadecimal. `expected_manifest` is the manifest's SHA-256 from a safe place, the audit log say: it alone
/// shows that a whole recording was replaced by an older or newly signed one.
///
/// # Errors
/// [`RecordingError::NotFound`] when nothing of it is there, or what disk and store say. What is wrong with the recording
/// is no error, it is in the report.
pub async fn verify(
    storage: &Storage,
    id: &RecordingId,
    public_key: &str,
    expected_manifest: Option<&str>,
) -> Result<Report, RecordingError> {
    let mut report = Report::default();
    let objects: BTreeMap<String, u64> = storage.objects_of(id).await?.into_iter().collect();
    let live = storage.live_folder(id).exists();
    if objects.is_empty() && !live {
        return Err(RecordingError::NotFound(id.to_string()));
    }
    let manifest = match storage.manifest(id).await {
        Ok(Some(bytes)) => check_manifest(id, &bytes, public_key, expected_manifest, &mut report),
        Ok(None) if live => {
            report.found(
                Problem::Unfinished,
                None,
                "it is still being written, or waits to be recovered: there is no signed manifest yet",
            );
            None
        }
        Ok(None) => {
            report.found(Problem::NoManifest, None, "there are chunks, but no manifest");
            None
        }
        Err(RecordingError::Damaged { reason, .. }) => {
            report.found(Problem::ManifestUnreadable, None, reason);
            None
        }
        Err(error) => return Err(error),
    };
    let signed = manifest.is_some();
    let entries = match manifest {
        Some(manifest) => manifest.chunks,
        None => storage
            .live_index(id)
            .await
            .map(|(entries, _)| entries)
            .unwrap_or_default(),
    };
    let by_digest: BTreeMap<&str, u64> = entries
        .iter()
        .map(|entry| (entry.sha256.as_str(), entry.index))
        .collect();
    let mut ended = false;
    for entry in &entries {
        let name = Storage::chunk_name(entry.index);
        let object = match storage.get(id, &name, MAX_STORED_BYTES).await {
            Ok(object) => object,
            Err(RecordingError::Damaged { reason, .. }) => {
                report.found(
                    Problem::ChunkChanged,
                    Some(entry.index),
                    format!("chunk {}: {reason}", entry.index),
                );
                continue;
            }
            Err(error) => return Err(error),
        };
        let Some(object) = object else {
            report.found(
                Problem::ChunkMissing,
                Some(entry.index),
                format!("chunk {} is missing", entry.index),
            );
            continue;
        };
        if let Some(chunk) = check_chunk(id, entry, object, &by_digest, &mut report).await? {
            report.chunks += 1;
            report.output_bytes += entry.output_bytes;
            ended = check_events(&chunk, &mut report);
        }
    }
    if signed && !ended && report.chunks == entries.len() as u64 {
        report.found(
            Problem::EndMissing,
            None,
            "its last event is not the session's end",
        );
    }
    let known: std::collections::BTreeSet<String> = entries
        .iter()
        .map(|entry| Storage::chunk_name(entry.index))
        .collect();
    // While it is being written, a chunk is stored before the index names it.
    for name in objects
        .keys()
        .filter(|name| *name != Storage::MANIFEST && !known.contains(*name) && (signed || !live))
    {
        let problem = if signed {
            Problem::ChunkExtra
        } else {
            Problem::NoManifest
        };
        report.found(problem, None, format!("{name}: the manifest does not name it"));
    }
    Ok(report)
}

fn check_manifest(
    id: &RecordingId,
    bytes: &Bytes,
    public_key: &str,
    expected: Option<&str>,
    report: &mut Report,
) -> Option<Manifest> {
    let digest = sha256(bytes);
    if let Some(expected) = expected
        && !expected.eq_ignore_ascii_case(&digest)
    {
        let message = format!("the manifest's SHA-256 is {digest}, not {expected}");
        report.found(Problem::NotTheExpectedManifest, None, message);
    }
    report.manifest_sha256 = Some(digest);
    let signed: SignedManifest = match serde_json::from_slice(bytes) {
        Ok(signed) => signed,
        Err(error) => {
            report.found(
                Problem::ManifestUnreadable,
                None,
                format!("the manifest cannot be read: {error}"),
            );
            return None;
        }
    };
    if !is_signed(public_key, signed.body.as_bytes(), &signed.signature) {
        let message = format!(
            "the manifest is not signed with this key (it says that its key is {})",
            signed.key_id
        );
        report.found(Problem::WrongSignature, None, message);
    }
    let manifest: Manifest = match serde_json::from_str(&signed.body) {
        Ok(manifest) => manifest,
        Err(error) => {
            report.found(
                Problem::ManifestUnreadable,
                None,
                format!("the manifest cannot be read: {error}"),
            );
            return None;
        }
    };
    if manifest.recording != *id {
        let message = format!("the manifest is that of {}", manifest.recording);
        report.found(Problem::ManifestOfAnother, None, message);
    }
    if manifest.format != Manifest::FORMAT {
        let message = format!(
            "its format {} is not one that this program knows",
            manifest.format
        );
        report.found(Problem::ManifestInconsistent, None, message);
    }
    if let Some(recovery) = manifest.recovered {
        let message = format!(
            "it was finished by recovery after its program was killed; {} bytes of an unfinished write were cut off",
            recovery.cut_bytes
        );
        report.found(Problem::Recovered, None, message);
    }
    check_order(&manifest, report);
    Some(manifest)
}

/// Whether the chunks that the manifest names follow from each other.
fn check_order(manifest: &Manifest, report: &mut Report) {
    let mut previous = "0".repeat(64);
    let (mut offset, mut at_us) = (0, 0);
    for (number, entry) in manifest.chunks.iter().enumerate() {
        let mut wrong = |what: &str| {
            let message = format!("the manifest's chunk {number} {what}");
            report.found(Problem::ManifestInconsistent, Some(number as u64), message);
        };
        if entry.index != number as u64 {
            wrong("has another number");
        }
        if entry.previous != previous {
            wrong("does not name the chunk before it");
        }
        if entry.output_offset != offset {
            wrong("does not begin where the one before it ends");
        }
        if entry.start_us < at_us || entry.end_us < entry.start_us {
            wrong("is not later than the one before it");
        }
        previous.clone_from(&entry.sha256);
        offset = entry.output_offset.saturating_add(entry.output_bytes);
        at_us = entry.end_us;
    }
    if Totals::of(&manifest.chunks) != manifest.totals {
        report.found(
            Problem::ManifestInconsistent,
            None,
            "the manifest's sums are not those of its chunks",
        );
    }
}

async fn check_chunk(
    id: &RecordingId,
    entry: &ChunkEntry,
    object: Bytes,
    by_digest: &BTreeMap<&str, u64>,
    report: &mut Report,
) -> Result<Option<Chunk>, RecordingError> {
    let number = entry.index;
    let plain_bytes = entry.plain_bytes;
    let place = format!("chunk {number}");
    let size = object.len() as u64;
    let (digest, opened) = blocking(move || {
        // Content that is not the right one is opened only to say what it is, so whatever size it claims is bounded, too.
        let digest = sha256(&object);
        let opened = match chunk::open(&object, plain_bytes, &place) {
            Ok(chunk) => Ok(chunk),
            Err(error) => chunk::open_unknown(&object).map_err(|_| error.to_string()),
        };
        Ok((digest, opened))
    })
    .await?;
    if digest != entry.sha256 {
        let (problem, message) = match (&opened, by_digest.get(digest.as_str())) {
            (_, Some(other)) => (
                Problem::ChunkMoved,
                format!("chunk {number}: in its place is chunk {other}"),
            ),
            (Ok(chunk), None) if chunk.header.recording != *id => (
                Problem::ChunkOfAnother,
                format!(
                    "chunk {number}: in its place is chunk {} of {}",
                    chunk.index, chunk.header.recording
                ),
            ),
            _ if size < entry.stored_bytes => (
                Problem::ChunkTruncated,
                format!(
                    "chunk {number}: {size} of its {} bytes are left",
                    entry.stored_bytes
                ),
            ),
            _ => (
                Problem::ChunkChanged,
                format!("chunk {number}: its SHA-256 is {digest}, not {}", entry.sha256),
            ),
        };
        report.found(problem, Some(number), message);
        return Ok(None);
    }
    let chunk = match opened {
        Ok(chunk) => chunk,
        Err(reason) => {
            report.found(Problem::ChunkInconsistent, Some(number), reason);
            return Ok(None);
        }
    };
    let header = &chunk.header;
    let output: u64 = chunk
        .events
        .iter()
        .map(|event| event.event.output_len() as u64)
        .sum();
    let times_rise = chunk.events.is_sorted_by_key(|event| event.at_us)
        && chunk
            .events
            .first()
            .is_none_or(|event| event.at_us == entry.start_us)
        && chunk
            .events
            .last()
            .is_none_or(|event| event.at_us == entry.end_us);
    let same = header.recording == *id
        && header.index == number
        && header.previous == entry.previous
        && header.output_offset == entry.output_offset
        && output == entry.output_bytes
        && size == entry.stored_bytes
        && chunk.events.len() as u64 == entry.events;
    if !same || !times_rise {
        let message = format!("chunk {number}: its content is not what the manifest says of it");
        report.found(Problem::ChunkInconsistent, Some(number), message);
    }
    Ok(Some(chunk))
}

/// Notes gaps. Says whether the last event is the session's end.
fn check_events(chunk: &Chunk, report: &mut Report) -> bool {
    for timed in &chunk.events {
        if let Event::Gap { from_ms, to_ms } = timed.event {
            let seconds = to_ms.saturating_sub(from_ms) / 1000;
            let message = format!("chunk {}: the recorder was away for {seconds} s", chunk.index);
            report.found(Problem::Gap, Some(chunk.index), message);
        }
    }
    matches!(chunk.events.last().map(|last| &last.event), Some(Event::End(_)))
}
