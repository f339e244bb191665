//! The plain routes of the portal: which need a sign-in, which do not, which change something. They are read from the source, so a
//! route that stands in no list here fails the test.

use std::path::{Path, PathBuf};

/// The plain routes that need a sign-in, as `server` mounts them.
pub const GUARDED: &[&str] = &[
    "/events/portal",
    "/events/commands/x",
    "/download/commands/x/y/stdout",
    "/download/commands/x/log",
    "/events/executions/x",
    "/sessions/x/socket",
    "/download/sessions/x/recording.cast",
    "/download/sessions/x/transcript.txt",
    "/export/fleet.csv",
    "/export/fleet.json",
    "/export/parameters.csv",
    "/export/parameters.json",
    "/export/audit.csv",
    "/export/audit.json",
    "/export/requests/CR-1001",
];

/// The plain routes that need no sign-in: they are the way to it, or say nothing.
const OPEN: &[&str] = &["/health", "/sign-in", "/setup", "/sign-out"];

/// The plain routes that change something, which a stranger and a viewer try in `doors.rs`.
const CHANGING: &[&str] = &["/sessions/tunnels", "/sessions/x"];

/// The paths of all `.route(…)` in a source file, with `x` for what varies.
fn mounted(source: &str) -> Vec<String> {
    let varies = regex::Regex::new(r"\{[^}]*\}").unwrap();
    source
        .split(".route(")
        .skip(1)
        .map(|rest| {
            let path = rest
                .trim_start()
                .strip_prefix('"')
                .and_then(|rest| rest.split_once('"'));
            let (path, _) = path.expect("a route's path is not written out: the test of doors cannot see it");
            varies.replace_all(path, "x").into_owned()
        })
        .collect()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_plain_route_has_a_case_here() {
    let mut files = Vec::new();
    for folder in ["../server/src", "../server/bin/src"] {
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut files);
    }
    let mut paths = Vec::new();
    for file in files {
        paths.extend(mounted(&std::fs::read_to_string(&file).unwrap()));
    }
    assert!(paths.len() > 15, "the routes were not found: {paths:?}");
    // Files of a session are told apart by name in the handler, requests by their form.
    let known = |path: &str| {
        let alike = |one: &&str| {
            let (one, path) = (one.split('/'), path.split('/'));
            one.clone().count() == path.clone().count()
                && one.zip(path).all(|(one, part)| part == "x" || one == part)
        };
        [GUARDED, OPEN, CHANGING].concat().iter().any(alike)
    };
    for path in &paths {
        assert!(
            known(path),
            "{path} has no case in tests/it/doors_of_routes.rs: say who may ask for it"
        );
    }
    for path in GUARDED.iter().chain(OPEN).chain(CHANGING) {
        let alike = |mounted: &String| {
            mounted.split('/').count() == path.split('/').count()
                && mounted
                    .split('/')
                    .zip(path.split('/'))
                    .all(|(part, one)| part == "x" || one == part)
        };
        assert!(
            paths.iter().any(alike),
            "{path} has a case but is no route any more"
        );
    }
}
