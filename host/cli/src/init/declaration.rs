//! Writes a drafted declaration as a commented `study.toml`.
//!
//! Invariants: pure; the text is a valid study, and stays one if the threshold that it leaves open is filled in.

use std::fmt::Write as _;
use std::path::Path;

use toml::Value;
use understudy_study::{AnswerForm, FieldKind};

use super::draft::{Draft, DraftField};
use super::partition::{FieldCondition, declared_name};
use super::sample::Cell;

/// The names of the comparator and of metrics.
const OTHER_PLUGINS: [&str; 10] = [
    "recorded",
    "agreement",
    "kappa",
    "mean-absolute-error",
    "root-mean-square-error",
    "bias",
    "top-1",
    "rank-biased-overlap",
    "jaccard",
    "json-equality",
];

/// Names that the feeds do not tell.
#[derive(Clone, Copy, Debug)]
pub(super) struct DeclaredNames<'a> {
    /// The name of the study.
    pub study: &'a str,
    pub time_zone: &'a str,
    /// The paths of the feeds, relative to the declaration.
    pub snapshots: &'a Path,
    pub decisions: &'a Path,
}

/// The text of the declaration.
pub(super) fn declaration(draft: &Draft, names: DeclaredNames<'_>) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut text, draft, names);
    text
}

fn write(out: &mut String, draft: &Draft, names: DeclaredNames<'_>) -> std::fmt::Result {
    let decision = &draft.decision;
    writeln!(
        out,
        "# Written by `understudy init` from the feeds below. Every line is a guess: read it, and correct it."
    )?;
    writeln!(
        out,
        "# `understudy check study.toml` names every fault; the book's page \"Write a study\" describes every key."
    )?;
    writeln!(out, "study = {}", text(names.study))?;
    writeln!(out, "time-zone = {}                 # in which days and weeks begin", text(names.time_zone))?;

    writeln!(out, "\n# The snapshots: what the model sees.\n[inputs]")?;
    writeln!(out, "id = {}", text(&draft.ids.snapshots))?;
    writeln!(out, "time = {}", text(&draft.snapshot_time))?;
    write_bounds(out, draft)?;
    write_fields(out, "inputs", &draft.input_fields)?;

    writeln!(out, "\n# The decisions: what was really done.\n[decisions]")?;
    writeln!(out, "id = {}", text(&draft.ids.decisions))?;
    writeln!(out, "time = {}", text(&draft.decision_time))?;
    writeln!(
        out,
        "horizon = {}                   # how far a decision may lie from its snapshot",
        text(draft.horizon)
    )?;
    write_bounds(out, draft)?;
    if draft.has_revisions {
        writeln!(
            out,
            "# Several decisions have the same id. Which one counts: \"first\", if it was made without help, or \"last\"?"
        )?;
        writeln!(out, "revisions = \"last\"")?;
    }
    write_fields(out, "decisions", &draft.decision_fields)?;

    writeln!(out, "\n[sources]")?;
    for (stream, path) in [("snapshots", names.snapshots), ("decisions", names.decisions)] {
        writeln!(out, "{stream} = {{ file = {} }}", text(&path.to_string_lossy()))?;
    }

    write_model(out, draft)?;
    let field = format!("decision.{}", decision.name);
    writeln!(out, "\n# Brings the decision into the form of the model's answers.\n[comparator]")?;
    writeln!(out, "name = \"recorded\"\nplugin = \"recorded\"\ngrant = [{}]", text(&field))?;
    writeln!(out, "config = {}", recorded(&field, decision.form, decision.kind))?;
    write_metrics(out, draft)?;

    let has_conditions = draft.has_weekends || !draft.conditions.is_empty();
    if has_conditions {
        writeln!(out, "\n# Conditions divide the snapshots, so that an average cannot hide a bad part.")?;
    }
    for FieldCondition { name, field, values, .. } in &draft.conditions {
        let values: Vec<String> = values.iter().map(value).collect();
        writeln!(
            out,
            "[[conditions]]\nname = {}\nfield = {}\nvalues = [{}]\n",
            text(name),
            text(field),
            values.join(", ")
        )?;
    }
    if draft.has_weekends {
        writeln!(
            out,
            "[[conditions]]\nname = {}\ncalendar = \"weekend\"\n",
            text(weekend_name(&draft.conditions))
        )?;
    }
    let break_before = if has_conditions { "" } else { "\n" };
    writeln!(out, "{break_before}[windows]\nevery = {}", text(draft.every.name()))?;
    write_threshold(out, draft)
}

/// A name for the condition of weekdays and weekends that no field has.
fn weekend_name(conditions: &[FieldCondition]) -> &'static str {
    let is_free = |name: &&str| !conditions.iter().any(|condition| condition.name.eq_ignore_ascii_case(name));
    ["day", "weekend", "day-type"].into_iter().find(is_free).unwrap_or("weekday-or-weekend")
}

fn write_bounds(out: &mut String, draft: &Draft) -> std::fmt::Result {
    if let Some(lateness) = draft.lateness {
        writeln!(
            out,
            "lateness = {}                  # how far records lie behind each other",
            text(lateness)
        )?;
    }
    if draft.is_ahead {
        writeln!(
            out,
            "most-ahead = \"36500d\"           # times lie ahead of the clock: remove this for a live feed"
        )?;
    }
    Ok(())
}

fn write_fields(out: &mut String, stream: &str, fields: &[DraftField]) -> std::fmt::Result {
    if fields.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n[{stream}.fields]")?;
    fields.iter().try_for_each(|field| writeln!(out, "{} = {}", key(&field.name), text(field.kind.name())))
}

