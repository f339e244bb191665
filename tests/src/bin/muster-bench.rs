//! All benchmarks: `cargo xtask bench [fleet|first-output|agents|api|selection|terminals|audit|approvals|wasm]`. Each starts the built program
//! with data of its own, measures, prints a table, and leaves nothing behind.

#![expect(
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a benchmark prints its figures"
)]

#[path = "../../benches/mod.rs"]
mod benches;

fn main() -> std::process::ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            println!("no runtime: {error}");
            return std::process::ExitCode::FAILURE;
        }
    };
    // What terminals are measured against is started as a process of its own.
    let done = if wanted == ["plain-server"] {
        runtime.block_on(benches::plain::serve())
    } else {
        runtime.block_on(benches::run(&wanted))
    };
    match done {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            println!("failed: {error}");
            std::process::ExitCode::FAILURE
        }
    }
}
