//! A home directory of the tests' own. Real agents start real login shells, and what the person at the keyboard has in
//! `~/.profile` and `~/.bashrc` must neither slow them down nor be left half done by tests that kill such shells.

use crate::failure::{Outcome, make_dir};
use std::path::PathBuf;
use std::process::Command;

/// Directories are named so, followed by the id of the xtask that made them.
const PREFIX: &str = "muster-home-";

/// An empty home directory, gone with this value.
pub(crate) struct Home {
    folder: PathBuf,
}

impl Home {
    pub(crate) fn make() -> Outcome<Self> {
        let folder = std::env::temp_dir().join(format!("{PREFIX}{}", std::process::id()));
        make_dir(&folder)?;
        Ok(Self { folder })
    }

    /// Makes it the home of a command, which still finds the toolchain and the caches where they are.
    pub(crate) fn tell(&self, command: &mut Command) {
        if let Some(real) = std::env::var_os("HOME").filter(|home| !home.is_empty()) {
            let real = PathBuf::from(real);
            for (name, folder) in [
                ("CARGO_HOME", ".cargo"),
                ("RUSTUP_HOME", ".rustup"),
                ("XDG_CACHE_HOME", ".cache"),
            ] {
                if std::env::var_os(name).is_none_or(|value| value.is_empty()) {
                    command.env(name, real.join(folder));
                }
            }
        }
        command.env("HOME", &self.folder);
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_gets_a_home_that_is_empty_and_goes() {
        let home = Home::make().unwrap();
        let mut command = crate::process::program("sh", ["-c", "cd && pwd && ls -A && echo $CARGO_HOME"]);
        home.tell(&mut command);
        let said = crate::process::read(&mut command).unwrap();
        let (place, cargo) = said.split_once('\n').unwrap();
        assert_eq!(place, home.folder.to_str().unwrap());
        assert!(cargo.contains("cargo"), "{cargo}");
        let folder = home.folder.clone();
        drop(home);
        assert!(!folder.exists());
    }
}
