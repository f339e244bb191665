//! Coming in: the one-time link, the cookie over TLS, the name after a failed try, and tokens.

use muster_tests::portal::run;
use muster_tests::{Client, Portal};
use std::path::Path;

/// A client that follows nothing and keeps nothing.
fn plain() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap()
}

/// Where the server of that directory really listens, whatever its public address is.
fn listens(data_dir: &Path) -> String {
    let text = std::fs::read_to_string(data_dir.join("running.json")).unwrap();
    let told: serde_json::Value = serde_json::from_str(&text).unwrap();
    format!("http://{}", told["addr"].as_str().unwrap())
}

fn cookies(answer: &reqwest::Response) -> Vec<String> {
    answer
        .headers()
        .get_all("set-cookie")
        .iter()
        .map(|value| value.to_str().unwrap().to_owned())
        .collect()
}

async fn set_up(base: &str, link: &str) -> reqwest::Response {
    let (_, token) = link.split_once("token=").unwrap();
    let password = "correct horse battery staple";
    plain()
        .post(format!("{base}/setup"))
        .header("origin", base)
        .form(&[
            ("token", token),
            ("name", "admin"),
            ("password", password),
            ("repeat", password),
        ])
        .send()
        .await
        .unwrap()
}

#[tokio::test]
async fn the_cookie_is_bound_to_the_host_where_people_come_over_tls() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--local-node", "false", "--public-url", "https://muster.example"];
    let portal = Portal::start(folder.path(), &arguments, &[]).unwrap();
    let link = portal.setup_link.clone().unwrap();
    assert!(link.starts_with("https://muster.example/setup?token="), "{link}");
    let answer = set_up(&listens(folder.path()), &link).await;
    assert_eq!(answer.status().as_u16(), 303);
    assert!(answer.headers().contains_key("strict-transport-security"));
    let session = cookies(&answer)
        .into_iter()
        .find(|cookie| cookie.contains("muster_session"))
        .unwrap();
    // What browsers demand for the prefix: Secure, Path=/, and no Domain.
    assert!(session.starts_with("__Host-muster_session="), "{session}");
    for part in ["; Secure", "; HttpOnly", "; Path=/", "; SameSite=Lax"] {
        assert!(session.contains(part), "{session} lacks {part}");
    }
    assert!(!session.contains("Domain"), "{session}");

    // A header that anybody can send does not make it so.
    let folder = tempfile::tempdir().unwrap();
    let portal = Portal::start(folder.path(), &["--local-node", "false"], &[]).unwrap();
    let answer = plain()
        .post(format!("{}/sign-in", portal.base))
        .header("origin", &portal.base)
        .header("x-forwarded-proto", "https")
        .form(&[("name", "ada"), ("password", "wrong")])
        .send()
        .await
        .unwrap();
    assert!(cookies(&answer).iter().all(|cookie| !cookie.contains("Secure")));
    let answer = set_up(&portal.base, portal.setup_link.as_deref().unwrap()).await;
    let cookies = cookies(&answer);
    assert!(
        cookies.iter().any(|cookie| cookie.starts_with("muster_session=")),
        "{cookies:?}"
    );
    assert!(
        cookies.iter().all(|cookie| !cookie.contains("Secure")),
        "{cookies:?}"
    );
}

#[tokio::test]
async fn a_link_that_does_not_hold_is_said_before_the_form() {
    let folder = tempfile::tempdir().unwrap();
    let portal = Portal::start(folder.path(), &["--local-node", "false"], &[]).unwrap();
    let stranger = Client::anonymous(&portal.base).unwrap();
    let path = |link: &str| {
        link.split_once("/setup")
            .map(|(_, rest)| format!("/setup{rest}"))
            .unwrap()
    };
    let first = path(portal.setup_link.as_deref().unwrap());
    let (status, _, page) = stranger.get(&first).await.unwrap();
    assert!(status == 200 && page.contains("Create administrator"));

    // A newer link ends the one before it, as its end in time does.
    let (code, text) = portal.command(&["user", "setup-link"]).unwrap();
    assert_eq!(code, 0, "{text}");
    assert!(text.contains(&format!("{}/setup?token=", portal.base)), "{text}");
    let newer = path(text.split_whitespace().last().unwrap());
    for bad in [first.as_str(), "/setup?token=guessed"] {
        let (status, headers, _) = stranger.get(bad).await.unwrap();
        assert_eq!(
            (status, headers["location"].as_str()),
            (303, "/setup?link=expired")
        );
    }
    let (_, _, page) = stranger.get("/setup?link=expired").await.unwrap();
    assert!(page.contains("not valid any more") && page.contains("muster user setup-link"));
    assert!(!page.contains("Create administrator"), "the form is not offered");
    assert!(
        stranger
            .get(&newer)
            .await
            .unwrap()
            .2
            .contains("Create administrator")
    );

    let answer = set_up(&portal.base, &newer).await;
    assert_eq!(answer.headers()["location"], "/");
    let (status, headers, _) = stranger.get(&newer).await.unwrap();
    assert_eq!((status, headers["location"].as_str()), (303, "/setup?link=used"));
    let (_, _, page) = stranger.get("/setup?link=used").await.unwrap();
    assert!(page.contains("has done its work") && page.contains("muster user reset-password"));
    let (code, text) = portal.command(&["user", "setup-link"]).unwrap();
    assert!(code != 0 && text.contains("there are users already"), "{text}");
    // A way in is an act, made or refused; its token is nobody's business.
    let (_, log) = portal.command(&["audit", "export"]).unwrap();
    assert!(log.matches("users.setup_link").count() >= 2, "{log}");
    assert!(!log.contains(newer.split_once("token=").unwrap().1));
}

