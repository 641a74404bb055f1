//! `understudy serve`: accepted requests, their responses, and the durability of acknowledged records.

use std::fs;
use std::io::Write as _;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use insta::assert_snapshot;
use serde_json::json;
use understudy_tests::http::{Client, Response};
use understudy_tests::process::wait_until;
use understudy_tests::served_run::ServedRun;
use understudy_tests::tables::{excluded_rows, sealed};
use understudy_tests::{TestWorkspace, account, deterministic_part};

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

fn describe(what: &str, answer: &Response) -> String {
    let again =
        answer.header("retry-after").map(|seconds| format!(", again after {seconds} s")).unwrap_or_default();
    format!("{what}\n  {}{again} {}\n", answer.status, answer.text())
}

fn end(workspace: &TestWorkspace, serving: ServedRun) {
    workspace.ok(&["end", "run", "--reason", "that is all", "--who", "test"]);
    let output = serving.wait_with_output();
    assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
    workspace.ok(&["verify", "run"]);
}

#[test]
fn a_misspelt_field_is_named_at_the_end() {
    let workspace = TestWorkspace::served();
    let serving = ServedRun::start(&workspace, &[]);
    let mut client = serving.client();
    let misspelt = |id| snapshot(id).replace("nights", "nigths");
    let lines = [misspelt("one"), "{}".to_owned(), misspelt("two")].join("\n");
    // A record may have more fields than are declared, so it is accepted.
    assert_eq!(client.send("POST", "/v1/snapshots", &[NDJSON], lines.as_bytes()).status, 202);
    // What fewer than 1,000 records have in common is not visible from outside.
    let status = workspace.ok(&["status", "run"]).stdout;
    assert!(!status.contains("nights") && !status.contains("nigths"), "{status}");
    end(&workspace, serving);
    let found = workspace.report("run")["input-diagnosis"]["misspelt"].to_string();
    assert_snapshot!(found, @r#"[{"field":"nights","key":"nigths","records":2,"stream":"snapshots"}]"#);
    let report = workspace.ok(&["report", "run", "--format", "text"]).stdout;
    let words = report.split_whitespace().collect::<Vec<_>>().join(" ");
    for sentence in [
        "THE FIELD `nights` HAS NO VALUE in any of 2 snapshots, so nothing that depends on it is tested. The snapshots have the \
         key `nigths`, which the study does not declare; write the same name in both.",
        "record 2: field `id`: the id is missing",
    ] {
        assert!(words.contains(sentence), "{report}");
    }
}

#[test]
fn a_field_without_values_is_named_by_the_status() {
    let workspace = TestWorkspace::served();
    let serving = ServedRun::start(&workspace, &[]);
    let mut client = serving.client();
    let lines: Vec<_> =
        (0..1_100).map(|at| snapshot(&format!("n{at}")).replace("nights", "nigths")).collect();
    assert_eq!(client.send("POST", "/v1/snapshots", &[NDJSON], lines.join("\n").as_bytes()).status, 202);
    let mut status = String::new();
    wait_until("the status names the field", || {
        status = workspace.ok(&["status", "run"]).stdout;
        status.contains("NO VALUE of `nights` in 1,")
    });
    assert!(!status.contains("nigths"), "a key is part of a record: {status}");
    // No decision arrived, so the comparator and the metrics had no rows.
    let comparator = status.lines().find(|line| line.contains("comparator")).expect("it is listed");
    assert!(comparator.contains("< 1,000"), "{status}");
    let status = workspace.ok(&["status", "run", "--format", "json"]).stdout;
    let status: serde_json::Value = serde_json::from_str(&status).expect("JSON");
    let plugins = status["run-status"]["plugins"].as_array().expect("plugins");
    let bounds =
        |plugin: &serde_json::Value| (plugin["usage"]["rows"].as_u64(), plugin["rows-below"].as_u64());
    let comparator = plugins.iter().find(|plugin| plugin["role"] == "comparator").expect("it is listed");
    assert_eq!(bounds(comparator), (Some(0), Some(1_000)));
    end(&workspace, serving);
}

#[test]
fn a_signal_interrupts_the_run_and_an_operator_ends_it() {
    let workspace = TestWorkspace::served();
    let ledger = || fs::read_to_string(workspace.path().join("run/ledger.jsonl")).expect("a ledger");
    let stopped = ServedRun::start(&workspace, &[]).stop();
    assert!(stopped.stderr.contains("run interrupted; serve it again to resume it"), "{}", stopped.stderr);
    assert!(!stopped.stderr.contains("run ended"), "{}", stopped.stderr);
    assert!(ledger().contains("interrupted") && !ledger().contains("run-closed"), "{}", ledger());
    let serving = ServedRun::start(&workspace, &[]);
    workspace.ok(&["end", "run", "--reason", "that is all", "--who", "test"]);
    let ended = serving.wait_with_output();
    assert!(ended.stderr.contains("run ended") && !ended.stderr.contains("interrupted"), "{}", ended.stderr);
    assert!(ledger().contains("run-closed"), "{}", ledger());
}

#[test]
fn every_body_format_is_accepted_with_a_receipt_per_record() {
    let workspace = TestWorkspace::served();
    let serving = ServedRun::start(&workspace, &[]);
    let mut client = serving.client();
    let mut output = String::new();
    let mut send = |what: &str, headers: &[(&str, &str)], body: &[u8]| {
        let answer = client.send("POST", "/v1/snapshots", headers, body);
        output.push_str(&describe(what, &answer));
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
    assert_snapshot!(output, @r#"
one object
  202 {"received":1,"accepted":1,"duplicates":0,"excluded":[]}
the same again
  202 {"received":1,"accepted":0,"duplicates":1,"excluded":[]}
the same id, otherwise
  422 {"received":1,"accepted":0,"duplicates":0,"excluded":[{"record":0,"reason":"conflict","detail":"an earlier record has the id \"one\": the two differ; the first one counts"}]}
an array on several lines
  202 {"received":2,"accepted":2,"duplicates":0,"excluded":[]}
lines, one of them bad
  202 {"received":3,"accepted":2,"duplicates":0,"excluded":[{"record":1,"reason":"rejected","detail":"field `at`: the time is missing; every record needs one"}]}
gzip
  202 {"received":1,"accepted":1,"duplicates":0,"excluded":[]}
a CloudEvent whose data has neither id nor time
  202 {"received":1,"accepted":1,"duplicates":0,"excluded":[]}
CloudEvents, the data in base64
  202 {"received":1,"accepted":1,"duplicates":0,"excluded":[]}
a CloudEvent in headers
  202 {"received":1,"accepted":1,"duplicates":0,"excluded":[]}
a CloudEvent without data
  422 {"received":1,"accepted":0,"duplicates":0,"excluded":[{"record":0,"reason":"rejected","detail":"the event has no data"}]}
no JSON
  422 {"received":1,"accepted":0,"duplicates":0,"excluded":[{"record":0,"reason":"rejected","detail":"not JSON: the line ends in the middle of a record"}]}
an array that breaks off
  202 {"received":2,"accepted":1,"duplicates":0,"excluded":[{"record":1,"reason":"rejected","detail":"the array is cut off: it has no closing bracket"}]}
nothing
  422 {"title":"empty body","status":422,"detail":"the body contains no record; send a JSON object, an array of objects, or one object per line","retry":false}
only blank lines
  422 {"title":"empty body","status":422,"detail":"the body contains no record; send a JSON object, an array of objects, or one object per line","retry":false}
another type
  415 {"title":"unsupported format","status":415,"detail":"unsupported Content-Type `text/csv`; send application/json, application/x-ndjson, application/cloudevents+json or application/cloudevents-batch+json","retry":false}
no type
  415 {"title":"unsupported format","status":415,"detail":"missing Content-Type; send application/json, application/x-ndjson, application/cloudevents+json or application/cloudevents-batch+json","retry":false}
another encoding
  415 {"title":"unsupported format","status":415,"detail":"unsupported Content-Encoding `br`; send gzip, deflate, zstd, or none","retry":false}
gzip that is none
  422 {"title":"invalid compression","status":422,"detail":"cannot decompress the body as gzip: unexpected end of file; nothing was accepted, compress it again","retry":false}
"#);
    end(&workspace, serving);
    let report = workspace.report("run");
    assert_eq!(
        account(&report, "snapshots"),
        [("received", 16), ("rejected", 4), ("duplicate", 1), ("conflict", 1), ("waiting", 10)]
    );
    // Excluded records are stored unchanged.
    let raw: Vec<String> = excluded_rows(&workspace.path().join("run"))
        .into_iter()
        .map(|refusal| String::from_utf8_lossy(&refusal.raw).into_owned())
        .collect();
    assert!(raw.contains(&"{\"id\":\"x\"}".to_owned()), "{raw:?}");
    assert!(raw.iter().any(|raw| raw.starts_with("{\"specversion\"")), "{raw:?}");
}

#[test]
fn a_large_request_is_split_into_batches_with_a_receipt_per_record() {
    let workspace = TestWorkspace::served();
    let serving = ServedRun::start(&workspace, &[]);
    let lines: Vec<String> = (0..5_000)
        .map(|at| if at % 1_000 == 999 { format!("bad {at}") } else { snapshot(&format!("n{at}")) })
        .collect();
    let answer = serving.client().send("POST", "/v1/snapshots", &[NDJSON], lines.join("\n").as_bytes());
    assert_eq!(answer.status, 202);
    let output = answer.json();
    assert_eq!([&output["received"], &output["accepted"]], [&json!(5_000), &json!(4_995)]);
    let refused = output["excluded"].as_array().expect("a list");
    let places: Vec<u64> =
        refused.iter().map(|refused| refused["record"].as_u64().expect("a place")).collect();
    assert_eq!(places, [999, 1_999, 2_999, 3_999, 4_999]);
    end(&workspace, serving);
}

#[test]
fn acknowledged_records_survive_a_kill() {
    let workspace = TestWorkspace::served();
    let files = TestWorkspace::small();
    let lines = |name: &str| {
        let text = fs::read_to_string(files.path().join(name)).expect("it was written");
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let (snapshots, decisions) = (lines("snapshots.jsonl"), lines("decisions.jsonl"));
    for (snapshot, decision) in snapshots.iter().zip(&decisions) {
        let serving = ServedRun::start(&workspace, &[]);
        let mut client = serving.client();
        assert_eq!(client.send("POST", "/v1/snapshots", &[NDJSON], snapshot.as_bytes()).status, 202);
        assert_eq!(client.send("POST", "/v1/decisions", &[NDJSON], decision.as_bytes()).status, 202);
        serving.kill();
    }
    let serving = ServedRun::start(&workspace, &[]);
    end(&workspace, serving);
    files.run(&[]);
    let (mut served, mut plain) =
        (deterministic_part(&workspace.report("run")), deterministic_part(&files.report("run")));
    for report in [&mut served, &mut plain] {
        // Two declarations, because their sources differ.
        report.as_object_mut().expect("an object").remove("declaration-digest");
    }
    assert_eq!(served, plain);
}

#[test]
fn a_stop_drains_and_the_run_can_be_resumed() {
    let workspace = TestWorkspace::served();
    let serving = ServedRun::start(&workspace, &[]);
    assert_eq!(serving.client().get("/livez").status, 200);
    assert_eq!(serving.client().get("/readyz").status, 200);
    assert_eq!(serving.client().post("/v1/snapshots", snapshot("one")).status, 202);
    let output = serving.stop();
    assert_eq!(output.code, 130, "{}", output.stderr);
    assert_eq!(account(&workspace.report("run"), "snapshots"), [("received", 1), ("waiting", 1)]);
    let serving = ServedRun::start(&workspace, &[]);
    let answer = serving.client().post("/v1/snapshots", snapshot("one"));
    assert_eq!(answer.json()["duplicates"], json!(1), "{answer:?}");
    end(&workspace, serving);
    let refused = workspace.understudy(&["serve", "study.toml", "--run", "run", "--listen", "127.0.0.1:0"]);
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("that has ended"), "{}", refused.stderr);
}

/// A model that loops on each row uses its whole budget, and requests that would wait too long behind it are
/// rejected.
#[test]
fn an_overloaded_run_rejects_requests_and_keeps_accepted_records() {
    const AT_ONCE: u64 = 20;
    const CLIENTS: u64 = 40;
    let workspace = TestWorkspace::served();
    workspace.edit_study(&[
        (ECHO,
         "plugin = \"PLUGINS/guests/evil.wasm\"\ngrant = [\"text\"]\nconfig = { on = \"always\", do = \"loop\" }"),
        ("booked = \"text\"", "booked = \"text\"\ntext = \"text\""),
    ]);
    let text = fs::read_to_string(workspace.path().join("study.toml")).expect("the study");
    workspace.write(
        "study.toml",
        format!("{text}[limits]\ncall-timeout = \"400ms\"\nfuel-per-row = 1000000000000\nworkers = 1\n"),
    );
    let serving = ServedRun::start(&workspace, &[]);
    let address = serving.address;
    // The first requests arrive together: at least eight seconds of work. The others follow one by one. A
    // request that arrives after the oldest has waited for five seconds is rejected and repeated.
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
                // While it is overloaded, it is live and says so.
                assert_eq!(Client::new(address).get("/livez").status, 200);
                refused += 1;
                std::thread::sleep(Duration::from_millis(200));
            }
        };
        let clients: Vec<_> = (0..CLIENTS).map(|number| scope.spawn(move || client(number))).collect();
        clients.into_iter().map(|client| client.join().expect("no client panics")).sum()
    });
    assert!(refused > 0);
    end(&workspace, serving);
    let rows = sealed(&workspace.path().join("run"), "snapshots").expect("rows").num_rows();
    assert_eq!(rows as u64, CLIENTS);
    assert_eq!(workspace.report("run")["models"][0]["failed"], json!(CLIENTS));
}

