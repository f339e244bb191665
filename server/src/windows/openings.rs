//! When maintenance windows are open, as far as the portal's copy says: nothing is asked for. Systems Manager itself says when one
//! opens next; what comes after that follows from its schedule.

use crate::runbooks::moments::Moments;
use crate::windows::queries::local;
use muster_domain::Timestamp;
use muster_domain::runbooks::Timing;
use muster_domain::windows::WindowStanding;
use muster_store::{Db, RowExt, Sql, StoreError};
use sqlx::any::AnyRow;

const HOUR_MS: i64 = 3_600_000;

/// An enabled window, as far as its openings go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpeningWindow {
    /// Which.
    pub id: String,
    /// Its name.
    pub name: String,
    timing: Timing,
    offset_days: u32,
    ends: Option<Timestamp>,
    next_at: Timestamp,
    /// When it has opened, if it may be open now.
    open_since: Option<Timestamp>,
}

/// One opening.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// When it opens.
    pub opens: Timestamp,
    /// When it closes.
    pub closes: Timestamp,
    /// When that is where the window is, and for how long.
    pub words: String,
}

fn small(value: i64) -> u32 {
    u32::try_from(value).unwrap_or_default()
}

fn window(row: &AnyRow) -> Result<OpeningWindow, StoreError> {
    let status = row.text("last_status")?;
    let is_open = WindowStanding::Running.statuses().contains(&status.as_str());
    Ok(OpeningWindow {
        id: row.text("window_id")?,
        name: row.text("name")?,
        timing: Timing {
            schedule: row.text("schedule")?,
            time_zone: row.text("time_zone")?,
            duration_hours: small(row.int("duration_hours")?),
            cutoff_hours: small(row.int("cutoff_hours")?),
        },
        offset_days: small(row.int("offset_days")?),
        ends: Timestamp::parse(row.text("ends")?.trim()),
        next_at: row.time("next_at")?,
        open_since: row.time_or_none("last_at")?.filter(|_| is_open),
    })
}

/// Enabled windows that open before then, those first that open first. Those that belong to schedules of runbooks are not among
/// them: the schedules are.
///
/// # Errors
/// When the database does not answer.
pub async fn windows(
    db: &Db,
    connection: &str,
    until: Timestamp,
    most: usize,
) -> Result<Vec<OpeningWindow>, StoreError> {
    let mut sql = Sql::new(
        "select w.window_id, w.name, w.schedule, w.time_zone, w.duration_hours, w.cutoff_hours, w.offset_days, w.ends, w.next_at, \
         w.last_status, w.last_at from maintenance_windows w where w.connection_id = ",
    );
    sql.text(connection);
    sql.push(" and w.enabled = 1 and w.next_at is not null and w.next_at < ")
        .int(until.0);
    sql.push(
        " and not exists (select 1 from runbook_schedules s where s.connection_id = w.connection_id and s.window_id = w.window_id) \
         order by w.next_at, w.window_id limit ",
    );
    sql.int(i64::try_from(most).unwrap_or(i64::MAX));
    sql.all(db.reader()).await?.iter().map(window).collect()
}

impl OpeningWindow {
    /// The openings that touch a span and are not over yet, at most so many.
    #[must_use]
    pub fn openings(
        &self,
        (from, until): (Timestamp, Timestamp),
        now: Timestamp,
        most: usize,
    ) -> Vec<Opening> {
        let length = i64::from(self.timing.duration_hours) * HOUR_MS;
        // Rates count from an opening; where a schedule cannot be read here, what Systems Manager says is known.
        let moments = Moments::read(&self.timing, self.next_at)
            .ok()
            .map(|moments| moments.with_offset(self.offset_days));
        let later = moments.iter().flat_map(|moments| {
            // What closes before the span needs no counting.
            let before = from.max(now).plus_ms(-length).plus_ms(-1);
            moments.after(before.max(self.next_at), usize::MAX)
        });
        let known = self.open_since.filter(|since| *since < self.next_at);
        let first = std::iter::once(self.next_at);
        known
            .into_iter()
            .chain(first)
            .chain(later)
            .take_while(|opens| *opens < until && self.ends.is_none_or(|ends| *opens < ends))
            .map(|opens| Opening {
                opens,
                closes: opens.plus_ms(length),
                words: self.words(opens),
            })
            .filter(|one| one.closes > from && one.closes > now)
            .take(most)
            .collect()
    }

