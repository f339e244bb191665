//! Building the server program, and the environment in which it finds its pages.

use crate::failure::{Doing, Outcome, make_dir};
use crate::process::run;
use crate::say;
use crate::workshop::Workshop;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Builds `muster` and keeps it in the checkout: the target directory is shared with other checkouts,
/// whose next build would replace the file under a running program's name.
pub(crate) fn build(workshop: &Workshop, release: bool) -> Outcome<PathBuf> {
    say::step("Building the server (the first time about eight minutes on two cores, then seconds)");
    let mut cargo = workshop.cargo(["build", "--package", "muster"]);
    if release {
        cargo.arg("--release");
    }
    run(&mut cargo, "building the server")?;
    keep(workshop, release)
}

/// The program as it was built last, under a name of this checkout's own.
pub(crate) fn keep(workshop: &Workshop, release: bool) -> Outcome<PathBuf> {
    let built = workshop
        .target
        .join(if release { "release" } else { "debug" })
        .join("muster");
    let kept = workshop
        .root
        .join("target/bin")
        .join(if release { "release" } else { "debug" })
        .join("muster");
    if let Some(folder) = kept.parent() {
        make_dir(folder)?;
    }
    let _ = std::fs::remove_file(&kept);
    if std::fs::hard_link(&built, &kept).is_err() {
        std::fs::copy(&built, &kept).doing(|| format!("copy {}", built.display()))?;
    }
    Ok(kept)
}

/// Tells the program where the pages' files are.
pub(crate) fn with_site<'a>(command: &'a mut Command, site: &Path) -> &'a mut Command {
    command.envs(site_environment(site))
}

/// The same as pairs, for those who start the program through something else.
pub(crate) fn site_environment(site: &Path) -> [(&'static str, PathBuf); 2] {
    [
        ("LEPTOS_OUTPUT_NAME", PathBuf::from("muster")),
        ("LEPTOS_SITE_ROOT", site.to_path_buf()),
    ]
}
