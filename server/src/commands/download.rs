//! A node's full output as a file, read from the database chunk by chunk.

use crate::commands::reads;
use bytes::Bytes;
use futures::Stream;
use muster_domain::commands::OutputStream;
use muster_domain::ids::{CommandId, NodeId};
use muster_store::{Db, StoreError};

/// The bytes of a stream, as they were written.
pub fn stream(
    db: Db,
    command: CommandId,
    node: NodeId,
    stream: OutputStream,
) -> impl Stream<Item = Result<Bytes, StoreError>> {
    futures::stream::try_unfold(
        (db, command, node, 0_i64),
        move |(db, command, node, offset)| async move {
            let bytes = reads::bytes(&db, &command, &node, stream, offset, 1 << 20).await?;
            if bytes.is_empty() {
                return Ok(None);
            }
            let next = offset + i64::try_from(bytes.len()).unwrap_or(i64::MAX);
            Ok(Some((Bytes::from(bytes), (db, command, node, next))))
        },
    )
}
