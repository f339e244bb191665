//! What acts meet: the strictest of all that matches.

use super::*;
use crate::approvals::Policy;

fn policy(name: &str, effect: Effect) -> Policy {
    Policy {
        name: name.into(),
        acts: vec!["commands.run".into()],
        effect,
        ..Policies::fallback()
    }
}

fn proposal(environment: &str, nodes: usize) -> Proposal {
    Proposal {
        act: Some(Act::RunCommand),
        document: "AWS-RunShellScript".into(),
        nodes: vec![vec![("Environment".into(), environment.into())]; nodes],
        requester: ["user:alice".to_owned()].into(),
        ..Proposal::default()
    }
}

fn effect_of(policies: Vec<Policy>, proposal: &Proposal) -> Effect {
    let policies = Policies {
        policies,
        default: Effect::Allow,
        ..Policies::default()
    };
    policies.meet(proposal, &|_| true).effect
}

#[test]
fn to_deny_beats_to_ask_which_beats_to_allow() {
    let act = proposal("Production", 1);
    let (allow, ask, deny) = (
        policy("a", Effect::Allow),
        policy("b", Effect::Approve),
        policy("c", Effect::Deny),
    );
    assert_eq!(effect_of(vec![], &act), Effect::Allow);
    assert_eq!(effect_of(vec![allow.clone(), ask.clone()], &act), Effect::Approve);
    assert_eq!(effect_of(vec![ask.clone(), allow.clone()], &act), Effect::Approve);
    assert_eq!(
        effect_of(vec![deny.clone(), ask.clone(), allow.clone()], &act),
        Effect::Deny
    );
    assert_eq!(effect_of(vec![allow, ask, deny], &act), Effect::Deny);
}

#[test]
fn every_condition_has_to_hold() {
    let mut strict = policy("strict", Effect::Approve);
    strict.nodes = "Environment=Prod*".into();
    strict.more_than_nodes = Some(2);
    strict.documents = vec!["AWS-Run*Script".into()];
    let is = |policy: &Policy, act: &Proposal| effect_of(vec![policy.clone()], act) == Effect::Approve;
    assert!(is(&strict, &proposal("Production", 3)));
    assert!(!is(&strict, &proposal("Production", 2)), "not above two nodes");
    assert!(!is(&strict, &proposal("Staging", 3)), "not in production");
    let mut other = proposal("Production", 3);
    other.document = "AWS-RunPatchBaseline".into();
    assert!(!is(&strict, &other), "another document");
    other.act = Some(Act::OpenTerminal);
    assert!(!is(&strict, &other), "another act");
    let mut mixed = proposal("Staging", 3);
    mixed.nodes[1] = vec![("Environment".into(), "Production".into())];
    assert!(is(&strict, &mixed), "one node in production is enough");
}

#[test]
fn to_allow_takes_every_node_and_what_is_not_named_is_never_allowed() {
    let mut lax = policy("lax", Effect::Allow);
    lax.nodes = "Environment=Staging".into();
    let policies = Policies {
        policies: vec![lax],
        default: Effect::Deny,
        ..Policies::default()
    };
    let effect = |act: &Proposal| policies.meet(act, &|_| true).effect;
    assert_eq!(effect(&proposal("Staging", 2)), Effect::Allow);
    let mut mixed = proposal("Staging", 2);
    mixed.nodes[1] = vec![("Environment".into(), "Production".into())];
    assert_eq!(effect(&mixed), Effect::Deny, "one of them is in production");
    let mut anywhere = proposal("Staging", 2);
    anywhere.anywhere = true;
    assert_eq!(effect(&anywhere), Effect::Deny, "it may reach others");
    let mut strict = policy("strict", Effect::Approve);
    strict.nodes = "Environment=Production".into();
    assert_eq!(effect_of(vec![strict], &anywhere), Effect::Approve);
}

