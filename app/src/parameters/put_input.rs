//! What the form that writes a parameter sends, read into what the service takes.

use super::url::{read_kind, read_tier};
use crate::url::keep;
use muster_domain::PortalError;
use muster_domain::error::FieldError;
use muster_domain::parameters::{NewValue, PutParameter, Value};

/// Reads a version's number.
pub(super) fn read_version(field: &str, text: &str) -> Result<i64, PortalError> {
    let number = text.trim().parse::<i64>().ok().filter(|number| *number > 0);
    number.ok_or_else(|| PortalError::invalid(field, "Write the number of a version, such as 3."))
}

/// The fields, as they were sent.
#[derive(Clone, Default)]
pub(crate) struct PutFields {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) replaces: Option<String>,
    pub(crate) value: Option<String>,
    pub(crate) secret_value: Option<String>,
    pub(crate) tier: Option<String>,
    pub(crate) data_type: Option<String>,
    pub(crate) key_id: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) allowed_pattern: Option<String>,
    pub(crate) policies: Option<String>,
}

impl PutFields {
    /// Those of a form that leaves all but the value as it is.
    pub(crate) fn kept(name: String, kind: String, replaces: String) -> Self {
        Self {
            name,
            kind,
            replaces: Some(replaces),
            ..Self::default()
        }
    }

    /// Reads them.
    ///
    /// # Errors
    /// What could not be read; what can be read and yet is wrong says the service.
    pub(crate) fn read(self) -> Result<PutParameter, PortalError> {
        let mut problems = Vec::new();
        // Browsers send line breaks as CR LF.
        let lines = |text: Option<String>| text.map(|text| text.replace("\r\n", "\n"));
        let trimmed = |text: Option<String>| text.map(|text| text.trim().to_owned());
        let kind = keep(read_kind(&self.kind), &mut problems);
        if kind.is_none() && problems.is_empty() {
            problems.push(FieldError::new("type", "Choose a type."));
        }
        let tier = keep(read_tier(self.tier.as_deref().unwrap_or_default()), &mut problems);
        let replaces = match self.replaces.as_deref().map(str::trim) {
            None | Some("") => None,
            Some(text) => match read_version("replaces", text) {
                Ok(version) => Some(version),
                Err(error) => return Err(error),
            },
        };
        PortalError::from_fields(problems)?;
        let kind = kind.unwrap_or(muster_domain::parameters::ParameterKind::String);
        let typed = lines(if kind.is_secret() {
            self.secret_value
        } else {
            self.value
        })
        .unwrap_or_default();
        let value = match replaces {
            // A secret is not shown where it is changed: what is left empty stays as it is.
            Some(version) if kind.is_secret() && typed.is_empty() => NewValue::Version { version },
            _ => NewValue::Typed { value: Value(typed) },
        };
        Ok(PutParameter {
            name: self.name.trim().to_owned(),
            kind,
            value,
            replaces,
            tier,
            data_type: trimmed(self.data_type).filter(|text| !text.is_empty()),
            key_id: trimmed(self.key_id),
            description: lines(self.description),
            allowed_pattern: self.allowed_pattern,
            policies: lines(self.policies),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_is_left_empty_stays_as_it_is() {
        let fields = |kind: &str, replaces: &str, secret: &str| PutFields {
            name: " /a ".into(),
            kind: kind.into(),
            replaces: Some(replaces.into()),
            secret_value: Some(secret.into()),
            value: Some("a\r\nb".into()),
            ..PutFields::default()
        };
        let kept = fields("SecureString", "3", "").read().unwrap();
        assert_eq!(
            (kept.value, kept.name.as_str()),
            (NewValue::Version { version: 3 }, "/a")
        );
        let typed = |text: &str| NewValue::Typed {
            value: Value(text.into()),
        };
        assert_eq!(
            fields("SecureString", "3", "new").read().unwrap().value,
            typed("new")
        );
        assert_eq!(fields("SecureString", "", "").read().unwrap().value, typed(""));
        assert_eq!(fields("String", "3", "").read().unwrap().value, typed("a\nb"));
        assert!(fields("Secret", "", "").read().is_err() && fields("", "", "").read().is_err());
        assert!(
            fields("String", "x", "")
                .read()
                .unwrap_err()
                .about("replaces")
                .is_some()
        );
    }
}
