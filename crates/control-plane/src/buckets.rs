//! Object storage that the control plane writes to for others: a bucket by its name. By default a bucket is a folder of the
//! data directory; the server may put S3, or what speaks like it, in its place.

use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::sync::Arc;

/// Where buckets are.
pub trait Buckets: std::fmt::Debug + Send + Sync {
    /// A bucket, ready to be written to.
    ///
    /// # Errors
    /// In words for the one who named it.
    fn open(&self, bucket: &str, region: &str) -> Result<Arc<dyn ObjectStore>, String>;

    /// What the addresses of objects begin with, before the bucket's name; nothing where this endpoint gives them out.
    fn address(&self, region: &str) -> Option<String>;
}

/// Buckets as folders below one.
#[derive(Clone, Debug)]
pub struct FolderBuckets {
    root: PathBuf,
}

impl FolderBuckets {
    /// Below this folder, which is made with the first bucket.
    #[must_use]
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }
}

/// A bucket's name as S3 takes it, so that a name is a folder and nothing else.
pub(crate) fn is_bucket_name(name: &str) -> bool {
    (3..=63).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.'))
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.ends_with(|c: char| c.is_ascii_alphanumeric())
        && !name.contains("..")
}

/// A key as it is written: as it was asked for, where it can be one; else with what cannot be in it encoded.
pub(crate) fn key(text: &str) -> Key {
    Key::parse(text).unwrap_or_else(|_| Key::from(text))
}

impl Buckets for FolderBuckets {
    fn open(&self, bucket: &str, _region: &str) -> Result<Arc<dyn ObjectStore>, String> {
        if !is_bucket_name(bucket) {
            return Err(format!("{bucket} is no name of a bucket"));
        }
        let folder = self.root.join(bucket);
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .map_err(|error| format!("the folder of the bucket {bucket} cannot be made: {error}"))?;
        let store = LocalFileSystem::new_with_prefix(&folder)
            .map_err(|error| format!("the folder of the bucket {bucket} cannot be used: {error}"))?;
        Ok(Arc::new(store.with_fsync(true)))
    }

    fn address(&self, _region: &str) -> Option<String> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::is_bucket_name;

    #[test]
    fn names_are_as_s3_takes_them() {
        for (name, is) in [
            ("inventory", true),
            ("my-bucket.2", true),
            ("..", false),
            ("a..b", false),
            ("../x", false),
            ("a/b", false),
            ("Upper", false),
            ("-ab", false),
            ("ab", false),
            (&"x".repeat(64), false),
        ] {
            assert_eq!(is_bucket_name(name), is, "{name}");
        }
    }
}
