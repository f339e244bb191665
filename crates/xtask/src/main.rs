//! `cargo xtask`: everything one does with this checkout. The work is in the library; see `--help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    xtask::main(std::env::args().skip(1).collect())
}
