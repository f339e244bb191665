//! Everything that xtask says. Its output is for a person (and a CI log), so it goes to standard output.

use std::io::Write;

/// A step that starts now.
pub(crate) fn step(text: &str) {
    plain(&format!("==> {text}"));
}

/// Something worth knowing within a step.
pub(crate) fn note(text: &str) {
    plain(&format!("    {text}"));
}

/// Text as it is.
pub(crate) fn plain(text: &str) {
    let mut out = std::io::stdout().lock();
    // A closed pipe (`cargo xtask … | head`) is no reason to stop half-way. Flushed at once, because
    // children write to the same terminal: what was said before them must stand before them.
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// What went wrong.
pub(crate) fn failure(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "xtask: {text}");
}
