//! What the browser downloads: wasm, its script, the styles and fonts, put together in one directory.
//! The heavy part, wasm-bindgen and compression, is in `bundle`, in a process of its own.

pub(crate) mod packs;

use crate::debian;
use crate::failure::{Doing, Failure, Outcome, make_dir};
use crate::npm;
use crate::process::{program, run, run_quietly};
use crate::say;
use crate::wasm_target::{self, TARGET};
use crate::workshop::Workshop;
use std::path::{Path, PathBuf};

/// Browsers from 2023 on: what nested rules and the like are translated for.
const STYLES_FOR: &str = "--target=chrome111,firefox114,safari16.4";
/// Builds all of it into the checkout's site directory, which it gives back.
pub(crate) fn build(workshop: &Workshop, release: bool) -> Outcome<PathBuf> {
    // Asked for first: where nothing may be installed, the answer comes at once.
    debian::ensure(&[debian::NODE, debian::NPM])?;
    let toolchain = wasm_target::ensure()?;
    let modules = npm::frontend(workshop)?;
    let profile = if release { "wasm-release" } else { "wasm-dev" };
    say::step(&format!(
        "Building the pages for the browser ({profile}; the first time about four minutes)"
    ));
    let args = [
        "build",
        "--package",
        "muster-frontend",
        "--lib",
        "--target",
        TARGET,
        "--profile",
        profile,
    ];
    run(&mut toolchain.cargo(workshop, args)?, "building the pages")?;
    let wasm = toolchain
        .target_dir(workshop)?
        .join(TARGET)
        .join(profile)
        .join("muster_frontend.wasm");

    let site = workshop.site();
    // Built beside and moved into place, so that nobody is served half of it.
    let fresh = site.join("pkg.new");
    let _ = std::fs::remove_dir_all(&fresh);
    make_dir(&fresh)?;
    say::step("Putting the site together");
    bundle(
        workshop,
        &["wasm", &wasm.display().to_string(), &fresh.display().to_string()],
    )?;
    packs::drop_the_empty(&fresh)?;
    if release {
        optimise(workshop, &fresh)?;
    }
    packs::pack(&fresh)?;
    styles(workshop, &modules, &fresh.join("muster.css"))?;
    terminal(workshop, &modules, &fresh.join("terminal.js"))?;
    public_files(workshop, &modules, &site)?;
    let version = version(&fresh)?;
    if release {
        bundle(workshop, &["compress", &fresh.display().to_string()])?;
    }
    say::note(&format!("{}: {}", workshop.short(&site), sizes(&fresh)));
    let pkg = site.join("pkg");
    let _ = std::fs::remove_dir_all(&pkg);
    make_dir(&pkg)?;
    let goal = pkg.join(&version);
    std::fs::rename(&fresh, &goal).doing(|| format!("move {} into place", goal.display()))?;
    crate::failure::write(&site.join("version.txt"), version)?;
    Ok(site)
}

/// Starts xtask again with the feature that holds the heavy part.
fn bundle(workshop: &Workshop, words: &[&str]) -> Outcome {
    let mut cargo = workshop.cargo([
        "run",
        "--quiet",
        "--package",
        "xtask",
        "--features",
        "bundle",
        "--",
        "bundle",
    ]);
    run(cargo.args(words), "packing the site")
}

/// npm's binaryen, never Debian's: version 108 there makes modules that die when they start.
fn optimise(workshop: &Workshop, folder: &Path) -> Outcome {
    say::note("optimising the wasm for size (a minute or two)");
    let mut wasm = files(folder)?;
    wasm.retain(|file| file.extension().is_some_and(|ending| ending == "wasm"));
    let script = workshop.root.join("frontend/optimise.mjs");
    // One process for each processor, with every so many-th file: the large ones are spread over all.
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    wasm.sort_by_key(|file| std::fs::metadata(file).map(|meta| meta.len()).unwrap_or_default());
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..workers)
            .map(|worker| {
                let mut node = program("node", [&script]);
                node.args(wasm.iter().skip(worker).step_by(workers));
                scope.spawn(move || run_quietly(&mut node, "optimising the wasm"))
            })
            .collect();
        all.into_iter().try_for_each(|worker| {
            worker.join().unwrap_or_else(|_| {
                Err(Failure::new(
                    "optimising the wasm: a thread of this program has ended",
                ))
            })
        })
    })
}

/// Sorted by name.
fn files(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .doing(|| format!("read {}", folder.display()))?
        .flatten()
        .map(|entry| entry.path())
        .collect();
    files.sort();
    Ok(files)
}

