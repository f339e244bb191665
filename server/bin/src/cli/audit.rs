//! `audit`: verify and export, offline.

use super::settings::{SettingsArgs, TheLog};
use super::{Failure, say};
use clap::{Args, Subcommand, ValueEnum};
use futures::StreamExt as _;
use muster_domain::Timestamp;
use muster_domain::audit::AuditQuery;
use muster_domain::system::SystemClock;
use muster_domain::time::Clock as _;
use muster_server::audit::{export, verify};
use muster_server::fleet::export::Format;
use muster_store::Db;
use muster_store::db::Address;
use std::io::Write as _;
use std::pin::pin;
use std::process::ExitCode;

/// `muster audit`.
#[derive(Args)]
pub(crate) struct AuditArgs {
    #[command(subcommand)]
    command: AuditCommand,
}

#[derive(Subcommand)]
enum AuditCommand {
    /// Check that the audit log is intact; ends with 1 and names each row when it is not
    ///
    /// Checks that no row is missing, that each follows from the one before it by hash, that the columns show what
    /// the rows attest, and that signed checkpoints and the signed head agree. The format is in docs/AUDIT-LOG.md.
    #[command(after_help = "Examples:
  muster audit verify --data-dir /var/lib/muster
  muster audit verify --public-key 4f1c…      with the key's public half from a safe place")]
    Verify {
        /// The public half of the signing key, hexadecimal; else <data dir>/audit/signing-key.pub
        #[arg(long)]
        public_key: Option<String>,
        #[command(flatten)]
        settings: SettingsArgs<TheLog>,
    },
    /// Write the audit log to standard output, newest act first
    #[command(after_help = "Examples:
  muster audit export --format csv > audit.csv
  muster audit export --since 2026-11-01 --until 2026-12-01")]
    Export {
        /// The kind of file
        #[arg(long, value_enum, default_value = "json")]
        format: Kind,
        /// Not before: 2026-11-23 or 2026-11-23T09:41:00Z
        #[arg(long)]
        since: Option<String>,
        /// Before
        #[arg(long)]
        until: Option<String>,
        #[command(flatten)]
        settings: SettingsArgs<TheLog>,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    Csv,
    Json,
}

fn time(flag: &str, text: Option<String>) -> Result<Option<Timestamp>, Failure> {
    text.map(|text| {
        Timestamp::parse(&text)
            .ok_or_else(|| format!("--{flag}: write 2026-11-23 or 2026-11-23T09:41:00Z").into())
    })
    .transpose()
}

impl AuditArgs {
    pub(crate) async fn run(self) -> Result<ExitCode, Failure> {
        match self.command {
            AuditCommand::Verify { public_key, settings } => {
                let config = settings.config()?;
                let folder = config.data_dir.join("audit");
                let path = config
                    .audit_key_path
                    .clone()
                    .unwrap_or_else(|| folder.join("signing-key.pk8"))
                    .with_extension("pub");
                let public_key = match public_key {
                    Some(key) => key,
                    None => std::fs::read_to_string(&path).map_err(|error| {
                        format!("the public key {} cannot be read: {error}", path.display())
                    })?,
                };
                let db = existing(&config.database()).await?;
                let report = verify::verify(&db, &folder, public_key.trim(), SystemClock.now()).await?;
                db.close().await;
                for finding in &report.findings {
                    say(&format!("row {}: {}", finding.sequence, finding.message));
                }
                if report.findings.is_empty() {
                    say(&format!(
                        "intact: {} rows, {} checkpoints, head {}",
                        report.rows, report.checkpoints, report.head
                    ));
                    return Ok(ExitCode::SUCCESS);
                }
                say(&format!(
                    "NOT intact: {} findings in {} rows",
                    report.findings.len(),
                    report.rows
                ));
                Ok(ExitCode::FAILURE)
            }
            AuditCommand::Export {
                format,
                since,
                until,
                settings,
            } => {
                let config = settings.config()?;
                let query = AuditQuery {
                    since: time("since", since)?,
                    until: time("until", until)?,
                    ..AuditQuery::default()
                };
                let db = existing(&config.database()).await?;
                let format = match format {
                    Kind::Csv => Format::Csv,
                    Kind::Json => Format::JsonLines,
                };
                let mut pieces = pin!(export::stream(db, query, format));
                let mut out = std::io::stdout();
                while let Some(piece) = pieces.next().await {
                    if out.write_all(&piece?).is_err() {
                        break;
                    }
                }
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

/// The database as it is; none is made where there is none.
async fn existing(address: &str) -> Result<Db, Failure> {
    let address = Address::parse(address)?;
    if let Address::File(path) = &address
        && !path.is_file()
    {
        return Err(format!(
            "there is no database {}: give the right --data-dir",
            path.display()
        )
        .into());
    }
    Ok(Db::open(&address).await?)
}
