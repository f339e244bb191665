//! The nodes of a command that need a look first: those that failed, with the end of what they wrote, and those that
//! are not done, with when they will be given up.

use crate::commands::invocations::{INVOCATION_COLUMNS, invocation, push_invocation_scope};
use crate::commands::queries::{CommandRow, count};
use crate::commands::reads;
use muster_domain::Timestamp;
use muster_domain::commands::{
    EXECUTION_TIMEOUT, FailedNode, Glance, InvocationView, OutputRange, OutputStream, UnfinishedNode,
};
use muster_domain::fleet::PingStatus;
use muster_domain::ids::CommandId;
use muster_domain::permission::Scope;
use muster_store::{Db, RowExt, Sql, StoreError};

/// Nodes of a kind that are named.
pub const NAMED: i64 = 20;
/// Lines shown of each node that failed …
const LINES: usize = 3;
/// … out of so many bytes at the end of what it wrote.
const END_BYTES: i64 = 2_048;
/// Seconds that the documents for scripts allow when nothing was given.
const USUAL_EXECUTION: i64 = 3_600;

const FAILED: &str = "i.status in ('Failed', 'TimedOut')";
const UNFINISHED: &str = "i.status in ('Pending', 'InProgress', 'Delayed', 'Cancelling')";

/// What needs a look, within the reader's scope.
///
/// # Errors
/// When the database does not answer.
pub async fn glance(db: &Db, row: &CommandRow, scopes: &[Scope]) -> Result<Glance, StoreError> {
    let command = &row.summary.command_id;
    let failed_count = counted(db, command, FAILED, scopes).await?;
    let mut failed = Vec::new();
    if failed_count > 0 {
        let mut sql = Sql::new(INVOCATION_COLUMNS);
        sql.push(" where i.command_id = ").text(command.as_str());
        sql.push(" and ").push(FAILED);
        push_invocation_scope(&mut sql, scopes);
        sql.push(" order by i.sort_rank, i.node_name, i.node_id limit ")
            .int(NAMED);
        for found in sql.all(db.reader()).await? {
            failed.push(ended_badly(db, command, invocation(&found)?).await?);
        }
    }
    let unfinished_count = counted(db, command, UNFINISHED, scopes).await?;
    let mut glance = Glance {
        failed,
        failed_count,
        unfinished_count,
        ..Glance::default()
    };
    if unfinished_count > 0 {
        (glance.unfinished, glance.silent_count) = unfinished(db, row, scopes).await?;
    }
    Ok(glance)
}

async fn counted(
    db: &Db,
    command: &CommandId,
    which: &'static str,
    scopes: &[Scope],
) -> Result<u32, StoreError> {
    let mut sql = Sql::new("select count(*) as nodes from command_invocations i where i.command_id = ");
    sql.text(command.as_str()).push(" and ").push(which);
    push_invocation_scope(&mut sql, scopes);
    count(&sql.one(db.reader()).await?, "nodes")
}

async fn ended_badly(
    db: &Db,
    command: &CommandId,
    invocation: InvocationView,
) -> Result<FailedNode, StoreError> {
    // Why it failed mostly stands in the errors; many programs write it to their output all the same.
    let stream = if invocation.stderr_bytes > 0 {
        OutputStream::Stderr
    } else {
        OutputStream::Stdout
    };
    let end = OutputRange::Last(END_BYTES);
    let piece = reads::piece(db, command, &invocation.node_id, stream, end).await?;
    Ok(FailedNode {
        invocation,
        last_lines: last_lines(&piece.text),
        stream,
    })
}

/// With this an agent ends the errors of every script that fails, be a line begun or not; the exit code is said anyway.
const AGENTS_OWN: &str = "failed to run commands: exit status";

/// The last lines that hold something of the script's own.
fn last_lines(text: &str) -> String {
    let mut lines: Vec<&str> = text
        .lines()
        .rev()
        .map(|line| line.split(AGENTS_OWN).next().unwrap_or(line).trim_end())
        .filter(|line| !line.is_empty())
        .take(LINES)
        .collect();
    lines.reverse();
    lines.join("\n")
}

