//! What is said against applications and their environments.

use super::*;

fn settings() -> ApplicationSettings {
    ApplicationSettings {
        name: "web".into(),
        document: USUAL_RUNBOOK.into(),
        version_parameter: "Version".into(),
        ..ApplicationSettings::default()
    }
}

fn change(change: ApplicationChange) -> ChangeApplication {
    ChangeApplication {
        application: ApplicationId::new(""),
        change,
        seen: 0,
        confirmation: String::new(),
    }
}

fn create(settings: ApplicationSettings, environments: &[&str]) -> ChangeApplication {
    change(ApplicationChange::Create {
        settings,
        environments: environments.iter().map(|name| (*name).to_owned()).collect(),
    })
}

#[test]
fn what_is_missing_is_said_at_its_field() {
    let good = create(settings(), &["Staging", "Production"]);
    assert_eq!(good.check(), Ok(()));
    let bad = create(
        ApplicationSettings {
            name: "w/b".into(),
            document: " ".into(),
            version_parameter: String::new(),
            description: "x".repeat(501),
            previous_parameter: "A".into(),
            artefact_parameter: "A".into(),
            parameters: BTreeMap::from([("DbPassword".into(), vec!["hunter2".into()])]),
            ..ApplicationSettings::default()
        },
        &["Staging", "staging"],
    );
    let error = bad.check().unwrap_err();
    for field in [
        "name",
        "document",
        "version_parameter",
        "description",
        "artefact_parameter",
        "parameters",
        "environments",
    ] {
        assert!(error.about(field).is_some(), "{field}");
    }
    assert!(!error.to_string().contains("hunter2"), "{error}");
    let named = create(
        ApplicationSettings {
            parameters: BTreeMap::from([("DbPassword".into(), vec!["{{ssm-secure:/web/db}}".into()])]),
            ..settings()
        },
        &["Staging"],
    );
    assert_eq!(named.check(), Ok(()), "a secret that is only named stays");
    assert!(
        create(settings(), &[])
            .check()
            .unwrap_err()
            .about("environments")
            .is_some()
    );
}

#[test]
fn environments_keep_their_order_and_their_names() {
    let all = create(settings(), &["Staging", "Production"])
        .environments(&[])
        .unwrap();
    let put = |was: &str, name: &str, place| {
        change(ApplicationChange::PutEnvironment {
            was: was.into(),
            environment: Environment {
                name: name.into(),
                filter: "nonsense>".into(),
                max_concurrency: "0".into(),
                max_errors: "x".into(),
                ..Environment::default()
            },
            place,
        })
    };
    let error = put("", "Test", 1).check().unwrap_err();
    for field in ["filter", "max_concurrency", "max_errors"] {
        assert!(error.about(field).is_some(), "{field}: {error}");
    }
    let names = |all: &[Environment]| -> Vec<String> { all.iter().map(|one| one.name.clone()).collect() };
    let more = put("", " Test ", 1).environments(&all).unwrap();
    assert_eq!(names(&more), ["Test", "Staging", "Production"]);
    let moved = put("Test", "Testing", 99).environments(&more).unwrap();
    assert_eq!(names(&moved), ["Staging", "Production", "Testing"]);
    assert!(put("", "production", 1).environments(&all).is_err());
    assert!(put("Gone", "x", 1).environments(&all).is_err());
    let fewer = change(ApplicationChange::RemoveEnvironment {
        environment: "Staging".into(),
    });
    assert_eq!(names(&fewer.environments(&all).unwrap()), ["Production"]);
}

#[test]
fn nodes_are_found_by_tags_unless_a_filter_is_given() {
    let mut environment = Environment {
        name: "Staging".into(),
        ..Environment::default()
    };
    let filter = environment.filter_for("a;b");
    assert_eq!(filter, "tag:Application=a\\;b;tag:Environment=Staging");
    assert_eq!(FleetFilter::parse(&filter).unwrap().tokens.len(), 2);
    environment.filter = " name~web ".into();
    assert_eq!(environment.filter_for("web"), "name~web");
}

#[test]
fn parameters_are_lines() {
    let text = "Folder = /opt/web\nPorts=80\n\nPorts=443\nQuery=a=b";
    let read = read_parameters(text).unwrap();
    assert_eq!(read["Ports"], ["80", "443"]);
    assert_eq!(read["Query"], ["a=b"]);
    assert_eq!(read_parameters(&parameter_lines(&read)), Ok(read));
    assert_eq!(read_parameters("Folder").unwrap_err().field, "parameters");
}
