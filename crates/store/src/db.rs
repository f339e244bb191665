//! The database: one writer at a time and many readers on SQLite, a pool on PostgreSQL.

use crate::reader::Reader;
use sqlx::any::{AnyPoolOptions, install_default_drivers};
use sqlx::{AnyPool, Executor};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Which engine is behind a [`Db`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// A file beside the program.
    Sqlite,
    /// A server.
    Postgres,
}

/// Why the database did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The engine refused or could not be reached.
    #[error("database: {0}")]
    Sqlx(#[from] sqlx::Error),
    /// A value in the database is not what the code expects there.
    #[error("database: column {column}: {message}")]
    Column {
        /// Which column.
        column: String,
        /// What was wrong with it.
        message: String,
    },
    /// The database was made by a newer Muster.
    #[error(
        "the database is of version {found}, this Muster knows versions up to {known}: use the newer Muster, or restore the backup made before its first start"
    )]
    Newer {
        /// What the database says.
        found: i64,
        /// What this program has.
        known: i64,
    },
    /// The URL or path cannot be used.
    #[error("the database address cannot be used: {0}")]
    Address(String),
    /// The program stopped in the middle of a longer piece of work.
    #[error("the work on the database was interrupted: the program is stopping")]
    Interrupted,
    /// No space is left to write to.
    #[error("no space is left on the disk of the database")]
    DiskFull,
}

impl StoreError {
    /// Whether the cause is a full disk.
    #[must_use]
    pub fn is_disk_full(&self) -> bool {
        match self {
            Self::DiskFull => true,
            Self::Sqlx(sqlx::Error::Database(error)) => {
                // SQLITE_FULL (13) and PostgreSQL's class 53100.
                let code = error.code().unwrap_or_default();
                code == "13" || code == "53100" || error.message().contains("database or disk is full")
            }
            _ => false,
        }
    }

    /// Whether a row with such a key exists already.
    #[must_use]
    pub fn is_unique_violation(&self) -> bool {
        matches!(self, Self::Sqlx(sqlx::Error::Database(error)) if error.is_unique_violation())
    }
}

/// What the only connection to Systems Manager is called where nobody named it.
pub const DEFAULT_CONNECTION: &str = "default";

/// Where the data is, and of which connection to Systems Manager: several keep theirs in the same tables.
#[derive(Clone)]
pub struct Db {
    reader: Reader,
    writer: AnyPool,
    dialect: Dialect,
    connection: Arc<str>,
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Db")
            .field("dialect", &self.dialect)
            .field("connection", &self.connection)
            .finish_non_exhaustive()
    }
}

/// Where to find a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// This SQLite file; it is made when missing.
    File(PathBuf),
    /// This PostgreSQL URL. It may hold a password: never log it.
    Postgres(String),
}

impl Address {
    /// Reads `postgres://…`, `sqlite:…` or a path.
    ///
    /// # Errors
    /// [`StoreError::Address`] for another scheme.
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        let path = text
            .strip_prefix("sqlite://")
            .or_else(|| text.strip_prefix("sqlite:"))
            .unwrap_or(text);
        if path.contains("://") {
            return Err(StoreError::Address(
                "use postgres://… or the path of an SQLite file".into(),
            ));
        }
        Ok(Self::File(path.into()))
    }
}

/// Every SQLite connection starts with these. `synchronous=FULL` makes a commit survive a power cut:
/// the audit log and accepted commands need that.
pub(crate) const SQLITE_PRAGMAS: &str = "pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on; \
     pragma busy_timeout = 15000; pragma temp_store = memory; pragma cache_size = -16000;";

