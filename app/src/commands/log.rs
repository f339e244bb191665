//! The log of a command, without any browser: the output of all nodes in the order of arrival, line by line. Events may
//! come twice; each is applied once.

use super::ansi::{Parser, plain};
use super::live::Key;
use muster_domain::Timestamp;
use muster_domain::commands::{CommandChange, CommandEvent, OutputPiece, OutputStream};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// Lines kept in the log: what is searched.
pub(super) const LINES_KEPT: usize = 100_000;
/// Bytes of text kept in the log, whatever the number of lines.
const BYTES_KEPT: usize = 32 * 1024 * 1024;
/// Lines in the page at once: a browser lays out no more of them in time.
pub(super) const LINES_SHOWN: usize = 2_000;

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LogLine {
    pub(super) number: u64,
    pub(super) at: Option<Timestamp>,
    pub(super) node: Arc<str>,
    pub(super) stream: OutputStream,
    pub(super) text: Arc<str>,
}

impl LogLine {
    /// `09:41:07.123`, in UTC; empty when it is not known.
    pub(super) fn time(&self) -> String {
        self.at
            .map(|at| at.rfc3339().chars().skip(11).take(12).collect())
            .unwrap_or_default()
    }

    /// Whether it holds `wanted`, which is in small letters.
    pub(super) fn holds(&self, wanted: &str) -> bool {
        !wanted.is_empty()
            && (self.text.to_lowercase().contains(wanted) || self.node.to_lowercase().contains(wanted))
    }
}

/// Lines that hold what is looked for, among those up to a number: what has come since is all that must be looked through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Hits {
    wanted: String,
    upto: u64,
    pub(super) lines: Vec<u64>,
}

/// The output of all nodes in the order of arrival, the newest lines of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Log {
    lines: VecDeque<LogLine>,
    bytes: usize,
    first_error: Option<LogLine>,
    sequence: i64,
    count: u64,
    names: HashMap<String, Arc<str>>,
    open: HashMap<Key, (Parser, String)>,
}

impl Log {
    /// Applies one event; `false` when nothing on show changed.
    pub(super) fn apply(&mut self, event: &CommandEvent) -> bool {
        if event.sequence <= self.sequence {
            return false;
        }
        self.sequence = event.sequence;
        match &event.change {
            CommandChange::Invocation { invocation } => {
                let id = invocation.node_id.as_str();
                self.name(id, &invocation.node_name);
                invocation.status.is_final() && self.finish(id, event.at)
            }
            CommandChange::Output {
                node_id,
                node_name,
                piece,
            } => {
                self.name(node_id.as_str(), node_name);
                self.output(node_id.as_str(), piece, event.at)
            }
            CommandChange::Command { .. } => false,
        }
    }

    /// Whether lines were left out because there are too many.
    pub(super) fn is_cut(&self) -> bool {
        self.lines.front().is_some_and(|line| line.number > 1)
    }

    /// The first line of errors ever, also when it is not kept any more.
    pub(super) const fn first_error(&self) -> Option<&LogLine> {
        self.first_error.as_ref()
    }

    /// Numbers of the first and the last line that are kept.
    pub(super) fn ends(&self) -> Option<(u64, u64)> {
        Some((self.lines.front()?.number, self.lines.back()?.number))
    }

    /// Where a line stands among those kept; the nearest one where it is not.
    fn at(&self, number: u64) -> usize {
        let first = self.lines.front().map_or(0, |line| line.number);
        usize::try_from(number.saturating_sub(first)).unwrap_or(usize::MAX)
    }

    /// The lines to show: from that one on, or else the newest.
    pub(super) fn window(&self, from: Option<u64>) -> Vec<LogLine> {
        let newest = self.lines.len().saturating_sub(LINES_SHOWN);
        let begin = from.map_or(newest, |from| self.at(from).min(newest));
        self.lines.iter().skip(begin).take(LINES_SHOWN).cloned().collect()
    }

