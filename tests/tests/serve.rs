//! A study that is served: what a request may be, what it is answered, and that what was acknowledged is there.

use std::fs;
use std::io::Write as _;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use insta::assert_snapshot;
use serde_json::json;
use understudy_tests::http::{Answer, Client};
use understudy_tests::process::until;
use understudy_tests::serving::Serving;
use understudy_tests::tables::{refused, sealed};
use understudy_tests::{Bench, account, essence};

const JSON: (&str, &str) = ("content-type", "application/json");
/// The model of the small study.
const ECHO: &str = "plugin = \"PLUGINS/recorded.wasm\"\ngrant = [\"booked\"]\nconfig = { field = \"booked\", form = \"label\" }";
const NDJSON: (&str, &str) = ("content-type", "application/x-ndjson");

fn snapshot(id: &str) -> String {
    format!(r#"{{"id":"{id}","at":"2026-03-01T10:00:00Z","booked":"a","nights":1}}"#)
}

fn gzip(text: &str) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    packer.write_all(text.as_bytes()).expect("memory takes it");
    packer.finish().expect("memory takes it")
}

fn shown(what: &str, answer: &Answer) -> String {
    let again =
        answer.header("retry-after").map(|seconds| format!(", again after {seconds} s")).unwrap_or_default();
    format!("{what}\n  {}{again} {}\n", answer.status, answer.text())
}

