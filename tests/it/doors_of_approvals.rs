//! Who may call the server functions of approvals, for the test in `doors.rs`.

use crate::doors::{Case, Needs};
use std::collections::BTreeMap;

/// Each of them with arguments that can be read.
pub fn cases() -> BTreeMap<&'static str, Case> {
    use Needs::{More, Viewer};
    const NODE: (&str, &str) = ("node_id", "mi-00000000000000000");
    const REQUEST: (&str, &str) = ("request_id", "CR-999999");
    BTreeMap::from([
        ("/api/approvals/list", (Viewer, &[("query", "")][..])),
        ("/api/approvals/get", (Viewer, &[REQUEST][..])),
        ("/api/approvals/calendar", (Viewer, &[][..])),
        ("/api/approvals/waiting", (Viewer, &[][..])),
        (
            "/api/approvals/decide",
            (
                More,
                &[
                    REQUEST,
                    ("digest", "00"),
                    ("verdict", "approve"),
                    ("comment", ""),
                    ("password", "p"),
                ][..],
            ),
        ),
        (
            "/api/approvals/decide_together",
            (
                More,
                &[
                    ("ticked[]", "CR-999999:00"),
                    ("verdict", "approve"),
                    ("password", "p"),
                ][..],
            ),
        ),
        ("/api/approvals/delegations", (Viewer, &[][..])),
        (
            "/api/approvals/hand_over",
            (
                More,
                &[("to", "nobody"), ("until", "2030-01-01T00:00"), ("reason", "")][..],
            ),
        ),
        (
            "/api/approvals/end_delegation",
            (
                Viewer,
                &[("delegation_id", "00000000-0000-4000-8000-000000000000")][..],
            ),
        ),
        ("/api/approvals/withdraw", (Viewer, &[REQUEST][..])),
        ("/api/approvals/remind", (Viewer, &[REQUEST][..])),
        ("/api/approvals/extend", (Viewer, &[REQUEST][..])),
        (
            "/api/approvals/review",
            (More, &[REQUEST, ("was_right", "yes"), ("comment", "c")][..]),
        ),
        (
            "/api/approvals/ask_command",
            (
                More,
                &[
                    ("document", "AWS-RunShellScript"),
                    ("parameters[commands]", "id"),
                    ("nodes", "mi-00000000000000000"),
                    ("why", "a test"),
                ][..],
            ),
        ),
        (
            "/api/approvals/ask_runbook",
            (
                More,
                &[("document", "AWS-RunShellScript"), ("reason", "a test")][..],
            ),
        ),
        (
            "/api/approvals/ask_terminal",
            (More, &[NODE, ("minutes", "60"), ("why", "a test")][..]),
        ),
        (
            "/api/approvals/ask_role",
            (
                Viewer,
                &[
                    ("role", "operator"),
                    ("scope", "*"),
                    ("minutes", "60"),
                    ("why", "a test"),
                ][..],
            ),
        ),
        (
            "/api/approvals/ask_policies",
            (More, &[("text", ""), ("was", ""), ("why", "a test")][..]),
        ),
        ("/api/approvals/policies", (Viewer, &[][..])),
        (
            "/api/approvals/change_policies",
            (More, &[("text", ""), ("was", "")][..]),
        ),
        (
            "/api/approvals/test_policies",
            (Viewer, &[("act", "commands.run"), ("nodes", "1")][..]),
        ),
    ])
}