    /// The lines that hold `wanted`, which is in small letters; `before` is what was found the last time.
    pub(super) fn hits(&self, wanted: &str, before: Option<&Hits>) -> Hits {
        let same = before.filter(|before| before.wanted == wanted);
        let mut hits = same.cloned().unwrap_or_else(|| Hits {
            wanted: wanted.to_owned(),
            ..Hits::default()
        });
        let Some((first, last)) = self.ends().filter(|_| !wanted.is_empty()) else {
            return hits;
        };
        let gone = hits.lines.partition_point(|line| *line < first);
        hits.lines.drain(..gone);
        let new = self.lines.iter().skip(self.at(hits.upto + 1));
        let found = new.filter(|line| line.holds(wanted)).map(|line| line.number);
        hits.lines.extend(found);
        hits.upto = last;
        hits
    }

    fn name(&mut self, node: &str, name: &str) {
        if !name.is_empty() && self.names.get(node).is_none_or(|known| &**known != name) {
            self.names.insert(node.to_owned(), name.into());
        }
    }

    fn output(&mut self, node: &str, piece: &OutputPiece, at: Option<Timestamp>) -> bool {
        let key = (node.to_owned(), piece.stream);
        let (parser, open) = self.open.entry(key).or_default();
        let mut text = std::mem::take(open);
        text.push_str(&plain(&parser.feed(&piece.text)));
        let (whole, rest) = text
            .rsplit_once('\n')
            .map_or((None, text.as_str()), |(whole, rest)| (Some(whole), rest));
        rest.clone_into(open);
        let Some(whole) = whole else { return false };
        for line in whole.split('\n') {
            self.push(node, piece.stream, line, at);
        }
        true
    }

    /// Lines without a break at the end, when the node is done.
    fn finish(&mut self, node: &str, at: Option<Timestamp>) -> bool {
        let mut any = false;
        for stream in [OutputStream::Stdout, OutputStream::Stderr] {
            if let Some((_, rest)) = self.open.remove(&(node.to_owned(), stream))
                && !rest.is_empty()
            {
                self.push(node, stream, &rest, at);
                any = true;
            }
        }
        any
    }

    fn push(&mut self, node: &str, stream: OutputStream, text: &str, at: Option<Timestamp>) {
        self.count += 1;
        let line = LogLine {
            number: self.count,
            at,
            node: self.names.get(node).cloned().unwrap_or_else(|| node.into()),
            stream,
            text: text.into(),
        };
        if stream == OutputStream::Stderr && self.first_error.is_none() {
            self.first_error = Some(line.clone());
        }
        self.bytes += line.text.len();
        self.lines.push_back(line);
        while self.lines.len() > LINES_KEPT || self.bytes > BYTES_KEPT {
            let Some(gone) = self.lines.pop_front() else { break };
            self.bytes = self.bytes.saturating_sub(gone.text.len());
        }
    }
}

