//! The audit log: rows written per second by callers at once, and rows verified per second, on both databases.

use muster_domain::Actor;
use muster_domain::action::Action;
use muster_domain::audit::{AuditTrail as _, Intent, Outcome};
use muster_domain::system::{SystemClock, SystemRandom};
use muster_domain::time::Clock as _;
use muster_server::audit::{AuditLog, verify};
use muster_store::Db;
use muster_store::test_database::on_both;
use muster_tests::portal::Fallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Appends for three seconds; answers rows per second.
async fn append(log: &Arc<AuditLog>, callers: usize) -> f64 {
    let began = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..callers {
        let log = Arc::clone(log);
        tasks.spawn(async move {
            let actor = Actor::server();
            let intent = Intent::new(Action::CommandsRun, "document:AWS-RunShellScript")
                .with("parameters", "echo hello");
            let mut rows = 0_u32;
            while began.elapsed() < Duration::from_secs(3) {
                if log.record(&actor, &intent, Outcome::Success, "").await.is_ok() {
                    rows += 1;
                }
            }
            rows
        });
    }
    let rows: u32 = tasks.join_all().await.into_iter().sum();
    f64::from(rows) / began.elapsed().as_secs_f64()
}

async fn measure(db: Db) {
    let Ok(folder) = tempfile::tempdir() else { return };
    let engine = format!("{:?}", db.dialect());
    let log = AuditLog::open(
        db.clone(),
        Arc::new(SystemClock),
        Arc::new(SystemRandom),
        folder.path().to_owned(),
        None,
    );
    let log = match log {
        Ok(log) => log,
        Err(error) => return println!("{engine}: {error}"),
    };
    for callers in [1, 32, 256] {
        println!(
            "{engine:<10} append, {callers:>3} callers at once: {:>9.0} rows/s",
            append(&log, callers).await
        );
    }
    let public = std::fs::read_to_string(folder.path().join("signing-key.pub")).unwrap_or_default();
    let began = Instant::now();
    match verify::verify(&db, folder.path(), public.trim(), SystemClock.now()).await {
        Ok(report) => {
            let rate = report.rows as f64 / began.elapsed().as_secs_f64();
            println!(
                "{engine:<10} verify {} rows, {} findings: {rate:>9.0} rows/s",
                report.rows,
                report.findings.len()
            );
        }
        Err(error) => println!("{engine}: {error}"),
    }
    log.close().await;
}

/// Measures and prints.
///
/// # Errors
/// None: what cannot be measured says so.
pub(crate) async fn run() -> Fallible<()> {
    println!(
        "every row is durable before its caller goes on; PostgreSQL where MUSTER_TEST_POSTGRES_URL names one"
    );
    on_both(measure).await;
    Ok(())
}
