//! Services of systemd: what runs, and what starts with the system.

use super::{Entry, entry, output};
use std::collections::BTreeMap;

pub(super) fn all() -> Vec<Entry> {
    let units = output(
        "systemctl",
        &[
            "list-units",
            "--type=service",
            "--all",
            "--no-legend",
            "--plain",
            "--no-pager",
        ],
    );
    let files = output(
        "systemctl",
        &["list-unit-files", "--type=service", "--no-legend", "--no-pager"],
    );
    services(&units.unwrap_or_default(), &files.unwrap_or_default())
}

fn services(units: &str, files: &str) -> Vec<Entry> {
    let starts: BTreeMap<&str, &str> = files
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            Some((words.next()?, words.next()?))
        })
        .collect();
    let mut all = Vec::new();
    for line in units.lines() {
        let mut words = line.split_whitespace();
        let (Some(name), Some(_load), Some(active), Some(sub)) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            continue;
        };
        let about: Vec<&str> = words.collect();
        let status = match (active, sub) {
            ("active", "running") => "Running".to_owned(),
            ("inactive", _) => "Stopped".to_owned(),
            (active, sub) => format!("{active} ({sub})"),
        };
        all.push(entry(&[
            ("Name", name.trim_end_matches(".service")),
            ("DisplayName", &about.join(" ")),
            ("Status", &status),
            ("DependentServices", ""),
            ("ServicesDependedOn", ""),
            ("ServiceType", "systemd"),
            ("StartType", starts.get(name).copied().unwrap_or_default()),
        ]));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_read_with_how_they_start() {
        let units = "cron.service loaded active running Regular background program\nssh.service loaded inactive dead OpenSSH\nx\n";
        let all = services(units, "cron.service enabled enabled\n");
        assert_eq!(all.len(), 2);
        assert_eq!(
            (&all[0]["Name"], &all[0]["Status"], &all[0]["StartType"]),
            (&"cron".into(), &"Running".into(), &"enabled".into())
        );
        assert_eq!(
            (&all[1]["Status"], &all[1]["StartType"]),
            (&"Stopped".into(), &"".into())
        );
    }
}