async fn unfinished(
    db: &Db,
    row: &CommandRow,
    scopes: &[Scope],
) -> Result<(Vec<UnfinishedNode>, u32), StoreError> {
    let command = &row.summary.command_id;
    // A node that was deregistered has no row any more, or one that says so: it does not report either.
    let from = " from command_invocations i left join nodes m on m.node_id = i.node_id where i.command_id = ";
    let mut sql = Sql::new("select count(*) as nodes");
    sql.push(from).text(command.as_str());
    sql.push(" and coalesce(m.ping_status, '') <> ")
        .text(PingStatus::Online.as_str());
    sql.push(" and ").push(UNFINISHED);
    push_invocation_scope(&mut sql, scopes);
    let silent = count(&sql.one(db.reader()).await?, "nodes")?;

    let mut sql = Sql::new(
        "select i.node_id, i.node_name, i.status, i.status_details, i.response_code, i.started_at, i.ended_at, \
         i.stdout_bytes, i.stderr_bytes, i.output_hash, m.ping_status, m.last_ping_at",
    );
    sql.push(from).text(command.as_str());
    sql.push(" and ").push(UNFINISHED);
    push_invocation_scope(&mut sql, scopes);
    sql.push(" order by case when m.ping_status = 'Online' then 1 else 0 end, i.sort_rank, i.node_name, i.node_id limit ")
        .int(NAMED);
    let mut nodes = Vec::new();
    for found in sql.all(db.reader()).await? {
        let invocation = invocation(&found)?;
        let online = found.text_or_none("ping_status")?.as_deref() == Some(PingStatus::Online.as_str());
        nodes.push(UnfinishedNode {
            heard_at: found.time_or_none("last_ping_at")?,
            is_silent: !online,
            given_up_at: given_up_at(row, &invocation),
            invocation,
        });
    }
    Ok((nodes, silent))
}

/// When Systems Manager gives a node up: for not having taken the command in time, or for not having ended in time.
fn given_up_at(row: &CommandRow, invocation: &InvocationView) -> Option<Timestamp> {
    let Some(started) = invocation.started_at else {
        return Some(row.summary.requested_at.plus_ms(row.timeout_seconds * 1_000));
    };
    let given = row
        .parameters
        .get(EXECUTION_TIMEOUT)
        .and_then(|values| values.first()?.trim().parse::<i64>().ok());
    let usual = matches!(
        row.summary.document.as_str(),
        "AWS-RunShellScript" | "AWS-RunPowerShellScript"
    )
    .then_some(USUAL_EXECUTION);
    given.or(usual).map(|seconds| started.plus_ms(seconds * 1_000))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::queries::test_row;
    use muster_domain::commands::CommandStatus;

    #[test]
    fn the_end_is_what_says_why() {
        assert_eq!(last_lines("a\nb\n\nc\r\nd\n\n"), "b\nc\nd");
        assert_eq!(
            last_lines("no endfailed to run commands: exit status 3"),
            "no end"
        );
        assert_eq!(last_lines("why\nfailed to run commands: exit status 3"), "why");
        assert_eq!(last_lines(""), "");
    }

    #[test]
    fn it_is_known_when_a_node_is_given_up() {
        let mut row = test_row();
        let mut invocation = InvocationView {
            node_id: "mi-1".into(),
            node_name: "web".into(),
            status: CommandStatus::InProgress,
            status_details: "InProgress".into(),
            response_code: -1,
            started_at: None,
            ended_at: None,
            stdout_bytes: 0,
            stderr_bytes: 0,
            output_hash: String::new(),
        };
        assert_eq!(
            given_up_at(&row, &invocation),
            Some(Timestamp(600_000)),
            "not taken"
        );
        invocation.started_at = Some(Timestamp(5_000));
        assert_eq!(given_up_at(&row, &invocation), Some(Timestamp(3_605_000)));
        row.parameters.insert(EXECUTION_TIMEOUT.into(), vec!["10".into()]);
        assert_eq!(given_up_at(&row, &invocation), Some(Timestamp(15_000)));
        row.parameters.clear();
        row.summary.document = "Own".into();
        assert_eq!(given_up_at(&row, &invocation), None, "it does not say");
    }
}
