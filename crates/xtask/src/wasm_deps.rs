//! Proves that nothing of the server reaches the browser: looks through the wasm half's dependency tree.

use crate::args::Args;
use crate::failure::{Failure, Outcome};
use crate::process::read;
use crate::say;
use crate::wasm_target::TARGET;
use crate::workshop::Workshop;

/// Crates that must not be in the tree; a name that ends in `-` stands for all that begin so.
const FORBIDDEN: [&str; 13] = [
    "tokio", "tokio-", "sqlx", "sqlx-", "axum", "axum-", "hyper", "hyper-", "aws-", "tower", "tower-",
    "rustls", "ring",
];

pub(crate) fn command(args: Args) -> Outcome {
    args.finish()?;
    check(&Workshop::find()?)
}

/// Fails when the tree holds a crate that only a server can use.
pub(crate) fn check(workshop: &Workshop) -> Outcome {
    let args = [
        "tree",
        "--package",
        "muster-frontend",
        "--target",
        TARGET,
        "--edges",
        "normal",
        "--prefix",
        "none",
    ];
    let tree = read(&mut workshop.cargo(args))
        .ok_or_else(|| Failure::new(format!("`cargo {}` does not work", args.join(" "))))?;
    let found = forbidden_in(&tree);
    if found.is_empty() {
        let crates: std::collections::BTreeSet<&str> = tree
            .lines()
            .filter_map(|line| line.split_whitespace().next())
            .collect();
        say::note(&format!(
            "{} crates reach the browser, none of them a server's",
            crates.len()
        ));
        return Ok(());
    }
    Err(Failure::new(format!(
        "these crates of the server reach the browser: {}; \
         `cargo tree -p muster-frontend --target {TARGET} -e normal -i <crate>` shows through whom",
        found.join(", ")
    )))
}

fn forbidden_in(tree: &str) -> Vec<&str> {
    let names = tree.lines().filter_map(|line| line.split_whitespace().next());
    // `tower-service` is one trait, without code: routers for the browser name it too.
    let mut found: Vec<&str> = names
        .filter(|name| *name != "tower-service")
        .filter(|name| {
            FORBIDDEN.iter().any(|bad| {
                if bad.ends_with('-') {
                    name.starts_with(bad)
                } else {
                    name == bad
                }
            })
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_the_servers_crates_are_found() {
        let tree = "muster-frontend v0.1.0 (/x)\nleptos v0.8.23\ntokio-util v0.7\nspring v1\nring v0.17 (*)\nring v0.17\n";
        assert_eq!(super::forbidden_in(tree), ["ring", "tokio-util"]);
    }
}
