//! The short ones: build, fmt, ci.

use crate::args::Args;
use crate::failure::Outcome;
use crate::process::run;
use crate::workshop::Workshop;
use crate::{program, say, site, test, tidy, wasm_deps, wasm_target};

/// Server and site.
pub(crate) fn build(mut args: Args) -> Outcome {
    let release = args.flag("--release");
    args.finish()?;
    let workshop = Workshop::find()?;
    let site = site::build(&workshop, release)?;
    let muster = program::build(&workshop, release)?;
    say::step("Built");
    say::note(&format!("program: {}", workshop.short(&muster)));
    say::note(&format!("site:    {}", workshop.short(&site)));
    Ok(())
}

/// Formats, or says what is not formatted.
pub(crate) fn fmt(mut args: Args) -> Outcome {
    let check = args.flag("--check");
    args.finish()?;
    format(&Workshop::find()?, check)
}

fn format(workshop: &Workshop, check: bool) -> Outcome {
    let mut cargo = workshop.cargo(["fmt", "--all"]);
    if check {
        cargo.arg("--check");
    }
    run(
        &mut cargo,
        if check {
            "the format check (`cargo xtask fmt` repairs it)"
        } else {
            "cargo fmt"
        },
    )
}

/// Everything that needs nothing but Rust.
pub(crate) fn ci(args: Args) -> Outcome {
    args.finish()?;
    let workshop = Workshop::find()?;
    lints(&workshop)?;
    say::step("Tests on SQLite");
    run(&mut test::cargo_test(&workshop, None), "cargo test")
}

/// Format, clippy on both halves, tidy, and what reaches the browser.
pub(crate) fn lints(workshop: &Workshop) -> Outcome {
    say::step("Format");
    format(workshop, true)?;
    say::step("House rules");
    tidy::check_and_report(&workshop.root)?;
    say::step("What reaches the browser");
    wasm_deps::check(workshop)?;
    say::step("Clippy on the server's half");
    let server = [
        "clippy",
        "--workspace",
        "--exclude",
        "muster-frontend",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ];
    run(&mut workshop.cargo(server), "clippy")?;
    say::step("Clippy on the browser's half");
    let toolchain = wasm_target::ensure()?;
    let browser = [
        "clippy",
        "--package",
        "muster-frontend",
        "--target",
        wasm_target::TARGET,
        "--",
    ];
    let mut cargo = toolchain.cargo(workshop, browser)?;
    // Another version of clippy warns of other things; those are for whoever has it.
    if toolchain.is_active() {
        cargo.args(["-D", "warnings"]);
    }
    run(&mut cargo, "clippy for the browser")
}
