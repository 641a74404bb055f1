//! The schema of what decides and what is looked for: threshold, scopes, blinding, divergence, interim reports.

use serde_json::{Value as Json, json};

use super::{choice, name, table, tables, text, whole};
use crate::check;

/// The threshold.
pub(super) fn threshold() -> Json {
    let conditions = json!({
        "type": "array",
        "items": { "type": "string", "minLength": 1 },
        "default": [],
        "description": "The conditions each of whose values needs `least-per-condition` compared pairs, but for `other` and \
                        `missing`.",
    });
    let quantifier =
        "Whether each of the windows has to pass, or all of them taken together. It has no default.";
    let evidence = "What has to lie on the right side of the bound: the figure itself, or the one-sided bound of its \
                    interval.";
    let per_window =
        "The least compared pairs of a window that counts; with all = true, of everything together.";
    let per_condition = "The least compared pairs of each value of `conditions`, and of the cycle.";
    let cluster = "The snapshots' field by which pairs hang together, such as a guest; the id unless declared. With it \
                   intervals come from a delete-a-group jackknife.";
    let confidence = "The confidence of the bound. Only with evidence = \"bound\".";
    let confidence = json!({
        "type": "number", "exclusiveMinimum": 0.5, "exclusiveMaximum": 1, "description": confidence,
    });
    let kappa = "The least Cohen's kappa of labels over the windows that count.";
    let gain = "The least agreement of labels above the share of the substrate's commonest one.";
    let exposure = "What it does that somebody was shown answers before the study ended: nothing counts any more, or nothing \
                    that came after.";
    let change = "What it does that the substrate or its comparator changed: nothing counts any more, or nothing that came \
                  after.";
    let properties = [
        ("metric", text("The metric that has to meet the bound; the primary one unless declared.")),
        ("at-least", number("The bound, where more is required. Meeting it is enough.")),
        ("at-most", number("The bound, where less is required. Meeting it is enough.")),
        ("quantifier", choice(&[("every-window", ()), ("pooled", ())], quantifier)),
        ("windows", windows()),
        ("evidence", choice(&[("point", ()), ("bound", ())], evidence)),
        ("confidence", confidence),
        ("least-per-window", whole(check::LEAST_COMPARISONS, per_window)),
        ("least-per-condition", whole(check::LEAST_COMPARISONS, per_condition)),
        ("conditions", conditions),
        (
            "least-coverage",
            share("The least share of accepted snapshots that are compared.", Some(check::LEAST_COVERAGE)),
        ),
        (
            "most-rejected",
            share(
                "The greatest share of the records of either stream that cannot be read.",
                Some(check::MOST_REJECTED),
            ),
        ),
        (
            "most-unanswered",
            share(
                "The greatest share of compared pairs that have no answer or no score.",
                Some(check::MOST_UNANSWERED),
            ),
        ),
        ("cluster", text(cluster)),
        ("least-kappa", beyond_chance(kappa)),
        ("least-gain", beyond_chance(gain)),
        ("cycle", cycle()),
        ("reference", tables("What the inputs have to look like.", 0, reference())),
        ("on-exposure", interference(exposure)),
        ("on-comparator-change", interference(change)),
    ];
    let description = "What would permit the next stage, declared before the first snapshot.";
    let mut threshold = table(description, &["quantifier", "windows", "evidence"], properties);
    threshold["oneOf"] = json!([{ "required": ["at-least"] }, { "required": ["at-most"] }]);
    threshold["not"] = json!({ "required": ["least-kappa", "least-gain"] });
    threshold["if"] = json!({ "properties": { "evidence": { "const": "bound" } } });
    threshold["then"] = json!({ "required": ["confidence"] });
    threshold["else"] = json!({ "properties": { "confidence": false } });
    threshold
}

fn windows() -> Json {
    let count = |description: &str| json!({ "type": "integer", "minimum": 1, "maximum": 10_000, "description": description });
    let all = "Everything, parts of windows too. Only with quantifier = \"pooled\".";
    let properties = [
        ("first", count("The first so many complete windows count.")),
        ("latest", count("The latest so many complete windows count.")),
        ("all", json!({ "const": true, "description": all })),
    ];
    let mut windows = table("Which windows count.", &[], properties);
    windows["oneOf"] =
        json!([{ "required": ["first"] }, { "required": ["latest"] }, { "required": ["all"] }]);
    windows
}

fn cycle() -> Json {
    let times = json!({
        "type": "integer", "minimum": 1, "maximum": 1000, "default": 1,
        "description": "How often each of its values has to have occurred.",
    });
    let properties = [("condition", text("A condition of the calendar.")), ("times", times)];
    table("What has to have come round in the windows that count.", &["condition"], properties)
}

