//! Patching this node: `aws:runPatchBaseline`. A process of its own, started by the worker like a script, so that time
//! limits, cancelling and output are the same; what it finds it leaves beside its output as inventory, which the agent
//! delivers. It holds the node against the baseline that came with the command, and with `Install` it installs what is
//! missing, by the system's own package manager.

mod advisories;
mod apt;
mod changelog;
mod dnf;
mod manager;
pub(crate) mod overrides;
mod policy;
pub(crate) mod request;
mod summary;
mod system;

use crate::error::AgentError;
use crate::files;
use crate::reboot;
use manager::Manager;
use muster_domain::time::Clock;
use muster_patching::{Assessment, Baseline, Installed, Patch, Update, assess, choose};
use request::Request;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::Path;

/// What a step leaves for the agent to deliver.
pub(crate) const INVENTORY_FILE: &str = "inventory.json";
/// What is to be done.
pub(crate) const REQUEST_FILE: &str = "patch-request.json";

/// How many times this command has rebooted the node already.
pub(crate) const REBOOTS_VARIABLE: &str = "MUSTER_REBOOTS";

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The node is what was asked for.
    Done,
    /// Something could not be installed.
    Incomplete,
    /// The node is to be rebooted, and looked at again then.
    Reboot,
}

/// Something that people read in the step's output.
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    // Nobody reads it any more: then nobody misses it.
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// Patches as the request in `directory` says.
pub(crate) fn run(directory: &Path, clock: &dyn Clock) -> Result<Outcome, AgentError> {
    let path = directory.join(REQUEST_FILE);
    let mut request: Request = files::read_json(&path)
        .map_err(AgentError::file("reading", &path))?
        .ok_or_else(|| AgentError::Worker(format!("{} holds no request", directory.display())))?;
    let started = clock.now();
    overrides::put_baseline(directory, &mut request).map_err(AgentError::Worker)?;
    let list = overrides::install_list(directory, &request).map_err(AgentError::Worker)?;
    let mut meant = request.baseline.clone();
    if list.is_some() {
        // Whoever lists what is to be installed means it.
        meant.rejected_patches.clear();
    }
    let manager = manager::of(directory, &meant).map_err(AgentError::Worker)?;
    let manager = manager.as_ref();
    say(&format!(
        "Operation {}, baseline {} ({}), snapshot {}, patch group {}",
        request.operation,
        request.baseline_id,
        request.baseline.name,
        request.snapshot_id,
        if request.patch_group.is_empty() {
            "none"
        } else {
            &request.patch_group
        },
    ));
    manager.update().map_err(AgentError::Worker)?;
    let mut node = Node::look(manager)?;
    let mut failed = BTreeSet::new();
    let mut found = node.against(&request, &failed, clock);
    let wanted = match &list {
        Some(list) => {
            let there = node.installed.iter().map(|there| &there.patch);
            for entry in list.unmatched(node.updates.iter().chain(there)) {
                say(&format!("InstallOverrideList: nothing here is {entry}"));
            }
            list.choose(&node.updates)
        }
        None => found.to_install.clone(),
    };
    if request.operation == request::INSTALL && !wanted.is_empty() {
        if node.is_broken() {
            manager.finish_interrupted();
        }
        say(&format!("Installing {} updates", wanted.len()));
        install(manager, &meant, &wanted);
        node = Node::look(manager)?;
        failed = node.still_older(&wanted);
        found = node.against(&request, &failed, clock);
    }
    tell(&found);
    node.add_details(manager, &mut found);
    let available = node.available(&request, clock);
    let items = summary::inventory(&request, &found, &available, started, clock.now());
    let path = directory.join(INVENTORY_FILE);
    files::write_json(&path, &items).map_err(AgentError::file("writing", &path))?;
    let waits = found.counts.installed_pending_reboot_count > 0 || node.waits_for_reboot(&wanted);
    if waits && request.operation == request::INSTALL {
        match may_reboot(&request) {
            Ok(()) => {
                say("Rebooting this node for what was installed");
                return Ok(Outcome::Reboot);
            }
            Err(why) => say(&format!(
                "This node has to be rebooted for what was installed, and is not: {why}"
            )),
        }
    }
    if failed.is_empty() && (request.operation != request::INSTALL || !node.is_broken()) {
        Ok(Outcome::Done)
    } else {
        Ok(Outcome::Incomplete)
    }
}

/// Why the node is not rebooted.
fn may_reboot(request: &Request) -> Result<(), String> {
    let reboots = std::env::var(REBOOTS_VARIABLE).unwrap_or_default();
    if request.reboot_option == "NoReboot" {
        Err("its RebootOption is NoReboot".to_owned())
    } else if let Some(obstacle) = reboot::way(std::env::var_os(reboot::COMMAND_VARIABLE)).obstacle() {
        Err(obstacle)
    } else if reboots.parse::<u32>().is_ok_and(|count| count > 0) {
        Err("this step has rebooted it already".to_owned())
    } else {
        Ok(())
    }
}

