//! The rules for what is not Rust: manifests, migrations and the README.

use super::rules::error;
use super::{Finding, Source};
use std::collections::BTreeSet;

/// Every package shares the workspace's lints; without these lines it would silently have none.
pub(super) fn manifest(source: &Source) -> Option<Finding> {
    let is_package = source.text.lines().any(|line| line.trim() == "[package]");
    let mut lines = source.text.lines().map(str::trim);
    let shares = lines.any(|line| line == "[lints]")
        && lines
            .find(|line| !line.is_empty())
            .is_some_and(|line| line.replace(' ', "") == "workspace=true");
    // What is a workspace of its own, as fuzz targets are, has none to share.
    let alone = source.text.lines().any(|line| line == "[workspace]");
    (is_package && !alone && !shares)
        .then(|| error(&source.file, 0, "needs `[lints]` with `workspace = true`"))
}

/// Both engines go through the same steps, under the same names.
pub(super) fn migrations(files: &[&str]) -> Vec<Finding> {
    let of = |engine: &str| -> BTreeSet<&str> {
        let prefix = format!("migrations/{engine}/");
        files
            .iter()
            .filter_map(|file| file.strip_prefix(&prefix))
            .filter(|file| file.ends_with(".sql"))
            .collect()
    };
    let (sqlite, postgres) = (of("sqlite"), of("postgres"));
    let missing = |names: Vec<&&str>, engine: &str| -> Vec<Finding> {
        let file = |name: &str| format!("migrations/{engine}/{name}");
        names
            .into_iter()
            .map(|name| error(&file(name), 0, "is missing: the other engine has it"))
            .collect()
    };
    let mut found = missing(sqlite.difference(&postgres).collect(), "postgres");
    found.extend(missing(postgres.difference(&sqlite).collect(), "sqlite"));
    found
}

/// The two commands that a newcomer needs.
pub(super) fn readme(source: &Source) -> Vec<Finding> {
    ["cargo xtask run", "cargo xtask test"]
        .into_iter()
        .filter(|command| !source.text.contains(command))
        .map(|command| error(&source.file, 0, format!("has to name `{command}`")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Source, manifest, migrations, readme};

    fn source(text: &str) -> Source {
        Source {
            file: "x".to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn a_package_shares_the_workspaces_lints() {
        assert!(manifest(&source("[package]\nname = \"a\"\n\n[lints]\nworkspace = true\n")).is_none());
        assert!(manifest(&source("[package]\nname = \"a\"\n")).is_some());
        assert!(manifest(&source("[package]\n[lints]\nrust.x = \"deny\"\n")).is_some());
        assert!(manifest(&source("[package]\nname = \"a\"\n\n[workspace]\n")).is_none());
        assert!(manifest(&source("[workspace]\nmembers = []\n")).is_none());
    }

    #[test]
    fn both_engines_have_the_same_migrations() {
        assert!(
            migrations(&[
                "migrations/sqlite/1.sql",
                "migrations/postgres/1.sql",
                "migrations/README.md"
            ])
            .is_empty()
        );
        let found = migrations(&["migrations/sqlite/1.sql", "migrations/postgres/2.sql"]);
        let files: Vec<&str> = found.iter().map(|finding| finding.file.as_str()).collect();
        assert_eq!(files, ["migrations/postgres/1.sql", "migrations/sqlite/2.sql"]);
    }

    #[test]
    fn the_readme_names_the_two_commands() {
        assert_eq!(readme(&source("`cargo xtask run`")).len(), 1);
    }
}