fn end(bench: &Bench, serving: Serving) {
    let said = bench.understudy(&["end", "run", "--reason", "that is all", "--who", "test"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let said = serving.said();
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let said = bench.understudy(&["verify", "run"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
}

#[test]
fn every_form_of_a_body_is_taken_and_each_record_has_its_fate() {
    let bench = Bench::served();
    let serving = Serving::start(&bench, &[]);
    let mut client = serving.client();
    let mut said = String::new();
    let mut send = |what: &str, headers: &[(&str, &str)], body: &[u8]| {
        let answer = client.send("POST", "/v1/snapshots", headers, body);
        said.push_str(&shown(what, &answer));
    };
    send("one object", &[JSON], snapshot("one").as_bytes());
    send("the same again", &[JSON], snapshot("one").as_bytes());
    send("the same id, otherwise", &[JSON], snapshot("one").replace("\"a\"", "\"b\"").as_bytes());
    let pretty = format!("[\n  {},\n  {}\n]\n", snapshot("two").replace(',', ",\n    "), snapshot("three"));
    send("an array on several lines", &[JSON], pretty.as_bytes());
    send(
        "lines, one of them bad",
        &[NDJSON],
        format!("{}\n\n{{\"id\":\"x\"}}\n{}\n", snapshot("four"), snapshot("five")).as_bytes(),
    );
    send("gzip", &[NDJSON, ("content-encoding", "gzip")], &gzip(&snapshot("six")));
    let event = format!(
        r#"{{"specversion":"1.0","type":"t","source":"s","id":"seven","time":"2026-03-01T10:00:00Z","data":{}}}"#,
        r#"{"booked":"a","nights":2}"#
    );
    let cloud = ("content-type", "application/cloudevents+json; charset=utf-8");
    send("a CloudEvent whose data has neither id nor time", &[cloud], event.as_bytes());
    let batch = ("content-type", "application/cloudevents-batch+json");
    send(
        "CloudEvents, the data in base64",
        &[batch],
        br#"[{"id":"eight","time":"2026-03-01T10:00:00Z","data_base64":"eyJib29rZWQiOiJiIn0="}]"#,
    );
    let binary = [JSON, ("ce-specversion", "1.0"), ("ce-id", "nine"), ("ce-time", "2026-03-01T10:00:00Z")];
    send("a CloudEvent in headers", &binary, br#"{"booked":"c"}"#);
    send("a CloudEvent without data", &[cloud], br#"{"specversion":"1.0","id":"x"}"#);
    send("no JSON", &[JSON], b"{\"id\":");
    send("an array that breaks off", &[JSON], format!("[{}, ", snapshot("ten")).as_bytes());
    send("nothing", &[JSON], b"");
    send("only blank lines", &[NDJSON], b"\n \n");
    send("another type", &[("content-type", "text/csv")], b"a,b");
    send("no type", &[], b"{}");
    send("another encoding", &[JSON, ("content-encoding", "br")], b"{}");
    send("gzip that is none", &[JSON, ("content-encoding", "gzip")], b"{}");
    assert_snapshot!(said, @r#"
one object
  202 {"received":1,"taken":1,"duplicates":0,"refused":[]}
the same again
  202 {"received":1,"taken":0,"duplicates":1,"refused":[]}
the same id, otherwise
  422 {"received":1,"taken":0,"duplicates":0,"refused":[{"record":0,"class":"conflict","reason":"an earlier record has the id \"one\": the two differ; the first one counts"}]}
an array on several lines
  202 {"received":2,"taken":2,"duplicates":0,"refused":[]}
lines, one of them bad
  202 {"received":3,"taken":2,"duplicates":0,"refused":[{"record":1,"class":"rejected","reason":"field `at`: the time is missing; every record needs one"}]}
gzip
  202 {"received":1,"taken":1,"duplicates":0,"refused":[]}
a CloudEvent whose data has neither id nor time
  202 {"received":1,"taken":1,"duplicates":0,"refused":[]}
CloudEvents, the data in base64
  202 {"received":1,"taken":1,"duplicates":0,"refused":[]}
a CloudEvent in headers
  202 {"received":1,"taken":1,"duplicates":0,"refused":[]}
a CloudEvent without data
  422 {"received":1,"taken":0,"duplicates":0,"refused":[{"record":0,"class":"rejected","reason":"the event has no data"}]}
no JSON
  422 {"received":1,"taken":0,"duplicates":0,"refused":[{"record":0,"class":"rejected","reason":"not JSON: the line ends in the middle of a record"}]}
an array that breaks off
  422 {"received":1,"taken":0,"duplicates":0,"refused":[{"record":0,"class":"rejected","reason":"the body is not JSON: EOF while parsing a value at line 1 column 67"}]}
nothing
  422 {"title":"empty","status":422,"detail":"the body has no record; send one JSON object, an array of them, or one a line"}
only blank lines
  422 {"title":"empty","status":422,"detail":"the body has no record; send one JSON object, an array of them, or one a line"}
another type
  415 {"title":"unsupported","status":415,"detail":"it has another Content-Type; send application/json, application/x-ndjson, application/cloudevents+json or application/cloudevents-batch+json"}
no type
  415 {"title":"unsupported","status":415,"detail":"it has no Content-Type; send application/json, application/x-ndjson, application/cloudevents+json or application/cloudevents-batch+json"}
another encoding
  415 {"title":"unsupported","status":415,"detail":"it has another Content-Encoding; send gzip, or none"}
gzip that is none
  422 {"title":"not gzip","status":422,"detail":"nothing of it was taken: the body is not whole gzip (unexpected end of file); send it again"}
"#);
    end(&bench, serving);
    let report = bench.report("run");
    assert_eq!(
        account(&report, "snapshots"),
        [("received", 15), ("rejected", 4), ("duplicate", 1), ("conflict", 1), ("waiting", 9)]
    );
    // What was refused is kept as it came.
    let raw: Vec<String> = refused(&bench.path().join("run"))
        .into_iter()
        .map(|refusal| String::from_utf8_lossy(&refusal.raw).into_owned())
        .collect();
    assert!(raw.contains(&"{\"id\":\"x\"}".to_owned()), "{raw:?}");
    assert!(raw.iter().any(|raw| raw.starts_with("[{\"id\":\"ten\"")), "{raw:?}");
}

#[test]
fn a_large_request_is_taken_in_several_batches_and_answered_by_record() {
    let bench = Bench::served();
    let serving = Serving::start(&bench, &[]);
    let lines: Vec<String> = (0..5_000)
        .map(|at| if at % 1_000 == 999 { format!("bad {at}") } else { snapshot(&format!("n{at}")) })
        .collect();
    let answer = serving.client().send("POST", "/v1/snapshots", &[NDJSON], lines.join("\n").as_bytes());
    assert_eq!(answer.status, 202);
    let said = answer.json();
    assert_eq!([&said["received"], &said["taken"]], [&json!(5_000), &json!(4_995)]);
    let refused = said["refused"].as_array().expect("a list");
    let places: Vec<u64> =
        refused.iter().map(|refused| refused["record"].as_u64().expect("a place")).collect();
    assert_eq!(places, [999, 1_999, 2_999, 3_999, 4_999]);
    end(&bench, serving);
}

#[test]
fn what_was_acknowledged_outlives_a_kill() {
    let bench = Bench::served();
    let files = Bench::small();
    let lines = |name: &str| {
        let text = fs::read_to_string(files.path().join(name)).expect("it was written");
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let (snapshots, decisions) = (lines("snapshots.jsonl"), lines("decisions.jsonl"));
    for (snapshot, decision) in snapshots.iter().zip(&decisions) {
        let serving = Serving::start(&bench, &[]);
        let mut client = serving.client();
        assert_eq!(client.send("POST", "/v1/snapshots", &[NDJSON], snapshot.as_bytes()).status, 202);
        assert_eq!(client.send("POST", "/v1/decisions", &[NDJSON], decision.as_bytes()).status, 202);
        serving.kill();
    }
    let serving = Serving::start(&bench, &[]);
    end(&bench, serving);
    files.run(&[]);
    let (mut served, mut plain) = (essence(&bench.report("run")), essence(&files.report("run")));
    for report in [&mut served, &mut plain] {
        // Two declarations, since their sources are not the same.
        report.as_object_mut().expect("an object").remove("declaration");
    }
    assert_eq!(served, plain);
}

#[test]
fn a_stop_drains_and_the_run_goes_on_when_it_is_served_again() {
    let bench = Bench::served();
    let serving = Serving::start(&bench, &[]);
    assert_eq!(serving.client().get("/livez").status, 200);
    assert_eq!(serving.client().get("/readyz").status, 200);
    assert_eq!(serving.client().post("/v1/snapshots", snapshot("one")).status, 202);
    let said = serving.stop();
    assert_eq!(said.code, 130, "{}", said.err);
    assert_eq!(account(&bench.report("run"), "snapshots"), [("received", 1), ("waiting", 1)]);
    let serving = Serving::start(&bench, &[]);
    let answer = serving.client().post("/v1/snapshots", snapshot("one"));
    assert_eq!(answer.json()["duplicates"], json!(1), "{answer:?}");
    end(&bench, serving);
    let refused = bench.understudy(&["serve", "study.toml", "--run", "run", "--listen", "127.0.0.1:0"]);
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("which has ended"), "{}", refused.err);
}

/// A model that loops for ever on each row costs its budget, and what waits behind it for too long is refused at the door.
#[test]
fn a_run_that_has_fallen_behind_refuses_at_the_door_and_keeps_what_it_took() {
    const AT_ONCE: u64 = 20;
    const CLIENTS: u64 = 40;
    let bench = Bench::served();
    bench.change(&[
        (ECHO,
         "plugin = \"PLUGINS/guests/evil.wasm\"\ngrant = [\"text\"]\nconfig = { on = \"always\", do = \"loop\" }"),
        ("booked = \"text\"", "booked = \"text\"\ntext = \"text\""),
    ]);
    let text = fs::read_to_string(bench.path().join("study.toml")).expect("the study");
    bench.write(
        "study.toml",
        format!("{text}[limits]\ncall-timeout = \"400ms\"\nfuel-per-row = 1000000000000\nworkers = 1\n"),
    );
    let serving = Serving::start(&bench, &[]);
    let address = serving.address;
    // The first come at once, which is work for eight seconds at least; the others one after the other while that lasts. Whoever
    // comes once the oldest has waited for five seconds is refused, and comes again.
    let refused: u32 = std::thread::scope(|scope| {
        let client = |number: u64| {
            let line = snapshot(&format!("c{number}")).replace("\"booked\"", "\"text\":\"x\",\"booked\"");
            std::thread::sleep(Duration::from_millis(400 * number.saturating_sub(AT_ONCE)));
            let mut refused = 0;
            loop {
                let answer = Client::new(address).send("POST", "/v1/snapshots", &[NDJSON], line.as_bytes());
                match answer.status {
                    202 => return refused,
                    429 => assert_eq!(answer.header("retry-after"), Some("1"), "{answer:?}"),
                    _ => panic!("{answer:?}"),
                }
                // While it is behind, it is alive and says so.
                assert_eq!(Client::new(address).get("/livez").status, 200);
                refused += 1;
                std::thread::sleep(Duration::from_millis(200));
            }
        };
        let clients: Vec<_> = (0..CLIENTS).map(|number| scope.spawn(move || client(number))).collect();
        clients.into_iter().map(|client| client.join().expect("no client panics")).sum()
    });
    assert!(refused > 0);
    end(&bench, serving);
    let rows = sealed(&bench.path().join("run"), "snapshots").expect("rows").num_rows();
    assert_eq!(rows as u64, CLIENTS);
    assert_eq!(bench.report("run")["models"][0]["failed"], json!(CLIENTS));
}

#[test]
fn what_is_served_and_what_is_run_is_told_apart() {
    let bench = Bench::served();
    let run = bench.understudy(&["run", "study.toml"]);
    let end = bench.understudy(&["end", "nowhere", "--reason", "x"]);
    bench.write("empty/x", "");
    let nobody = bench.understudy(&["end", "empty", "--reason", "x"]);
    let files = Bench::small();
    let served = files.understudy(&["serve", "study.toml"]);
    let codes = [run.code, end.code, nobody.code, served.code];
    assert_eq!(codes, [1; 4]);
    let said = [run.err, end.err, nobody.err, served.err].concat();
    let said: String =
        said.lines().filter(|line| !line.contains("listening on")).map(|l| l.to_owned() + "\n").collect();
    assert_snapshot!(said, @r"
study.toml takes records over HTTP, as `[sources]` says; serve it with `understudy serve study.toml`
cannot open nowhere: No such file or directory (os error 2); name a run directory
nobody serves empty now; `understudy serve` does
study.toml takes nothing over HTTP, so there is nothing to serve; write snapshots = { http = true } in `[sources]`, or run it with `understudy run study.toml`
");
}

/// Snapshots come over HTTP, decisions out of a file: one side is delivered, the other is read.
#[test]
fn one_side_may_be_a_file() {
    let bench = Bench::small();
    bench.change(&[("{ file = \"snapshots.jsonl\" }", "{ http = true }")]);
    let serving = Serving::start(&bench, &[]);
    let lines = fs::read(bench.path().join("snapshots.jsonl")).expect("it was written");
    assert_eq!(serving.client().send("POST", "/v1/snapshots", &[NDJSON], &lines).status, 202);
    let answer = serving.client().send("POST", "/v1/decisions", &[NDJSON], &lines);
    assert_eq!(answer.status, 404, "{answer:?}");
    end(&bench, serving);
    assert_eq!(account(&bench.report("run"), "snapshots"), [("received", 5), ("paired", 5)]);
}

/// The first signal lets the models end what they were given, which here would take ten minutes; the second does not wait.
#[test]
fn a_second_signal_ends_it_at_once_and_loses_nothing_that_was_acknowledged() {
    let bench = Bench::served();
    bench.change(&[
        (ECHO, "plugin = \"PLUGINS/guests/evil.wasm\"\ngrant = [\"text\"]\nconfig = { on = \"cue\", do = \"loop\" }"),
        ("booked = \"text\"", "booked = \"text\"\ntext = \"text\""),
    ]);
    let text = fs::read_to_string(bench.path().join("study.toml")).expect("the study");
    let limits = "[limits]\ncall-timeout = \"10m\"\nfuel-per-row = 100000000000000\nworkers = 1\n";
    bench.write("study.toml", format!("{text}{limits}"));
    let with =
        |id: &str, text: &str| snapshot(id).replace("\"booked\"", &format!("\"text\":\"{text}\",\"booked\""));
    let serving = Serving::start(&bench, &[]);
    assert_eq!(serving.client().post("/v1/snapshots", with("kept", "x")).status, 202);
    let address = serving.address;
    let stuck = std::thread::spawn(move || {
        let line = with("stuck", "cue");
        Client::new(address)
            .try_send("POST", "/v1/snapshots", &[JSON], line.as_bytes())
            .map(|answer| answer.status)
    });
    until("the model is at it", || {
        let status = serving.client().get("/v1/status").json();
        status["standing"]["in-flight"].as_u64() > Some(0)
    });
    serving.signal("TERM");
    until("it takes nothing more", || serving.client().get("/readyz").status == 503);
    serving.signal("TERM");
    assert_eq!(serving.said().code, 130);
    assert_ne!(stuck.join().expect("the client does not panic").ok(), Some(202));
    let serving = Serving::start(&bench, &[]);
    let with =
        |id: &str, text: &str| snapshot(id).replace("\"booked\"", &format!("\"text\":\"{text}\",\"booked\""));
    let answer =
        serving.client().post("/v1/snapshots", format!("[{},{}]", with("kept", "x"), with("stuck", "y")));
    assert_eq!([&answer.json()["duplicates"], &answer.json()["taken"]], [&json!(1), &json!(1)], "{answer:?}");
    end(&bench, serving);
}
