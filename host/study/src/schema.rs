//! The JSON Schema of `study.toml`, for editors: completion, descriptions and early validation.
//!
//! Invariants: the schema covers what can be validated key by key; [`parse`](super::parse) decides. Tests verify that both
//! have the same keys, required keys, defaults and bounds.

mod decision;

use serde_json::{Value as Json, json};

use super::metadata::{NOTES_CHARS, OWNER_CHARS, OWNERS, PROTOCOL_CHARS};
use super::model_file::TOP_COUNTS;
use super::validate::{self, Bound, CALENDAR, EVERY, WEEKDAYS};
use super::{FieldKind, ModelFormat, RecordFormat, Revisions};

/// The JSON Schema (draft 2020-12) of `study.toml`.
pub fn schema() -> Json {
    let sources = [
        ("snapshots", source("Where the snapshots come from.")),
        ("decisions", source("Where the decisions come from. Required.")),
    ];
    let comparator = "The plugin that derives the substrate's answer from its decision, in the form of the models' answers.";
    let properties = [
        ("study", name("The study's name.")),
        ("time-zone", time_zone()),
        ("register", register()),
        ("metadata", metadata()),
        ("follow-up", follow_up()),
        ("inputs", stream("The snapshots: the inputs that the models see.", INPUT_FIELDS, &[], [])),
        ("decisions", decisions()),
        ("sources", table("Where the records come from.", &["snapshots", "decisions"], sources)),
        ("mirror", mirror()),
        ("models", tables("The models of the study.", 1, model())),
        ("comparator", decider(comparator)),
        ("metrics", tables("The metrics that score a model's answers against the substrate's.", 1, metric())),
        ("conditions", tables("The declared partitions of the snapshots.", 0, condition())),
        ("windows", windows()),
        ("limits", limits()),
        ("log", log()),
        ("threshold", decision::threshold()),
        ("scopes", tables("The parts of the input that have a verdict of their own.", 0, decision::scope())),
        ("blinding", decision::blinding()),
        ("ceiling", decision::ceiling()),
        ("divergence", decision::divergence()),
        ("interim", decision::interim()),
        ("swaps", decision::swaps()),
    ];
    let description = "A study: which models run in shadow, on which records, and how their answers are compared with the \
                       real decisions.";
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
    "The fields of a snapshot that the study uses: top-level keys of the record and their types.";
const DECISION_FIELDS: &str = "The fields of a decision that the study uses: top-level keys of the record and their \
                               types. Elsewhere in the study their names have the prefix `decision.`.";

fn time_zone() -> Json {
    text(
        "The time zone of windows and calendar conditions: an IANA name such as Europe/Amsterdam, or an offset such as +01:00.",
    )
}

fn register() -> Json {
    text(
        "The path of a register of seals that several studies share: a file, or a directory for `register.jsonl` in it, \
         relative to the directory of study.toml. A file that does not exist is created, in a folder that does. Each seal of \
         the study, and each start of a run, is appended before the first record is read. The verdict then says how many seals \
         of this study, over this feed or of these fields came before, and a seal that is not in its register is VOID.",
    )
}

fn metadata() -> Json {
    let owners = json!({
        "type": "array",
        "items": { "type": "string", "minLength": 1, "maxLength": OWNER_CHARS },
        "minItems": 1,
        "maxItems": OWNERS,
        "uniqueItems": true,
        "description": format!(
            "Who is responsible for the study: people or teams, up to {OWNERS} names of up to {OWNER_CHARS} characters."
        ),
    });
    let protocol = format!(
        "Where metric and threshold were agreed: an http or https URL, without a user name or password, or a text on one line. Up to \
         {PROTOCOL_CHARS} characters."
    );
    let notes = format!("Notes, which may have several lines. Up to {NOTES_CHARS} characters.");
    let limited = |most: usize, description: &str| {
        let mut limited = text(description);
        limited["maxLength"] = json!(most);
        limited
    };
    let properties = [
        ("owners", owners),
        ("protocol", limited(PROTOCOL_CHARS, &protocol)),
        ("notes", limited(NOTES_CHARS, &notes)),
    ];
    table(
        "What people should know of the study. It is sealed, shown in the provenance of reports, and never interpreted.",
        &[],
        properties,
    )
}

fn follow_up() -> Json {
    let digest = |description: &str| json!({ "type": "string", "pattern": "^[0-9a-f]{64}$", "description": description });
    let properties = [
        (
            "run",
            digest("The hash of the first entry in the ledger of the earlier run, which identifies the run."),
        ),
        ("seal", digest("SHA-256 of the seal of the earlier run.")),
        ("verdict", digest("SHA-256 of the `verdict.json` of the earlier run.")),
        (
            "scope",
            name("The scope that the verdict left open, as this study names it; `all` for all of the input."),
        ),
    ];
    table(
        "The verdict of an earlier study that asked for this one, as `understudy follow-up` writes it. It is sealed, shown in the \
         provenance of reports, and never interpreted.",
        &["run", "seal", "verdict", "scope"],
        properties,
    )
}

fn horizon() -> Json {
    duration(
        "The largest distance between the times of a snapshot and its decision, in either direction. Above \
         zero.",
    )
}

fn decisions() -> Json {
    let revisions = json!({
        "enum": Revisions::NAMES,
        "default": Revisions::default().name(),
        "description": "Which decision counts if several within the horizon of a snapshot have its id and differ: with \
                        `refuse` the one that arrives first, and later ones are excluded as conflicts; with `first` the \
                        first one by event time; with `last` the last one by `version` or event time.",
    });
    let version = "The field of the decision that orders its revisions: an integer, number, timestamp or text, which is \
                   compared by code points. Event time decides between equal versions, and a decision without a version \
                   comes first. Only with revisions = \"last\"; without it, the order is that of the event times.";
    let own = [("horizon", horizon()), ("revisions", revisions), ("version", text(version))];
    let mut decisions = stream("The decisions that the substrate made.", DECISION_FIELDS, &["horizon"], own);
    decisions["dependentSchemas"] = json!({ "version": { "required": ["revisions"], "properties": { "revisions": { "const": "last" } } } });
    decisions
}

/// The schema of a stream, with its `own` keys besides those of every stream.
fn stream(
    description: &str,
    fields: &str,
    own_required: &[&'static str],
    own: impl IntoIterator<Item = (&'static str, Json)>,
) -> Json {
    let kinds = FieldKind::ALL.map(FieldKind::name);
    let fields =
        json!({ "type": "object", "description": fields, "additionalProperties": { "enum": kinds } });
    let lateness = "How far a record may lag behind the latest record of its stream before it is late. A file that is \
                    further out of order of time ends the run. The horizon by default.";
    let mut most_ahead = duration(
        "How far a record's event time may lie ahead of the clock of the machine that runs the study. A record beyond it is \
         rejected and does not move the clock of its stream. A study with simulated time declares more.",
    );
    most_ahead["default"] = json!("1h");
    let properties = [
        ("id", text("The key of a record's id, a string or an integer.")),
        ("time", text("The key of a record's event time, RFC 3339 with a time zone.")),
        ("lateness", duration(lateness)),
        ("most-ahead", most_ahead),
        ("fields", fields),
    ];
    let mut required = vec!["id", "time"];
    required.extend(own_required);
    table(description, &required, properties.into_iter().chain(own))
}

fn source(description: &str) -> Json {
    let stdin = "JSON Lines on standard input. At most one of the two sources.";
    let properties = [
        (
            "file",
            text(
                "The path of a file, relative to the directory of study.toml: JSON Lines or CSV, plain, gzip or zstd, or Parquet.",
            ),
        ),
        (
            "format",
            json!({
                "enum": RecordFormat::ALL.map(RecordFormat::name),
                "description": "The format of the file. Without it, the extension determines it: `.csv`, `.csv.gz` and `.csv.zst` \
                                are CSV, `.parquet` is Parquet, and any other file is JSON Lines.",
            }),
        ),
        ("stdin", json!({ "const": true, "description": stdin })),
        ("http", json!({ "const": true, "description": "HTTP requests to `understudy serve`." })),
    ];
    let mut source = table(description, &[], properties);
    source["dependentRequired"] = json!({ "format": ["file"] });
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
        "description": "The part of the request that becomes each field of the snapshot.",
        "additionalProperties": part(format!("^({PART})$"), "A part of the request."),
    });
    let time = "The part of the request that becomes the snapshot's event time, or `arrival` for the time of arrival.";
    let properties = [
        ("id", part(format!("^({PART})$"), "The part of the request that becomes the snapshot's id.")),
        ("time", part(format!("^(arrival|{PART})$"), time)),
        ("fields", fields),
    ];
    table(
        "How mirrored requests become snapshots. Only if the snapshots come over HTTP.",
        &["id", "time"],
        properties,
    )
}

fn plugin(description: &str, own: (&'static str, Json)) -> Json {
    let assets = json!({
        "type": "object",
        "default": {},
        "description": "Files that the plugin receives: a name, and the path relative to the directory of study.toml.",
        "additionalProperties": { "type": "string", "minLength": 1 },
    });
    let config = "The configuration, which the plugin receives as JSON.";
    let source = "The name of a stock plugin, such as `agreement`. Or the path of a component, relative to the directory of \
                  study.toml; a path has a slash or ends in `.wasm`.";
    let properties = [
        ("name", name("The name, unique among the plugins of the study.")),
        ("plugin", text(source)),
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
        "description": "The fields that the plugin may read. Only the comparator may read fields of the decision, as \
                        `decision.NAME`.",
    });
    plugin(description, ("grant", grant))
}

fn training_period() -> Json {
    let instant =
        |description: &str| json!({ "type": "string", "format": "date-time", "description": description });
    table(
        "The period of the snapshots on which a model was trained. The verdict on the model is VOID if a window that counts \
         overlaps this period.",
        &["from", "until"],
        [("from", instant("The beginning.")), ("until", instant("The end, which is excluded."))],
    )
}

fn model() -> Json {
    let names = |description: &str| {
        let items = json!({ "type": "string", "minLength": 1 });
        json!({ "type": "array", "items": items, "minItems": 1, "uniqueItems": true, "description": description })
    };
    let plugin = "The path of a component, relative to the directory of study.toml; a path has a slash or ends in `.wasm`. Or \
                  the name of a stock plugin: `recorded`, which answers with a field of the snapshot. Or the format of a \
                  trained model: `onnx`, `xgboost`, `lightgbm` or `catboost`, with `file`.";
    let file = "The path of a trained model, or of a folder that MLflow has saved, relative to the directory of study.toml. \
                Only with the name of a format in `plugin`.";
    let fields = "The names of the columns that a trained model reads, in the order of its training. Only if the file does \
                  not have them, or has others than the snapshots.";
    let labels =
        "The names of the classes of a trained model, in order. Only if the file does not have them.";
    let score_threshold = "The score from which on a trained model with one score answers the second of two `labels`, and the first \
                     below. Without it such a model answers the score, a number.";
    let softmax = "Whether a softmax converts the scores of a trained model to probabilities.";
    let top = "How many classes a trained model ranks by their scores. Without it the model answers a label or a number.";
    let mut model = decider("A model: a component, or a trained model.");
    let own = [
        ("plugin", text(plugin)),
        ("file", text(file)),
        ("fields", names(fields)),
        ("labels", names(labels)),
        ("score-threshold", json!({ "type": "number", "description": score_threshold })),
        ("softmax", json!({ "type": "boolean", "description": softmax })),
        (
            "top",
            json!({
                "type": "integer", "minimum": TOP_COUNTS.start(), "maximum": TOP_COUNTS.end(), "description": top
            }),
        ),
        ("training-period", training_period()),
    ];
    for (key, schema) in own {
        model["properties"][key] = schema;
    }
    let formats = ModelFormat::ALL.map(ModelFormat::name);
    model["if"] = json!({ "properties": { "plugin": { "enum": formats } } });
    model["then"] = json!({
        "required": ["file"],
        "properties": { "config": { "maxProperties": 0 }, "assets": { "maxProperties": 0 } },
    });
    model["else"] = json!({
        "properties": {
            "file": false, "fields": false, "labels": false, "score-threshold": false, "softmax": false, "top": false
        },
    });
    model
}

fn metric() -> Json {
    let description = "Whether the metric is the primary one, which the threshold uses by default. Exactly one metric is primary; a \
                       single metric is primary by default.";
    plugin("A metric.", ("primary", json!({ "type": "boolean", "description": description })))
}

fn condition() -> Json {
    let values = json!({
        "type": "array",
        "items": { "type": ["string", "integer", "boolean"] },
        "minItems": 1,
        "uniqueItems": true,
        "description": "The values of a text, integer or boolean field, in the order of reports. `other` and \
                        `missing` are added.",
    });
    let bins = json!({
        "type": "array",
        "items": { "type": "number" },
        "minItems": 1,
        "uniqueItems": true,
        "description": "The edges between the bins of an integer or number field, ascending. `missing` is added.",
    });
    let calendar = "Weekend, day of the week, hour or month of the observed time, in the study's time zone.";
    let properties = [
        ("name", name("The name, unique among the conditions; not `all`.")),
        ("field", text("The snapshot's field whose value decides.")),
        ("values", values),
        ("bins", bins),
        ("calendar", choice(&CALENDAR, calendar)),
    ];
    let description = "A partition of the snapshots by values or bins of a field, or by the calendar.";
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
    let properties = [("every", choice(&EVERY, "The length of a window.")), ("week-ends", week_ends)];
    let mut windows = table("The windows that results are reported for.", &["every"], properties);
    windows["dependentSchemas"] = json!({ "week-ends": { "properties": { "every": { "const": "week" } } } });
    windows
}

fn limits() -> Json {
    let mut timeout = duration("The wall-clock limit of one call, whatever its number of rows. Above zero.");
    timeout["default"] = json!(format!("{}s", validate::CALL_TIMEOUT.as_secs()));
    let join_buffer = "The memory of the join buffer, in MiB. Records beyond it are spilled to disk.";
    let answer = "The longest answer of a plugin, in KiB: of a label, or of all names of a ranking together. A longer one is a \
                  failure of the plugin on that row.";
    let rows = "Rows of the largest batch. A batch has fewer where its answers could exceed 512 MiB by `answer-kib`: 4096 by \
                default.";
    let fuel = "Fuel per row, about one unit an instruction. A batch that runs out of fuel is halved, down to single rows.";
    let properties = [
        ("batch-rows", whole(validate::BATCH_ROWS, rows)),
        ("workers", whole(validate::WORKERS, "Threads that run models.")),
        ("fuel-per-row", whole(validate::FUEL_PER_ROW, fuel)),
        ("call-timeout", timeout),
        ("memory-mib", whole(validate::MEMORY_MIB, "Linear memory of one plugin instance, in MiB.")),
        ("record-bytes", whole(validate::RECORD_BYTES, "The longest accepted record, in bytes.")),
        ("join-buffer-mib", whole(validate::JOIN_BUFFER_MIB, join_buffer)),
        ("answer-kib", whole(validate::ANSWER_KIB, answer)),
    ];
    table("Resource limits.", &[], properties)
}

fn log() -> Json {
    let keep_raw = "Whether the log stores the text of each record beside its columns.";
    let mut wait = duration(
        "How long a commit waits for more rows once a client waits for it. A commit always takes the rows that arrived \
         during the previous sync.",
    );
    wait["default"] = json!("0s");
    let mut seal = duration("The longest time that a non-empty segment stays open. Above zero.");
    seal["default"] = json!("1h");
    let share = "The share of the snapshots in the determinism check: each model answers them again on a fresh instance \
                 in another batch. Mismatches reveal state that a model keeps between calls; they are counted and \
                 reported.";
    let share = json!({
        "type": "number", "minimum": 0, "maximum": 1, "default": validate::REPLAY_SHARE, "description": share,
    });
    let retain = "How long text and fields of snapshots are kept after their segment is sealed. Digests, answers and scores are \
                  kept forever. Above zero; forever by default.";
    let properties = [
        ("keep-raw", json!({ "type": "boolean", "default": true, "description": keep_raw })),
        ("replay-share", share),
        ("commit-wait", wait),
        ("commit-rows", whole(validate::COMMIT_ROWS, "The number of rows at which a commit stops waiting.")),
        (
            "segment-rows",
            whole(
                validate::SEGMENT_ROWS,
                "The number of rows of a table at which its open segment is sealed.",
            ),
        ),
        ("seal-every", seal),
        ("retain", duration(retain)),
    ];
    table("Settings of the run log.", &[], properties)
}

/// The schema of a table with exactly these keys.
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
    let description = format!("{description} Written as 30s, 15m, 24h, 7d or 1d12h.");
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
