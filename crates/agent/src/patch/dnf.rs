//! The package manager of Red Hat's family: Red Hat Enterprise Linux, Rocky, Alma, Oracle, CentOS, Amazon Linux 2022 and
//! later. Versions come from `rpm`, updates and advisories from `dnf` 4, whose settings hold here as they do for everybody.

use super::advisories::{self, ByPackage};
use super::manager::Manager;
use super::{say, system};
use crate::files;
use crate::host;
use crate::worker::session::started_seconds;
use muster_patching::{Baseline, Installed, Patch, is_named, rpm};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Dnf on this node.
pub(super) struct Dnf {
    /// Settings that go with every call of dnf.
    options: Vec<String>,
    /// Where the system is, when not at `/`.
    root: Option<PathBuf>,
    product: String,
}

/// What rpm is asked for.
const INSTALLED: &str =
    "%{NAME}\\t%{EPOCHNUM}:%{VERSION}-%{RELEASE}\\t%{ARCH}\\t%{INSTALLTIME}\\t%{SUMMARY}\\n";
/// What dnf is asked for.
const UPDATES: &str = "%{name}\t%{epoch}:%{version}-%{release}\t%{arch}\t%{repoid}\t%{buildtime}\t%{summary}";

/// Packages for which the system has to be started anew, as `needs-restarting` has them; kernels beside them.
const NEED_REBOOT: [&str; 9] = [
    "linux-firmware",
    "microcode_ctl",
    "glibc",
    "systemd",
    "dbus",
    "dbus-broker",
    "dbus-daemon",
    "openssl-libs",
    "gnutls",
];

/// Whether the system has to be started anew for a package of that name. Kernels go by many: `kernel-core`, `kernel-uek`,
/// `kernel6.12`, `kernel-64k-core`.
fn needs_reboot(name: &str) -> bool {
    let kernel = name.strip_prefix("kernel").is_some_and(|rest| {
        matches!(rest, "" | "-PAE" | "-smp" | "-xen" | "-rt" | "-uek")
            || rest.ends_with("-core")
            || (!rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit() || c == '.'))
    });
    kernel || NEED_REBOOT.contains(&name)
}

/// What the service calls systems, by their ids in `os-release`.
const NAMES: [(&str, &str); 6] = [
    ("rhel", "RedhatEnterpriseLinux"),
    ("rocky", "RockyLinux"),
    ("almalinux", "AlmaLinux"),
    ("ol", "OracleLinux"),
    ("centos", "CentOS"),
    ("amzn", "AmazonLinux"),
];

/// A version as people write it: an epoch of nought is not said.
fn shown(evr: &str) -> String {
    evr.strip_prefix("0:").unwrap_or(evr).to_owned()
}

/// Packages as rpm tells them; of several versions of one, as kernels have, the newest.
fn installed(text: &str, product: &str, started: Option<i64>) -> Vec<Installed> {
    let mut newest: BTreeMap<(String, String), Installed> = BTreeMap::new();
    for line in text.lines() {
        let fields: Vec<&str> = line.splitn(5, '\t').collect();
        let [name, evr, arch, at, summary] = fields.as_slice() else {
            continue;
        };
        // Keys of repositories are kept like packages.
        if *name == "gpg-pubkey" {
            continue;
        }
        let at: Option<i64> = at.parse().ok();
        let found = Installed {
            patch: Patch {
                name: (*name).to_owned(),
                version: shown(evr),
                arch: (*arch).to_owned(),
                title: (*summary).to_owned(),
                product: product.to_owned(),
                ..Patch::default()
            },
            installed_ms: at.map(|seconds| seconds.saturating_mul(1_000)),
            needs_reboot: needs_reboot(name) && at.zip(started).is_some_and(|(at, started)| at > started),
            is_broken: false,
        };
        let key = ((*name).to_owned(), (*arch).to_owned());
        let is_newer = newest
            .get(&key)
            .is_none_or(|there| rpm::compare(&found.patch.version, &there.patch.version).is_gt());
        if is_newer {
            newest.insert(key, found);
        }
    }
    newest.into_values().collect()
}

/// Newer versions as dnf tells them, the oldest first.
fn updates(text: &str, product: &str) -> Vec<Patch> {
    let mut all = Vec::new();
    for line in text.lines() {
        let fields: Vec<&str> = line.splitn(6, '\t').collect();
        let [name, evr, arch, repository, built, summary] = fields.as_slice() else {
            continue;
        };
        all.push(Patch {
            name: (*name).to_owned(),
            version: shown(evr),
            arch: (*arch).to_owned(),
            title: (*summary).to_owned(),
            product: product.to_owned(),
            repository: (*repository).to_owned(),
            released_ms: advisories::moment(built),
            ..Patch::default()
        });
    }
    all.sort_by(|left, right| {
        let key = |patch: &Patch| (patch.name.clone(), patch.arch.clone());
        key(left)
            .cmp(&key(right))
            .then_with(|| rpm::compare(&left.version, &right.version))
    });
    // Several repositories may have it.
    all.dedup_by(|left, right| {
        (&left.name, &left.arch, &left.version) == (&right.name, &right.arch, &right.version)
    });
    all
}

