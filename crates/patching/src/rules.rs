//! Whether a baseline approves a patch.

use crate::baseline::{Baseline, Filter, FilterGroup, Rule};
use serde::{Deserialize, Serialize};

const DAY_MS: i64 = 86_400_000;

/// A version of a package that can be installed, with what its distribution says of it. What it does not say is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Patch {
    /// The package.
    pub name: String,
    /// With epoch and release, as the package manager writes it.
    pub version: String,
    /// `amd64`, `x86_64`, `all`, `noarch` …
    pub arch: String,
    /// One line for people.
    pub title: String,
    /// The version of the system: `Debian12`.
    pub product: String,
    /// Of packages in apt repositories.
    pub section: String,
    /// Of packages in apt repositories.
    pub priority: String,
    /// `Security`, `Bugfix` …
    pub classification: String,
    /// `Critical`, `Important`, … or the urgency that a changelog tells.
    pub severity: String,
    /// Where it comes from.
    pub repository: String,
    /// Whether it is a security update: by its repository (apt), or by an advisory (dnf).
    pub is_security: bool,
    /// Vulnerabilities that it mends, as far as they are told.
    #[serde(rename = "CVEIds")]
    pub cve_ids: Vec<String>,
    /// Advisories that speak of it.
    pub advisory_ids: Vec<String>,
    /// When it was released, in milliseconds since 1970.
    pub released_ms: Option<i64>,
}

/// What a baseline says of a patch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is to be installed.
    Approved {
        /// How bad it is when it is missing.
        level: String,
        /// By its name, not by a rule.
        is_explicit: bool,
    },
    /// It will be, from that moment on.
    Pending {
        /// Milliseconds since 1970.
        until_ms: i64,
        /// How bad it will be when it is missing.
        level: String,
    },
    /// It is not to be installed.
    Rejected,
    /// The baseline does not speak of it.
    NotMeant,
}

const UNSPECIFIED: &str = "UNSPECIFIED";

/// Whether a text is like a pattern: `*` stands for any characters; case does not matter.
#[must_use]
pub fn is_like(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_lowercase(), text.to_lowercase());
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.len() >= last.len() && rest.ends_with(last)
}

/// Whether an entry of a list of approved or rejected patches means this patch. Packages are named as
/// `name`, `name.arch`, `name:arch`, with `=version`, `-version` or `_version` behind the name, with `*` anywhere; patches
/// also by a vulnerability or an advisory.
#[must_use]
pub fn is_named(entry: &str, patch: &Patch) -> bool {
    let Patch {
        name, version, arch, ..
    } = patch;
    // Without its epoch a version is still that version to those who type it.
    let bare = version.split_once(':').map_or(version.as_str(), |(_, bare)| bare);
    let mut all = vec![name.clone(), format!("{name}.{arch}"), format!("{name}:{arch}")];
    // RPM knows no version without an epoch, and people often leave the release out.
    let whole = format!("0:{bare}");
    let upstream = bare.rsplit_once('-').map_or(bare, |(upstream, _)| upstream);
    let epoch = version.split_once(':').map_or("0", |(epoch, _)| epoch);
    all.push(format!("{epoch}:{name}-{bare}.{arch}"));
    for version in [version.as_str(), bare, upstream, &whole] {
        if version == whole && epoch != "0" {
            continue;
        }
        for between in ["=", "-", "_"] {
            all.push(format!("{name}{between}{version}"));
            all.push(format!("{name}{between}{version}.{arch}"));
        }
        all.push(format!("{name}.{arch}:{version}"));
    }
    all.iter()
        .chain(&patch.cve_ids)
        .chain(&patch.advisory_ids)
        .any(|text| is_like(entry.trim(), text))
}

