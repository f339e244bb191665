//! Steps that call an operation: this endpoint's own, behind the same checks and the same audit log as everybody's calls.

use crate::audited;
use crate::control_plane::ControlPlane;
use crate::ec2::instance_ids;
use crate::errors::ApiError;
use crate::operations::{self, Access, Call, Operation, Who};
use muster_automation::{Output, select, text_of};
use muster_domain::action::Action;
use muster_domain::audit::Intent;
use serde_json::{Map, Value};

/// A call that a step makes.
pub(crate) struct ApiCall {
    operation: &'static Operation,
    input: Value,
}

/// Operations that steps do not call, and why.
const REFUSED: [(&str, &str); 6] = [
    (
        "StartSession",
        "its answer is a secret, and would be in the execution",
    ),
    (
        "ResumeSession",
        "its answer is a secret, and would be in the execution",
    ),
    (
        "CreateActivation",
        "its answer is a secret, and would be in the execution",
    ),
    ("StartAutomationExecution", "use aws:executeAutomation"),
    ("StopAutomationExecution", "a runbook stops by how its steps end"),
    ("SendAutomationSignal", "people decide, not runbooks"),
];

/// Inputs as they are shown: what the audit log leaves out is not told here either.
pub(crate) fn masked(inputs: &Value) -> Value {
    let mut shown = inputs.clone();
    let text = |name: &str| inputs.get(name).and_then(Value::as_str).unwrap_or_default();
    let operation = operations::of_action(&text("Service").to_ascii_lowercase(), &pascal(text("Api")));
    if let (Some(operation), Some(members)) = (operation, shown.as_object_mut()) {
        for (name, value) in members.iter_mut() {
            if audited::is_secret(operation, name) || name == "Plaintext" {
                *value = Value::String("***".to_owned());
            }
        }
    }
    shown
}

/// What an answer of EC2 is called in SDKs: `reservationSet` is `Reservations`.
fn sdk_names(value: Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.into_iter().map(sdk_names).collect()),
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(name, value)| (sdk_name(&name), sdk_names(value)))
                .collect(),
        ),
        other => other,
    }
}

fn sdk_name(name: &str) -> String {
    match name {
        "instancesSet" => return "Instances".to_owned(),
        "blockDeviceMapping" => return "BlockDeviceMappings".to_owned(),
        "instanceState" => return "State".to_owned(),
        // Only snapshots have one.
        "status" => return "State".to_owned(),
        "statusMessage" => return "StateMessage".to_owned(),
        _ => {}
    }
    let plural = name.strip_suffix("Set").map(|one| format!("{one}s"));
    pascal(plural.as_deref().unwrap_or(name))
}

/// `send_command` and `sendCommand` are `SendCommand`.
fn pascal(name: &str) -> String {
    name.split('_')
        .map(|word| {
            let mut letters = word.chars();
            let first = letters.next().map(|letter| letter.to_ascii_uppercase());
            first.into_iter().chain(letters).collect::<String>()
        })
        .collect()
}

impl ApiCall {
    /// Reads it from a step's inputs; `own` are members that are the step's, not the call's.
    pub(crate) fn read(inputs: &Value, own: &[&str]) -> Result<Self, String> {
        let text = |name: &str| inputs.get(name).and_then(Value::as_str).unwrap_or_default();
        let (service, api) = (text("Service").to_ascii_lowercase(), pascal(text("Api")));
        let operation = operations::of_action(&service, &api)
            .filter(|operation| matches!(operation.who, Who::Operator | Who::OperatorOrNode))
            .filter(|operation| operations::is_dispatched(operation))
            .ok_or_else(|| format!("this control plane has no operation {api} of the service {service:?}"))?;
        if let Some((_, why)) = REFUSED.iter().find(|(name, _)| *name == operation.name) {
            return Err(format!("{api} is not called by steps: {why}"));
        }
        let mut input = inputs.as_object().cloned().unwrap_or_default();
        input.retain(|name, _| !["Service", "Api"].contains(&name.as_str()) && !own.contains(&name.as_str()));
        let in_the_clear = operation.service == "kms"
            || input
                .get("WithDecryption")
                .is_some_and(|value| text_of(value).eq_ignore_ascii_case("true"));
        if operation.access == Access::Reveal && in_the_clear {
            return Err(format!(
                "{api} would put a secret into the execution, where everybody reads it; let the node read it instead"
            ));
        }
        Ok(Self {
            operation,
            input: Value::Object(input),
        })
    }

    /// Whether making it twice is the same as making it once.
    pub(crate) fn only_reads(&self) -> bool {
        self.operation.access != Access::Write
    }

    /// Makes the call, in the control plane's own name.
    pub(crate) async fn make(
        mut self,
        plane: &ControlPlane,
        region: &str,
        reason: &str,
    ) -> Result<Value, ApiError> {
        let call = Call::of_server(plane, region);
        let is_ec2 = self.operation.service == "ec2";
        instance_ids::resolve(plane, region, &mut self.input).await?;
        let act = operations::dispatch(plane, &call, self.operation.name, self.input.clone());
        let named = |answer: Value| if is_ec2 { sdk_names(answer) } else { answer };
        if self.only_reads() {
            return act.await.map(named);
        }
        let intent = Intent::new(Action::ApiCall, format!("automation:{reason}"))
            .named(audited::name(self.operation))
            .with("operation", self.operation.name)
            .with("region", region.to_owned())
            .with("reason", format!("automation execution {reason}"))
            .with(
                "parameters",
                audited::without_secrets(self.operation, &self.input),
            );
        audited::own_act(plane, &intent, act).await.map(named)
    }
}

