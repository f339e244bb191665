//! Python environments: one with the real `aws` command and boto3, which speak to the embedded endpoint in tests, and one
//! with the emulator that it is measured beside. Kept in the user's cache, one for each content of their lists.

use crate::debian;
use crate::failure::{Doing, Failure, Outcome, make_dir, read, write};
use crate::process::{program, run_quietly};
use crate::say;
use crate::workshop::Workshop;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;

/// Where its programs are.
pub(crate) struct Python {
    pub(crate) python: PathBuf,
    pub(crate) aws: PathBuf,
}

/// The environment that tests use.
pub(crate) fn ensure(workshop: &Workshop) -> Outcome<Python> {
    let what = "the aws command, boto3 and clients of sessions from PyPI (half a minute)";
    let folder = environment(
        workshop,
        "tests/python/requirements.txt",
        ["aws", "--version"],
        what,
    )?;
    Ok(Python {
        python: folder.join("bin/python"),
        aws: folder.join("bin/aws"),
    })
}

/// `moto_server`, which the API is measured beside.
pub(crate) fn ensure_moto(workshop: &Workshop) -> Outcome<PathBuf> {
    let what = "the emulator to measure beside, from PyPI (a minute)";
    let folder = environment(
        workshop,
        "tests/python/bench-requirements.txt",
        ["moto_server", "--help"],
        what,
    )?;
    Ok(folder.join("bin/moto_server"))
}

/// An environment with what a list names, in which that command runs.
fn environment(
    workshop: &Workshop,
    list: &str,
    [command, question]: [&str; 2],
    what: &str,
) -> Outcome<PathBuf> {
    debian::ensure(&[debian::PYTHON])?;
    let list = workshop.root.join(list);
    let mut hasher = DefaultHasher::new();
    read(&list)?.hash(&mut hasher);
    let folder = workshop.cache.join(format!("python-{:016x}", hasher.finish()));
    let stamp = folder.join(".complete");
    if stamp.is_file() {
        return Ok(folder);
    }
    say::step(&format!("Fetching {what}"));
    let _ = std::fs::remove_dir_all(&folder);
    make_dir(&workshop.cache)?;
    run_quietly(program("python3", ["-m", "venv"]).arg(&folder), "python3 -m venv")?;
    let mut pip = program(
        folder.join("bin/python"),
        [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            // Every version is named; one of the packages wants a newer Python than Debian 12 has, and does not need it.
            "--ignore-requires-python",
            "-r",
        ],
    );
    run_quietly(pip.arg(&list), "pip install").map_err(|failure| match failure.exit_code() {
        130 => failure,
        _ => Failure::new(format!(
            "{failure}\n\nWith a network there, this has to work first: python3 -m pip download -r {}",
            workshop.short(&list)
        )),
    })?;
    // Programs find their modules through the environment's path, which is now what it stays.
    let version = program(folder.join("bin").join(command), [question])
        .output()
        .doing(|| format!("run {command}"))?;
    if !version.status.success() {
        return Err(Failure::new(format!(
            "the {command} that pip installed does not run"
        )));
    }
    write(&stamp, "")?;
    Ok(folder)
}
