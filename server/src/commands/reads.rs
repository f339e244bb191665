//! Reads kept output: a piece for a page, or all of it for a download.

use muster_domain::commands::{OutputPiece, OutputRange, OutputStream};
use muster_domain::ids::{CommandId, NodeId};
use muster_store::{Db, RowExt, Sql, StoreError};

/// Bytes in one piece for a page at most.
pub const PIECE_BYTES: i64 = 64 * 1024;

/// How many bytes of a stream are kept.
///
/// # Errors
/// When the database does not answer.
pub async fn total(
    db: &Db,
    command: &CommandId,
    node: &NodeId,
    stream: OutputStream,
) -> Result<i64, StoreError> {
    let mut sql =
        Sql::new("select coalesce(max(end_offset), 0) as total from command_output where command_id = ");
    sql.text(command.as_str())
        .push(" and node_id = ")
        .text(node.as_str())
        .push(" and stream = ")
        .text(stream.as_str());
    sql.one(db.reader()).await?.int("total")
}

/// Raw bytes of a stream from `offset`: whole stored chunks, cut in front, at least one if there is any.
///
/// # Errors
/// When the database does not answer.
pub async fn bytes(
    db: &Db,
    command: &CommandId,
    node: &NodeId,
    stream: OutputStream,
    offset: i64,
    wanted: i64,
) -> Result<Vec<u8>, StoreError> {
    let mut sql = Sql::new("select start_offset, bytes from command_output where command_id = ");
    sql.text(command.as_str())
        .push(" and node_id = ")
        .text(node.as_str())
        .push(" and stream = ")
        .text(stream.as_str());
    sql.push(" and end_offset > ")
        .int(offset)
        .push(" and start_offset < ")
        .int(offset.saturating_add(wanted));
    sql.push(" order by start_offset limit 64");
    let mut out = Vec::new();
    for row in sql.all(db.reader()).await? {
        let start = row.int("start_offset")?;
        let chunk = row.bytes("bytes")?;
        let skip = usize::try_from((offset - start).max(0)).unwrap_or_default();
        out.extend_from_slice(chunk.get(skip..).unwrap_or_default());
    }
    out.truncate(usize::try_from(wanted).unwrap_or(usize::MAX));
    Ok(out)
}

/// A piece for a page.
///
/// # Errors
/// When the database does not answer.
pub async fn piece(
    db: &Db,
    command: &CommandId,
    node: &NodeId,
    stream: OutputStream,
    range: OutputRange,
) -> Result<OutputPiece, StoreError> {
    let total = total(db, command, node, stream).await?;
    let (mut offset, end) = match range {
        OutputRange::From(offset) => {
            let offset = offset.clamp(0, total);
            (offset, offset.saturating_add(PIECE_BYTES).min(total))
        }
        OutputRange::Last(wanted) => ((total - wanted.clamp(0, PIECE_BYTES)).max(0), total),
        OutputRange::Before(end) => {
            let end = end.clamp(0, total);
            ((end - PIECE_BYTES).max(0), end)
        }
    };
    let from_end = !matches!(range, OutputRange::From(_));
    let mut raw = bytes(db, command, node, stream, offset, end - offset).await?;
    // A piece begins and ends between characters, so that nothing shows as broken that is not. Where the end
    // was asked for, it is where an earlier piece began.
    let continuation = raw
        .iter()
        .take(3)
        .take_while(|byte| **byte & 0xc0 == 0x80)
        .count();
    if from_end && offset > 0 && continuation < 4 {
        raw.drain(..continuation);
        offset += i64::try_from(continuation).unwrap_or_default();
    }
    let keep = whole_characters(&raw);
    let cut = !from_end && offset + i64::try_from(raw.len()).unwrap_or_default() < total;
    if cut && keep > 0 {
        raw.truncate(keep);
    }
    let end = offset + i64::try_from(raw.len()).unwrap_or_default();
    Ok(OutputPiece {
        stream,
        offset,
        end,
        text: String::from_utf8_lossy(&raw).into_owned(),
        total,
    })
}

/// The length of `bytes` without a character that is cut at the end.
#[must_use]
pub fn whole_characters(bytes: &[u8]) -> usize {
    for back in 1..=3_usize.min(bytes.len()) {
        let at = bytes.len() - back;
        let Some(&byte) = bytes.get(at) else { break };
        let needs = match byte {
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            0x80..=0xbf => continue,
            _ => 1,
        };
        return if needs > back { at } else { bytes.len() };
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_character_is_kept_back_and_rubbish_is_not() {
        assert_eq!(whole_characters("ab€".as_bytes()), 5);
        assert_eq!(whole_characters(&"ab€".as_bytes()[..4]), 2);
        assert_eq!(whole_characters(&"ab😀".as_bytes()[..5]), 2);
        assert_eq!(whole_characters(b"ab\xff"), 3);
        assert_eq!(whole_characters(b"\x80\x80\x80\x80"), 4);
        assert_eq!(whole_characters(b""), 0);
    }
}
