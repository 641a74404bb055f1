//! Declarations of follow-ups, from the yard's study and from one in another style.

use super::*;
use crate::follow_up::deferred_scope::ScopeFigures;
use understudy_study::parse;

const YARD: &str = include_str!("../../../../../examples/freight-yard/study.toml");

/// A study with inline tables, a trained model and a bound.
const INLINE: &str = r#"# One table a line.
study = "rooms" # the name
time-zone = "UTC"
inputs = { id = "id", time = "at", fields = { nights = "integer" } }
decisions = { id = "id", time = "at", horizon = "1d", fields = { room = "text" } }
sources = { snapshots = { file = "s.jsonl" }, decisions = { file = "d.jsonl" } }
models = [{ name = "forest", plugin = "onnx", file = "forest.onnx", labels = ["a", "b"], grant = ["nights"] }]
comparator = { name = "room", plugin = "recorded", grant = ["decision.room"], config = { field = "decision.room", form = "label" } }
metrics = [{ name = "agreement", plugin = "agreement" }]
conditions = [{ name = "nights", field = "nights", bins = [7] }]
windows = { every = "week", week-ends = "friday" }
threshold = { at-least = 0.9, quantifier = "pooled", windows = { latest = 4 }, evidence = "bound", confidence = 0.95, chance = "not-asked", reference = [{ condition = "nights", file = "nights.json", tolerance = 0.1 }] }
"#;

fn part(name: &str, plugin: &str) -> StoredPart {
    StoredPart {
        name: name.to_owned(),
        plugin: plugin.to_owned(),
        assets: Vec::new(),
        is_trained_model: false,
    }
}

/// The follow-up of a scope of a study, with the bound open.
fn followed_up(text: &str, scope: &DeferredScope, windows: &PlannedWindows, parts: &StoredParts) -> String {
    let study = parse(text).unwrap_or_else(|invalid| panic!("{}", invalid.faults));
    let [first_entry, seal, verdict] = ["1a", "2b", "3c"].map(|byte| byte.repeat(32));
    let of = FollowUpText {
        study: &study,
        threshold: study.threshold.as_ref().unwrap(),
        scope,
        windows,
        volume: &ScopeVolume { scope: 300.0, all: 1_000.0, windows: 3 },
        parts,
        run: "runs/first",
        first_entry: &first_entry,
        seal: &seal,
        verdict: &verdict,
    };
    declaration(text, &of).unwrap()
}

fn weekend() -> DeferredScope {
    DeferredScope {
        name: "weekend".to_owned(),
        terms: vec![("day".to_owned(), vec!["weekend".to_owned()])],
        figures: ScopeFigures::Value { condition: 0, value: 1 },
        reason: "it had no verdict, because the study declared no scope for it".to_owned(),
    }
}

fn faults(text: &str) -> Vec<String> {
    let invalid = parse(text).err();
    invalid.iter().flat_map(|invalid| invalid.faults.as_slice()).map(|fault| fault.message.clone()).collect()
}

#[test]
fn the_declaration_of_the_yard_keeps_all_but_scope_windows_and_paths() {
    let windows = PlannedWindows {
        every: Every::Week,
        count: 3,
        per_window: 300.0,
        margin: Some(0.0312),
        is_too_few: false,
    };
    let parts = StoredParts { plugins: vec![part("allocator", "run/plugins/4d4d.wasm")], files: Vec::new() };
    let text = followed_up(YARD, &weekend(), &windows, &parts);
    insta::assert_snapshot!(text);
    let open = "`threshold` has neither `at-least` nor `at-most`; write at-least = 0.85 if higher values are better, or at-most if \
                lower values are better";
    assert_eq!(faults(&text), [open]);
    let answered = text.replace("[threshold]\n", "[threshold]\nat-least = 0.7\n");
    let study = parse(&answered).unwrap_or_else(|invalid| panic!("{}", invalid.faults));
    let first = parse(YARD).unwrap();
    assert_eq!(study.name, "freight-yard-weekend");
    assert_eq!(
        (&study.inputs, &study.decisions, study.primary),
        (&first.inputs, &first.decisions, first.primary)
    );
    assert_eq!((&study.conditions, &study.snapshots_source), (&first.conditions, &first.snapshots_source));
    assert_eq!(study.scopes.len(), 1);
    assert_eq!(
        (study.scopes[0].name.as_str(), &study.scopes[0].values[..]),
        ("weekend", &[(0, vec![1])][..])
    );
    assert_eq!(study.follow_up.map(|follow_up| follow_up.scope).as_deref(), Some("weekend"));
}

#[test]
fn any_style_of_tables_is_edited() {
    let scope = DeferredScope {
        name: "long-stay".to_owned(),
        terms: vec![("nights".to_owned(), vec!["< 7".to_owned(), "missing".to_owned()])],
        figures: ScopeFigures::Declared(0),
        reason: "the verdict on forest was INCONCLUSIVE: 12 of 100 comparisons\n\u{7f}so far".to_owned(),
    };
    let windows =
        PlannedWindows { every: Every::Month, count: 2, per_window: 130.4, margin: None, is_too_few: true };
    let assets = vec![("model".to_owned(), "../run/plugins/5e.asset".to_owned())];
    let forest = StoredPart { assets, is_trained_model: true, ..part("forest", "../run/plugins/6f.wasm") };
    let parts = StoredParts {
        plugins: vec![forest, part("room", "recorded")],
        files: vec![("nights.json".to_owned(), "../run/plugins/7a.asset".to_owned())],
    };
    let text = followed_up(INLINE, &scope, &windows, &parts);
    insta::assert_snapshot!(text);
    assert_eq!(faults(&text).len(), 1, "{:?}", faults(&text));
    // A follow-up can be followed up.
    let answered = text.replace("threshold = {", "threshold = { at-least = 0.9,");
    let again = followed_up(&answered, &scope, &windows, &parts);
    assert_eq!(again.matches("[follow-up]").count(), 1);
    assert!(again.contains("study = \"rooms-long-stay-long-stay\" # the name\n"), "{again}");
}

#[test]
fn all_of_the_input_has_no_scope() {
    let all =
        DeferredScope { name: "all".to_owned(), terms: Vec::new(), figures: ScopeFigures::All, ..weekend() };
    let windows =
        PlannedWindows { every: Every::Week, count: 5, per_window: 1_000.0, margin: None, is_too_few: false };
    let text = followed_up(YARD, &all, &windows, &StoredParts::default());
    assert!(!text.contains("scopes") && text.contains("windows = { first = 5 }"), "{text}");
    assert!(text.ends_with("scope = \"all\"\n"), "{text}");
}

#[test]
fn comments_are_lines_of_limited_length() {
    let text = comment(&"a word of a comment\r\n\u{1b}and more ".repeat(20));
    assert!(
        text.lines().all(|line| line.starts_with("# ") && line.chars().count() <= COMMENT_CHARS),
        "{text}"
    );
    assert!(!text.contains('\u{1b}') && !text.contains('\r'));
    assert_eq!(comment(&"x".repeat(200)), format!("# {}\n", "x".repeat(200)));
    assert_eq!(comment(""), "#\n");
}
