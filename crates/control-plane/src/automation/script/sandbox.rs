//! The sandbox of scripts: namespaces, file system, rights and limits by util-linux's own programs, which every Debian has.
//! Where the machine does not permit it, nothing is run.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Stdio;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

const SETUP: &str = include_str!("sandbox.sh");
/// What the set-up says when it is done.
const READY: &[u8] = b"sandboxed\n";
/// Bytes that a script may answer (the guide's 100 KB).
pub(crate) const MOST_ANSWER: usize = 100_000;
/// Bytes of its other output that are kept, the last ones.
const MOST_SAID: usize = 4_096;
/// Nobody's user and group, which Debian and its relatives have had for ever.
const NOBODY: &str = "65534";

/// What a script has come to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    /// Its exit status. From 128 on it is what a shell says of one that was killed by a signal; a script may say it itself.
    pub(crate) code: Option<i32>,
    pub(crate) answer: Vec<u8>,
    /// The end of what it wrote to standard error.
    pub(crate) said: String,
}

fn command(data_dir: &Path, seconds: i64, program: &[&str]) -> Command {
    // A server that runs as root gives that up first.
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|of| of.uid() == 0);
    let mut command = if is_root {
        let mut command = Command::new("setpriv");
        command.args([
            &format!("--reuid={NOBODY}"),
            &format!("--regid={NOBODY}"),
            "--clear-groups",
            "--",
            "unshare",
        ]);
        command
    } else {
        Command::new("unshare")
    };
    command
        .args([
            "--user",
            "--map-root-user",
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
        ])
        .args(["--ipc", "--uts", "--net", "--", "/bin/sh", "-c", SETUP, "sandbox"])
        .arg(data_dir)
        .arg(seconds.max(1).to_string())
        .args(program)
        .current_dir("/")
        .env_clear()
        .env(
            "PATH",
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        )
        .env("HOME", "/tmp")
        .env("LANG", "C.UTF-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // With it goes all that it has started: it holds their namespace.
        .kill_on_drop(true);
    command
}

/// The last bytes of a stream.
async fn tail(mut from: impl AsyncRead + Unpin) -> Vec<u8> {
    let (mut kept, mut part) = (Vec::new(), [0_u8; 4_096]);
    while let Ok(count @ 1..) = from.read(&mut part).await {
        kept.extend_from_slice(part.get(..count).unwrap_or_default());
        let over = kept.len().saturating_sub(MOST_SAID);
        kept.drain(..over);
    }
    kept
}

/// Runs a program with a text as its standard input. Who drops this kills it with all that it has started.
///
/// # Errors
/// That the machine does not permit the sandbox, with what is missing, or that the script answers too much.
pub(crate) async fn run(
    data_dir: &Path,
    seconds: i64,
    program: &[&str],
    input: Vec<u8>,
) -> Result<Ended, String> {
    let missing = |what: &str| {
        format!(
            "The script was not run: this machine does not permit its sandbox ({}). It needs util-linux and coreutils, and \
             user namespaces for the server's user (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone, \
             kernel.apparmor_restrict_unprivileged_userns; in a container its own settings)",
            what.trim()
        )
    };
    // What it is called and where it lies may differ, and the second is what has to be hidden.
    let data_dir = &std::fs::canonicalize(data_dir)
        .map_err(|error| missing(&format!("the data directory cannot be found: {error}")))?;
    let mut child = command(data_dir, seconds, program)
        .spawn()
        .map_err(|error| missing(&error.to_string()))?;
    let (Some(mut stdin), Some(stdout), Some(stderr)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err("The script was not run: it has no pipes.".to_owned());
    };
    let write = async move {
        // It may end without having read all of it.
        let _ = stdin.write_all(&input).await;
    };
    let read = async move {
        let mut answer = Vec::new();
        let most = u64::try_from(READY.len() + MOST_ANSWER + 1).unwrap_or(u64::MAX);
        let _ = stdout.take(most).read_to_end(&mut answer).await;
        answer
    };
    let answer = async {
        let ((), answer) = tokio::join!(write, read);
        if answer.len() > READY.len() + MOST_ANSWER {
            return Err(format!("The script answers more than {MOST_ANSWER} bytes"));
        }
        Ok(answer)
    };
    let said = async { Ok::<_, String>(tail(stderr).await) };
    let (answer, said) = tokio::try_join!(answer, said)?;
    let status = child.wait().await.map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&said).into_owned();
    match answer.strip_prefix(READY) {
        Some(answer) => Ok(Ended {
            code: status.code(),
            answer: answer.to_vec(),
            said,
        }),
        None => Err(missing(&said)),
    }
}
