//! What inputs that lead to commands have in common: targets, rate control, notification. The service's model has them
//! under the same names wherever they occur.

use crate::validation::{
    ANY_TEXT, Pattern, Shape, is_tag_text, list, matching, one_of, optional, required, text,
};

const fn pattern(text: &'static str, holds: fn(&str) -> bool) -> Pattern {
    Pattern { text, holds }
}

/// `1` … or `1%` to `100%`; 0 too where `zero`.
fn is_rate(text: &str, zero: bool) -> bool {
    let (digits, percent) = text
        .strip_suffix('%')
        .map_or((text, false), |digits| (digits, true));
    let number: Option<u32> = (digits.bytes().all(|b| b.is_ascii_digit()) && !digits.is_empty())
        .then(|| digits.parse().ok())
        .flatten();
    let canonical = digits == "0" || !digits.starts_with('0');
    number.is_some_and(|n| canonical && (zero || n > 0) && (!percent || n <= 100))
}

fn is_target_key(text: &str) -> bool {
    is_tag_text(text)
}

const CONCURRENCY_PATTERN: Pattern = pattern("^([1-9][0-9]*|[1-9][0-9]%|[1-9]%|100%)$", |text| {
    is_rate(text, false)
});
const ERRORS_PATTERN: Pattern = pattern("^([1-9][0-9]*|[0]|[1-9][0-9]%|[0-9]%|100%)$", |text| {
    is_rate(text, true)
});
const TARGET_KEY: Pattern = pattern(
    "^[\\p{L}\\p{Z}\\p{N}_.:/=\\-@]*$|resource-groups:ResourceTypeFilters|resource-groups:Name",
    is_target_key,
);
const NOT_BLANK: Pattern = pattern("^(?!\\s*$).+", |text| !text.trim().is_empty());
const EVENT: Shape = one_of(&["All", "InProgress", "Success", "TimedOut", "Cancelled", "Failed"]);

/// Nodes at once: a number or a share.
pub(crate) const CONCURRENCY: Shape = matching(1, 7, CONCURRENCY_PATTERN);
/// Errors that are too many: a number or a share.
pub(crate) const ERRORS: Shape = matching(1, 7, ERRORS_PATTERN);
const TARGET: Shape = Shape::Record(&[
    optional("Key", matching(1, 163, TARGET_KEY)),
    optional("Values", list(0, 50, &ANY_TEXT)),
]);
/// Which nodes.
pub(crate) const TARGETS: Shape = list(0, 5, &TARGET);
/// Which nodes in another account.
pub(crate) const REMOTE_TARGETS: Shape = list(0, 1, &TARGET);
pub(crate) const NOTIFICATION: Shape = Shape::Record(&[
    optional("NotificationArn", ANY_TEXT),
    optional("NotificationEvents", list(0, usize::MAX, &EVENT)),
    optional("NotificationType", one_of(&["Command", "Invocation"])),
]);
pub(crate) const CLOUD_WATCH: Shape = Shape::Record(&[
    optional("CloudWatchLogGroupName", text(1, 512)),
    optional("CloudWatchOutputEnabled", Shape::Flag),
]);
pub(crate) const ALARMS: Shape = Shape::Record(&[
    optional("IgnorePollAlarmFailure", Shape::Flag),
    required(
        "Alarms",
        list(
            1,
            1,
            &Shape::Record(&[required("Name", matching(1, 255, NOT_BLANK))]),
        ),
    ),
]);

#[cfg(test)]
mod tests {
    use super::is_rate;

    #[test]
    fn rates_are_as_the_model_says() {
        for (text, concurrency, errors) in [
            ("1", true, true),
            ("0", false, true),
            ("50", true, true),
            ("100%", true, true),
            ("0%", false, true),
            ("101%", false, false),
            ("01", false, false),
            ("-1", false, false),
            ("%", false, false),
            ("", false, false),
            ("1.5", false, false),
        ] {
            assert_eq!(
                (is_rate(text, false), is_rate(text, true)),
                (concurrency, errors),
                "{text}"
            );
        }
    }
}
