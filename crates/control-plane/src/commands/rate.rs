//! Rate control as a pure function: how many more nodes may be sent to now, and whether to stop.

/// A number, or a share of the targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    Number(i64),
    Percent(i64),
}

impl Limit {
    /// Reads `50` or `10%`; the request's checks have seen to the form.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text.strip_suffix('%') {
            Some(number) => number.parse().ok().map(Self::Percent),
            None => text.parse().ok().map(Self::Number),
        }
    }

    /// As a number of so many targets.
    pub(crate) fn of(self, targets: i64) -> i64 {
        match self {
            Self::Number(number) => number,
            Self::Percent(percent) => targets.saturating_mul(percent) / 100,
        }
    }
}

/// How a command stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Nodes in all.
    pub(crate) targets: i64,
    /// Nodes that were sent to and are not done.
    pub(crate) running: i64,
    /// Nodes that have acknowledged the command, done or not.
    pub(crate) acknowledged: i64,
    /// Nodes that failed or ran out of time while running.
    pub(crate) errors: i64,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Send to at most so many more nodes.
    Send(i64),
    /// Too many errors: whoever was not sent to is not sent to any more.
    Stop,
}

/// Whether so many errors are too many: the limit is what may still happen, one more stops.
pub(crate) fn too_many_errors(errors: i64, max_errors: Limit, targets: i64) -> bool {
    errors > max_errors.of(targets)
}

/// Decides. Sending ramps 1, 2, 4, … up to the limit: each acknowledgement makes room for itself and one
/// more, so a command that breaks the very first node does not reach many.
pub(crate) fn next(max_concurrency: Limit, max_errors: Limit, progress: Progress) -> Next {
    if too_many_errors(progress.errors, max_errors, progress.targets) {
        return Next::Stop;
    }
    let most = max_concurrency.of(progress.targets).max(1);
    let ramp = progress.acknowledged.saturating_add(1);
    Next::Send((most.min(ramp) - progress.running).max(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn progress(targets: i64, running: i64, acknowledged: i64, errors: i64) -> Progress {
        Progress {
            targets,
            running,
            acknowledged,
            errors,
        }
    }

    #[test]
    fn sending_ramps_up_to_the_limit() {
        let send = |p| next(Limit::Number(5), Limit::Number(0), p);
        assert_eq!(send(progress(100, 0, 0, 0)), Next::Send(1));
        assert_eq!(send(progress(100, 1, 0, 0)), Next::Send(0));
        assert_eq!(send(progress(100, 0, 1, 0)), Next::Send(2));
        assert_eq!(send(progress(100, 1, 1, 0)), Next::Send(1));
        assert_eq!(send(progress(100, 0, 3, 0)), Next::Send(4));
        assert_eq!(send(progress(100, 0, 50, 0)), Next::Send(5));
    }

    #[test]
    fn errors_stop_at_one_more_than_allowed() {
        let stops = |limit: &str, errors, targets| {
            next(
                Limit::Number(50),
                Limit::parse(limit).unwrap(),
                progress(targets, 0, errors, errors),
            ) == Next::Stop
        };
        assert!(!stops("0", 0, 9) && stops("0", 1, 9));
        assert!(!stops("3", 3, 9) && stops("3", 4, 9));
        // Ten per cent of fifty: the sixth error stops.
        assert!(!stops("10%", 5, 50) && stops("10%", 6, 50));
        assert!(!stops("100%", 9, 9));
    }

    #[test]
    fn shares_are_of_the_targets_and_at_least_one_node() {
        assert_eq!(
            next(
                Limit::parse("10%").unwrap(),
                Limit::Number(0),
                progress(50, 0, 40, 0)
            ),
            Next::Send(5)
        );
        assert_eq!(
            next(
                Limit::parse("1%").unwrap(),
                Limit::Number(0),
                progress(3, 0, 3, 0)
            ),
            Next::Send(1)
        );
        assert_eq!(Limit::parse("x"), None);
    }

    proptest! {
        #[test]
        fn never_more_at_once_than_allowed(most in 1_i64..100, running in 0_i64..200, done in 0_i64..200, errors in 0_i64..5) {
            let p = progress(1_000, running, running + done, errors);
            if let Next::Send(more) = next(Limit::Number(most), Limit::Number(4), p) {
                prop_assert!(more >= 0);
                prop_assert!(more == 0 || running + more <= most);
            }
        }
    }
}
