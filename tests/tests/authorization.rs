//! Authorization of a served run: every endpoint with every role.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::net::UnixStream;

use serde_json::Value;
use understudy_service::{Access, ROUTES, Role, Route};
use understudy_tests::TestWorkspace;
use understudy_tests::http::{Client, response_status, round_trip};
use understudy_tests::process::wait_until;
use understudy_tests::served_run::ServedRun;
use understudy_tests::tls::Certificate;

/// A snapshot of the small study.
const SNAPSHOT: &str = r#"{"id":"s1","at":"2026-03-01T10:00:00Z","booked":"a","nights":1}"#;

/// Creates a token per role in `tokens.toml`. Returns them by role.
fn tokens(workspace: &TestWorkspace) -> BTreeMap<&'static str, String> {
    let make = |role: Role| {
        let name = format!("the-{}", role.name());
        let output =
            workspace.understudy(&["token", "--role", role.name(), "--name", &name, "--file", "tokens.toml"]);
        assert_eq!(output.code, 0, "{}", output.stderr);
        (role.name(), output.stdout.trim().to_owned())
    };
    Role::ALL.map(make).into()
}

/// Serves with one token per role.
fn guarded() -> (TestWorkspace, BTreeMap<&'static str, String>, ServedRun) {
    let workspace = TestWorkspace::served();
    let tokens = tokens(&workspace);
    let serving = ServedRun::start(&workspace, &["--tokens", "tokens.toml"]);
    (workspace, tokens, serving)
}

/// A well-formed request to an endpoint that has no effect.
fn request(serving: &ServedRun, route: &Route, token: Option<&str>) -> Vec<u8> {
    let method = if route.method == "ANY" { "POST" } else { route.method };
    let path = route.path.replace("{*path}", "some/path").replace("{id}", "none");
    let client = match token {
        Some(token) => Client::with_token(serving.address, token),
        None => serving.client(),
    };
    client.request(method, &path, &[("connection", "close")], b"")
}

#[test]
fn every_endpoint_checks_the_token_and_its_role() {
    let (_bench, tokens, serving) = guarded();
    let wrong = tokens["operate"].replace("understudy_", "understudy_x");
    let mut columns: Vec<(&str, Option<&str>)> = vec![("none", None), ("wrong", Some(&wrong))];
    columns.extend(Role::ALL.map(|role| (role.name(), Some(tokens[role.name()].as_str()))));
    let mut table = format!("{:<28}", "");
    columns.iter().for_each(|(name, _)| table.push_str(&format!("{name:>8}")));
    table.push('\n');
    // Requests that may end the run come last.
    let mut routes: Vec<&Route> = ROUTES.iter().collect();
    routes.sort_by_key(|route| route.access == Access::Operate);
    for route in routes {
        table.push_str(&format!("{:<28}", format!("{} {}", route.method, route.path)));
        for (_, token) in &columns {
            let status = response_status(serving.address, &request(&serving, route, *token));
            let cell = match status {
                Some(denied @ (401 | 403)) => denied.to_string(),
                Some(_) => "yes".to_owned(),
                None => "closed".to_owned(),
            };
            table.push_str(&format!("{cell:>8}"));
        }
        table.push('\n');
    }
    insta::assert_snapshot!(table);
}