/// What an answer tells of what a step declares.
pub(crate) fn outputs(declared: &[Output], answer: &Value) -> Result<Map<String, Value>, String> {
    let mut all = Map::new();
    for output in declared {
        if let Some(found) = select(&output.selector, answer)? {
            all.insert(output.name.clone(), found);
        }
    }
    Ok(all)
}

/// Whether what a selector picks is one of the values that are wanted; of a list all have to be.
pub(crate) fn is_as_wanted(inputs: &Value, answer: &Value) -> Result<(bool, String), String> {
    let selector = inputs
        .get("PropertySelector")
        .and_then(Value::as_str)
        .ok_or("it needs the input PropertySelector")?;
    let wanted = match inputs.get("DesiredValues") {
        Some(Value::Array(items)) if !items.is_empty() => items.iter().map(text_of).collect::<Vec<_>>(),
        _ => return Err("it needs the input DesiredValues, a list".to_owned()),
    };
    let is_wanted = |value: &Value| wanted.contains(&text_of(value));
    Ok(match select(selector, answer)? {
        None => (false, "nothing".to_owned()),
        Some(Value::Array(items)) => (
            !items.is_empty() && items.iter().all(is_wanted),
            Value::Array(items).to_string(),
        ),
        Some(value) => (is_wanted(&value), text_of(&value)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn calls_are_found_by_any_spelling_and_secrets_refused() {
        for api in [
            "DescribeInstanceInformation",
            "describe_instance_information",
            "describeInstanceInformation",
        ] {
            let call = ApiCall::read(&json!({"Service": "ssm", "Api": api, "MaxResults": 5}), &[]).unwrap();
            assert_eq!(call.operation.name, "DescribeInstanceInformation");
            assert_eq!(call.input, json!({"MaxResults": 5}));
            assert!(call.only_reads());
        }
        for (inputs, says) in [
            (json!({"Service": "s3", "Api": "GetObject"}), "no operation"),
            (
                json!({"Service": "ssm", "Api": "Nothing"}),
                "no operation Nothing",
            ),
            (
                json!({"Service": "ssm", "Api": "RegisterManagedInstance"}),
                "no operation",
            ),
            (json!({"Service": "kms", "Api": "Decrypt"}), "a secret"),
            (json!({"Service": "ssm", "Api": "StartSession"}), "a secret"),
            (
                json!({"Service": "ssm", "Api": "start_automation_execution"}),
                "aws:executeAutomation",
            ),
            (
                json!({"Service": "ssm", "Api": "SendAutomationSignal"}),
                "people decide",
            ),
            (
                json!({"Service": "ssm", "Api": "GetParameter", "WithDecryption": true}),
                "a secret",
            ),
        ] {
            let told = ApiCall::read(&inputs, &[]).err().unwrap();
            assert!(told.contains(says), "{told}");
        }
    }

    #[test]
    fn answers_are_called_as_sdks_call_them_and_secrets_not_shown() {
        let answer = json!({"reservationSet": [{"instancesSet": [{"instanceId": "i-1", "instanceState": {"name": "running"},
            "tagSet": [{"key": "a"}], "blockDeviceMapping": [{"ebs": {"volumeId": "vol-1"}}]}]}], "snapshotId": "snap-1"});
        assert_eq!(
            sdk_names(answer),
            json!({"Reservations": [{"Instances": [{"InstanceId": "i-1", "State": {"Name": "running"},
                "Tags": [{"Key": "a"}], "BlockDeviceMappings": [{"Ebs": {"VolumeId": "vol-1"}}]}]}], "SnapshotId": "snap-1"})
        );
        let inputs = json!({"Service": "ssm", "Api": "PutParameter", "Name": "/a", "Value": "secret"});
        assert_eq!(masked(&inputs)["Value"], "***");
        assert_eq!(masked(&inputs)["Name"], "/a");
    }

    #[test]
    fn properties_are_compared_as_texts() {
        let answer = json!({"States": [{"Name": "on"}, {"Name": "on"}], "n": 1});
        let is = |selector: &str, wanted: Value| {
            is_as_wanted(
                &json!({"PropertySelector": selector, "DesiredValues": wanted}),
                &answer,
            )
            .map(|(is, _)| is)
        };
        assert_eq!(is("$.States..Name", json!(["on"])), Ok(true));
        assert_eq!(is("$.States..Name", json!(["off"])), Ok(false));
        assert_eq!(is("$.n", json!([1, "2"])), Ok(true));
        assert_eq!(is("$.none", json!(["on"])), Ok(false));
        assert_eq!(is("$.States..none", json!(["on"])), Ok(false));
        assert!(is("n", json!(["on"])).is_err());
        assert!(is("$.n", json!([])).is_err());
    }
}
