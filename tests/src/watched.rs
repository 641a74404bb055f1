//! A study that is served and watched: days of records with a threshold, and values in them that may be seen nowhere outside of the
//! run directory.

use crate::Bench;

/// What stands in ids, fields, decisions and answers, and nowhere else.
pub const SECRET: &str = "zq7secret";
/// Records of one side each day.
pub const EACH_DAY: usize = 30;

/// The small study over HTTP with a threshold. Its second model breaks on one text.
pub fn watched() -> Bench {
    let bench = Bench::served();
    bench.change(&[
        ("nights = \"integer\"", "nights = \"integer\"\ntext = \"text\""),
        (
            "[comparator]",
            "[[models]]\nname = \"fragile\"\nplugin = \"PLUGINS/guests/evil.wasm\"\ngrant = [\"text\"]\n\
             config = { on = \"zq7secret-trap\", do = \"panic\" }\n\n[comparator]",
        ),
        (
            "[windows]\nevery = \"day\"\n",
            "[windows]\nevery = \"day\"\n\n[threshold]\nat-least = 0.6\nquantifier = \"pooled\"\nwindows = { first = 20 }\nevidence = \"bound\"\nconfidence = 0.95\n\n[blinding]\nshare = 0\n",
        ),
    ]);
    bench
}

/// The snapshots of a day of March 2026, counted from 1, one a line. Of every ten the substrate decides on one otherwise. One of
/// the first day makes the second model break.
pub fn snapshots(day: usize) -> String {
    let line = |at: usize| {
        let room = ["a", "b", "zq7secret-room"][at % 3];
        let text = if day == 1 && at == 7 { "zq7secret-trap" } else { "zq7secret-text" };
        format!(
            r#"{{"id":"{SECRET}-{day}-{at}","at":"2026-03-{day:02}T10:{at:02}:00Z","booked":"{room}","nights":{at},"text":"{text}"}}"#
        )
    };
    (0..EACH_DAY).map(|at| line(at) + "\n").collect()
}

/// The decisions on the snapshots of a day.
pub fn decisions(day: usize) -> String {
    let line = |at: usize| {
        let room =
            if at.is_multiple_of(10) { "zq7secret-other" } else { ["a", "b", "zq7secret-room"][at % 3] };
        format!(r#"{{"id":"{SECRET}-{day}-{at}","at":"2026-03-{day:02}T11:{at:02}:00Z","room":"{room}"}}"#)
    };
    (0..EACH_DAY).map(|at| line(at) + "\n").collect()
}
