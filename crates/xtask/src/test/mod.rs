//! `cargo xtask test`: sets up what the tests need, runs all of them, and cleans up whatever happens.

pub(crate) mod browser;
mod home;
pub(crate) mod postgres;
pub(crate) mod python;
mod scratch;
mod tally;

use crate::args::Args;
use crate::failure::{Failure, Outcome};
use crate::process::{run, run_watching};
use crate::workshop::Workshop;
use crate::{chores, debian, npm, program, say, site};
use home::Home;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;
use tally::Tally;

/// What to leave out, said by flags.
struct Choice {
    filter: Option<String>,
    lints: bool,
    cargo: bool,
    browser: bool,
    /// The site and the program of the browser suite as for production.
    release: bool,
}

pub(crate) fn test(mut args: Args) -> Outcome {
    let only_browser = args.flag("--only-browser");
    let skip_browser = args.flag("--skip-browser");
    let skip_lints = args.flag("--skip-lints");
    let release = args.flag("--release");
    let filter = args.word();
    args.finish()?;
    if only_browser && skip_browser {
        return Err(Failure::usage(
            "--only-browser and --skip-browser leave nothing to do",
        ));
    }
    // Somebody who asks for one test does not want to wait for the lints.
    let lints = !only_browser && !skip_lints && filter.is_none();
    let choice = Choice {
        filter,
        lints,
        cargo: !only_browser,
        browser: !skip_browser,
        release,
    };
    let start = Instant::now();
    let mut tally = Tally::default();
    let mut failures = Vec::new();
    let ended = steps(&choice, &mut tally, &mut failures);
    if let Err(failure) = ended {
        if failure.exit_code() == 130 {
            return Err(failure);
        }
        failures.push(failure.to_string());
    }
    // Once more, at the end: the lines before it may be thousands.
    for failure in tally.failing().iter().chain(&failures) {
        say::failure(failure);
    }
    // A step that failed before it counted anything is one failure.
    let failed = tally.failed.max(failures.len() as u64);
    say::step(&format!("All of it took {} s", start.elapsed().as_secs()));
    if tally.ignored > 0 {
        say::note(&format!(
            "{} tests are marked as ignored in the sources",
            tally.ignored
        ));
    }
    say::plain(&format!("{} passed, {failed} failed", tally.passed));
    if failed > 0 {
        Err(Failure::new("the tests failed"))
    } else {
        Ok(())
    }
}

/// Goes on after tests that fail, so that one run tells everything; stops where going on is pointless.
fn steps(choice: &Choice, tally: &mut Tally, failures: &mut Vec<String>) -> Outcome {
    let workshop = Workshop::find()?;
    let mut needs = vec![debian::NODE, debian::NPM];
    if choice.cargo {
        needs.extend([debian::POSTGRESQL, debian::PYTHON]);
        needs.extend([debian::DNF, debian::RPM, debian::CREATEREPO]);
    }
    if choice.browser {
        needs.push(debian::CHROMIUM);
    }
    // Demo nodes need root anyway, so only root needs what they are made with.
    if debian::is_root() && choice.browser {
        needs.extend([debian::MMDEBSTRAP, debian::IPROUTE]);
    }
    debian::ensure(&needs)?;
    if choice.lints {
        collect(chores::lints(&workshop), failures)?;
    }
    let site = site::build(&workshop, choice.release)?;
    let muster = if choice.release {
        program::build(&workshop, true)?
    } else {
        // With the tools of the tests in one go: most of it is then built with the features it has in tests.
        say::step("Building the server and its tools");
        let args = [
            "build",
            "--workspace",
            "--exclude",
            "muster-frontend",
            "--exclude",
            "xtask",
            "--bins",
        ];
        run(&mut workshop.cargo(args), "building the server")?;
        program::keep(&workshop, false)?
    };
    let home = Home::make()?;
    if choice.cargo {
        let services = Services::start(&workshop)?;
        say::step("Tests");
        let mut cargo = cargo_test(&workshop, choice.filter.as_deref());
        services.tell(&mut cargo);
        home.tell(&mut cargo);
        cargo.env("MUSTER_TEST_PROGRAM", &muster);
        if !choice.release {
            cargo.env("MUSTER_TEST_AGENT", workshop.target.join("debug/muster-agent"));
        }
        program::with_site(&mut cargo, &site);
        collect(
            run_watching(&mut cargo, "cargo test", |line| tally.count(line)),
            failures,
        )?;
    }
    if choice.browser {
        say::step("Browser suite");
        collect(
            browser::run(&workshop, &muster, &site, choice.filter.as_deref(), &home, tally),
            failures,
        )?;
    }
    Ok(())
}

/// What tests in Rust need beside the sources. Gone, as far as it runs, with this value.
struct Services {
    postgres: postgres::Postgres,
    python: python::Python,
    session_client: PathBuf,
}

impl Services {
    fn start(workshop: &Workshop) -> Outcome<Self> {
        let python = python::ensure(workshop)?;
        let session_client = npm::session_client(workshop)?;
        say::step("Starting a throw-away PostgreSQL");
        let postgres = postgres::Postgres::start(postgres::Durability::None)?;
        Ok(Self {
            postgres,
            python,
            session_client,
        })
    }

    /// Tests find the services in their environment.
    fn tell(&self, command: &mut Command) {
        command.env("MUSTER_TEST_POSTGRES_URL", &self.postgres.url);
        command.env("MUSTER_TEST_PYTHON", &self.python.python);
        command.env("MUSTER_TEST_AWS", &self.python.aws);
        command.env("MUSTER_TEST_SSM_SESSION", &self.session_client);
    }
}

/// `cargo xtask test-env -- COMMAND …`: the services for one command of the developer's own.
pub(crate) fn environment(args: Args) -> Outcome {
    let words = args.finish()?;
    let Some((name, rest)) = words.split_first() else {
        return Err(Failure::usage(
            "test-env needs a command: cargo xtask test-env -- cargo test -p muster-store",
        ));
    };
    let workshop = Workshop::find()?;
    debian::ensure(&[debian::POSTGRESQL, debian::PYTHON])?;
    let services = Services::start(&workshop)?;
    let mut command = crate::process::program(name, rest);
    services.tell(command.env("CARGO_TARGET_DIR", &workshop.target));
    let built = workshop.root.join("target/bin/debug/muster");
    if built.is_file() {
        command.env("MUSTER_TEST_PROGRAM", built);
    }
    run(program::with_site(&mut command, &workshop.site()), name)
}

/// All tests in Rust. The frontend is left out: with it in one build, the server would get its features.
pub(crate) fn cargo_test(workshop: &Workshop, filter: Option<&str>) -> Command {
    let mut cargo = workshop.cargo([
        "test",
        "--workspace",
        "--exclude",
        "muster-frontend",
        "--no-fail-fast",
    ]);
    cargo.args(filter);
    cargo
}

fn collect(outcome: Outcome, failures: &mut Vec<String>) -> Outcome {
    match outcome {
        Err(failure) if failure.exit_code() != 130 => failures.push(failure.to_string()),
        other => return other,
    }
    Ok(())
}
