//! The calendar of windows and freezes: a grid of weeks, and the same as a list. The address has the month; days are those of UTC.

use super::calendar_api::get_calendar;
use crate::components::{ErrorNotice, Glyph, Icon, PageHead, Skeleton};
use crate::error::set_page_status;
use crate::url::{address, use_query};
use leptos::prelude::*;
use muster_domain::Timestamp;
use muster_domain::approvals::{CalendarEntry, CalendarPage as Shown, DAY_MS, EntryKind, Month};

/// Entries in a day of the grid at most.
const IN_A_DAY: usize = 3;
const WEEK: i64 = 7;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// Its drawing, so that a kind is told by more than its colour.
const fn glyph(kind: EntryKind) -> Glyph {
    match kind {
        EntryKind::Freeze => Glyph::Lock,
        EntryKind::Window => Glyph::Clock,
        EntryKind::Maintenance => Glyph::Calendar,
        EntryKind::Request => Glyph::Check,
        EntryKind::Schedule => Glyph::Runbook,
    }
}

/// That something falls in a freeze which does not stop it.
fn frozen(freezes: &[String]) -> Option<String> {
    match freezes {
        [] => None,
        [one] => Some(format!("In the freeze “{one}”, which does not keep it closed")),
        several => Some(format!(
            "In the freezes {}, which do not keep it closed",
            several
                .iter()
                .map(|one| format!("“{one}”"))
                .collect::<Vec<_>>()
                .join(" and ")
        )),
    }
}

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

fn name_of(month: Month) -> String {
    let at = usize::try_from(month.month.saturating_sub(1)).unwrap_or_default();
    format!("{} {}", MONTHS.get(at).copied().unwrap_or_default(), month.year)
}

fn href(month: Option<Month>) -> String {
    address(
        "/approvals/calendar",
        [("month", month.map(|month| month.to_string()).unwrap_or_default())],
    )
}

/// Monday is 0. The first day of 1970 was a Thursday.
fn weekday(day: Timestamp) -> i64 {
    (day.0.div_euclid(DAY_MS) + 3).rem_euclid(WEEK)
}

/// `Sun 29 November`.
fn day_name(day: Timestamp) -> String {
    let (_, month, date, ..) = day.civil();
    let name = usize::try_from(weekday(day)).ok().and_then(|at| DAYS.get(at));
    let month = usize::try_from(month.saturating_sub(1))
        .ok()
        .and_then(|at| MONTHS.get(at));
    format!(
        "{} {date} {}",
        name.copied().unwrap_or_default(),
        month.copied().unwrap_or_default()
    )
}

fn day_id(day: Timestamp) -> String {
    let (year, month, date, ..) = day.civil();
    format!("day-{year:04}-{month:02}-{date:02}")
}

fn clock(at: Timestamp) -> String {
    let (_, _, _, hour, minute, ..) = at.civil();
    format!("{hour:02}:{minute:02}")
}

/// From when until when an entry is on, as its day shows it.
fn time_of(entry: &CalendarEntry, day: Timestamp) -> String {
    let next = day.plus_ms(DAY_MS);
    let from = if entry.from < day { day } else { entry.from };
    match entry.until {
        None => clock(entry.from),
        Some(until) if entry.from <= day && until >= next => "all day".to_owned(),
        Some(until) if until >= next => format!("from {}", clock(from)),
        Some(until) if entry.from < day => format!("until {}", clock(until)),
        Some(until) => format!("{}–{}", clock(from), clock(until)),
    }
}

fn days(from: Timestamp, until: Timestamp) -> impl Iterator<Item = Timestamp> {
    let count = until.since_ms(from) / DAY_MS;
    (0..count).map(move |at| from.plus_ms(at * DAY_MS))
}

/// The page.
#[component]
pub(crate) fn CalendarPage() -> impl IntoView {
    let query = use_query();
    let month = Memo::new(move |_| query.with(|query| query.text("month").unwrap_or_default()));
    let shown = Resource::new(move || month.get(), |month| get_calendar(Some(month)));
    view! {
        <nav class="crumbs" aria-label="Path">
            <a href="/approvals">"Approvals"</a>
            " / Calendar"
        </nav>
        <PageHead
            title="Calendar"
            subtitle=|| "Windows, freezes, maintenance windows, what was approved and waits for its time, and what is scheduled. Days and times are UTC."
        >
            <a class="btn" href="/schedules">
                "Schedules"
            </a>
        </PageHead>
        <Transition fallback=|| view! { <div class="card"><Skeleton lines=10 /></div> }>
            {move || Suspend::new(async move {
                match shown.await {
                    Ok(shown) => view! { <Pages shown /> }.into_any(),
                    Err(error) => {
                        set_page_status(&error);
                        view! {
                            <div class="card card-body">
                                <ErrorNotice error what="the calendar" clear="/approvals/calendar" />
                            </div>
                        }
                            .into_any()
                    }
                }
            })}
        </Transition>
    }
}

