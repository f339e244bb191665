//! Measurements: starts the benchmark program, always built for release.

use crate::args::Args;
use crate::failure::{Failure, Outcome};
use crate::process::run;
use crate::test::postgres::{Durability, Postgres};
use crate::test::python;
use crate::workshop::Workshop;
use crate::{program, say, site};

/// Where the program of all benchmarks is.
const SOURCES: [&str; 2] = [
    "tests/src/bin/muster-bench.rs",
    "tests/src/bin/muster-bench/main.rs",
];

pub(crate) fn bench(args: Args) -> Outcome {
    let workshop = Workshop::find()?;
    let words = args.rest();
    if !SOURCES.iter().any(|source| workshop.root.join(source).is_file()) {
        return Err(Failure::new(format!(
            "there are no benchmarks yet: {} does not exist",
            SOURCES[0]
        )));
    }
    say::step("Building for release: figures of anything else mean nothing (minutes, the first time)");
    let site = site::build(&workshop, true)?;
    let muster = program::build(&workshop, true)?;
    say::step("Starting a throw-away PostgreSQL, as durable as a real one");
    let postgres = Postgres::start(Durability::Real)?;
    let moto = if words.is_empty() || words.iter().any(|word| word == "api") {
        Some(python::ensure_moto(&workshop)?)
    } else {
        None
    };
    let mut cargo = workshop.cargo([
        "run",
        "--release",
        "--package",
        "muster-tests",
        "--bin",
        "muster-bench",
        "--",
    ]);
    cargo
        .args(words)
        .env("MUSTER_TEST_PROGRAM", muster)
        .env("MUSTER_TEST_POSTGRES_URL", &postgres.url);
    if let Some(moto) = moto {
        cargo.env("MUSTER_TEST_MOTO", moto);
    }
    run(program::with_site(&mut cargo, &site), "the benchmark")
}
