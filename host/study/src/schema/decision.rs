//! The schema of threshold, scopes, blinding, divergence, interim reports and swaps.

use serde_json::{Value as Json, json};

use super::{choice, name, table, tables, text, whole};
use crate::validate;

/// The schema of `[threshold]`.
pub(super) fn threshold() -> Json {
    let conditions = json!({
        "type": "array",
        "items": { "type": "string", "minLength": 1 },
        "default": [],
        "description": "The conditions whose values, except `other` and `missing`, each need `least-per-condition` \
                        compared pairs.",
    });
    let quantifier = "Whether each window must pass, or all windows taken together. There is no default.";
    let evidence = "What is compared with the bound: the point estimate, or the one-sided bound of its confidence \
                    interval.";
    let per_window =
        "The minimum of compared pairs in an evaluated window; with all = true, in all windows together.";
    let per_condition = "The minimum of compared pairs for each value of `conditions` and of the cycle.";
    let cluster = "The snapshot field that groups dependent pairs into clusters, such as a guest; the id by default. \
                   With it, intervals come from groups of clusters, and before the end from whole windows.";
    let confidence = "The confidence level of the bound. Only with evidence = \"bound\".";
    let confidence = json!({
        "type": "number", "exclusiveMinimum": 0.5, "exclusiveMaximum": 1, "description": confidence,
    });
    let of_ceiling = json!({
        "type": "number",
        "exclusiveMinimum": 0,
        "maximum": 1,
        "description": "The minimum of the agreement as a share of the substrate's ceiling: the most that a model can reach, \
                        given how often the substrate agrees with itself. Needs [ceiling]. Only with at-least, and for a \
                        metric that is the share of equal labels or rankings. Not with evidence = \"bound\" and cluster.",
    });
    let family = "How the error rates of several verdicts are combined. `each`: each verdict has the confidence on its own. \
                  `holm`: it is the confidence of no false GO among all models and scopes. Only with \
                  evidence = \"bound\", and required there if the study has several models or scopes.";
    let exposure = "The effect of showing answers to somebody before the study ends: the verdict is VOID, or later pairs are not \
                    evaluated.";
    let change = "The effect of a change of the substrate or the comparator: the verdict is VOID, or later pairs are not \
                  evaluated.";
    let properties = [
        ("metric", text("The metric that must meet the bound; the primary metric by default.")),
        ("at-least", number("The lower bound, if higher values are better. Equality meets it.")),
        ("at-most", number("The upper bound, if lower values are better. Equality meets it.")),
        ("quantifier", choice(&[("every-window", ()), ("pooled", ())], quantifier)),
        ("windows", windows()),
        ("evidence", choice(&[("point", ()), ("bound", ())], evidence)),
        ("confidence", confidence),
        ("least-per-window", whole(validate::LEAST_COMPARISONS, per_window)),
        ("least-per-condition", whole(validate::LEAST_COMPARISONS, per_condition)),
        ("conditions", conditions),
        (
            "least-coverage",
            share(
                "The minimum share of accepted snapshots that are compared.",
                Some(validate::LEAST_COVERAGE),
            ),
        ),
        (
            "most-rejected",
            share("The maximum share of rejected records in either stream.", Some(validate::MOST_REJECTED)),
        ),
        (
            "most-late",
            share("The maximum share of late records in either stream.", Some(validate::MOST_LATE)),
        ),
        (
            "most-conflict",
            share(
                "The maximum share of conflicting records in either stream.",
                Some(validate::MOST_CONFLICT),
            ),
        ),
        (
            "most-orphaned",
            share("The maximum share of decisions without a snapshot.", Some(validate::MOST_ORPHANED)),
        ),
        (
            "most-shed",
            share(
                "The maximum share of mirrored requests that never became a record.",
                Some(validate::MOST_SHED),
            ),
        ),
        (
            "most-unanswered",
            share(
                "The maximum share of compared pairs without an answer or without a score.",
                Some(validate::MOST_UNANSWERED),
            ),
        ),
        ("cluster", text(cluster)),
        ("chance", chance()),
        ("of-ceiling", of_ceiling),
        ("family", choice(&[("each", ()), ("holm", ())], family)),
        ("cycle", cycle()),
        ("reference", tables("The expected distributions of the inputs.", 0, reference())),
        ("on-exposure", interference(exposure)),
        ("on-comparator-change", interference(change)),
    ];
    let description = "What a model must achieve for a GO, declared before the first snapshot.";
    let mut threshold = table(description, &["quantifier", "windows", "evidence"], properties);
    threshold["oneOf"] = json!([{ "required": ["at-least"] }, { "required": ["at-most"] }]);
    threshold["if"] = json!({ "properties": { "evidence": { "const": "bound" } } });
    threshold["then"] = json!({ "required": ["confidence"] });
    threshold["else"] = json!({ "properties": { "confidence": false, "family": false } });
    threshold
}

