//! Seals tails in the background: one per process. Emulation and compression run one at a time, uploads side by side.

use crate::chunk::{self, Sealed};
use crate::derive::{Carry, derive};
use crate::emulator::Emulator;
use crate::event::Event;
use crate::keys::{SigningKey, sha256};
use crate::live::{Finished, Job, Live, SealState, lock};
use crate::manifest::{ChunkEntry, Manifest, SignedManifest, Totals};
use crate::processor::Processor;
use crate::storage::{Storage, blocking};
use crate::{Keyframe, RecordingError};
use bytes::Bytes;
use futures::StreamExt as _;
use muster_domain::time::Clock;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;

/// Recordings whose chunks are on their way at the same time: a store's latency is not its throughput.
const UPLOADS: usize = 8;
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What sealing needs.
pub(crate) struct Sealing {
    pub(crate) storage: Storage,
    pub(crate) key: SigningKey,
    pub(crate) clock: Arc<dyn Clock>,
    /// Bytes that wait, over all recordings.
    pub(crate) behind: AtomicU64,
    pub(crate) processor: Processor,
}

/// Puts a tail into the queue.
pub(crate) fn enqueue(
    queue: &mpsc::UnboundedSender<Arc<Live>>,
    sealing: &Sealing,
    live: &Arc<Live>,
    job: Job,
) {
    live.behind.fetch_add(job.bytes, Ordering::AcqRel);
    sealing.behind.fetch_add(job.bytes, Ordering::AcqRel);
    let mut pending = lock(&live.pending);
    pending.jobs.push_back(job);
    // Invariant: a recording stands in the queue at most once, so the queue is as long as there are recordings.
    if !std::mem::replace(&mut pending.scheduled, true) {
        let _ = queue.send(live.clone());
    }
}

/// Works until the last sender is gone.
pub(crate) async fn run(
    sealing: Arc<Sealing>,
    mut queue: mpsc::UnboundedReceiver<Arc<Live>>,
    again: mpsc::WeakUnboundedSender<Arc<Live>>,
) {
    let incoming = futures::stream::poll_fn(move |context| queue.poll_recv(context));
    incoming
        .for_each_concurrent(UPLOADS, |live| {
            let (sealing, again) = (sealing.clone(), again.clone());
            async move {
                loop {
                    let Some(job) = lock(&live.pending).jobs.front().copied() else {
                        return;
                    };
                    work(&sealing, &live, job).await;
                    let more = {
                        let mut pending = lock(&live.pending);
                        pending.jobs.pop_front();
                        pending.scheduled = !pending.jobs.is_empty();
                        pending.scheduled
                    };
                    live.behind.fetch_sub(job.bytes, Ordering::AcqRel);
                    sealing.behind.fetch_sub(job.bytes, Ordering::AcqRel);
                    live.progress.send_modify(|progress| progress.sealed += 1);
                    if !more {
                        return;
                    }
                    // The others first: a node that floods must not keep theirs waiting.
                    if let Some(queue) = again.upgrade() {
                        let _ = queue.send(live.clone());
                        return;
                    }
                }
            }
        })
        .await;
}

