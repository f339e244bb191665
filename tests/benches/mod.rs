//! The list of benchmarks, and the one that needs nothing but files.

mod agents;
mod api;
mod approvals;
mod audit;
mod automation;
mod first_output;
mod fleet;
mod peer;
pub(crate) mod plain;
mod selection;
mod shellinabox;
mod terminals;

use muster_tests::portal::Fallible;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Runs those that are named, or all.
///
/// # Errors
/// The first thing that goes wrong.
pub(crate) async fn run(wanted: &[String]) -> Fallible<()> {
    let all = [
        "fleet",
        "first-output",
        "agents",
        "api",
        "selection",
        "terminals",
        "audit",
        "approvals",
        "automation",
        "wasm",
    ];
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
            "api" => api::run().await?,
            "selection" => selection::run().await?,
            "terminals" => terminals::run().await?,
            "audit" => audit::run().await?,
            "approvals" => approvals::run().await?,
            "automation" => automation::run().await?,
            _ => wasm()?,
        }
    }
    Ok(())
}

/// What a browser downloads: the first file, and with it the parts of each feature's pages.
fn wasm() -> Fallible<()> {
    let root = PathBuf::from(std::env::var("LEPTOS_SITE_ROOT")?);
    let version = std::fs::read_to_string(root.join("version.txt"))?;
    let folder = root.join("pkg").join(version.trim());
    let sizes = |file: &str| -> Fallible<[f64; 2]> {
        let kib = |ending: &str| -> Fallible<f64> {
            Ok(std::fs::metadata(folder.join(format!("{file}.wasm{ending}")))?.len() as f64 / 1024.0)
        };
        Ok([kib("")?, kib(".br")?])
    };
    let [raw, brotli] = sizes("muster")?;
    println!("first file: {raw:.0} KiB raw, {brotli:.0} KiB brotli");
    let manifest = std::fs::read_to_string(folder.join("__wasm_split_manifest.json"))?;
    let parts: BTreeMap<String, Vec<String>> = serde_json::from_str(&manifest)?;
    let mut all = BTreeMap::from([("muster".to_owned(), [raw, brotli])]);
    for (part, needed) in &parts {
        let mut sum = [raw, brotli];
        for file in needed {
            let [part_raw, part_brotli] = sizes(file)?;
            sum = [sum[0] + part_raw, sum[1] + part_brotli];
            all.insert(file.clone(), [part_raw, part_brotli]);
        }
        let name = part.rsplit_once('_').map_or(part.as_str(), |(name, _)| name);
        println!(
            "first visit, {name}: {:.0} KiB raw, {:.0} KiB brotli",
            sum[0], sum[1]
        );
    }
    let sum = |which: usize| all.values().map(|sizes| sizes[which]).sum::<f64>();
    println!("everything: {:.0} KiB raw, {:.0} KiB brotli", sum(0), sum(1));
    Ok(())
}
