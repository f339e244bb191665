//! The command line of Muster.

mod cli;

use std::process::ExitCode;

/// The system's allocator makes all cores wait for each other while pages are rendered.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::main()
}
