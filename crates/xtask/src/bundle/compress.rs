//! Compressed twins of every file, made once at build time and harder than one would on the fly.

use crate::failure::{Doing, Outcome};
use std::io::Write;
use std::path::Path;

/// Writes `<file>.br` and `<file>.gz` for every file of the folder.
pub(super) fn all(folder: &Path) -> Outcome {
    let entries = std::fs::read_dir(folder).doing(|| format!("read {}", folder.display()))?;
    let files: Vec<_> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .collect();
    for file in files {
        let content = std::fs::read(&file).doing(|| format!("read {}", file.display()))?;
        let name = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let write = |ending: &str, packed: Vec<u8>| {
            let twin = file.with_file_name(format!("{name}.{ending}"));
            std::fs::write(&twin, packed).doing(|| format!("write {}", twin.display()))
        };
        write("br", brotli(&content).doing(|| format!("compress {name}"))?)?;
        write("gz", gzip(&content).doing(|| format!("compress {name}"))?)?;
    }
    Ok(())
}

fn brotli(content: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut packed = Vec::new();
    let settings = brotli::enc::BrotliEncoderParams {
        quality: 11,
        lgwin: 24,
        ..Default::default()
    };
    brotli::BrotliCompress(&mut &content[..], &mut packed, &settings)?;
    Ok(packed)
}

fn gzip(content: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(content)?;
    encoder.finish()
}
