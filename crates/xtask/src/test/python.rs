//! The Python environment with the real `aws` command and boto3, which speak to the embedded endpoint in
//! tests. Kept in the user's cache, one for each content of `tests/python/requirements.txt`.

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

pub(crate) fn ensure(workshop: &Workshop) -> Outcome<Python> {
    debian::ensure(&[debian::PYTHON])?;
    let list = workshop.root.join("tests/python/requirements.txt");
    let mut hasher = DefaultHasher::new();
    read(&list)?.hash(&mut hasher);
    let folder = workshop.cache.join(format!("python-{:016x}", hasher.finish()));
    let found = Python {
        python: folder.join("bin/python"),
        aws: folder.join("bin/aws"),
    };
    let stamp = folder.join(".complete");
    if stamp.is_file() {
        return Ok(found);
    }
    say::step("Fetching the aws command and boto3 from PyPI (half a minute)");
    let _ = std::fs::remove_dir_all(&folder);
    make_dir(&workshop.cache)?;
    run_quietly(program("python3", ["-m", "venv"]).arg(&folder), "python3 -m venv")?;
    let mut pip = program(
        &found.python,
        [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
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
    // `aws` finds its modules through the environment's path, which is now what it stays.
    let version = program(&found.aws, ["--version"])
        .output()
        .doing(|| "run the aws command".to_owned())?;
    if !version.status.success() {
        return Err(Failure::new("the aws command that pip installed does not run"));
    }
    write(&stamp, "")?;
    Ok(found)
}
