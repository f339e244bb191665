//! Terminals through portal, endpoint and agent: how long an echo takes with few and many of them open, how much
//! output gets through with recording on, and what one costs in memory. Beside them the same shell behind a plain
//! websocket, which is the limit, and behind shellinabox where that is installed.

use crate::benches::plain::{Plain, PlainTerminal};
use crate::benches::shellinabox::ShellInABox;
use futures::FutureExt as _;
use muster_agent::sim::{SimAnswer, SimBehaviour};
use muster_recording::{Recording, RecordingId, Recordings, Settings, SigningKey, Storage};
use muster_session_channel::Message;
use muster_tests::one_node::online_node;
use muster_tests::portal::Fallible;
use muster_tests::sim::SimNodes;
use muster_tests::stats::{ms, percentile};
use muster_tests::terminal::{Terminal, start};
use muster_tests::{Client, Portal};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Simulated nodes over which the many terminals are spread.
const NODES: usize = 10;
/// Keystrokes that are measured.
const KEYS: usize = 500;
/// Bytes that one shell prints for the bulk figures.
const BULK: usize = 40_000_000;
/// Bytes that each of a hundred shells prints at once.
const EACH: usize = 400_000;
/// Shells at once.
const MANY: usize = 100;
/// More terminals than anybody may have by default.
const FLAGS: [&str; 4] = ["--terminals-per-person", "2000", "--terminals-at-most", "2000"];

/// Measures and prints.
///
/// # Errors
/// When the program does not do what is measured.
pub(crate) async fn run() -> Fallible<()> {
    codec();
    let plain = plain_shells().await?;
    if let Some(peer) = ShellInABox::start().await? {
        let bytes = BULK / 10;
        peer.until(1).await?;
        peer.type_in(&print(bytes)).await?;
        let began = Instant::now();
        peer.until(bytes).await?;
        println!(
            "shellinabox, bulk output of one shell: {}",
            rate(bytes, began.elapsed())
        );
    } else {
        println!("shellinabox is not installed: no peer beside (`apt-get install shellinabox`)");
    }
    real_shells(plain).await?;
    many_terminals().await?;
    long_recording().await
}

/// A command that prints so many bytes as fast as the terminal takes them, in lines of no special length.
fn print(bytes: usize) -> String {
    format!("stty -echo; head -c {bytes} /dev/zero | tr '\\0' x\n")
}

fn rate(bytes: usize, took: Duration) -> String {
    let (megabytes, seconds) = (bytes as f64 / 1e6, took.as_secs_f64());
    format!(
        "{:.1} MB/s ({megabytes:.1} MB in {seconds:.2} s)",
        megabytes / seconds
    )
}

fn spread(took: &mut [Duration]) -> String {
    format!(
        "p50 {} p95 {} p99 {}",
        ms(percentile(took, 50)),
        ms(percentile(took, 95)),
        ms(percentile(took, 99))
    )
}

/// The codec alone: a message of 1,024 bytes, its SHA-256 included.
fn codec() {
    let message = Message {
        sequence: 7,
        payload_type: 1,
        ..Message::control("output_stream_data", uuid::Uuid::nil(), 1, vec![b'x'; 1024])
    };
    let rounds = 200_000_u32;
    let began = Instant::now();
    for _ in 0..rounds {
        let _ = std::hint::black_box(std::hint::black_box(&message).encode());
    }
    let encode = began.elapsed() / rounds;
    let frame = message.encode().unwrap_or_default();
    let began = Instant::now();
    for _ in 0..rounds {
        let _ = std::hint::black_box(Message::decode(std::hint::black_box(&frame)));
    }
    println!(
        "codec, message of 1,024 bytes: encode {} ns, decode {} ns",
        encode.as_nanos(),
        (began.elapsed() / rounds).as_nanos()
    );
}

/// What the plain server does.
struct Limit {
    echo: [Duration; 3],
    bulk: Duration,
    many: Duration,
}

