//! Installed packages: of dpkg, of rpm, or of both.

use super::{Entry, entry, output, whole_seconds};
use crate::host;
use muster_domain::Timestamp;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

const DPKG: &str = "${Package}\t${Version}\t${Architecture}\t${db:Status-Abbrev}\t${Section}\t${Maintainer}\t${Homepage}\t\
                    ${binary:Summary}\n";
const RPM: &str = "%{NAME}\t%{VERSION}\t%{RELEASE}\t%{EPOCH}\t%{ARCH}\t%{GROUP}\t%{VENDOR}\t%{URL}\t%{INSTALLTIME}\t\
                   %{SUMMARY}\n";

pub(super) fn all() -> Vec<Entry> {
    let mut all = Vec::new();
    if let Some(text) = output("dpkg-query", &["-W", &format!("-f={DPKG}")]) {
        let root =
            std::env::var_os("DPKG_ADMINDIR").map_or_else(|| PathBuf::from("/var/lib/dpkg"), PathBuf::from);
        all.extend(from_dpkg(&text, |name, arch| {
            installed(&root.join("info"), name, arch)
        }));
    }
    let root = host::system_root().map(|root| format!("--root={}", root.display()));
    let mut arguments: Vec<&str> = root.iter().map(String::as_str).collect();
    arguments.extend(["-qa", "--queryformat", RPM]);
    if let Some(text) = output("rpm", &arguments) {
        all.extend(from_rpm(&text));
    }
    all.sort_by_key(|entry| entry.get("Name").map(ToString::to_string));
    all
}

/// dpkg does not say when; its list of a package's files is as old as the package is there.
fn installed(info: &Path, name: &str, arch: &str) -> String {
    [name.to_owned(), format!("{name}:{arch}")]
        .iter()
        .find_map(|name| {
            std::fs::metadata(info.join(format!("{name}.list")))
                .ok()?
                .modified()
                .ok()
        })
        .and_then(|at| at.duration_since(UNIX_EPOCH).ok())
        .and_then(|since| i64::try_from(since.as_millis()).ok())
        .map(|ms| whole_seconds(Timestamp(ms)))
        .unwrap_or_default()
}

fn from_dpkg(text: &str, installed: impl Fn(&str, &str) -> String) -> Vec<Entry> {
    let mut all = Vec::new();
    for line in text.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [name, version, arch, status, section, maintainer, url, summary] = fields.as_slice() else {
            continue;
        };
        if status.chars().nth(1) != Some('i') {
            continue;
        }
        let (epoch, rest) = version.split_once(':').unwrap_or(("", version));
        let (upstream, release) = rest.rsplit_once('-').unwrap_or((rest, ""));
        all.push(entry(&[
            ("Name", name),
            ("ApplicationType", section),
            ("Publisher", maintainer),
            ("Version", upstream),
            ("Release", release),
            ("Epoch", epoch),
            ("Architecture", arch),
            ("InstalledTime", &installed(name, arch)),
            ("URL", url),
            ("Summary", summary),
            ("PackageId", &format!("{name}_{version}_{arch}")),
        ]));
    }
    all
}

fn from_rpm(text: &str) -> Vec<Entry> {
    let mut all = Vec::new();
    for line in text.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [
            name,
            version,
            release,
            epoch,
            arch,
            group,
            vendor,
            url,
            installed,
            summary,
        ] = fields.as_slice()
        else {
            continue;
        };
        let seconds: i64 = installed.parse().unwrap_or_default();
        // What a package does not say, rpm prints so.
        let said = |text: &'static str, value: &str| {
            if value == text {
                String::new()
            } else {
                value.to_owned()
            }
        };
        all.push(entry(&[
            ("Name", name),
            ("ApplicationType", &said("Unspecified", group)),
            ("Publisher", &said("(none)", vendor)),
            ("Version", version),
            ("Release", release),
            ("Epoch", &said("(none)", epoch)),
            ("Architecture", arch),
            ("InstalledTime", &whole_seconds(Timestamp(seconds * 1_000))),
            ("URL", &said("(none)", url)),
            ("Summary", summary),
            ("PackageId", &format!("{name}-{version}-{release}.{arch}")),
        ]));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_package_managers_are_read() {
        let text = "vim\t2:9.0-1\tamd64\tii \teditors\tA <a@b>\thttps://vim.org\tEditor\nold\t1\tall\trc \tx\t\t\t\nshort\n";
        let all = from_dpkg(text, |_, _| "2026-01-01T00:00:00Z".into());
        assert_eq!(all.len(), 1);
        assert_eq!(
            (&all[0]["Version"], &all[0]["Release"], &all[0]["Epoch"]),
            (&"9.0".into(), &"1".into(), &"2".into())
        );
        let text = "bash\t5.1\t2.el9\t(none)\tx86_64\tUnspecified\tRocky\thttps://g.org\t1700000000\tShell\n";
        let all = from_rpm(text);
        assert_eq!(
            (&all[0]["Epoch"], &all[0]["ApplicationType"]),
            (&"".into(), &"".into())
        );
        assert_eq!(all[0]["InstalledTime"], "2023-11-14T22:13:20Z");
    }
}