#[tokio::test]
async fn a_failed_try_keeps_the_name_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let portal = Portal::start(folder.path(), &["--local-node", "false"], &[]).unwrap();
    Client::first_administrator(&portal).await.unwrap();
    let person = Client::anonymous(&portal.base).unwrap();
    let form = [("name", "ada"), ("password", "a secret word"), ("next", "/fleet")];
    let (status, location) = person.form("/sign-in", &form).await.unwrap();
    assert_eq!(status, 303);
    assert!(
        !location.contains("ada") && !location.contains("secret"),
        "{location}"
    );
    let (_, _, page) = person.get(&location).await.unwrap();
    assert!(page.contains("value=\"ada\""), "the name is gone");
    assert!(!page.contains("a secret word"));
    // The keyboard begins at what is still empty.
    let field = |name: &str| {
        let at = page.find(&format!("name=\"{name}\"")).unwrap();
        let (start, end) = (page[..at].rfind('<').unwrap(), page[at..].find('>').unwrap() + at);
        page[start..end].to_owned()
    };
    assert!(field("password").contains("autofocus"), "{}", field("password"));
    assert!(!field("name").contains("autofocus"), "{}", field("name"));
    let other = Client::anonymous(&portal.base).unwrap();
    let (_, _, page) = other.get("/sign-in").await.unwrap();
    assert!(!page.contains("value=\"ada\""), "nobody else sees it");
}

#[tokio::test]
async fn a_token_is_made_used_and_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let portal = Portal::start(folder.path(), &["--local-node", "false"], &[]).unwrap();
    let admin = Client::first_administrator(&portal).await.unwrap();
    for (days, field) in [("0", "days"), ("soon", "days"), ("366", "days")] {
        let fields = [("name", "a script"), ("days", days)];
        let (status, answer) = admin.call("access/create_token", &fields).await.unwrap();
        assert_eq!(status, 422, "{answer}");
        assert!(answer.to_string().contains(field), "{answer}");
    }
    let fields = [("name", "a script"), ("days", "7")];
    let (status, made) = admin.call("access/create_token", &fields).await.unwrap();
    assert_eq!(status, 200, "{made}");
    let secret = made["secret"].as_str().unwrap();
    let asks = async || {
        let request = plain().get(format!("{}/export/fleet.json", portal.base));
        request
            .bearer_auth(secret)
            .send()
            .await
            .unwrap()
            .status()
            .as_u16()
    };
    assert_eq!(asks().await, 200);
    let (_, list) = admin.call("access/tokens", &[]).await.unwrap();
    assert_eq!(list[0]["name"], "a script");
    assert!(list[0]["last_used_at"].is_number(), "its use is noted: {list}");
    assert!(!list.to_string().contains(secret));
    let (_, _, page) = admin.get("/settings/tokens").await.unwrap();
    assert!(page.contains("a script") && !page.contains(secret));
    let id = list[0]["id"].as_str().unwrap();
    let (status, answer) = admin
        .call("access/revoke_token", &[("token_id", id)])
        .await
        .unwrap();
    assert_eq!(status, 200, "{answer}");
    assert_eq!(asks().await, 401);
    let (_, text) = run(folder.path(), &["audit", "export", "--format", "csv"]).unwrap();
    assert!(text.contains("tokens.create") && text.contains("tokens.revoke"));
    assert!(!text.contains(secret));
}
