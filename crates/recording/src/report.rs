//! What a check of a recording says: findings, and the two verdicts that follow from them.

/// What kind of thing was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Problem {
    /// There is no manifest: the recording was never finished, or it was removed.
    NoManifest,
    /// The manifest cannot be read.
    ManifestUnreadable,
    /// The manifest's signature was not made with this key over these bytes.
    WrongSignature,
    /// The manifest speaks of another recording.
    ManifestOfAnother,
    /// The manifest is not the one that the caller expects (by its SHA-256).
    NotTheExpectedManifest,
    /// The manifest contradicts itself: sums, order, chain.
    ManifestInconsistent,
    /// A chunk is missing.
    ChunkMissing,
    /// There is an object that the manifest does not name.
    ChunkExtra,
    /// Another of this recording's chunks stands in a chunk's place.
    ChunkMoved,
    /// A chunk of another recording stands in a chunk's place.
    ChunkOfAnother,
    /// A chunk is shorter than it was.
    ChunkTruncated,
    /// A chunk's bytes were changed.
    ChunkChanged,
    /// A chunk has the right digest, yet its content is not what the manifest says.
    ChunkInconsistent,
    /// The last event is not the session's end.
    EndMissing,
    /// The portal was away while the session went on: what happened then was not recorded.
    Gap,
    /// It was not finished by its recorder: the program was killed.
    Recovered,
    /// It is still being written, or waits to be recovered.
    Unfinished,
}

/// Which verdict a finding touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concern {
    /// Something is not what was recorded.
    Integrity,
    /// Something is not there.
    Completeness,
    /// Worth knowing; nothing is wrong.
    Note,
}

impl Problem {
    /// Which verdict it touches.
    #[must_use]
    pub fn concern(self) -> Concern {
        match self {
            Self::NoManifest
            | Self::ChunkMissing
            | Self::ChunkTruncated
            | Self::EndMissing
            | Self::Unfinished => Concern::Completeness,
            Self::Gap | Self::Recovered => Concern::Note,
            _ => Concern::Integrity,
        }
    }
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What kind.
    pub problem: Problem,
    /// Which chunk, when it is about one.
    pub chunk: Option<u64>,
    /// In words.
    pub message: String,
}

/// What a check says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Everything that was found, in the order of the recording; at most [`MAX_FINDINGS`].
    pub findings: Vec<Finding>,
    /// Chunks that were checked.
    pub chunks: u64,
    /// Bytes of output in them.
    pub output_bytes: u64,
    /// SHA-256 of the manifest's object, hexadecimal.
    pub manifest_sha256: Option<String>,
}

/// A report names at most this many findings.
pub const MAX_FINDINGS: usize = 1000;

impl Report {
    /// Whether everything that is there is what was recorded.
    #[must_use]
    pub fn is_intact(&self) -> bool {
        !self.concerns(Concern::Integrity)
    }

    /// Whether everything that was recorded is there.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        !self.concerns(Concern::Completeness)
    }

    fn concerns(&self, concern: Concern) -> bool {
        self.findings
            .iter()
            .any(|finding| finding.problem.concern() == concern)
    }

    pub(crate) fn found(&mut self, problem: Problem, chunk: Option<u64>, message: impl Into<String>) {
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(Finding {
                problem,
                chunk,
                message: message.into(),
            });
        }
    }
}
