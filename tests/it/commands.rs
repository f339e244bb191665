//! Running commands as people do it: production is confirmed at the portal, whatever the page does; what is wrong is
//! said at its field; what failed and what was written is found at once.

use crate::support;
use muster_tests::{Client, Portal};
use serde_json::Value;

/// Posts the run form as a browser without script does; answers where it is sent.
async fn post_form(client: &Client, page: &str, fields: &[(&str, &str)]) -> String {
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let answer = http
        .post(format!("{}/api/commands/run", client.base()))
        .header("origin", client.base())
        .header("referer", format!("{}{page}", client.base()))
        .header("accept", "text/html")
        .header("cookie", client.cookie_header().unwrap())
        .form(fields)
        .send()
        .await
        .unwrap();
    let location = answer.headers().get("location").unwrap().to_str().unwrap();
    location
        .strip_prefix(client.base())
        .unwrap_or(location)
        .to_owned()
}

async fn started(client: &Client) -> usize {
    let (status, page) = client.call("commands/list", &[("period", "all")]).await.unwrap();
    assert_eq!(status, 200, "{page}");
    page["items"].as_array().unwrap().len()
}

fn field_error<'a>(answer: &'a Value, field: &str) -> &'a str {
    answer["error"]["Invalid"]["fields"]
        .as_array()
        .unwrap_or_else(|| panic!("no complaints about fields: {answer}"))
        .iter()
        .find(|one| one["field"] == field)
        .unwrap_or_else(|| panic!("no complaint about {field}: {answer}"))["message"]
        .as_str()
        .unwrap()
}

#[tokio::test]
async fn production_is_confirmed_at_the_portal_with_script_and_without() {
    let folder = tempfile::tempdir().unwrap();
    let portal = Portal::start(folder.path(), &[], &[]).unwrap();
    let admin = Client::first_administrator(&portal).await.unwrap();
    let node = support::online_node(&admin).await;
    let tag = [
        ("node_id", node.as_str()),
        ("key", "Environment"),
        ("value", "Production"),
    ];
    let (status, answer) = admin.call("fleet/set_tag", &tag).await.unwrap();
    assert_eq!(status / 100, 2, "{answer}");

    let page = format!("/commands/new?nodes={node}");
    let script = "#!/bin/sh\necho \"kept & shown\"";
    let fields = [
        ("document", "AWS-RunShellScript"),
        ("parameters[commands]", script),
        ("nodes", node.as_str()),
        ("comment", "kept comment"),
    ];
    // Without script: the first time the page comes back, with all that was typed and the question.
    let back = post_form(&admin, &page, &fields).await;
    assert!(back.starts_with("/commands/new?"), "{back}");
    assert_eq!(started(&admin).await, 0, "nothing was started");
    let (_, _, html) = admin.get(&back).await.unwrap();
    for part in [
        "data-confirm-step",
        "name=\"confirmed_nodes\"",
        "Production 1",
        "Type 1 to confirm",
        "kept comment",
        "kept &amp; shown",
        "Not started yet.",
    ] {
        assert!(html.contains(part), "{part:?} is not on the page:\n{html}");
    }
    assert!(!html.contains("5. Confirm</h2><h2"), "once");
    // A number that does not hold is refused, also where nothing needs to be asked.
    let with = |count: &'static str| {
        let mut fields = fields.to_vec();
        fields.push(("confirmed_nodes", count));
        fields
    };
    let back = post_form(&admin, &page, &with("2")).await;
    assert_eq!(started(&admin).await, 0, "nothing was started");
    let (_, _, html) = admin.get(&back).await.unwrap();
    assert!(
        html.contains("2 nodes were confirmed, but it would act on 1 node now."),
        "{html}"
    );
    let back = post_form(&admin, &page, &with("one")).await;
    let (_, _, html) = admin.get(&back).await.unwrap();
    assert!(
        html.contains("in digits") && html.contains("data-confirm-step"),
        "{html}"
    );

    // The same for whoever calls it directly.
    let (status, answer) = admin.call("commands/run", &fields).await.unwrap();
    assert_eq!(status, 428, "{answer}");
    let needed = &answer["error"]["ConfirmationNeeded"];
    assert_eq!(
        (&needed["nodes"], &needed["in_production"]),
        (&Value::from(1), &Value::from(1))
    );

    // With the right number it runs.
    let there = post_form(&admin, &page, &with("1")).await;
    let id = there
        .strip_prefix("/commands/")
        .unwrap_or_else(|| panic!("{there}"));
    assert_eq!(support::status(&support::follow(&admin, id, 0).await), "Success");
    assert_eq!(started(&admin).await, 1);
    // The same again is asked about again.
    let (_, again) = admin.call("commands/again", &[("command_id", id)]).await.unwrap();
    assert_eq!(again["confirmed_nodes"], Value::Null);
}

