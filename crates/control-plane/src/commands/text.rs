//! Output cut to what the API answers, with the service's marks, and times as the API writes them.

use muster_agent_protocol::control::{ERROR_SEPARATOR, MAX_COMBINED_CHARS};
use muster_domain::Timestamp;

const OUTPUT_MARK: &str = "\n---Output truncated---";
const ERROR_MARK: &str = "\n---Error truncated----";

fn cut(text: &str, most: usize, mark: &str) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept = most.saturating_sub(mark.chars().count());
    text.chars().take(kept).chain(mark.chars()).take(most).collect()
}

/// Standard output, at most `most` characters.
pub(crate) fn output(text: &str, most: usize) -> String {
    cut(text, most, OUTPUT_MARK)
}

/// Standard error, at most `most` characters.
pub(crate) fn error(text: &str, most: usize) -> String {
    cut(text, most, ERROR_MARK)
}

/// Both streams in one text of at most 2,500 characters. When both are long, each gets half.
pub(crate) fn combined(stdout: &str, stderr: &str) -> String {
    if stderr.is_empty() {
        return output(stdout, MAX_COMBINED_CHARS);
    }
    let room = MAX_COMBINED_CHARS - ERROR_SEPARATOR.chars().count();
    let (out, err) = (stdout.chars().count(), stderr.chars().count());
    let half = room / 2;
    let (out_room, err_room) = if out + err <= room {
        (out, err)
    } else if out <= half {
        (out, room - out)
    } else if err <= half {
        (room - err, err)
    } else {
        (half, room - half)
    };
    format!(
        "{}{ERROR_SEPARATOR}{}",
        output(stdout, out_room),
        error(stderr, err_room)
    )
}

/// `PT0.091S`.
pub(crate) fn elapsed(from: Timestamp, to: Timestamp) -> String {
    let ms = to.since_ms(from).max(0);
    format!("PT{}.{:03}S", ms / 1000, ms % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn short_output_stays_and_long_output_is_marked() {
        assert_eq!(output("hello\n", 24_000), "hello\n");
        let long = output(&"é".repeat(30_000), 24_000);
        assert_eq!(long.chars().count(), 24_000);
        assert!(long.ends_with("\n---Output truncated---"));
        assert!(error(&"e".repeat(9_000), 8_000).ends_with("\n---Error truncated----"));
        assert_eq!(combined("hello\n", "err"), "hello\n\n----------ERROR-------\nerr");
        assert_eq!(combined("hello\n", ""), "hello\n");
    }

    #[test]
    fn time_spent_is_an_iso_duration() {
        assert_eq!(elapsed(Timestamp(1_000), Timestamp(1_091)), "PT0.091S");
        assert_eq!(elapsed(Timestamp(5), Timestamp(0)), "PT0.000S");
        assert_eq!(elapsed(Timestamp(0), Timestamp(61_002)), "PT61.002S");
    }

    proptest! {
        #[test]
        fn combined_output_never_exceeds_its_limit(out in 0_usize..4_000, err in 0_usize..4_000) {
            let text = combined(&"a".repeat(out), &"é".repeat(err));
            prop_assert!(text.chars().count() <= 2_500);
        }
    }
}
