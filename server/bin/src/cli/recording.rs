//! `recording`: list, verify, export, search; without a server, on the data directory or the bucket of the settings.

use super::settings::{SettingsArgs, TheRecordings};
use super::{Failure, say};
use clap::{Args, Subcommand, ValueEnum};
use muster_domain::Timestamp;
use muster_recording::{
    Case, Concern, Info, Listed, ListedState, Recording, RecordingId, Report, Storage, verify,
};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Recordings tell more than this many hits to nobody.
const MAX_HITS: usize = 10_000;

/// `muster recording`.
#[derive(Args)]
pub(crate) struct RecordingArgs {
    #[command(subcommand)]
    command: RecordingCommand,
}

#[derive(Subcommand)]
enum RecordingCommand {
    /// List recordings with their beginning, length, size and state
    ///
    /// `finished` has a signed manifest. `live` is being written, or was when the program was killed: the next start
    /// finishes it. `remains` are chunks without a manifest: something was removed.
    List {
        #[command(flatten)]
        settings: SettingsArgs<TheRecordings>,
    },
    /// Check that recordings are intact and complete; ends with 1 and names each finding when one is not
    ///
    /// Reads every chunk and compares it with the manifest, and the manifest with its signature. Two verdicts: INTACT
    /// says that what is there is what was recorded, COMPLETE that all of it is there. That a whole recording was
    /// replaced by one that the same key signed shows only with --manifest, from the audit log. The format is in
    /// docs/RECORDINGS.md, with a program that checks it without Muster.
    #[command(after_help = "Examples:
  muster recording verify                      every recording
  muster recording verify ops-0a1b2c3d         one
  muster recording verify ops-0a1b2c3d --manifest 9f86d081…   with the digest that the audit log has of it
  muster recording verify --public-key 4f1c…   with the key's public half from a safe place")]
    Verify {
        /// Which; without one, all
        ids: Vec<String>,
        /// The public half of the signing key, hexadecimal; else <data dir>/recordings/signing-key.pub
        #[arg(long, value_name = "HEX")]
        public_key: Option<String>,
        /// The SHA-256 of the manifest, as the audit log has it; for one recording
        #[arg(long, value_name = "HEX")]
        manifest: Option<String>,
        #[command(flatten)]
        settings: SettingsArgs<TheRecordings>,
    },
    /// Write a recording to standard output or to a file
    #[command(after_help = "Examples:
  muster recording export ops-0a1b2c3d > session.cast     play it with `asciinema play session.cast`
  muster recording export ops-0a1b2c3d --format text      what scrolled by, one line each
  muster recording export ops-0a1b2c3d --format raw -o session.bytes")]
    Export {
        /// Which
        id: String,
        /// The kind of file
        #[arg(long, value_enum, default_value = "asciicast")]
        format: Kind,
        /// Write here; refuses to replace a file
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
        #[command(flatten)]
        settings: SettingsArgs<TheRecordings>,
    },
    /// Find text in what recordings show; ends with 1 when there is none
    ///
    /// Looks in the lines that scrolled by and in what stood on the screen at the end; not in full-screen programs such
    /// as editors. Says the recording, the time in it, and the line.
    #[command(after_help = "Examples:
  muster recording search 'connection refused'
  muster recording search --in ops-0a1b2c3d --case-sensitive ERROR")]
    Search {
        /// The text
        text: String,
        /// Only in this recording; may be given again
        #[arg(long = "in", value_name = "ID")]
        ids: Vec<String>,
        /// Upper and lower case differ
        #[arg(long)]
        case_sensitive: bool,
        #[command(flatten)]
        settings: SettingsArgs<TheRecordings>,
    },
    /// Print the public half of the signing key: keep it where the server cannot change it
    Key {
        #[command(flatten)]
        settings: SettingsArgs<TheRecordings>,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// asciicast v2, which asciinema plays
    Asciicast,
    /// Plain text of what scrolled by
    Text,
    /// The node's bytes as they came
    Raw,
}

/// The folder of recordings, and where they are: there, or in the bucket of the settings. Nothing is made where no recordings
/// are; with a bucket the folder may be missing, as on another machine than the portal's.
async fn place(settings: &SettingsArgs<TheRecordings>) -> Result<(PathBuf, Storage), Failure> {
    let config = settings.config()?;
    let root = config.data_dir.join("recordings");
    if config.recording_store.is_none() && !root.is_dir() {
        return Err(format!(
            "there are no recordings in {}: give the right --data-dir, or --recording-store",
            root.display()
        )
        .into());
    }
    let storage = muster::recordings::storage(&config, None).await?;
    Ok((root, storage))
}

impl RecordingArgs {
    pub(crate) async fn run(self) -> Result<ExitCode, Failure> {
        match self.command {
            RecordingCommand::List { settings } => list(&place(&settings).await?.1).await,
            RecordingCommand::Verify {
                ids,
                public_key,
                manifest,
                settings,
            } => {
                let (root, storage) = place(&settings).await?;
                let key = match public_key {
                    Some(key) => key,
                    None => public_half(&root)?,
                };
                if manifest.is_some() && ids.len() != 1 {
                    return Err("--manifest: name the one recording that it belongs to".into());
                }
                verify_all(&storage, &ids, key.trim(), manifest.as_deref()).await
            }
            RecordingCommand::Export {
                id,
                format,
                output,
                settings,
            } => {
                let (_, storage) = place(&settings).await?;
                let recording = Recording::open(&storage, &RecordingId::new(id)?).await?;
                let mut to: Box<dyn std::io::Write> = match output {
                    Some(path) => {
                        let file = std::fs::OpenOptions::new()
                            .write(true)
                            .create_new(true)
                            .open(&path);
                        Box::new(file.map_err(|error| format!("--output {}: {error}", path.display()))?)
                    }
                    None => Box::new(std::io::stdout()),
                };
                export(&recording, format, &mut *to).await?;
                to.flush()?;
                Ok(ExitCode::SUCCESS)
            }
            RecordingCommand::Search {
                text,
                ids,
                case_sensitive,
                settings,
            } => {
                let case = if case_sensitive {
                    Case::Matters
                } else {
                    Case::Ignored
                };
                search(&place(&settings).await?.1, &text, &ids, case).await
            }
            RecordingCommand::Key { settings } => {
                say(public_half(&settings.config()?.data_dir.join("recordings"))?.trim());
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

fn public_half(root: &Path) -> Result<String, Failure> {
    let path = root.join("signing-key.pub");
    std::fs::read_to_string(&path).map_err(|error| {
        format!(
            "the public key {} cannot be read ({error}): give it with --public-key",
            path.display()
        )
        .into()
    })
}

async fn chosen(storage: &Storage, ids: &[String]) -> Result<Vec<RecordingId>, Failure> {
    if ids.is_empty() {
        return Ok(storage
            .list()
            .await?
            .into_iter()
            .map(|listed| listed.id)
            .collect());
    }
    Ok(ids.iter().map(RecordingId::new).collect::<Result<_, _>>()?)
}

async fn list(storage: &Storage) -> Result<ExitCode, Failure> {
    let recordings = storage.list().await?;
    if recordings.is_empty() {
        say("There are no recordings.");
        return Ok(ExitCode::SUCCESS);
    }
    say(&format!(
        "{:<10} {:<23} {:>10} {:>10}  RECORDING",
        "STATE", "BEGAN", "LENGTH", "BYTES"
    ));
    for Listed { id, state, bytes } in recordings {
        let state = match state {
            ListedState::Finished => "finished",
            ListedState::Live => "live",
            ListedState::Remains => "remains",
        };
        let (began, length) = match Recording::open(storage, &id).await {
            Ok(recording) => {
                let Info {
                    started_at_ms,
                    totals,
                    ..
                } = recording.info().await?;
                (Timestamp(started_at_ms).readable(), clock(totals.duration_us))
            }
            // One that cannot be read must not hide the others; `verify` says what is wrong with it.
            Err(_) => ("?".to_owned(), "?".to_owned()),
        };
        say(&format!("{state:<10} {began:<23} {length:>10} {bytes:>10}  {id}"));
    }
    Ok(ExitCode::SUCCESS)
}

/// Hours, minutes and seconds.
fn clock(at_us: u64) -> String {
    let seconds = at_us / 1_000_000;
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

async fn verify_all(
    storage: &Storage,
    ids: &[String],
    key: &str,
    manifest: Option<&str>,
) -> Result<ExitCode, Failure> {
    let ids = chosen(storage, ids).await?;
    let mut wrong = 0;
    for id in &ids {
        let report = verify(storage, id, key, manifest).await?;
        tell(id, &report);
        wrong += u32::from(!(report.is_intact() && report.is_complete()));
    }
    say(&format!(
        "{} recordings checked, {wrong} with findings",
        ids.len()
    ));
    Ok(if wrong == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn tell(id: &RecordingId, report: &Report) {
    for finding in &report.findings {
        let concern = match finding.problem.concern() {
            Concern::Integrity => "not intact",
            Concern::Completeness => "not complete",
            Concern::Note => "note",
        };
        say(&format!("{id}: {concern}: {}", finding.message));
    }
    let verdict = |good, yes, no| if good { yes } else { no };
    say(&format!(
        "{id}: {}, {}: {} chunks, {} bytes of output, manifest {}",
        verdict(report.is_intact(), "INTACT", "NOT INTACT"),
        verdict(report.is_complete(), "COMPLETE", "NOT COMPLETE"),
        report.chunks,
        report.output_bytes,
        report.manifest_sha256.as_deref().unwrap_or("missing"),
    ));
}

async fn export(recording: &Recording, format: Kind, to: &mut dyn std::io::Write) -> Result<(), Failure> {
    match format {
        Kind::Asciicast => {
            let mut cast = recording.asciicast().await?;
            while let Some(piece) = cast.next().await? {
                to.write_all(&piece)?;
            }
        }
        Kind::Text => {
            let mut transcript = recording.transcript().await?;
            while let Some(lines) = transcript.next().await? {
                for line in lines {
                    writeln!(to, "{}", line.text)?;
                }
            }
        }
        Kind::Raw => {
            let mut output = recording.output_from(0).await?;
            while let Some((_, piece)) = output.next().await? {
                to.write_all(&piece)?;
            }
        }
    }
    Ok(())
}

async fn search(storage: &Storage, text: &str, ids: &[String], case: Case) -> Result<ExitCode, Failure> {
    let mut found = false;
    for id in chosen(storage, ids).await? {
        let recording = match Recording::open(storage, &id).await {
            Ok(recording) => recording,
            // Asked for by name it must be there; among all, one that cannot be read must not hide the others.
            Err(error) if ids.is_empty() => {
                let _ = writeln!(std::io::stderr(), "muster: {id}: {error}");
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        for hit in recording.search(text, case, MAX_HITS).await? {
            found = true;
            say(&format!("{id} {} {}", clock(hit.at_us), hit.line));
        }
    }
    Ok(if found {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