async fn plain_shells() -> Fallible<Limit> {
    let plain = Plain::start()?;
    let mut one = plain.open().await?;
    one.type_in(b"cat\n").await?;
    one.until(5).await?;
    let mut others = Vec::new();
    while others.len() + 1 < MANY {
        others.push(plain.open().await?);
    }
    for other in &mut others {
        other.until(1).await?;
    }
    let mut took = Vec::with_capacity(KEYS);
    for _ in 0..KEYS {
        let began = Instant::now();
        let wanted = one.output + 1;
        one.type_in(b"x").await?;
        one.until(wanted).await?;
        took.push(began.elapsed());
    }
    println!(
        "plain websocket, echo with {MANY} shells open: {}",
        spread(&mut took)
    );
    // The terminal throws away what is typed with an interrupt: only behind the prompt comes the next.
    let wanted = one.output + b"^C\r\n# ".len();
    one.type_in(b"\x03").await?;
    one.until(wanted).await?;
    let wanted = one.output + BULK;
    let began = Instant::now();
    one.type_in(print(BULK).as_bytes()).await?;
    one.until(wanted).await?;
    let bulk = began.elapsed();
    println!("plain websocket, bulk output of one shell: {}", rate(BULK, bulk));
    let began = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for mut shell in others {
        tasks.spawn(async move {
            let wanted = shell.output + EACH;
            PlainTerminal::type_in(&mut shell, print(EACH).as_bytes()).await?;
            shell.until(wanted).await
        });
    }
    let count = tasks.len();
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    let many = began.elapsed();
    println!(
        "plain websocket, bulk output of {count} shells: {}",
        rate(EACH * count, many)
    );
    let echo = [50, 95, 99].map(|share| percentile(&mut took, share));
    Ok(Limit { echo, bulk, many })
}

/// Real shells on this machine's own node, recorded.
async fn real_shells(limit: Limit) -> Fallible<()> {
    let folder = tempfile::tempdir()?;
    let portal = Portal::start(folder.path(), &FLAGS, &[])?;
    let client = Client::first_administrator(&portal).await?;
    let node = online_node(&client).await?;
    let mut open = Vec::new();
    while open.len() < MANY {
        let id = start(&client, &node).await?;
        let mut page = Terminal::attach(&client, &id, "bench", None).await?;
        page.until("a prompt", |page| !page.output.is_empty()).await?;
        open.push(page);
    }
    let mut one = open.pop().ok_or("no terminal")?;
    one.type_in("echo read''y; cat\n").await?;
    one.shows("ready").await?;
    let mut took = echo(&mut one).await?;
    println!("Muster, real shell, echo with {MANY} open: {}", spread(&mut took));
    let added = |at: usize, share| ms(percentile(&mut took.clone(), share).saturating_sub(limit.echo[at]));
    println!(
        "… more than the plain websocket: p50 {} p95 {} p99 {}",
        added(0, 50),
        added(1, 95),
        added(2, 99)
    );
    // The terminal throws away what is typed with an interrupt: only behind the prompt comes the next.
    one.forget();
    one.type_in("\x03").await?;
    one.until("a prompt", |page| {
        page.output.ends_with(b"# ") || page.output.ends_with(b"$ ")
    })
    .await?;
    let before = memory_kib(portal.pid())?;
    let began = Instant::now();
    one.forget();
    one.type_in(print(BULK)).await?;
    one.until("the bulk", |page| page.output.len() >= BULK).await?;
    let bulk = began.elapsed();
    println!(
        "Muster, bulk output of one shell, recorded: {}, {:.0} % of the plain websocket",
        rate(BULK, bulk),
        100.0 * limit.bulk.as_secs_f64() / bulk.as_secs_f64()
    );
    let began = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for mut page in open {
        tasks.spawn(async move {
            page.forget();
            page.type_in(print(EACH)).await?;
            page.until("its bulk", |page| page.output.len() >= EACH).await
        });
    }
    let count = tasks.len();
    let mut most = 0;
    while let Some(done) = tasks.join_next().await {
        done??;
        most = most.max(memory_kib(portal.pid())?);
    }
    let many = began.elapsed();
    println!(
        "Muster, bulk output of {count} shells, recorded: {}, {:.0} % of the plain websocket",
        rate(EACH * count, many),
        100.0 * limit.many.as_secs_f64() / many.as_secs_f64()
    );
    println!(
        "portal's memory for each of {count} busy terminals, more than idle: {} KiB",
        most.saturating_sub(before) / count as u64
    );
    Ok(())
}

async fn echo(page: &mut Terminal) -> Fallible<Vec<Duration>> {
    let mut took = Vec::with_capacity(KEYS);
    for _ in 0..KEYS {
        let (began, before) = (Instant::now(), page.output.len());
        page.type_in("x").await?;
        page.until("the echo", |page| page.output.len() > before).await?;
        took.push(began.elapsed());
    }
    Ok(took)
}

