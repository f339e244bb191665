//! Starting this machine anew, when a step asks for it: by a command of its owner's, or as the system does it.

use crate::{files, host};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

/// The owner's own command, unless [`COMMAND_VARIABLE`] names another one.
const COMMAND: &str = "/etc/muster-agent/reboot";
/// Names the program that starts this machine anew, or says that the agent may not.
pub(crate) const COMMAND_VARIABLE: &str = "MUSTER_AGENT_REBOOT_COMMAND";
/// The value that says so.
pub(crate) const NEVER: &str = "never";
/// How long the command itself may take.
const COMMAND_WITHIN: Duration = Duration::from_secs(60);

/// How this machine is started anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// The agent may not.
    Never,
    /// By a program with these arguments.
    Program(PathBuf, Vec<&'static str>),
    /// Nothing is known that could.
    Unknown,
}

/// Reads what the owner said; [`Way::Unknown`] where nothing was.
fn said(value: Option<OsString>) -> Way {
    match value.filter(|value| !value.is_empty()) {
        Some(value) if value == NEVER => Way::Never,
        Some(value) => Way::Program(value.into(), Vec::new()),
        None if files::is_program(Path::new(COMMAND)) => Way::Program(COMMAND.into(), Vec::new()),
        None => Way::Unknown,
    }
}

/// The way of this machine, where the owner said `value` for [`COMMAND_VARIABLE`].
pub(crate) fn way(value: Option<OsString>) -> Way {
    match said(value) {
        // The system that was patched is not the one that these programs would end.
        Way::Unknown if host::system_root().is_some() => Way::Unknown,
        Way::Unknown => {
            let is_systemd = Path::new("/run/systemd/system").is_dir();
            let candidates: [(&str, &[&'static str]); 2] =
                [("systemctl", &["reboot"]), ("shutdown", &["-r", "now"])];
            candidates
                .into_iter()
                .filter(|(name, _)| *name != "systemctl" || is_systemd)
                .find_map(|(name, arguments)| {
                    Some(Way::Program(files::system_program(name)?, arguments.to_vec()))
                })
                .unwrap_or(Way::Unknown)
        }
        other => other,
    }
}

impl Way {
    /// Why there will be no reboot, where that is known before anybody asks.
    pub(crate) fn obstacle(&self) -> Option<String> {
        match self {
            Self::Program(..) => None,
            Self::Never => Some(format!(
                "this node's agent may not reboot it ({COMMAND_VARIABLE} is {NEVER})"
            )),
            Self::Unknown => Some(format!(
                "nothing on this node is known to reboot it: name a program in {COMMAND_VARIABLE}, or put one at {COMMAND}"
            )),
        }
    }

    /// Asks for it; the machine goes down some time after that.
    ///
    /// # Errors
    /// Why it will not, for people.
    pub(crate) async fn ask(&self) -> Result<(), String> {
        let Self::Program(program, arguments) = self else {
            return Err(self.obstacle().unwrap_or_default());
        };
        let failed = |what: String| format!("{} {what}", program.display());
        let asked = tokio::process::Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        match tokio::time::timeout(COMMAND_WITHIN, asked).await {
            Ok(Ok(out)) if out.status.success() => Ok(()),
            Ok(Ok(out)) => {
                let text = String::from_utf8_lossy(&out.stderr);
                let last = text.lines().last().unwrap_or_default();
                Err(failed(format!("failed ({}) {last}", out.status)))
            }
            Ok(Err(error)) => Err(failed(format!("could not be started: {error}"))),
            Err(_) => Err(failed(format!(
                "was not done within {} seconds",
                COMMAND_WITHIN.as_secs()
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_owner_says_how_or_that_it_may_not() {
        assert_eq!(said(Some("never".into())), Way::Never);
        assert!(Way::Never.ask().await.unwrap_err().contains("may not"));
        assert_eq!(
            said(Some("/bin/true".into())),
            Way::Program("/bin/true".into(), vec![])
        );
        assert_eq!(said(Some("/bin/true".into())).ask().await, Ok(()));
        let refused = said(Some("/bin/false".into())).ask().await.unwrap_err();
        assert!(refused.contains("/bin/false failed"), "{refused}");
        let none = said(Some("/none".into())).ask().await.unwrap_err();
        assert!(none.contains("could not be started"), "{none}");
    }
}
