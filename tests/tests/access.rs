//! Who may do what to a run that is served, each cell of it asked.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::net::UnixStream;

use serde_json::Value;
use understudy_service::{Access, ROUTES, Role, Route};
use understudy_tests::Bench;
use understudy_tests::http::{Client, exchange, status_of};
use understudy_tests::process::until;
use understudy_tests::serving::Serving;
use understudy_tests::tls::Certificate;

/// A snapshot of the small study.
const SNAPSHOT: &str = r#"{"id":"s1","at":"2026-03-01T10:00:00Z","booked":"a","nights":1}"#;

/// A token of each role in `tokens.toml`, by the role's name.
fn tokens(bench: &Bench) -> BTreeMap<&'static str, String> {
    let make = |role: Role| {
        let name = format!("the-{}", role.name());
        let said =
            bench.understudy(&["token", "--role", role.name(), "--name", &name, "--file", "tokens.toml"]);
        assert_eq!(said.code, 0, "{}", said.err);
        (role.name(), said.out.trim().to_owned())
    };
    Role::ALL.map(make).into()
}

/// Serves with a token of each role.
fn guarded() -> (Bench, BTreeMap<&'static str, String>, Serving) {
    let bench = Bench::served();
    let tokens = tokens(&bench);
    let serving = Serving::start(&bench, &["--tokens", "tokens.toml"]);
    (bench, tokens, serving)
}

/// A request to an endpoint that is well-formed and asks for nothing that could be done.
fn request(serving: &Serving, route: &Route, token: Option<&str>) -> Vec<u8> {
    let method = if route.method == "ANY" { "POST" } else { route.method };
    let path = route.path.replace("{*path}", "some/path").replace("{id}", "none");
    let client = match token {
        Some(token) => Client::with_token(serving.address, token),
        None => serving.client(),
    };
    client.request(method, &path, &[("connection", "close")], b"")
}

