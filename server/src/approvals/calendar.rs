//! The calendar: what the policies' windows and freezes come to, when maintenance windows are open, what was approved and waits for
//! its time, and when schedules start something next. Put together when it is asked for; nothing of it is kept.

use crate::approvals::list::push_visible;
use crate::approvals::rows;
use crate::approvals::service::ApprovalService;
use crate::approvals::times::next_open;
use crate::error::store;
use crate::runbooks::moments::Moments;
use crate::windows::openings;
use async_trait::async_trait;
use muster_domain::action::Action;
use muster_domain::approvals::{
    Calendar, CalendarEntry, CalendarPage, EntryKind, Month, Policies, Window, span,
};
use muster_domain::audit::Intent;
use muster_domain::permission::Scope;
use muster_domain::{Actor, PortalError, Timestamp};
use std::collections::BTreeSet;

/// Times that one window or one schedule is shown at most.
const MOST_TIMES: usize = 62;
/// Requests that are shown at most.
const MOST_REQUESTS: i64 = 200;
/// Maintenance windows that are shown at most; those that open first.
const MOST_WINDOWS: usize = 200;

/// Between which moments, and what of it is left out.
struct Page {
    from: Timestamp,
    until: Timestamp,
    entries: Vec<CalendarEntry>,
    shortened: BTreeSet<String>,
}

fn acts(all: &[String]) -> String {
    if all.is_empty() {
        "everything".to_owned()
    } else {
        all.join(", ")
    }
}

fn on(nodes: &str) -> String {
    match nodes {
        "" | "*" => String::new(),
        nodes => format!(" on {nodes}"),
    }
}

impl Page {
    fn window(&mut self, policy: &str, detail: &str, window: &Window) {
        let mut at = self.from;
        for count in 0.. {
            let Some((opens, closes)) = next_open(window, at).filter(|(opens, _)| *opens < self.until) else {
                return;
            };
            if count >= MOST_TIMES {
                self.shortened.insert(policy.to_owned());
                return;
            }
            self.entries.push(CalendarEntry {
                kind: EntryKind::Window,
                from: opens,
                until: Some(closes),
                title: policy.to_owned(),
                detail: detail.to_owned(),
                href: "/approvals/policies".into(),
                freezes: Vec::new(),
            });
            at = closes;
        }
    }

    fn policies(&mut self, policies: &Policies) {
        for freeze in &policies.freezes {
            let (Some(from), Some(until)) = (Timestamp::parse(&freeze.from), Timestamp::parse(&freeze.until))
            else {
                continue;
            };
            let entry = CalendarEntry {
                kind: EntryKind::Freeze,
                from,
                until: Some(until),
                title: freeze.name.clone(),
                detail: format!("Stops {}{}", acts(&freeze.acts), on(&freeze.nodes)),
                href: "/approvals/policies".into(),
                freezes: Vec::new(),
            };
            if entry.touches(self.from, self.until) {
                self.entries.push(entry);
            }
        }
        for policy in &policies.policies {
            let detail = format!(
                "For what was approved: {}{}",
                acts(&policy.acts),
                on(&policy.nodes)
            );
            for window in &policy.windows {
                self.window(&policy.name, &detail, window);
            }
        }
    }
}

impl Page {
    /// Systems Manager opens a maintenance window whatever the policies say, so what falls in a freeze says so.
    fn say_freezes(&mut self) {
        let freezes: Vec<(String, Timestamp, Option<Timestamp>)> = self
            .entries
            .iter()
            .filter(|entry| entry.kind == EntryKind::Freeze)
            .map(|entry| (entry.title.clone(), entry.from, entry.until))
            .collect();
        let opens = self
            .entries
            .iter_mut()
            .filter(|entry| entry.kind == EntryKind::Maintenance);
        for entry in opens {
            let closes = entry.until.unwrap_or(entry.from);
            entry.freezes = freezes
                .iter()
                .filter(|(_, from, until)| *from < closes && until.is_none_or(|until| until > entry.from))
                .map(|(name, ..)| name.clone())
                .collect();
        }
    }
}

