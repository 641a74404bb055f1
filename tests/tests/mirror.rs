//! Requests that proxies mirror become snapshots.

use std::io::Write as _;
use std::process::Command;

use serde_json::Value;
use understudy_tests::http::{Client, connect};
use understudy_tests::process::wait_until;
use understudy_tests::served_run::ServedRun;
use understudy_tests::tables::{excluded_rows, open_rows, sealed, texts};
use understudy_tests::{TestWorkspace, account, program};

const MIRROR: &str = r#"[mirror]
id = "header x-request-id"
time = "body /at"

[mirror.fields]
booked = "body /booking/room"
nights = "query nights"

[[models]]"#;

/// The small study with a mirror: the workspace, a client with a token for feeding, and the server.
fn mirrored(mirror: &str) -> (TestWorkspace, Client, ServedRun) {
    let workspace = TestWorkspace::served();
    workspace.edit_study(&[("[[models]]", mirror)]);
    let output = workspace.ok(&["token", "--role", "feed", "--name", "mesh", "--file", "tokens.toml"]);
    let serving = ServedRun::start(&workspace, &["--tokens", "tokens.toml"]);
    let client = Client::with_token(serving.address, output.stdout.trim());
    (workspace, client, serving)
}

/// The logged snapshots, once there are this many.
fn logged(workspace: &TestWorkspace, serving: ServedRun, rows: usize) -> (Vec<Value>, Value) {
    let run = workspace.path().join("run");
    wait_until("all of them are in the log", || open_rows(&run, "snapshots") == rows);
    assert_eq!(serving.stop().code, 130);
    // An interrupted run is sealed when it ends.
    let raw = sealed(&run, "snapshots").map(|rows| texts(&rows, "raw")).unwrap_or_default();
    let records = raw.iter().map(|raw| serde_json::from_str(raw).expect("a record is JSON")).collect();
    (records, workspace.report("run"))
}