#[test]
fn several_policies_ask_for_everything_that_each_asks_for() {
    let mut one = policy("one", Effect::Approve);
    one.expires_minutes = 60;
    one.bulk = true;
    one.break_glass = vec!["user:alice".into(), "role:administrator".into()];
    let mut two = policy("two", Effect::Approve);
    two.reason = true;
    two.ticket = Some("OPS-[0-9]+".into());
    two.break_glass = vec!["role:administrator".into()];
    let policies = Policies {
        policies: vec![one, two],
        ..Policies::default()
    };
    let demand = policies.meet(&proposal("Production", 1), &|_| true).demand;
    assert_eq!(demand.tracks.len(), 2);
    assert!(
        !demand.bulk,
        "one of them does not let it be approved with others"
    );
    let mut lax = policies.clone();
    lax.policies[1].bulk = true;
    assert!(lax.meet(&proposal("Production", 1), &|_| true).demand.bulk);
    assert!(demand.reason);
    assert_eq!(demand.tickets, ["OPS-[0-9]+"]);
    assert_eq!(demand.expires_minutes, 60);
    assert_eq!(demand.break_glass, ["role:administrator".to_owned()].into());
}

#[test]
fn accounts_of_one_person_are_one_person() {
    let policies = Policies {
        people: [(
            "Alice".to_owned(),
            vec!["alice".to_owned(), "alice-admin".to_owned()],
        )]
        .into(),
        ..Policies::default()
    };
    assert_eq!(policies.person("Alice-Admin"), policies.person("alice"));
    assert_ne!(policies.person("bob"), policies.person("alice"));
    assert_eq!(policies.person("Bob"), "bob");
}

#[test]
fn a_terminal_as_nobody_in_particular_is_one_as_anybody() {
    let mut root = policy("root", Effect::Approve);
    root.acts = vec!["*".into()];
    root.os_users = vec!["root".into()];
    let mut terminal = proposal("Production", 1);
    terminal.act = Some(Act::OpenTerminal);
    let effect = |policy: &Policy, act: &Proposal| effect_of(vec![policy.clone()], act);
    let ask = Effect::Approve;
    assert_eq!(effect(&root, &terminal), ask, "the node's own choice may be root");
    terminal.os_user = " ".into();
    assert_eq!(effect(&root, &terminal), ask);
    terminal.os_user = "ROOT".into();
    assert_eq!(effect(&root, &terminal), ask);
    terminal.os_user = "www".into();
    assert_eq!(effect(&root, &terminal), Effect::Allow);
    let command = proposal("Production", 1);
    assert_eq!(
        effect(&root, &command),
        Effect::Allow,
        "only terminals have a user"
    );
    root.effect = Effect::Deny;
    terminal.os_user = String::new();
    assert_eq!(effect(&root, &terminal), Effect::Deny);
    let mut lax = root;
    lax.effect = Effect::Allow;
    let policies = Policies {
        policies: vec![lax],
        default: Effect::Deny,
        ..Policies::default()
    };
    assert_eq!(
        policies.meet(&terminal, &|_| true).effect,
        Effect::Deny,
        "what is allowed to one user is not allowed to whoever it may be"
    );
}