    fn words(&self, opens: Timestamp) -> String {
        let at = local(opens, &self.timing.time_zone).local;
        let cutoff = match self.timing.cutoff_hours {
            0 => String::new(),
            hours => format!(", begins nothing in its last {hours} h"),
        };
        format!("Opens {at}, for {} h{cutoff}", self.timing.duration_hours)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::windows::queries;
    use crate::windows::ssm::Listed;
    use muster_domain::windows::{WindowRun, WindowSettings};
    use muster_store::test_database::on_both;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn listed(id: &str, schedule: &str, next_at: &str) -> Listed {
        Listed {
            id: id.into(),
            settings: WindowSettings {
                name: id.into(),
                enabled: true,
                schedule: schedule.into(),
                time_zone: "Europe/Berlin".into(),
                duration_hours: 3,
                cutoff_hours: 1,
                ..WindowSettings::default()
            },
            next_at: Some(at(next_at)),
        }
    }

    #[tokio::test]
    async fn openings_follow_the_windows_time_zone_and_the_copy() {
        on_both(async |db: Db| {
            let now = at("2026-10-20T12:00");
            let sundays = listed("mw-sun", "cron(0 2 ? * SUN *)", "2026-10-25T00:00");
            let mut ending = listed("mw-end", "rate(7 days)", "2026-10-21T10:00");
            ending.settings.ends = "2026-11-01T00:00:00Z".into();
            let mut off = listed("mw-off", "rate(7 days)", "2026-10-21T10:00");
            off.settings.enabled = false;
            let late = listed("mw-late", "rate(7 days)", "2027-10-21T10:00");
            for one in [&sundays, &ending, &off, &late] {
                queries::keep(&db, "here", one, now).await.unwrap();
            }
            // It has opened, and is open yet.
            let run = WindowRun {
                id: "e".into(),
                status: "IN_PROGRESS".into(),
                details: String::new(),
                at: Some(at("2026-10-20T10:00")),
                ended_at: None,
            };
            queries::looked(&db, "here", "mw-end", (1, 1), Some(&run), now)
                .await
                .unwrap();
            let span = (at("2026-10-20"), at("2026-11-17"));
            let found = windows(&db, "here", span.1, 10).await.unwrap();
            let ids: Vec<&str> = found.iter().map(|one| one.id.as_str()).collect();
            assert_eq!(ids, ["mw-end", "mw-sun"]);
            let opens = |window: &OpeningWindow| -> Vec<Timestamp> {
                let all = window.openings(span, now, 10);
                all.into_iter().map(|one| one.opens).collect()
            };
            assert_eq!(
                opens(&found[0]),
                ["2026-10-20T10:00", "2026-10-21T10:00", "2026-10-28T10:00"].map(at)
            );
            // Summer time ends on the first of these days: two o'clock comes an hour later from then on.
            assert_eq!(
                opens(&found[1]),
                [
                    "2026-10-25T00:00",
                    "2026-11-01T01:00",
                    "2026-11-08T01:00",
                    "2026-11-15T01:00"
                ]
                .map(at)
            );
            let first = &found[1].openings(span, now, 1)[0];
            assert_eq!(first.closes, at("2026-10-25T03:00"));
            assert!(
                first.words.contains("02:00 Europe/Berlin, for 3 h"),
                "{}",
                first.words
            );
            // Of a later month the days before are not gone through one by one, and of a past one nothing is left.
            let december = (at("2026-12-01"), at("2027-01-01"));
            assert_eq!(found[1].openings(december, now, 10).len(), 4);
            assert!(
                found[1]
                    .openings((at("2026-09-01"), at("2026-10-01")), now, 10)
                    .is_empty()
            );
            assert_eq!(found[1].openings(december, now, 2).len(), 2);
        })
        .await;
    }
}
