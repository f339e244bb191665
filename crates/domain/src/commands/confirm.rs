//! The question before a command that touches production or many nodes: asked by the page, enforced by the portal.

use crate::error::PortalError;

/// More nodes than this are asked about wherever they are.
pub const MANY_NODES: u64 = 50;

/// Whether an Environment tag says production.
#[must_use]
pub fn is_production(environment: &str) -> bool {
    let environment = environment.trim();
    environment.eq_ignore_ascii_case("production") || environment.eq_ignore_ascii_case("prod")
}

/// Whether a command on `nodes` nodes, of which `in_production` are in production, may start: when nothing needs to be
/// asked, or when exactly that number was confirmed. A number that was confirmed and no longer holds is never let
/// through: somebody agreed to something else.
///
/// # Errors
/// [`PortalError::ConfirmationNeeded`] with the counts.
pub const fn check_confirmed(
    confirmed: Option<u64>,
    nodes: u64,
    in_production: u64,
) -> Result<(), PortalError> {
    let fine = match confirmed {
        Some(confirmed) => confirmed == nodes,
        None => nodes <= MANY_NODES && in_production == 0,
    };
    if fine {
        Ok(())
    } else {
        Err(PortalError::ConfirmationNeeded {
            nodes,
            in_production,
            confirmed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn production_and_many_nodes_need_the_right_number() {
        for (confirmed, nodes, in_production, fine) in [
            (None, 3, 0, true),
            (None, MANY_NODES, 0, true),
            (None, MANY_NODES + 1, 0, false),
            (None, 3, 1, false),
            (Some(3), 3, 1, true),
            (Some(2), 3, 1, false),
            (Some(2), 3, 0, false),
            (Some(51), 51, 0, true),
        ] {
            assert_eq!(
                check_confirmed(confirmed, nodes, in_production).is_ok(),
                fine,
                "{confirmed:?} of {nodes}"
            );
        }
        assert!(is_production(" PROD ") && is_production("Production") && !is_production("Staging"));
    }

    #[test]
    fn the_refusal_says_what_to_send() {
        let said = |confirmed| check_confirmed(confirmed, 3, 1).unwrap_err().to_string();
        assert!(said(None).contains("3 nodes, 1 of them in production"));
        assert!(said(None).contains("confirmed_nodes = 3"));
        assert!(said(Some(2)).contains("You confirmed 2"));
    }
}
