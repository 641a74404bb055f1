//! A served study with a threshold, and records with secret values that must not appear outside of the run
//! directory.

use crate::TestWorkspace;

/// Part of every id, field, decision and answer.
pub const SECRET: &str = "zq7secret";
/// Records per stream and day.
pub const ROWS_PER_DAY: usize = 30;

/// The small study over HTTP with a threshold. Its second model panics on one text.
pub fn observed_study() -> TestWorkspace {
    let workspace = TestWorkspace::served();
    workspace.edit_study(&[
        ("nights = \"integer\"", "nights = \"integer\"\ntext = \"text\""),
        (
            "[comparator]",
            "[[models]]\nname = \"fragile\"\nplugin = \"PLUGINS/guests/evil.wasm\"\ngrant = [\"text\"]\n\
             config = { on = \"zq7secret-trap\", do = \"panic\" }\n\n[comparator]",
        ),
        (
            "[windows]\nevery = \"day\"\n",
            "[windows]\nevery = \"day\"\n\n[threshold]\nat-least = 0.6\nquantifier = \"pooled\"\nwindows = { first = 20 }\nevidence = \"bound\"\nconfidence = 0.95\nfamily = \"each\"\nchance = { gain = 0.0 }\n\n[blinding]\nshare = 0\n",
        ),
    ]);
    workspace
}

/// The snapshots of a day of March 2026, counted from 1. One in ten has another decision. On the first day
/// one makes the second model panic.
pub fn snapshots(day: usize) -> String {
    let line = |at: usize| {
        let room = ["a", "b", "zq7secret-room"][at % 3];
        let text = if day == 1 && at == 7 { "zq7secret-trap" } else { "zq7secret-text" };
        format!(
            r#"{{"id":"{SECRET}-{day}-{at}","at":"2026-03-{day:02}T10:{at:02}:00Z","booked":"{room}","nights":{at},"text":"{text}"}}"#
        )
    };
    (0..ROWS_PER_DAY).map(|at| line(at) + "\n").collect()
}

/// Enough snapshots, all of one day, for the values that a run shows in blocks of rows.
pub fn block_of_snapshots() -> String {
    let line = |at: usize| {
        let (minute, second) = (at / 60, at % 60);
        format!(
            r#"{{"id":"{SECRET}-block-{at}","at":"2026-03-01T12:{minute:02}:{second:02}Z","booked":"a","nights":1,"text":"zq7secret-text"}}"#
        )
    };
    (0..1000).map(|at| line(at) + "\n").collect()
}

/// The decisions to the snapshots of a day.
pub fn decisions(day: usize) -> String {
    let line = |at: usize| {
        let room =
            if at.is_multiple_of(10) { "zq7secret-other" } else { ["a", "b", "zq7secret-room"][at % 3] };
        format!(r#"{{"id":"{SECRET}-{day}-{at}","at":"2026-03-{day:02}T11:{at:02}:00Z","room":"{room}"}}"#)
    };
    (0..ROWS_PER_DAY).map(|at| line(at) + "\n").collect()
}