fn write_model(out: &mut String, draft: &Draft) -> std::fmt::Result {
    let model = &draft.model;
    let name = &model.name;
    match model.is_stand_in {
        true => writeln!(
            out,
            "\n# THE PLACE OF YOUR MODEL. This stand-in answers what the field `{name}` says, so that the study runs; its figures mean\n\
             # nothing."
        )?,
        false => writeln!(
            out,
            "\n# The first model answers what the field `{name}` says. Put your own model here, or beside it."
        )?,
    }
    writeln!(
        out,
        "# A component: plugin = \"./model.wasm\". A trained model: plugin = \"onnx\" and file = \"model.onnx\". Both have"
    )?;
    writeln!(out, "# a `grant`: the only fields of the snapshots that the model sees.")?;
    let declared = if model.is_stand_in { "stand-in".to_owned() } else { declared_name(name) };
    // The comparator and the metrics have the names of their plugins.
    let declared =
        if OTHER_PLUGINS.contains(&&declared[..]) { format!("{declared}-field") } else { declared };
    writeln!(out, "[[models]]\nname = {}\nplugin = \"recorded\"\ngrant = [{}]", text(&declared), text(name))?;
    writeln!(out, "config = {}", recorded(name, draft.decision.form, model.kind))
}

/// The configuration of the stock plugin `recorded`.
fn recorded(field: &str, form: AnswerForm, kind: FieldKind) -> String {
    let default = match form {
        AnswerForm::Label => FieldKind::Text,
        AnswerForm::Number => FieldKind::Number,
        AnswerForm::Ranking | AnswerForm::LabelSet | AnswerForm::Json => FieldKind::Json,
    };
    // A number is read from a field of integers, too.
    let is_default = kind == default || form == AnswerForm::Number;
    let kind = if is_default { String::new() } else { format!(", kind = {}", text(kind.name())) };
    format!("{{ field = {}, form = {}{kind} }}", text(field), text(form.name()))
}

/// Metrics that fit the form, the primary one first.
fn write_metrics(out: &mut String, draft: &Draft) -> std::fmt::Result {
    let metrics: &[(&str, &str, &str, &str)] = match draft.decision.form {
        AnswerForm::Label => &[("agreement", "agreement", "", "the share of equal labels")],
        AnswerForm::Number => &[
            ("mean-absolute-error", "mean-absolute-error", "", "the mean distance from the decision"),
            (
                "root-mean-square-error",
                "root-mean-square-error",
                "",
                "the same, with more weight on large distances",
            ),
            ("bias", "bias", "", "how far the answers are too high or too low on average"),
        ],
        AnswerForm::Ranking => &[
            ("top-1", "top-k-overlap", "{ k = 1 }", "the share of equal first items"),
            ("rank-biased-overlap", "rank-biased-overlap", "{ p = 0.9 }", "the overlap at every depth"),
        ],
        AnswerForm::LabelSet => &[
            ("jaccard", "jaccard", "", "how much two sets have in common"),
            ("agreement", "agreement", "", "the share of equal sets"),
        ],
        AnswerForm::Json => &[("json-equality", "json-equality", "", "the share of equal values")],
    };
    writeln!(
        out,
        "\n# The threshold decides by the primary metric. `understudy plugin list` lists the others."
    )?;
    for (at, (name, plugin, config, what)) in metrics.iter().enumerate() {
        let break_before = if at == 0 { "" } else { "\n" };
        writeln!(
            out,
            "{break_before}[[metrics]]\nname = {}\nplugin = {:<24} # {what}",
            text(name),
            text(plugin)
        )?;
        if !config.is_empty() {
            writeln!(out, "config = {config}")?;
        }
        if at == 0 {
            writeln!(out, "primary = true")?;
        }
    }
    if !draft.labels.is_empty() {
        let labels: Vec<String> = draft.labels.iter().map(|label| text(label)).collect();
        writeln!(
            out,
            "\n[[metrics]]\nname = \"kappa\"\nplugin = \"kappa\"                  # agreement beyond chance"
        )?;
        writeln!(out, "config = {{ labels = [{}] }}", labels.join(", "))?;
    }
    Ok(())
}

/// The threshold as comments, with the questions to answer.
fn write_threshold(out: &mut String, draft: &Draft) -> std::fmt::Result {
    let is_error = draft.decision.form == AnswerForm::Number;
    let (bound, question) = match is_error {
        true => {
            ("at-most = 10.0                  ", "# how far may the model be from the decision on average?")
        }
        false => ("at-least = 0.9                  ", "# how often must the model agree with the decision?"),
    };
    let lines = [
        "",
        "# The threshold says what permits the next stage. Without one the study has figures and no verdict. Answer these questions",
        "# before the first run, and remove the `# ` in front of each line. \"Plan a study\" says how many windows that takes.",
        "# [threshold]",
        &format!("# {bound}{question}"),
        "# quantifier = \"every-window\"     # in each window, or over all of them: \"pooled\"?",
        "# windows = { first = 8 }         # in how many windows?",
        "# evidence = \"point\"              # by the figure itself, or by its bound: \"bound\", with `confidence = 0.95`?",
        "# chance = { gain = 0.0 }         # how much better than a constant answer?",
    ];
    lines.iter().try_for_each(|line| writeln!(out, "{line}"))
}

/// A text as TOML.
fn text(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

/// A value of a condition as TOML.
fn value(cell: &Cell) -> String {
    match cell {
        Cell::Boolean(value) => value.to_string(),
        Cell::Integer(value) => value.to_string(),
        other => text(&other.text()),
    }
}

/// A key as TOML.
fn key(name: &str) -> String {
    let is_bare =
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if is_bare { name.to_owned() } else { text(name) }
}
