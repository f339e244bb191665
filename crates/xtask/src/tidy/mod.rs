//! House rules that no compiler checks, as functions over the checkout's files. What each rule says is in
//! `rules`; this reads the files and reports.

mod manifests;
mod rules;

use crate::args::Args;
use crate::failure::{Doing, Failure, Outcome};
use crate::say;
use crate::workshop::Workshop;
use std::path::Path;

/// A broken rule, or one that is nearly broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The file, relative to the checkout.
    pub file: String,
    /// The line, counted from 1; 0 for the file as a whole.
    pub line: usize,
    /// What is wrong, and what to do.
    pub text: String,
    /// Whether it may stay for now.
    pub is_warning: bool,
}

/// A file as the rules see it.
pub(crate) struct Source {
    pub(crate) file: String,
    pub(crate) text: String,
}

pub(crate) fn command(args: Args) -> Outcome {
    args.finish()?;
    check_and_report(&Workshop::find()?.root)
}

/// Every finding in the checkout at `root`.
///
/// # Errors
/// When a file cannot be read.
pub fn check(root: &Path) -> Result<Vec<Finding>, String> {
    findings(root).map_err(|failure| failure.to_string())
}

/// Prints the findings and fails when one of them is more than a warning.
pub(crate) fn check_and_report(root: &Path) -> Outcome {
    let found = findings(root)?;
    for finding in &found {
        let kind = if finding.is_warning { "warning" } else { "error" };
        let place = if finding.line > 0 {
            format!("{}:{}", finding.file, finding.line)
        } else {
            finding.file.clone()
        };
        say::plain(&format!("{kind}: {place}: {}", finding.text));
    }
    match found.iter().filter(|finding| !finding.is_warning).count() {
        0 => {
            say::note("tidy");
            Ok(())
        }
        errors => Err(Failure::new(format!("tidy found {errors} broken house rules"))),
    }
}

fn findings(root: &Path) -> Outcome<Vec<Finding>> {
    let mut sources = Vec::new();
    collect(root, root, &mut sources)?;
    sources.sort_by(|a, b| a.file.cmp(&b.file));
    let mut found = Vec::new();
    for source in &sources {
        if source.file.ends_with(".rs") {
            found.extend(rules::rust(source));
        }
        if source.file.ends_with("Cargo.toml") {
            found.extend(manifests::manifest(source));
        }
        if source.file == "README.md" {
            found.extend(manifests::readme(source));
        }
    }
    let names: Vec<&str> = sources.iter().map(|source| source.file.as_str()).collect();
    found.extend(manifests::migrations(&names));
    if !names.contains(&"README.md") {
        found.push(rules::error("README.md", 0, "is missing"));
    }
    Ok(found)
}

/// Everything that is ours: no build output, no packages of others, no hidden folders.
fn collect(root: &Path, folder: &Path, sources: &mut Vec<Source>) -> Outcome {
    for entry in std::fs::read_dir(folder)
        .doing(|| format!("read {}", folder.display()))?
        .flatten()
    {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        let kind = entry
            .file_type()
            .doing(|| format!("look at {}", path.display()))?;
        if kind.is_dir() {
            if !name.starts_with('.')
                && !matches!(name.as_str(), "target" | "node_modules" | "data" | "output")
            {
                collect(root, &path, sources)?;
            }
        } else if kind.is_file()
            && [".rs", ".toml", ".md", ".sql"]
                .iter()
                .any(|end| name.ends_with(end))
        {
            // Editors replace files while they save: one that is gone by now is none of ours.
            let Ok(bytes) = std::fs::read(&path) else { continue };
            let file = path
                .strip_prefix(root)
                .unwrap_or(&path)
                .to_string_lossy()
                .into_owned();
            sources.push(Source {
                file,
                text: String::from_utf8_lossy(&bytes).into_owned(),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn files_of_others_are_left_alone_and_ours_are_read() {
        let root = tempfile::tempdir().unwrap();
        let put = |file: &str, text: &str| {
            let path = root.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        put("README.md", "cargo xtask run\ncargo xtask test\n");
        put("target/x.rs", "fn main() {}");
        put("a/node_modules/x.rs", "fn main() {}");
        put("a/src/lib.rs", "fn main() {}");
        let found = super::check(root.path()).unwrap();
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].file, "a/src/lib.rs");
    }

    #[test]
    fn a_missing_checkout_is_an_error() {
        assert!(super::check(Path::new("/no/such/place")).is_err());
    }
}
