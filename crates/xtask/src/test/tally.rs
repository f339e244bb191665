//! Adds up what the test runners say at the end of their runs.

/// Passed, failed and ignored tests so far.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) ignored: u64,
}

impl Tally {
    /// Takes one line of output: cargo's `test result: …`, or the browser suite's `browser suite: …`.
    pub(crate) fn count(&mut self, line: &str) {
        let Some(counts) = line
            .strip_prefix("test result: ")
            .or_else(|| line.strip_prefix("browser suite: "))
        else {
            return;
        };
        let mut before = "";
        for word in counts
            .split(|c: char| c.is_whitespace() || matches!(c, ';' | ',' | '.'))
            .filter(|w| !w.is_empty())
        {
            let number = before.parse().unwrap_or(0);
            match word {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
            before = word;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Tally;

    #[test]
    fn both_runners_are_understood() {
        let mut tally = Tally::default();
        tally.count(
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.02s",
        );
        tally.count("test result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out");
        tally.count("browser suite: 5 passed, 1 failed");
        tally.count("test fleet::tests::nodes ... ok");
        assert_eq!(
            tally,
            Tally {
                passed: 21,
                failed: 3,
                ignored: 1
            }
        );
    }
}
