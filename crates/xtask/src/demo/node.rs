//! One demo node: its namespaces, its directory, its first process (`node_init.sh`).

use super::{Plan, activation, network, records};
use crate::failure::{Doing, Failure, Outcome, make_dir, write};
use crate::process::program;
use std::fs::File;
use std::path::Path;

const INIT: &str = include_str!("node_init.sh");

/// What to tell about a node that was started.
pub(super) struct Started {
    pub(super) name: String,
    pub(super) address: String,
    pub(super) tags: Vec<String>,
}

/// Starts node `number` over `system`. It keeps its identity beside the portal's data, so that the same
/// demo nodes come back at the next start instead of new ones beside the old.
pub(super) fn start(system: &Path, plan: &Plan, number: u32) -> Outcome<Started> {
    let name = format!("demo-{number}");
    let state = plan.data_dir.join("demo-nodes").join(&name);
    make_dir(&state)?;
    let tags = activation::tags(number);
    let folder = records::folder_of(&name);
    make_dir(&folder)?;
    let init = folder.join("init.sh");
    write(&init, INIT)?;
    // Overlays cannot lie on overlays, and `/run` is small: the node's own files go to the temporary
    // directory, in a place that is removed with the record.
    let scratch = records::scratch_of(&name)?;
    network::plug_in(number)?;

    let log = File::create(folder.join("log")).doing(|| "write the node's log".to_owned())?;
    let twin = log.try_clone().doing(|| "share a log file".to_owned())?;
    let mut node = program("ip", ["netns", "exec", &network::namespace(number)]);
    node.args([
        "unshare",
        "--mount",
        "--uts",
        "--ipc",
        "--pid",
        "--fork",
        "--kill-child",
        "sh",
    ])
    .arg(&init);
    node.current_dir("/").stdout(log).stderr(twin);
    node.env("NODE", &scratch)
        .env("LOWER", system)
        .env("STATE", &state)
        .env("PROGRAM", &plan.program);
    node.env("NAME", &name).env("ENDPOINT", &plan.endpoint);
    if !state.join("identity.json").is_file() {
        let activation = activation::create(plan, &tags)?;
        node.env("ACTIVATION_ID", activation.id)
            .env("MUSTER_ACTIVATION_CODE", activation.code);
        node.env("REGION", activation.region);
    }
    let child = node.spawn().doing(|| format!("start {name}"))?;
    records::add(&name, child.id())
        .map_err(|failure| Failure::new(format!("{failure}; its log is {}", folder.join("log").display())))?;
    Ok(Started {
        name,
        address: network::address(number),
        tags,
    })
}
