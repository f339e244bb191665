//! The compiler for the browser's half: finds a toolchain with the wasm32 target, or makes one.
//!
//! Order: the active toolchain has it; a toolchain made here before; `rustup target add`; Debian's
//! `rustc-web`, whose sources of the standard library are built for wasm32 once.

use crate::debian;
use crate::failure::{Doing, Failure, Outcome, make_dir, write};
use crate::process::{find, is_program, own_program, program, read, run, run_quietly, succeeds};
use crate::say;
use crate::workshop::Workshop;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the browser runs.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";
/// Under this name rustup knows Debian's compiler.
const LINKED: &str = "debian-web";
const PACKAGES: [&str; 5] = [
    "rustc-web",
    "cargo-web",
    "rust-web-src",
    "rust-web-llvm",
    "rust-web-clippy",
];
/// Compiled to see whether a toolchain really has the target: it needs the standard library and a linker.
const SAMPLE: &str = "use std::collections::HashMap;\n\
    #[unsafe(no_mangle)] pub extern \"C\" fn f(a: u32) -> u32 { HashMap::from([(a, a)]).len() as u32 }\n";

/// A toolchain that can build for the browser.
pub(crate) struct WasmToolchain {
    /// What rustup calls it; none: the one that is active anyway.
    name: Option<String>,
    /// Without rustup, the directory of its programs.
    programs: Option<PathBuf>,
}

impl WasmToolchain {
    /// Whether it is the one that the developer chose, so that its opinion on style is wanted.
    pub(crate) fn is_active(&self) -> bool {
        self.name.is_none() && self.programs.is_none()
    }

    /// Where it builds. Not where the server is built: with one directory for both, each build would
    /// throw away what the other made.
    pub(crate) fn target_dir(&self, workshop: &Workshop) -> Outcome<PathBuf> {
        let target = match &self.name {
            None => workshop.target.clone(),
            name => crate::workshop::target(&workshop.cache, name.as_deref())?,
        };
        Ok(target.join("front"))
    }

    /// Cargo of this toolchain.
    pub(crate) fn cargo<const N: usize>(&self, workshop: &Workshop, args: [&str; N]) -> Outcome<Command> {
        let mut command = workshop.cargo(args);
        command.env("CARGO_TARGET_DIR", self.target_dir(workshop)?);
        if let Some(name) = &self.name {
            command.env("RUSTUP_TOOLCHAIN", name);
        }
        if let Some(folder) = &self.programs {
            let old = std::env::var_os("PATH").unwrap_or_default();
            let path = std::iter::once(folder.clone()).chain(std::env::split_paths(&old));
            command.env(
                "PATH",
                std::env::join_paths(path).doing(|| "extend PATH".to_owned())?,
            );
        }
        Ok(command)
    }
}

/// `cargo xtask wasm-target`: only this, for those who have to run it as root.
pub(crate) fn command(args: crate::args::Args) -> Outcome {
    args.finish()?;
    let toolchain = ensure()?;
    say::note(&format!(
        "{TARGET}: {}",
        toolchain.name.as_deref().unwrap_or("the active toolchain has it")
    ));
    Ok(())
}

/// Finds one, or makes one.
pub(crate) fn ensure() -> Outcome<WasmToolchain> {
    let active = WasmToolchain {
        name: None,
        programs: None,
    };
    if has_library("rustc", None) {
        return Ok(active);
    }
    let linked = || WasmToolchain {
        name: Some(LINKED.to_owned()),
        programs: None,
    };
    let rustup = find("rustup").is_some();
    if rustup && has_library("rustc", Some(LINKED)) {
        return Ok(linked());
    }
    say::step(&format!(
        "The compiler has no {TARGET} target, which the pages' half in the browser needs"
    ));
    let add = format!("rustup target add {TARGET}");
    if rustup {
        say::note(&format!("trying `{add}` (20 MB, seconds)"));
        // A closed network may drop packets silently: then rustup would try for many minutes.
        let mut command = program("timeout", ["90", "rustup", "target", "add", TARGET]);
        match run_quietly(&mut command, &add) {
            Ok(()) if compiles("rustc") => return Ok(active),
            Err(failure) if failure.exit_code() == 130 => return Err(failure),
            _ => say::note("rustup cannot download it here; Debian's compiler for it will do"),
        }
    }
    say::note("Debian's rustc-web: 130 MB to download, 800 MB on disk, then a minute to build its library");
    from_debian().map_err(|failure| match failure.exit_code() {
        130 => failure,
        _ if rustup => Failure::new(format!(
            "{failure}\nOr, on a network where rustup works:\n\n    {add}\n"
        )),
        _ => failure,
    })?;
    if rustup {
        run(
            &mut program("rustup", ["toolchain", "link", LINKED, "/usr"]),
            "rustup toolchain link",
        )?;
        return Ok(linked());
    }
    Ok(WasmToolchain {
        name: None,
        programs: Some(PathBuf::from("/usr/bin")),
    })
}

