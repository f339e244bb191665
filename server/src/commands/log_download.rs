//! The log of a command as a file: what all nodes wrote, line by line in the order of arrival, each line with its time
//! and its node. Read from the events batch by batch, so that its length does not matter.

use crate::commands::events;
use bytes::Bytes;
use futures::Stream;
use muster_domain::Timestamp;
use muster_domain::commands::{CommandChange, OutputStream};
use muster_domain::ids::CommandId;
use muster_store::{Db, StoreError};
use std::collections::{BTreeMap, HashSet};

/// A line that does not end is written in pieces of this size: nothing here grows with what a node writes.
const LONGEST_LINE: usize = 64 * 1024;

type Key = (String, OutputStream);

/// Lines that have begun, by node and stream.
#[derive(Debug, Default)]
struct Lines {
    open: BTreeMap<Key, (String, String)>,
}

fn line(out: &mut String, at: Option<Timestamp>, name: &str, stream: OutputStream, text: &str) {
    out.push_str(&at.map_or_else(|| "-".to_owned(), Timestamp::rfc3339));
    out.push(' ');
    out.push_str(name);
    out.push_str(match stream {
        OutputStream::Stdout => " out: ",
        OutputStream::Stderr => " err: ",
    });
    out.push_str(text.strip_suffix('\r').unwrap_or(text));
    out.push('\n');
}

impl Lines {
    /// Writes the lines that a piece ends.
    fn feed(&mut self, out: &mut String, at: Option<Timestamp>, key: Key, name: &str, text: &str) {
        let stream = key.1;
        let (known, open) = self.open.entry(key).or_default();
        name.clone_into(known);
        for piece in text.split_inclusive('\n') {
            open.push_str(piece);
            if let Some(whole) = open.strip_suffix('\n') {
                line(out, at, name, stream, whole);
                open.clear();
            } else if open.len() >= LONGEST_LINE {
                line(out, at, name, stream, open);
                open.clear();
            }
        }
    }

    /// Writes what was begun and never ended, of one node or of all.
    fn finish(&mut self, out: &mut String, at: Option<Timestamp>, node: Option<&str>) {
        self.open.retain(|(of, stream), (name, open)| {
            if node.is_some_and(|node| node != of) {
                return true;
            }
            if !open.is_empty() {
                line(out, at, name, *stream, open);
            }
            false
        });
    }
}

/// The log of all nodes, or of those in `visible`.
pub fn stream(
    db: Db,
    command: CommandId,
    visible: Option<HashSet<String>>,
) -> impl Stream<Item = Result<Bytes, StoreError>> {
    let state = (db, command, visible, Some(0_i64), Lines::default());
    futures::stream::try_unfold(state, |(db, command, visible, cursor, mut lines)| async move {
        let Some(mut cursor) = cursor else { return Ok(None) };
        let mut out = String::new();
        let mut goes_on = true;
        while out.is_empty() && goes_on {
            let batch = events::after(&db, &command, cursor).await?;
            goes_on = i64::try_from(batch.len()).unwrap_or_default() >= events::BATCH;
            for read in batch {
                cursor = read.event.sequence;
                let node = read.node.unwrap_or_default();
                if visible.as_ref().is_some_and(|visible| !visible.contains(&node)) {
                    continue;
                }
                match read.event.change {
                    CommandChange::Output { piece, node_name, .. } => {
                        let name = if node_name.is_empty() { &node } else { &node_name };
                        let key = (node.clone(), piece.stream);
                        lines.feed(&mut out, read.event.at, key, name, &piece.text);
                    }
                    CommandChange::Invocation { invocation } if invocation.status.is_final() => {
                        lines.finish(&mut out, read.event.at, Some(&node));
                    }
                    CommandChange::Invocation { .. } | CommandChange::Command { .. } => {}
                }
            }
        }
        if !goes_on {
            lines.finish(&mut out, None, None);
        }
        Ok(Some((
            Bytes::from(out),
            (db, command, visible, goes_on.then_some(cursor), lines),
        )))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_put_together_by_node_and_stream() {
        let (mut lines, mut out) = (Lines::default(), String::new());
        let at = Some(Timestamp(0));
        let stdout = |node: &str| (node.to_owned(), OutputStream::Stdout);
        lines.feed(&mut out, at, stdout("mi-1"), "web", "one\ntw");
        lines.feed(&mut out, at, stdout("mi-2"), "db", "other\r\n");
        lines.feed(&mut out, at, stdout("mi-1"), "web", "o\nrest");
        lines.feed(&mut out, at, ("mi-1".into(), OutputStream::Stderr), "web", "bad");
        lines.finish(&mut out, None, Some("mi-1"));
        lines.finish(&mut out, None, None);
        assert_eq!(
            out,
            "1970-01-01T00:00:00.000Z web out: one\n\
             1970-01-01T00:00:00.000Z db out: other\n\
             1970-01-01T00:00:00.000Z web out: two\n\
             - web out: rest\n\
             - web err: bad\n"
        );
    }

    #[test]
    fn a_line_without_end_is_not_held() {
        let (mut lines, mut out) = (Lines::default(), String::new());
        let key = ("mi-1".to_owned(), OutputStream::Stdout);
        lines.feed(&mut out, None, key.clone(), "web", &"x".repeat(LONGEST_LINE));
        assert!(out.len() > LONGEST_LINE);
        assert!(lines.open.get(&key).is_some_and(|(_, open)| open.is_empty()));
    }
}