#[test]
fn denied_requests_say_what_to_do() {
    let (workspace, tokens, serving) = guarded();
    let answer = serving.client().post("/v1/snapshots", SNAPSHOT);
    assert_eq!((answer.status, answer.header("www-authenticate")), (401, Some("Bearer")));
    insta::assert_snapshot!(answer.json()["detail"].as_str().unwrap_or_default(), @"the request has no token; send `Authorization: Bearer TOKEN` with a token from `understudy token`");
    let answer = Client::with_token(serving.address, "understudy_guessed").post("/v1/snapshots", SNAPSHOT);
    assert_eq!(answer.status, 401);
    insta::assert_snapshot!(answer.json()["detail"].as_str().unwrap_or_default(), @"the token is unknown; ask the operator of this run for a valid one");
    let answer = Client::with_token(serving.address, &tokens["audit"]).post("/v1/snapshots?a=b", SNAPSHOT);
    assert_eq!(answer.status, 403);
    insta::assert_snapshot!(answer.json()["detail"].as_str().unwrap_or_default(), @"token `the-audit` has the role `audit`; this endpoint requires the role `feed`");

    let output = serving.stop();
    assert_eq!(output.code, 130, "{}", output.stderr);
    let text = fs::read_to_string(workspace.path().join("run/denied.jsonl")).expect("three were denied");
    tokens.values().for_each(|token| assert!(!text.contains(token)));
    assert!(!text.contains("guessed"));
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let seen: Vec<_> = lines.iter().map(|line| (&line["path"], &line["status"], &line["token"])).collect();
    insta::assert_debug_snapshot!(seen, @r#"
    [
        (
            String("/v1/snapshots"),
            Number(401),
            Null,
        ),
        (
            String("/v1/snapshots"),
            Number(401),
            Null,
        ),
        (
            String("/v1/snapshots"),
            Number(403),
            String("the-audit"),
        ),
    ]
    "#);
    workspace.ok(&["verify", "run"]);
}

#[test]
fn a_revoked_token_is_rejected() {
    let (workspace, tokens, serving) = guarded();
    let mut feed = Client::with_token(serving.address, &tokens["feed"]);
    assert_eq!(feed.post("/v1/snapshots", SNAPSHOT).status, 202);
    let path = workspace.path().join("tokens.toml");
    let text = fs::read_to_string(&path).expect("it was made");
    let others = text.find("[[tokens]]\nname = \"the-operate\"").expect("it is behind the first");
    fs::write(&path, &text[others..]).expect("it can be written");
    wait_until("the token is withdrawn", || feed.post("/v1/snapshots", SNAPSHOT).status == 401);
    fs::write(&path, text).expect("it can be written");
    wait_until("it is there again", || feed.post("/v1/snapshots", SNAPSHOT).status == 202);
}

#[test]
fn write_access_to_the_run_directory_grants_every_role() {
    let (workspace, _, serving) = guarded();
    let mut socket = UnixStream::connect(workspace.path().join("run/control.sock")).expect("it is served");
    let request = serving.client().request(
        "POST",
        "/v1/snapshots",
        &[("content-type", "application/json")],
        SNAPSHOT.as_bytes(),
    );
    assert_eq!(round_trip(&mut socket, &request, "POST").expect("an answer").status, 202);
    let mode = fs::metadata(workspace.path().join("run/control.sock")).expect("it is there").permissions();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o600);
}

#[test]
fn without_tokens_cross_site_requests_are_rejected() {
    let workspace = TestWorkspace::served();
    let serving = ServedRun::start(&workspace, &[]);
    let own = serving.address.to_string();
    let origin = format!("http://{own}");
    let json = ("content-type", "application/json");
    let mut client = serving.client();
    let mut post = |headers: &[(&str, &str)]| {
        let headers = [&[json], headers].concat();
        client.send("POST", "/v1/snapshots", &headers, SNAPSHOT.as_bytes()).status
    };
    assert_eq!(post(&[]), 202);
    assert_eq!(post(&[("origin", &origin), ("sec-fetch-site", "same-origin")]), 202);
    assert_eq!(post(&[("host", "localhost")]), 202);
    assert_eq!(post(&[("host", "rebound.example")]), 403);
    assert_eq!(post(&[("origin", "https://evil.example")]), 403);
    assert_eq!(post(&[("origin", "null")]), 403);
    assert_eq!(post(&[("sec-fetch-site", "cross-site")]), 403);
    // A request without `Host` does not come from a browser.
    assert_eq!(response_status(serving.address, b"POST /v1/snapshots HTTP/1.0\r\n\r\n"), Some(403));
}

#[test]
fn unsafe_settings_are_rejected_at_start() {
    let workspace = TestWorkspace::served();
    tokens(&workspace);
    let serve = |arguments: &[&str]| {
        let output = workspace.understudy(&[&["serve", "study.toml", "--run", "run"], arguments].concat());
        assert_eq!((output.code, output.stdout.as_str()), (1, ""));
        assert!(!workspace.path().join("run").exists(), "nothing is made for a run that cannot be served");
        output.stderr
    };
    insta::assert_snapshot!(serve(&["--listen", "0.0.0.0:0"]), @"cannot listen on 0.0.0.0:0 without tokens: other machines reach this address; create tokens with `understudy token` and pass --tokens, or listen on 127.0.0.1");
    insta::assert_snapshot!(serve(&["--listen", "[::]:0", "--tokens", "tokens.toml"]), @"cannot listen on [::]:0 without TLS: tokens and records would be sent unencrypted; pass --tls-cert and --tls-key, or --behind-tls-proxy if a proxy terminates TLS");
    workspace.write("empty", "");
    insta::assert_snapshot!(serve(&["--tokens", "empty"]), @"empty contains no token, so nobody has access; create one with `understudy token`");
    insta::assert_snapshot!(serve(&["--tokens", "none"]), @"cannot read none: No such file or directory (os error 2); create a token file with `understudy token`");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let taken = taken.local_addr().expect("it has an address").to_string();
    let message = format!(
        "cannot listen on {taken}: Address already in use (os error 98); choose another address with --listen"
    );
    assert_eq!(serve(&["--listen", &taken]).trim_end(), message);
    insta::assert_snapshot!(serve(&["--tls-cert", "empty", "--tls-key", "empty"]), @"empty contains no PEM certificate");
}

