//! Request bodies as clients write them: each record is judged on its own, and every text that a client may begin with
//! a byte order mark, compress or name otherwise is read.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::{DeflateEncoder, ZlibEncoder};
use insta::assert_snapshot;
use serde_json::{Value, json};
use understudy_tests::http::{Client, Response};
use understudy_tests::served_run::ServedRun;
use understudy_tests::tables::excluded_rows;
use understudy_tests::{TestWorkspace, account};

const JSON: (&str, &str) = ("content-type", "application/json");
const NDJSON: (&str, &str) = ("content-type", "application/x-ndjson");
const EVENT: (&str, &str) = ("content-type", "application/cloudevents+json");
const EVENTS: (&str, &str) = ("content-type", "application/cloudevents-batch+json");
const AT: &str = "2026-03-01T10:00:00Z";

/// Status, number of received and of accepted records, and the places of the excluded ones.
fn receipt(answer: &Response) -> (u16, u64, u64, Vec<u64>) {
    let receipt = answer.json();
    let count = |value: &Value| value.as_u64().unwrap_or_else(|| panic!("{answer:?}"));
    let places = receipt["excluded"].as_array().expect("a list").iter();
    let places = places.map(|excluded| count(&excluded["record"])).collect();
    (answer.status, count(&receipt["received"]), count(&receipt["accepted"]), places)
}

fn event(id: &str) -> String {
    format!(
        r#"{{"specversion":"1.0","type":"t","source":"s","id":"{id}","time":"{AT}","data":{{"booked":"a"}}}}"#
    )
}

fn decision(id: &str) -> String {
    json!({ "id": id, "at": "2026-03-01T11:00:00Z", "room": "a" }).to_string()
}

/// Ends the run and returns the account of the snapshots.
fn ended(workspace: &TestWorkspace, serving: ServedRun) -> Vec<(&'static str, u64)> {
    workspace.ok(&["end", "run", "--reason", "that is all", "--who", "test"]);
    let output = serving.wait_with_output();
    assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
    workspace.ok(&["verify", "run"]);
    account(&workspace.report("run"), "snapshots")
}

