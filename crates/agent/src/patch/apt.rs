//! The package manager of Debian and Ubuntu: what is there, what is to be had, installing. Everything goes through the
//! system's own programs, whose settings hold here as they do for everybody.

use super::changelog::{self, Patience, Told};
use super::manager::Manager;
use super::policy::{self, DPKG_FORMAT, Package, Policy};
use super::{say, system};
use crate::files;
use muster_patching::{Baseline, Installed, Patch, is_named};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, UNIX_EPOCH};

/// How long it is waited for somebody else who fetches the lists.
const LISTS_WITHIN: Duration = Duration::from_secs(300);
const LISTS_AGAIN: Duration = Duration::from_secs(3);

/// Apt on this node.
pub(super) struct Apt {
    /// Settings that go with every call.
    options: Vec<String>,
    /// Where dpkg keeps what it knows.
    admin: PathBuf,
    /// What all paths of packages are below.
    root: PathBuf,
    product: String,
}

fn from_environment(name: &str) -> Option<PathBuf> {
    std::env::var_os(name)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}

/// What the service calls systems, by their ids in `os-release`.
const NAMES: [(&str, &str); 3] = [
    ("debian", "Debian"),
    ("ubuntu", "Ubuntu"),
    ("raspbian", "Raspbian"),
];

impl Apt {
    /// Apt, with the repositories of the baseline where it names any.
    pub(super) fn new(directory: &Path, baseline: &Baseline) -> Result<Self, String> {
        let root = from_environment("DPKG_ROOT").unwrap_or_else(|| "/".into());
        let admin = from_environment("DPKG_ADMINDIR").unwrap_or_else(|| root.join("var/lib/dpkg"));
        if !admin.join("status").exists() {
            return Err(format!(
                "this node has no packages of dpkg ({} is not there), which its baseline is for",
                admin.join("status").display()
            ));
        }
        let os_release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
        let product = system::product(&os_release, &NAMES);
        let mut options = Vec::new();
        let sources = system::sources(baseline, &product);
        if !sources.is_empty() {
            let lists = directory.join("sources");
            let failed =
                |error: std::io::Error| format!("the baseline's repositories could not be set up: {error}");
            files::private_directory(&lists).map_err(failed)?;
            files::private_directory(&lists.join("lists/partial")).map_err(failed)?;
            files::private_directory(&lists.join("parts")).map_err(failed)?;
            std::fs::write(lists.join("baseline.list"), sources.join("\n") + "\n").map_err(failed)?;
            let option = |name: &str, path: &str| format!("{name}={}", lists.join(path).display());
            options.extend([
                option("Dir::Etc::SourceList", "baseline.list"),
                option("Dir::Etc::SourceParts", "parts"),
                option("Dir::State::Lists", "lists"),
            ]);
        }
        Ok(Self {
            options,
            admin,
            root,
            product,
        })
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env("LC_ALL", "C")
            .env("DEBIAN_FRONTEND", "noninteractive")
            .env("NEEDRESTART_MODE", "l")
            .stdin(Stdio::null());
        if program.starts_with("apt") {
            for option in &self.options {
                command.args(["-o", option]);
            }
        }
        command
    }

    /// What a program prints; why, when it fails.
    fn output(&self, program: &str, arguments: &[&str]) -> Result<String, String> {
        system::output(self.command(program), arguments)
    }