/// As dnf is asked for one version of a package.
fn named(patch: &Patch) -> String {
    let (epoch, version, release) = rpm::parts(&patch.version);
    format!("{}-{epoch}:{version}-{release}.{}", patch.name, patch.arch)
}

impl Dnf {
    /// Dnf, with the repositories of the baseline where it names any.
    pub(super) fn new(directory: &Path, baseline: &Baseline) -> Result<Self, String> {
        let root = host::system_root();
        let product = system::product(&host::read_os_release(), &NAMES);
        // Whoever owns the node may live with a repository that is away; what is missing is not known then.
        let mut options = vec!["--setopt=*.skip_if_unavailable=False".to_owned()];
        if let Some(root) = &root {
            options.push(format!("--installroot={}", root.display()));
        }
        let sources = system::sources(baseline, &product);
        if !sources.is_empty() {
            let failed =
                |error: std::io::Error| format!("the baseline's repositories could not be set up: {error}");
            let folder = directory.join("sources");
            files::private_directory(&folder).map_err(failed)?;
            std::fs::write(folder.join("baseline.repo"), sources.join("\n\n") + "\n").map_err(failed)?;
            options.push(format!("--setopt=reposdir={}", folder.display()));
        }
        if baseline.rejected_patches_action == "BLOCK" {
            // Then it does not come along with anything else either.
            let rejected = baseline.rejected_patches.iter().filter(|entry| is_package(entry));
            options.extend(rejected.map(|entry| format!("--exclude={}", entry.trim())));
        }
        let dnf = Self {
            options,
            root,
            product,
        };
        dnf.check()?;
        Ok(dnf)
    }

    /// Dnf 5 prints advisories in another way; without them every node would look well.
    fn check(&self) -> Result<(), String> {
        let version = self.output("dnf", &["--version"]).map_err(|error| {
            format!("{error}: this version of muster-agent patches Red Hat's family by dnf (version 4)")
        })?;
        let version = version.lines().next().unwrap_or_default().trim().to_owned();
        if version.starts_with("4.") {
            Ok(())
        } else {
            Err(format!(
                "this version of muster-agent reads dnf 4, and this node has dnf {version}"
            ))
        }
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("LC_ALL", "C").env("TZ", "UTC").stdin(Stdio::null());
        match program {
            "dnf" => {
                command.args(&self.options);
            }
            _ => {
                if let Some(root) = &self.root {
                    command.arg(format!("--root={}", root.display()));
                }
            }
        }
        command
    }

    /// What a program prints; why, when it fails.
    fn output(&self, program: &str, arguments: &[&str]) -> Result<String, String> {
        system::output(self.command(program), arguments)
    }
}

/// Whether an entry of a list names packages, not a vulnerability or an advisory (`RHSA-2026:0001`, `ALAS2023-2026-001`).
fn is_package(entry: &str) -> bool {
    let entry = entry.trim();
    let is_advisory = entry.starts_with("ALAS")
        || entry.split_once(':').is_some_and(|(before, after)| {
            before.rsplit_once('-').is_some_and(|(name, year)| {
                name.bytes().all(|b| b.is_ascii_uppercase())
                    && year.len() == 4
                    && year.bytes().all(|b| b.is_ascii_digit())
            }) && after.bytes().all(|b| b.is_ascii_digit() || b == b'*')
        });
    !entry.is_empty() && !entry.starts_with("CVE-") && !is_advisory
}

impl Manager for Dnf {
    fn update(&self) -> Result<(), String> {
        if self.output("dnf", &["--quiet", "repolist"])?.trim().is_empty() {
            return Err("no repository of dnf is enabled: nobody knows what is missing".into());
        }
        self.output("dnf", &["--quiet", "--refresh", "makecache"])
            .map(|_| ())
            .map_err(|error| format!("{error}: without the newest lists nobody knows what is missing"))
    }