#[test]
fn globs_find_what_they_say() {
    for (pattern, text, is) in [
        ("*", "", true),
        ("AWS-*", "aws-runshellscript", true),
        ("AWS-*Script", "AWS-RunPatchBaseline", false),
        ("a*b*c", "aXbYc", true),
        ("a*b*c", "acb", false),
        ("", "x", false),
        ("*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
    ] {
        assert_eq!(glob(pattern, text), is, "{pattern} and {text}");
    }
}

#[test]
fn hours_hold_within_or_outside() {
    let mut at_night = policy("night", Effect::Approve);
    at_night.at = Some(Hours {
        hours: "Mon-Fri 08:00-18:00".into(),
        time_zone: "UTC".into(),
        outside: true,
    });
    let policies = Policies {
        policies: vec![at_night],
        default: Effect::Allow,
        ..Policies::default()
    };
    let act = proposal("Production", 1);
    assert_eq!(policies.meet(&act, &|_| true).effect, Effect::Allow);
    assert_eq!(policies.meet(&act, &|_| false).effect, Effect::Approve);
}

#[test]
fn a_parameter_is_meant_by_its_path() {
    let of = |parameters: &[&str], name: &str| {
        let policy = Policy {
            acts: vec!["*".into()],
            parameters: parameters.iter().map(|one| (*one).to_owned()).collect(),
            ..policy("p", Effect::Approve)
        };
        let act = Proposal {
            act: Some(Act::PutParameter),
            parameter: name.into(),
            ..Proposal::default()
        };
        effect_of(vec![policy], &act) == Effect::Approve
    };
    assert!(of(&["/prod/*"], "/prod/db/password"));
    assert!(of(&["/dev/*", "/prod/db"], "/prod/db"));
    assert!(!of(&["/prod/*"], "/production/x") && !of(&["/prod/*"], "/dev/prod/x"));
    // `foo` and `/foo` are one parameter, however the policy and the act spell it.
    for (pattern, name) in [
        ("foo", "/foo"),
        ("/foo", "foo"),
        ("foo", "foo"),
        ("*", "foo"),
        ("fo*", "/foo"),
    ] {
        assert!(of(&[pattern], name), "{pattern} {name}");
    }
    // What is about no parameter is not meant, by no pattern.
    assert!(!of(&["*"], "") && !of(&["/*"], ""));
    assert!(
        of(&[], "/any"),
        "a policy about all acts is about parameters, too"
    );
}

#[test]
fn a_maintenance_window_is_meant_by_its_names() {
    let of = |effect: Effect, names: &[&str]| {
        let policy = Policy {
            acts: vec!["windows.*".into()],
            maintenance_windows: vec!["prod-*".into()],
            ..policy("p", effect)
        };
        let act = Proposal {
            act: Some(Act::ChangeWindow),
            maintenance_windows: names.iter().map(|name| (*name).to_owned()).collect(),
            ..Proposal::default()
        };
        let policies = Policies {
            default: Effect::Deny,
            policies: vec![policy],
            ..Policies::default()
        };
        policies.meet(&act, &|_| true).effect == effect
    };
    assert!(of(Effect::Approve, &["prod-nightly"]) && !of(Effect::Approve, &["dev-nightly"]));
    // Under another name it is neither got out of a policy nor into one that allows.
    assert!(of(Effect::Approve, &["prod-nightly", "dev-nightly"]));
    assert!(of(Effect::Approve, &["dev-nightly", "prod-nightly"]));
    assert!(of(Effect::Allow, &["prod-a"]) && !of(Effect::Allow, &["prod-a", "dev-a"]));
    assert!(!of(Effect::Allow, &[]) && !of(Effect::Approve, &[]));
}

#[test]
fn a_deployment_is_meant_by_application_and_environment() {
    let of = |applications: &[&str], environments: &[&str], application: &str, environment: &str| {
        let names = |all: &[&str]| all.iter().map(|name| (*name).to_owned()).collect();
        let policy = Policy {
            acts: vec!["*".into()],
            applications: names(applications),
            environments: names(environments),
            ..policy("p", Effect::Approve)
        };
        let act = Proposal {
            act: Some(Act::Deploy),
            application: application.into(),
            environment: environment.into(),
            ..Proposal::default()
        };
        let policies = Policies {
            default: Effect::Allow,
            policies: vec![policy],
            ..Policies::default()
        };
        policies.meet(&act, &|_| true).effect == Effect::Approve
    };
    assert!(of(&["web-*"], &["Production"], "web-shop", "production"));
    assert!(!of(&["web-*"], &["Production"], "web-shop", "Staging"));
    assert!(!of(&["web-*"], &[], "api", "Production"));
    assert!(of(&[], &[], "api", "Production"));
    // What is no deployment is not meant, by no pattern.
    assert!(!of(&["*"], &[], "", "") && !of(&[], &["*"], "", ""));
}

#[test]
fn a_policy_about_a_connection_is_not_got_around_by_asking_elsewhere() {
    let of = |effect: Effect, act: Act, connection: &str| {
        let policy = Policy {
            acts: vec!["*".into()],
            connections: vec!["prod*".into()],
            ..policy("p", effect)
        };
        let act = Proposal {
            act: Some(act),
            connection: connection.into(),
            ..Proposal::default()
        };
        let policies = Policies {
            default: Effect::Deny,
            policies: vec![policy],
            ..Policies::default()
        };
        policies.meet(&act, &|_| true).effect == effect
    };
    assert!(of(Effect::Approve, Act::RunCommand, "production"));
    assert!(!of(Effect::Approve, Act::RunCommand, "staging"));
    assert!(!of(Effect::Approve, Act::RunCommand, ""));
    // A role that is asked for at one connection may hold at another.
    for act in [Act::HoldRole, Act::ChangePolicies] {
        assert!(
            of(Effect::Approve, act, "staging") && !of(Effect::Allow, act, "production"),
            "{act:?}"
        );
    }
}