/// Does one job, however often it takes.
async fn work(sealing: &Sealing, live: &Live, job: Job) {
    let mut pause = FIRST_PAUSE;
    loop {
        if live.failure().is_some() && live.progress.borrow().outcome.is_some() {
            return;
        }
        let Some(mut state) = lock(&live.seal).take() else {
            return;
        };
        let mut done = seal(sealing, live, &mut state, job).await;
        if done.is_ok() && job.last {
            done = finish(sealing, live).await;
        }
        *lock(&live.seal) = Some(state);
        match done {
            Ok(()) => return,
            Err(error) if is_for_ever(&error) => {
                tracing::error!(recording.id = %live.id(), %error, "a recording cannot be sealed");
                live.fail(error.clone());
                live.progress
                    .send_modify(|progress| progress.outcome = Some(Err(error)));
                return;
            }
            Err(error) => {
                tracing::warn!(recording.id = %live.id(), %error, "a chunk cannot be sealed yet");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

/// Whether trying again cannot help.
fn is_for_ever(error: &RecordingError) -> bool {
    match error {
        RecordingError::Io { cause, .. } => cause.kind() == std::io::ErrorKind::NotFound,
        RecordingError::Store { .. } => false,
        _ => true,
    }
}

async fn seal(sealing: &Sealing, live: &Live, state: &mut SealState, job: Job) -> Result<(), RecordingError> {
    // Invariant: only a last job may be empty, since an empty tail is never handed over.
    if job.bytes == 0 || state.complete {
        // Nothing but the manifest is left to do.
        return Ok(());
    }
    let index = state.next_index;
    let id = live.id().clone();
    let path = sealing.storage.tail_path(&id, index);
    let keyframe = match state.keyframe.take() {
        Some(keyframe) => keyframe,
        None => keyframe_before(sealing, live, index).await?,
    };
    let previous = state.previous.clone();
    let mut carry = state.carry.clone();
    let from = keyframe.clone();
    let read = path.clone();
    let sealed = sealing.processor.run(move || {
        let tail =
            std::fs::read(&read).map_err(RecordingError::io(format!("cannot read {}", read.display())))?;
        let made = chunk::seal(&id, index, &previous, &from, &Bytes::from(tail), &mut carry)?;
        Ok((made, carry))
    });
    let (made, carry) = match sealed.await {
        Ok(sealed) => sealed,
        Err(error) => {
            state.keyframe = Some(keyframe);
            return Err(error);
        }
    };
    let stored = store(sealing, live, &made).await;
    if let Err(error) = stored {
        state.keyframe = Some(keyframe);
        return Err(error);
    }
    state.next_index += 1;
    state.previous = made.entry.sha256;
    state.keyframe = Some(made.next);
    state.carry = carry;
    state.complete = job.last;
    match tokio::fs::remove_file(&path).await {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        // It is sealed. What is left is removed when the recording is finished, or taken up again.
        Err(error) => {
            tracing::warn!(recording.id = %live.id(), %error, "a sealed tail cannot be removed");
            Ok(())
        }
    }
}

async fn store(sealing: &Sealing, live: &Live, made: &Sealed) -> Result<(), RecordingError> {
    let name = Storage::chunk_name(made.entry.index);
    sealing.storage.put(live.id(), &name, made.object.clone()).await?;
    let path = live.folder.join("index.jsonl");
    let mut line = serde_json::to_vec(&made.entry)
        .map_err(|error| RecordingError::damaged("an index line", error.to_string()))?;
    line.push(b'\n');
    blocking(move || {
        let wrong = || RecordingError::io(format!("cannot write {}", path.display()));
        let mut file = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&path)
            .map_err(wrong())?;
        let before = file.metadata().map_err(wrong())?.len();
        let written = file.write_all(&line).and_then(|()| file.sync_data());
        if written.is_err() {
            // Half a line must not stand before the next try's.
            let _ = file.set_len(before);
        }
        written.map_err(wrong())
    })
    .await
}

/// The terminal before chunk `index`, from the chunk before.
pub(crate) async fn keyframe_before(
    sealing: &Sealing,
    live: &Live,
    index: u64,
) -> Result<Keyframe, RecordingError> {
    let Some(before) = index.checked_sub(1) else {
        return Ok(Emulator::new(live.head.size).keyframe(0, 0));
    };
    let (entries, _) = sealing.storage.live_index(live.id()).await?;
    let entry = entries
        .into_iter()
        .find(|entry| entry.index == before)
        .ok_or_else(|| {
            RecordingError::damaged(
                format!("the index of {}", live.id()),
                format!("chunk {before} is missing"),
            )
        })?;
    let chunk = sealing.storage.chunk(live.id(), &entry).await?;
    let next = move || Ok(derive(&chunk.keyframe, &chunk.events, &mut Carry::default()).1);
    sealing.processor.run(next).await
}

/// Makes, signs and stores the manifest, and removes what was only needed while writing.
async fn finish(sealing: &Sealing, live: &Live) -> Result<(), RecordingError> {
    let (chunks, _) = sealing.storage.live_index(live.id()).await?;
    let end_reason = match chunks.last() {
        Some(entry) => match sealing.storage.chunk(live.id(), entry).await?.events.pop() {
            Some(crate::TimedEvent {
                event: Event::End(reason),
                ..
            }) => reason,
            _ => String::new(),
        },
        None => String::new(),
    };
    let (bytes, totals) = manifest(sealing, live, chunks, end_reason)?;
    let manifest_sha256 = sha256(&bytes);
    sealing
        .storage
        .put(live.id(), Storage::MANIFEST, bytes.into())
        .await?;
    if let Err(error) = tokio::fs::remove_dir_all(&live.folder).await {
        tracing::warn!(recording.id = %live.id(), %error, "a finished recording's folder cannot be removed");
    }
    let finished = Finished {
        id: live.id().clone(),
        manifest_sha256,
        totals,
    };
    live.progress
        .send_modify(|progress| progress.outcome = Some(Ok(finished)));
    Ok(())
}

fn manifest(
    sealing: &Sealing,
    live: &Live,
    chunks: Vec<ChunkEntry>,
    end_reason: String,
) -> Result<(Vec<u8>, Totals), RecordingError> {
    let totals = Totals::of(&chunks);
    let head = live.head.clone();
    let manifest = Manifest {
        format: Manifest::FORMAT,
        recording: head.recording,
        started_at_ms: head.started_at_ms,
        finished_at_ms: sealing.clock.now().0,
        facts: head.facts,
        input: head.input,
        size: head.size,
        chunks,
        totals,
        end_reason,
        recovered: live.recovered,
    };
    let wrong = |error: serde_json::Error| RecordingError::damaged("a manifest", error.to_string());
    let body = serde_json::to_string(&manifest).map_err(wrong)?;
    let signed = SignedManifest {
        signature: sealing.key.sign(body.as_bytes()),
        key_id: sealing.key.id().to_owned(),
        body,
    };
    Ok((serde_json::to_vec(&signed).map_err(wrong)?, totals))
}