    fn packages(&self) -> Result<(Vec<Installed>, Vec<Patch>), String> {
        let text = self.output("rpm", &["--query", "--all", "--queryformat", INSTALLED])?;
        let mut there = installed(&text, &self.product, started_seconds());
        let arguments = [
            "--quiet",
            "--cacheonly",
            "repoquery",
            "--upgrades",
            "--queryformat",
            UPDATES,
        ];
        let mut newer = updates(&self.output("dnf", &arguments)?, &self.product);
        // Not quiet: then it would not tell the files.
        let arguments = ["--cacheonly", "--verbose", "updateinfo", "--info", "--all"];
        let advisories = ByPackage::new(advisories::read(&self.output("dnf", &arguments)?));
        for patch in &mut newer {
            let version = there
                .iter()
                .find(|there| there.patch.name == patch.name && there.patch.arch == patch.arch)
                .map(|there| there.patch.version.clone());
            advisories.note_update(patch, &version.unwrap_or_default());
        }
        for package in &mut there {
            advisories.note_installed(&mut package.patch);
        }
        Ok((there, newer))
    }

    fn blocked(&self, baseline: &Baseline, some: &[Patch]) -> Option<String> {
        if baseline.rejected_patches_action != "BLOCK" {
            return None;
        }
        // What else they would bring dnf was told to leave out.
        let rejected = some.iter().find(|patch| {
            let mut entries = baseline.rejected_patches.iter();
            entries.any(|entry| is_named(entry, patch))
        })?;
        Some(format!("the baseline rejects {}", named(rejected)))
    }

    fn install(&self, wanted: &[Patch]) -> bool {
        let names: Vec<String> = wanted.iter().map(named).collect();
        let status = self
            .command("dnf")
            .args(["--quiet", "--assumeyes", "upgrade"])
            .args(&names)
            .status();
        match status {
            Ok(status) if status.success() => true,
            Ok(status) => {
                say(&format!("dnf upgrade {} failed ({status})", names.join(" ")));
                false
            }
            Err(error) => {
                say(&format!("dnf could not be started: {error}"));
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(os_release: &str) -> String {
        system::product(os_release, &NAMES)
    }

    #[test]
    fn products_are_called_as_the_service_does() {
        assert_eq!(product("ID=\"rocky\"\nVERSION_ID=\"9.3\"\n"), "RockyLinux9.3");
        assert_eq!(product("ID=\"amzn\"\nVERSION_ID=\"2023\"\n"), "AmazonLinux2023");
        assert_eq!(product("ID=rhel\nVERSION_ID=8.9\n"), "RedhatEnterpriseLinux8.9");
    }

    #[test]
    fn of_several_kernels_the_newest_counts() {
        let text = "kernel-core\t0:5.14.0-9\tx86_64\t100\tKernel\nkernel-core\t0:5.14.0-10\tx86_64\t300\tKernel\n\
                    gpg-pubkey\t0:1-2\t(none)\t1\tkey\nbash\t1:5.1-2\tx86_64\t300\tShell\n";
        let found = installed(text, "RockyLinux9.3", Some(200));
        let told: Vec<(&str, &str, bool)> = found
            .iter()
            .map(|there| {
                (
                    there.patch.name.as_str(),
                    there.patch.version.as_str(),
                    there.needs_reboot,
                )
            })
            .collect();
        assert_eq!(
            told,
            [("bash", "1:5.1-2", false), ("kernel-core", "5.14.0-10", true)]
        );
    }

    #[test]
    fn names_say_what_they_are() {
        for name in [
            "kernel",
            "kernel-core",
            "kernel-uek-core",
            "kernel6.12",
            "kernel-64k-core",
            "glibc",
        ] {
            assert!(needs_reboot(name), "{name}");
        }
        for name in [
            "kernel-headers",
            "kernel-tools",
            "kernelshark",
            "bash",
            "kernel-devel",
        ] {
            assert!(!needs_reboot(name), "{name}");
        }
        for (entry, is) in [
            ("bash", true),
            ("dbus-1:1.12.28-1.x86_64", true),
            ("CVE-2026-1", false),
            ("RHSA-2026:0001", false),
            ("TSA-2026:*", false),
            ("ALAS2023-2026-001", false),
            (" ", false),
        ] {
            assert_eq!(is_package(entry), is, "{entry}");
        }
    }

    #[test]
    fn updates_come_oldest_first_and_once() {
        let text = "a\t0:1.10-1\tnoarch\tmain\t2026-01-06 10:00\tA\na\t0:1.9-1\tnoarch\tmain\t2026-01-05 10:00\tA\n\
                    a\t0:1.9-1\tnoarch\textra\t2026-01-05 10:00\tA\n";
        let found = updates(text, "x");
        let versions: Vec<&str> = found.iter().map(|patch| patch.version.as_str()).collect();
        assert_eq!(versions, ["1.9-1", "1.10-1"]);
        assert_eq!(named(&found[0]), "a-0:1.9-1.noarch");
        assert!(found[0].released_ms.is_some());
    }
}
