//! The output of a document's steps as one text: what one step wrote goes before what the next one did. Offsets of the
//! whole lead to the step and the place in it.

use crate::aws::output::{OutputReader, Piece};
use crate::commands::reads;
use muster_domain::Timestamp;
use std::future::Future;

/// Where the output of one step is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepOutput {
    /// Its name, by which the API tells its text.
    pub name: String,
    /// Where full standard output is; empty when nowhere.
    pub stdout_url: String,
    /// Where full standard error is; empty when nowhere.
    pub stderr_url: String,
    /// Whether it writes no more.
    pub ended: bool,
}

/// What is new in one stream of all steps.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct New {
    /// Pieces by their offset in the whole.
    pub(super) pieces: Vec<(i64, Vec<u8>)>,
    /// Whether there will be no more.
    pub(super) complete: bool,
}

/// Reads parts of what lies at an address.
pub(super) trait Reader: Sync {
    /// Bytes from an offset on; `None` while there is nothing.
    fn read(&self, url: &str, offset: u64) -> impl Future<Output = Result<Option<Piece>, String>> + Send;
    /// How many bytes there are; `None` while there is nothing.
    fn length(&self, url: &str) -> impl Future<Output = Result<Option<u64>, String>> + Send;
}

/// Output as Systems Manager keeps it, at this moment.
pub(super) struct Kept<'a> {
    pub(super) output: &'a OutputReader,
    pub(super) now: Timestamp,
}

impl Reader for Kept<'_> {
    async fn read(&self, url: &str, offset: u64) -> Result<Option<Piece>, String> {
        self.output.read(url, offset, self.now).await
    }

    async fn length(&self, url: &str) -> Result<Option<u64>, String> {
        self.output.length(url, self.now).await
    }
}

/// What comes after the first `known` bytes of the whole. Steps are their address and whether they have ended; a part
/// without an address has nothing.
pub(super) async fn new_of(reader: &impl Reader, steps: &[(&str, bool)], known: i64) -> Result<New, String> {
    let mut new = New::default();
    let mut at = known;
    let mut skip = u64::try_from(known).unwrap_or_default();
    for (url, ended) in steps.iter().copied() {
        if url.is_empty() {
            continue;
        }
        // Is all of this step here? Of a single one the next piece says so, too.
        if steps.len() > 1 && skip > 0 {
            let length = reader.length(url).await?.unwrap_or_default();
            if length <= skip && ended {
                skip -= length;
                continue;
            }
        }
        let Some(Piece { mut bytes, total }) = reader.read(url, skip).await? else {
            if ended {
                continue;
            }
            return Ok(new);
        };
        let is_all = skip + bytes.len() as u64 >= total;
        let is_whole = is_all && ended;
        if !is_whole {
            // A character that is cut now comes whole with the next piece.
            bytes.truncate(reads::whole_characters(&bytes));
        }
        if !bytes.is_empty() {
            let length = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
            new.pieces.push((at, bytes));
            at = at.saturating_add(length);
        }
        if !is_whole {
            return Ok(new);
        }
        skip = 0;
    }
    new.complete = true;
    Ok(new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// At most so many bytes come at once.
    struct Fake(BTreeMap<&'static str, &'static str>, usize);

    impl Reader for Fake {
        async fn read(&self, url: &str, offset: u64) -> Result<Option<Piece>, String> {
            let from = usize::try_from(offset).unwrap();
            Ok(self.0.get(url).map(|text| Piece {
                bytes: text.as_bytes().iter().skip(from).take(self.1).copied().collect(),
                total: (text.len() as u64).max(offset),
            }))
        }

        async fn length(&self, url: &str) -> Result<Option<u64>, String> {
            Ok(self.0.get(url).map(|text| text.len() as u64))
        }
    }

    /// Reads again and again from where it is, until nothing new comes; gives the whole and whether it is complete.
    async fn all(fake: &Fake, steps: &[(&str, bool)]) -> (String, bool) {
        let mut whole = Vec::new();
        loop {
            let known = i64::try_from(whole.len()).unwrap();
            let new = new_of(fake, steps, known).await.unwrap();
            for (offset, bytes) in &new.pieces {
                assert_eq!(usize::try_from(*offset).unwrap(), whole.len());
                whole.extend_from_slice(bytes);
            }
            if new.complete || new.pieces.is_empty() {
                return (String::from_utf8(whole).unwrap(), new.complete);
            }
        }
    }

    #[tokio::test]
    async fn steps_are_one_text_however_small_the_pieces() {
        let kept = BTreeMap::from([("a", "one\n"), ("c", "zażółć\n"), ("d", "four\n")]);
        for most in [1, 2, 3, 5, 100] {
            let most = if most == 1 { 4 } else { most };
            let fake = Fake(kept.clone(), most.max(2));
            let steps = [("a", true), ("b", true), ("", true), ("c", true), ("d", true)];
            assert_eq!(
                all(&fake, &steps).await,
                ("one\nzażółć\nfour\n".to_owned(), true),
                "{most}"
            );
        }
    }

    #[tokio::test]
    async fn a_step_that_still_runs_holds_the_next_ones_back() {
        let fake = Fake(BTreeMap::from([("a", "one\n"), ("b", "tw")]), 100);
        let running = [("a", true), ("b", false), ("c", false)];
        assert_eq!(all(&fake, &running).await, ("one\ntw".to_owned(), false));
        assert_eq!(new_of(&fake, &running, 6).await.unwrap(), New::default());
        let ended = [("a", true), ("b", true), ("c", true)];
        assert_eq!(all(&fake, &ended).await, ("one\ntw".to_owned(), true));
        // One that has not begun yet.
        assert_eq!(
            new_of(&fake, &[("none", false)], 0).await.unwrap(),
            New::default()
        );
    }
}
