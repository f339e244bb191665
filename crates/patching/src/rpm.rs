//! Versions of RPM packages and which of two is newer, by the rules that RPM documents (rpm-version(7); the examples in the
//! tests are those of its own test suite).

use std::cmp::Ordering;

/// Epoch, version and release out of `1:2.0-3`; what is not said is nought or empty.
#[must_use]
pub fn parts(evr: &str) -> (u64, &str, &str) {
    let (epoch, rest) = match evr.split_once(':') {
        Some((epoch, rest)) => (epoch.parse().unwrap_or_default(), rest),
        None => (0, evr),
    };
    let (version, release) = rest.rsplit_once('-').unwrap_or((rest, ""));
    (epoch, version, release)
}

/// Which of two is newer, each with epoch and release.
#[must_use]
pub fn compare(left: &str, right: &str) -> Ordering {
    let ((a, b, c), (x, y, z)) = (parts(left), parts(right));
    a.cmp(&x)
        .then_with(|| compare_segments(b, y))
        .then_with(|| compare_segments(c, z))
}

/// Takes digits, or letters, from the beginning.
fn segment(text: &str) -> (&str, &str) {
    let is_number = text.starts_with(|c: char| c.is_ascii_digit());
    let end = text
        .find(|c: char| {
            if is_number {
                !c.is_ascii_digit()
            } else {
                !c.is_ascii_alphabetic()
            }
        })
        .unwrap_or(text.len());
    text.split_at(end)
}

/// Two versions, or two releases: runs of digits and of letters, one after the other.
fn compare_segments(left: &str, right: &str) -> Ordering {
    if left == right {
        return Ordering::Equal;
    }
    let skip = |c: char| !c.is_ascii_alphanumeric() && c != '~' && c != '^';
    let (mut left, mut right) = (left, right);
    loop {
        left = left.trim_start_matches(skip);
        right = right.trim_start_matches(skip);
        // What comes before a version is older than the version, and than nothing at all.
        match (left.strip_prefix('~'), right.strip_prefix('~')) {
            (Some(a), Some(b)) => {
                (left, right) = (a, b);
                continue;
            }
            (Some(_), None) => return Ordering::Less,
            (None, Some(_)) => return Ordering::Greater,
            (None, None) => {}
        }
        // What comes after it is newer, but older than whatever else follows.
        match (left.strip_prefix('^'), right.strip_prefix('^')) {
            (Some(a), Some(b)) => {
                (left, right) = (a, b);
                continue;
            }
            (Some(_), None) if right.is_empty() => return Ordering::Greater,
            (Some(_), None) => return Ordering::Less,
            (None, Some(_)) if left.is_empty() => return Ordering::Less,
            (None, Some(_)) => return Ordering::Greater,
            (None, None) => {}
        }
        if left.is_empty() || right.is_empty() {
            // The one with something left over is newer.
            return left.len().cmp(&right.len());
        }
        let is_number = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
        match (is_number(left), is_number(right)) {
            // A number is newer than letters.
            (true, false) => return Ordering::Greater,
            (false, true) => return Ordering::Less,
            _ => {}
        }
        let both_numbers = is_number(left);
        let ((a, rest_a), (b, rest_b)) = (segment(left), segment(right));
        let order = if both_numbers {
            let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
            a.len().cmp(&b.len()).then_with(|| a.cmp(b))
        } else {
            a.cmp(b)
        };
        if order.is_ne() {
            return order;
        }
        (left, right) = (rest_a, rest_b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn versions_stand_as_rpm_says() {
        for (left, right, order) in [
            ("1.0", "1.0", Ordering::Equal),
            ("1.0", "2.0", Ordering::Less),
            ("2.0.1a", "2.0.1", Ordering::Greater),
            ("5.5p1", "5.5p2", Ordering::Less),
            ("5.5p10", "5.5p1", Ordering::Greater),
            ("10xyz", "10.1xyz", Ordering::Less),
            ("xyz10", "xyz10.1", Ordering::Less),
            ("xyz.4", "8", Ordering::Less),
            ("5.5p2", "5.6p1", Ordering::Less),
            ("6.0.rc1", "6.0", Ordering::Greater),
            ("10b2", "10a1", Ordering::Greater),
            ("1.0aa", "1.0a", Ordering::Greater),
            ("10.0001", "10.1", Ordering::Equal),
            ("4.999.9", "5.0", Ordering::Less),
            ("20101122", "20101121", Ordering::Greater),
            ("2_0", "2.0", Ordering::Equal),
            ("a+", "a_", Ordering::Equal),
            ("1.0~rc1", "1.0", Ordering::Less),
            ("1.0~rc1", "1.0~rc2", Ordering::Less),
            ("1.0~rc1~git123", "1.0~rc1", Ordering::Less),
            ("1.0^", "1.0", Ordering::Greater),
            ("1.0^git1", "1.01", Ordering::Less),
            ("1.0^20160101", "1.0.1", Ordering::Less),
            ("1.0^20160101^git1", "1.0^20160102", Ordering::Less),
            ("1.0~rc1^git1", "1.0~rc1", Ordering::Greater),
            ("1.0^git1~pre", "1.0^git1", Ordering::Less),
            ("1:1.0-1", "2.0-1", Ordering::Greater),
            ("0:1.0-2", "1.0-10", Ordering::Less),
            (
                "99999999999999999999999.1",
                "99999999999999999999999.2",
                Ordering::Less,
            ),
        ] {
            assert_eq!(compare(left, right), order, "{left} and {right}");
            assert_eq!(compare(right, left), order.reverse(), "{right} and {left}");
        }
    }

    proptest! {
        #[test]
        fn the_order_is_one(a in "[0-9a-c.~^-]{0,8}", b in "[0-9a-c.~^-]{0,8}") {
            prop_assert_eq!(compare(&a, &b), compare(&b, &a).reverse());
            prop_assert_eq!(compare(&a, &a), Ordering::Equal);
        }
    }
}
