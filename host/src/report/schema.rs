//! The JSON Schema of `report.json`, for those who read it with a program.
//!
//! Always holds (a test compares it with what is written): every key is there, described and required. Keys may be
//! added without a new [`FORMAT`], so a reader should pass over those that it does not know, as the schema does.

use serde_json::{Map, Value as Json, json};

use super::FORMAT;

/// The JSON Schema (draft 2020-12) of `report.json`.
pub fn schema() -> Json {
    let mut root = object(
        "What a run found: how often, or how closely, models would have done what was done.",
        [
            ("format", constant("The version of this layout.", FORMAT)),
            ("study", text("The study's name.")),
            (
                "declaration",
                digest(
                    "SHA-256 of the canonical form of the declaration, as the seal has it, in hexadecimal.",
                ),
            ),
            ("time-zone", text("The zone of windows and calendar conditions.")),
            ("began", instant("When the run began.")),
            ("ended", instant("When the run ended.")),
            ("end", end()),
            ("accounting", accounting()),
            ("comparison", comparison()),
            ("models", list("The models, in the order declared.", model())),
            ("comparator", object("The comparator.", plugin())),
            ("metrics", list("The metrics, in the order declared.", metric())),
            ("conditions", list("The conditions with their values, in the order declared.", condition())),
            ("windows", list("The windows that have pairs, in order of time.", window())),
            ("substrate-latency", substrate_latency()),
            ("replay-of", replay_of()),
            ("incidents", list("What broke, the same things together, the most frequent first.", incident())),
            (
                "refused",
                list(
                    "The first records that were refused, at most ten of each stream and class, as they came.",
                    refused(),
                ),
            ),
        ],
    );
    root["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    root["title"] = json!("report.json");
    root["$defs"] =
        json!({ "account": account(), "latency": latency(), "scores": scores(), "figure": figure() });
    root
}

fn end() -> Json {
    let mut broke = object(
        "A source broke off.",
        [("source-broke", list("What each source that broke off said.", text("What a source said.")))],
    );
    broke["additionalProperties"] = json!(false);
    json!({
        "description": "How the run ended: `finished` when all sources came to their end, `interrupted` when somebody \
                        stopped it.",
        "oneOf": [{ "enum": ["finished", "interrupted"] }, broke],
    })
}

fn accounting() -> Json {
    object(
        "Where every record has got to.",
        [
            ("snapshots", defined("account", "What the models were shown.")),
            ("decisions", defined("account", "What the substrate did.")),
        ],
    )
}

fn account() -> Json {
    object(
        "The records of one stream: received = rejected + duplicate + conflict + late + paired + waiting + expired.",
        [
            ("received", count("All that came.")),
            ("rejected", count("Could not be read as a record.")),
            ("duplicate", count("Came before, the same to the byte.")),
            ("conflict", count("Came before with other content.")),
            ("late", count("Too far behind its own stream.")),
            ("paired", count("Met its partner.")),
            ("waiting", count("May still meet its partner.")),
            ("expired", count("Can no longer meet a partner. For a decision: an orphan.")),
        ],
    )
}

fn comparison() -> Json {
    object(
        "What became of the pairs: paired = compared + incomparable.",
        [
            ("compared", count("Pairs in which the comparator answered. Every figure is taken over these.")),
            ("incomparable", count("Pairs in which it did not, so there is nothing to compare with.")),
        ],
    )
}

/// A plugin as it ran; the same in models and metrics.
fn plugin() -> [(&'static str, Json); 3] {
    [
        ("name", text("Its name in the study.")),
        ("title", text("What it calls itself, with its version.")),
        ("digest", digest("SHA-256 of the component, in hexadecimal.")),
    ]
}

fn model() -> Json {
    let own = [
        ("form", choice("The form of its answers.", &["label", "number", "ranking"])),
        ("answered", count("Snapshots that it answered.")),
        ("abstained", count("Snapshots that it chose not to answer.")),
        ("failed", count("Snapshots that it failed on.")),
        (
            "blinded",
            count(
                "Snapshots that it was not asked about before their decision had come. What it answered then is among the \
                 figures only.",
            ),
        ),
        (
            "latency",
            defined("latency", "The time until the batch of a snapshot was answered; its rows share it."),
        ),
        ("again", again()),
        (
            "scores",
            list(
                "Its figures by each metric, in the order of `metrics`.",
                defined("scores", "By one metric."),
            ),
        ),
    ];
    object("A model and what it did.", plugin().into_iter().chain(own))
}

fn again() -> Json {
    object(
        "What came of asking it about a share of the snapshots again, by a fresh instance and in another batch.",
        [
            ("asked", count("Snapshots that it was asked about again.")),
            ("otherwise", count("Those that it answered otherwise: it keeps something between calls.")),
            ("first-id", text("The id of the first of them that was found; empty if there is none.")),
        ],
    )
}

fn replay_of() -> Json {
    let description = "SHA-256 of the seal of the run whose log was replayed, in hexadecimal, if this is an offline evaluation \
                       and no shadow run; null otherwise.";
    json!({ "type": ["string", "null"], "pattern": "^[0-9a-f]{64}$", "description": description })
}

fn metric() -> Json {
    let own = [
        ("primary", json!({ "type": "boolean", "description": "Whether the study turns on it." })),
        ("better", choice("Which way is better.", &["higher", "lower"])),
        ("least", number_or_null("The least figure there can be; null if it does not say.")),
        ("greatest", number_or_null("The greatest figure there can be; null if it does not say.")),
        ("components", list("What is summed over pairs.", text("The name of a component."))),
    ];
    object("A metric.", plugin().into_iter().chain(own))
}

fn condition() -> Json {
    object(
        "A condition.",
        [
            ("name", text("Its name.")),
            ("values", list("Its values, in order.", text("The name of a value."))),
        ],
    )
}

fn window() -> Json {
    object(
        "A window.",
        [
            ("label", text("What it is called.")),
            ("start", instant("Its first instant.")),
            ("end", instant("The first instant after it.")),
        ],
    )
}

fn scores() -> Json {
    let condition = list("For each of its values.", defined("figure", "Over the pairs of one value."));
    object(
        "The figures of one model by one metric.",
        [
            ("overall", defined("figure", "Over all compared pairs.")),
            ("conditions", list("For each condition, in the order of `conditions`.", condition)),
            (
                "windows",
                list(
                    "For each window, in the order of `windows`.",
                    defined("figure", "Over the pairs of one window."),
                ),
            ),
        ],
    )
}

fn figure() -> Json {
    let sums = json!({ "type": "number", "description": "The sum of one component." });
    object(
        "A figure and what it was made from.",
        [
            ("value", number_or_null("The figure; null where it is not defined.")),
            ("pairs", count("Compared pairs.")),
            ("abstained", count("Those that the model chose not to answer. They stay among the pairs.")),
            ("failed", count("Those that it failed on. They stay among the pairs.")),
            ("unscored", count("Those that the metric broke on. The figure is over the others.")),
            ("sums", list("The sum of each component, in the order of the metric's `components`.", sums)),
        ],
    )
}

fn latency() -> Json {
    object(
        "A distribution of times, in nanoseconds, to three significant digits.",
        [
            ("count", count("How many times there are.")),
            ("p50", count("Half are no longer than this.")),
            ("p90", count("90 % are no longer than this.")),
            ("p99", count("99 % are no longer than this.")),
            ("max", count("The longest.")),
        ],
    )
}

fn substrate_latency() -> Json {
    object(
        "Time from the snapshot to the substrate's decision, by the times that the records carry.",
        [
            ("after", defined("latency", "Decisions at or after their snapshot.")),
            ("before", count("Decisions dated before their snapshot, of which no latency can be told.")),
        ],
    )
}

fn incident() -> Json {
    object(
        "Something that broke.",
        [
            ("plugin", text("The plugin's name in the study.")),
            ("what", text("What happened.")),
            ("count", count("How often.")),
            ("first-id", text("The id of the first row that it happened on; empty where it was no row.")),
        ],
    )
}

fn refused() -> Json {
    let line =
        json!({ "type": "integer", "minimum": 1, "description": "Its line in the source, counted from 1." });
    let classes = ["rejected", "duplicate", "conflict", "late"];
    object(
        "A record that takes no part.",
        [
            ("stream", choice("Its stream.", &["snapshots", "decisions"])),
            ("line", line),
            ("class", choice("Under what it is counted in `accounting`.", &classes)),
            ("reason", text("Why.")),
        ],
    )
}

/// An object with these keys and perhaps others.
fn object(description: &str, properties: impl IntoIterator<Item = (&'static str, Json)>) -> Json {
    let (mut required, mut described) = (Vec::new(), Map::new());
    for (key, property) in properties {
        required.push(key);
        described.insert(key.to_owned(), property);
    }
    json!({ "type": "object", "description": description, "required": required, "properties": described })
}

fn list(description: &str, items: Json) -> Json {
    json!({ "type": "array", "description": description, "items": items })
}

/// What `$defs` says of `name`.
fn defined(name: &str, description: &str) -> Json {
    json!({ "$ref": format!("#/$defs/{name}"), "description": description })
}

fn constant(description: &str, value: u32) -> Json {
    json!({ "const": value, "description": description })
}

fn choice(description: &str, words: &[&str]) -> Json {
    json!({ "enum": words, "description": description })
}

fn text(description: &str) -> Json {
    json!({ "type": "string", "description": description })
}

fn digest(description: &str) -> Json {
    json!({ "type": "string", "pattern": "^[0-9a-f]{64}$", "description": description })
}

fn instant(description: &str) -> Json {
    json!({ "type": "string", "format": "date-time", "description": description })
}

fn count(description: &str) -> Json {
    json!({ "type": "integer", "minimum": 0, "description": description })
}

fn number_or_null(description: &str) -> Json {
    json!({ "type": ["number", "null"], "description": description })
}

#[cfg(test)]
mod tests;
