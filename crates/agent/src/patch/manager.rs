//! What patching needs of a package manager, and which one a node has.

use super::apt::Apt;
use super::changelog::{Patience, Told};
use super::dnf::Dnf;
use muster_patching::{Baseline, Installed, Patch};
use std::path::Path;

/// A package manager of this node.
pub(super) trait Manager {
    /// Fetches the lists anew. Old ones would say that a node is well that is not.
    fn update(&self) -> Result<(), String>;

    /// What is there, and newer versions of it; of each package the oldest first.
    fn packages(&self) -> Result<(Vec<Installed>, Vec<Patch>), String>;

    /// Finishes what was interrupted: a package that is there in part keeps all others from being installed.
    fn finish_interrupted(&self) {}

    /// Why some updates are not installed, when the baseline rejects what they would bring.
    fn blocked(&self, baseline: &Baseline, some: &[Patch]) -> Option<String>;

    /// Installs these versions; `false` when it did not work.
    fn install(&self, wanted: &[Patch]) -> bool;

    /// What is said of a version that is there, beyond what the patch tells already.
    fn told_here(&self, _patch: &Patch) -> Option<Told> {
        None
    }

    /// The same of an update; it may be asked over the network.
    fn told_of_update(&self, _patch: &Patch, _patience: &mut Patience) -> Option<Told> {
        None
    }
}

/// The one that belongs to the operating system that the baseline is for.
pub(super) fn of(directory: &Path, baseline: &Baseline) -> Result<Box<dyn Manager>, String> {
    match baseline.operating_system.as_str() {
        "DEBIAN" | "UBUNTU" | "RASPBIAN" => Ok(Box::new(Apt::new(directory, baseline)?)),
        "SUSE" | "WINDOWS" | "MACOS" => Err(format!(
            "this version of muster-agent patches systems with apt and dnf, not {}",
            baseline.operating_system
        )),
        _ => Ok(Box::new(Dnf::new(directory, baseline)?)),
    }
}