impl ApprovalService {
    /// Openings of maintenance windows, from the portal's copy.
    async fn maintenance(&self, now: Timestamp, page: &mut Page) -> Result<(), PortalError> {
        let (db, connection) = (&self.db, self.windows.ssm.connection.id.as_str());
        let mut all = openings::windows(db, connection, page.until, MOST_WINDOWS + 1)
            .await
            .map_err(store)?;
        if all.len() > MOST_WINDOWS {
            all.truncate(MOST_WINDOWS);
            page.shortened
                .insert(format!("maintenance windows after the first {MOST_WINDOWS}"));
        }
        for window in all {
            let mut found = window.openings((page.from, page.until), now, MOST_TIMES + 1);
            if found.len() > MOST_TIMES {
                found.truncate(MOST_TIMES);
                page.shortened.insert(window.name.clone());
            }
            page.entries
                .extend(found.into_iter().map(|opening| CalendarEntry {
                    kind: EntryKind::Maintenance,
                    from: opening.opens,
                    until: Some(opening.closes),
                    title: window.name.clone(),
                    detail: opening.words,
                    href: format!("/windows/{}", window.id),
                    freezes: Vec::new(),
                }));
        }
        Ok(())
    }

    async fn waiting_for_time(
        &self,
        actor: &Actor,
        scopes: &[Scope],
        page: &mut Page,
    ) -> Result<(), PortalError> {
        let mut sql = rows::of(&self.db);
        sql.push(" and r.state = 'approved' and r.runs_at >= ")
            .int(page.from.0)
            .push(" and r.runs_at < ")
            .int(page.until.0)
            .push(" and ");
        push_visible(&mut sql, &self.db, actor, scopes);
        sql.push(" order by r.runs_at limit ").int(MOST_REQUESTS);
        for found in sql.all(self.db.reader()).await.map_err(store)? {
            let row = rows::request(&found).map_err(store)?;
            let Some(at) = row.runs_at else { continue };
            page.entries.push(CalendarEntry {
                kind: EntryKind::Request,
                from: at,
                until: None,
                title: row.title,
                detail: format!("{}, asked for by {}", row.id, row.standing.requester),
                href: format!("/approvals/{}", row.id),
                freezes: Vec::new(),
            });
        }
        Ok(())
    }

    async fn scheduled(&self, scopes: &[Scope], now: Timestamp, page: &mut Page) -> Result<(), PortalError> {
        for schedule in self.runbooks.seen_schedules(scopes).await? {
            let is_on = schedule.enabled && schedule.held.is_empty() && schedule.state != "gone";
            let Ok(moments) = Moments::read(&schedule.timing, schedule.created_at) else {
                continue;
            };
            // What is over has its execution.
            let after = page.from.plus_ms(-1).max(now);
            let until = page.until;
            let starts: Vec<Timestamp> = moments
                .after(after, MOST_TIMES + 1)
                .take_while(|at| *at < until)
                .collect();
            if !is_on {
                continue;
            }
            if starts.len() > MOST_TIMES {
                page.shortened.insert(schedule.name.clone());
            }
            page.entries
                .extend(starts.into_iter().take(MOST_TIMES).map(|at| CalendarEntry {
                    kind: EntryKind::Schedule,
                    from: at,
                    until: None,
                    title: schedule.name.clone(),
                    detail: format!("Starts {}, for {}", schedule.plan.document, schedule.created_by),
                    href: "/schedules".into(),
                    freezes: Vec::new(),
                }));
        }
        Ok(())
    }
}

