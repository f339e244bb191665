//! How a command stands as a whole. One call: as Systems Manager says. Several calls: as their nodes stand,
//! by the rules that Systems Manager has for one.

use crate::commands::apply::{News, Whole, apply};
use crate::commands::dispatch::absolute;
use crate::commands::follow::{FollowError, Follower};
use crate::commands::invocations::{self, Tally};
use crate::commands::parts::Part;
use crate::commands::queries::CommandRow;
use crate::commands::ssm;
use crate::events::PortalEvent;
use muster_domain::commands::CommandStatus;

/// Writes down how the command stands now.
///
/// # Errors
/// When the database or Systems Manager does not answer.
pub(super) async fn sum_up(follower: &Follower, row: &CommandRow, parts: &[Part]) -> Result<(), FollowError> {
    let command = &row.summary.command_id;
    let tally = invocations::tally(&follower.db, command).await?;
    let found = match parts {
        [only] => of_one(follower, row, only, &tally).await?,
        several => Some(of_several(row, several, &tally)),
    };
    let Some(summary) = found else { return Ok(()) };
    let news = News {
        summary: Some(summary),
        ..News::default()
    };
    if apply(&follower.db, command, &news, follower.clock.now()).await? > 0 {
        follower.bus.tell(PortalEvent::Command(command.clone()));
    }
    Ok(())
}

async fn of_one(
    follower: &Follower,
    row: &CommandRow,
    part: &Part,
    tally: &Tally,
) -> Result<Option<Whole>, FollowError> {
    if matches!(part.state.as_str(), "dropped" | "refused") {
        return Ok(Some(of_several(row, std::slice::from_ref(part), tally)));
    }
    let Some(id) = part
        .ssm_command_id
        .as_ref()
        .filter(|_| matches!(part.state.as_str(), "sent" | "ended"))
    else {
        return Ok(None);
    };
    let Some(seen) = ssm::command(&follower.ssm, id).await? else {
        return Ok(None);
    };
    Ok(Some(Whole {
        status: seen.status,
        status_details: seen.status_details,
        targets: seen.targets,
        completed: seen.completed,
        errors: seen.errors,
        finished: seen.status.is_final() && tally.incomplete == 0 && seen.targets <= tally.nodes,
        problem: row.problem.clone(),
    }))
}

fn of_several(row: &CommandRow, parts: &[Part], tally: &Tally) -> Whole {
    let any = |states: &[&str]| parts.iter().any(|part| states.contains(&part.state.as_str()));
    let open = any(&["queued", "sending"]);
    let status = status(row, tally, open, any(&["refused"]));
    Whole {
        status,
        status_details: status.as_str().to_owned(),
        targets: tally.nodes,
        completed: tally.ended,
        errors: tally.errors(),
        finished: status.is_final() && tally.incomplete == 0,
        problem: row.problem.clone(),
    }
}

fn status(row: &CommandRow, tally: &Tally, open: bool, refused: bool) -> CommandStatus {
    use CommandStatus::{Cancelled, Cancelling, Failed, InProgress, Pending, Success, TimedOut};
    let cancelling = row.cancel_requested_at.is_some();
    if open || tally.ended < tally.nodes {
        return match tally.begun {
            _ if cancelling => Cancelling,
            0 if tally.ended == 0 => Pending,
            _ => InProgress,
        };
    }
    if cancelling && tally.cancelled > 0 {
        return Cancelled;
    }
    if tally.errors() > absolute(&row.max_errors, tally.nodes, 0) {
        return if tally.failed == 0 { TimedOut } else { Failed };
    }
    if tally.succeeded == tally.nodes {
        Success
    } else if tally.undelivered == tally.nodes {
        TimedOut
    } else if refused || tally.succeeded == 0 || tally.errors() + tally.undelivered + tally.cancelled > 0 {
        Failed
    } else {
        Success
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::queries::test_row;
    use muster_domain::Timestamp;

    fn of(tally: Tally, open: bool, max_errors: &str) -> CommandStatus {
        let mut row = test_row();
        max_errors.clone_into(&mut row.max_errors);
        status(&row, &tally, open, false)
    }

    #[test]
    fn several_calls_stand_as_one_would() {
        use CommandStatus::{Failed, InProgress, Pending, Success, TimedOut};
        let nodes = |ended, succeeded| Tally {
            nodes: 100,
            ended,
            succeeded,
            begun: ended,
            ..Tally::default()
        };
        assert_eq!(of(nodes(0, 0), true, "0"), Pending);
        assert_eq!(of(nodes(50, 50), true, "0"), InProgress);
        assert_eq!(of(nodes(50, 50), false, "0"), InProgress);
        assert_eq!(of(nodes(100, 100), false, "0"), Success);
        let some = Tally {
            failed: 3,
            ..nodes(100, 97)
        };
        assert_eq!(of(some.clone(), false, "0"), Failed);
        assert_eq!(
            of(some, false, "10%"),
            Failed,
            "what was tried and failed spoils it"
        );
        let late = Tally {
            late: 100,
            ..nodes(100, 0)
        };
        assert_eq!(of(late, false, "0"), TimedOut);
        let away = Tally {
            undeliverable: 40,
            ..nodes(100, 60)
        };
        assert_eq!(of(away, false, "0"), Success, "who cannot be reached does not");
    }

    #[test]
    fn what_was_stopped_is_cancelled_once_all_have_ended() {
        let mut row = test_row();
        row.cancel_requested_at = Some(Timestamp(1));
        let mut tally = Tally {
            nodes: 10,
            ended: 4,
            begun: 6,
            succeeded: 4,
            ..Tally::default()
        };
        assert_eq!(status(&row, &tally, false, false), CommandStatus::Cancelling);
        tally.ended = 10;
        tally.cancelled = 6;
        assert_eq!(status(&row, &tally, false, false), CommandStatus::Cancelled);
    }
}
