//! Finds text in a recording's transcript.

use crate::{Recording, RecordingError, TranscriptLine};

/// A line in which the text was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// When the line was last written to, in microseconds since the recording began.
    pub at_us: u64,
    /// The line.
    pub line: String,
    /// Where in it the text begins, counted in characters.
    pub column: usize,
}

/// Whether upper and lower case are the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Case {
    /// They are.
    #[default]
    Ignored,
    /// They are not.
    Matters,
}

impl Recording {
    /// The lines that hold `text`, in order, at most `max`. Looks chunk by chunk; of a growing recording, in what is sealed.
    ///
    /// # Errors
    /// What disk and store say.
    pub async fn search(&self, text: &str, case: Case, max: usize) -> Result<Vec<Hit>, RecordingError> {
        let needle = fold(text, case);
        let mut hits = Vec::new();
        if needle.is_empty() {
            return Ok(hits);
        }
        let mut transcript = self.transcript().await?;
        while let Some(lines) = transcript.next().await? {
            hits.extend(lines.into_iter().filter_map(|line| hit(line, &needle, case)));
            if hits.len() >= max {
                hits.truncate(max);
                break;
            }
        }
        Ok(hits)
    }
}

fn hit(line: TranscriptLine, needle: &[char], case: Case) -> Option<Hit> {
    let letters = fold(&line.text, case);
    let column = letters
        .windows(needle.len())
        .position(|window| window == needle)?;
    Some(Hit {
        at_us: line.at_us,
        line: line.text,
        column,
    })
}

/// One letter for each: a lower-case form of several letters would shift the columns.
fn fold(text: &str, case: Case) -> Vec<char> {
    text.chars()
        .map(|letter| match case {
            Case::Matters => letter,
            Case::Ignored => {
                let mut lower = letter.to_lowercase();
                match (lower.next(), lower.next()) {
                    (Some(one), None) => one,
                    _ => letter,
                }
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_is_ignored_on_demand_and_columns_count_characters() {
        let line = |text: &str| TranscriptLine {
            at_us: 5,
            text: text.into(),
        };
        let find =
            |text: &str, needle: &str, case| hit(line(text), &fold(needle, case), case).map(|hit| hit.column);
        assert_eq!(find("İé Straße ERROR", "error", Case::Ignored), Some(10));
        assert_eq!(find("éÉ", "É", Case::Matters), Some(1));
        assert_eq!(find("warning", "error", Case::Ignored), None);
    }
}
