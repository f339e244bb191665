//! Who may call the server functions of maintenance windows, for the test in `doors.rs`.

use crate::doors::{Case, Needs};
use std::collections::BTreeMap;

/// Each of them with arguments that can be read.
pub fn cases() -> BTreeMap<&'static str, Case> {
    use Needs::{More, Viewer};
    const WINDOW: (&str, &str) = ("window_id", "mw-00000000000000000");
    const NEW: &[(&str, &str)] = &[
        ("what", "create"),
        ("name", "nightly"),
        ("schedule", "rate(1 day)"),
        ("duration_hours", "2"),
        ("cutoff_hours", "1"),
        ("why", "a test"),
    ];
    BTreeMap::from([
        ("/api/windows/list", (Viewer, &[][..])),
        ("/api/windows/get", (Viewer, &[WINDOW][..])),
        ("/api/windows/change", (More, &NEW[..5])),
        ("/api/windows/ask", (More, NEW)),
    ])
}
