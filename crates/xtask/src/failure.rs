//! How a chore fails: one text for the person at the keyboard, and the exit code.

use std::fmt;
use std::path::Path;

/// What every chore gives back.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

/// Why a chore stopped, in words that say what to do.
#[derive(Debug)]
pub(crate) struct Failure {
    text: String,
    exit_code: u8,
}

impl Failure {
    /// Something did not work.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            exit_code: 1,
        }
    }

    /// The command line was wrong.
    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            exit_code: 2,
        }
    }

    /// Somebody pressed Ctrl-C, or the process was told to end.
    pub(crate) fn interrupted() -> Self {
        Self {
            text: "interrupted".into(),
            exit_code: 130,
        }
    }

    pub(crate) fn exit_code(&self) -> u8 {
        self.exit_code
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Adds what was being done to an error of the standard library.
pub(crate) trait Doing<T> {
    /// `doing` reads as "could not <doing>".
    fn doing(self, doing: impl FnOnce() -> String) -> Outcome<T>;
}

impl<T, E: fmt::Display> Doing<T> for Result<T, E> {
    fn doing(self, doing: impl FnOnce() -> String) -> Outcome<T> {
        self.map_err(|error| Failure::new(format!("could not {}: {error}", doing())))
    }
}

/// Reads a file whole, naming it when that fails.
pub(crate) fn read(path: &Path) -> Outcome<String> {
    std::fs::read_to_string(path).doing(|| format!("read {}", path.display()))
}

/// Makes a directory with its parents.
pub(crate) fn make_dir(path: &Path) -> Outcome {
    std::fs::create_dir_all(path).doing(|| format!("make the directory {}", path.display()))
}

/// Writes a file whole.
pub(crate) fn write(path: &Path, content: impl AsRef<[u8]>) -> Outcome {
    std::fs::write(path, content).doing(|| format!("write {}", path.display()))
}