fn windows() -> Json {
    let count = |description: &str| json!({ "type": "integer", "minimum": 1, "maximum": 10_000, "description": description });
    let all = "All pairs, including those of incomplete windows. Only with quantifier = \"pooled\".";
    let properties = [
        ("first", count("The number of complete windows, from the first, that are evaluated.")),
        ("latest", count("The number of complete windows, up to the latest, that are evaluated.")),
        ("all", json!({ "const": true, "description": all })),
    ];
    let mut windows = table("Which windows are evaluated.", &[], properties);
    windows["oneOf"] =
        json!([{ "required": ["first"] }, { "required": ["latest"] }, { "required": ["all"] }]);
    windows
}

fn chance() -> Json {
    let gain = "The minimum gain, which must also be above 0. Labels: the excess of the agreement over that of always giving \
                the substrate's commonest label, at most 1. Other answers: by how much the metric is better than that \
                of each baseline, in units of the metric.";
    let gain = json!({ "type": "number", "minimum": 0, "description": gain });
    let kappa = "Only for labels: the minimum of Cohen's kappa. It must also be above 0.";
    let kappa = json!({ "type": "number", "minimum": 0, "maximum": 1, "description": kappa });
    let mut beyond = table("The required minimum.", &[], [("gain", gain), ("kappa", kappa)]);
    beyond["oneOf"] = json!([{ "required": ["gain"] }, { "required": ["kappa"] }]);
    json!({
        "oneOf": [beyond, { "const": "not-asked" }],
        "description": "What the answers must be worth over the evaluated windows. `{ gain = 0.0 }`: more than always giving \
                        the substrate's commonest label, the mean, median or last of the earlier numbers, the commonest \
                        items of the earlier rankings, or the commonest or last of the earlier sets of labels or JSON \
                        values. `{ kappa = 0.4 }`: Cohen's kappa. `not-asked`: nothing, which the verdict \
                        says. With evidence = \"bound\" the confidence bound must meet it. Every [threshold] needs this \
                        key: without it, understudy refuses to check, seal and run the study.",
    })
}

fn cycle() -> Json {
    let times = json!({
        "type": "integer", "minimum": 1, "maximum": 1000, "default": 1,
        "description": "How often each value must have occurred.",
    });
    let properties = [("condition", text("A calendar condition.")), ("times", times)];
    table(
        "A calendar condition whose values must all have occurred in the evaluated windows.",
        &["condition"],
        properties,
    )
}

fn reference() -> Json {
    let shares = json!({
        "type": "object",
        "description": "The expected share of each value of the condition; 0 for a value that is left out. The sum is 1.",
        "additionalProperties": { "type": "number", "minimum": 0, "maximum": 1 },
    });
    let properties = [
        ("condition", text("The name of the condition.")),
        ("shares", shares),
        (
            "file",
            text(
                "The path of a JSON object of shares or counts by value, relative to the directory of study.toml.",
            ),
        ),
        ("tolerance", share("The largest allowed difference between a share and its expected share.", None)),
    ];
    let description = "The expected distribution of the inputs over one condition.";
    let mut reference = table(description, &["condition", "tolerance"], properties);
    reference["oneOf"] = json!([{ "required": ["shares"] }, { "required": ["file"] }]);
    reference
}

/// The schema of `[ceiling]`.
pub(super) fn ceiling() -> Json {
    let fields = json!({
        "type": "array",
        "items": { "type": "string", "minLength": 1 },
        "minItems": 1,
        "uniqueItems": true,
        "description": "The snapshot's fields that make an input class: snapshots that are equal in them are in the same input class. By \
                        default every field that a model is granted. A missing value is a value of its own.",
    });
    let bins = json!({
        "type": "object",
        "default": {},
        "description": "For fields of kind integer or number: the edges between their bins, ascending. Values in one bin are \
                        equal. Other fields are compared by their values.",
        "additionalProperties": { "type": "array", "minItems": 1, "items": { "type": "number" } },
    });
    let rater = "The field of the decision that says who decided. With it the report has the agreement between raters, and that \
                 of each model with each rater.";
    let show = json!({
        "type": "boolean",
        "default": false,
        "description": "Whether the report names the raters. By default they have numbers, since the agreement with a person \
                        is personal data. Only with `rater`.",
    });
    let properties = [("fields", fields), ("bins", bins), ("rater", text(rater)), ("show-raters", show)];
    let description = "How the substrate is compared with itself: how often it decides the same for the same input class, which limits \
                       the agreement that any model can reach.";
    let mut ceiling = table(description, &[], properties);
    ceiling["dependentRequired"] = json!({ "show-raters": ["rater"] });
    ceiling
}