/// More terminals than this machine could hold shells, on simulated nodes that echo.
async fn many_terminals() -> Fallible<()> {
    let folder = tempfile::tempdir()?;
    let flags = [&["--local-node", "false"], &FLAGS[..]].concat();
    let portal = Portal::start(folder.path(), &flags, &[])?;
    let client = Client::first_administrator(&portal).await?;
    let answer = SimAnswer {
        delay: Duration::ZERO,
        stdout: Vec::new(),
        stderr: Vec::new(),
        code: 0,
    };
    let nodes = SimNodes::start(&portal, NODES, SimBehaviour::Alike(answer)).await?;
    nodes.shown(&client, NODES).await?;
    let (_, _, body) = client.get("/export/fleet.json").await?;
    let ids: Vec<String> = body
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter_map(|row| row["node_id"].as_str().map(str::to_owned))
        .collect();
    let idle_before = memory_kib(portal.pid())?;
    let mut open: Vec<Terminal> = Vec::new();
    for count in [1, 100, 1_000] {
        while open.len() < count {
            let node = ids.get(open.len() % ids.len()).ok_or("no node")?;
            let id = start(&client, node).await?;
            let mut page = Terminal::attach(&client, &id, "bench", None).await?;
            page.type_in("x").await?;
            page.until("the first echo", |page| !page.output.is_empty())
                .await?;
            open.push(page);
            if open.len().is_multiple_of(50) {
                // Who is silent for long is taken for gone: all answer to that they are there.
                for page in &mut open {
                    let _ = page.next().now_or_never();
                }
            }
        }
        let page = open.first_mut().ok_or("no terminal")?;
        let mut took = echo(page).await?;
        println!(
            "Muster, simulated node, echo with {count:>4} terminals open: {}",
            spread(&mut took)
        );
    }
    let count = open.len();
    let (began, bytes) = (Instant::now(), open_at_once(&mut open).await?);
    println!(
        "Muster, simulated node, {count} terminals typing at once: each got exactly its own bytes, {bytes} in all, in {:.1} s",
        began.elapsed().as_secs_f64()
    );
    let each = memory_kib(portal.pid())?.saturating_sub(idle_before) / open.len() as u64;
    println!(
        "portal's memory for each of {} idle terminals, endpoint's relay included: {each} KiB",
        open.len()
    );
    nodes.vanish().await;
    Ok(())
}

/// All terminals type at once what no other one types, and get back exactly that; answers how many bytes.
async fn open_at_once(open: &mut Vec<Terminal>) -> Fallible<usize> {
    let mut tasks = tokio::task::JoinSet::new();
    for (at, mut page) in std::mem::take(open).into_iter().enumerate() {
        tasks.spawn(async move {
            page.forget();
            let mut wanted = String::new();
            for round in 0..10 {
                let own = format!("{at:04x}").repeat(1 + (at + round) % 40);
                let line = format!("{at:04}:{round}:{own}\n");
                wanted.push_str(&line);
                page.type_in(&line).await?;
                page.until("its own line", |page| page.output.len() >= wanted.len())
                    .await?;
                if page.text() != wanted {
                    return Err(format!("terminal {at} got what is not its own: {}", page.text()).into());
                }
            }
            Fallible::Ok((page, wanted.len()))
        });
    }
    let mut bytes = 0;
    while let Some(done) = tasks.join_next().await {
        let (page, own) = done??;
        bytes += own;
        open.push(page);
    }
    Ok(bytes)
}

/// Jumps in a recording of eight hours.
async fn long_recording() -> Fallible<()> {
    let folder = tempfile::tempdir()?;
    let storage = Storage::local(folder.path())?;
    let key = SigningKey::load_or_make(&folder.path().join("signing-key"))?;
    let clock = Arc::new(muster_domain::system::SystemClock);
    let recordings = Recordings::start(storage.clone(), key, Settings::default(), clock);
    let id = RecordingId::new("long")?;
    muster_recording::measure::record_hours(&recordings, id.clone(), 8).await?;
    let recording = Recording::open(&storage, &id).await?;
    let mut took = muster_recording::measure::jumps(&recording, 1000).await?;
    println!("seek in a recording of 8 hours: {}", spread(&mut took));
    Ok(())
}

/// What a process has in memory.
fn memory_kib(pid: u32) -> Fallible<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}
