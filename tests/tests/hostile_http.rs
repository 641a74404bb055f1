//! Malformed requests get an error or a closed connection, and the server stays healthy. At the end every
//! acknowledged record is accounted for.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use flate2::Compression;
use flate2::write::GzEncoder;
use understudy_tests::http::{connect, read_response, read_to_close, send_raw, status};
use understudy_tests::process::wait_until;
use understudy_tests::served_run::ServedRun;
use understudy_tests::{TestWorkspace, account};

/// Maximum body size of the server in bytes.
const BODY: usize = 1 << 20;

/// A server with short timeouts, and the number of acknowledged records.
struct Attacked {
    workspace: TestWorkspace,
    serving: ServedRun,
    taken: u64,
}

impl Attacked {
    fn new(arguments: &[&str]) -> Attacked {
        let workspace = TestWorkspace::served();
        let own = ["--request-timeout", "1", "--max-body-mib", "1"];
        let serving = ServedRun::start(&workspace, &[&own, arguments].concat());
        Attacked { workspace, serving, taken: 0 }
    }

    fn address(&self) -> SocketAddr {
        self.serving.address
    }

    /// Checks that the server is live and ready and accepts a valid snapshot.
    fn is_well(&mut self, after: &str) {
        let mut client = self.serving.client();
        assert_eq!(client.get("/livez").status, 200, "after {after}");
        assert_eq!(client.get("/readyz").status, 200, "after {after}");
        self.taken += 1;
        let second = self.taken;
        let snapshot = format!(
            r#"{{"id":"good-{second}","at":"2026-03-01T10:{:02}:{:02}Z","booked":"a","nights":1}}"#,
            second / 60,
            second % 60
        );
        let answer = client.post("/v1/snapshots", snapshot);
        assert_eq!(
            (answer.status, &answer.json()["accepted"]),
            (202, &1.into()),
            "after {after}: {answer:?}"
        );
    }