#[test]
fn serve_and_run_reject_the_sources_of_the_other() {
    let workspace = TestWorkspace::served();
    let run = workspace.understudy(&["run", "study.toml"]);
    let end = workspace.understudy(&["end", "nowhere", "--reason", "x"]);
    workspace.write("empty/x", "");
    let nobody = workspace.understudy(&["end", "empty", "--reason", "x"]);
    let files = TestWorkspace::small();
    let served = files.understudy(&["serve", "study.toml"]);
    let codes = [run.code, end.code, nobody.code, served.code];
    assert_eq!(codes, [1; 4]);
    let output = [run.stderr, end.stderr, nobody.stderr, served.stderr].concat();
    let output: String =
        output.lines().filter(|line| !line.contains("listening on")).map(|l| l.to_owned() + "\n").collect();
    assert_snapshot!(output, @r"
study.toml declares HTTP sources in `[sources]`; serve it with `understudy serve study.toml`
nowhere holds no run: there is no such directory; name a directory written by `understudy run` or `understudy serve`
empty holds no run: ledger.jsonl is missing; name a directory written by `understudy run` or `understudy serve`
study.toml has no HTTP source, so there is nothing to serve; write snapshots = { http = true } in `[sources]`, or run it with `understudy run study.toml`
");
}

/// Snapshots come over HTTP, decisions from a file.
#[test]
fn one_stream_can_be_a_file() {
    let workspace = TestWorkspace::small();
    workspace.edit_study(&[("{ file = \"snapshots.jsonl\" }", "{ http = true }")]);
    let serving = ServedRun::start(&workspace, &[]);
    let lines = fs::read(workspace.path().join("snapshots.jsonl")).expect("it was written");
    assert_eq!(serving.client().send("POST", "/v1/snapshots", &[NDJSON], &lines).status, 202);
    let answer = serving.client().send("POST", "/v1/decisions", &[NDJSON], &lines);
    assert_eq!(answer.status, 404, "{answer:?}");
    end(&workspace, serving);
    assert_eq!(account(&workspace.report("run"), "snapshots"), [("received", 5), ("paired", 5)]);
}

/// After the first signal the models finish their work, which would take ten minutes here. The second signal
/// does not wait.
#[test]
fn a_second_signal_exits_immediately_without_losing_acknowledged_records() {
    let workspace = TestWorkspace::served();
    workspace.edit_study(&[
        (ECHO, "plugin = \"PLUGINS/guests/evil.wasm\"\ngrant = [\"text\"]\nconfig = { on = \"cue\", do = \"loop\" }"),
        ("booked = \"text\"", "booked = \"text\"\ntext = \"text\""),
    ]);
    let text = fs::read_to_string(workspace.path().join("study.toml")).expect("the study");
    let limits = "[limits]\ncall-timeout = \"10m\"\nfuel-per-row = 100000000000000\nworkers = 1\n";
    workspace.write("study.toml", format!("{text}{limits}"));
    let with =
        |id: &str, text: &str| snapshot(id).replace("\"booked\"", &format!("\"text\":\"{text}\",\"booked\""));
    let serving = ServedRun::start(&workspace, &[]);
    assert_eq!(serving.client().post("/v1/snapshots", with("kept", "x")).status, 202);
    let address = serving.address;
    let stuck = std::thread::spawn(move || {
        let line = with("stuck", "cue");
        Client::new(address)
            .try_send("POST", "/v1/snapshots", &[JSON], line.as_bytes())
            .map(|answer| answer.status)
    });
    wait_until("the model is at it", || {
        let status = serving.client().get("/v1/status").json();
        status["run-status"]["in-flight"].as_u64() > Some(0)
    });
    serving.signal("TERM");
    wait_until("it takes nothing more", || serving.client().get("/readyz").status == 503);
    serving.signal("TERM");
    assert_eq!(serving.wait_with_output().code, 130);
    assert_ne!(stuck.join().expect("the client does not panic").ok(), Some(202));
    let serving = ServedRun::start(&workspace, &[]);
    let with =
        |id: &str, text: &str| snapshot(id).replace("\"booked\"", &format!("\"text\":\"{text}\",\"booked\""));
    let answer =
        serving.client().post("/v1/snapshots", format!("[{},{}]", with("kept", "x"), with("stuck", "y")));
    assert_eq!(
        [&answer.json()["duplicates"], &answer.json()["accepted"]],
        [&json!(1), &json!(1)],
        "{answer:?}"
    );
    end(&workspace, serving);
}
