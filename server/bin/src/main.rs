//! The command line of Muster.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
