//! The settings of terminals and their recordings.

use crate::config::{ConfigError, Settings};
use crate::sessions::{RecordingPolicy, SessionPolicy};
use muster_domain::permission::Scope;

impl Settings {
    /// One of two words.
    fn either(&self, key: &str, yes: &str, no: &str) -> Result<bool, ConfigError> {
        match self.text(key).as_str() {
            word if word == yes => Ok(true),
            word if word == no => Ok(false),
            _ => Err(self.wrong(key, &format!("use {yes} or {no}"))),
        }
    }

    /// Nodes by their tags; `none` for none.
    fn nodes(&self, key: &str) -> Result<Option<Scope>, ConfigError> {
        match self.text(key).trim() {
            "" | "none" => Ok(None),
            text => Scope::parse(text).map(Some).map_err(|_| {
                self.wrong(
                    key,
                    "use tags like Environment=Production, * for all nodes, or none",
                )
            }),
        }
    }

    pub(super) fn sessions(&self) -> Result<SessionPolicy, ConfigError> {
        let recording = match self.text("recording").as_str() {
            "required" => RecordingPolicy::Required,
            "best-effort" => RecordingPolicy::BestEffort,
            "off" => RecordingPolicy::Off,
            _ => return Err(self.wrong("recording", "use required, best-effort or off")),
        };
        let policy = SessionPolicy {
            needs_reason: self.either("terminal_reason", "required", "optional")?,
            idle_minutes: self.in_range("terminal_idle_minutes", 1, 1_440)?,
            max_minutes: self.in_range("terminal_max_minutes", 1, 10_080)?,
            more_minutes: self.in_range("terminal_more_minutes", 1, 1_440)?,
            limit_minutes: self.in_range("terminal_limit_minutes", 1, 10_080)?,
            production: self.nodes("production")?,
            watched: self.nodes("terminal_watched")?,
            recording,
            keeps_input: self.either("recording_input", "keep", "drop")?,
            per_person: self.in_range("terminals_per_person", 1, 10_000)?,
            at_most: self.in_range("terminals_at_most", 1, 100_000)?,
        };
        if policy.limit_minutes < policy.max_minutes {
            return Err(self.wrong(
                "terminal_limit_minutes",
                "it cannot be less than terminal_max_minutes",
            ));
        }
        Ok(policy)
    }
}
