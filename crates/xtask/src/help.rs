//! What `--help` says. Written to be read from top to bottom by somebody who sees Muster for the first time.

pub(crate) const OVERVIEW: &str = "\
cargo xtask COMMAND: everything one does with a checkout of Muster

  run          Build what changed and start the portal on http://127.0.0.1:3000
  test         Set up what the tests need and run all of them
  test-env     Run one command with what the tests need set up around it
  build        Build the server and the pages, without starting anything
  fmt          Format the sources
  ci           Formatting, lints, house rules and the tests that need nothing but Rust
  bench        Measure, in release builds
  tidy         Check the house rules
  wasm-deps    Check that nothing of the server reaches the browser
  wasm-target  Make the compiler able to build for the browser (others do it by themselves)
  demo-nodes   Start and end demo nodes for a portal that runs already

What is missing on the machine is installed when it is needed and may be installed; else the one command
that has to be run is printed. `cargo xtask COMMAND --help` explains a command.

Builds go to ~/.cache/muster/target-<version of rustc>, so that a fresh clone builds in minutes;
CARGO_TARGET_DIR chooses another place. What the browser downloads goes to target/site.";

/// The text for one command.
pub(crate) fn of(name: &str) -> Option<&'static str> {
    let text = match name {
        "run" => RUN,
        "test" => TEST,
        "test-env" => TEST_ENV,
        "build" => BUILD,
        "fmt" => FMT,
        "ci" => CI,
        "bench" => BENCH,
        "tidy" => TIDY,
        "wasm-deps" => WASM_DEPS,
        "wasm-target" => WASM_TARGET,
        "demo-nodes" => DEMO_NODES,
        _ => return None,
    };
    Some(text)
}

const RUN: &str = "\
cargo xtask run [--release] [--demo-nodes N] [-- FLAGS OF muster serve]

Builds server and pages, as far as they changed, and starts `muster serve` in the checkout. At the very
first start it prints a link with which to create the first administrator. Ctrl-C ends everything.

  --release       Optimised and compressed, as for production (the first build takes much longer)
  --demo-nodes N  Adds N nodes (at most 50) that are systems of their own on this machine: own files,
                  processes, host name and network, over a small Debian that is made once. Needs root;
                  where it is not permitted, the portal starts with this machine as its only node.

The first build takes about twelve minutes on two cores, later ones seconds.

Examples
  cargo xtask run
  cargo xtask run --demo-nodes 3
  cargo xtask run -- --addr 127.0.0.1:8080 --data-dir /tmp/muster";

const TEST: &str = "\
cargo xtask test [FILTER] [--release] [--skip-lints] [--skip-browser | --only-browser]

Runs, in this order: format, house rules, what reaches the browser, clippy, the build, all tests in Rust
(database tests on SQLite and on a throw-away PostgreSQL), and the browser suite in a real Chromium.
Tests have a home of their own, and write to /dev/shm where 6 GiB are free there, unless TMPDIR is set.
Installs what is missing: Debian's postgresql, chromium, nodejs, npm and python3-venv (as root also
mmdebstrap and iproute2, for demo nodes), a Python environment with the aws command, npm packages.

  FILTER          Only tests and browser specs whose name holds this; leaves out the lints
  --release       Tests the program and the site that `build --release` makes
  --skip-lints    Leaves out format, house rules and clippy
  --skip-browser  Leaves out the browser suite
  --only-browser  Runs nothing else

What failed is told once more at the end, and the last line counts: `N passed, N failed`.
About half an hour on two cores the first time, then minutes.

Tests find what was set up in the environment: MUSTER_TEST_POSTGRES_URL, MUSTER_TEST_PYTHON,
MUSTER_TEST_AWS, MUSTER_TEST_SSM_SESSION, MUSTER_TEST_PROGRAM (the built program);
MUSTER_TEST_CHROMIUM chooses a browser.";

const TEST_ENV: &str = "\
cargo xtask test-env -- COMMAND …

Starts a throw-away PostgreSQL, makes the Python environment with the aws command, and runs COMMAND with the
MUSTER_TEST_* variables of `cargo xtask test`. Everything is gone when the command ends.

Example
  cargo xtask test-env -- cargo test -p muster-store";

const BUILD: &str = "\
cargo xtask build [--release]

Builds the program (target/bin/debug/muster, or release) and the site (target/site): wasm with its script,
styles as one file, fonts, and whatever is in frontend/public. With --release the wasm is optimised for
size, and every file has compressed twins (.br, .gz) beside it.

To start the program by hand, tell it where the site is:
  LEPTOS_SITE_ROOT=target/site LEPTOS_OUTPUT_NAME=muster target/bin/debug/muster serve";

const FMT: &str = "\
cargo xtask fmt [--check]

Formats all Rust sources; with --check only says what is not formatted, and fails then.";

const CI: &str = "\
cargo xtask ci

Format, house rules, clippy (warnings are errors) on both halves, what reaches the browser, and the tests
in Rust without PostgreSQL and without a browser. What the real CI runs is `cargo xtask test`.";

const BENCH: &str = "\
cargo xtask bench [NAME] [FLAGS]

Builds everything for release and runs the benchmarks, or the one called NAME. Without a NAME the program
lists what it can measure. Figures are kept in docs/benchmarks.md.";

const TIDY: &str = "\
cargo xtask tidy

Checks what no compiler does: every Rust file says in its first lines what it is for and has at most 600
lines (over 400 is a warning); no `#[allow]`, no `todo!`; `<textarea` and `inner_html` only in the
components that escape, no inert elements; every package shares the workspace's lints; both databases
have the same migrations; the README names the two commands.";

const WASM_DEPS: &str = "\
cargo xtask wasm-deps

Looks through the dependency tree of the browser's half and fails when it holds a crate of the server
(tokio, sqlx, axum, hyper, aws-*, tower, rustls, ring).";

const WASM_TARGET: &str = "\
cargo xtask wasm-target

Makes sure that the compiler can build for wasm32-unknown-unknown. In this order: it already can; a
toolchain called debian-web was made before; `rustup target add`; Debian's package rustc-web, whose
standard library is built for wasm32 once (a minute) and which rustup then knows as debian-web.";

const DEMO_NODES: &str = "\
cargo xtask demo-nodes network | up | down | list

Demo nodes by hand, as `cargo xtask run --demo-nodes` makes them by itself. Needs root.

  network  Clears what earlier nodes left and makes the bridge; prints this machine's address on it
  up       Starts nodes that stay until `down`. They register with the portal by activations
             --nodes N          how many (2)
             --program FILE     the muster program (the last one built)
             --data-dir FOLDER  the portal's data directory (data)
             --endpoint URL     where agents connect (http://10.213.77.1:4580)
  down     Ends all nodes and removes bridge, namespaces and files
  list     Says which are running; logs are in /run/muster-demo/<node>/log

Example
  cargo xtask demo-nodes network
  cargo xtask run -- --ssm-extra-addr 10.213.77.1:4580      (in another terminal)
  cargo xtask demo-nodes up --nodes 3
  cargo xtask demo-nodes down";

#[cfg(test)]
mod tests {
    #[test]
    fn every_command_in_the_overview_has_its_text() {
        let mut seen = 0;
        for line in super::OVERVIEW.lines().filter(|line| line.starts_with("  ")) {
            let name = line.split_whitespace().next().unwrap();
            assert!(
                super::of(name).is_some_and(|text| text.contains(&format!("cargo xtask {name}"))),
                "{name}"
            );
            seen += 1;
        }
        assert_eq!(seen, 11);
    }
}
