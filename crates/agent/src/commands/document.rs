//! What a command document says: is it one that can be run, and does a step's precondition hold. Pure: nothing is run
//! here.

use muster_agent_protocol::control::DocumentContent;
use muster_agent_protocol::inputs::fill;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Schema versions that are understood.
const SCHEMAS: [&str; 5] = ["2.0", "2.0.1", "2.0.2", "2.0.3", "2.2"];

/// Why a document cannot be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// It is of another kind.
    Schema(String),
    /// It contradicts itself.
    Document(String),
}

/// Checks what can be checked before anything runs.
pub(crate) fn check(document: &DocumentContent) -> Result<(), Unfit> {
    if !SCHEMAS.contains(&document.schema_version.as_str()) {
        return Err(Unfit::Schema(format!(
            "schema version {:?} is not supported; this agent runs {}",
            document.schema_version,
            SCHEMAS.join(", ")
        )));
    }
    if document.main_steps.is_empty() {
        return Err(Unfit::Document("the document has no mainSteps".into()));
    }
    let mut names = BTreeSet::new();
    for step in &document.main_steps {
        if step.name.is_empty() || step.action.is_empty() {
            return Err(Unfit::Document(
                "a step of mainSteps has no name or no action".into(),
            ));
        }
        if !names.insert(&step.name) {
            return Err(Unfit::Document(format!("two steps are named {:?}", step.name)));
        }
    }
    Ok(())
}

/// Whether a step's precondition holds here. An error names what cannot be understood.
pub(crate) fn precondition_holds(
    precondition: Option<&BTreeMap<String, Vec<String>>>,
    values: &BTreeMap<String, Value>,
) -> Result<bool, String> {
    let Some(precondition) = precondition else {
        return Ok(true);
    };
    for (operator, operands) in precondition {
        let [left, right] = operands.as_slice() else {
            return Err(format!("the precondition {operator} does not compare two values"));
        };
        if operator != "StringEquals" {
            return Err(format!(
                "the precondition {operator} is not known; StringEquals is"
            ));
        }
        let resolve = |operand: &str| {
            if operand == "platformType" {
                "linux".to_owned()
            } else {
                fill(operand, values)
            }
        };
        let names_platform = left == "platformType" || right == "platformType";
        let (left, right) = (resolve(left), resolve(right));
        let is_equal = if names_platform {
            left.eq_ignore_ascii_case(&right)
        } else {
            left == right
        };
        if !is_equal {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn preconditions_compare_the_platform() {
        let none = BTreeMap::new();
        let with = |json: Value| serde_json::from_value::<BTreeMap<String, Vec<String>>>(json).unwrap();
        let linux = with(json!({"StringEquals": ["platformType", "Linux"]}));
        let windows = with(json!({"StringEquals": ["Windows", "platformType"]}));
        assert_eq!(precondition_holds(Some(&linux), &none), Ok(true));
        assert_eq!(precondition_holds(Some(&windows), &none), Ok(false));
        assert_eq!(precondition_holds(None, &none), Ok(true));
        let odd = with(json!({"NumberEquals": ["1", "1"]}));
        assert!(precondition_holds(Some(&odd), &none).is_err());
    }

    #[test]
    fn documents_that_cannot_be_run_are_told_apart() {
        let document = |json: Value| serde_json::from_value::<DocumentContent>(json).unwrap();
        assert!(matches!(
            check(&document(json!({"schemaVersion": "0.3"}))),
            Err(Unfit::Schema(_))
        ));
        assert!(matches!(
            check(&document(json!({"schemaVersion": "2.2"}))),
            Err(Unfit::Document(_))
        ));
        let step = json!({"name": "a", "action": "aws:runShellScript"});
        let twice = document(json!({"schemaVersion": "2.2", "mainSteps": [step, step]}));
        assert!(matches!(check(&twice), Err(Unfit::Document(_))));
        assert_eq!(
            check(&document(json!({"schemaVersion": "2.2", "mainSteps": [step]}))),
            Ok(())
        );
    }
}