#[async_trait]
impl Calendar for ApprovalService {
    async fn calendar(&self, actor: &Actor, month: Option<Month>) -> Result<CalendarPage, PortalError> {
        let intent = Intent::new(Action::ApprovalsRead, "");
        self.door
            .pass(actor, intent, Ok(()), async |pass| {
                let now = self.clock.now();
                let (from, until) = span(month, now);
                let mut page = Page {
                    from,
                    until,
                    entries: Vec::new(),
                    shortened: BTreeSet::new(),
                };
                let policies = self.gate.book.current().await.map_err(store)?;
                page.policies(&policies.policies);
                self.waiting_for_time(actor, &pass.scopes, &mut page).await?;
                self.scheduled(&pass.scopes, now, &mut page).await?;
                // Who may not see maintenance windows sees none here either.
                if actor.may(Action::WindowsRead) {
                    self.maintenance(now, &mut page).await?;
                }
                page.say_freezes();
                page.entries
                    .sort_by(|a, b| (a.from, a.kind, &a.title).cmp(&(b.from, b.kind, &b.title)));
                Ok(CalendarPage {
                    month,
                    from,
                    until,
                    now,
                    entries: page.entries,
                    shortened: page.shortened.into_iter().collect(),
                })
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::approvals::policies::read;

    #[test]
    fn windows_and_freezes_come_to_their_days() {
        let policies = read(
            r#"
            [[freeze]]
            name = "Year's end"
            from = "2026-12-20T00:00Z"
            until = "2027-01-04T00:00Z"
            [[freeze]]
            name = "Long over"
            from = "2026-01-01T00:00Z"
            until = "2026-01-04T00:00Z"
            [[policy]]
            name = "Production"
            acts = ["commands.run"]
            nodes = "Environment=Production"
            windows = [{ schedule = "cron(0 2 ? * SUN *)", hours = 4 }, { schedule = "rate(1 hour)", hours = 1 }]
            [[policy.levels]]
            of = ["role:approver"]
            "#,
        )
        .unwrap();
        let at = |text: &str| Timestamp::parse(text).unwrap();
        let mut page = Page {
            from: at("2026-12-01"),
            until: at("2027-01-01"),
            entries: Vec::new(),
            shortened: BTreeSet::new(),
        };
        page.policies(&policies);
        let of = |kind: EntryKind| page.entries.iter().filter(move |entry| entry.kind == kind);
        let freezes: Vec<&str> = of(EntryKind::Freeze).map(|entry| entry.title.as_str()).collect();
        assert_eq!(freezes, ["Year's end"]);
        let sundays: Vec<Timestamp> = of(EntryKind::Window)
            .filter(|entry| {
                entry
                    .until
                    .is_some_and(|end| end.since_ms(entry.from) == 4 * 3_600_000)
            })
            .map(|entry| entry.from)
            .collect();
        assert_eq!(
            sundays,
            [
                "2026-12-06T02:00",
                "2026-12-13T02:00",
                "2026-12-20T02:00",
                "2026-12-27T02:00"
            ]
            .map(at)
        );
        // What Systems Manager opens by itself says in which freeze that falls.
        for (title, from, until) in [
            ("in it", "2026-12-24T02:00", "2026-12-24T04:00"),
            ("before it", "2026-12-19T20:00", "2026-12-20T00:00"),
            ("into it", "2026-12-19T23:00", "2026-12-20T01:00"),
        ] {
            page.entries.push(CalendarEntry {
                kind: EntryKind::Maintenance,
                from: at(from),
                until: Some(at(until)),
                title: title.into(),
                detail: String::new(),
                href: String::new(),
                freezes: Vec::new(),
            });
        }
        page.say_freezes();
        let said: Vec<(&str, usize)> = page
            .entries
            .iter()
            .filter(|entry| entry.kind == EntryKind::Maintenance)
            .map(|entry| (entry.title.as_str(), entry.freezes.len()))
            .collect();
        assert_eq!(said, [("in it", 1), ("before it", 0), ("into it", 1)]);
        let of = |kind: EntryKind| page.entries.iter().filter(move |entry| entry.kind == kind);
        assert!(of(EntryKind::Window).all(|entry| entry.freezes.is_empty()));
        // One that opens all the time is not shown without end.
        assert_eq!(of(EntryKind::Window).count(), 4 + MOST_TIMES);
        assert_eq!(page.shortened.iter().collect::<Vec<_>>(), ["Production"]);
    }
}