/// All style sheets as one, without what only people read.
fn styles(workshop: &Workshop, modules: &Path, out: &Path) -> Outcome {
    let main = workshop.root.join("style/main.css");
    if !main.is_file() {
        return Err(Failure::new(format!(
            "{} is missing: all style sheets are named there",
            main.display()
        )));
    }
    let mut esbuild = program(
        modules.join(".bin/esbuild"),
        ["--bundle", "--minify", "--log-level=warning"],
    );
    esbuild.args(["--external:/fonts/*", "--external:/*.svg", STYLES_FOR]);
    run_quietly(
        esbuild.arg(&main).arg(format!("--outfile={}", out.display())),
        "bundling the styles",
    )
}

/// xterm.js with its add-ons as one module beside `terminal.css`: both are fetched only where a terminal is shown.
fn terminal(workshop: &Workshop, modules: &Path, out: &Path) -> Outcome {
    let source = workshop.root.join("frontend/terminal");
    let mut esbuild = program(
        modules.join(".bin/esbuild"),
        [
            "--bundle",
            "--minify",
            "--format=esm",
            "--log-level=warning",
            STYLES_FOR,
        ],
    );
    esbuild.arg(source.join("index.js"));
    // Whatever speaks of the document means the one that is made there.
    esbuild.arg(format!("--inject:{}", source.join("document.js").display()));
    esbuild.arg("--define:window.document=document");
    run_quietly(
        esbuild.arg(format!("--outfile={}", out.display())),
        "bundling the terminal",
    )
}

/// Fonts and `frontend/public`, under the site's root.
fn public_files(workshop: &Workshop, modules: &Path, site: &Path) -> Outcome {
    let fonts = site.join("fonts");
    make_dir(&fonts)?;
    for (from, to) in [
        ("inter/files/inter-latin-wght-normal.woff2", "inter.woff2"),
        (
            "jetbrains-mono/files/jetbrains-mono-latin-wght-normal.woff2",
            "jetbrains-mono.woff2",
        ),
        // Their licence wants to go where they go.
        ("inter/LICENSE", "inter-license.txt"),
        ("jetbrains-mono/LICENSE", "jetbrains-mono-license.txt"),
    ] {
        let from = modules.join("@fontsource-variable").join(from);
        std::fs::copy(&from, fonts.join(to)).doing(|| format!("copy {}", from.display()))?;
    }
    let public = workshop.root.join("frontend/public");
    if public.is_dir() {
        copy_all(&public, site)
    } else {
        Ok(())
    }
}

fn copy_all(from: &Path, to: &Path) -> Outcome {
    make_dir(to)?;
    for entry in std::fs::read_dir(from)
        .doing(|| format!("read {}", from.display()))?
        .flatten()
    {
        let (source, goal) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy_all(&source, &goal)?;
        } else {
            std::fs::copy(&source, &goal).doing(|| format!("copy {}", source.display()))?;
        }
    }
    Ok(())
}

/// A digest of all files: they lie in a folder of this name, under which they may be cached for good. One name
/// for all, because script and parts of one build name each other, and never fit those of another.
fn version(folder: &Path) -> Outcome<String> {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    for file in files(folder)? {
        file.file_name().hash(&mut hasher);
        std::fs::read(&file)
            .doing(|| format!("read {}", file.display()))?
            .hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

fn sizes(pkg: &Path) -> String {
    let kib = |name: &str| {
        std::fs::metadata(pkg.join(name))
            .map(|meta| meta.len() / 1024)
            .ok()
    };
    let said = |name: &str| {
        let packed = kib(&format!("{name}.br"))
            .map(|kib| format!(" ({kib} KiB brotli)"))
            .unwrap_or_default();
        format!("{name} {} KiB{packed}", kib(name).unwrap_or_default())
    };
    let mut parts: Vec<String> = ["muster.wasm", "muster.js", "muster.css", "terminal.js"]
        .map(said)
        .into();
    for file in files(pkg).unwrap_or_default() {
        let name = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if name.ends_with(".wasm") && name != "muster.wasm" {
            parts.push(said(&name));
        }
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_folders_name_follows_what_is_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let fill = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).unwrap();
            super::version(folder.path()).unwrap()
        };
        let one = fill("muster.js", "one");
        let two = fill("muster.js", "two");
        let with_part = fill("part.wasm", "part");
        assert_ne!(one, two);
        assert_ne!(two, with_part);
        std::fs::remove_file(folder.path().join("part.wasm")).unwrap();
        assert_eq!(fill("muster.js", "one"), one);
    }
}