/// The schema of `[divergence]`.
pub(super) fn divergence() -> Json {
    let conditions = json!({
        "type": "array",
        "items": { "type": "string", "minLength": 1 },
        "description": "The conditions whose values are combined to subgroups. By default all, in declaration order, as \
                        long as they have at most 10,000 combinations.",
    });
    let above_zero = |description: &str, default: f64| {
        json!({
            "type": "number", "exclusiveMinimum": 0, "maximum": 0.5, "default": default, "description": description,
        })
    };
    let mut suspected = table("A subgroup that is suspected in advance.", &[], [("where", chosen())]);
    suspected["anyOf"] = json!([{ "required": ["where"] }]);
    let properties = [
        ("metric", text("The metric that is compared; the primary metric by default.")),
        ("conditions", conditions),
        ("depth", whole(validate::DEPTH, "The largest number of condition values in a subgroup.")),
        ("support", above_zero("The minimum share of the compared pairs in a subgroup.", validate::SUPPORT)),
        ("level", above_zero("The false discovery rate among the listed subgroups.", validate::DISCOVERIES)),
        ("suspected", tables("The subgroups that are suspected in advance.", 0, suspected)),
    ];
    table("Settings of the search for subgroups in which a model and the substrate differ.", &[], properties)
}

/// The schema of `[interim]`.
pub(super) fn interim() -> Json {
    let every = json!({
        "type": "integer", "minimum": 1, "maximum": 10_000,
        "description": "The number of windows between two interim reports; none by default.",
    });
    table("The schedule of interim reports.", &[], [("every", every)])
}

/// The schema of `[swaps]`.
pub(super) fn swaps() -> Json {
    let count = |default: u32, description: &str| json!({ "type": "integer", "minimum": 1, "maximum": 100_000, "default": default, "description": description });
    let share = |default: f64, description: &str| json!({ "type": "number", "minimum": 0, "maximum": 1, "default": default, "description": description });
    let equivalent = "The share of those pairs on which both plugins must answer the same. Below it the swap is rejected unless \
                      it is forced. A swap of any plugin below it, forced or undone, is a comparator change: see \
                      `threshold.on-comparator-change`.";
    let failed = "The share of rows that the new plugin may fail on before it is rolled back.";
    table(
        "The conditions for swapping a plugin during a run.",
        &[],
        [
            (
                "last",
                count(
                    1_000,
                    "The number of recent pairs on which the new plugin is compared with the old one.",
                ),
            ),
            ("equivalent", share(1.0, equivalent)),
            ("failed", share(0.05, failed)),
            ("failed-rows", count(100, "The number of rows before that share is evaluated.")),
        ],
    )
}

fn chosen() -> Json {
    let scalar = json!({ "type": ["string", "integer", "boolean"] });
    json!({
        "type": "object",
        "minProperties": 1,
        "description": "A value, or a list of values, for each condition that restricts the subgroup.",
        "additionalProperties": { "anyOf": [scalar, { "type": "array", "minItems": 1, "items": scalar }] },
    })
}

/// The schema of one of `[[scopes]]`.
pub(super) fn scope() -> Json {
    let properties = [("name", name("The name, unique among the scopes; not `all`.")), ("where", chosen())];
    let mut scope = table("A part of the input that has a verdict of its own.", &["name"], properties);
    scope["anyOf"] = json!([{ "required": ["where"] }]);
    scope
}

/// The schema of `[blinding]`.
pub(super) fn blinding() -> Json {
    let description = "The share of ids for which no model is called before the decision is known, so that no answer can have \
                       influenced it. By default 0.1 with a threshold and 0 without.";
    let share = json!({ "type": "number", "minimum": 0, "maximum": 0.5, "description": description });
    table("The control group for leaked answers.", &[], [("share", share)])
}

fn number(description: &str) -> Json {
    json!({ "type": "number", "description": description })
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
