//! The JSON Schema of `study.toml`, for editors: completion, a word on every key, and a first check.
//!
//! It says what can be said key by key and no more; [`parse`](super::parse) is the judge. That both know the same keys,
//! require the same ones and have the same defaults and bounds is held by a test.

mod decision;

use serde_json::{Value as Json, json};

use super::Kind;
use super::check::{self, Bound, CALENDAR, EVERY, WEEKDAYS};

/// The JSON Schema (draft 2020-12) of `study.toml`.
pub fn schema() -> Json {
    let sources = [
        ("snapshots", source("Where the snapshots come from.")),
        (
            "decisions",
            source("Where the decisions come from. Without them there is nothing to compare with."),
        ),
    ];
    let comparator = "The plugin that puts the substrate's decision into the form of the models' answers.";
    let properties = [
        ("study", name("The study's name.")),
        ("time-zone", time_zone()),
        ("inputs", stream("The snapshots: the inputs as a model sees them.", INPUT_FIELDS, None)),
        (
            "decisions",
            stream("What the substrate really decided.", DECISION_FIELDS, Some(("horizon", horizon()))),
        ),
        ("sources", table("Where the records come from.", &["snapshots", "decisions"], sources)),
        ("mirror", mirror()),
        ("models", tables("The models that run in shadow.", 1, decider("A model."))),
        ("comparator", decider(comparator)),
        (
            "metrics",
            tables("The metrics that score a model's answers against the comparator's.", 1, metric()),
        ),
        ("conditions", tables("How the snapshots are split in advance.", 0, condition())),
        ("windows", windows()),
        ("limits", limits()),
        ("log", log()),
        ("threshold", decision::threshold()),
        (
            "scopes",
            tables("The parts of the input that may be promoted by themselves.", 0, decision::scope()),
        ),
        ("blinding", decision::blinding()),
        ("divergence", decision::divergence()),
        ("interim", decision::interim()),
        ("swaps", decision::swaps()),
    ];
    let description = "A study: which models run in shadow, on what, and how their answers are compared with what was \
                       really decided.";
    let required = [
        "study",
        "time-zone",
        "inputs",
        "decisions",
        "sources",
        "models",
        "comparator",
        "metrics",
        "windows",
    ];
    let mut root = table(description, &required, properties);
    root["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    root["title"] = json!("study.toml");
    root
}

const INPUT_FIELDS: &str =
    "The fields of a snapshot that the study uses: top-level keys of the record, and their kinds.";
const DECISION_FIELDS: &str = "The fields of a decision that the study uses: top-level keys of the record, and their \
                               kinds. Elsewhere in the study their names begin with `decision.`.";

fn time_zone() -> Json {
    text(
        "The zone of windows and calendar conditions: an IANA name such as Europe/Amsterdam, or an offset such as +01:00.",
    )
}

fn horizon() -> Json {
    duration(
        "A decision belongs to the snapshot of the same id if their times lie no further apart than this, either way \
         round. Above zero.",
    )
}

fn stream(description: &str, fields: &str, horizon: Option<(&'static str, Json)>) -> Json {
    let kinds = Kind::ALL.map(Kind::name);
    let fields =
        json!({ "type": "object", "description": fields, "additionalProperties": { "enum": kinds } });
    let lateness = "How far a record may lag behind the latest one of its stream before it is late. The horizon, \
                    unless declared.";
    let properties = [
        ("id", text("The key of a record that holds its id: a string or an integer.")),
        ("time", text("The key of a record that holds its event time: RFC 3339 with a zone.")),
        ("lateness", duration(lateness)),
        ("fields", fields),
    ];
    let mut required = vec!["id", "time"];
    required.extend(horizon.iter().map(|(key, _)| *key));
    table(description, &required, properties.into_iter().chain(horizon))
}

fn source(description: &str) -> Json {
    let stdin = "JSON Lines on standard input. Only one of the two sources can be that.";
    let properties = [
        ("file", text("A file of JSON Lines, plain, gzip or zstd, relative to the study's folder.")),
        ("stdin", json!({ "const": true, "description": stdin })),
        (
            "http",
            json!({ "const": true, "description": "Requests to a run that `understudy serve` serves." }),
        ),
    ];
    let mut source = table(description, &[], properties);
    source["oneOf"] = json!([{ "required": ["file"] }, { "required": ["stdin"] }, { "required": ["http"] }]);
    source
}

fn mirror() -> Json {
    const PART: &str = "method|path|query .+|header [!#$%&'*+.^_`|~0-9A-Za-z-]+|body( /.*)?";
    let part = |pattern: String, description: &str| {
        json!({
            "type": "string",
            "pattern": pattern,
            "description": format!("{description} Written as method, path, query NAME, header NAME, body, or body and a JSON pointer."),
        })
    };
    let fields = json!({
        "type": "object",
        "default": {},
        "description": "For each field of the snapshot the part of the request that becomes it.",
        "additionalProperties": part(format!("^({PART})$"), "A part of the request."),
    });
    let time = "The part of the request that becomes the snapshot's time, or arrival for the time at which it comes.";
    let properties = [
        ("id", part(format!("^({PART})$"), "The part of the request that becomes the snapshot's id.")),
        ("time", part(format!("^(arrival|{PART})$"), time)),
        ("fields", fields),
    ];
    table(
        "How a mirrored request becomes a snapshot. Only where the snapshots come over HTTP.",
        &["id", "time"],
        properties,
    )
}

fn plugin(description: &str, own: (&'static str, Json)) -> Json {
    let assets = json!({
        "type": "object",
        "default": {},
        "description": "Files that are handed to it: a name, and the path relative to the study's folder.",
        "additionalProperties": { "type": "string", "minLength": 1 },
    });
    let config = "Its configuration, handed to it as JSON.";
    let properties = [
        ("name", name("Its name, unlike that of any other plugin of the study.")),
        ("plugin", text("The component's file, relative to the study's folder.")),
        ("config", json!({ "type": "object", "default": {}, "description": config })),
        ("assets", assets),
        own,
    ];
    table(description, &["name", "plugin"], properties)
}

/// A model or the comparator.
fn decider(description: &str) -> Json {
    let grant = json!({
        "type": "array",
        "items": { "type": "string", "minLength": 1 },
        "uniqueItems": true,
        "default": [],
        "description": "The fields that it may read. Only the comparator may be granted fields of the decision, as \
                        `decision.NAME`.",
    });
    plugin(description, ("grant", grant))
}

fn metric() -> Json {
    let description = "Whether it is the metric that the study turns on, and the threshold's unless that names another. Exactly \
                       one is primary; a metric that is alone is so without saying it.";
    plugin("A metric.", ("primary", json!({ "type": "boolean", "description": description })))
}

fn condition() -> Json {
    let values = json!({
        "type": "array",
        "items": { "type": ["string", "integer", "boolean"] },
        "minItems": 1,
        "uniqueItems": true,
        "description": "The values of a text, integer or boolean field, in the order of the report. `other` and \
                        `missing` are added.",
    });
    let bins = json!({
        "type": "array",
        "items": { "type": "number" },
        "minItems": 1,
        "uniqueItems": true,
        "description": "The edges between the bins of an integer or number field, ascending. `missing` is added.",
    });
    let calendar =
        "Weekend or not, day of the week, hour or month of the observed time, in the study's zone.";
    let properties = [
        ("name", name("Its name, unlike that of any other condition; not `all`.")),
        ("field", text("The snapshot's field that it splits by.")),
        ("values", values),
        ("bins", bins),
        ("calendar", choice(&CALENDAR, calendar)),
    ];
    let description = "A split of the snapshots: by values or bins of a field, or by the calendar.";
    let mut condition = table(description, &["name"], properties);
    condition["oneOf"] = json!([
        { "required": ["field", "values"], "properties": { "bins": false, "calendar": false } },
        { "required": ["field", "bins"], "properties": { "values": false, "calendar": false } },
        { "required": ["calendar"], "properties": { "field": false, "values": false, "bins": false } },
    ]);
    condition
}

fn windows() -> Json {
    let mut week_ends = choice(&WEEKDAYS, "The last day of a week. Only with every = \"week\".");
    week_ends["default"] = json!("sunday");
    let properties = [("every", choice(&EVERY, "The interval.")), ("week-ends", week_ends)];
    let mut windows = table("The calendar intervals that figures are given for.", &["every"], properties);
    windows["dependentSchemas"] = json!({ "week-ends": { "properties": { "every": { "const": "week" } } } });
    windows
}

fn limits() -> Json {
    let mut timeout = duration("The wall-clock backstop of one call, whatever its rows. Above zero.");
    timeout["default"] = json!(format!("{}s", check::CALL_TIMEOUT.as_secs()));
    let waiting = "Memory for records that wait for their partner, in MiB. Beyond it they wait on disk.";
    let fuel = "Fuel for one row, about one unit an instruction. A batch that needs more is cut, in the end to single rows.";
    let properties = [
        ("batch-rows", whole(check::BATCH_ROWS, "The most rows in one batch.")),
        ("workers", whole(check::WORKERS, "Threads that run models.")),
        ("fuel-per-row", whole(check::FUEL_PER_ROW, fuel)),
        ("call-timeout", timeout),
        ("memory-mib", whole(check::MEMORY_MIB, "The memory of one plugin's instance, in MiB.")),
        ("record-bytes", whole(check::RECORD_BYTES, "The longest record that is accepted, in bytes.")),
        ("waiting-mib", whole(check::WAITING_MIB, waiting)),
    ];
    table("What one plugin may use, and how records travel.", &[], properties)
}

fn log() -> Json {
    let keep_raw = "Whether the log keeps each record's own text beside its columns.";
    let mut wait = duration(
        "How long a commit waits for more, once something waits to be acknowledged. A commit takes what has come while the \
         last one was being synced in any case.",
    );
    wait["default"] = json!("0s");
    let mut seal = duration("How long a segment stays open at most, unless it is empty. Above zero.");
    seal["default"] = json!("1h");
    let share = "The share of the snapshots that each model is asked about a second time, by a fresh instance and in \
                 another batch: a model that keeps something between calls answers otherwise then, which is counted and \
                 reported.";
    let share = json!({
        "type": "number", "minimum": 0, "maximum": 1, "default": check::REPLAY_SHARE, "description": share,
    });
    let retain = "How long the snapshots' own text and fields are kept after their segment was sealed; their digests, answers and \
                  scores are kept for ever. For ever unless declared. Above zero.";
    let properties = [
        ("keep-raw", json!({ "type": "boolean", "default": true, "description": keep_raw })),
        ("replay-share", share),
        ("commit-wait", wait),
        ("commit-rows", whole(check::COMMIT_ROWS, "The rows with which a commit waits no longer.")),
        (
            "segment-rows",
            whole(check::SEGMENT_ROWS, "The rows of a table with which its open segment is sealed."),
        ),
        ("seal-every", seal),
        ("retain", duration(retain)),
    ];
    table("The run log.", &[], properties)
}

/// A table with these keys and no others.
fn table(
    description: &str,
    required: &[&str],
    properties: impl IntoIterator<Item = (&'static str, Json)>,
) -> Json {
    let properties: Json = properties.into_iter().collect();
    json!({
        "type": "object",
        "description": description,
        "required": required,
        "additionalProperties": false,
        "properties": properties,
    })
}

fn tables(description: &str, least: usize, items: Json) -> Json {
    json!({ "type": "array", "description": description, "minItems": least, "items": items })
}

fn text(description: &str) -> Json {
    json!({ "type": "string", "minLength": 1, "description": description })
}

fn name(description: &str) -> Json {
    let description = format!("{description} Letters, digits, `-` and `_`.");
    json!({ "type": "string", "pattern": "^[A-Za-z0-9_-]+$", "description": description })
}

fn duration(description: &str) -> Json {
    let description = format!("{description} Written such as 30s, 15m, 24h, 7d or 1d12h.");
    json!({ "type": "string", "pattern": "^([0-9]+(w|d|h|m|s|ms))+$", "description": description })
}

fn whole(Bound { least, most, default }: Bound, description: &str) -> Json {
    json!({ "type": "integer", "minimum": least, "maximum": most, "default": default, "description": description })
}

fn choice<T>(choices: &[(&str, T)], description: &str) -> Json {
    let words: Vec<_> = choices.iter().map(|(word, _)| word).collect();
    json!({ "enum": words, "description": description })
}

#[cfg(test)]
mod tests;
