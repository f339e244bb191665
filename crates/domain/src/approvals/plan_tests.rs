//! Tests of plans: what their digest holds, what differs, which are alike.

use super::plan::*;
use super::*;
use std::collections::BTreeMap;

fn plan() -> Plan {
    Plan {
        act: Act::RunCommand,
        subject: PlanSubject::Command {
            document: "AWS-RunShellScript".into(),
            document_version: "1".into(),
            document_sha256: "aa".into(),
            parameters: [("commands".to_owned(), vec!["uptime".to_owned()])].into(),
            references: BTreeMap::new(),
            baselines: BTreeMap::new(),
            max_concurrency: "50".into(),
            max_errors: "0".into(),
            timeout_seconds: 60,
        },
        targets: "2 nodes".into(),
        nodes: ["mi-1", "mi-2"]
            .map(|id| PlanNode {
                node_id: id.into(),
                name: format!("name-{id}"),
                environment: "Staging".into(),
            })
            .into(),
        not_before: None,
    }
}

#[test]
fn what_runs_makes_the_bytes_and_what_it_is_called_does_not() {
    let one = plan();
    let mut other = plan();
    other.nodes.reverse();
    other.nodes[0].name = "another".into();
    other.targets = "tag:x=y".into();
    assert_eq!(one.canonical(), other.canonical());
    assert_eq!(differences(&one, &other), Vec::<String>::new());
}

#[test]
fn plans_are_alike_that_do_the_same_to_other_nodes() {
    let one = plan();
    let mut other = plan();
    other.nodes.pop();
    other.targets = "tag:x=y".into();
    assert!(one.alike().is_some());
    assert_eq!(one.alike(), other.alike());
    type Change = fn(&mut PlanSubject);
    let changes: [Change; 4] = [
        |subject| {
            if let PlanSubject::Command { document_sha256, .. } = subject {
                *document_sha256 = "bb".into();
            }
        },
        |subject| {
            if let PlanSubject::Command { document_version, .. } = subject {
                *document_version = "2".into();
            }
        },
        |subject| {
            if let PlanSubject::Command { parameters, .. } = subject {
                parameters.insert("commands".into(), vec!["reboot".into()]);
            }
        },
        |subject| {
            if let PlanSubject::Command { references, .. } = subject {
                references.insert("/app/name".into(), 2);
            }
        },
    ];
    for change in changes {
        let mut other = plan();
        change(&mut other.subject);
        assert_ne!(one.alike(), other.alike(), "{:?}", other.subject);
    }
    let later = Plan {
        not_before: Some(7),
        ..plan()
    };
    assert_ne!(one.alike(), later.alike());
    let policies = Plan {
        subject: PlanSubject::Policies {
            old_sha256: "a".into(),
            new_sha256: "b".into(),
        },
        ..plan()
    };
    assert_eq!(policies.alike(), None);
}

#[test]
fn whatever_would_run_differently_is_said() {
    type Change = fn(&mut Plan);
    let changes: [(Change, &str); 6] = [
        (|plan| drop(plan.nodes.pop()), "Node gone: name-mi-2."),
        (
            |plan| {
                plan.nodes.push(PlanNode {
                    node_id: "mi-3".into(),
                    name: "new".into(),
                    environment: String::new(),
                });
            },
            "Node added: new.",
        ),
        (
            |plan| plan.nodes[0].environment = "Production".into(),
            "Node in another environment now: name-mi-1.",
        ),
        (
            |plan| {
                if let PlanSubject::Command { document_sha256, .. } = &mut plan.subject {
                    *document_sha256 = "bb".into();
                }
            },
            "version 1 was approved",
        ),
        (
            |plan| {
                if let PlanSubject::Command { parameters, .. } = &mut plan.subject {
                    parameters.insert("commands".into(), vec!["reboot".into()]);
                }
            },
            "The parameter commands has changed.",
        ),
        (|plan| plan.not_before = Some(1), "not what was asked for"),
    ];
    for (change, said) in changes {
        let mut changed = plan();
        change(&mut changed);
        assert_ne!(plan().canonical(), changed.canonical(), "{said}");
        let differences = differences(&plan(), &changed);
        assert!(
            differences.iter().any(|text| text.contains(said)),
            "{differences:?}"
        );
    }
}

fn terminal(os_user: &str, document: &str, version: &str, sha256: &str) -> Plan {
    Plan {
        act: Act::OpenTerminal,
        subject: PlanSubject::Terminal {
            os_user: os_user.into(),
            minutes: 60,
            document: document.into(),
            document_version: version.into(),
            document_sha256: sha256.into(),
        },
        ..plan()
    }
}

#[test]
fn a_terminal_is_approved_with_its_document_as_it_was() {
    let approved = terminal("", "Web-Shell", "1", "aa");
    assert_eq!(approved.title(), "Terminal with Web-Shell on 2 nodes");
    assert_eq!(
        differences(&approved, &terminal("", "Web-Shell", "2", "bb")),
        ["The Session document Web-Shell has changed (version 1 was approved, version 2 would be opened)."]
    );
    assert_eq!(
        differences(&approved, &terminal("root", "Web-Shell", "1", "aa")),
        ["It was approved as the document's own user, not as root."]
    );
    let default = crate::sessions::SESSION_PREFERENCES;
    assert_eq!(
        terminal("web", default, "1", "aa").title(),
        "Terminal as web on 2 nodes"
    );
    assert_eq!(
        differences(&approved, &terminal("", default, "1", "aa")),
        ["The Session document SSM-SessionManagerRunShell is another than was approved (Web-Shell)."]
    );
    // Preferences that are saved for the first time change what is opened.
    assert_eq!(
        differences(&terminal("", default, "", ""), &terminal("", default, "1", "aa")).len(),
        1
    );
    // What was asked for before documents were part of plans keeps its digest, and opens nothing that nobody looked at.
    let old = r#"{"does":"terminal","os_user":"root","minutes":60}"#;
    let subject: PlanSubject = serde_json::from_str(old).unwrap();
    assert_eq!(serde_json::to_string(&subject).unwrap(), old);
    let old = Plan { subject, ..approved };
    assert_eq!(differences(&old, &terminal("root", default, "1", "aa")).len(), 1);
}