#[test]
fn every_endpoint_with_no_token_a_wrong_one_and_one_of_each_role() {
    let (_bench, tokens, serving) = guarded();
    let wrong = tokens["operate"].replace("understudy_", "understudy_x");
    let mut columns: Vec<(&str, Option<&str>)> = vec![("none", None), ("wrong", Some(&wrong))];
    columns.extend(Role::ALL.map(|role| (role.name(), Some(tokens[role.name()].as_str()))));
    let mut table = format!("{:<28}", "");
    columns.iter().for_each(|(name, _)| table.push_str(&format!("{name:>8}")));
    table.push('\n');
    // What may end the run is asked at last.
    let mut routes: Vec<&Route> = ROUTES.iter().collect();
    routes.sort_by_key(|route| route.access == Access::Operate);
    for route in routes {
        table.push_str(&format!("{:<28}", format!("{} {}", route.method, route.path)));
        for (_, token) in &columns {
            let status = status_of(serving.address, &request(&serving, route, *token));
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
fn what_is_denied_is_said_with_what_to_do() {
    let (bench, tokens, serving) = guarded();
    let answer = serving.client().post("/v1/snapshots", SNAPSHOT);
    assert_eq!((answer.status, answer.header("www-authenticate")), (401, Some("Bearer")));
    insta::assert_snapshot!(answer.json()["detail"].as_str().unwrap_or_default(), @"it has no token; send `Authorization: Bearer TOKEN`, with one that `understudy token` made");
    let answer = Client::with_token(serving.address, "understudy_guessed").post("/v1/snapshots", SNAPSHOT);
    assert_eq!(answer.status, 401);
    insta::assert_snapshot!(answer.json()["detail"].as_str().unwrap_or_default(), @"its token is none of those that this run is served with; ask who serves it for one");
    let answer = Client::with_token(serving.address, &tokens["audit"]).post("/v1/snapshots?a=b", SNAPSHOT);
    assert_eq!(answer.status, 403);
    insta::assert_snapshot!(answer.json()["detail"].as_str().unwrap_or_default(), @"the token `the-audit` has the role `audit`, and this takes the role `feed`");

    let said = serving.stop();
    assert_eq!(said.code, 130, "{}", said.err);
    let text = fs::read_to_string(bench.path().join("run/denied.jsonl")).expect("three were denied");
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
    let said = bench.understudy(&["verify", "run"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
}

#[test]
fn a_token_that_is_withdrawn_is_not_taken_any_more() {
    let (bench, tokens, serving) = guarded();
    let mut feed = Client::with_token(serving.address, &tokens["feed"]);
    assert_eq!(feed.post("/v1/snapshots", SNAPSHOT).status, 202);
    let path = bench.path().join("tokens.toml");
    let text = fs::read_to_string(&path).expect("it was made");
    let others = text.find("[[tokens]]\nname = \"the-operate\"").expect("it is behind the first");
    fs::write(&path, &text[others..]).expect("it can be written");
    until("the token is withdrawn", || feed.post("/v1/snapshots", SNAPSHOT).status == 401);
    fs::write(&path, text).expect("it can be written");
    until("it is there again", || feed.post("/v1/snapshots", SNAPSHOT).status == 202);
}

#[test]
fn whoever_may_write_the_run_directory_may_do_all() {
    let (bench, _, serving) = guarded();
    let mut socket = UnixStream::connect(bench.path().join("run/control.sock")).expect("it is served");
    let request = serving.client().request(
        "POST",
        "/v1/snapshots",
        &[("content-type", "application/json")],
        SNAPSHOT.as_bytes(),
    );
    assert_eq!(exchange(&mut socket, &request, "POST").expect("an answer").status, 202);
    let mode = fs::metadata(bench.path().join("run/control.sock")).expect("it is there").permissions();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o600);
}

#[test]
fn without_tokens_the_pages_of_other_servers_are_refused() {
    let bench = Bench::served();
    let serving = Serving::start(&bench, &[]);
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
    // No browser sends this: it has no Host at all.
    assert_eq!(status_of(serving.address, b"POST /v1/snapshots HTTP/1.0\r\n\r\n"), Some(403));
}

#[test]
fn what_would_not_be_safe_is_refused_at_start() {
    let bench = Bench::served();
    tokens(&bench);
    let serve = |arguments: &[&str]| {
        let said = bench.understudy(&[&["serve", "study.toml", "--run", "run"], arguments].concat());
        assert_eq!((said.code, said.out.as_str()), (1, ""));
        assert!(!bench.path().join("run").exists(), "nothing is made for a run that cannot be served");
        said.err
    };
    insta::assert_snapshot!(serve(&["--listen", "0.0.0.0:0"]), @"0.0.0.0:0 is reached from other machines, and without --tokens nobody could be told from anybody; make some with `understudy token`, or listen on 127.0.0.1");
    insta::assert_snapshot!(serve(&["--listen", "[::]:0", "--tokens", "tokens.toml"]), @"[::]:0 is reached from other machines, and without TLS tokens and records would go there in clear; give --tls-cert and --tls-key, or --tls-before if a proxy before this process speaks TLS");
    bench.write("empty", "");
    insta::assert_snapshot!(serve(&["--tokens", "empty"]), @"empty has no token, so that nobody may do anything; make one with `understudy token`");
    insta::assert_snapshot!(serve(&["--tokens", "none"]), @"cannot read none; `understudy token` makes such a file: No such file or directory (os error 2)");
    insta::assert_snapshot!(serve(&["--tls-cert", "empty", "--tls-key", "empty"]), @"empty has no certificate in PEM");
}

#[test]
fn beyond_this_machine_it_is_served_behind_a_proxy_that_speaks_tls() {
    let bench = Bench::served();
    let tokens = tokens(&bench);
    let serving =
        Serving::start(&bench, &["--listen", "0.0.0.0:0", "--tokens", "tokens.toml", "--tls-before"]);
    let here = ([127, 0, 0, 1], serving.address.port()).into();
    assert_eq!(Client::new(here).post("/v1/snapshots", SNAPSHOT).status, 401);
    assert_eq!(Client::with_token(here, &tokens["feed"]).post("/v1/snapshots", SNAPSHOT).status, 202);
}

#[test]
fn it_speaks_tls_and_takes_up_a_certificate_that_was_renewed() {
    let bench = Bench::served();
    tokens(&bench);
    let write = |certificate: &Certificate| {
        bench.write("cert.pem", &certificate.chain);
        bench.write("key.pem", &certificate.key);
    };
    let (first, second) = (Certificate::new(), Certificate::new());
    write(&first);
    let serving = Serving::start(
        &bench,
        &["--tokens", "tokens.toml", "--tls-cert", "cert.pem", "--tls-key", "key.pem"],
    );
    assert_eq!(serving.scheme, "https");
    let get = b"GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let works = |certificate: &Certificate| certificate.client(serving.address).try_send("GET", get).is_ok();
    assert!(works(&first) && !works(&second));
    write(&second);
    until("the new certificate is shown", || works(&second));
    assert!(!works(&first));

    bench.write("key.pem", &first.key);
    let said = bench.understudy(&[
        "serve",
        "study.toml",
        "--run",
        "another",
        "--tls-cert",
        "cert.pem",
        "--tls-key",
        "key.pem",
    ]);
    assert_eq!(said.code, 1);
    insta::assert_snapshot!(said.err, @"cert.pem and key.pem do not go together: keys may not be consistent: KeyMismatch");
}

#[test]
fn a_token_is_made_once_under_a_name() {
    let bench = Bench::new();
    let token = |arguments: &[&str]| bench.understudy(&[&["token", "--file", "t.toml"], arguments].concat());
    let said = token(&["--role", "read", "--role", "audit", "--name", "desk"]);
    assert_eq!(said.code, 0);
    insta::assert_snapshot!(said.err, @"it is nowhere else, so keep it; to withdraw it take `desk` out of t.toml");
    let secret = said.out.trim();
    assert_eq!((secret.len(), &secret[..11]), (54, "understudy_"));
    let said = token(&["--role", "read", "--name", "desk"]);
    assert_eq!((said.code, said.out.as_str()), (1, ""));
    insta::assert_snapshot!(said.err, @"`desk` is in t.toml already; take it out first, or choose another name");
    let said = token(&["--role", "read", "--name", "a b"]);
    insta::assert_snapshot!(said.err, @r#""a b" is no name: 1 to 64 letters, digits, `-`, `_` and `.`"#);
    let text = fs::read_to_string(bench.path().join("t.toml")).expect("it was made");
    let lines: Vec<_> = text.lines().filter(|line| !line.starts_with("sha256")).collect();
    assert_eq!(lines, ["[[tokens]]", "name = \"desk\"", "roles = [\"read\", \"audit\"]"]);
}
