//! The content of Automation documents: their parameters as all documents declare them, and what `muster_automation` reads.

use super::declared::{check_defaults, check_form};
use super::parameters::Declared;
use super::text::invalid;
use crate::errors::ApiResult;
use muster_automation::Document;
use serde_json::Value;

/// A runbook.
#[derive(Clone, Debug)]
pub(crate) struct AutomationContent {
    pub(crate) parameters: Declared,
    pub(crate) document: Document,
}

/// Types that are the names of resources are texts here: `AWS::EC2::Instance::Id`, `List<AWS::EC2::Instance::Id>`.
fn with_plain_types(value: &Value) -> Value {
    let mut value = value.clone();
    let parameters = value.get_mut("parameters").and_then(Value::as_object_mut);
    for declared in parameters.into_iter().flatten().map(|(_, declared)| declared) {
        let Some(kind) = declared.get("type").and_then(Value::as_str) else {
            continue;
        };
        let plain = if kind.starts_with("AWS::") {
            "String"
        } else if kind.starts_with("List<") {
            "StringList"
        } else {
            continue;
        };
        declared["type"] = plain.into();
    }
    value
}

/// Reads and checks a runbook.
pub(crate) fn read(value: &Value) -> ApiResult<AutomationContent> {
    let document = Document::read(value).map_err(invalid)?;
    let plain = with_plain_types(value);
    let parameters: Declared = match plain.get("parameters") {
        None => Declared::new(),
        Some(declared) => {
            let kinds = [
                "String",
                "StringList",
                "Integer",
                "Boolean",
                "StringMap",
                "MapList",
            ];
            check_form(declared, &kinds)?;
            serde_json::from_value(declared.clone()).map_err(|error| invalid(error.to_string()))?
        }
    };
    check_defaults(&parameters)?;
    Ok(AutomationContent { parameters, document })
}
