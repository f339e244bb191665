//! What holds for every session, as the server is set: limits, reasons, recording, and which nodes are production.

use muster_domain::fleet::Tag;
use muster_domain::permission::Scope;

/// Whether sessions are recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordingPolicy {
    /// Always: without a recorder there is no session, and one whose recorder fails is ended.
    Required,
    /// Where it works: a recorder that fails is noted and the session goes on.
    BestEffort,
    /// Never.
    Off,
}

/// The settings of sessions.
#[derive(Clone, Debug)]
pub struct SessionPolicy {
    /// Whether a reason has to be given.
    pub needs_reason: bool,
    /// Minutes without traffic after which a session ends.
    pub idle_minutes: u32,
    /// Minutes after which it ends, unless more are asked for.
    pub max_minutes: u32,
    /// Minutes that asking once gives.
    pub more_minutes: u32,
    /// Minutes after which it ends in any case.
    pub limit_minutes: u32,
    /// Nodes that belong to production; no scope means none.
    pub production: Option<Scope>,
    /// Nodes on which somebody has to look on before anything can be typed; no scope means none.
    pub watched: Option<Scope>,
    /// Whether sessions are recorded.
    pub recording: RecordingPolicy,
    /// Whether what is typed is kept in recordings: it may hold secrets.
    pub keeps_input: bool,
    /// Sessions that one person may have at once.
    pub per_person: u32,
    /// Sessions that may go on at once.
    pub at_most: u32,
}

impl Default for SessionPolicy {
    fn default() -> Self {
        Self {
            needs_reason: false,
            idle_minutes: 20,
            max_minutes: 60,
            more_minutes: 30,
            limit_minutes: 720,
            production: Some(Scope::Tags(vec![("Environment".into(), "Production".into())])),
            watched: None,
            recording: RecordingPolicy::Required,
            keeps_input: false,
            per_person: 20,
            at_most: 1_000,
        }
    }
}

fn covers(scope: Option<&Scope>, tags: &[Tag]) -> bool {
    scope.is_some_and(|scope| scope.covers(tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str()))))
}

impl SessionPolicy {
    /// Whether a node with these tags belongs to production.
    #[must_use]
    pub fn is_production(&self, tags: &[Tag]) -> bool {
        covers(self.production.as_ref(), tags)
    }

    /// Whether somebody has to look on before anything is typed there.
    #[must_use]
    pub fn needs_watcher(&self, tags: &[Tag]) -> bool {
        covers(self.watched.as_ref(), tags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_scope_means_no_node() {
        let tag = |value: &str| {
            vec![Tag {
                key: "Environment".into(),
                value: value.into(),
            }]
        };
        let policy = SessionPolicy::default();
        assert!(policy.is_production(&tag("Production")) && !policy.is_production(&tag("Staging")));
        assert!(!policy.needs_watcher(&tag("Production")));
        let all = SessionPolicy {
            watched: Some(Scope::All),
            ..policy
        };
        assert!(all.needs_watcher(&[]));
    }
}
