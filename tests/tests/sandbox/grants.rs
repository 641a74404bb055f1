//! A model sees only the fields that it declares and the study grants, and no field of the decision.

use std::fs;

use understudy_engine::{LoadStudyError, LoadedStudy, load_study};
use understudy_tests::TestWorkspace;

/// Edits the small study so that its model reads `field` and is granted `grant`.
fn write(workspace: &TestWorkspace, field: &str, grant: &[&str]) {
    let kind = if field == "nights" { "integer" } else { "text" };
    let model =
        format!("grant = {grant:?}\nconfig = {{ field = {field:?}, form = \"label\", kind = \"{kind}\" }}");
    let small = TestWorkspace::small();
    small.edit_study(&[("grant = [\"booked\"]\nconfig = { field = \"booked\", form = \"label\" }", &model)]);
    let text = fs::read(small.path().join("study.toml")).expect("it was written");
    workspace.write("study.toml", text);
}

fn study(field: &str, grant: &[&str]) -> TestWorkspace {
    let workspace = TestWorkspace::small();
    write(&workspace, field, grant);
    workspace
}

fn prepared(workspace: &TestWorkspace) -> Result<LoadedStudy, LoadStudyError> {
    load_study(&workspace.path().join("study.toml"), |_| ())
}

#[test]
fn a_model_reads_only_granted_snapshot_fields() {
    // One folder, so that plugins are compiled once.
    let workspace = TestWorkspace::small();
    let fields = ["booked", "nights", "decision.room"];
    for field in [&fields[..], &["price", "decision.price", "Decision.room", " decision.room"]].concat() {
        for chosen in 0..1 << fields.len() {
            let grant: Vec<&str> =
                (0..fields.len()).filter(|at| chosen >> at & 1 == 1).map(|at| fields[at]).collect();
            let allowed = ["booked", "nights"].contains(&field) && grant.contains(&field);
            write(&workspace, field, &grant);
            match prepared(&workspace) {
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
                // A field of the decision cannot be granted to a model.
                Err(why) => {
                    assert!(!allowed || grant.contains(&"decision.room"), "{field}, {grant:?}: {why}")
                }
            }
        }
    }
}

#[test]
fn a_snapshot_cannot_contain_decision_fields() {
    let workspace = study("decision.room", &["decision.room"]);
    workspace.edit_study(&[("booked = \"text\"", "booked = \"text\"\n\"decision.room\" = \"text\"")]);
    assert!(prepared(&workspace).is_err());
}

#[test]
fn a_model_receives_only_the_columns_it_reads() {
    // This plugin fails unless a batch has exactly one column.
    let workspace = study("nights", &["booked", "nights"]);
    let report = workspace.run(&[]);
    assert_eq!(report["models"][0]["name"], "echo");
    assert_eq!(report["models"][0]["answered"], 5, "{}", report["models"][0]);
}
