//! Pseudo parameters: words in a task's parameters that stand for the window and the execution it is run in, as
//! `{{WINDOW_ID}}`. Facts: the user guide's "About pseudo parameters"; `TARGET_ID` and `RESOURCE_ID` are for
//! runbooks; in Run Command they stay as they are.

use crate::documents::parameters::Given;

/// What they stand for.
#[derive(Debug)]
pub(crate) struct Pseudo<'a> {
    pub(crate) window_id: &'a str,
    pub(crate) window_task_id: &'a str,
    pub(crate) window_target_id: &'a str,
    pub(crate) window_execution_id: &'a str,
    pub(crate) task_execution_id: &'a str,
    pub(crate) invocation_id: &'a str,
    /// The node, where something is run for each.
    pub(crate) resource_id: Option<&'a str>,
}

impl Pseudo<'_> {
    fn value(&self, name: &str) -> Option<&str> {
        Some(match name {
            "WINDOW_ID" => self.window_id,
            "WINDOW_TASK_ID" => self.window_task_id,
            "WINDOW_TARGET_ID" => self.window_target_id,
            "WINDOW_EXECUTION_ID" => self.window_execution_id,
            "TASK_EXECUTION_ID" => self.task_execution_id,
            "INVOCATION_ID" => self.invocation_id,
            "TARGET_TYPE" => "INSTANCE",
            "TARGET_ID" | "RESOURCE_ID" => self.resource_id?,
            _ => return None,
        })
    }

    /// One text; what is put in is not read again, and what is not known stays.
    fn text(&self, text: &str) -> String {
        let mut done = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            done.push_str(before);
            let value = after
                .split_once("}}")
                .and_then(|(name, end)| self.value(name.trim()).map(|value| (value, end)));
            if let Some((value, end)) = value {
                done.push_str(value);
                rest = end;
            } else {
                done.push_str("{{");
                rest = after;
            }
        }
        done.push_str(rest);
        done
    }

    /// In all values.
    pub(crate) fn in_all(&self, given: Given) -> Given {
        given
            .into_iter()
            .map(|(name, values)| (name, values.iter().map(|value| self.text(value)).collect()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_words_are_put_in_and_others_stay() {
        let pseudo = Pseudo {
            window_id: "mw-1",
            window_task_id: "t",
            window_target_id: "g",
            window_execution_id: "{{WINDOW_ID}}",
            task_execution_id: "te",
            invocation_id: "i",
            resource_id: None,
        };
        for (text, is) in [
            ("{{WINDOW_ID}}/{{ TARGET_TYPE }}", "mw-1/INSTANCE"),
            ("{{WINDOW_EXECUTION_ID}}", "{{WINDOW_ID}}"),
            ("{{ ssm:x }} {{RESOURCE_ID}} {{", "{{ ssm:x }} {{RESOURCE_ID}} {{"),
            ("{{{{WINDOW_ID}}}}", "{{mw-1}}"),
            ("", ""),
        ] {
            assert_eq!(pseudo.text(text), is, "{text}");
        }
        let of_node = Pseudo {
            resource_id: Some("mi-1"),
            ..pseudo
        };
        assert_eq!(of_node.text("{{TARGET_ID}} {{ RESOURCE_ID }}"), "mi-1 mi-1");
    }
}