#[test]
fn an_address_is_an_ip_address_and_a_port() {
    let workspace = TestWorkspace::served();
    for address in ["localhost:7878", "127.0.0.1", "7878", "127.0.0.1:99999"] {
        let output = workspace.understudy(&["serve", "study.toml", "--listen", address]);
        assert_eq!((output.code, output.stdout.as_str()), (2, ""));
        let message = format!(
            "error: invalid value '{address}' for '--listen <ADDRESS>': expected an IP address and a port, such as 127.0.0.1:7878\n"
        );
        assert!(output.stderr.starts_with(&message), "{}", output.stderr);
    }
}

#[test]
fn remote_access_works_behind_a_tls_proxy() {
    let workspace = TestWorkspace::served();
    let tokens = tokens(&workspace);
    let serving = ServedRun::start(
        &workspace,
        &["--listen", "0.0.0.0:0", "--tokens", "tokens.toml", "--behind-tls-proxy"],
    );
    let here = ([127, 0, 0, 1], serving.address.port()).into();
    assert_eq!(Client::new(here).post("/v1/snapshots", SNAPSHOT).status, 401);
    assert_eq!(Client::with_token(here, &tokens["feed"]).post("/v1/snapshots", SNAPSHOT).status, 202);
}

#[test]
fn serves_tls_and_reloads_a_renewed_certificate() {
    let workspace = TestWorkspace::served();
    tokens(&workspace);
    let write = |certificate: &Certificate| {
        workspace.write("cert.pem", &certificate.chain);
        workspace.write("key.pem", &certificate.key);
    };
    let (first, second) = (Certificate::new(), Certificate::new());
    write(&first);
    let serving = ServedRun::start(
        &workspace,
        &["--tokens", "tokens.toml", "--tls-cert", "cert.pem", "--tls-key", "key.pem"],
    );
    assert_eq!(serving.scheme, "https");
    let get = b"GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let works = |certificate: &Certificate| certificate.client(serving.address).try_send("GET", get).is_ok();
    assert!(works(&first) && !works(&second));
    write(&second);
    wait_until("the new certificate is shown", || works(&second));
    assert!(!works(&first));

    workspace.write("key.pem", &first.key);
    let output = workspace.understudy(&[
        "serve",
        "study.toml",
        "--run",
        "another",
        "--tls-cert",
        "cert.pem",
        "--tls-key",
        "key.pem",
    ]);
    assert_eq!(output.code, 1);
    insta::assert_snapshot!(output.stderr, @"the key in key.pem does not match the certificate in cert.pem: keys may not be consistent: KeyMismatch");
}

#[test]
fn token_names_are_unique() {
    let workspace = TestWorkspace::new();
    let token =
        |arguments: &[&str]| workspace.understudy(&[&["token", "--file", "t.toml"], arguments].concat());
    let output = token(&["--role", "read", "--role", "audit", "--name", "desk"]);
    assert_eq!(output.code, 0);
    insta::assert_snapshot!(output.stderr, @"the token is stored nowhere else, so keep it; to revoke it, remove `desk` from t.toml");
    let secret = output.stdout.trim();
    assert_eq!((secret.len(), &secret[..11]), (54, "understudy_"));
    let output = token(&["--role", "read", "--name", "desk"]);
    assert_eq!((output.code, output.stdout.as_str()), (1, ""));
    insta::assert_snapshot!(output.stderr, @"token `desk` already exists in t.toml; remove it first, or choose another name");
    let output = token(&["--role", "read", "--name", "a b"]);
    insta::assert_snapshot!(output.stderr, @r#"invalid token name "a b"; use 1 to 64 letters, digits, `-`, `_` and `.`"#);
    let text = fs::read_to_string(workspace.path().join("t.toml")).expect("it was made");
    let lines: Vec<_> = text.lines().filter(|line| !line.starts_with("sha256")).collect();
    assert_eq!(lines, ["[[tokens]]", "name = \"desk\"", "roles = [\"read\", \"audit\"]"]);
}