impl Db {
    /// Opens the database, without touching its schema (see [`crate::migrate::migrate`]).
    ///
    /// # Errors
    /// When it cannot be reached or made.
    pub async fn open(address: &Address) -> Result<Self, StoreError> {
        install_default_drivers();
        match address {
            Address::File(path) => {
                let text = path
                    .to_str()
                    .ok_or_else(|| StoreError::Address("the path is no UTF-8".into()))?;
                let escaped = text.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
                let url = format!("sqlite://{escaped}?mode=rwc");
                // SQLite takes one writer at a time anyway: queueing for one connection is fair and never busy.
                let writer = AnyPoolOptions::new()
                    .max_connections(1)
                    .min_connections(1)
                    .acquire_timeout(Duration::from_secs(30))
                    .idle_timeout(None)
                    .max_lifetime(None)
                    .test_before_acquire(false)
                    .after_connect(|connection, _| {
                        Box::pin(async move { connection.execute(SQLITE_PRAGMAS).await.map(|_| ()) })
                    });
                let writer = writer.connect(&url).await?;
                Ok(Self {
                    reader: Reader::of_file(url).await?,
                    writer,
                    dialect: Dialect::Sqlite,
                    connection: DEFAULT_CONNECTION.into(),
                })
            }
            Address::Postgres(url) => {
                let pool = AnyPoolOptions::new()
                    .max_connections(20)
                    .acquire_timeout(Duration::from_secs(15))
                    .connect(url)
                    .await
                    .map_err(hide_url)?;
                Ok(Self {
                    reader: Reader::of_pool(pool.clone()),
                    writer: pool,
                    dialect: Dialect::Postgres,
                    connection: DEFAULT_CONNECTION.into(),
                })
            }
        }
    }

    /// The same database, for what belongs to this connection to Systems Manager.
    #[must_use]
    pub fn of_connection(&self, id: &str) -> Self {
        Self {
            connection: id.into(),
            ..self.clone()
        }
    }

    /// Whose rows are meant: what lists show and rounds work on is of this connection (see [`crate::Sql::within`]).
    #[must_use]
    pub fn connection(&self) -> &str {
        &self.connection
    }

    /// For queries that change nothing.
    #[must_use]
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// For statements that write, and for transactions. On SQLite a transaction's first statement
    /// should write (or lock), so that it never has to be upgraded in the middle.
    #[must_use]
    pub fn writer(&self) -> &AnyPool {
        &self.writer
    }

    /// Begins a transaction that may write.
    ///
    /// # Errors
    /// When no connection can be had.
    pub async fn begin(&self) -> Result<sqlx::Transaction<'static, sqlx::Any>, StoreError> {
        Ok(match self.dialect {
            // Taking the write lock at once: a read that is upgraded later would fail when another process wrote between.
            Dialect::Sqlite => match self.writer.begin_with("begin immediate").await {
                Err(sqlx::Error::InvalidSavePointStatement) => {
                    // When the disk was full, SQLite ended the transaction by itself, but the driver still
                    // counts it as open: that connection begins no other one any more. A new one does.
                    self.writer.acquire().await?.close().await?;
                    self.writer.begin_with("begin immediate").await?
                }
                begun => begun?,
            },
            Dialect::Postgres => self.writer.begin().await?,
        })
    }

    /// Which engine.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The engine's own clock, as an expression in ms since the epoch: for limits of time that have to hold whatever the
    /// clock of the machine that asks says.
    #[must_use]
    pub fn clock_sql(&self) -> &'static str {
        match self.dialect {
            Dialect::Sqlite => "cast((julianday('now') - 2440587.5) * 86400000.0 as integer)",
            Dialect::Postgres => "cast(extract(epoch from clock_timestamp()) * 1000 as bigint)",
        }
    }

    /// Ends all connections.
    pub async fn close(&self) {
        self.writer.close().await;
        self.reader.close().await;
    }
}

/// Connection errors of sqlx may quote the URL with its password: keep only what helps.
fn hide_url(error: sqlx::Error) -> sqlx::Error {
    match error {
        sqlx::Error::Configuration(_) => {
            sqlx::Error::Configuration("the PostgreSQL address cannot be read".into())
        }
        other => other,
    }
}
