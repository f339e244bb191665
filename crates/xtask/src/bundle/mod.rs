//! The heavy half of building the site: splitting the wasm, wasm-bindgen as a library, and compression. Built only with the
//! feature `bundle`, in a process that [`crate::site`] starts.

mod compress;

use crate::args::Args;
use crate::failure::{Doing, Failure, Outcome};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use wasm_bindgen_cli_support::Bindgen;

pub(crate) fn command(mut args: Args) -> Outcome {
    match (args.word().as_deref(), args.word(), args.word()) {
        (Some("wasm"), Some(wasm), Some(out)) => wasm_and_script(Path::new(&wasm), Path::new(&out)),
        (Some("compress"), Some(folder), None) => compress::all(Path::new(&folder)),
        _ => Err(Failure::usage(
            "bundle wasm FILE FOLDER, or bundle compress FOLDER",
        )),
    }
}

/// `muster.wasm` and `muster.js`, the names for which Leptos asks, and one more wasm file for each part of the
/// pages that is fetched when it is wanted (`#[lazy]`), with the script that fetches them.
fn wasm_and_script(wasm: &Path, out: &Path) -> Outcome {
    let whole = std::fs::read(wasm).doing(|| format!("read {}", wasm.display()))?;
    let main = out.join("main.wasm");
    let mut options = wasm_split_cli_support::Options::new(&whole);
    options.output_dir = out;
    options.main_out_path = &main;
    options.main_module = "./muster.js";
    let link = format!("./{}", crate::site::packs::LINK);
    options.link_name = &link;
    let split = wasm_split_cli_support::transform(options)
        .map_err(|error| Failure::new(format!("splitting the wasm: {error:#}")))?;
    let needed = serde_json::to_string_pretty(&sorted(&split.prefetch_map))
        .doing(|| "write down which file needs which".to_owned())?;
    crate::failure::write(&out.join("__wasm_split_manifest.json"), needed)?;

    let mut bindgen = Bindgen::new();
    // The parts find each other by the linker's names.
    bindgen.keep_lld_exports(true).demangle(false);
    bindgen.input_path(&main).typescript(false).out_name("muster");
    bindgen
        .web(true)
        .doing(|| "choose the output for browsers".to_owned())?;
    bindgen
        .generate(out)
        .map_err(|error| Failure::new(format!("wasm-bindgen: {error:#}")))?;
    std::fs::remove_file(&main).doing(|| "remove what wasm-bindgen has read".to_owned())?;
    std::fs::rename(out.join("muster_bg.wasm"), out.join("muster.wasm")).doing(|| "name the wasm".to_owned())
}

/// The same build gives the same file.
fn sorted(map: &HashMap<String, Vec<String>>) -> BTreeMap<&String, &Vec<String>> {
    map.iter().collect()
}