/// What a node has and could have.
struct Node {
    installed: Vec<Installed>,
    updates: Vec<Patch>,
}

impl Node {
    fn look(manager: &dyn Manager) -> Result<Self, AgentError> {
        let (installed, updates) = manager.packages().map_err(AgentError::Worker)?;
        Ok(Self { installed, updates })
    }

    fn against(&self, request: &Request, failed: &BTreeSet<String>, clock: &dyn Clock) -> Assessment {
        let now = clock.now().0;
        let updates: Vec<Update> = choose(&request.baseline, &self.updates, now)
            .into_iter()
            .map(|patch| Update {
                patch: patch.clone(),
                has_failed: failed.contains(&title(patch)),
            })
            .collect();
        assess(&request.baseline, &self.installed, &updates, now)
    }

    /// Whether a package is there in part only.
    fn is_broken(&self) -> bool {
        self.installed.iter().any(|there| there.is_broken)
    }

    /// Those of the wanted updates that are still to be had.
    fn still_older(&self, wanted: &[Patch]) -> BTreeSet<String> {
        let there: BTreeSet<String> = self.updates.iter().map(title).collect();
        wanted
            .iter()
            .map(title)
            .filter(|title| there.contains(title))
            .collect()
    }

    /// Updates that are to be had, whatever the baseline says of them: of each package the newest, and the one that is meant.
    fn available(&self, request: &Request, clock: &dyn Clock) -> Vec<Patch> {
        let meant: BTreeSet<String> = choose(&request.baseline, &self.updates, clock.now().0)
            .into_iter()
            .map(title)
            .collect();
        let newest: BTreeMap<String, String> = self
            .updates
            .iter()
            .map(|patch| (key(patch), title(patch)))
            .collect();
        let is_told =
            |patch: &&Patch| meant.contains(&title(patch)) || newest.get(&key(patch)) == Some(&title(patch));
        self.updates.iter().filter(is_told).cloned().collect()
    }

    /// Whether one of those that were installed now waits for a reboot, approved or not.
    fn waits_for_reboot(&self, wanted: &[Patch]) -> bool {
        let wanted: BTreeSet<String> = wanted.iter().map(key).collect();
        self.installed
            .iter()
            .any(|there| there.needs_reboot && wanted.contains(&key(&there.patch)))
    }

    /// What changelogs say of security updates: how urgent they are and what they mend.
    fn add_details(&self, manager: &dyn Manager, found: &mut Assessment) {
        let mut patience = changelog::Patience::default();
        for item in &mut found.items {
            let newer = self.updates.iter().find(|patch| title(patch) == item.title);
            let there = self.installed.iter().map(|there| &there.patch);
            let told = match newer {
                Some(patch) if patch.is_security => manager.told_of_update(patch, &mut patience),
                Some(_) => None,
                None => there
                    .clone()
                    .find(|patch| patch.is_security && title(patch) == item.title)
                    .and_then(|patch| manager.told_here(patch)),
            };
            if let Some(told) = told {
                item.severity = told.urgency;
                item.cve_ids = told.cve_ids;
            }
        }
    }
}

/// One package of one architecture.
fn key(patch: &Patch) -> String {
    format!("{}.{}", patch.name, patch.arch)
}

fn title(patch: &Patch) -> String {
    format!("{}.{}:{}", patch.name, patch.arch, patch.version)
}

/// Installs all at once, and when that does not work one by one, so that one broken package does not keep the others.
fn install(manager: &dyn Manager, baseline: &Baseline, wanted: &[Patch]) {
    let whole = manager.blocked(baseline, wanted);
    if whole.is_none() && manager.install(wanted) {
        return;
    }
    if wanted.len() == 1 && whole.is_none() {
        // It was just tried.
        return;
    }
    say("Not all of them could be installed together; trying them one by one");
    for one in wanted {
        let alone = std::slice::from_ref(one);
        match manager.blocked(baseline, alone) {
            Some(why) => say(&format!("{} is left out: {why}", key(one))),
            None => {
                manager.install(alone);
            }
        }
    }
}

fn tell(found: &Assessment) {
    let counts = &found.counts;
    say(&format!(
        "Installed {}, installed other {}, pending reboot {}, rejected {}, missing {}, failed {}, available security updates {}",
        counts.installed_count,
        counts.installed_other_count,
        counts.installed_pending_reboot_count,
        counts.installed_rejected_count,
        counts.missing_count,
        counts.failed_count,
        counts.available_security_update_count,
    ));
    let needs = found.items.iter().filter(|item| item.state.is_bad());
    for item in needs.take(200) {
        say(&format!("{:<26} {}", item.state.as_str(), item.title));
    }
}
