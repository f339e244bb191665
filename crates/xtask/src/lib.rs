//! The chores of the checkout: run, build, test, measure, tidy. Not part of the product: nothing here
//! ends up on a server or a node.

mod args;
mod bench;
#[cfg(feature = "bundle")]
mod bundle;
mod chores;
mod debian;
mod demo;
mod failure;
mod help;
mod npm;
mod process;
mod program;
mod run;
mod say;
mod signals;
mod site;
mod test;
pub mod tidy;
mod wasm_deps;
mod wasm_target;
mod workshop;

use args::Args;
use failure::{Failure, Outcome};
use std::process::ExitCode;

/// Runs one subcommand and turns its outcome into an exit code: 0 done, 1 failed, 2 wrong usage.
#[must_use]
pub fn main(words: Vec<String>) -> ExitCode {
    if let Err(failure) = signals::listen() {
        say::failure(&failure.to_string());
        return ExitCode::FAILURE;
    }
    match dispatch(words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            say::failure(&failure.to_string());
            ExitCode::from(failure.exit_code())
        }
    }
}

fn dispatch(words: Vec<String>) -> Outcome {
    let mut words = words.into_iter();
    let Some(name) = words.next() else {
        say::plain(help::OVERVIEW);
        return Ok(());
    };
    let rest: Vec<String> = words.collect();
    if matches!(name.as_str(), "help" | "--help" | "-h") {
        say::plain(rest.first().and_then(|of| help::of(of)).unwrap_or(help::OVERVIEW));
        return Ok(());
    }
    // What stands after `--` belongs to the program that is started, its `--help` too.
    let mut own = rest.iter().take_while(|word| *word != "--");
    let asks = own.any(|word| word == "--help" || word == "-h");
    if let Some(text) = help::of(&name).filter(|_| asks) {
        say::plain(text);
        return Ok(());
    }
    let args = Args::new(rest);
    match name.as_str() {
        "run" => run::run(args),
        "build" => chores::build(args),
        "fmt" => chores::fmt(args),
        "ci" => chores::ci(args),
        "test" => test::test(args),
        "test-env" => test::environment(args),
        "bench" => bench::bench(args),
        "tidy" => tidy::command(args),
        "wasm-deps" => wasm_deps::command(args),
        "demo-nodes" => demo::command(args),
        "wasm-target" => wasm_target::command(args),
        "bundle" => pack(args),
        other => Err(Failure::usage(format!(
            "there is no `cargo xtask {other}`; `cargo xtask help` lists all"
        ))),
    }
}

/// The heavy half of [`site::build`], in a process of its own that is built with the feature.
#[cfg(feature = "bundle")]
fn pack(args: Args) -> Outcome {
    bundle::command(args)
}

#[cfg(not(feature = "bundle"))]
fn pack(_args: Args) -> Outcome {
    Err(Failure::new(
        "this xtask was built without the feature `bundle`; `cargo xtask build` starts one that has it",
    ))
}
