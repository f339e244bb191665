//! What the machine is made of: processor and kernel.

use super::{Entry, entry};
use std::collections::BTreeSet;

pub(super) fn all() -> Vec<Entry> {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    vec![details(
        &text,
        &memory,
        &rustix::system::uname().release().to_string_lossy(),
    )]
}

fn details(cpus: &str, memory: &str, kernel: &str) -> Entry {
    let values = |name: &str| -> Vec<&str> {
        cpus.lines()
            .filter_map(|line| line.split_once(':'))
            .filter(|(key, _)| key.trim() == name)
            .map(|(_, value)| value.trim())
            .collect()
    };
    let first = |name: &str| values(name).first().copied().unwrap_or_default().to_owned();
    let count = values("processor").len();
    let sockets: BTreeSet<&str> = values("physical id").into_iter().collect();
    let cores: usize = first("cpu cores").parse().unwrap_or(1);
    let siblings: usize = first("siblings").parse().unwrap_or(1);
    let sockets = sockets.len().max(1);
    let speed = first("cpu MHz");
    let total = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))
        .map(|rest| rest.trim().trim_end_matches(" kB"))
        .unwrap_or_default();
    entry(&[
        ("CPUModel", &first("model name")),
        ("CPUSpeedMHz", speed.split('.').next().unwrap_or_default()),
        ("CPUs", &count.to_string()),
        ("CPUSockets", &sockets.to_string()),
        ("CPUCores", &(sockets * cores).to_string()),
        (
            "CPUHyperThreadEnabled",
            if siblings > cores { "true" } else { "false" },
        ),
        ("OSServicePack", ""),
        ("KernelVersion", kernel),
        ("MemoryKiB", total),
    ])
}

#[cfg(test)]
mod tests {
    use super::details;

    #[test]
    fn a_processor_is_counted_once() {
        let one =
            "processor : 0\nmodel name : X\ncpu MHz : 2400.7\nphysical id : 0\nsiblings : 2\ncpu cores : 1\n";
        let found = details(
            &format!("{one}\n{}", one.replace(": 0\nmodel", ": 1\nmodel")),
            "MemTotal:  16 kB\n",
            "6.1",
        );
        assert_eq!(
            (&found["CPUs"], &found["CPUSockets"], &found["CPUCores"]),
            (&"2".into(), &"1".into(), &"1".into())
        );
        assert_eq!(
            (&found["CPUSpeedMHz"], &found["MemoryKiB"]),
            (&"2400".into(), &"16".into())
        );
    }
}
