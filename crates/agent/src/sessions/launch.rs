//! The little process between the agent and a shell: it makes itself the leader of a session of the operating system,
//! takes the terminal, becomes the user, and then becomes the shell. It runs before there is any thread.

use super::account::Account;
use rustix::fs::{Mode, fchmod, fchown};
use rustix::process::{Gid, Signal, Uid, ioctl_tiocsctty, setsid, umask};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};
use serde::{Deserialize, Serialize};
use std::ffi::OsStr;
use std::io::{self, Write as _};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, ExitCode};
use tokio::signal::unix::SignalKind;

/// What a shell says when a command cannot be started.
const CANNOT_START: u8 = 126;

/// What the process is to become.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Program {
    pub(crate) account: Account,
    /// For `sh -c`; nothing for the user's login shell.
    pub(crate) command: Option<String>,
    pub(crate) session_id: String,
    /// Whether standard input is a terminal of its own.
    pub(crate) terminal: bool,
}

impl Program {
    /// The program's file.
    pub(crate) fn shell(&self) -> &Path {
        if self.command.is_some() {
            Path::new("/bin/sh")
        } else {
            &self.account.shell
        }
    }

    fn command(&self) -> Command {
        let account = &self.account;
        let mut command = Command::new(self.shell());
        if let Some(text) = &self.command {
            command.arg("-c").arg(text);
        } else {
            // The dash makes it a login shell.
            let name = self.shell().file_name().unwrap_or_default();
            let name = [b"-", name.as_bytes()].concat();
            command.arg0(std::ffi::OsString::from_vec(name));
        }
        let path = if account.uid == 0 {
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        } else {
            "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games"
        };
        let language = std::env::var_os("LANG").filter(|language| !language.is_empty());
        command
            .env_clear()
            .env("TERM", "xterm-256color")
            .env("LANG", language.unwrap_or_else(|| "C.UTF-8".into()))
            .env("HOME", &account.home)
            .env("USER", &account.name)
            .env("LOGNAME", &account.name)
            .env("SHELL", &account.shell)
            .env("PATH", path)
            .env("MUSTER_SESSION_ID", &self.session_id);
        command
    }

    fn prepare(&self) -> io::Result<()> {
        setsid()?;
        let account = &self.account;
        let (uid, gid) = (Uid::from_raw(account.uid), Gid::from_raw(account.gid));
        if self.terminal {
            let stdin = io::stdin();
            ioctl_tiocsctty(&stdin)?;
            if account.groups.is_some() {
                // Programs open the terminal by its name again.
                fchown(&stdin, Some(uid), None)?;
            }
            fchmod(&stdin, Mode::RUSR | Mode::WUSR)?;
        }
        if let Some(groups) = &account.groups {
            let groups: Vec<Gid> = groups.iter().copied().map(Gid::from_raw).collect();
            set_thread_groups(&groups)?;
            set_thread_res_gid(gid, gid, gid)?;
            set_thread_res_uid(uid, uid, uid)?;
        }
        default_signals()?;
        umask(Mode::WGRP | Mode::WOTH);
        if std::env::set_current_dir(&account.home).is_err() {
            std::env::set_current_dir("/")?;
        }
        Ok(())
    }
}

/// Signals that the agent was started to ignore, as services and background jobs are, must not be ignored by shells, or
/// Ctrl-C does nothing. A signal that has a handler gets its default with the new program.
fn default_signals() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    let _entered = runtime.enter();
    for signal in [
        Signal::HUP,
        Signal::INT,
        Signal::QUIT,
        Signal::TERM,
        Signal::TSTP,
        Signal::TTIN,
        Signal::TTOU,
    ] {
        // The handler stays when its receiver is dropped.
        drop(tokio::signal::unix::signal(SignalKind::from_raw(
            signal.as_raw(),
        ))?);
    }
    Ok(())
}

/// Becomes the program; answers only when that was not possible.
pub(crate) fn become_program(specification: &OsStr) -> ExitCode {
    let program: Result<Program, _> = serde_json::from_slice(specification.as_bytes());
    let error = match program {
        Ok(program) => match program.prepare() {
            Ok(()) => {
                let error = program.command().exec();
                format!("{} cannot be started: {error}", program.shell().display())
            }
            Err(error) => format!(
                "the session cannot become one of {}: {error}",
                program.account.name
            ),
        },
        Err(error) => format!("this command is for the agent itself ({error})"),
    };
    let _ = writeln!(io::stderr(), "muster-agent: {error}");
    ExitCode::from(CANNOT_START)
}