fn holds(filter: &Filter, patch: &Patch) -> bool {
    let any = |texts: &[&str]| {
        filter
            .values
            .iter()
            .any(|wanted| texts.iter().any(|text| is_like(wanted, text)))
    };
    match filter.key.as_str() {
        "PRODUCT" => any(&[&patch.product]),
        "CLASSIFICATION" => any(&[&patch.classification]),
        "SEVERITY" | "MSRC_SEVERITY" => any(&[&patch.severity]),
        "SECTION" => any(&[
            &patch.section,
            patch.section.rsplit('/').next().unwrap_or_default(),
        ]),
        "PRIORITY" => any(&[&patch.priority]),
        "NAME" | "PATCH_ID" => filter.values.iter().any(|wanted| is_named(wanted, patch)),
        "ARCH" => any(&[&patch.arch]),
        "VERSION" => {
            let bare = patch
                .version
                .split_once(':')
                .map_or(patch.version.as_str(), |(_, bare)| bare);
            any(&[
                &patch.version,
                bare,
                bare.rsplit_once('-').map_or(bare, |(upstream, _)| upstream),
            ])
        }
        "EPOCH" => any(&[patch.version.split_once(':').map_or("0", |(epoch, _)| epoch)]),
        "RELEASE" => any(&[patch.version.rsplit_once('-').map_or("", |(_, release)| release)]),
        "REPOSITORY" => any(&[&patch.repository]),
        "SECURITY" => any(&[if patch.is_security { "true" } else { "false" }]),
        "CVE_ID" => patch.cve_ids.iter().any(|id| any(&[id])),
        "ADVISORY_ID" => patch.advisory_ids.iter().any(|id| any(&[id])),
        // Everything here belongs to the system itself; Windows applications are not known.
        "PATCH_SET" => any(&["OS"]),
        "PRODUCT_FAMILY" => any(&[patch
            .product
            .trim_end_matches(|c: char| c.is_ascii_digit() || c == '.')]),
        _ => false,
    }
}

/// Whether all filters of a group hold for a patch.
#[must_use]
pub fn fits(group: &FilterGroup, patch: &Patch) -> bool {
    group.patch_filters.iter().all(|filter| holds(filter, patch))
}

/// Midnight at the end of a day `2030-01-31`, in UTC.
fn end_of_day(text: &str) -> Option<i64> {
    let mut parts = text.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Days from civil, with years that begin in March (Howard Hinnant).
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let from_march = (month + 9) % 12;
    let of_year = (153 * from_march + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    Some((days + 1) * DAY_MS)
}

fn by_rule(rule: &Rule, patch: &Patch, now_ms: i64) -> Option<Verdict> {
    // Where there are advisories, what one of them speaks of counts, mends of bugs too: the default baselines rely on it.
    let counts =
        patch.is_security || !patch.advisory_ids.is_empty() || rule.enable_non_security.unwrap_or_default();
    if !counts || !fits(&rule.patch_filter_group, patch) {
        return None;
    }
    let level = rule
        .compliance_level
        .clone()
        .unwrap_or_else(|| UNSPECIFIED.into());
    // Where a distribution does not tell when it released something, there is nothing to wait for.
    if let Some(released) = patch.released_ms {
        if let Some(last) = rule.approve_until_date.as_deref().and_then(end_of_day)
            && released >= last
        {
            return None;
        }
        let until_ms = released.saturating_add(rule.approve_after_days.unwrap_or_default() * DAY_MS);
        if until_ms > now_ms {
            return Some(Verdict::Pending { until_ms, level });
        }
    }
    Some(Verdict::Approved {
        level,
        is_explicit: false,
    })
}

/// What `baseline` says of `patch` at that moment.
#[must_use]
pub fn verdict(baseline: &Baseline, patch: &Patch, now_ms: i64) -> Verdict {
    if baseline
        .rejected_patches
        .iter()
        .any(|entry| is_named(entry, patch))
    {
        return Verdict::Rejected;
    }
    if baseline
        .approved_patches
        .iter()
        .any(|entry| is_named(entry, patch))
    {
        return Verdict::Approved {
            level: baseline.approved_patches_compliance_level.clone(),
            is_explicit: true,
        };
    }
    if !fits(&baseline.global_filters, patch) {
        return Verdict::NotMeant;
    }
    let rules = &baseline.approval_rules.patch_rules;
    let mut found = rules.iter().filter_map(|rule| by_rule(rule, patch, now_ms));
    found.next().unwrap_or(Verdict::NotMeant)
}