    /// Runs a program whose output is part of the step's.
    fn run(&self, program: &str, arguments: &[&str]) -> Result<(), String> {
        let status = self
            .command(program)
            .args(arguments)
            .status()
            .map_err(|error| format!("{program} could not be started: {error}"))?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("{program} {} failed ({status})", arguments.join(" ")))
        }
    }

    fn patch(&self, package: &Package, version: &str, policy: Option<&Policy>) -> Patch {
        let sources = policy.and_then(|policy| policy.versions.get(version));
        let sources = sources.map(Vec::as_slice).unwrap_or_default();
        let security = sources
            .iter()
            .find(|(address, suite)| policy::is_security(address, suite));
        let from = security.or_else(|| sources.first());
        Patch {
            name: package.name.clone(),
            version: version.to_owned(),
            arch: package.arch.clone(),
            title: package.summary.clone(),
            product: self.product.clone(),
            section: package.section.clone(),
            priority: package.priority.clone(),
            classification: if security.is_some() {
                "Security".into()
            } else {
                String::new()
            },
            repository: from.map(|(_, suite)| suite.clone()).unwrap_or_default(),
            is_security: security.is_some(),
            ..Patch::default()
        }
    }

    /// By dpkg's own rules; a pinned candidate may be older.
    fn is_newer(&self, version: &str, than: &str) -> bool {
        self.output("dpkg", &["--compare-versions", version, "gt", than])
            .is_ok()
    }

    fn installed_ms(&self, package: &Package) -> Option<i64> {
        let info = self.admin.join("info");
        let names = [package.name.clone(), format!("{}:{}", package.name, package.arch)];
        let found = names
            .iter()
            .find_map(|name| std::fs::metadata(info.join(format!("{name}.list"))).ok())?;
        let since = found.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        i64::try_from(since.as_millis()).ok()
    }

    /// Packages that said that the system has to be started anew for them.
    fn waiting_for_reboot(&self) -> BTreeSet<String> {
        let text = std::fs::read_to_string(self.root.join("run/reboot-required.pkgs")).unwrap_or_default();
        text.lines().map(|line| line.trim().to_owned()).collect()
    }

    fn install_arguments(wanted: &[Patch]) -> Vec<String> {
        let named = wanted
            .iter()
            .map(|patch| format!("{}:{}={}", patch.name, patch.arch, patch.version));
        let mut arguments: Vec<String> = [
            "install",
            "-y",
            "-q",
            "--only-upgrade",
            // What is asked for are updates; nobody approved that anything goes.
            "--no-remove",
            "-o",
            "Dpkg::Options::=--force-confdef",
            "-o",
            "Dpkg::Options::=--force-confold",
            "-o",
            "Dpkg::Use-Pty=0",
            "-o",
            "DPkg::Lock::Timeout=300",
        ]
        .map(str::to_owned)
        .into();
        arguments.extend(named.map(|name| name.replace(":all=", "=")));
        arguments
    }

    /// Everything that installing these would bring, themselves too; nothing when it could not be installed.
    fn would_bring(&self, wanted: &[Patch]) -> Option<Vec<Patch>> {
        let arguments = Self::install_arguments(wanted);
        let mut all = vec!["--simulate"];
        all.extend(arguments.iter().map(String::as_str));
        let text = self.output("apt-get", &all).ok()?;
        let patch = |(name, version, arch)| Patch {
            name,
            version,
            arch,
            ..Patch::default()
        };
        Some(policy::simulated(&text).into_iter().map(patch).collect())
    }
}

impl Manager for Apt {
    /// Somebody else may fetch them at the moment, as the system does by itself: then it is waited for.
    fn update(&self) -> Result<(), String> {
        let until = Instant::now() + LISTS_WITHIN;
        loop {
            let out = self
                .command("apt-get")
                .args(["-q", "-o", "APT::Update::Error-Mode=any", "update"])
                .output()
                .map_err(|error| format!("apt-get could not be started: {error}"))?;
            let (text, errors) = (
                String::from_utf8_lossy(&out.stdout),
                String::from_utf8_lossy(&out.stderr),
            );
            if out.status.success() {
                say(text.trim_end());
                return Ok(());
            }
            if errors.contains("lists/lock") && Instant::now() < until {
                std::thread::sleep(LISTS_AGAIN);
                continue;
            }
            say(text.trim_end());
            return Err(format!(
                "apt-get update failed ({}): {}: without the newest lists nobody knows what is missing",
                out.status,
                errors.trim_end()
            ));
        }
    }

    fn finish_interrupted(&self) {
        say("Some packages are there in part only; finishing them");
        let arguments = ["--force-confdef", "--force-confold", "--configure", "-a"];
        if let Err(error) = self.run("dpkg", &arguments) {
            say(&error);
        }
    }

