//! Tells equal output from other output.

use crate::commands::apply::Bytes;
use crate::commands::reads;
use muster_domain::commands::OutputStream;
use muster_domain::ids::{CommandId, NodeId};
use muster_store::{Db, StoreError};
use ring::digest::{Context, SHA256};

/// SHA-256 over standard output, a zero byte, and standard error: equal output, equal hash.
pub(super) async fn output_hash(
    db: &Db,
    command: &CommandId,
    node: &str,
    fresh: &[Bytes],
) -> Result<String, StoreError> {
    let node = NodeId::new(node);
    let mut context = Context::new(&SHA256);
    let mut any = false;
    for stream in [OutputStream::Stdout, OutputStream::Stderr] {
        let mut offset = 0;
        loop {
            let bytes = reads::bytes(db, command, &node, stream, offset, 4 << 20).await?;
            if bytes.is_empty() {
                break;
            }
            any = true;
            offset += i64::try_from(bytes.len()).unwrap_or_default();
            context.update(&bytes);
        }
        for piece in fresh.iter().filter(|piece| piece.stream == stream) {
            any = true;
            context.update(&piece.bytes);
        }
        context.update(&[0]);
    }
    Ok(if any {
        hex::encode(context.finish())
    } else {
        String::new()
    })
}
