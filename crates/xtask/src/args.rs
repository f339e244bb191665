//! The little that xtask needs of a command line: flags, values, words, and what follows `--`.

use crate::failure::{Failure, Outcome};

/// The words after the subcommand, taken one by one; [`Args::finish`] refuses what is left.
pub(crate) struct Args {
    words: Vec<String>,
    passed_on: Vec<String>,
}

impl Args {
    pub(crate) fn new(mut words: Vec<String>) -> Self {
        let passed_on = match words.iter().position(|word| word == "--") {
            Some(at) => {
                let rest = words.split_off(at + 1);
                words.pop();
                rest
            }
            None => Vec::new(),
        };
        Self { words, passed_on }
    }

    /// Whether a flag was given.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        let before = self.words.len();
        self.words.retain(|word| word != name);
        self.words.len() < before
    }

    /// The value of `--name value` or `--name=value`.
    pub(crate) fn value(&mut self, name: &str) -> Outcome<Option<String>> {
        if let Some(at) = self.words.iter().position(|word| word == name) {
            if at + 1 >= self.words.len() {
                return Err(Failure::usage(format!("{name} needs a value")));
            }
            let value = self.words.remove(at + 1);
            self.words.remove(at);
            return Ok(Some(value));
        }
        let prefix = format!("{name}=");
        let at = self.words.iter().position(|word| word.starts_with(&prefix));
        Ok(at.map(|at| self.words.remove(at).split_off(prefix.len())))
    }

    /// The same as a whole number between `least` and `most`.
    pub(crate) fn number(&mut self, name: &str, least: u32, most: u32) -> Outcome<Option<u32>> {
        let Some(text) = self.value(name)? else {
            return Ok(None);
        };
        match text.parse() {
            Ok(number) if (least..=most).contains(&number) => Ok(Some(number)),
            _ => Err(Failure::usage(format!(
                "{name} takes a whole number from {least} to {most}, not `{text}`"
            ))),
        }
    }

    /// The next plain word.
    pub(crate) fn word(&mut self) -> Option<String> {
        let at = self.words.iter().position(|word| !word.starts_with('-'))?;
        Some(self.words.remove(at))
    }

    /// All that is left, unchecked.
    pub(crate) fn rest(mut self) -> Vec<String> {
        self.words.append(&mut self.passed_on);
        self.words
    }

    /// What stood after `--`; anything else left over is a mistake.
    pub(crate) fn finish(self) -> Outcome<Vec<String>> {
        match self.words.first() {
            None => Ok(self.passed_on),
            Some(word) => Err(Failure::usage(format!("`{word}` is not known here; try --help"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Args;

    fn args(line: &str) -> Args {
        Args::new(line.split_whitespace().map(str::to_owned).collect())
    }

    #[test]
    fn flags_values_and_words_are_told_apart() {
        let mut args = args("--release --demo-nodes 3 fleet --name=x -- --addr 0:1");
        assert!(args.flag("--release"));
        assert!(!args.flag("--check"));
        assert_eq!(args.number("--demo-nodes", 0, 9).unwrap(), Some(3));
        assert_eq!(args.value("--name").unwrap().as_deref(), Some("x"));
        assert_eq!(args.word().as_deref(), Some("fleet"));
        assert_eq!(args.finish().unwrap(), ["--addr", "0:1"]);
    }

    #[test]
    fn what_is_left_over_is_refused_by_name() {
        let failure = args("--relase").finish().unwrap_err();
        assert!(failure.to_string().contains("--relase"), "{failure}");
        assert_eq!(failure.exit_code(), 2);
    }

    #[test]
    fn a_number_out_of_range_is_refused() {
        assert!(args("--demo-nodes many").number("--demo-nodes", 0, 9).is_err());
        assert!(args("--demo-nodes 10").number("--demo-nodes", 0, 9).is_err());
        assert!(args("--demo-nodes").number("--demo-nodes", 0, 9).is_err());
    }
}
