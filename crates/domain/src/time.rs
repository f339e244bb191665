//! Points in time as milliseconds since 1970-01-01T00:00:00Z, and the one trait that tells time.

use serde::{Deserialize, Serialize};

/// A point in time, in milliseconds since the Unix epoch, always UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The same point, later by `ms` milliseconds (earlier when negative).
    #[must_use]
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to `self`; negative when `earlier` is later.
    #[must_use]
    pub const fn since_ms(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Year, month, day, hour, minute, second, millisecond (UTC, proleptic Gregorian).
    #[must_use]
    pub fn civil(self) -> (i64, u32, u32, u32, u32, u32, u32) {
        let days = self.0.div_euclid(86_400_000);
        let ms = self.0.rem_euclid(86_400_000);
        // Howard Hinnant's days-to-civil algorithm: era of 400 years, year starting in March.
        let z = days + 719_468;
        let era = z.div_euclid(146_097);
        let day_of_era = z.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 {
            month_from_march + 3
        } else {
            month_from_march - 9
        };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        let part = |unit: i64, of: i64| u32::try_from(ms / unit % of).unwrap_or_default();
        (
            year,
            u32::try_from(month).unwrap_or_default(),
            u32::try_from(day).unwrap_or_default(),
            part(3_600_000, 24),
            part(60_000, 60),
            part(1_000, 60),
            part(1, 1_000),
        )
    }

    /// `2026-11-23T09:41:07.123Z`.
    #[must_use]
    pub fn rfc3339(self) -> String {
        let (y, mo, d, h, mi, s, ms) = self.civil();
        format!("{y:04}-{mo:02}-{d:02}T{h:02}:{mi:02}:{s:02}.{ms:03}Z")
    }

    /// `2026-11-23 09:41:07 UTC`, for people.
    #[must_use]
    pub fn readable(self) -> String {
        let (y, mo, d, h, mi, s, _) = self.civil();
        format!("{y:04}-{mo:02}-{d:02} {h:02}:{mi:02}:{s:02} UTC")
    }

    /// Reads `2026-11-23`, `2026-11-23T09:41`, `2026-11-23T09:41:07Z` or `…07.123Z` (UTC).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.strip_suffix('Z').unwrap_or(text);
        let (date, clock) = text.split_once(['T', ' ']).unwrap_or((text, "00:00"));
        let mut date = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
        let (year, month, day) = (date.next()??, date.next()??, date.next()??);
        if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return None;
        }
        let mut clock = clock.splitn(3, ':');
        let hour: i64 = clock.next()?.parse().ok()?;
        let minute: i64 = clock.next()?.parse().ok()?;
        let seconds: f64 = clock.next().unwrap_or("0").parse().ok()?;
        if !(0..24).contains(&hour) || !(0..60).contains(&minute) || !(0.0..60.0).contains(&seconds) {
            return None;
        }
        let (y, m) = if month <= 2 {
            (year - 1, month + 9)
        } else {
            (year, month - 3)
        };
        let era = y.div_euclid(400);
        let year_of_era = y.rem_euclid(400);
        let day_of_year = (153 * m + 2) / 5 + day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        let days = era * 146_097 + day_of_era - 719_468;
        #[expect(clippy::cast_possible_truncation, reason = "seconds are below 60")]
        let ms = (seconds * 1000.0).round() as i64;
        let stamp = Self(days * 86_400_000 + hour * 3_600_000 + minute * 60_000 + ms);
        // 31 February and its like come back as another day: refuse them.
        (stamp.civil().2 == u32::try_from(day).ok()?).then_some(stamp)
    }
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

/// Tells time. Handed in wherever time matters, so that tests control it.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// Gives random bytes fit for keys and tokens. Handed in, so that tests control it.
pub trait Random: Send + Sync {
    /// Fills `bytes` with randomness.
    fn fill(&self, bytes: &mut [u8]);

    /// `bytes` random bytes as lower-case hexadecimal.
    fn hex(&self, bytes: usize) -> String {
        let mut raw = vec![0_u8; bytes];
        self.fill(&mut raw);
        raw.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// A random (version 4) UUID in its usual text form.
    fn uuid(&self) -> String {
        let mut raw = [0_u8; 16];
        self.fill(&mut raw);
        raw[6] = raw[6] & 0x0f | 0x40;
        raw[8] = raw[8] & 0x3f | 0x80;
        let hex: String = raw.iter().map(|byte| format!("{byte:02x}")).collect();
        format!(
            "{}-{}-{}-{}-{}",
            &hex[0..8],
            &hex[8..12],
            &hex[12..16],
            &hex[16..20],
            &hex[20..32]
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_points_are_written_and_read() {
        for (ms, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_795_427_667_123, "2026-11-23T09:54:27.123Z"),
            (4_102_444_799_999, "2099-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(Timestamp(ms).rfc3339(), text);
            assert_eq!(Timestamp::parse(text), Some(Timestamp(ms)));
        }
        assert_eq!(Timestamp::parse("2026-11-23"), Some(Timestamp(1_795_392_000_000)));
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "",
            "yesterday",
            "2026-02-31",
            "2026-13-01",
            "2026-11-23T25:00",
            "2026-11-23T10:61",
        ] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }
}