    /// Checks that the accounting has exactly the acknowledged and the excluded records.
    fn ends(self, refused: &[(&'static str, u64)]) {
        let (workspace, taken) = (self.workspace, self.taken);
        let output = self.serving.stop();
        assert_eq!(output.code, 130, "{}", output.stderr);
        let report = workspace.report("run");
        let all = taken + refused.iter().map(|(_, count)| count).sum::<u64>();
        let expected = [&[("received", all)], refused, &[("waiting", taken)]].concat();
        assert_eq!(account(&report, "snapshots"), expected);
        assert_eq!(account(&report, "decisions"), []);
        workspace.ok(&["verify", "run"]);
    }
}

fn head(lines: &[&str]) -> Vec<u8> {
    let own = ["POST /v1/snapshots HTTP/1.1", "host: localhost", "content-type: application/json"];
    let lines: Vec<&str> = own.iter().chain(lines).copied().collect();
    format!("{}\r\n\r\n", lines.join("\r\n")).into_bytes()
}

fn with_length(lines: &[&str], body: &[u8]) -> Vec<u8> {
    let length = format!("content-length: {}", body.len());
    [head(&[lines, &[&length, "connection: close"]].concat()), body.to_vec()].concat()
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).expect("a vector takes all");
    encoder.finish().expect("a vector takes all")
}

/// Status codes of the server's responses to bytes.
fn outcome(came: &[u8]) -> String {
    let text = String::from_utf8_lossy(came);
    let statuses: Vec<String> = text
        .match_indices("HTTP/1.1 ")
        .filter_map(|(at, _)| status(&came[at..]))
        .map(|s| s.to_string())
        .collect();
    if statuses.is_empty() { "closed".to_owned() } else { statuses.join(" ") }
}

#[test]
fn malformed_requests_are_rejected_without_harm() {
    let mut server = Attacked::new(&[]);
    let deep = [&b"["[..]; 100_000].concat();
    let deep_record =
        [b"{\"id\":\"d\",\"at\":".as_slice(), &deep, &[&b"]"[..]; 100_000].concat(), b"}"].concat();
    let bomb = gzip(&vec![b' '; 256 << 20]);
    assert!(bomb.len() < BODY);
    let whole = gzip(br#"{"id":"z","at":"2026-03-01T10:00:00Z"}"#);
    let long = "x".repeat(20_000);
    let many: Vec<String> = (0..200).map(|at| format!("x-{at}: y")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let get = |path: &str| {
        format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").into_bytes()
    };
    let chunked = |rest: &[u8]| [head(&["transfer-encoding: chunked"]), rest.to_vec()].concat();
    let smuggled = b"0\r\n\r\nGET /readyz HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let too_much = format!("{:x}\r\n{}\r\n0\r\n\r\n", BODY + 1, " ".repeat(BODY + 1)).into_bytes();
    let attacks: Vec<(&str, Vec<u8>)> = vec![
        ("a header that is too long", head(&[&format!("x-long: {long}")])),
        ("a path that is too long", get(&format!("/{long}"))),
        ("too many headers", head(&many)),
        ("a body that is too large by its length", head(&[&format!("content-length: {}", BODY + 1)])),
        ("a length beyond all numbers", head(&["content-length: 99999999999999999999999999"])),
        ("a negative length", head(&["content-length: -1"])),
        ("two lengths", head(&["content-length: 1", "content-length: 2"])),
        ("a body that is too large in chunks", chunked(&too_much)),
        ("a chunk without a size", chunked(b"zz\r\nabc\r\n0\r\n\r\n")),
        ("a chunk that is longer than its size", chunked(b"1\r\nabc\r\n0\r\n\r\n")),
        ("a chunk of all sizes", chunked(b"ffffffffffffffffffff\r\n")),
        ("another transfer encoding", head(&["transfer-encoding: gzip"])),
        (
            "a length and chunks, which smuggle a request",
            [head(&["content-length: 5", "transfer-encoding: chunked"]), smuggled.to_vec()].concat(),
        ),
        (
            "chunks said twice, once wrongly",
            [head(&["transfer-encoding: chunked", "transfer-encoding: xchunked"]), smuggled.to_vec()]
                .concat(),
        ),
        ("a space before the colon", head(&["content-length : 5"])),
        ("a NUL in a header", head(&["x-nul: a\0b", "content-length: 0"])),
        ("a line feed alone in a header", head(&["x: a\nx-y: b", "content-length: 0", "connection: close"])),
        ("a carriage return in a header", head(&["x: a\rb", "content-length: 0"])),
        ("bytes beyond ASCII in a header's name", head(&["x-\u{fc}: a", "content-length: 0"])),
        ("HTTP 0.9", b"GET /readyz\r\n\r\n".to_vec()),
        ("HTTP 2 by prior knowledge", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec()),
        ("HTTP 3.0 in words", b"GET /readyz HTTP/3.0\r\n\r\n".to_vec()),
        ("a TLS handshake", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03random bytes here".to_vec()),
        (
            "a method of its own",
            b"BREW /v1/snapshots HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".to_vec(),
        ),
        (
            "CONNECT",
            b"CONNECT evil.example:443 HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".to_vec(),
        ),
        ("a path that climbs", get("/../../etc/passwd")),
        ("a path of percent signs", get("/v1/%ff%00%zz")),
        ("an expectation of its own", with_length(&["expect: 999-miracle"], b"")),
        ("a body that is not UTF-8", with_length(&[], b"{\"id\":\"\xff\xfe\"}")),
        ("a body that is not JSON", with_length(&[], b"{\"id\":")),
        ("a body of nothing", with_length(&[], b"")),
        ("a body of 100,000 levels", with_length(&[], &deep)),
        ("a record of 100,000 levels", with_length(&[], &deep_record)),
        ("a gzip bomb", with_length(&["content-encoding: gzip"], &bomb)),
        ("gzip that is cut off", with_length(&["content-encoding: gzip"], &whole[..whole.len() - 9])),
        ("gzip that is none", with_length(&["content-encoding: gzip"], b"plain")),
        ("an encoding of its own", with_length(&["content-encoding: br"], b"x")),
        ("a head that never ends", b"POST /v1/snapshots HTTP/1.1\r\nhost: loc".to_vec()),
        ("a body that never comes", head(&["content-length: 100"])),
        ("a body that stops", [head(&["content-length: 100"]), b"{\"id\":".to_vec()].concat()),
        ("chunks that stop", chunked(b"5\r\n{\"id\"")),
        ("nothing at all", Vec::new()),
    ];
    let mut table = String::new();
    for (name, bytes) in attacks {
        let came = send_raw(server.address(), &bytes);
        table.push_str(&format!("{:<46} {}\n", name, outcome(&came)));
        server.is_well(name);
    }
    insta::assert_snapshot!(table);
    server.ends(&[("rejected", 4)]);
}

/// The HTTP library answers a head that it cannot parse before any handler sees it.
#[test]
fn every_rejected_head_has_a_problem_body() {
    let mut server = Attacked::new(&[]);
    let long = format!("x-long: {}", "x".repeat(20_000));
    let many: Vec<String> = (0..200).map(|at| format!("x-{at}: y")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").into_bytes();
    let heads = [
        (431, head(&[&long])),
        (431, head(&many)),
        (431, get(&format!("/{}", "x".repeat(20_000)))),
        (400, head(&["content-length: -1"])),
        (400, head(&["content-length : 5"])),
        (400, head(&["transfer-encoding: gzip"])),
        (400, b"GET /readyz HTTP/3.0\r\nhost: localhost\r\n\r\n".to_vec()),
        (404, get("/nowhere")),
        (405, get("/v1/snapshots")),
    ];
    for (status, bytes) in heads {
        let mut stream = connect(server.address()).expect("it listens");
        stream.write_all(&bytes).expect("it reads");
        let answer = read_response(&mut stream, "POST").expect("an answer");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{answer:?}");
        let problem = answer.json();
        assert_eq!(
            (answer.status, &problem["status"], &problem["retry"]),
            (status, &status.into(), &false.into())
        );
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("; ")), "{problem}");
    }
    server.is_well("heads that are rejected");
    server.ends(&[]);
}

#[test]
fn a_slow_request_times_out() {
    let mut server = Attacked::new(&[]);
    let slow = |bytes: &[u8]| {
        let mut stream = connect(server.address()).expect("it listens");
        // The server closes the connection meanwhile.
        for byte in bytes {
            if stream.write_all(&[*byte]).is_err() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        read_to_close(&mut stream)
    };
    let endless = [b"GET /readyz HTTP/1.1\r\nhost: localhost\r\nx: ".as_slice(), &[b'a'; 1000]].concat();
    assert_eq!(outcome(&slow(&endless)), "closed");
    let mut stream = connect(server.address()).expect("it listens");
    stream.write_all(&head(&["content-length: 1000"])).expect("it reads");
    let mut feeding = stream.try_clone().expect("a connection has two ends");
    let fed = std::thread::spawn(move || {
        while feeding.write_all(b" ").is_ok() {
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    });
    assert_eq!(read_response(&mut stream, "POST").expect("an answer").status, 408);
    drop(stream);
    fed.join().expect("it ends once the server has closed");
    server.is_well("slow requests");
    server.ends(&[]);
}

#[test]
fn half_open_and_idle_connections_are_closed() {
    let mut server = Attacked::new(&["--max-connections", "8"]);
    // Eight connections exceed the limit per address: the others are closed immediately.
    let mut open: Vec<TcpStream> = (0..8).map(|_| connect(server.address()).expect("it listens")).collect();
    let came: Vec<Vec<u8>> = open.iter_mut().map(read_to_close).collect();
    assert!(came.iter().all(Vec::is_empty), "{came:?}");
    server.is_well("connections that say nothing");
    let mut idle = connect(server.address()).expect("it listens");
    let get = b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n";
    idle.write_all(get).expect("it reads");
    assert_eq!(read_response(&mut idle, "GET").expect("an answer").status, 200);
    assert_eq!(read_to_close(&mut idle), b"");
    server.is_well("a connection that went idle");
    let noted = || {
        let text =
            std::fs::read_to_string(server.workspace.path().join("run/denied.jsonl")).unwrap_or_default();
        text.lines().any(|line| line.contains("connection limit per address"))
    };
    wait_until("those that were closed at once are noted", noted);
    server.ends(&[]);
}

#[test]
fn connections_above_the_limit_wait() {
    let mut server = Attacked::new(&["--max-connections", "1"]);
    let address = server.address();
    let ask = move || {
        let get = b"GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        outcome(&send_raw(address, get))
    };
    let asking: Vec<_> = (0..20).map(|_| std::thread::spawn(ask)).collect();
    for asked in asking {
        assert_eq!(asked.join().expect("it does not panic"), "200");
    }
    server.is_well("twenty at once");
    server.ends(&[]);
}

#[test]
fn an_unread_response_closes_its_connection() {
    let mut server = Attacked::new(&["--max-connections", "1"]);
    let mut greedy = connect(server.address()).expect("it listens");
    // The client sends requests without reading responses until both directions block. Then the server closes
    // the connection and frees its only slot.
    let get = b"GET /openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(100);
    let sent = (0..10_000).take_while(|_| greedy.write_all(&get).is_ok()).count();
    assert!(sent < 10_000, "somebody reads all that");
    server.is_well("answers that nobody reads");
    server.ends(&[]);
}

#[test]
fn an_aborted_request_stores_nothing() {
    let mut server = Attacked::new(&["--max-connections", "8"]);
    let body = br#"{"id":"gone","at":"2026-03-01T10:00:00Z"}"#;
    let request = with_length(&[], body);
    for end in (1..request.len()).step_by(7) {
        let mut stream = connect(server.address()).expect("it listens");
        // Connections run out until the server notices the closed ones.
        let _ = stream.write_all(&request[..end]);
    }
    wait_until("there is a place again", || {
        server.serving.client().try_send("GET", "/livez", &[], b"").is_ok()
    });
    server.is_well("clients that hang up");
    server.ends(&[]);
}

#[test]
fn an_invalid_tls_handshake_is_harmless() {
    let workspace = TestWorkspace::served();
    let certificate = understudy_tests::tls::Certificate::new();
    workspace.write("cert.pem", &certificate.chain);
    workspace.write("key.pem", &certificate.key);
    let serving = ServedRun::start(
        &workspace,
        &[
            "--request-timeout",
            "1",
            "--max-connections",
            "8",
            "--tls-cert",
            "cert.pem",
            "--tls-key",
            "key.pem",
        ],
    );
    let ready = || certificate.client(serving.address).get("/readyz").status;
    wait_until("it is ready", || ready() == 200);
    let hello = b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00";
    let attacks: [&[u8]; 5] =
        [b"", b"GET /readyz HTTP/1.1\r\nhost: localhost\r\n\r\n", hello, &hello[..4], &[0xff; 5000]];
    for bytes in attacks {
        let came = send_raw(serving.address, bytes);
        assert!(!came.starts_with(b"HTTP"), "{:?}", String::from_utf8_lossy(&came));
        assert_eq!(ready(), 200);
    }
    let mut open: Vec<TcpStream> = (0..6).map(|_| connect(serving.address).expect("it listens")).collect();
    let mut came = Vec::new();
    for stream in &mut open {
        stream.read_to_end(&mut came).expect("the server closes in order");
    }
    assert_eq!(ready(), 200);
    assert_eq!(serving.stop().code, 130);
}
