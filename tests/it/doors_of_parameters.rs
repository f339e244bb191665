//! Who may call the server functions of parameters, for the test in `doors.rs`.

use crate::doors::{Case, Needs};
use std::collections::BTreeMap;

/// Each of them with arguments that can be read.
pub fn cases() -> BTreeMap<&'static str, Case> {
    use Needs::{More, Viewer};
    const PARAMETER: (&str, &str) = ("name", "/no/such");
    BTreeMap::from([
        ("/api/parameters/list", (Viewer, &[][..])),
        ("/api/parameters/get", (Viewer, &[PARAMETER][..])),
        (
            "/api/parameters/compare",
            (Viewer, &[PARAMETER, ("old", "1"), ("new", "2")][..]),
        ),
        (
            "/api/parameters/reveal",
            (More, &[PARAMETER, ("password", "p")][..]),
        ),
        (
            "/api/parameters/put",
            (More, &[PARAMETER, ("kind", "String"), ("value", "v")][..]),
        ),
        (
            "/api/parameters/restore",
            (
                More,
                &[PARAMETER, ("kind", "String"), ("version", "1"), ("replaces", "2")][..],
            ),
        ),
        (
            "/api/parameters/delete",
            (
                More,
                &[PARAMETER, ("version", "1"), ("confirmation", "/no/such")][..],
            ),
        ),
        (
            "/api/parameters/label",
            (More, &[PARAMETER, ("version", "1"), ("labels", "live")][..]),
        ),
        (
            "/api/parameters/unlabel",
            (More, &[PARAMETER, ("version", "1"), ("label", "live")][..]),
        ),
        (
            "/api/parameters/tag",
            (More, &[PARAMETER, ("key", "k"), ("value", "v")][..]),
        ),
        (
            "/api/parameters/ask_put",
            (
                More,
                &[PARAMETER, ("kind", "String"), ("value", "v"), ("why", "a test")][..],
            ),
        ),
        (
            "/api/parameters/ask_restore",
            (
                More,
                &[
                    PARAMETER,
                    ("kind", "String"),
                    ("version", "1"),
                    ("replaces", "2"),
                    ("why", "a test"),
                ][..],
            ),
        ),
        (
            "/api/parameters/ask_delete",
            (
                More,
                &[
                    PARAMETER,
                    ("version", "1"),
                    ("confirmation", "/no/such"),
                    ("why", "a test"),
                ][..],
            ),
        ),
        (
            "/api/parameters/ask_label",
            (
                More,
                &[PARAMETER, ("version", "1"), ("labels", "live"), ("why", "a test")][..],
            ),
        ),
        (
            "/api/parameters/ask_unlabel",
            (
                More,
                &[PARAMETER, ("version", "1"), ("label", "live"), ("why", "a test")][..],
            ),
        ),
        (
            "/api/parameters/ask_reveal",
            (More, &[PARAMETER, ("why", "a test")][..]),
        ),
        ("/api/parameters/untag", (More, &[PARAMETER, ("key", "k")][..])),
    ])
}