/// The hit after `here`, or before it, around the end.
pub(super) fn next_hit(hits: &[u64], here: Option<u64>, back: bool) -> Option<u64> {
    let Some(here) = here else {
        return if back { hits.last() } else { hits.first() }.copied();
    };
    if back {
        hits.iter().rev().find(|hit| **hit < here).or(hits.last())
    } else {
        hits.iter().find(|hit| **hit > here).or(hits.first())
    }
    .copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use muster_domain::commands::{CommandStatus, InvocationView};

    fn event(sequence: i64, change: CommandChange) -> CommandEvent {
        let at = Some(Timestamp(sequence));
        CommandEvent { sequence, at, change }
    }

    fn ended(node: &str, status: CommandStatus) -> CommandChange {
        CommandChange::Invocation {
            invocation: InvocationView {
                node_id: node.into(),
                node_name: format!("{node}-name"),
                status,
                status_details: String::new(),
                response_code: -1,
                started_at: None,
                ended_at: None,
                stdout_bytes: 0,
                stderr_bytes: 0,
                output_hash: String::new(),
            },
        }
    }

    fn output(node: &str, name: &str, stream: OutputStream, text: &str) -> CommandChange {
        CommandChange::Output {
            node_id: node.into(),
            node_name: name.into(),
            piece: OutputPiece {
                stream,
                offset: 0,
                end: 1,
                text: text.into(),
                total: 1,
            },
        }
    }

    #[test]
    fn the_log_takes_whole_lines_of_all_nodes_and_forgets_old_ones() {
        let mut log = Log::default();
        let out = OutputStream::Stdout;
        // The first output of a node may come before anything else is told of it: its name comes along.
        assert!(!log.apply(&event(1, output("mi-1", "web", out, "half "))));
        assert!(log.apply(&event(2, output("mi-2", "", out, "two\n"))));
        assert!(log.apply(&event(3, output("mi-1", "web", out, "line\nrest"))));
        assert!(!log.apply(&event(3, output("mi-1", "web", out, "again\n"))));
        assert!(log.apply(&event(4, ended("mi-1", CommandStatus::Success))));
        let lines: Vec<_> = log.lines.iter().map(|line| (&*line.node, &*line.text)).collect();
        assert_eq!(
            lines,
            [("mi-2", "two"), ("web", "half line"), ("mi-1-name", "rest")]
        );
        assert_eq!(log.lines[0].time(), "00:00:00.002");
        assert!(!log.is_cut());
        let bad = "bad\n";
        log.apply(&event(9, output("mi-2", "", OutputStream::Stderr, bad)));
        let thousand = "x\n".repeat(1_000);
        for at in 0..101 {
            log.apply(&event(10 + at, output("mi-2", "", out, &thousand)));
        }
        assert_eq!(log.lines.len(), LINES_KEPT);
        assert!(log.is_cut());
        // The first error is told, although its line is not kept any more.
        let error = log.first_error().unwrap();
        assert_eq!((error.number, &*error.text), (4, "bad"));
        assert!(log.ends().unwrap().0 > error.number);
        // One line that is larger than all that is kept leaves nothing, and breaks nothing.
        let huge = format!("{}\n", "y".repeat(BYTES_KEPT + 1));
        log.apply(&event(200, output("mi-2", "", out, &huge)));
        assert_eq!((log.lines.len(), log.bytes), (0, 0));
    }

    #[test]
    fn a_part_of_the_lines_is_shown_and_all_of_them_are_searched() {
        let mut log = Log::default();
        let out = OutputStream::Stdout;
        for at in 0..5 {
            let text: String = (0..1_000)
                .map(|line| format!("{}\n", at * 1_000 + line + 1))
                .collect();
            log.apply(&event(1 + at, output("mi-1", "web", out, &text)));
        }
        let ends = |from| {
            let lines = log.window(from);
            (lines.len(), lines[0].number, lines[lines.len() - 1].number)
        };
        assert_eq!(ends(None), (2_000, 3_001, 5_000));
        assert_eq!(ends(Some(1)), (2_000, 1, 2_000));
        assert_eq!(ends(Some(4_500)), (2_000, 3_001, 5_000), "never less than fits");
        let found = log.hits("499", None);
        assert_eq!(found.lines[..3], [499, 1499, 2499]);
        log.apply(&event(9, output("mi-1", "web", out, "499 again\n")));
        let more = log.hits("499", Some(&found));
        assert_eq!(more.lines.len(), found.lines.len() + 1);
        assert_eq!(more, log.hits("499", None), "as if all had been looked through");
        assert_eq!(
            log.hits("again", Some(&more)).lines,
            [5_001],
            "another word begins anew"
        );
    }

    #[test]
    fn text_and_errors_are_found() {
        let mut log = Log::default();
        log.apply(&event(
            1,
            output("mi-1", "web", OutputStream::Stdout, "One\ntwo\n"),
        ));
        assert!(log.first_error().is_none());
        log.apply(&event(
            2,
            output("mi-1", "web", OutputStream::Stderr, "no one\nbad\n"),
        ));
        assert_eq!(log.first_error().map(|line| line.number), Some(3));
        let hits = log.hits("one", None).lines;
        assert_eq!(hits, [1, 3]);
        assert_eq!(log.hits("web", None).lines.len(), 4, "by node, too");
        assert!(log.hits("", None).lines.is_empty());
        assert_eq!(next_hit(&hits, None, false), Some(1));
        assert_eq!(next_hit(&hits, Some(1), false), Some(3));
        assert_eq!(next_hit(&hits, Some(3), false), Some(1), "around the end");
        assert_eq!(next_hit(&hits, Some(1), true), Some(3));
        assert_eq!(next_hit(&[], Some(1), true), None);
    }
}
