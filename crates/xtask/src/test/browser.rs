//! The browser suite: the built program, driven by a real Chromium. What is tested is in `tests/e2e`.

use crate::debian;
use crate::demo;
use crate::failure::{Failure, Outcome};
use crate::process::{find, own_program, program, run_watching};
use crate::program::site_environment;
use crate::say;
use crate::test::home::Home;
use crate::test::tally::Tally;
use crate::workshop::Workshop;
use crate::{npm, process};
use std::path::{Path, PathBuf};

/// The browser, from wherever.
pub(crate) fn chromium() -> Option<PathBuf> {
    let named = std::env::var_os("MUSTER_TEST_CHROMIUM")
        .map(PathBuf::from)
        .filter(|file| process::is_program(file));
    named.or_else(|| {
        ["chromium", "chromium-browser", "google-chrome-stable"]
            .into_iter()
            .find_map(find)
    })
}

/// Runs the specs whose name holds `filter`, and adds what they say to the tally.
pub(crate) fn run(
    workshop: &Workshop,
    muster: &Path,
    site: &Path,
    filter: Option<&str>,
    home: &Home,
    tally: &mut Tally,
) -> Outcome {
    debian::ensure(&[debian::CHROMIUM, debian::NODE, debian::NPM])?;
    npm::browser_tests(workshop)?;
    let chromium = chromium().ok_or_else(|| Failure::new("no Chromium on PATH"))?;
    let xtask = own_program().map_err(|error| Failure::new(format!("xtask's own program: {error}")))?;
    let demo_nodes = match demo::obstacle() {
        None => 2,
        Some(obstacle) => {
            say::note(&format!("the suite runs with one node, because {obstacle}"));
            0
        }
    };
    let sim = ["build", "--package", "muster-tests", "--bin", "muster-sim"];
    process::run(&mut workshop.cargo(sim), "building simulated nodes")?;
    let mut node = program("node", ["tests/e2e/run.mjs"]);
    node.current_dir(&workshop.root)
        .args(filter)
        .env("MUSTER_TEST_PROGRAM", muster)
        .env("MUSTER_TEST_CHROMIUM", chromium)
        .env("MUSTER_TEST_SIM", workshop.target.join("debug/muster-sim"))
        .env("MUSTER_TEST_XTASK", xtask)
        .env("MUSTER_TEST_DEMO_NODES", demo_nodes.to_string())
        .envs(site_environment(site));
    home.tell(&mut node);
    let before = tally.failed;
    let outcome = run_watching(&mut node, "the browser suite", |line| tally.count(line));
    if outcome.is_err() && tally.failed == before {
        // It did not come as far as counting.
        tally.failed += 1;
    }
    outcome
}
