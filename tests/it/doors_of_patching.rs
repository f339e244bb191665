//! Who may call the server functions of patching, for the test in `doors.rs`.

use crate::doors::{Case, Needs};
use std::collections::BTreeMap;

/// Each of them with arguments that can be read.
pub fn cases() -> BTreeMap<&'static str, Case> {
    use Needs::{More, Viewer};
    const NODE: (&str, &str) = ("node_id", "mi-00000000000000000");
    const BASELINE: (&str, &str) = ("baseline_id", "pb-00000000000000000");
    const SEEN: (&str, &str) = ("seen", "00");
    const WHY: (&str, &str) = ("why", "a test");
    const EXCEPTION: [(&str, &str); 6] = [
        BASELINE,
        SEEN,
        ("patch", "openssl*"),
        ("because", "frozen by the vendor"),
        ("control", "a proxy before it"),
        ("expires", "2027-01-31"),
    ];
    BTreeMap::from([
        ("/api/patching/exceptions", (Viewer, &[][..])),
        ("/api/patching/grant_exception", (More, &EXCEPTION[..])),
        ("/api/patching/ask_exception", (More, &EXCEPTION[..])),
        (
            "/api/patching/end_exception",
            (
                More,
                &[
                    BASELINE,
                    ("exception_id", "none"),
                    ("because", "the vendor released it"),
                ][..],
            ),
        ),
        ("/api/patching/states", (Viewer, &[][..])),
        ("/api/patching/node", (Viewer, &[NODE][..])),
        ("/api/patching/baselines", (Viewer, &[][..])),
        ("/api/patching/baseline", (Viewer, &[BASELINE][..])),
        (
            "/api/patching/compare_baseline",
            (Viewer, &[BASELINE, ("old", "1"), ("new", "2")][..]),
        ),
        (
            "/api/patching/put_baseline",
            (More, &[("name", "web"), ("operating_system", "DEBIAN")][..]),
        ),
        (
            "/api/patching/ask_put_baseline",
            (More, &[("name", "web"), ("operating_system", "DEBIAN"), WHY][..]),
        ),
        (
            "/api/patching/apply_baseline",
            (More, &[BASELINE, SEEN, ("what", "default")][..]),
        ),
        (
            "/api/patching/ask_apply_baseline",
            (More, &[BASELINE, SEEN, ("what", "default"), WHY][..]),
        ),
        (
            "/api/patching/delete_baseline",
            (
                More,
                &[BASELINE, SEEN, ("name", "web"), ("confirmation", "web")][..],
            ),
        ),
        (
            "/api/patching/ask_delete_baseline",
            (
                More,
                &[BASELINE, SEEN, ("name", "web"), ("confirmation", "web"), WHY][..],
            ),
        ),
    ])
}
