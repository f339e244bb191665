//! One field of a cron expression: which values it takes.

use crate::ScheduleError;

/// What a field is called, what it may hold, and the names of its values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) min: u16,
    pub(crate) max: u16,
    /// Names of the values from `min` on.
    pub(crate) names: &'static [&'static str],
}

impl Kind {
    pub(crate) fn refuse(&self, text: &str, why: impl Into<String>) -> ScheduleError {
        ScheduleError::Field {
            field: self.name,
            text: text.chars().take(64).collect(),
            why: why.into(),
        }
    }

    /// A number or a name.
    pub(crate) fn value(&self, text: &str) -> Result<u16, ScheduleError> {
        let named = self.names.iter().position(|name| name.eq_ignore_ascii_case(text));
        let value = match named {
            Some(at) => u16::try_from(at).ok().map(|at| self.min + at),
            None if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok(),
            None => None,
        };
        value
            .filter(|value| (self.min..=self.max).contains(value))
            .ok_or_else(|| {
                let names = match (self.names.first(), self.names.last()) {
                    (Some(first), Some(last)) => format!(", or {first} to {last}"),
                    _ => String::new(),
                };
                self.refuse(text, format!("it takes {} to {}{names}", self.min, self.max))
            })
    }
}

/// The values that a field takes, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Values(Vec<u16>);

impl Values {
    /// Reads lists, ranges and steps: `1,5`, `MON-FRI`, `*/15`, `10/5`, `*`.
    pub(crate) fn parse(text: &str, kind: &Kind) -> Result<Self, ScheduleError> {
        let mut values = Vec::new();
        for part in text.split(',') {
            let (range, step) = match part.split_once('/') {
                Some((range, step)) => {
                    let step = step
                        .parse::<u16>()
                        .ok()
                        .filter(|step| *step > 0)
                        .ok_or_else(|| kind.refuse(part, "behind / stands a whole number from 1"))?;
                    (range, Some(step))
                }
                None => (part, None),
            };
            let (from, to) = match range.split_once('-') {
                _ if range == "*" => (kind.min, kind.max),
                Some((from, to)) => (kind.value(from)?, kind.value(to)?),
                None => {
                    let from = kind.value(range)?;
                    // A step without an end goes on to the largest value.
                    (from, if step.is_some() { kind.max } else { from })
                }
            };
            let step = usize::from(step.unwrap_or(1));
            if from <= to {
                values.extend((from..=to).step_by(step));
            } else {
                // Around the end: FRI-MON.
                values.extend((from..=kind.max).chain(kind.min..=to).step_by(step));
            }
        }
        values.sort_unstable();
        values.dedup();
        Ok(Self(values))
    }

    pub(crate) fn has(&self, value: u16) -> bool {
        self.0.binary_search(&value).is_ok()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = u16> + '_ {
        self.0.iter().copied()
    }

    pub(crate) fn last(&self) -> Option<u16> {
        self.0.last().copied()
    }
}
