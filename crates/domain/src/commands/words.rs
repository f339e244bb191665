//! What a command is called where its document's name says too little.

use super::CommandSummary;
use std::collections::BTreeMap;

/// Characters of a script's line in a title.
const LONGEST: usize = 100;

/// Whether a line says how a script is run rather than what it does.
fn is_preamble(line: &str) -> bool {
    let lower = line.to_ascii_lowercase();
    line.is_empty()
        || line.starts_with("#!")
        || line.chars().all(|c| !c.is_alphanumeric())
        || line.starts_with("set -")
        || line.starts_with("set +")
        || lower == "@echo off"
        || lower.starts_with("$erroractionpreference")
}

/// The first line of a command's script (its parameter `commands`) that says something, shortened; empty without a script.
#[must_use]
pub fn script_line(parameters: &BTreeMap<String, Vec<String>>) -> String {
    let lines = || {
        parameters
            .get("commands")
            .into_iter()
            .flatten()
            .flat_map(|text| text.lines())
            .map(str::trim)
    };
    let line = lines()
        .find(|line| !is_preamble(line))
        .or_else(|| lines().find(|line| !line.is_empty()))
        .unwrap_or_default();
    if line.chars().count() <= LONGEST {
        return line.to_owned();
    }
    let mut short: String = line.chars().take(LONGEST - 1).collect();
    short.push('…');
    short
}

impl CommandSummary {
    /// What it is called: what it is for, else what its script begins with, else its document.
    #[must_use]
    pub fn title(&self) -> &str {
        [&self.comment, &self.script_line]
            .into_iter()
            .find(|text| !text.is_empty())
            .unwrap_or(&self.document)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(commands: &[&str]) -> String {
        let lines = commands.iter().map(|line| (*line).to_owned()).collect();
        script_line(&BTreeMap::from([("commands".to_owned(), lines)]))
    }

    #[test]
    fn the_first_line_that_says_something_is_taken() {
        assert_eq!(line(&["#!/bin/sh", "set -eu", "", "  df -h /"]), "df -h /");
        assert_eq!(
            line(&["#!/bin/sh\nset -e\n# Rotate the logs\nrotate"]),
            "# Rotate the logs"
        );
        assert_eq!(line(&["#####", "uptime"]), "uptime");
        assert_eq!(line(&["$ErrorActionPreference = 'Stop'", "Get-Date"]), "Get-Date");
        assert_eq!(line(&["#!/bin/sh"]), "#!/bin/sh", "better than nothing");
        assert_eq!(line(&[]), "");
        let long = "é".repeat(150);
        assert_eq!(line(&[&long]).chars().count(), LONGEST);
    }
}