    fn packages(&self) -> Result<(Vec<Installed>, Vec<Patch>), String> {
        let native = self.output("dpkg", &["--print-architecture"])?;
        let native = native.trim();
        let format = format!("-f={}", DPKG_FORMAT.replace("\\t", "\t").replace("\\n", "\n"));
        let there = policy::packages(&self.output("dpkg-query", &["-W", &format])?);
        let name = |package: &Package| {
            if package.arch == native || package.arch == "all" {
                package.name.clone()
            } else {
                format!("{}:{}", package.name, package.arch)
            }
        };
        let names: Vec<String> = there.iter().map(&name).collect();
        let mut policies = BTreeMap::new();
        for some in names.chunks(1_000) {
            let mut arguments = vec!["policy"];
            arguments.extend(some.iter().map(String::as_str));
            policies.extend(policy::policies(&self.output("apt-cache", &arguments)?));
        }
        let waiting = self.waiting_for_reboot();
        let (mut installed, mut updates) = (Vec::new(), Vec::new());
        for package in &there {
            let policy = policies.get(&name(package));
            installed.push(Installed {
                patch: self.patch(package, &package.version, policy),
                installed_ms: self.installed_ms(package),
                needs_reboot: waiting.contains(&package.name),
                is_broken: package.is_broken,
            });
            let Some(policy) = policy else { continue };
            let candidate = &policy.candidate;
            if candidate == "(none)" || candidate.is_empty() || *candidate == package.version {
                continue;
            }
            if self.is_newer(candidate, &package.version) {
                updates.push(self.patch(package, candidate, Some(policy)));
            }
        }
        Ok((installed, updates))
    }

    fn blocked(&self, baseline: &Baseline, some: &[Patch]) -> Option<String> {
        if baseline.rejected_patches_action != "BLOCK" {
            return None;
        }
        let Some(brings) = self.would_bring(some) else {
            return Some("apt cannot tell what it would bring".into());
        };
        let rejected = brings.iter().find(|patch| {
            let rejected = &baseline.rejected_patches;
            rejected.iter().any(|entry| is_named(entry, patch))
        })?;
        Some(format!(
            "it would bring {}.{}, which the baseline rejects",
            rejected.name, rejected.arch
        ))
    }

    fn install(&self, wanted: &[Patch]) -> bool {
        let arguments = Self::install_arguments(wanted);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        match self.run("apt-get", &arguments) {
            Ok(()) => true,
            Err(error) => {
                say(&error);
                false
            }
        }
    }

    /// From the changelog that came with the package.
    fn told_here(&self, patch: &Patch) -> Option<Told> {
        let folder = self.root.join("usr/share/doc").join(&patch.name);
        let path = ["changelog.Debian.gz", "changelog.gz"]
            .iter()
            .map(|name| folder.join(name))
            .find(|path| path.exists())?;
        let text = self.output("zcat", &[path.to_str()?]).ok()?;
        changelog::read(&text, &patch.version, None)
    }

    /// From the distribution, over the network.
    fn told_of_update(&self, patch: &Patch, patience: &mut Patience) -> Option<Told> {
        if !patience.is_left() {
            return None;
        }
        let named = format!("{}={}", patch.name, patch.version);
        let arguments = [
            "-qq",
            "-o",
            "Acquire::http::Timeout=5",
            "-o",
            "Acquire::Retries=0",
            "changelog",
            &named,
        ];
        let text = self.output("apt-get", &arguments);
        patience.note(text.is_ok());
        let older = self
            .output("dpkg-query", &["-W", "-f=${Version}\\n", &patch.name])
            .ok()
            // Several architectures of a package are of one version.
            .and_then(|text| text.lines().next().map(str::to_owned));
        changelog::read(&text.ok()?, &patch.version, older.as_deref())
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
        assert_eq!(product("ID=debian\nVERSION_ID=\"12\"\n"), "Debian12");
        assert_eq!(product("VERSION_ID=\"22.04\"\nID=ubuntu\n"), "Ubuntu22.04");
        assert_eq!(product("ID=\"rocky\"\nVERSION_ID=\"9.3\"\n"), "rocky9.3");
    }
}
