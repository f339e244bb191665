//! The heavy half of building the site: wasm-bindgen as a library, and compression. Built only with the
//! feature `bundle`, in a process that [`crate::site`] starts.

mod compress;

use crate::args::Args;
use crate::failure::{Doing, Failure, Outcome};
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

/// `muster.wasm` and `muster.js`: the names for which Leptos asks.
fn wasm_and_script(wasm: &Path, out: &Path) -> Outcome {
    let mut bindgen = Bindgen::new();
    bindgen.input_path(wasm).typescript(false).out_name("muster");
    bindgen
        .web(true)
        .doing(|| "choose the output for browsers".to_owned())?;
    bindgen
        .generate(out)
        .map_err(|error| Failure::new(format!("wasm-bindgen: {error:#}")))?;
    std::fs::rename(out.join("muster_bg.wasm"), out.join("muster.wasm")).doing(|| "name the wasm".to_owned())
}
