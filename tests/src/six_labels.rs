//! A study of six labels: the model `booked` agrees with the first four decisions of six.

use crate::TestWorkspace;
use crate::study_toml::StudyToml;

/// The declaration with the plugins of the model and of the metric.
pub fn study(model: &str, metric: &str) -> StudyToml {
    let config = |field: &str| format!("{{ field = \"{field}\", form = \"label\" }}");
    StudyToml::new("six-labels")
        .input("booked", "text")
        .decision("room", "text")
        .plugin_model("booked", model, &["booked"], Some(&config("booked")))
        .plugin_comparator("recorded", "recorded", &["decision.room"], Some(&config("decision.room")))
        .plugin_metric("agreement", metric)
}

/// A workspace with the declaration and its records.
pub fn workspace(model: &str, metric: &str) -> TestWorkspace {
    let workspace = TestWorkspace::new();
    workspace.write("study.toml", study(model, metric).to_string());
    let snapshots =
        (0..6).map(|row| format!(r#"{{"id":"{row}","at":"2026-03-01T10:0{row}:00Z","booked":"a"}}"#));
    workspace.write_lines("snapshots.jsonl", snapshots);
    let room = |row| if row < 4 { "a" } else { "b" };
    let decisions =
        (0..6).map(|row| format!(r#"{{"id":"{row}","at":"2026-03-01T11:00:00Z","room":"{}"}}"#, room(row)));
    workspace.write_lines("decisions.jsonl", decisions);
    workspace
}
