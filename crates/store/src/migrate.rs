//! Brings a database to the schema of this program: numbered SQL files, one set per dialect with the
//! same names, each run once in its own transaction.

use crate::db::{Db, Dialect, StoreError};
use sqlx::{AssertSqlSafe, Executor, Row};

/// One step of the schema.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// Grows by one.
    pub version: i64,
    /// The file's name without its number.
    pub name: &'static str,
    /// For SQLite.
    pub sqlite: &'static str,
    /// For PostgreSQL.
    pub postgres: &'static str,
}

macro_rules! migrations {
    ($($version:literal $name:literal;)*) => {
        /// All steps, in order.
        pub const MIGRATIONS: &[Migration] = &[$(Migration {
            version: $version,
            name: $name,
            sqlite: include_str!(concat!("../../../migrations/sqlite/", $name, ".sql")),
            postgres: include_str!(concat!("../../../migrations/postgres/", $name, ".sql")),
        },)*];
    };
}

migrations! {
    1 "0001_access_init";
    2 "0002_audit_init";
    3 "0003_fleet_init";
    4 "0004_commands_init";
    5 "0005_control_plane_init";
    6 "0006_control_plane_sessions";
    7 "0007_sessions_init";
    8 "0008_access_api_tokens";
    9 "0009_indexes";
    10 "0010_commands_event_times";
    11 "0011_control_plane_parameters";
    12 "0012_control_plane_windows";
    13 "0013_control_plane_patches";
    14 "0014_control_plane_associations";
    15 "0015_control_plane_inventory";
    16 "0016_control_plane_ops_items";
    17 "0017_control_plane_topics";
    18 "0018_control_plane_data_syncs";
    19 "0019_control_plane_snapshots";
    20 "0020_control_plane_refreshes";
    21 "0021_control_plane_output_copies";
    22 "0022_control_plane_groups";
    23 "0023_control_plane_automation";
    24 "0024_control_plane_automation_runs";
    25 "0025_approvals_init";
    26 "0026_runbooks_init";
    27 "0027_notifications_init";
    28 "0028_approvals_delegations";
    29 "0029_runbooks_reuse";
    30 "0030_parameters_init";
    31 "0031_windows";
    32 "0032_patching";
    33 "0033_patching_exceptions";
    34 "0034_deployments";
    35 "0035_patching_exceptions_ended";
    36 "0036_windows_calendar";
    37 "0037_sessions_requests";
    38 "0038_node_lists";
    39 "0039_sessions_documents";
    40 "0040_connections";
}

/// The newest version that this program knows.
#[must_use]
pub fn known_version() -> i64 {
    MIGRATIONS.last().map_or(0, |migration| migration.version)
}

/// The version that the database is of; 0 when it is empty.
///
/// # Errors
/// When the database does not answer.
pub async fn current_version(db: &Db) -> Result<i64, StoreError> {
    db.writer()
        .execute(
            "create table if not exists schema_version (version bigint not null primary key, name text not null, applied_at text not null)",
        )
        .await?;
    let row = sqlx::query("select coalesce(max(version), 0) from schema_version")
        .fetch_one(db.writer())
        .await?;
    Ok(row.try_get(0)?)
}

/// Runs what is missing. Answers the versions that were run.
///
/// # Errors
/// [`StoreError::Newer`] when the database was made by a newer program; nothing is changed then.
pub async fn migrate(db: &Db, now: &str) -> Result<Vec<i64>, StoreError> {
    let found = current_version(db).await?;
    if found > known_version() {
        return Err(StoreError::Newer {
            found,
            known: known_version(),
        });
    }
    let mut done = Vec::new();
    for migration in MIGRATIONS.iter().filter(|migration| migration.version > found) {
        let mut transaction = db.begin().await?;
        let sql = match db.dialect() {
            Dialect::Sqlite => migration.sqlite,
            Dialect::Postgres => {
                // Two servers that start at once take turns.
                transaction
                    .execute("lock table schema_version in exclusive mode")
                    .await?;
                migration.postgres
            }
        };
        let row = sqlx::query("select coalesce(max(version), 0) from schema_version")
            .fetch_one(&mut *transaction)
            .await?;
        if row.try_get::<i64, _>(0)? >= migration.version {
            continue;
        }
        for statement in statements(sql) {
            sqlx::query(AssertSqlSafe(statement))
                .execute(&mut *transaction)
                .await?;
        }
        sqlx::query("insert into schema_version (version, name, applied_at) values ($1, $2, $3)")
            .bind(migration.version)
            .bind(migration.name)
            .bind(now)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        done.push(migration.version);
    }
    Ok(done)
}

/// The statements of a file: separated by `;` at the end of a line; `--` lines are comments.
fn statements(sql: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut current = String::new();
    for line in sql.lines().filter(|line| !line.trim_start().starts_with("--")) {
        current.push_str(line);
        current.push('\n');
        if line.trim_end().ends_with(';') {
            found.push(std::mem::take(&mut current));
        }
    }
    if !current.trim().is_empty() {
        found.push(current);
    }
    found
}
