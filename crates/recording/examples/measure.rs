//! Prints how fast recordings are written and how fast a player jumps in a long one:
//! `cargo run --release -p muster-recording --features measure --example measure`

use muster_domain::system::SystemClock;
use muster_recording::{Recording, RecordingId, Recordings, Settings, SigningKey, Storage, measure};
use std::io::Write as _;
use std::sync::Arc;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut to = std::io::stdout();
    let folder = tempfile::tempdir()?;
    let storage = Storage::local(folder.path())?;
    let key = SigningKey::load_or_make(&folder.path().join("signing-key"))?;
    let recordings = Recordings::start(storage.clone(), key, Settings::default(), Arc::new(SystemClock));

    for (name, bytes, piece) in [
        ("keys", 2_000_000, 1),
        ("lines", 100_000_000, 200),
        ("bulk", 400_000_000, 16_384),
    ] {
        let done = measure::write(&recordings, RecordingId::new(name)?, bytes, piece).await?;
        let (events, megabytes) = (done.bytes as f64 / piece as f64, done.bytes as f64 / 1e6);
        writeln!(
            to,
            "{piece:>6} bytes an event: {:.2} µs each, {:.0} MB/s acknowledged, {:.0} MB/s sealed",
            done.acknowledged.as_secs_f64() * 1e6 / events,
            megabytes / done.acknowledged.as_secs_f64(),
            megabytes / done.sealed.as_secs_f64(),
        )?;
    }

    let id = RecordingId::new("long")?;
    let finished = measure::record_hours(&recordings, id.clone(), 8).await?;
    let recording = Recording::open(&storage, &id).await?;
    writeln!(to, "8 hours: {:?}", finished.totals)?;
    let times = measure::jumps(&recording, 1000).await?;
    let at = |share: usize| times[(times.len() - 1) * share / 100].as_secs_f64() * 1e3;
    writeln!(
        to,
        "jump: p50 {:.2} ms, p95 {:.2} ms, p99 {:.2} ms, longest {:.2} ms",
        at(50),
        at(95),
        at(99),
        at(100)
    )?;
    let began = std::time::Instant::now();
    let hits = recording
        .search("file-199", Default::default(), usize::MAX)
        .await?;
    writeln!(
        to,
        "search of all of it: {:.0} ms, {} hits",
        began.elapsed().as_secs_f64() * 1e3,
        hits.len()
    )?;
    let began = std::time::Instant::now();
    let report = muster_recording::verify(&storage, &id, recordings.public_key(), None).await?;
    writeln!(
        to,
        "verify: {:.0} ms, {} findings",
        began.elapsed().as_secs_f64() * 1e3,
        report.findings.len()
    )?;
    Ok(())
}
