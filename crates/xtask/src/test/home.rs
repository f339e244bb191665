//! A home directory and a directory for temporary files of the tests' own. Real agents start real login shells, and what
//! the person at the keyboard has in `~/.profile` and `~/.bashrc` must neither slow them down nor be left half done by
//! tests that kill such shells.

use super::scratch::{Scratch, place};
use crate::failure::{Doing as _, Outcome, make_dir};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Both directories, empty at first and gone with this value.
pub(crate) struct Home {
    scratch: Scratch,
}

impl Home {
    pub(crate) fn make() -> Outcome<Self> {
        let scratch = Scratch::make(&place(), "muster-tests-")?;
        let home = Self { scratch };
        make_dir(&home.folder())?;
        make_dir(&home.temporary())?;
        // As /tmp: tests have users of their own.
        for (folder, mode) in [(home.scratch.path(), 0o755), (&home.temporary(), 0o1777)] {
            std::fs::set_permissions(folder, Permissions::from_mode(mode))
                .doing(|| format!("open {} for all", folder.display()))?;
        }
        Ok(home)
    }

    fn folder(&self) -> PathBuf {
        self.scratch.path().join("home")
    }

    fn temporary(&self) -> PathBuf {
        self.scratch.path().join("tmp")
    }

    /// Makes them those of a command, which still finds the toolchain and the caches where they are.
    pub(crate) fn tell(&self, command: &mut Command) {
        if let Some(real) = std::env::var_os("HOME").filter(|home| !home.is_empty()) {
            for (name, folder) in [
                ("CARGO_HOME", ".cargo"),
                ("RUSTUP_HOME", ".rustup"),
                ("XDG_CACHE_HOME", ".cache"),
            ] {
                if std::env::var_os(name).is_none_or(|value| value.is_empty()) {
                    command.env(name, Path::new(&real).join(folder));
                }
            }
        }
        command.env("HOME", self.folder()).env("TMPDIR", self.temporary());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_gets_an_empty_home_and_still_finds_the_toolchain() {
        let home = Home::make().unwrap();
        let mut command =
            crate::process::program("sh", ["-c", "cd && pwd && ls -A && echo $CARGO_HOME $TMPDIR"]);
        home.tell(&mut command);
        let said = crate::process::read(&mut command).unwrap();
        let (place, rest) = said.split_once('\n').unwrap();
        assert_eq!(place, home.folder().to_str().unwrap());
        let (cargo, temporary) = rest.split_once(' ').unwrap();
        assert!(Path::new(cargo).join("bin").exists(), "{cargo}");
        assert_eq!(temporary, home.temporary().to_str().unwrap());
    }
}
