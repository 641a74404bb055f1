//! What a model is shown: the fields that it declared and that the study granted, and no field of the decision.

use std::fs;

use understudy_engine::{PrepareError, Prepared, prepare};
use understudy_tests::Bench;

/// Makes the small study one whose model reads `field` and is granted `grant`.
fn write(bench: &Bench, field: &str, grant: &[&str]) {
    let kind = if field == "nights" { "integer" } else { "text" };
    let model =
        format!("grant = {grant:?}\nconfig = {{ field = {field:?}, form = \"label\", kind = \"{kind}\" }}");
    let small = Bench::small();
    small.change(&[("grant = [\"booked\"]\nconfig = { field = \"booked\", form = \"label\" }", &model)]);
    let text = fs::read(small.path().join("study.toml")).expect("it was written");
    bench.write("study.toml", text);
}

fn study(field: &str, grant: &[&str]) -> Bench {
    let bench = Bench::small();
    write(&bench, field, grant);
    bench
}

fn prepared(bench: &Bench) -> Result<Prepared, PrepareError> {
    prepare(&bench.path().join("study.toml"), |_| ())
}

#[test]
fn a_model_reads_nothing_but_granted_fields_of_the_snapshot() {
    // One folder, so that the plugins are compiled once.
    let bench = Bench::small();
    let fields = ["booked", "nights", "decision.room"];
    for field in [&fields[..], &["price", "decision.price", "Decision.room", " decision.room"]].concat() {
        for chosen in 0..1 << fields.len() {
            let grant: Vec<&str> =
                (0..fields.len()).filter(|at| chosen >> at & 1 == 1).map(|at| fields[at]).collect();
            let allowed = ["booked", "nights"].contains(&field) && grant.contains(&field);
            write(&bench, field, &grant);
            match prepared(&bench) {
                Ok(prepared) => {
                    assert!(allowed, "{field} was read with {grant:?} granted");
                    let reads: Vec<&str> =
                        prepared.models[0].plugin.reads.iter().map(|r| r.name.as_str()).collect();
                    assert_eq!(
                        reads,
                        [field],
                        "it is shown what it reads, whatever else is granted: {grant:?}"
                    );
                }
                // A field of the decision cannot even be granted to a model.
                Err(why) => {
                    assert!(!allowed || grant.contains(&"decision.room"), "{field}, {grant:?}: {why}")
                }
            }
        }
    }
}

#[test]
fn a_snapshot_cannot_bring_a_field_of_the_decision() {
    let bench = study("decision.room", &["decision.room"]);
    bench.change(&[("booked = \"text\"", "booked = \"text\"\n\"decision.room\" = \"text\"")]);
    assert!(prepared(&bench).is_err());
}

#[test]
fn a_model_is_handed_the_columns_that_it_reads_and_no_other() {
    // This plugin fails on a batch of any number of columns but one.
    let bench = study("nights", &["booked", "nights"]);
    let report = bench.run(&[]);
    assert_eq!(report["models"][0]["name"], "echo");
    assert_eq!(report["models"][0]["answered"], 5, "{}", report["models"][0]);
}
