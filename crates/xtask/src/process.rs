//! Starting other programs: always with no standard input, always named when they fail.

use crate::failure::{Doing, Failure, Outcome};
use crate::signals::{Watched, stopping};
use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

/// A program with its arguments, in a process group of its own (see [`crate::signals`]).
pub(crate) fn program<I, S>(name: impl AsRef<OsStr>, args: I) -> Command
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    let mut command = Command::new(name);
    command.args(args).stdin(Stdio::null()).process_group(0);
    // `cargo run` describes *this* package to us. Build scripts watch those variables, so passing them on
    // to another cargo would rebuild crates that did not change.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let about_us = text.starts_with("CARGO_PKG_")
            || text.starts_with("CARGO_MANIFEST_")
            || text.starts_with("CARGO_BIN_")
            || matches!(
                &*text,
                "CARGO_CRATE_NAME" | "CARGO_PRIMARY_PACKAGE" | "CARGO" | "LD_LIBRARY_PATH"
            );
        if about_us {
            command.env_remove(&name);
        }
    }
    command
}

/// Runs it with its output on ours; anything but exit code 0 is a failure called `what`.
pub(crate) fn run(command: &mut Command, what: &str) -> Outcome {
    let status = wait(command, what)?;
    judge(status, what)
}

/// The same, but keeps its output and shows the end of it only when it fails.
pub(crate) fn run_quietly(command: &mut Command, what: &str) -> Outcome {
    // Several threads may each run one.
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let log = std::env::temp_dir().join(format!("muster-xtask-{}-{number}.log", std::process::id()));
    let file = std::fs::File::create(&log).doing(|| format!("write {}", log.display()))?;
    let twin = file.try_clone().doing(|| "share a log file".to_owned())?;
    let status = wait(command.stdout(file).stderr(twin), what);
    let text = std::fs::read(&log)
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default();
    let _ = std::fs::remove_file(&log);
    judge(status?, what).map_err(|failure| {
        if failure.exit_code() == 130 {
            return failure;
        }
        let lines: Vec<&str> = text.lines().collect();
        let tail = lines
            .get(lines.len().saturating_sub(40)..)
            .unwrap_or_default()
            .join("\n");
        Failure::new(format!("{failure}; the end of what it said:\n{tail}"))
    })
}

/// Runs it and hands each line of its standard output to `seen` as well as to ours.
pub(crate) fn run_watching(command: &mut Command, what: &str, mut seen: impl FnMut(&str)) -> Outcome {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .doing(|| format!("start {what}"))?;
    let watched = Watched::new(child.id());
    if let Some(output) = child.stdout.take() {
        let mut lines = BufReader::new(output);
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            let text = String::from_utf8_lossy(&line);
            let text = text.trim_end_matches(['\n', '\r']);
            crate::say::plain(text);
            seen(text);
            line.clear();
        }
    }
    let status = child.wait().doing(|| format!("wait for {what}"))?;
    drop(watched);
    judge(status, what)
}

/// What it wrote to standard output, when it succeeded.
pub(crate) fn read(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// Whether it succeeds, silently.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    let command = command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Where a program is on PATH, or in the places where Debian keeps those for root.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let listed = std::env::split_paths(&path).collect::<Vec<_>>();
    let usual = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from);
    listed
        .into_iter()
        .chain(usual)
        .map(|folder| folder.join(name))
        .find(|file| is_program(file))
}

/// Whether a file is there and may be executed.
pub(crate) fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(file).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

fn wait(command: &mut Command, what: &str) -> Outcome<ExitStatus> {
    if stopping() {
        return Err(Failure::interrupted());
    }
    let mut child = command.spawn().doing(|| format!("start {what}"))?;
    let _watched = Watched::new(child.id());
    child.wait().doing(|| format!("wait for {what}"))
}

fn judge(status: ExitStatus, what: &str) -> Outcome {
    if stopping() {
        return Err(Failure::interrupted());
    }
    if status.success() {
        Ok(())
    } else {
        Err(Failure::new(format!("{what} failed ({status})")))
    }
}

/// The file of this program. While it runs, cargo may have put a new one in its place: the system then tells the old
/// one's path with a word behind it, and the new one is as good.
pub(crate) fn own_program() -> std::io::Result<PathBuf> {
    std::env::current_exe().map(|path| replaced(&path))
}

fn replaced(path: &Path) -> PathBuf {
    let text = path.to_string_lossy();
    match text.strip_suffix(" (deleted)") {
        Some(before) if !path.exists() => before.into(),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{find, program, read, replaced, run_quietly};
    use std::path::Path;

    #[test]
    fn a_failing_program_is_named_with_the_end_of_its_output() {
        let mut command = program("sh", ["-c", "echo lost the thread; exit 3"]);
        let failure = run_quietly(&mut command, "the example").unwrap_err().to_string();
        assert!(
            failure.starts_with("the example failed (exit status: 3)"),
            "{failure}"
        );
        assert!(failure.ends_with("lost the thread"), "{failure}");
    }

    #[test]
    fn programs_do_not_inherit_what_cargo_says_about_xtask() {
        let seen = read(&mut program("sh", ["-c", "echo ${CARGO_PKG_NAME:-nothing}"]));
        assert_eq!(seen.as_deref(), Some("nothing"));
    }

    #[test]
    fn programs_are_found_by_name() {
        assert!(find("sh").is_some());
        assert!(find("no-such-program-here").is_none());
    }

    #[test]
    fn a_program_that_was_built_anew_is_found_in_its_place() {
        let new = Path::new("/no/such/xtask");
        assert_eq!(replaced(Path::new("/no/such/xtask (deleted)")), new);
        assert_eq!(replaced(new), new);
        let folder = tempfile::tempdir().unwrap();
        let odd = folder.path().join("xtask (deleted)");
        std::fs::write(&odd, "").unwrap();
        assert_eq!(replaced(&odd), odd);
    }
}
