//! Exceptions: a patch that nodes need not have for a time, with why, what protects them instead, and until when.

use crate::error::{FieldError, PortalError};
use crate::paging::{Cursor, Page};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// An exception may hold for a year at most.
const MAX_MS: i64 = 366 * 86_400_000;
const MAX_TEXT: usize = 1_000;

/// Input: except a patch on a baseline. While the exception holds, the patch is among those that the baseline rejects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantException {
    /// On which baseline.
    pub baseline_id: String,
    /// The SHA-256 of what it said when it was looked at.
    pub seen: String,
    /// Which patch, as the baseline names patches.
    pub patch: String,
    /// Why nodes cannot have it.
    pub because: String,
    /// What protects them instead.
    pub control: String,
    /// Until when.
    pub expires_at: Timestamp,
}

fn check_text(field: &str, text: &str, what: &str, fields: &mut Vec<FieldError>) {
    let count = text.trim().chars().count();
    if !(10..=MAX_TEXT).contains(&count) || text.contains('\0') {
        fields.push(FieldError::new(
            field,
            format!("Say {what}, in 10 to 1,000 characters: auditors read it."),
        ));
    }
}

impl GrantException {
    /// What can be said against it whatever the time.
    ///
    /// # Errors
    /// [`PortalError::Invalid`] naming the fields.
    pub fn check_texts(&self) -> Result<(), PortalError> {
        let mut fields = Vec::new();
        if self.baseline_id.trim().is_empty() {
            fields.push(FieldError::new("baseline_id", "Say which baseline."));
        }
        let patch = self.patch.trim();
        if !(1..=100).contains(&patch.chars().count()) || patch.chars().any(char::is_control) {
            fields.push(FieldError::new(
                "patch",
                "Write one patch, such as openssl* or KB123456, with at most 100 characters.",
            ));
        }
        check_text("because", &self.because, "why nodes cannot have it", &mut fields);
        check_text(
            "control",
            &self.control,
            "what protects them instead",
            &mut fields,
        );
        PortalError::from_fields(fields)
    }

    /// # Errors
    /// [`PortalError::Invalid`] naming the fields.
    pub fn check(&self, now: Timestamp) -> Result<(), PortalError> {
        let mut fields = match self.check_texts() {
            Err(PortalError::Invalid { fields }) => fields,
            _ => Vec::new(),
        };
        if self.expires_at.0 <= now.0 || self.expires_at.since_ms(now) > MAX_MS {
            fields.push(FieldError::new(
                "expires",
                "Choose a day to come, within a year: an exception without an end is a change of the baseline.",
            ));
        }
        PortalError::from_fields(fields)
    }
}

/// Input: end an exception before its day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndException {
    /// On which baseline.
    pub baseline_id: String,
    /// Which.
    pub exception_id: String,
    /// Why nodes are to have the patch after all.
    pub because: String,
}

impl EndException {
    /// # Errors
    /// [`PortalError::Invalid`] naming the fields.
    pub fn check(&self) -> Result<(), PortalError> {
        let mut fields = Vec::new();
        for (field, id) in [
            ("baseline_id", &self.baseline_id),
            ("exception_id", &self.exception_id),
        ] {
            if id.trim().is_empty() || id.chars().any(char::is_control) {
                fields.push(FieldError::new(
                    field,
                    "Say which exception, and on which baseline.",
                ));
            }
        }
        check_text("because", &self.because, "why it ends now", &mut fields);
        PortalError::from_fields(fields)
    }
}

/// How an exception stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExceptionState {
    /// The baseline is being changed.
    Granting,
    /// The patch is rejected.
    Holding,
    /// Somebody has ended it, and the baseline is being changed back.
    Ending,
    /// It is over.
    Ended,
    /// The baseline could not be changed.
    Failed,
}

