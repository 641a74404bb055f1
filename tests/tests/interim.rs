//! Reports before the end: as declared, each kept, each true to the end.

use std::fs;

use serde_json::Value;
use understudy_tests::{Bench, files, hotel_rooms, root};

/// The hotel's rooms, reported on every so many weeks.
fn hotel(every: u32) -> Bench {
    let bench = Bench::new();
    let study = fs::read_to_string(hotel_rooms()).expect("the study");
    let folder = root().join("examples/hotel");
    let study = study
        .replace("../../target/plugins", root().join("target/plugins").to_str().expect("UTF-8"))
        .replace("\"hotel-bookings", &format!("\"{}/hotel-bookings", folder.display()))
        .replace("\"hotel-assignments", &format!("\"{}/hotel-assignments", folder.display()));
    bench.write("study.toml", format!("{study}\n[interim]\nevery = {every}\n"));
    bench
}

fn read(bench: &Bench, name: &str) -> Value {
    let text = fs::read(bench.path().join("run/interim").join(name)).expect("an interim report");
    serde_json::from_slice(&text).expect("a dossier is JSON")
}

#[test]
fn every_so_many_weeks_there_is_a_report_and_it_stays_true() {
    let bench = hotel(13);
    let end = bench.run(&[]);
    let names: Vec<String> = files(&bench.path().join("run/interim"))
        .iter()
        .map(|path| path.file_name().expect("a name").to_string_lossy().into_owned())
        .collect();
    let weeks = ["2016-09-25", "2016-12-25", "2017-03-26", "2017-06-25"];
    let expected =
        weeks.iter().flat_map(|week| ["html", "json"].map(|form| format!("week-ending-{week}.{form}")));
    assert_eq!(names, expected.collect::<Vec<_>>());
    let told: Vec<String> = bench
        .ledger("run", Some("interim"))
        .iter()
        .map(|entry| entry["window"].as_str().expect("a window").to_owned())
        .collect();
    assert_eq!(told, weeks.map(|week| format!("week ending {week}")));

    for (at, week) in weeks.iter().enumerate() {
        let report = read(&bench, &format!("week-ending-{week}.json"))["report"].clone();
        assert_eq!(report["end"]["interim"]["window"], format!("week ending {week}"));
        // Each window is by then what it is at the end.
        let windows = &report["models"][0]["scores"][0]["windows"];
        let count = windows.as_array().expect("windows").len();
        assert_eq!(count, 13 * (at + 1));
        for window in 0..count {
            let of = |report: &Value| report["models"][0]["scores"][0]["windows"][window].clone();
            assert_eq!(of(&report), of(&end), "{week}, window {window}");
        }
        assert!(
            report["divergence"]["models"][0]["classes"]
                .as_array()
                .expect("classes")
                .iter()
                .all(|class| { class["examples"].as_array().is_some_and(Vec::is_empty) })
        );
    }
    // Bounds that hold however often one looks are wider than those for one look.
    let width = |report: &Value| {
        let interval = &report["models"][0]["scores"][0]["overall"]["interval"];
        interval["upper"].as_f64().expect("a bound") - interval["lower"].as_f64().expect("a bound")
    };
    let last = read(&bench, "week-ending-2017-06-25.json")["report"].clone();
    assert!(width(&last) > 1.5 * width(&end), "{} and {}", width(&last), width(&end));

    let verified = bench.understudy(&["verify", "run"]);
    assert_eq!(verified.code, 0, "{}{}", verified.out, verified.err);
    let path = bench.path().join("run/interim/week-ending-2016-12-25.html");
    let page = fs::read_to_string(&path).expect("a page");
    fs::write(&path, page.replacen("hotel", "motel", 1)).expect("written");
    let verified = bench.understudy(&["verify", "run"]);
    assert_eq!(verified.code, 1);
    assert!(verified.out.contains("interim/week-ending-2016-12-25.html: it was changed"), "{}", verified.out);
}

#[test]
fn a_study_that_declares_none_has_none() {
    let bench = Bench::small();
    bench.run(&[]);
    assert!(!bench.path().join("run/interim").exists());
    assert_eq!(bench.ledger("run", Some("interim")), Vec::<Value>::new());
}

#[test]
fn a_run_that_was_stopped_has_each_report_once() {
    let bench = hotel(4);
    bench.run(&[]);
    let whole = bench.ledger("run", Some("interim")).len();
    assert_eq!(whole, 15);
    let again = hotel(4);
    again.change(&[("[windows]", "[log]\nsegment-rows = 500\n[windows]")]);
    for _ in 0..4 {
        let mut process = again.command(&["run", "study.toml", "--run", "run"]).spawn().expect("it starts");
        std::thread::sleep(std::time::Duration::from_millis(400));
        process.kill().expect("it is killed, or has ended");
        process.wait().expect("it ends");
    }
    let said = again.understudy(&["run", "study.toml", "--run", "run"]);
    assert!(said.code == 0 || said.err.contains("has ended"), "{}", said.err);
    let mut windows: Vec<String> =
        again.ledger("run", Some("interim")).iter().map(|entry| entry["window"].to_string()).collect();
    windows.sort();
    windows.dedup();
    assert_eq!(windows.len(), whole);
    assert_eq!(again.ledger("run", Some("interim")).len(), whole);
    assert_eq!(again.understudy(&["verify", "run"]).code, 0);
}
