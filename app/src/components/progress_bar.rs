//! How far something is, with what failed on the way. Drawn as SVG, because inline styles are
//! not allowed by the Content-Security-Policy.

use leptos::prelude::*;

/// Widths in percent of what went well and of what failed.
pub(crate) fn shares(done: u32, errors: u32, total: u32) -> (f64, f64) {
    if total == 0 {
        return (0.0, 0.0);
    }
    let share = |part: u32| (f64::from(part) * 1000.0 / f64::from(total)).round() / 10.0;
    let bad = share(errors.min(total));
    (share(done.min(total).saturating_sub(errors)), bad)
}

/// A bar of `completed` out of `total`, of which `errors` failed.
#[component]
pub(crate) fn ProgressBar(completed: u32, #[prop(optional)] errors: u32, total: u32) -> impl IntoView {
    let (good, bad) = shares(completed, errors, total);
    let label = match errors {
        0 => format!("{completed} of {total} done"),
        _ => format!("{completed} of {total} done, {errors} failed"),
    };
    view! {
        <svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" role="img" aria-label=label>
            <rect class="bar-good" x="0" y="0" height="8" width=good.to_string()></rect>
            <rect class="bar-bad" x=good.to_string() y="0" height="8" width=bad.to_string()></rect>
        </svg>
    }
}

#[cfg(test)]
mod tests {
    use super::shares;

    #[test]
    fn shares_never_leave_the_bar() {
        assert_eq!(shares(0, 0, 0), (0.0, 0.0));
        assert_eq!(shares(512, 20, 640), (76.9, 3.1));
        assert_eq!(shares(9, 9, 3), (0.0, 100.0));
    }
}
