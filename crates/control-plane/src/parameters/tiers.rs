//! Tiers: how large a value may be, how many parameters there may be, and which tier a request gets.

use crate::errors::{ApiError, ApiResult};

pub(crate) const STANDARD: &str = "Standard";
pub(crate) const ADVANCED: &str = "Advanced";
const INTELLIGENT: &str = "Intelligent-Tiering";

/// Characters of a value in the standard tier, and in the advanced one.
pub(crate) const STANDARD_CHARS: usize = 4096;
const ADVANCED_CHARS: usize = 8192;
/// Parameters of a region in the standard tier, and in the advanced one.
pub(crate) const STANDARD_COUNT: i64 = 10_000;
pub(crate) const ADVANCED_COUNT: i64 = 100_000;

/// What decides about the tier.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask<'a> {
    /// What the caller wants, if anything.
    pub(crate) wanted: Option<&'a str>,
    /// The tier that the parameter has already.
    pub(crate) has: Option<&'a str>,
    pub(crate) chars: usize,
    pub(crate) has_policies: bool,
    /// Whether one more parameter fits into the standard tier.
    pub(crate) standard_has_room: bool,
}

/// The tier that the parameter is to have.
pub(crate) fn decide(ask: Ask<'_>) -> ApiResult<&'static str> {
    let is_advanced = ask.has == Some(ADVANCED);
    let tier = match ask.wanted {
        Some(INTELLIGENT) => {
            let needs_more =
                ask.chars > STANDARD_CHARS || ask.has_policies || ask.has.is_none() && !ask.standard_has_room;
            if is_advanced || needs_more {
                ADVANCED
            } else {
                STANDARD
            }
        }
        Some(ADVANCED) => ADVANCED,
        Some(_) if is_advanced => {
            return Err(ApiError::validation(
                "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the \
                 advanced-parameter tier to the standard-parameter tier. If necessary, you can delete the advanced \
                 parameter and recreate it as a standard parameter.",
            ));
        }
        Some(_) => STANDARD,
        None if is_advanced => ADVANCED,
        None => STANDARD,
    };
    check(tier, ask)?;
    Ok(tier)
}

fn check(tier: &str, ask: Ask<'_>) -> ApiResult<()> {
    if tier == ADVANCED {
        if ask.chars > ADVANCED_CHARS {
            return Err(ApiError::validation(format!(
                "Advanced tier parameters support a maximum parameter value of {ADVANCED_CHARS} characters."
            )));
        }
        return Ok(());
    }
    if ask.chars > STANDARD_CHARS {
        return Err(ApiError::validation(format!(
            "Standard tier parameters support a maximum parameter value of {STANDARD_CHARS} characters. To create a \
             larger parameter value, upgrade the parameter to use the advanced-parameter tier. For more information, see \
             https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html"
        )));
    }
    if ask.has_policies {
        return Err(ApiError::validation(
            "Policies need the advanced-parameter tier: set Tier to Advanced or Intelligent-Tiering.",
        ));
    }
    if ask.has.is_none() && !ask.standard_has_room {
        return Err(full(STANDARD_COUNT, "standard"));
    }
    Ok(())
}

/// That no further parameter of a tier can be made.
pub(crate) fn full(count: i64, tier: &str) -> ApiError {
    ApiError::new(
        "ParameterLimitExceeded",
        format!(
            "You have reached the maximum number of {tier} parameters for this AWS account and Region ({count}). To \
             create another one, delete one that is not needed or use another tier."
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiers_follow_size_policies_count_and_what_is_there() {
        let ask = Ask {
            wanted: None,
            has: None,
            chars: 10,
            has_policies: false,
            standard_has_room: true,
        };
        let intelligent = Ask {
            wanted: Some(INTELLIGENT),
            ..ask
        };
        let full = |ask: Ask<'static>| Ask {
            standard_has_room: false,
            ..ask
        };
        for (ask, tier) in [
            (ask, Ok(STANDARD)),
            (Ask { chars: 4097, ..ask }, Err("ValidationException")),
            (
                Ask {
                    wanted: Some(ADVANCED),
                    chars: 8192,
                    ..ask
                },
                Ok(ADVANCED),
            ),
            (
                Ask {
                    wanted: Some(ADVANCED),
                    chars: 8193,
                    ..ask
                },
                Err("ValidationException"),
            ),
            (
                Ask {
                    has: Some(ADVANCED),
                    chars: 5000,
                    ..ask
                },
                Ok(ADVANCED),
            ),
            (
                Ask {
                    has: Some(ADVANCED),
                    wanted: Some(STANDARD),
                    ..ask
                },
                Err("ValidationException"),
            ),
            (
                Ask {
                    has_policies: true,
                    ..ask
                },
                Err("ValidationException"),
            ),
            (intelligent, Ok(STANDARD)),
            (
                Ask {
                    chars: 4097,
                    ..intelligent
                },
                Ok(ADVANCED),
            ),
            (
                Ask {
                    has_policies: true,
                    ..intelligent
                },
                Ok(ADVANCED),
            ),
            (
                Ask {
                    has: Some(ADVANCED),
                    ..intelligent
                },
                Ok(ADVANCED),
            ),
            (full(intelligent), Ok(ADVANCED)),
            (full(ask), Err("ParameterLimitExceeded")),
            (
                full(Ask {
                    has: Some(STANDARD),
                    ..ask
                }),
                Ok(STANDARD),
            ),
        ] {
            assert_eq!(decide(ask).map_err(|error| error.code), tier, "{ask:?}");
        }
    }
}
