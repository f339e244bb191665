//! A throw-away PostgreSQL: made in a temporary directory, on a free port of the loopback address, gone
//! with this value. Never touches a server that the machine already runs.

use super::scratch::{self, Scratch};
use crate::debian;
use crate::failure::{Doing, Failure, Outcome, write};
use crate::process::{is_program, program, run_quietly, succeeds};
use crate::signals::{signal_one, stopping};
use rustix::process::Signal;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// Directories are named so, followed by the id of the xtask that made them.
const PREFIX: &str = "muster-postgres-";

/// What a power cut may do to the data.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// As in production: for measurements.
    Real,
    /// Anything: for tests, which are faster so.
    None,
}

/// A running server.
pub(crate) struct Postgres {
    /// Where tests connect; its user may make databases.
    pub(crate) url: String,
    server: Child,
    scratch: Scratch,
}

/// The newest installed version's programs.
pub(crate) fn binaries() -> Option<PathBuf> {
    let entries = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let mut versions: Vec<(u32, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| {
            Some((
                entry.file_name().to_str()?.parse().ok()?,
                entry.path().join("bin"),
            ))
        })
        .filter(|(_, bin)| is_program(&bin.join("initdb")) && is_program(&bin.join("postgres")))
        .collect();
    versions.sort();
    versions.pop().map(|(_, bin)| bin)
}

impl Postgres {
    pub(crate) fn start(durability: Durability) -> Outcome<Self> {
        debian::ensure(&[debian::POSTGRESQL])?;
        let bin =
            binaries().ok_or_else(|| Failure::new("PostgreSQL's initdb is not under /usr/lib/postgresql"))?;
        let place = match durability {
            Durability::Real => std::env::temp_dir(),
            Durability::None => scratch::place(),
        };
        // A server that xtask left behind by being killed ended with it (see [`as_user`]).
        Self::start_in(&bin, Scratch::make(&place, PREFIX)?, durability)
    }

    fn start_in(bin: &Path, scratch: Scratch, durability: Durability) -> Outcome<Self> {
        let folder = scratch.path();
        let password = random_hex()?;
        let password_file = folder.join("password");
        write(&password_file, &password)?;
        if debian::is_root() {
            // The server refuses to run as root, so the directory goes to the user that its package made.
            let mut chown = program("chown", ["-R", "postgres:"]);
            run_quietly(
                chown.arg(folder),
                "giving the test database's directory to postgres",
            )?;
        }
        run_quietly(
            program("chmod", ["-R", "go="]).arg(folder),
            "closing the test database's directory",
        )?;
        let data = folder.join("data");
        let mut initdb = as_user(&bin.join("initdb"));
        initdb.args([
            "--username=muster",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        ]);
        initdb
            .arg("--pwfile")
            .arg(&password_file)
            .arg("--pgdata")
            .arg(&data)
            .current_dir("/");
        run_quietly(&mut initdb, "making the test database (initdb)")?;

        let port = free_port()?;
        let log = File::create(folder.join("log")).doing(|| "write PostgreSQL's log".to_owned())?;
        let mut server = as_user(&bin.join("postgres"));
        server
            .arg("-D")
            .arg(&data)
            .args(["-p", &port.to_string(), "-k"])
            .arg(folder)
            .current_dir("/");
        let sync = if durability == Durability::Real {
            "on"
        } else {
            "off"
        };
        for (name, value) in [
            ("listen_addresses", "127.0.0.1"),
            ("max_connections", "300"),
            ("fsync", sync),
            ("full_page_writes", sync),
        ] {
            server.args(["-c", &format!("{name}={value}")]);
        }
        let twin = log.try_clone().doing(|| "share a log file".to_owned())?;
        let server = server
            .stdout(log)
            .stderr(twin)
            .spawn()
            .doing(|| "start PostgreSQL".to_owned())?;
        let url = format!("postgres://muster:{password}@127.0.0.1:{port}/postgres");
        let mut postgres = Self { url, server, scratch };
        postgres.wait_until_ready(bin, port)?;
        Ok(postgres)
    }

    fn wait_until_ready(&mut self, bin: &Path, port: u16) -> Outcome {
        let start = Instant::now();
        loop {
            if succeeds(&mut program(
                bin.join("pg_isready"),
                ["-q", "-h", "127.0.0.1", "-p", &port.to_string()],
            )) {
                return Ok(());
            }
            let ended = self.server.try_wait().is_ok_and(|status| status.is_some());
            if ended || stopping() || start.elapsed() > Duration::from_secs(60) {
                let log = std::fs::read_to_string(self.scratch.path().join("log")).unwrap_or_default();
                return Err(Failure::new(format!(
                    "the test database did not start; its log:\n{log}"
                )));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // SIGQUIT: end now; there is nothing to keep.
        signal_one(self.server.id(), Signal::QUIT);
        let _ = self.server.wait();
    }
}

/// A program of PostgreSQL as somebody who is not root, who goes when xtask goes, even when it is killed.
fn as_user(tool: &Path) -> Command {
    let mut command = program("setpriv", ["--pdeathsig", "QUIT"]);
    if debian::is_root() {
        command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]);
    }
    command.arg("--").arg(tool);
    command
}

/// A port that was free a moment ago.
fn free_port() -> Outcome<u16> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").doing(|| "find a free port".to_owned())?;
    Ok(listener.local_addr().doing(|| "read the port".to_owned())?.port())
}

fn random_hex() -> Outcome<String> {
    use std::io::Read;
    let mut bytes = [0; 16];
    let mut source = File::open("/dev/urandom").doing(|| "open /dev/urandom".to_owned())?;
    source
        .read_exact(&mut bytes)
        .doing(|| "read /dev/urandom".to_owned())?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