#[component]
fn Pages(shown: Shown) -> impl IntoView {
    let at = shown.month.unwrap_or_else(|| Month::of(shown.now));
    let title = shown
        .month
        .map_or_else(|| "The coming four weeks".to_owned(), name_of);
    // From the coming weeks the month of today is as near as the next.
    let (before, after) = if shown.month.is_some() {
        (at.before(), at.after())
    } else {
        (at, at.after())
    };
    let is_month = shown.month.is_some();
    let shortened = shown.shortened.join(", ");
    view! {
        <div class="calendar-head">
            <h2 data-calendar=shown.month.map(|month| month.to_string()).unwrap_or_default()>{title}</h2>
            <nav class="row" aria-label="Months">
                <a class="btn" href=href(Some(before))>
                    {name_of(before)}
                </a>
                {is_month.then(|| view! { <a class="btn" href=href(None)>"Coming four weeks"</a> })}
                <a class="btn" href=href(Some(after))>
                    {name_of(after)}
                </a>
            </nav>
            <ul class="calendar-legend" aria-label="What the colours mean">
                {EntryKind::ALL
                    .into_iter()
                    .map(|kind| {
                        view! {
                            <li class=format!("calendar-kind {}", kind.word())>
                                <Icon glyph=glyph(kind) />
                                {kind.label()}
                            </li>
                        }
                    })
                    .collect_view()}
            </ul>
        </div>
        {(!shortened.is_empty())
            .then(|| {
                view! {
                    <p class="muted small-text">
                        {format!("These come more often than is shown here: {shortened}.")}
                    </p>
                }
            })}
        <Grid shown=shown.clone() />
        <Agenda shown />
    }
}

/// Weeks from Monday to Sunday.
#[component]
fn Grid(shown: Shown) -> impl IntoView {
    let first = shown.from.plus_ms(-weekday(shown.from) * DAY_MS);
    let last = shown
        .until
        .plus_ms((WEEK - weekday(shown.until)).rem_euclid(WEEK) * DAY_MS);
    let all: Vec<Timestamp> = days(first, last).collect();
    let weeks: Vec<Vec<Timestamp>> = all.chunks(7).map(<[Timestamp]>::to_vec).collect();
    view! {
        <table class="card calendar-grid" aria-label="Weeks">
            <thead>
                <tr>{DAYS.into_iter().map(|name| view! { <th scope="col">{name}</th> }).collect_view()}</tr>
            </thead>
            <tbody>
                {weeks
                    .into_iter()
                    .map(|week| {
                        view! {
                            <tr>
                                {week.into_iter().map(|day| view! { <Day day shown=shown.clone() /> }).collect_view()}
                            </tr>
                        }
                    })
                    .collect_view()}
            </tbody>
        </table>
    }
}

#[component]
fn Day(day: Timestamp, shown: Shown) -> impl IntoView {
    let next = day.plus_ms(DAY_MS);
    let is_within = day >= shown.from && day < shown.until;
    let is_today = day <= shown.now && shown.now < next;
    let (_, month, date, ..) = day.civil();
    let label = if date == 1 || day == shown.from {
        let name = usize::try_from(month.saturating_sub(1))
            .ok()
            .and_then(|at| MONTHS.get(at));
        format!(
            "{date} {}",
            name.and_then(|name| name.get(..3)).unwrap_or_default()
        )
    } else {
        date.to_string()
    };
    let entries: Vec<CalendarEntry> = shown
        .entries
        .into_iter()
        .filter(|entry| is_within && entry.touches(day, next))
        .collect();
    let more = entries.len().saturating_sub(IN_A_DAY);
    view! {
        <td class:outside=!is_within class:today=is_today aria-current=is_today.then_some("date")>
            <div class="calendar-date">{label}</div>
            {entries
                .into_iter()
                .take(IN_A_DAY)
                .map(|entry| {
                    let class = format!("calendar-entry {}", entry.kind.word());
                    let time = time_of(&entry, day);
                    let freeze = frozen(&entry.freezes);
                    let more = freeze.as_ref().map(|text| format!(". {text}")).unwrap_or_default();
                    let hint = format!("{}: {}, {time}{more}", entry.kind.label(), entry.title);
                    view! {
                        <a class=class href=entry.href title=hint>
                            <Icon glyph=glyph(entry.kind) />
                            {freeze
                                .map(|text| {
                                    view! {
                                        <Icon glyph=Glyph::Warning />
                                        <span class="visually-hidden">{format!("{text}. ")}</span>
                                    }
                                })}
                            <span class="visually-hidden">{format!("{}: ", entry.kind.label())}</span>
                            <span class="calendar-time">{time}</span>
                            " "
                            {entry.title}
                        </a>
                    }
                })
                .collect_view()}
            {(more > 0)
                .then(|| {
                    view! {
                        <a class="calendar-more small-text" href=format!("#{}", day_id(day)) rel="external">
                            {format!("{more} more")}
                            <span class="visually-hidden">{format!(" on {}", day_name(day))}</span>
                        </a>
                    }
                })}
        </td>
    }
}