/// Installs Debian's compiler and builds the standard library for wasm32 into it.
fn from_debian() -> Outcome {
    let rustc = "/usr/bin/rustc";
    let missing: Vec<&str> = PACKAGES
        .into_iter()
        .filter(|package| !installed(package))
        .collect();
    let is_there = missing.is_empty() && has_library(rustc, None);
    if !is_there && !debian::is_root() {
        let xtask = own_program().doing(|| "find xtask's own program".to_owned())?;
        return Err(Failure::new(format!(
            "Debian's compiler for wasm32 needs root once, to install it and to build its library into /usr; \
             run this one command, then start again:\n\n    sudo -E env \"PATH=$PATH\" {} wasm-target\n",
            xtask.display()
        )));
    }
    if !missing.is_empty() {
        debian::install(&missing)?;
    }
    // `rust-lld` is a link to the linker of the LLVM that this compiler was built with, in a package of its own.
    if let Ok(linker) = std::fs::read_link("/usr/bin/rust-lld") {
        let linker = linker
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if find(&linker).is_none() {
            debian::install(&[&linker])?;
        }
    }
    let version =
        read(&mut program(rustc, ["-V"])).ok_or_else(|| Failure::new(format!("{rustc} does not run")))?;
    let library =
        library_of(rustc, None).ok_or_else(|| Failure::new(format!("{rustc} does not know {TARGET}")))?;
    let stamp = library.join(".built-for");
    if std::fs::read_to_string(&stamp).is_ok_and(|built| built == version) && compiles(rustc) {
        return Ok(());
    }
    say::note(&format!(
        "building the standard library of {version} for {TARGET} (once, about a minute)"
    ));
    let work = std::env::temp_dir().join(format!("muster-wasm-library-{}", std::process::id()));
    make_dir(&work)?;
    let built = build_library(&work, &library);
    let _ = std::fs::remove_dir_all(&work);
    built?;
    write(&stamp, &version)?;
    if compiles(rustc) {
        Ok(())
    } else {
        Err(Failure::new(format!("{rustc} still cannot compile for {TARGET}")))
    }
}

/// Compiles an empty crate with `build-std` and keeps the libraries that this needed.
fn build_library(work: &Path, library: &Path) -> Outcome {
    write(
        &work.join("Cargo.toml"),
        "[package]\nname = \"stub\"\nversion = \"0.0.0\"\nedition = \"2021\"\n[lib]\npath = \"lib.rs\"\n[workspace]\n",
    )?;
    write(&work.join("lib.rs"), "#![no_std]\n")?;
    let args = [
        "build",
        "-Zbuild-std=std,panic_abort,panic_unwind,test",
        "--release",
        "--target",
        TARGET,
    ];
    let mut cargo = program("/usr/bin/cargo", args);
    cargo
        .current_dir(work)
        .env("CARGO_TARGET_DIR", work.join("target"));
    // The unstable option is all that is wanted of this; bitcode so that release builds can optimise across.
    cargo
        .env("RUSTC", "/usr/bin/rustc")
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_ENCODED_RUSTFLAGS", "-Cembed-bitcode=yes");
    for name in [
        "RUSTUP_TOOLCHAIN",
        "CARGO_BUILD_TARGET",
        "RUSTFLAGS",
        "RUSTC_WRAPPER",
    ] {
        cargo.env_remove(name);
    }
    run_quietly(&mut cargo, "building the standard library for wasm32")?;
    make_dir(library)?;
    let built = work.join("target").join(TARGET).join("release/deps");
    for entry in std::fs::read_dir(&built)
        .doing(|| format!("read {}", built.display()))?
        .flatten()
    {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".rlib") && !name.starts_with("libstub-") {
            std::fs::copy(entry.path(), library.join(&name)).doing(|| format!("install {name}"))?;
        }
    }
    Ok(())
}

fn installed(package: &str) -> bool {
    read(&mut program("dpkg-query", ["-W", "-f", "${Status}", package]))
        .is_some_and(|s| s.ends_with("ok installed"))
}

/// Where a compiler looks for the target's library.
fn library_of(rustc: &str, toolchain: Option<&str>) -> Option<PathBuf> {
    let mut command = program(rustc, ["--print", "target-libdir", "--target", TARGET]);
    if let Some(name) = toolchain {
        command.env("RUSTUP_TOOLCHAIN", name);
    }
    read(&mut command).map(PathBuf::from)
}

/// Whether the library is there: asked at every build, so it only looks.
fn has_library(rustc: &str, toolchain: Option<&str>) -> bool {
    let entries = library_of(rustc, toolchain).and_then(|folder| std::fs::read_dir(folder).ok());
    entries.is_some_and(|mut entries| {
        entries
            .any(|entry| entry.is_ok_and(|entry| entry.file_name().to_string_lossy().starts_with("libstd-")))
    })
}

/// Whether a program of two lines compiles and links: asked after an installation.
fn compiles(rustc: &str) -> bool {
    let work = std::env::temp_dir().join(format!("muster-wasm-sample-{}", std::process::id()));
    let sample = work.join("sample.rs");
    let ready = (Path::new(rustc).is_relative() || is_program(Path::new(rustc)))
        && make_dir(&work).and_then(|()| write(&sample, SAMPLE)).is_ok();
    let mut command = program(
        rustc,
        [
            "--edition",
            "2024",
            "--target",
            TARGET,
            "--crate-type",
            "cdylib",
            "-o",
        ],
    );
    let done = ready && succeeds(command.arg(work.join("sample.wasm")).arg(&sample));
    let _ = std::fs::remove_dir_all(&work);
    done
}