fn reference() -> Json {
    let shares = json!({
        "type": "object",
        "description": "The share of each value of the condition; one that is left out has none. They come to 1.",
        "additionalProperties": { "type": "number", "minimum": 0, "maximum": 1 },
    });
    let properties = [
        ("condition", text("The condition.")),
        ("shares", shares),
        ("file", text("A JSON object of shares or counts by value, relative to the study's folder.")),
        ("tolerance", share("How far a share may lie from its reference.", None)),
    ];
    let description = "What the inputs have to look like by one condition.";
    let mut reference = table(description, &["condition", "tolerance"], properties);
    reference["oneOf"] = json!([{ "required": ["shares"] }, { "required": ["file"] }]);
    reference
}

/// How it is looked for where a model and the substrate part.
pub(super) fn divergence() -> Json {
    let conditions = json!({
        "type": "array",
        "items": { "type": "string", "minLength": 1 },
        "description": "The conditions whose values are combined; unless declared all, in the order declared, as long as \
                        they combine to no more than 10,000 profiles.",
    });
    let above_zero = |description: &str, default: f64| {
        json!({
            "type": "number", "exclusiveMinimum": 0, "maximum": 0.5, "default": default, "description": description,
        })
    };
    let mut suspected = table("A class that is suspected in advance.", &[], [("where", chosen())]);
    suspected["anyOf"] = json!([{ "required": ["where"] }]);
    let properties = [
        ("metric", text("The metric whose figures are compared; the primary one unless declared.")),
        ("conditions", conditions),
        ("depth", whole(check::DEPTH, "How many values of conditions are combined to a class at most.")),
        ("support", above_zero("The least share of the compared pairs that a class has.", check::SUPPORT)),
        (
            "level",
            above_zero(
                "The share of the listed classes that may be no such class, on average.",
                check::DISCOVERIES,
            ),
        ),
        ("suspected", tables("The classes that are suspected in advance.", 0, suspected)),
    ];
    table("How it is looked for where a model and the substrate part.", &[], properties)
}

/// How often a run is reported on before its end.
pub(super) fn interim() -> Json {
    let every = json!({
        "type": "integer", "minimum": 1, "maximum": 10_000,
        "description": "An interim report is written after every so many windows; none unless declared.",
    });
    table("Reports before the end.", &[], [("every", every)])
}

/// What is asked of a plugin that takes the place of another.
pub(super) fn swaps() -> Json {
    let count = |default: u32, says: &str| json!({ "type": "integer", "minimum": 1, "maximum": 100_000, "default": default, "description": says });
    let share = |default: f64, says: &str| json!({ "type": "number", "minimum": 0, "maximum": 1, "default": default, "description": says });
    let equivalent = "The share of those pairs in which it has to answer the same. Below it, it is refused unless told \
                      otherwise, and then it is a new yardstick: `threshold.on-comparator-change` says what that does to the \
                      verdict.";
    let failed =
        "The share of rows that it may fail on once it is in its place; with more the one before comes back.";
    table(
        "What is asked of a plugin that takes the place of another while a run goes on.",
        &[],
        [
            (
                "last",
                count(1_000, "The latest pairs that it is tried on, beside the one in whose place it comes."),
            ),
            ("equivalent", share(1.0, equivalent)),
            ("failed", share(0.05, failed)),
            ("failed-rows", count(100, "Rows that it is asked for before that share is looked at.")),
        ],
    )
}

fn chosen() -> Json {
    let scalar = json!({ "type": ["string", "integer", "boolean"] });
    json!({
        "type": "object",
        "minProperties": 1,
        "description": "For each condition that matters a value of it, or a list of some.",
        "additionalProperties": { "anyOf": [scalar, { "type": "array", "minItems": 1, "items": scalar }] },
    })
}

/// A scope.
pub(super) fn scope() -> Json {
    let properties =
        [("name", name("Its name, unlike that of any other scope; not `all`.")), ("where", chosen())];
    let mut scope = table("A part of the input that may be promoted by itself.", &["name"], properties);
    scope["anyOf"] = json!([{ "required": ["where"] }]);
    scope
}

/// The blinding.
pub(super) fn blinding() -> Json {
    let description = "The share of the ids for which no model is asked before the decision has come, so that no answer can have \
                       swayed it. A tenth where a threshold is declared, none otherwise.";
    let share = json!({ "type": "number", "minimum": 0, "maximum": 0.5, "description": description });
    table("The audit of whether answers leak.", &[], [("share", share)])
}

fn number(description: &str) -> Json {
    json!({ "type": "number", "description": description })
}

fn beyond_chance(description: &str) -> Json {
    json!({ "type": "number", "minimum": -1, "maximum": 1, "description": description })
}

fn share(description: &str, default: Option<f64>) -> Json {
    let mut share = json!({ "type": "number", "minimum": 0, "maximum": 1, "description": description });
    if let Some(default) = default {
        share["default"] = json!(default);
    }
    share
}

fn interference(description: &str) -> Json {
    let mut choice = choice(&[("void", ()), ("split", ())], description);
    choice["default"] = json!("void");
    choice
}
