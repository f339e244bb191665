//! Who may call the server functions of deployments, for the test in `doors.rs`.

use crate::doors::{Case, Needs};
use std::collections::BTreeMap;

/// Each of them with arguments that can be read.
pub fn cases() -> BTreeMap<&'static str, Case> {
    use Needs::{More, Viewer};
    const APPLICATION: (&str, &str) = ("application_id", "00000000-0000-4000-8000-000000000000");
    const RELEASE: (&str, &str) = ("release", "00000000-0000-4000-8000-000000000000");
    const STAGING: (&str, &str) = ("environment", "Staging");
    const DEPLOY: &[(&str, &str)] = &[APPLICATION, RELEASE, STAGING, ("reason", "a test")];
    BTreeMap::from([
        ("/api/deployments/list", (Viewer, &[][..])),
        ("/api/deployments/application", (Viewer, &[APPLICATION][..])),
        ("/api/deployments/releases", (Viewer, &[APPLICATION][..])),
        (
            "/api/deployments/release",
            (
                Viewer,
                &[("release_id", "00000000-0000-4000-8000-000000000000")][..],
            ),
        ),
        ("/api/deployments/earlier", (Viewer, &[APPLICATION, STAGING][..])),
        ("/api/deployments/history", (Viewer, &[APPLICATION][..])),
        (
            "/api/deployments/deployment",
            (
                Viewer,
                &[("deployment_id", "00000000-0000-4000-8000-000000000000")][..],
            ),
        ),
        (
            "/api/deployments/change",
            (
                More,
                &[
                    ("what", "create"),
                    ("name", "web"),
                    ("document", "Muster-DeployApplication"),
                    ("version_parameter", "Version"),
                    ("environments", "Staging"),
                ][..],
            ),
        ),
        (
            "/api/deployments/create_release",
            (More, &[APPLICATION, ("version", "1"), ("notes", "n")][..]),
        ),
        ("/api/deployments/preview", (More, &DEPLOY[..3])),
        ("/api/deployments/deploy", (More, DEPLOY)),
        ("/api/deployments/ask", (More, DEPLOY)),
    ])
}
