//! Where a stream of a step is kept: a file with a ceiling. A full disk cuts the output, not the command.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    Ceiling,
    Disk,
}

/// One stream.
#[derive(Debug)]
pub(super) struct Sink<W = File> {
    target: Option<W>,
    written: u64,
    cap: u64,
    cut: Option<Cut>,
    ends_line: bool,
}

impl Sink<File> {
    /// A file that goes on where it ends: a step that is run again after a reboot adds to what it printed before.
    pub(super) fn open(path: &Path, cap: u64) -> io::Result<Self> {
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(path)?;
        let written = file.metadata()?.len();
        let mut sink = Self::new(file, cap);
        sink.written = written;
        Ok(sink)
    }
}

impl Sink<File> {
    /// Makes what is kept durable: before a reboot it was told to others already.
    pub(super) fn sync(&self) {
        if let Some(file) = &self.target {
            let _ = file.sync_all();
        }
    }
}

impl<W: Write> Sink<W> {
    fn new(target: W, cap: u64) -> Self {
        Self {
            target: Some(target),
            written: 0,
            cap,
            cut: None,
            ends_line: true,
        }
    }

    /// Keeps bytes, or drops them when no more can be kept: the command goes on either way.
    pub(super) fn write(&mut self, bytes: &[u8]) {
        if self.cut.is_some() {
            return;
        }
        let room = usize::try_from(self.cap.saturating_sub(self.written)).unwrap_or(usize::MAX);
        let kept = bytes.get(..room.min(bytes.len())).unwrap_or(bytes);
        if !self.put(kept) {
            self.cut = Some(Cut::Disk);
        } else if kept.len() < bytes.len() {
            self.cut = Some(Cut::Ceiling);
            let mark = format!("\n[muster-agent: output after {} bytes was not kept]\n", self.cap);
            self.put(mark.as_bytes());
        }
    }

    /// Adds a line of the agent's own.
    pub(super) fn note(&mut self, text: &str) {
        let line = if self.ends_line {
            text.to_owned()
        } else {
            format!("\n{text}")
        };
        if self.cut != Some(Cut::Disk) {
            self.put(line.as_bytes());
        }
    }

    /// Nothing is kept from now on; answers how many bytes are.
    pub(super) fn finish(&mut self) -> u64 {
        if self.cut == Some(Cut::Disk) {
            // Room may have come back since; when not, the size tells.
            self.put(b"\n[muster-agent: the disk was full, the rest of the output was not kept]\n");
        }
        self.target = None;
        self.cut = Some(Cut::Ceiling);
        self.written
    }

    /// Writes; `false` when not all could be written.
    fn put(&mut self, mut bytes: &[u8]) -> bool {
        let Some(target) = self.target.as_mut() else {
            return true;
        };
        while !bytes.is_empty() {
            match target.write(bytes) {
                Ok(0) => return false,
                Ok(n) => {
                    self.written += n as u64;
                    self.ends_line = bytes.get(n.saturating_sub(1)) == Some(&b'\n');
                    bytes = bytes.get(n..).unwrap_or_default();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ceiling_is_marked_and_what_follows_is_dropped() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("stdout");
        let mut sink = Sink::open(&path, 5).unwrap();
        sink.write(b"abc");
        sink.write(b"defg");
        sink.write(b"hij");
        let length = sink.finish();
        sink.write(b"late");
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, "abcde\n[muster-agent: output after 5 bytes was not kept]\n");
        assert_eq!(length, text.len() as u64);
    }

    #[test]
    fn a_full_disk_cuts_the_output_and_nothing_else() {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut sink = Sink::new(full, 1000);
        sink.write(b"abc");
        sink.write(b"def");
        sink.note("failed");
        assert_eq!(sink.finish(), 0);
    }

    #[test]
    fn a_full_disk_that_empties_again_leaves_no_hole() {
        struct Once(Vec<u8>, u32);
        impl Write for &mut Once {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.1 += 1;
                if self.1 == 2 {
                    return Err(io::ErrorKind::StorageFull.into());
                }
                self.0.extend_from_slice(bytes);
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut target = Once(Vec::new(), 0);
        let mut sink = Sink::new(&mut target, 1000);
        for piece in [&b"one"[..], b"two", b"three"] {
            sink.write(piece);
        }
        sink.finish();
        assert!(
            String::from_utf8(target.0)
                .unwrap()
                .starts_with("one\n[muster-agent: the disk was full")
        );
    }
}
