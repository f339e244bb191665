//! How many files, and with them connections, the program may have open. Systems start programs with a small
//! soft limit (often 1,024) below a large hard one: a fleet of thousands of nodes needs the large one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What each node and each open page takes, with room for the rest.
const WANTED: u64 = 65_536;

/// Raises the soft limit as far as the program may by itself.
pub fn raise_limit() {
    let now = getrlimit(Resource::Nofile);
    let wanted = now.maximum.map_or(WANTED, |most| most.min(WANTED));
    if now.current.is_none_or(|current| current >= wanted) {
        return;
    }
    let raised = Rlimit {
        current: Some(wanted),
        maximum: now.maximum,
    };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => tracing::debug!(files = wanted, "the limit of open files was raised"),
        Err(error) => tracing::warn!(
            files = now.current,
            %error,
            "the limit of open files could not be raised: it bounds how many nodes can be connected"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_files_as_the_system_allows() {
        raise_limit();
        let now = getrlimit(Resource::Nofile);
        let wanted = now.maximum.map_or(WANTED, |most| most.min(WANTED));
        assert!(now.current.is_none_or(|current| current >= wanted), "{now:?}");
    }
}
