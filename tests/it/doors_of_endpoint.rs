//! Every operation of the embedded endpoint, of whatever service, refuses calls that nobody has signed and calls that somebody
//! has signed who is not known. An operation of a service that cannot be called here fails the test.

use muster_control_plane::{OPERATIONS, Operation, Who};
use muster_domain::system::SystemClock;
use muster_domain::time::Clock as _;
use muster_tests::Portal;
use reqwest::{Client, RequestBuilder};

/// Paths of resource groups, which are called by path.
const GROUPS: &[(&str, &str)] = &[
    ("CreateGroup", "/groups"),
    ("DeleteGroup", "/delete-group"),
    ("GetGroup", "/get-group"),
    ("GetGroupQuery", "/get-group-query"),
    ("ListGroups", "/groups-list"),
    ("ListGroupResources", "/list-group-resources"),
    ("SearchResources", "/resources/search"),
    ("UpdateGroup", "/update-group"),
    ("UpdateGroupQuery", "/update-group-query"),
];
const TAGS: &str = "/resources/arn%3Aaws%3Aresource-groups%3Aeu-central-1%3A123456789012%3Agroup%2Fx/tags";

/// A call of an operation as its clients make it, with an input that says nothing.
fn request(http: &Client, base: &str, operation: &Operation) -> RequestBuilder {
    let json = |prefix: &str| {
        http.post(base)
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", format!("{prefix}.{}", operation.name))
            .body("{}")
    };
    let at = |path: &str| format!("{base}{path}");
    match (operation.service, operation.name) {
        ("ssm", _) => json("AmazonSSM"),
        ("kms", _) => json("TrentService"),
        ("ec2messages", _) => json("EC2WindowsMessageDeliveryService"),
        ("ec2" | "sns" | "sts", name) => http
            .post(base)
            .form(&[("Action", name), ("Version", "2016-11-15")]),
        ("resource-groups", "GetTags") => http.get(at(TAGS)),
        ("resource-groups", "Tag") => http.put(at(TAGS)).body("{}"),
        ("resource-groups", "Untag") => http.patch(at(TAGS)).body("{}"),
        ("resource-groups", name) => {
            let path = GROUPS.iter().find(|(known, _)| *known == name);
            let (_, path) = path.unwrap_or_else(|| panic!("say at which path {name} is called"));
            http.post(at(path)).body("{}")
        }
        ("ssmmessages", "CreateControlChannel") => http
            .post(at("/v1/control-channel/mi-00000000000000000"))
            .body("{}"),
        ("ssmmessages", "CreateDataChannel") => http.post(at("/v1/data-channel/x")).body("{}"),
        ("ssmmessages", "OpenControlChannel") => http
            .get(at(
                "/v1/control-channel/mi-00000000000000000?role=subscribe&stream=input",
            ))
            .header("connection", "Upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("s3", "GetObject") => http.get(at("/muster-command-output/x/y")),
        (service, name) => panic!("say how {name} of {service} is called"),
    }
}

/// As if by a key that nobody has given out.
fn forged(request: RequestBuilder, service: &str) -> RequestBuilder {
    let now = SystemClock.now().rfc3339();
    let stamp: String = now.chars().filter(|c| !matches!(c, '-' | ':')).collect();
    let (day, time) = (&stamp[..8], &stamp[9..15]);
    let scope = format!("AKIDOFNOBODY0000/{day}/eu-central-1/{service}/aws4_request");
    let signature = "0".repeat(64);
    request.header("x-amz-date", format!("{day}T{time}Z")).header(
        "authorization",
        format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host;x-amz-date, Signature={signature}"),
    )
}

#[tokio::test]
async fn every_operation_refuses_calls_that_nobody_known_has_signed() {
    let folder = tempfile::tempdir().unwrap();
    let portal = Portal::start(folder.path(), &["--local-node", "false"], &[]).unwrap();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = Client::new();
    let mut seen = 0;
    for operation in OPERATIONS {
        if operation.who == Who::Anonymous {
            continue;
        }
        seen += 1;
        let plain = request(&http, &portal.ssm, operation);
        let signed = forged(request(&http, &portal.ssm, operation), operation.service);
        for (how, call) in [("unsigned", plain), ("forged", signed)] {
            let answer = call.send().await.unwrap();
            let status = answer.status().as_u16();
            let text = answer.text().await.unwrap();
            let told = format!(
                "{} of {}, {how}: {status} {text}",
                operation.name, operation.service
            );
            assert!((400..500).contains(&status), "{told}");
            let refused = [
                "Signature",
                "Token",
                "security token",
                "UnrecognizedClient",
                "AuthFailure",
                "InvalidAccessKeyId",
                "AccessDenied",
            ];
            assert!(refused.iter().any(|word| text.contains(word)), "{told}");
        }
    }
    assert!(seen > 120, "only {seen} operations were called");
}
