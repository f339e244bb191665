//! Adds up what the test runners say at the end of their runs, and keeps what failing tests said.

use std::collections::VecDeque;

/// How many of its last lines are kept of one failing test: what it panicked with stands at its end.
const KEPT_LINES: usize = 40;

/// Passed, failed and ignored tests so far.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) ignored: u64,
    failing: Vec<Failing>,
    reading: Reading,
}

/// A test that failed, and the end of what it said.
#[derive(Debug, PartialEq, Eq)]
struct Failing {
    name: String,
    end: VecDeque<String>,
}

/// Where in a runner's output the next line stands: what belongs to a failing test is kept.
#[derive(Debug, Default, PartialEq, Eq)]
enum Reading {
    #[default]
    Runs,
    /// Between libtest's first `failures:` and its list of names.
    Failures,
    /// Within what the browser suite says of a spec that failed, before the portal's own last words.
    Spec,
}

impl Tally {
    /// Takes one line of output: cargo's `test result: …`, the browser suite's `browser suite: …`, and libtest's
    /// report on the tests that failed.
    pub(crate) fn count(&mut self, line: &str) {
        self.keep(line);
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

    /// The tests that failed with the end of what each said, for the end of a run: whoever sees only the last page of
    /// a long log sees why it failed.
    pub(crate) fn failing(&self) -> Vec<String> {
        let told = |test: &Failing| {
            let lines: Vec<&str> = test.end.iter().map(String::as_str).collect();
            format!("{}:\n{}", test.name, lines.join("\n").trim_end())
        };
        self.failing.iter().map(told).collect()
    }

    fn keep(&mut self, line: &str) {
        let heading = line
            .strip_prefix("---- ")
            .and_then(|rest| rest.strip_suffix(" stdout ----"));
        match self.reading {
            Reading::Runs if line == "failures:" => self.reading = Reading::Failures,
            Reading::Runs => {
                if let Some(name) = line.strip_prefix("not ok ") {
                    self.start(name);
                    self.reading = Reading::Spec;
                }
            }
            Reading::Spec if line.starts_with("---") => self.reading = Reading::Runs,
            Reading::Spec => self.add(line),
            // The second of the two is the list of names alone.
            Reading::Failures if line == "failures:" || line.starts_with("test result: ") => {
                self.reading = Reading::Runs;
            }
            Reading::Failures => {
                if let Some(name) = heading {
                    self.start(name);
                } else {
                    self.add(line);
                }
            }
        }
    }

    fn start(&mut self, name: &str) {
        self.failing.push(Failing {
            name: name.to_owned(),
            end: VecDeque::new(),
        });
    }

    fn add(&mut self, line: &str) {
        let Some(test) = self.failing.last_mut() else {
            return;
        };
        // Frames of a backtrace would push out what was said.
        let trimmed = line.trim_start();
        let is_frame = trimmed.starts_with("at ")
            || trimmed
                .split_once(": ")
                .is_some_and(|(number, _)| number.parse::<u16>().is_ok() && trimmed.len() < line.len());
        if is_frame {
            return;
        }
        if test.end.len() == KEPT_LINES {
            test.end.pop_front();
        }
        test.end.push_back(line.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::{KEPT_LINES, Tally};

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
                ignored: 1,
                ..Tally::default()
            }
        );
    }

    #[test]
    fn the_end_of_what_a_failing_test_said_is_kept() {
        let mut tally = Tally::default();
        let report = "test disks::full ... FAILED\n\nfailures:\n\n---- disks::full stdout ----\n\n\
            thread 'disks::full' panicked at disks.rs:3:5:\nno room\n\n---- nodes::lost stdout ----\nwhere is it\n\n\n\
            failures:\n    disks::full\n    nodes::lost\n\ntest result: FAILED. 4 passed; 2 failed\n\
            ---- after it stdout ----";
        report.lines().for_each(|line| tally.count(line));
        let told = [
            "disks::full:\n\nthread 'disks::full' panicked at disks.rs:3:5:\nno room",
            "nodes::lost:\nwhere is it",
        ];
        assert_eq!(tally.failing(), told);

        let mut tally = Tally::default();
        let report = "ok 01-first.mjs (3 ms)\nnot ok 02-sign-in.mjs (9 ms)\nError: no button\n    at page\n\
            --- the portal's last words ---\nsigned in\n---\nok 03-pages.mjs (2 ms)";
        report.lines().for_each(|line| tally.count(line));
        assert_eq!(tally.failing(), ["02-sign-in.mjs (9 ms):\nError: no button"]);

        let mut tally = Tally::default();
        tally.count("failures:");
        tally.count("---- long stdout ----");
        tally.count("too much");
        tally.count("stack backtrace:");
        for _ in 0..50 {
            tally.count("  17: core::ops::function::FnOnce::call_once");
            tally.count("             at /rustc/library/core/src/ops/function.rs:250:5");
        }
        assert_eq!(tally.failing(), ["long:\ntoo much\nstack backtrace:"]);
        (0..100).for_each(|line| tally.count(&format!("line {line}")));
        let told = tally.failing();
        assert_eq!(told[0].lines().count(), KEPT_LINES + 1);
        assert!(told[0].ends_with("line 99"), "{}", told[0]);
    }
}