impl ExceptionState {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Granting,
        Self::Holding,
        Self::Ending,
        Self::Ended,
        Self::Failed,
    ];

    /// The word in addresses and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Granting => "granting",
            Self::Holding => "holding",
            Self::Ending => "ending",
            Self::Ended => "ended",
            Self::Failed => "failed",
        }
    }

    /// As people read it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Granting => "Being granted",
            Self::Holding => "Holds",
            Self::Ending => "Being ended",
            Self::Ended => "Ended",
            Self::Failed => "Not granted",
        }
    }

    /// Whether somebody can end it.
    #[must_use]
    pub const fn can_end(self) -> bool {
        matches!(self, Self::Granting | Self::Holding)
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }
}

/// One exception, as the register keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatchException {
    /// Its id.
    pub exception_id: String,
    /// On which baseline.
    pub baseline_id: String,
    /// What that was called.
    pub baseline_name: String,
    /// Which patch.
    pub patch: String,
    /// Why.
    pub because: String,
    /// What protects nodes instead.
    pub control: String,
    /// Until when.
    pub expires_at: Timestamp,
    /// How it stands.
    pub state: ExceptionState,
    /// Who asked for it.
    pub granted_by: String,
    /// The request on which it was approved; empty where none was needed.
    pub request_id: String,
    /// When it was granted.
    pub granted_at: Timestamp,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
    /// How that came.
    pub ended_because: String,
    /// Who ended it before its day; empty where nobody did.
    #[serde(default)]
    pub ended_by: String,
}

/// Which exceptions to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExceptionQuery {
    /// Only those that stand so.
    pub state: Option<ExceptionState>,
    /// Only on this baseline; empty is any.
    pub baseline_id: String,
    /// Only this one; empty is any.
    #[serde(default)]
    pub exception_id: String,
    /// From where.
    pub cursor: Option<Cursor>,
    /// How many.
    pub limit: Option<u32>,
}

/// A page of the register, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExceptionPage {
    /// The exceptions.
    pub page: Page<PatchException>,
    /// Whether the actor may end one.
    #[serde(default)]
    pub may_end: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exception_says_why_what_instead_and_until_when() {
        let good = GrantException {
            baseline_id: "pb-1".into(),
            seen: "00".into(),
            patch: "openssl*".into(),
            because: "The vendor freezes it.".into(),
            control: "A proxy before the nodes.".into(),
            expires_at: Timestamp(MAX_MS),
        };
        assert!(good.check(Timestamp(0)).is_ok());
        let complaints = |change: &dyn Fn(&mut GrantException)| {
            let mut input = good.clone();
            change(&mut input);
            match input.check(Timestamp(0)) {
                Err(PortalError::Invalid { fields }) => {
                    fields.into_iter().map(|one| one.field).collect::<Vec<_>>()
                }
                _ => Vec::new(),
            }
        };
        assert_eq!(complaints(&|input| input.patch = " ".into()), ["patch"]);
        assert_eq!(complaints(&|input| input.patch = "a\nb".into()), ["patch"]);
        assert_eq!(complaints(&|input| input.because = "no".into()), ["because"]);
        assert_eq!(complaints(&|input| input.control = String::new()), ["control"]);
        assert_eq!(complaints(&|input| input.expires_at = Timestamp(0)), ["expires"]);
        assert_eq!(
            complaints(&|input| input.expires_at = Timestamp(MAX_MS + 1)),
            ["expires"]
        );
        for state in ExceptionState::ALL {
            assert_eq!(ExceptionState::parse(state.as_str()), Some(state));
        }
        let ended = |id: &str, because: &str| EndException {
            baseline_id: "pb-1".into(),
            exception_id: id.into(),
            because: because.into(),
        };
        assert!(ended("x", "The vendor released it.").check().is_ok());
        let wrong = ended(" ", "no").check().unwrap_err();
        assert!(wrong.about("exception_id").is_some() && wrong.about("because").is_some());
        let can = ExceptionState::ALL.into_iter().filter(|state| state.can_end());
        assert_eq!(
            can.collect::<Vec<_>>(),
            [ExceptionState::Granting, ExceptionState::Holding]
        );
    }
}