fn post(client: &mut Client, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Response {
    client.send("POST", "/v1/snapshots", headers, body.as_ref())
}

#[test]
fn a_fault_of_one_record_excludes_that_record_alone() {
    let workspace = TestWorkspace::served();
    let serving = ServedRun::start(&workspace, &[]);
    let mut client = serving.client();
    // One event without data among a hundred.
    let events: Vec<String> = (0..100)
        .map(|at| event(&format!("e{at}")))
        .map(|event| if event.contains("\"e41\"") { event.replace("\"data\"", "\"datum\"") } else { event })
        .collect();
    let answer = post(&mut client, &[EVENTS], format!("[{}]", events.join(",\n")));
    assert_eq!(receipt(&answer), (202, 100, 99, vec![41]), "{answer:?}");
    assert_eq!(answer.json()["excluded"][0]["detail"], "the event has no data");

    // Items that are no events.
    let batch = format!("[null, {}, [], \"x\", {{\"id\":\"n\",\"data\":7}}, {}]", event("f1"), event("f2"));
    assert_eq!(receipt(&post(&mut client, &[EVENTS], batch)), (202, 6, 2, vec![0, 2, 3, 4]));

    // Items that are no objects, and one that is not JSON, as Python writes it.
    let record = |id: &str| json!({ "id": id, "at": AT, "booked": "a" }).to_string();
    let array = format!(
        "[{}, 1, {}, {{\"id\":\"r3\",\"at\":\"{AT}\",\"nights\":NaN}}, {}]",
        record("r1"),
        record("r2"),
        record("r4")
    );
    assert_eq!(receipt(&post(&mut client, &[JSON], array)), (202, 5, 3, vec![1, 3]));

    // An array that is cut off, after whole records.
    let cut_off = format!("[{},{},{{\"id\":", record("c1"), record("c2"));
    assert_eq!(receipt(&post(&mut client, &[JSON], cut_off)), (202, 3, 2, vec![2]));

    // No record of these is accepted.
    let answer = post(&mut client, &[EVENTS], "[{\"id\":\"g1\"},{\"id\":\"g2\"}]");
    assert_eq!(receipt(&answer), (422, 2, 0, vec![0, 1]));
    assert_eq!(ended(&workspace, serving), [("received", 116), ("rejected", 10), ("waiting", 106)]);
    let raw: Vec<String> = excluded_rows(&workspace.path().join("run"))
        .into_iter()
        .map(|excluded| String::from_utf8_lossy(&excluded.raw).into_owned())
        .collect();
    assert!(raw.iter().any(|raw| raw.contains("\"e41\"") && raw.contains("datum")), "{raw:?}");
}

/// The decisions with the ids that the events were meant to have, and the number of pairs.
fn paired(send: impl FnOnce(&mut Client), ids: &[&str]) -> u64 {
    let workspace = TestWorkspace::served();
    let serving = ServedRun::start(&workspace, &[]);
    let mut client = serving.client();
    send(&mut client);
    for id in ids {
        let answer = client.send("POST", "/v1/decisions", &[JSON], decision(id).as_bytes());
        assert_eq!(answer.status, 202, "{answer:?}");
    }
    let account = ended(&workspace, serving);
    account.iter().find(|(term, _)| *term == "paired").map_or(0, |(_, count)| *count)
}

#[test]
fn attributes_in_headers_are_unquoted_and_decoded() {
    let sent = ["a%20b", "\"c d\"", "Zo%C3%AB", "50%25", "e%2520f"];
    let meant = ["a b", "c d", "Zo\u{eb}", "50%", "e%20f"];
    let send = |client: &mut Client| {
        for id in sent {
            let headers =
                [JSON, ("ce-specversion", "1.0"), ("ce-id", id), ("ce-time", "2026-03-01T10%3A00%3A00Z")];
            let answer = post(client, &headers, br#"{"id":null,"at":null,"booked":"a"}"#);
            assert_eq!(answer.status, 202, "{answer:?}");
        }
        let raw = [JSON, ("ce-specversion", "1.0"), ("ce-id", "Zo\u{eb}"), ("ce-time", AT)];
        let answer = post(client, &raw, "{}");
        assert_snapshot!(answer.json()["excluded"][0]["detail"].as_str().unwrap_or_default(), @"the header `ce-id` has bytes outside of ASCII; percent-encode its value");
        let overlong = [JSON, ("ce-specversion", "1.0"), ("ce-id", "%C0%A0"), ("ce-time", AT)];
        let answer = post(client, &overlong, "{}");
        assert_snapshot!(answer.json()["excluded"][0]["detail"].as_str().unwrap_or_default(), @"the header `ce-id` is not UTF-8 after percent-decoding");
    };
    assert_eq!(paired(send, &meant), sent.len() as u64);
}

#[test]
fn null_is_no_value_and_the_last_value_of_a_key_wins() {
    let send = |client: &mut Client| {
        let null = event("null").replace("{\"booked\"", "{\"id\":null,\"at\":null,\"booked\"");
        let twice = event("first").replace("\"id\":\"first\"", "\"id\":\"first\",\"id\":\"last\"");
        let own = event("event").replace("{\"booked\"", "{\"id\":\"event\",\"id\":\"data\",\"booked\"");
        for event in [null, twice, own] {
            assert_eq!(post(client, &[EVENT], event).status, 202);
        }
        let time = format!("\"time\":\"not a time\",\"time\":\"{AT}\"");
        let data = "\"data\":{\"booked\":\"x\"},\"data\":{\"booked\":\"a\"}";
        let batch = event("batch")
            .replace(&format!("\"time\":\"{AT}\""), &time)
            .replace("\"data\":{\"booked\":\"a\"}", data);
        let answer = post(client, &[EVENTS], format!("[{batch},{}]", event("other")));
        assert_eq!(receipt(&answer), (202, 2, 2, vec![]));
    };
    assert_eq!(paired(send, &["null", "last", "data", "batch", "other", "first", "event"]), 5);
}

#[test]
fn a_byte_order_mark_is_passed_over_wherever_a_text_begins() {
    let workspace = TestWorkspace::served();
    let serving = ServedRun::start(&workspace, &[]);
    let mut client = serving.client();
    let record = |id: &str| json!({ "id": id, "at": AT, "booked": "a" }).to_string();
    let base64 = |text: &str| {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(text)
    };
    let in_base64 =
        format!(r#"{{"id":"b","data_base64":"{}"}}"#, base64(&format!("\u{feff}{}", record("b"))));
    let marked = |text: &str| format!("\u{feff}{text}");
    for (header, body, records) in [
        (JSON, marked(&record("one")), 1),
        (JSON, marked(&format!("[{},{}]", record("a1"), record("a2"))), 2),
        (NDJSON, marked(&format!("{}\n{}\r\n", record("l1"), marked(&record("l2")))), 2),
        (EVENT, marked(&event("e")), 1),
        (EVENT, in_base64, 1),
        (EVENTS, marked(&format!(" [{}, {}]", event("e1"), event("e2"))), 2),
    ] {
        let answer = post(&mut client, &[header], &body);
        assert_eq!(receipt(&answer), (202, records, records, vec![]), "{body}");
    }
    assert_eq!(ended(&workspace, serving), [("received", 9), ("waiting", 9)]);
}

#[test]
fn bodies_are_read_under_the_names_and_encodings_that_clients_use() {
    let workspace = TestWorkspace::served();
    let serving = ServedRun::start(&workspace, &[]);
    let mut client = serving.client();
    let mut next = 0;
    let mut lines = || {
        next += 2;
        let record = |at: u32| json!({ "id": format!("n{at}"), "at": AT }).to_string();
        format!("{}\n{}\n", record(next - 1), record(next))
    };
    for name in [
        "application/ndjson",
        "application/x-ndjson; charset=UTF-8",
        "application/jsonl",
        "application/x-jsonlines",
        "application/json-lines",
        "application/jsonlines",
        "text/x-ndjson",
    ] {
        let answer = post(&mut client, &[("content-type", name)], lines());
        assert_eq!(receipt(&answer), (202, 2, 2, vec![]), "{name}");
    }
    let array = lines().trim().replace('\n', ",");
    let vendor = ("content-type", "application/vnd.acme.booking+json;charset=\"utf-8\"");
    assert_eq!(receipt(&post(&mut client, &[vendor], format!("[{array}]"))), (202, 2, 2, vec![]));
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
    zlib.write_all(lines().as_bytes()).expect("memory takes it");
    let mut bare = DeflateEncoder::new(Vec::new(), Compression::best());
    bare.write_all(lines().as_bytes()).expect("memory takes it");
    for (encoding, body) in [
        ("deflate", zlib.finish().expect("memory takes it")),
        ("deflate", bare.finish().expect("memory takes it")),
        ("zstd", zstd::encode_all(lines().as_bytes(), 0).expect("memory takes it")),
    ] {
        let answer = post(&mut client, &[NDJSON, ("content-encoding", encoding)], body);
        assert_eq!(receipt(&answer), (202, 2, 2, vec![]), "{encoding}");
    }
    let mut refused = String::new();
    for headers in [
        [("content-type", "application/json; charset=iso-8859-1"), ("content-encoding", "identity")],
        [("content-type", "application/x-www-form-urlencoded"), ("content-encoding", "identity")],
        [NDJSON, ("content-encoding", "br")],
        [NDJSON, ("content-encoding", "gzip, gzip")],
    ] {
        let answer = post(&mut client, &headers, lines());
        let problem = answer.json();
        assert_eq!((answer.status, &problem["retry"]), (415, &json!(false)));
        refused.push_str(problem["detail"].as_str().expect("a reason"));
        refused.push('\n');
    }
    assert_snapshot!(refused, @r"
    unsupported charset `iso-8859-1`; send the body in UTF-8
    unsupported Content-Type `application/x-www-form-urlencoded`; send application/json, application/x-ndjson, application/cloudevents+json or application/cloudevents-batch+json
    unsupported Content-Encoding `br`; send gzip, deflate, zstd, or none
    unsupported Content-Encoding `gzip, gzip`; send gzip, deflate, zstd, or none
    ");
    assert_eq!(ended(&workspace, serving), [("received", 22), ("waiting", 22)]);
}
