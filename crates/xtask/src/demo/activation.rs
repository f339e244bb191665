//! Activations for demo nodes: made by the program itself, as an operator would.

use super::Plan;
use crate::failure::{Doing, Failure, Outcome};
use crate::process::{program, read};

/// What a node needs to register once.
pub(super) struct Activation {
    pub(super) id: String,
    pub(super) code: String,
    pub(super) region: String,
}

/// Two environments and two roles, so that there is something to filter by.
pub(super) fn tags(number: u32) -> Vec<String> {
    let environment = if number % 2 == 1 { "Staging" } else { "Production" };
    let role = if number.is_multiple_of(3) { "db" } else { "web" };
    vec![
        "Demo=true".to_owned(),
        format!("Environment={environment}"),
        format!("Role={role}"),
    ]
}

/// `muster activation create` for one node.
pub(super) fn create(plan: &Plan, tags: &[String]) -> Outcome<Activation> {
    let mut muster = program(
        &plan.program,
        ["activation", "create", "--limit", "1", "--data-dir"],
    );
    muster.arg(&plan.data_dir);
    for tag in tags {
        muster.args(["--tag", tag]);
    }
    let text = read(&mut muster).ok_or_else(|| Failure::new("`muster activation create` failed"))?;
    parse(&text)
}

/// Reads the program's answer. Errors never quote it: it holds the code.
fn parse(text: &str) -> Outcome<Activation> {
    let answer: serde_json::Value =
        serde_json::from_str(text).doing(|| "read what `muster activation create` said".to_owned())?;
    let field = |name: &str| {
        let value = answer
            .get(name)
            .and_then(serde_json::Value::as_str)
            .map(str::to_owned);
        value.ok_or_else(|| Failure::new(format!("`muster activation create` did not tell its {name}")))
    };
    Ok(Activation {
        id: field("ActivationId")?,
        code: field("ActivationCode")?,
        region: field("Region")?,
    })
}

#[cfg(test)]
mod tests {
    use super::{parse, tags};

    #[test]
    fn the_answer_is_read_and_never_quoted() {
        let whole =
            r#"{"ActivationId":"a-1","ActivationCode":"s3cret","Region":"eu-central-1","Endpoint":"x"}"#;
        assert_eq!(parse(whole).unwrap().region, "eu-central-1");
        let failure = parse(r#"{"ActivationId":"a-1","ActivationCode":"s3cret"}"#)
            .err()
            .unwrap()
            .to_string();
        assert!(
            failure.contains("Region") && !failure.contains("s3cret"),
            "{failure}"
        );
    }

    #[test]
    fn nodes_differ_in_environment_and_role() {
        let all: std::collections::BTreeSet<String> = (1..=3).map(|number| tags(number).join(" ")).collect();
        assert_eq!(all.len(), 3);
    }
}
