//! The small Debian that all demo nodes share: made once, kept in the user's cache, never written to.

use crate::debian;
use crate::failure::{Doing, Outcome, make_dir, write};
use crate::process::{program, run_quietly};
use crate::say;
use std::path::{Path, PathBuf};

/// What commands on a node commonly use; the agent itself needs nothing.
const PACKAGES: &str = "procps,iproute2,hostname,ca-certificates";

/// The system's directory; makes it when it is missing.
pub(super) fn ensure(cache: &Path) -> Outcome<PathBuf> {
    // The program is built for this machine's libraries, so the nodes run the same release of Debian.
    let suite = debian::suite();
    let folder = cache.join(format!("demo-system-2-{suite}"));
    if folder.join(".complete").is_file() {
        return Ok(folder.join("root"));
    }
    say::step(&format!(
        "Making a small Debian {suite} for the demo nodes (once; 60 MB to fetch, a minute)"
    ));
    let fresh = cache.join(format!("demo-system-{}.new", std::process::id()));
    let _ = std::fs::remove_dir_all(&fresh);
    make_dir(&fresh)?;
    let mut mmdebstrap = program(
        "mmdebstrap",
        [
            "--quiet",
            "--variant=minbase",
            "--mode=root",
            "--format=directory",
        ],
    );
    mmdebstrap.arg(format!("--include={PACKAGES}"));
    for skipped in ["/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*"] {
        mmdebstrap.arg(format!("--dpkgopt=path-exclude={skipped}"));
    }
    mmdebstrap.arg(&suite).arg(fresh.join("root"));
    let made = run_quietly(&mut mmdebstrap, "mmdebstrap").and_then(|()| write(&fresh.join(".complete"), ""));
    if let Err(failure) = made {
        let _ = std::fs::remove_dir_all(&fresh);
        return Err(failure);
    }
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::rename(&fresh, &folder).doing(|| format!("move {} into place", folder.display()))?;
    Ok(folder.join("root"))
}
