//! The typed form for a document's parameters: one field each, named `parameters[NAME]`.

use super::parameters::{expectation, field_text, is_multi_line};
use crate::components::{SelectField, TextArea, TextField};
use crate::error::AppError;
use leptos::prelude::*;
use muster_domain::commands::{DocumentParameter, ParameterType};
use std::collections::BTreeMap;

/// All parameters, in the order declared. `given` fills them in.
#[component]
pub(crate) fn ParameterForm(
    parameters: Vec<DocumentParameter>,
    given: BTreeMap<String, Vec<String>>,
    error: Signal<Option<AppError>>,
) -> impl IntoView {
    if parameters.is_empty() {
        return view! { <p class="muted small-text">"This document takes no parameters."</p> }.into_any();
    }
    parameters
        .into_iter()
        .map(|parameter| {
            let value = given
                .get(&parameter.name)
                .map(|values| field_text(values))
                .unwrap_or_default();
            view! { <ParameterField parameter value error /> }
        })
        .collect_view()
        .into_any()
}

#[component]
fn ParameterField(
    parameter: DocumentParameter,
    value: String,
    error: Signal<Option<AppError>>,
) -> impl IntoView {
    let field = format!("parameters.{}", parameter.name);
    let error =
        Signal::derive(move || error.with(|error| error.as_ref().and_then(|error| error.about(&field))));
    let required = parameter.default.is_none();
    let name = format!("parameters[{}]", parameter.name);
    let id = format!("parameter-{}", parameter.name);
    let label = if required {
        format!("{} (required)", parameter.name)
    } else {
        parameter.name.clone()
    };
    let default = parameter.default.as_deref().map(field_text).unwrap_or_default();
    let hint = [parameter.description.as_str(), expectation(&parameter)]
        .into_iter()
        .filter(|text| !text.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    let choices: Vec<String> = match (&parameter.allowed_values, parameter.parameter_type) {
        (values, _) if !values.is_empty() => values.clone(),
        (_, ParameterType::Boolean) => vec!["true".into(), "false".into()],
        _ => Vec::new(),
    };
    if !choices.is_empty() && !matches!(parameter.parameter_type, ParameterType::StringList) {
        let unset = if required {
            "Choose…".to_owned()
        } else if default.is_empty() {
            "Default (empty)".to_owned()
        } else {
            format!("Default ({default})")
        };
        let options = [(String::new(), unset)]
            .into_iter()
            .chain(choices.into_iter().map(|choice| (choice.clone(), choice)))
            .collect();
        return view! { <SelectField name id label hint options selected=value error /> }.into_any();
    }
    if is_multi_line(&parameter) {
        let rows = if parameter.parameter_type == ParameterType::StringList {
            6
        } else {
            4
        };
        return view! {
            <TextArea name id label hint value rows mono=true required placeholder=default error />
        }
        .into_any();
    }
    // Not `type=number`: that would swallow what cannot be read instead of naming it.
    view! { <TextField name id label hint value required placeholder=default error /> }.into_any()
}