#[tokio::test]
async fn what_is_wrong_is_said_at_its_field_and_what_failed_is_shown_first() {
    let folder = tempfile::tempdir().unwrap();
    let portal = Portal::start(folder.path(), &[], &[]).unwrap();
    let admin = Client::first_administrator(&portal).await.unwrap();
    let node = support::online_node(&admin).await;
    let fields = [
        ("document", "AWS-RunShellScript"),
        ("parameters[commands]", "id"),
        ("parameters[executionTimeout]", "abc"),
        ("nodes", node.as_str()),
    ];
    let (status, answer) = admin.call("commands/run", &fields).await.unwrap();
    assert_eq!(status, 422, "{answer}");
    let message = field_error(&answer, "parameters.executionTimeout");
    assert!(message.contains("whole seconds"), "{message}");
    assert!(!message.contains('['), "in plain words: {message}");

    let script = "#!/bin/sh\nset -e\necho begun\nprintf 'the reason\\nno end' >&2\nexit 7";
    let (status, answer) = admin
        .call(
            "commands/run",
            &[
                ("document", "AWS-RunShellScript"),
                ("parameters[commands]", script),
                ("nodes", node.as_str()),
            ],
        )
        .await
        .unwrap();
    assert_eq!(status / 100, 2, "{answer}");
    let id = answer.as_str().unwrap();
    assert_eq!(support::status(&support::follow(&admin, id, 0).await), "Failed");
    let (_, glance) = admin
        .call("commands/glance", &[("command_id", id)])
        .await
        .unwrap();
    assert_eq!(
        (&glance["failed_count"], &glance["unfinished_count"]),
        (&Value::from(1), &Value::from(0)),
        "{glance}"
    );
    let failed = &glance["failed"][0];
    assert_eq!(failed["last_lines"], "the reason\nno end");
    assert_eq!(
        (&failed["stream"], &failed["invocation"]["response_code"]),
        (&"stderr".into(), &7.into())
    );
    // Called by what it does, in lists and on its page.
    let (_, page) = admin.call("commands/list", &[]).await.unwrap();
    assert_eq!(page["items"][0]["script_line"], "echo begun");
    let (_, _, html) = admin.get(&format!("/commands/{id}")).await.unwrap();
    assert!(
        html.contains("echo begun") && html.contains("the reason"),
        "{html}"
    );
    // The node's page turns to what has text.
    let (_, _, html) = admin
        .get(&format!("/commands/{id}?tab=nodes&node={node}&stream=stdout"))
        .await
        .unwrap();
    assert!(html.contains("data-output=\"stdout\""), "as asked: {html}");

    // The whole log: each line with its time and its node.
    let (status, headers, log) = admin.get(&format!("/download/commands/{id}/log")).await.unwrap();
    assert_eq!(status, 200, "{log}");
    assert!(headers["content-disposition"].contains(".log.txt"), "{headers:?}");
    let name = failed["invocation"]["node_name"].as_str().unwrap();
    for line in [
        "out: begun",
        "err: the reason",
        "err: no end",
        "err: failed to run commands: exit status 7",
    ] {
        let found = log.lines().find(|one| one.ends_with(line));
        let found = found.unwrap_or_else(|| panic!("{line:?} is not in\n{log}"));
        assert!(found.starts_with("20") && found.contains(name), "{found}");
    }
    let (status, _, _) = admin.get("/download/commands/no-such/log").await.unwrap();
    assert_eq!(status, 404);
    let (_, _, audit) = admin.get("/export/audit.csv").await.unwrap();
    assert!(audit.contains("commands.download_output"), "{audit}");
}
