//! Sessions that run a command, and as whom sessions run.

use crate::agents::Agent;
use crate::gateway::Gateway;
use crate::leg::document;
use serde_json::{Value, json};

fn command(text: &str, more: &Value) -> Value {
    let mut linux = json!({"commands": text});
    for (name, value) in more.as_object().unwrap() {
        linux[name] = value.clone();
    }
    json!({ "linux": linux })
}

#[tokio::test]
async fn separate_streams_and_the_exit_code_arrive_apart() {
    let gateway = Gateway::start().await;
    let mut agent = Agent::start(&gateway).await;
    let properties = command(
        "echo out {{ word }}; echo err >&2; head -c 300000 /dev/zero | tr '\\0' x; exit 7",
        &json!({"separateOutputStream": "true", "stdErrSeparatorPrefix": "E: "}),
    );
    let mut content = document("NonInteractiveCommands", &json!({}), &properties);
    content["Parameters"] = json!({"word": "größe"});
    let leg = gateway.open(&agent.node, "s-1", &content);
    let complete = gateway.completed("s-1").await;
    assert_eq!(complete.final_task_status, "Success");
    let (output, errors, code) = leg
        .wait("the exit code came", |state| {
            let code = state.exit_code?;
            Some((state.output.clone(), state.errors.clone(), code))
        })
        .await;
    let expected = format!("out größe\n{}", "x".repeat(300_000));
    assert!(output == expected.as_bytes(), "{} bytes", output.len());
    assert_eq!((errors.as_slice(), code), (&b"E: err\n"[..], 7));
    agent.stop().await;
}

#[tokio::test]
async fn joined_streams_keep_their_order_and_control_c_is_a_signal() {
    let gateway = Gateway::start().await;
    let mut agent = Agent::start(&gateway).await;
    let text = "trap 'echo interrupted; exit 0' INT; echo one; echo two >&2; tty; cat; echo ready; while :; do sleep 0.05; done";
    let content = document("NonInteractiveCommands", &json!({}), &command(text, &json!({})));
    let leg = gateway.open(&agent.node, "s-1", &content);
    assert_eq!(leg.expect("ready\n").await, "one\ntwo\nnot a tty\nready\n");
    leg.send(b"nothing").await;
    leg.send(b"\x03").await;
    leg.expect("interrupted\n").await;
    assert_eq!(gateway.completed("s-1").await.final_task_status, "Success");
    agent.stop().await;
}

#[tokio::test]
async fn an_interactive_command_has_a_terminal_and_ends_by_itself() {
    let gateway = Gateway::start().await;
    let mut agent = Agent::start(&gateway).await;
    let content = document(
        "InteractiveCommands",
        &json!({}),
        &command("tty; read line; echo \"<$line>\"", &json!({})),
    );
    let leg = gateway.open(&agent.node, "s-1", &content);
    leg.expect("/dev/pts/").await;
    leg.send(b"typed\r").await;
    leg.expect("<typed>\r\n").await;
    gateway.completed("s-1").await;
    agent.stop().await;
}

#[tokio::test]
async fn a_session_runs_as_whom_it_should_or_says_why_not() {
    let gateway = Gateway::start().await;
    let mut agent = Agent::start(&gateway).await;
    let is_root = nix::unistd::geteuid().is_root();
    let text = "id -un; id -G; echo $HOME:$USER:$LOGNAME; test -O $(tty) && echo own; touch /root/x 2>/dev/null && echo bad; echo end";
    let mut content = document("InteractiveCommands", &json!({}), &command(text, &json!({})));
    content["RunAsUser"] = json!("daemon");
    let leg = gateway.open(&agent.node, "s-1", &content);
    if is_root {
        let shown = leg.expect("end\r\n").await;
        assert_eq!(shown, "daemon\r\n1\r\n/usr/sbin:daemon:daemon\r\nown\r\nend\r\n");
        let described = gateway
            .wait("it is described", |seen| seen.described.first().cloned())
            .await;
        assert_eq!(
            (described.os_user.as_str(), described.shell.as_str()),
            ("daemon", "/bin/sh")
        );
    } else {
        let complete = gateway.completed("s-1").await;
        assert!(
            complete.output.contains("does not run as root"),
            "{}",
            complete.output
        );
    }
    let inputs = json!({"runAsEnabled": true, "runAsDefaultUser": "no-such-user"});
    gateway.open(
        &agent.node,
        "s-2",
        &document("Standard_Stream", &inputs, &json!({})),
    );
    let complete = gateway.completed("s-2").await;
    assert_eq!(complete.final_task_status, "Failed");
    assert!(complete.output.contains("no-such-user"), "{}", complete.output);
    let created = gateway
        .wait("looked", |seen| Some(seen.created.contains_key("s-2")))
        .await;
    assert!(!created, "a refused session opens no channel");
    agent.stop().await;
}

#[tokio::test]
async fn programs_that_own_the_screen_are_usable() {
    let gateway = Gateway::start().await;
    let mut agent = Agent::start(&gateway).await;
    let shell = gateway.shell(&agent.node, "s-1").await;
    let file = agent.state.path().join("text");
    let path = file.display();
    std::fs::write(&file, "first\nlast\n").unwrap();
    let has = |program: &str| std::path::Path::new("/usr/bin").join(program).exists();
    if has("vim") {
        shell.send(format!("vim -u NONE -n {path}\n").as_bytes()).await;
        shell.expect("last").await;
        shell.send("Gosaid 日本🦀\x1b:wq\r".as_bytes()).await;
        shell.expect("$ ").await;
        assert_eq!(
            std::fs::read_to_string(&file).unwrap(),
            "first\nlast\nsaid 日本🦀\n"
        );
    }
    if has("less") {
        shell.send(format!("less {path}\n").as_bytes()).await;
        shell.expect("(END)").await;
        shell.send(b"q").await;
        shell.expect("$ ").await;
    }
    if has("top") {
        shell.send(b"top\n").await;
        shell.expect("load average").await;
        shell.send(b"q").await;
        shell.expect("$ ").await;
    }
    if has("tmux") {
        shell
            .send(
                format!("tmux -S {path}.tmux -f /dev/null new-session 'echo ins''ide; read x'\n").as_bytes(),
            )
            .await;
        shell.expect("inside").await;
        shell.send(b"\r").await;
        shell.expect("$ ").await;
    }
    shell.send(b"exit\n").await;
    gateway.completed("s-1").await;
    agent.stop().await;
}
