//! Where things are: the checkout, the cache outside it, the target directory, and how cargo is called.

use crate::failure::{Failure, Outcome};
use crate::process::{program, read};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The places that every chore shares.
pub(crate) struct Workshop {
    /// The checkout.
    pub(crate) root: PathBuf,
    /// What outlives a checkout: target directories, the Python environment, the demo nodes' system.
    pub(crate) cache: PathBuf,
    /// What cargo builds into.
    pub(crate) target: PathBuf,
}

impl Workshop {
    /// Finds the places; makes none of them.
    pub(crate) fn find() -> Outcome<Self> {
        let root = root()?;
        let cache = cache()?;
        let target = target(&cache, None)?;
        Ok(Self { root, cache, target })
    }

    /// What the browser downloads. Per checkout, so that two of them never serve each other's pages.
    pub(crate) fn site(&self) -> PathBuf {
        self.root.join("target/site")
    }

    /// Cargo in the checkout, with the shared target directory.
    pub(crate) fn cargo<const N: usize>(&self, args: [&str; N]) -> Command {
        let mut command = program("cargo", args);
        command
            .current_dir(&self.root)
            .env("CARGO_TARGET_DIR", &self.target);
        command
    }

    /// A path as one reads it: relative to the checkout where it is inside.
    pub(crate) fn short(&self, path: &Path) -> String {
        path.strip_prefix(&self.root)
            .unwrap_or(path)
            .display()
            .to_string()
    }
}

/// The checkout: cargo tells while it runs us; the path at build time serves when started by hand.
fn root() -> Outcome<PathBuf> {
    let here = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    let root = here
        .ancestors()
        .find(|folder| folder.join("Cargo.lock").is_file());
    root.map(Path::to_path_buf)
        .ok_or_else(|| Failure::new(format!("no checkout of Muster around {}", here.display())))
}

/// `muster` in the user's cache directory.
fn cache() -> Outcome<PathBuf> {
    let set = |name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    set("XDG_CACHE_HOME")
        .or_else(|| set("HOME").map(|home| home.join(".cache")))
        .map(|folder| folder.join("muster"))
        .ok_or_else(|| Failure::new("neither XDG_CACHE_HOME nor HOME is set: where may the build cache be?"))
}

/// `CARGO_TARGET_DIR`, or a directory in the cache. It is keyed by the compiler, because another one
/// would rebuild everything in it, and outside the checkout, so that a fresh clone builds in minutes.
pub(crate) fn target(cache: &Path, toolchain: Option<&str>) -> Outcome<PathBuf> {
    if let Some(set) = std::env::var_os("CARGO_TARGET_DIR").filter(|value| !value.is_empty()) {
        return std::path::absolute(&set)
            .map_err(|error| Failure::new(format!("CARGO_TARGET_DIR is not a usable path: {error}")));
    }
    let mut rustc = program("rustc", ["--version"]);
    if let Some(toolchain) = toolchain {
        rustc.env("RUSTUP_TOOLCHAIN", toolchain);
    }
    let line = read(&mut rustc).ok_or_else(|| Failure::new("`rustc --version` does not work"))?;
    Ok(cache.join(format!("target-{}", version_in(&line))))
}

/// `1.95.0` in `rustc 1.95.0 (59807616e 2026-04-14)`.
fn version_in(line: &str) -> &str {
    line.split_whitespace().nth(1).unwrap_or("unknown")
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_target_directory_is_keyed_by_the_compilers_version() {
        assert_eq!(super::version_in("rustc 1.95.0 (59807616e 2026-04-14)"), "1.95.0");
        assert_eq!(
            super::version_in("rustc 1.97.0-nightly (0 2026-05-01)"),
            "1.97.0-nightly"
        );
    }

    #[test]
    fn the_checkout_is_found() {
        assert!(super::root().unwrap().join("crates/xtask/Cargo.toml").is_file());
    }
}
