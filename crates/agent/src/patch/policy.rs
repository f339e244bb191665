//! Reading what apt and dpkg print: packages that are there, versions that are to be had, and where those come from. Pure.

use std::collections::BTreeMap;

/// One line of `dpkg-query`, in the form of [`DPKG_FORMAT`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) arch: String,
    pub(super) section: String,
    pub(super) priority: String,
    pub(super) summary: String,
    /// Whether it is there in part only.
    pub(super) is_broken: bool,
}

/// What `dpkg-query` is asked for.
pub(super) const DPKG_FORMAT: &str = "${Package}\\t${Version}\\t${Architecture}\\t${db:Status-Abbrev}\\t${Section}\\t\
     ${Priority}\\t${binary:Summary}\\n";

/// The packages that are really there, not those of which only settings are left.
pub(super) fn packages(text: &str) -> Vec<Package> {
    let mut found = Vec::new();
    for line in text.lines() {
        let mut fields = line.split('\t');
        let mut next = || fields.next().unwrap_or_default().to_owned();
        let (name, version, arch, status) = (next(), next(), next(), next());
        // Installed, or waiting for triggers; then unpacked or configured by half; the rest is not there any more.
        let is_broken = match status.chars().nth(1) {
            Some('i' | 'W' | 't') => false,
            Some('U' | 'F' | 'H') => true,
            _ => continue,
        };
        if name.is_empty() {
            continue;
        }
        found.push(Package {
            name,
            version,
            arch,
            section: next(),
            priority: next(),
            summary: next(),
            is_broken,
        });
    }
    found
}

/// What `apt-cache policy` says of one package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Policy {
    pub(super) candidate: String,
    /// For each version the repositories that have it: address and suite.
    pub(super) versions: BTreeMap<String, Vec<(String, String)>>,
}

/// By the name under which it was asked for.
pub(super) fn policies(text: &str) -> BTreeMap<String, Policy> {
    let mut all = BTreeMap::new();
    let mut name = String::new();
    let mut policy = Policy::default();
    let mut version = String::new();
    for line in text.lines() {
        if let Some(header) = line.strip_suffix(':').filter(|_| !line.starts_with(' ')) {
            if !name.is_empty() {
                all.insert(std::mem::take(&mut name), std::mem::take(&mut policy));
            }
            header.clone_into(&mut name);
            version.clear();
            continue;
        }
        if let Some(candidate) = line.strip_prefix("  Candidate: ") {
            candidate.trim().clone_into(&mut policy.candidate);
        } else if line.starts_with("      ") {
            // `500 http://deb.debian.org/debian bookworm/main amd64 Packages`; the status file has no suite.
            let mut words = line.split_whitespace().skip(1);
            if let (Some(address), Some(suite)) = (words.next(), words.next()) {
                policy
                    .versions
                    .entry(version.clone())
                    .or_default()
                    .push((address.to_owned(), suite.to_owned()));
            }
        } else if line.starts_with(" *** ") || line.starts_with("     ") {
            let text = line.trim_start_matches([' ', '*']);
            text.split_whitespace()
                .next()
                .unwrap_or_default()
                .clone_into(&mut version);
            policy.versions.entry(version.clone()).or_default();
        }
    }
    if !name.is_empty() {
        all.insert(name, policy);
    }
    all
}

/// Whether a suite is one of security updates: `bookworm-security/main`, `jammy-security/universe`, `buster/updates/main`.
pub(super) fn is_security(address: &str, suite: &str) -> bool {
    let name = suite.split('/').next().unwrap_or_default();
    name.ends_with("-security") || suite.contains("/updates/") || address.contains("://security.debian.org")
}

/// The packages that `apt-get --simulate` would bring: name, version and architecture.
pub(super) fn simulated(text: &str) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("Inst ")) {
        let name = line.split_whitespace().next().unwrap_or_default();
        let version = line
            .split_once('(')
            .and_then(|(_, rest)| rest.split_whitespace().next())
            .unwrap_or_default();
        let arch = line
            .split_once('(')
            .and_then(|(_, rest)| rest.split(')').next()?.rsplit_once('['))
            .map(|(_, rest)| rest.trim_end_matches(']'))
            .unwrap_or_default();
        let name = name.split(':').next().unwrap_or_default();
        found.push((name.to_owned(), version.to_owned(), arch.to_owned()));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_there_counts() {
        let text = "bash\t5.2-1\tamd64\tii \tshells\trequired\tShell\nold\t1\tall\trc \tnet\toptional\tGone\n\
                    held\t2\tall\thi \tnet\toptional\tHeld\nhalf\t1\tall\tiF \tnet\toptional\tHalf\n\n";
        let found: Vec<(String, bool)> = packages(text)
            .into_iter()
            .map(|package| (package.name, package.is_broken))
            .collect();
        assert_eq!(
            found,
            [
                ("bash".into(), false),
                ("held".into(), false),
                ("half".into(), true)
            ]
        );
    }

    #[test]
    fn a_policy_tells_where_versions_come_from() {
        let text = "openssl:
  Installed: 3.0.11-1
  Candidate: 3.0.15-1
  Version table:
     3.0.15-1 1001
       1001 http://security.debian.org/debian-security bookworm-security/main amd64 Packages
 *** 3.0.11-1 500
        500 http://deb.debian.org/debian bookworm/main amd64 Packages
        100 /var/lib/dpkg/status
libc6:i386:
  Installed: (none)
  Candidate: 2.36-9
  Version table:
     2.36-9 500
        500 http://deb.debian.org/debian bookworm/main i386 Packages
";
        let all = policies(text);
        let openssl = &all["openssl"];
        assert_eq!(openssl.candidate, "3.0.15-1");
        let (address, suite) = &openssl.versions["3.0.15-1"][0];
        assert!(is_security(address, suite));
        assert_eq!(openssl.versions["3.0.11-1"].len(), 1);
        assert_eq!(all["libc6:i386"].candidate, "2.36-9");
        assert!(policies("").is_empty());
    }

    #[test]
    fn security_is_in_the_suite() {
        for (address, suite, is) in [
            ("http://x", "jammy-security/universe", true),
            ("http://x", "buster/updates/main", true),
            ("http://security.debian.org/debian-security", "stable/main", true),
            ("file:/srv", "bookworm/main", false),
            ("http://x", "security-team/main", false),
        ] {
            assert_eq!(is_security(address, suite), is, "{suite}");
        }
    }

    #[test]
    fn a_simulation_tells_what_would_come() {
        let text = "Inst a [1] (2 Debian:12/stable [amd64])\nConf a (2 x)\nInst b (3 y [all]) []\n";
        let wanted =
            |name: &str, version: &str, arch: &str| (name.to_owned(), version.to_owned(), arch.to_owned());
        assert_eq!(
            simulated(text),
            [wanted("a", "2", "amd64"), wanted("b", "3", "all")]
        );
    }
}