#[test]
fn requests_of_every_proxy_become_snapshots() {
    let (workspace, mut client, serving) = mirrored(MIRROR);
    let body = |at: usize, room: &str| {
        format!(r#"{{"at":"2026-03-01T10:00:0{at}Z","booking":{{"room":"{room}","guest":"secret"}}}}"#)
    };
    // Envoy and Istio: the host name has a suffix, and the headers are those of the client.
    let envoy = [
        ("host", "booking.example-shadow"),
        ("x-request-id", "e-1"),
        ("x-forwarded-for", "192.0.2.7, 10.0.0.1"),
        ("x-envoy-internal", "true"),
        ("content-type", "application/json"),
        ("origin", "https://booking.example"),
        ("sec-fetch-site", "same-origin"),
        ("cookie", "session=1"),
    ];
    let answer =
        client.send("POST", "/v1/mirror/book/room?nights=3&promo=x", &envoy, body(1, "a").as_bytes());
    assert_eq!((answer.status, answer.body.len()), (204, 0), "{answer:?}");
    // nginx: its own host by default, and any method.
    for (at, method) in ["PUT", "PATCH", "DELETE"].into_iter().enumerate() {
        let id = format!("n-{at}");
        let headers = [("x-request-id", id.as_str()), ("x-original-uri", "/book")];
        let answer = client.send(method, "/v1/mirror/?nights=2", &headers, body(at + 2, "b").as_bytes());
        assert_eq!(answer.status, 204);
    }
    let (records, report) = logged(&workspace, serving, 4);
    let expected = [("e-1", 1, "a", 3), ("n-0", 2, "b", 2), ("n-1", 3, "b", 2), ("n-2", 4, "b", 2)].map(
        |(id, at, room, nights)| {
            let at = format!("2026-03-01T10:00:0{at}Z");
            serde_json::json!({ "id": id, "at": at, "booked": room, "nights": nights })
        },
    );
    assert_eq!(records, expected, "only what the study names is kept");
    assert_eq!(account(&report, "snapshots"), [("received", 4), ("waiting", 4)]);
}

#[test]
fn the_authorization_of_a_mirrored_request_is_ignored() {
    let (_bench, mut client, serving) = mirrored(MIRROR);
    let bearer = |headers: &[(&str, &str)]| {
        Client::new(serving.address).send("POST", "/v1/mirror/book", headers, b"{}").status
    };
    assert_eq!(bearer(&[("authorization", "Bearer of-the-guest")]), 401);
    let token = String::from_utf8(client.request("GET", "/", &[], b"")).expect("a request is text");
    let token =
        token.lines().find_map(|line| line.strip_prefix("authorization: Bearer ")).expect("it has one");
    let both = [("authorization", "Bearer of-the-guest"), ("x-understudy-token", token)];
    assert_eq!(bearer(&both), 204);
    assert_eq!(client.get("/v1/mirror/").status, 204);
}

#[test]
fn unusable_requests_are_stored_with_the_reason() {
    let (workspace, mut client, serving) = mirrored(MIRROR);
    let at = br#"{"at":"2026-03-01T10:00:00Z"}"#;
    let mut send = |path: &str, headers: &[(&str, &str)], body: &[u8]| {
        assert_eq!(client.send("POST", path, headers, body).status, 204, "{path}");
    };
    send("/v1/mirror/no-id", &[], at);
    let id = [("x-request-id", "r-1")];
    send("/v1/mirror/no-json", &id, b"<booking/>");
    send("/v1/mirror/no-body", &id, b"");
    send("/v1/mirror/no-number?nights=two", &id, at);
    send("/v1/mirror/good?nights=2", &id, at);
    let run = workspace.path().join("run");
    wait_until("four are refused", || open_rows(&run, "excluded") == 4);
    let (records, report) = logged(&workspace, serving, 1);
    assert_eq!(records, [serde_json::json!({ "id": "r-1", "at": "2026-03-01T10:00:00Z", "nights": 2 })]);
    assert_eq!(account(&report, "snapshots"), [("received", 5), ("rejected", 4), ("waiting", 1)]);
    let reasons: Vec<String> = excluded_rows(&run).iter().map(|refused| refused.detail.clone()).collect();
    insta::assert_debug_snapshot!(reasons);
}

#[test]
fn snapshots_can_use_the_arrival_time() {
    let (workspace, mut client, serving) = mirrored(&MIRROR.replace("\"body /at\"", "\"arrival\""));
    for id in ["a", "b"] {
        assert_eq!(client.send("POST", "/v1/mirror/x", &[("x-request-id", id)], b"{}").status, 204);
    }
    let (records, _) = logged(&workspace, serving, 2);
    let time = |at: usize| -> jiff::Timestamp {
        records[at]["at"].as_str().expect("a text").parse().expect("a time")
    };
    assert!(time(0) <= time(1) && time(1) <= jiff::Timestamp::now());
}

/// The small study with a mirror and a threshold over everything, in which every id is compared as it arrives.
fn mirrored_with_threshold() -> (TestWorkspace, String) {
    let workspace = TestWorkspace::served();
    let threshold = "[threshold]\nat-least = 0.5\nquantifier = \"pooled\"\nwindows = { all = true }\n\
                     evidence = \"point\"\nchance = \"not-asked\"\nleast-per-window = 1\n[blinding]\nshare = 0\n";
    workspace.edit_study(&[("[[models]]", &format!("{threshold}\n{MIRROR}"))]);
    let output = workspace.ok(&["token", "--role", "feed", "--name", "mesh", "--file", "tokens.toml"]);
    (workspace, output.stdout.trim().to_owned())
}

/// Mirrors a snapshot that the study can decode. Returns the status.
fn mirror_snapshot(client: &mut Client, id: usize) -> u16 {
    let body = br#"{"at":"2026-03-01T10:00:00Z","booking":{"room":"a"}}"#;
    client.send("POST", "/v1/mirror/x?nights=1", &[("x-request-id", &id.to_string())], body).status
}

/// Sends the decision that the model gives, too.
fn send_decision(client: &mut Client, id: usize) {
    let decision = format!(r#"{{"id":"{id}","at":"2026-03-01T11:00:00Z","room":"a"}}"#);
    assert_eq!(client.post("/v1/decisions", &decision).status, 202);
}

/// Ends the run and decides. Returns the exit code, the verdict in words, and `verdict.json`.
fn verdict_of_ended_run(workspace: &TestWorkspace, serving: ServedRun) -> (i32, String, Value) {
    workspace.ok(&["end", "run", "--reason", "that is all", "--who", "test"]);
    let output = serving.wait_with_output();
    assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
    let output = workspace.understudy(&["decide", "run"]);
    workspace.ok(&["verify", "run"]);
    let verdict = std::fs::read(workspace.path().join("run/verdict.json")).expect("there is a verdict");
    let words = output.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    (output.code, words, serde_json::from_slice(&verdict).expect("a verdict is JSON"))
}

#[test]
fn requests_that_are_refused_under_pressure_void_the_study() {
    let (workspace, token) = mirrored_with_threshold();
    let serving = ServedRun::start(&workspace, &["--tokens", "tokens.toml", "--max-body-mib", "64"]);
    let mut client = Client::with_token(serving.address, &token);
    for id in 0..20 {
        assert_eq!(mirror_snapshot(&mut client, id), 204);
        send_decision(&mut client, id);
    }
    // Two bodies that never arrive take all the memory for bodies, 128 MiB.
    let head = format!(
        "POST /v1/snapshots HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        64 << 20
    );
    let mut unfinished = Vec::new();
    let mut refused = 0;
    wait_until("the memory for bodies is taken", || {
        let mut socket = connect(serving.address).expect("the server accepts connections");
        socket.write_all(head.as_bytes()).expect("the head is written");
        unfinished.push(socket);
        // A copy of a snapshot is in no share if there is still memory for it.
        refused += u64::from(mirror_snapshot(&mut client, 0) == 429);
        refused > 0
    });
    refused += (21..30).filter(|id| mirror_snapshot(&mut client, *id) == 429).count() as u64;
    assert_eq!(refused, 10);
    drop(unfinished);
    let (code, words, verdict) = verdict_of_ended_run(&workspace, serving);
    assert_eq!((code, &verdict["shed"], &verdict["cut-offs"]), (3, &10.into(), &0.into()), "{words}");
    let reason = "10 of 30 snapshots (0.333333) were shed: mirrored requests that never became a record";
    assert!(words.contains(reason), "{words}");
}

#[test]
fn a_verdict_says_that_a_killed_process_did_not_count_its_shed_requests() {
    let (workspace, token) = mirrored_with_threshold();
    for ids in [0..10, 10..20] {
        let serving = ServedRun::start(&workspace, &["--tokens", "tokens.toml"]);
        let mut client = Client::with_token(serving.address, &token);
        for id in ids.clone() {
            assert_eq!(mirror_snapshot(&mut client, id), 204);
            send_decision(&mut client, id);
        }
        let run = workspace.path().join("run");
        wait_until("the snapshots are in the log", || open_rows(&run, "snapshots") >= ids.end);
        if ids.start == 0 {
            serving.kill();
            continue;
        }
        let (code, words, verdict) = verdict_of_ended_run(&workspace, serving);
        assert_eq!((code, &verdict["shed"], &verdict["cut-offs"]), (0, &0.into(), &1.into()), "{words}");
        let note = "The process was cut off 1 time. Mirrored requests that never became a record in the last minute \
                    before are not counted, so most-shed does not limit them.";
        assert!(words.contains(note), "{words}");
    }
}

/// A body that a field needs and that cannot be read rejects the record. The model is not asked for an answer without
/// the field, so that nobody takes its silence for a fault of the model.
#[test]
fn bodies_that_cannot_be_read_are_rejected_records() {
    let workspace = TestWorkspace::served();
    workspace.edit_study(&[("[[models]]", &MIRROR.replace("\"body /at\"", "\"header x-time\""))]);
    let output = workspace.ok(&["token", "--role", "feed", "--name", "mesh", "--file", "tokens.toml"]);
    let serving = ServedRun::start(&workspace, &["--tokens", "tokens.toml", "--max-body-mib", "1"]);
    let mut client = Client::with_token(serving.address, output.stdout.trim());
    let body = br#"{"booking":{"room":"a"}}"#;
    let mut deflate = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    deflate.write_all(body).expect("memory takes it");
    let deflate = deflate.finish().expect("memory takes it");
    let zstd = zstd::encode_all(&body[..], 0).expect("memory takes it");
    let marked = [b"\xef\xbb\xbf", &body[..]].concat();
    let mut number = 0;
    let mut send = |client: &mut Client, method: &str, headers: &[(&str, &str)], body: &[u8]| {
        number += 1;
        let id = format!("r-{number}");
        let own = [("x-request-id", id.as_str()), ("x-time", "2026-03-01T10:00:00Z")];
        assert_eq!(client.send(method, "/v1/mirror/x", &[&own, headers].concat(), body).status, 204);
    };
    for (encoding, body) in
        [("identity", &body[..]), ("deflate", &deflate), ("zstd", &zstd), ("identity", &marked)]
    {
        send(&mut client, "POST", &[("content-encoding", encoding)], body);
    }
    let form = ("content-type", "application/x-www-form-urlencoded");
    send(&mut client, "POST", &[form], b"room=a");
    send(&mut client, "POST", &[("content-encoding", "br")], b"\x0b\x02\x80{}\x03");
    send(&mut client, "POST", &[("content-encoding", "gzip")], body);
    send(&mut client, "PUT", &[("content-encoding", "deflate")], &deflate[..deflate.len() - 3]);
    send(&mut client, "POST", &[], &body[..10]);
    send(&mut client, "POST", &[("content-type", "application/json; charset=utf-16")], b"\xff\xfe{\0}\0");
    send(&mut client, "GET", &[], b"");
    send(&mut client, "OPTIONS", &[], b"");
    // A larger body ends its connection, since the server does not read it to the end.
    let large = format!("{{\"padding\":\"{}\"}}", "x".repeat(1 << 20));
    let headers = [("x-request-id", "large"), ("x-time", "2026-03-01T10:00:00Z")];
    let mut fresh = Client::with_token(serving.address, output.stdout.trim());
    let _ = fresh.try_send("POST", "/v1/mirror/x", &headers, large.as_bytes());
    let cut_off =
        client.request("POST", "/v1/mirror/x", &[("x-request-id", "cut"), ("content-length", "100")], body);
    drop(connect(serving.address).and_then(|mut stream| stream.write_all(&cut_off)));
    let run = workspace.path().join("run");
    wait_until("all of them are in the log", || open_rows(&run, "excluded") == 10);
    let (records, report) = logged(&workspace, serving, 4);
    assert!(records.iter().all(|record| record["booked"] == "a"), "{records:?}");
    assert_eq!(account(&report, "snapshots"), [("received", 14), ("rejected", 10), ("waiting", 4)]);
    assert_eq!(report["models"][0]["abstained"], 0, "{report:#}");
    let mut reasons: Vec<String> = excluded_rows(&run).into_iter().map(|excluded| excluded.detail).collect();
    reasons.sort();
    insta::assert_snapshot!(reasons.join("\n"));
}

#[test]
fn mirroring_needs_a_mapping() {
    let workspace = TestWorkspace::served();
    let serving = ServedRun::start(&workspace, &[]);
    let answer = serving.client().post("/v1/mirror/book", "{}");
    assert_eq!(answer.status, 404);
    insta::assert_snapshot!(answer.json()["detail"].as_str().unwrap_or_default(), @"the study does not map mirrored requests to snapshots; declare `[mirror]`");
    drop(serving);
    workspace.edit_study(&[("[[models]]", MIRROR)]);
    let output = workspace.understudy(&["serve", "study.toml", "--run", "another"]);
    assert_eq!(output.code, 1);
    insta::assert_snapshot!(output.stderr, @"cannot serve `[mirror]` without tokens: mirrored requests carry foreign Host and Origin headers, so that a proxy cannot be distinguished from a web page; pass --tokens");
}

#[test]
fn mirrored_requests_lost_after_the_response_are_counted() {
    let workspace = TestWorkspace::served();
    workspace.edit_study(&[("[[models]]", MIRROR)]);
    let output = workspace.ok(&["token", "--role", "feed", "--name", "mesh", "--file", "tokens.toml"]);
    // A private disk of a few MiB that is soon full.
    let script = "mkdir small && mount -t tmpfs -o size=4m none small && exec \"$UNDERSTUDY\" serve study.toml \
                  --run small/run --listen 127.0.0.1:0 --tokens tokens.toml";
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script]);
    command.current_dir(workspace.path()).env("UNDERSTUDY", program());
    let serving = ServedRun::from_command(command);
    let mut client = Client::with_token(serving.address, output.stdout.trim());
    let room = "r".repeat(200_000);
    let mut answered = 0;
    for at in 0..1000 {
        let body = format!(r#"{{"at":"2026-03-01T10:00:00Z","booking":{{"room":"{room}-{at}"}}}}"#);
        let id = at.to_string();
        match client.try_send("POST", "/v1/mirror/x", &[("x-request-id", &id)], body.as_bytes()) {
            Ok(answer) if answer.status == 204 => answered += 1,
            _ => break,
        }
    }
    let output = serving.wait_with_output();
    assert_eq!(output.code, 1, "{}", output.stderr);
    let message = "mirrored requests were answered, but may not be in the log lost=";
    let lost = output.stderr.lines().find_map(|line| line.split_once(message).map(|(_, lost)| lost));
    let lost: u32 = lost.and_then(|lost| lost.trim().parse().ok()).expect("some are lost");
    // On a busy machine the log may take none of them before the disk is full.
    assert!(0 < lost && lost <= answered, "{lost} of {answered}");
}
