//! Debian packages: which are missing, and installing them where that is allowed.

use crate::failure::{Failure, Outcome};
use crate::process::{find, program, run_quietly, succeeds};
use crate::say;
use std::path::Path;

/// A package that a chore cannot do without.
pub(crate) struct Need {
    /// Debian's name for it.
    pub(crate) package: &'static str,
    /// What it is needed for, and how much it is.
    pub(crate) why: &'static str,
    /// Whether the machine has what it brings, from wherever.
    pub(crate) present: fn() -> bool,
}

/// Runs JavaScript: the style bundler, the wasm optimiser, the browser driver.
pub(crate) const NODE: Need = Need {
    package: "nodejs",
    why: "runs the style bundler and the browser driver; 15 MB, seconds",
    present: || find("node").is_some(),
};
/// Fetches what the lock files name.
pub(crate) const NPM: Need = Need {
    package: "npm",
    why: "fetches fonts, bundler and driver; 40 MB, half a minute",
    present: || find("npm").is_some(),
};
pub(crate) const POSTGRESQL: Need = Need {
    package: "postgresql",
    why: "every database test runs on it as well as on SQLite; 60 MB, half a minute",
    present: || crate::test::postgres::binaries().is_some(),
};
pub(crate) const CHROMIUM: Need = Need {
    package: "chromium",
    why: "the browser tests; 100 MB, a minute",
    present: || crate::test::browser::chromium().is_some(),
};
pub(crate) const PYTHON: Need = Need {
    package: "python3-venv",
    why: "holds the aws command and boto3, which test the embedded endpoint; 10 MB, seconds",
    present: || succeeds(&mut program("python3", ["-c", "import venv, ensurepip"])),
};
pub(crate) const DNF: Need = Need {
    package: "dnf",
    why: "patches a root of Red Hat's family in a test; 30 MB, seconds",
    present: || find("dnf").is_some(),
};
pub(crate) const RPM: Need = Need {
    package: "rpm",
    why: "builds and installs the packages of that test; 3 MB, seconds",
    present: || find("rpmbuild").is_some(),
};
pub(crate) const CREATEREPO: Need = Need {
    package: "createrepo-c",
    why: "makes the repository of that test; 1 MB, seconds",
    present: || find("createrepo_c").is_some(),
};
pub(crate) const MMDEBSTRAP: Need = Need {
    package: "mmdebstrap",
    why: "makes the small system that demo nodes run; 1 MB, seconds",
    present: || find("mmdebstrap").is_some(),
};
pub(crate) const IPROUTE: Need = Need {
    package: "iproute2",
    why: "connects the demo nodes; 3 MB, seconds",
    present: || find("ip").is_some(),
};

/// Makes sure that all of them are there: installs as root (or with sudo where it asks nothing), else
/// fails with the one command that somebody with the rights has to run.
pub(crate) fn ensure(needs: &[Need]) -> Outcome {
    let missing: Vec<&Need> = needs.iter().filter(|need| !(need.present)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    say::step("Some of what this needs is not on the machine");
    for need in &missing {
        say::note(&format!("{}: {}", need.package, need.why));
    }
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    install(&packages)?;
    match missing.iter().find(|need| !(need.present)()) {
        None => Ok(()),
        Some(need) => Err(Failure::new(format!(
            "Debian's package {} is installed, but what it should bring is not found on PATH",
            need.package
        ))),
    }
}

/// Installs packages, whatever is there already.
pub(crate) fn install(packages: &[&str]) -> Outcome {
    let by_hand = format!(
        "run this one command, then start again:\n\n    sudo sh -c 'apt-get update && apt-get install -y {}'\n",
        packages.join(" ")
    );
    if find("apt-get").is_none() {
        return Err(Failure::new(format!(
            "this is not a Debian system, so install the like of these yourself: {}",
            packages.join(", ")
        )));
    }
    let prefix: &[&str] = if is_root() {
        &[]
    } else if find("sudo").is_some() && succeeds(&mut program("sudo", ["-n", "true"])) {
        &["sudo", "-n"]
    } else {
        return Err(Failure::new(format!(
            "packages are missing and only root may install them: {by_hand}"
        )));
    };
    say::step(&format!("Installing {} (Debian packages)", packages.join(", ")));
    let apt = |words: &[&str]| {
        let mut line: Vec<&str> = prefix.to_vec();
        line.extend([
            "env",
            "DEBIAN_FRONTEND=noninteractive",
            "apt-get",
            "-q",
            "-o",
            "Dpkg::Use-Pty=0",
        ]);
        line.extend(words);
        let (name, rest) = line
            .split_first()
            .map_or(("apt-get", &[][..]), |(name, rest)| (*name, rest));
        run_quietly(
            &mut program(name, rest),
            &format!("apt-get {}", words.first().unwrap_or(&"")),
        )
    };
    if let Err(failure) = apt(&["update"]) {
        if failure.exit_code() == 130 {
            return Err(failure);
        }
        say::note("apt-get update failed; going on with the package lists that are there");
    }
    let mut words = vec!["install", "-y", "--no-install-recommends"];
    words.extend(packages);
    apt(&words).map_err(|failure| {
        Failure::new(format!(
            "{failure}\n\nDebian's packages could not be installed. With a network there, {by_hand}"
        ))
    })
}

/// Whether this process may do everything.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Debian's code name of this system, or of the one that Muster is tested on.
pub(crate) fn suite() -> String {
    let text = std::fs::read_to_string(Path::new("/etc/os-release")).unwrap_or_default();
    suite_in(&text).unwrap_or("bookworm").to_owned()
}

fn suite_in(os_release: &str) -> Option<&str> {
    let value = |key: &str| {
        os_release
            .lines()
            .find_map(|line| line.strip_prefix(key))
            .map(|v| v.trim_matches('"'))
    };
    value("ID=")
        .filter(|id| *id == "debian")
        .and_then(|_| value("VERSION_CODENAME="))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_suite_is_that_of_a_debian_system_only() {
        assert_eq!(
            super::suite_in("ID=debian\nVERSION_CODENAME=trixie\n"),
            Some("trixie")
        );
        assert_eq!(super::suite_in("ID=ubuntu\nVERSION_CODENAME=noble\n"), None);
    }
}