/// The same as a list, day by day.
#[component]
fn Agenda(shown: Shown) -> impl IntoView {
    let Shown {
        from,
        until,
        now,
        entries,
        ..
    } = shown;
    let listed: Vec<(Timestamp, Vec<CalendarEntry>)> = days(from, until)
        .map(|day| {
            let next = day.plus_ms(DAY_MS);
            // What goes on for days is listed where it begins.
            let of_day = entries
                .iter()
                .filter(|entry| entry.touches(day, next) && (entry.from >= day || day == from));
            (day, of_day.cloned().collect())
        })
        .filter(|(_, all): &(_, Vec<_>)| !all.is_empty())
        .collect();
    if listed.is_empty() {
        return view! {
            <section class="card card-body" data-agenda="">
                <p class="muted">"Nothing is planned in this time: no policy has a window or a freeze in it, no maintenance window is open, and nothing is scheduled."</p>
            </section>
        }
        .into_any();
    }
    view! {
        <section class="card calendar-agenda" aria-labelledby="agenda-title" data-agenda="">
            <header>
                <h2 id="agenda-title">"Agenda"</h2>
            </header>
            <ol class="agenda">
                {listed
                    .into_iter()
                    .map(|(day, all)| {
                        let is_today = day <= now && now < day.plus_ms(DAY_MS);
                        view! {
                            <li id=day_id(day)>
                                <h3>
                                    {day_name(day)}
                                    {is_today.then(|| view! { " " <span class="tag">"today"</span> })}
                                </h3>
                                <ul>{all.into_iter().map(|entry| view! { <Line entry day /> }).collect_view()}</ul>
                            </li>
                        }
                    })
                    .collect_view()}
            </ol>
        </section>
    }
    .into_any()
}

#[component]
fn Line(entry: CalendarEntry, day: Timestamp) -> impl IntoView {
    let next = day.plus_ms(DAY_MS);
    let ends = entry
        .until
        .filter(|until| *until > next)
        .map(|until| format!(", until {}", until.readable()));
    view! {
        <li class="agenda-line" data-entry=entry.kind.word()>
            <span class="mono nowrap">{time_of(&entry, day)}</span>
            <span class=format!("calendar-kind {}", entry.kind.word())>
                <Icon glyph=glyph(entry.kind) />
                {entry.kind.label()}
            </span>
            <span>
                <a class="strong" href=entry.href.clone()>
                    {entry.title.clone()}
                </a>
                <span class="muted small-text">{format!(" {}", entry.detail)} {ends}</span>
                {frozen(&entry.freezes)
                    .map(|text| {
                        view! {
                            <span class="calendar-frozen small-text" data-frozen="">
                                <Icon glyph=Glyph::Warning />
                                {format!("{text}.")}
                            </span>
                        }
                    })}
            </span>
        </li>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn days_have_their_names_and_weeks_begin_on_monday() {
        assert_eq!(weekday(at("1970-01-05")), 0);
        assert_eq!(day_name(at("2026-11-29")), "Sun 29 November");
        assert_eq!(day_id(at("2026-11-29")), "day-2026-11-29");
        assert_eq!(days(at("2026-12-01"), at("2027-01-01")).count(), 31);
        assert_eq!(name_of(Month::parse("2026-02").unwrap()), "February 2026");
    }

    #[test]
    fn an_entry_says_its_times_of_that_day() {
        let mut entry = CalendarEntry {
            kind: EntryKind::Window,
            from: at("2026-11-29T22:00"),
            until: Some(at("2026-12-01T06:00")),
            title: String::new(),
            detail: String::new(),
            href: String::new(),
            freezes: Vec::new(),
        };
        let said = |entry: &CalendarEntry, day: &str| time_of(entry, at(day));
        assert_eq!(said(&entry, "2026-11-29"), "from 22:00");
        assert_eq!(said(&entry, "2026-11-30"), "all day");
        assert_eq!(said(&entry, "2026-12-01"), "until 06:00");
        entry.until = Some(at("2026-11-29T23:30"));
        assert_eq!(said(&entry, "2026-11-29"), "22:00–23:30");
        entry.until = None;
        assert_eq!(said(&entry, "2026-11-29"), "22:00");
        assert_eq!(frozen(&[]), None);
        let both = frozen(&["Year's end".into(), "Audit".into()]).unwrap();
        assert!(both.contains("“Year's end” and “Audit”"), "{both}");
    }
}
