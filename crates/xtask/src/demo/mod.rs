//! Demo nodes: systems of their own on this machine, each with its own root, process table, host name and
//! network, over one small Debian. For `cargo xtask run --demo-nodes`, and for tests through
//! `cargo xtask demo-nodes`.

mod activation;
mod network;
mod node;
mod records;
mod system;

pub(crate) use network::ENDPOINT_ADDRESS;

use crate::args::Args;
use crate::debian;
use crate::failure::{Failure, Outcome};
use crate::process::{program, succeeds};
use crate::workshop::Workshop;
use crate::{program as muster_program, say};
use std::path::{Path, PathBuf};

/// More than this is no demo any more, and the addresses end.
pub(crate) const MOST: u32 = 50;

/// What the nodes need to know.
pub(crate) struct Plan {
    /// The built program; its `agent` runs in each node.
    pub(crate) program: PathBuf,
    /// The portal's data directory: activations are made there, and nodes keep their identity beside it.
    pub(crate) data_dir: PathBuf,
    /// Where agents connect.
    pub(crate) endpoint: String,
    pub(crate) count: u32,
}

/// The bridge and the system are there; dropping this takes down everything.
pub(crate) struct Ground {
    system: PathBuf,
    /// Whether the nodes go when this value does.
    is_temporary: bool,
}

impl Drop for Ground {
    fn drop(&mut self) {
        if self.is_temporary {
            say::step("Taking the demo nodes down");
            take_down();
        }
    }
}

/// Why there can be no separate systems here, or nothing.
pub(crate) fn obstacle() -> Option<String> {
    if !debian::is_root() {
        return Some(
            "demo nodes need namespaces, and those need root (`sudo -E env \"PATH=$PATH\" cargo xtask …`)"
                .into(),
        );
    }
    let words = [
        "--mount", "--uts", "--net", "--pid", "--fork", "mount", "-t", "tmpfs", "none", "/mnt",
    ];
    if !succeeds(&mut program("unshare", words)) {
        return Some(
            "this machine does not let even root make namespaces (a container without the right?)".into(),
        );
    }
    None
}

/// Clears what an earlier run left, makes the system and the bridge; none where that is not permitted.
pub(crate) fn prepare(workshop: &Workshop) -> Outcome<Option<Ground>> {
    if let Some(obstacle) = obstacle() {
        say::note(&format!(
            "Going on with this machine as the only node: {obstacle}"
        ));
        return Ok(None);
    }
    let ground = lay_ground(workshop, Some(std::process::id()));
    match ground {
        Ok(system) => Ok(Some(Ground {
            system,
            is_temporary: true,
        })),
        Err(failure) if failure.exit_code() == 130 => Err(failure),
        Err(failure) => {
            say::failure(&format!("no demo nodes: {failure}"));
            say::note("Going on with this machine as the only node");
            take_down();
            Ok(None)
        }
    }
}

/// Makes the nodes and connects them. They go with the ground.
pub(crate) fn start(ground: &Ground, plan: &Plan) -> Outcome {
    say::step(&format!("Starting {} demo nodes", plan.count));
    for number in 1..=plan.count {
        let started = node::start(&ground.system, plan, number)?;
        say::note(&format!(
            "{} at {} ({})",
            started.name,
            started.address,
            started.tags.join(", ")
        ));
    }
    Ok(())
}

fn lay_ground(workshop: &Workshop, owner: Option<u32>) -> Outcome<PathBuf> {
    debian::ensure(&[debian::MMDEBSTRAP, debian::IPROUTE])?;
    records::refuse_if_in_use()?;
    take_down();
    let system = system::ensure(&workshop.cache)?;
    records::begin(owner)?;
    network::bridge_up()?;
    Ok(system)
}

/// Ends every node and removes what they left: also what an earlier run left when it was killed.
fn take_down() {
    records::end_processes();
    network::down();
    records::clear();
}

/// `cargo xtask demo-nodes network|up|down|list`.
pub(crate) fn command(mut args: Args) -> Outcome {
    let Some(verb) = args.word() else {
        say::plain(crate::help::of("demo-nodes").unwrap_or_default());
        return Ok(());
    };
    let workshop = Workshop::find()?;
    match verb.as_str() {
        "down" => {
            args.finish()?;
            if debian::is_root() {
                take_down()
            } else {
                return Err(not_root());
            }
            Ok(())
        }
        "list" => {
            args.finish()?;
            for line in records::processes() {
                say::plain(&line.to_string());
            }
            Ok(())
        }
        "network" => {
            args.finish()?;
            if let Some(obstacle) = obstacle() {
                return Err(Failure::new(obstacle));
            }
            lay_ground(&workshop, None).map(|_| say::plain(network::HOST))
        }
        "up" => up(args, &workshop),
        other => Err(Failure::usage(format!(
            "demo-nodes knows network, up, down and list, not `{other}`"
        ))),
    }
}

/// Nodes that stay until `down`, for a portal that somebody else started.
fn up(mut args: Args, workshop: &Workshop) -> Outcome {
    let count = args.number("--nodes", 1, MOST)?.unwrap_or(2);
    let program = args.value("--program")?.map(PathBuf::from);
    let data_dir = args
        .value("--data-dir")?
        .map_or_else(|| workshop.root.join("data"), PathBuf::from);
    let endpoint = args
        .value("--endpoint")?
        .unwrap_or_else(|| format!("http://{ENDPOINT_ADDRESS}"));
    args.finish()?;
    if !debian::is_root() {
        return Err(not_root());
    }
    let program = match program {
        Some(program) => program,
        None => muster_program::keep(workshop, false)?,
    };
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let plan = Plan {
        program: absolute(&program),
        data_dir: absolute(&data_dir),
        endpoint,
        count,
    };
    if !network::is_up() {
        return Err(Failure::new(format!(
            "first `cargo xtask demo-nodes network`, then start the portal with `--ssm-extra-addr {ENDPOINT_ADDRESS}`"
        )));
    }
    start(
        &Ground {
            system: system::ensure(&workshop.cache)?,
            is_temporary: false,
        },
        &plan,
    )
}

fn not_root() -> Failure {
    Failure::new("demo nodes need root: run the same with `sudo -E env \"PATH=$PATH\" …`")
}
