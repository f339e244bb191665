//! The list of benchmarks, and the one that needs nothing but files.

mod agents;
mod audit;
mod first_output;
mod fleet;

use muster_tests::portal::Fallible;

/// Runs those that are named, or all.
///
/// # Errors
/// The first thing that goes wrong.
pub(crate) async fn run(wanted: &[String]) -> Fallible<()> {
    let all = ["fleet", "first-output", "agents", "audit", "wasm"];
    if let Some(unknown) = wanted.iter().find(|name| !all.contains(&name.as_str())) {
        return Err(format!("there is no benchmark {unknown}: choose of {}", all.join(", ")).into());
    }
    for name in all {
        if !wanted.is_empty() && !wanted.iter().any(|wanted| wanted == name) {
            continue;
        }
        println!("\n== {name}");
        match name {
            "fleet" => fleet::run().await?,
            "first-output" => first_output::run().await?,
            "agents" => agents::run().await?,
            "audit" => audit::run().await?,
            _ => wasm()?,
        }
    }
    Ok(())
}

/// The size of what a browser downloads first.
fn wasm() -> Fallible<()> {
    let root = std::env::var("LEPTOS_SITE_ROOT")?;
    for (name, file) in [
        ("raw", "pkg/muster.wasm"),
        ("brotli", "pkg/muster.wasm.br"),
        ("gzip", "pkg/muster.wasm.gz"),
    ] {
        let size = std::fs::metadata(std::path::Path::new(&root).join(file)).map(|meta| meta.len());
        match size {
            Ok(size) => println!("wasm {name}: {:.1} KiB", size as f64 / 1024.0),
            Err(error) => println!("wasm {name}: {error} ({file})"),
        }
    }
    Ok(())
}
