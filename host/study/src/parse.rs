//! Parses `study.toml` into a [`Study`].
//!
//! Invariants: each function reads one section: first every key, then the rules between keys, then it builds the value. A
//! value that could not be read is `None`, and its fault is reported.

use std::path::PathBuf;

use jiff::SignedDuration;
use jiff::civil::Weekday;
use toml::de::DeTable;

use super::ceiling::ceiling;
use super::condition::condition;
use super::diagnostics::Diagnostics;
use super::divergence::{divergence, interim};
use super::follow_up::follow_up;
use super::metadata::metadata;
use super::mirror::mirror;
use super::named_entry::NamedEntry;
use super::plugin::{DeclaredRole, plugin, primary};
use super::revisions::{revisions, with_version};
use super::similar_names::{COLUMNS, warn_of_similar_names};
use super::swaps::swaps;
use super::table_reader::{TableReader, bounded};
use super::threshold::{Declarations, VerdictCount, blinding, scopes, threshold};
use super::toml_value::Value;
use super::validate::{self, DECISION_PREFIX, DeclaredFields, EVERY, Fields, NAME, NameRegistry, WEEKDAYS};
use super::{
    Every, Field, FieldKind, FileSource, InvalidStudy, Limits, LogSettings, PerStream, Plugins, RecordFormat,
    Source, Stream, Study, Windows,
};

// What to write for a key, in messages about missing and about wrong values.
const ZONE: &str = "the time zone in which days begin, such as \"Europe/Amsterdam\", \"UTC\" or \"+01:00\"";
const REGISTER: &str =
    "the path of a register of seals that several studies share, such as \"../register.jsonl\"";
const INPUTS: &str = "[inputs] with the keys of a snapshot's id and time, such as id = \"id\" and \
                      time = \"observed_at\", and its fields under [inputs.fields]";
const DECISIONS: &str = "[decisions] with the keys of a decision's id and time, such as id = \"id\" and \
                         time = \"decided_at\", with horizon = \"2d\", and its fields under [decisions.fields]";
const ID: &str = "the key of a record's id, such as \"id\"";
const TIME: &str = "the key of a record's time, such as \"observed_at\"";
const DURATION: &str = "a duration such as \"30s\", \"15m\", \"24h\" or \"7d\", up to \"36500d\"";
const SOURCES: &str = "[sources] with snapshots = { file = \"snapshots.jsonl\" } and \
                       decisions = { file = \"decisions.jsonl\" }";
const SOURCE: &str = "{ file = \"records.jsonl\" }, { stdin = true } or { http = true }";
const DECISIONS_SOURCE: &str = "{ file = \"records.jsonl\" }, { stdin = true } or { http = true }. A shadow study compares with the \
                                decisions of the substrate: if there are none, use a canary release with tight controls \
                                instead";
const MODELS: &str = "[[models]] once for each model, with name and plugin";
const COMPARATOR: &str = "[comparator] exactly once, with name and plugin";
const METRICS: &str =
    "[[metrics]] once for each metric, with name and plugin, and primary = true in one of them";
const CONDITIONS: &str = "[[conditions]] once for each condition, with name and either field and values, field and bins, or calendar";
const THRESHOLD: &str = "[threshold] with at-least, quantifier, windows and evidence";
const WINDOWS: &str = "[windows] with every = \"week\", or another interval";

/// Parses and validates a declaration.
///
/// # Errors
///
/// Every fault of the declaration, each with its line, and the plugins that could be parsed. If parts of the text are not
/// TOML, the rest is still validated.
pub fn parse(text: &str) -> Result<Study, Box<InvalidStudy>> {
    let (diagnostics, readable) = Diagnostics::new(text);
    let (document, _) = DeTable::parse_recoverable(&readable);
    let (found, plugins) = TableReader::root(&diagnostics, document.get_ref(), |root| {
        let mut plugins = None;
        (study(root, &mut plugins), plugins)
    });
    match (diagnostics.into_faults(), plugins) {
        (Some(faults), Some(plugins)) => Err(Box::new(InvalidStudy { faults, plugins })),
        _ => Ok(found.expect("what could not be read has been recorded as a fault")),
    }
}

/// Reads the whole document. `plugins` receives those that could be parsed, whatever else is wrong.
fn study(root: &mut TableReader<'_>, plugins: &mut Option<Plugins>) -> Option<Study> {
    let name = root.required("study", NAME, Value::name);
    let zone = root.required("time-zone", ZONE, Value::word);
    let time_zone = zone.and_then(|zone| root.check("time-zone", validate::time_zone(zone)));
    let register = root.optional("register", REGISTER, Value::word);
    let metadata = metadata(root);
    let follow_up = follow_up(root);

    let (mut horizon, mut revised) = (None, None);
    let decisions = root.section("decisions", DECISIONS, |section| {
        horizon = section.required("horizon", &above_zero(), positive);
        let (declared, version) = revisions(section);
        let read = stream(section, horizon);
        revised = with_version(section, declared, version, &read.1);
        read
    });
    let inputs = root.section("inputs", INPUTS, |section| {
        let read = stream(section, horizon);
        for field in read.1.iter().filter(|field| field.name.starts_with(DECISION_PREFIX)) {
            let (path, name) = (section.at("fields"), &field.name);
            let message = format!(
                "`{path}` has `{name}`, but the prefix `{DECISION_PREFIX}` is reserved for fields of the decision; rename the \
                 field in the snapshots, or remove it"
            );
            section.fault(field.line, message);
        }
        read
    });
    let (decisions, decision_fields) = decisions.unzip();
    let (inputs, input_fields) = inputs.unzip();
    let declared = DeclaredFields { inputs: input_fields, decisions: decision_fields };
    let mut source_lines = PerStream::default();
    let sources = root
        .section("sources", SOURCES, |section| {
            source_lines = PerStream::from_fn(|kind| section.line_of(kind.name()));
            sources(section)
        })
        .flatten();
    let mirror = {
        let inputs = inputs.as_ref().and_then(Option::as_ref);
        mirror(root, &declared, inputs, sources.as_ref().map(|(snapshots, _)| snapshots))
    };

    let mut names = NameRegistry::new("plugin");
    let models =
        root.some_sections("models", MODELS, |each| plugin(each, DeclaredRole::Model, &declared, &mut names));
    let comparator = root
        .section("comparator", COMPARATOR, |only| {
            plugin(only, DeclaredRole::Comparator, &declared, &mut names)
        })
        .flatten();
    let mut primaries = Vec::new();
    let metrics = root.some_sections("metrics", METRICS, |each| {
        primaries.push((each.optional("primary", "true or false", Value::boolean), each.line()));
        plugin(each, DeclaredRole::Metric, &declared, &mut names)
    });
    let primary = primary(root, &primaries);
    warn_of_similar_names(root, "plugin", COLUMNS, names.declared());
    for (sort, fields) in [("input field", &declared.inputs), ("decision field", &declared.decisions)] {
        let fields = fields.iter().flatten();
        warn_of_similar_names(root, sort, COLUMNS, fields.map(|field| (field.name.as_str(), field.line)));
    }

    let mut names = NameRegistry::new("condition");
    let conditions = root.sections("conditions", CONDITIONS, |each| condition(each, &declared, &mut names));
    warn_of_similar_names(root, "condition", COLUMNS, names.declared());
    let windows = root.section("windows", WINDOWS, windows).flatten();
    let limits = root.section_or_default("limits", "[limits] with the limits to change", limits);
    let log = root.section_or_default("log", "[log] with the settings to change", log);
    let verdicts = VerdictCount { models: models.len(), scopes: root.length("scopes") };
    let known = Declarations {
        metrics: &metrics,
        primary,
        conditions: &conditions,
        fields: &declared,
        verdicts,
        is_ceiling_declared: root.has("ceiling"),
    };
    let threshold = root.optional_section("threshold", THRESHOLD, |section| threshold(section, &known));
    let scopes = scopes(root, &known);
    let blinding = blinding(root);
    let ceiling = ceiling(root, &declared, &models);
    let divergence = divergence(root, &known);
    let interim = interim(root);
    let swaps = swaps(root);

    *plugins = Some(Plugins {
        models: models.iter().flatten().cloned().collect(),
        comparator: comparator.clone(),
        metrics: metrics.iter().flatten().cloned().collect(),
        limits: limits.clone(),
    });
    let (snapshots_source, decisions_source) = sources?;
    Some(Study {
        name: name?.to_owned(),
        time_zone: time_zone?,
        register: register.map(PathBuf::from),
        metadata,
        follow_up: follow_up.ok()?,
        inputs: inputs.flatten()?,
        decisions: decisions.flatten()?,
        horizon: horizon?,
        revisions: revised?,
        snapshots_source,
        decisions_source,
        source_lines,
        mirror: mirror.ok()?,
        models: models.into_iter().collect::<Option<_>>()?,
        comparator: comparator?,
        metrics: metrics.into_iter().collect::<Option<_>>()?,
        primary: primary?,
        conditions: conditions.into_iter().collect::<Option<_>>()?,
        windows: windows?,
        limits,
        log,
        threshold: match threshold {
            Some(read) => Some(read?),
            None => None,
        },
        scopes: scopes?,
        blinding,
        ceiling: match ceiling {
            Some(read) => Some(read?),
            None => None,
        },
        divergence: divergence?,
        interim,
        swaps,
        warnings: root.take_warnings(),
    })
}

fn above_zero() -> String {
    DURATION.replacen("a duration", "a duration above zero,", 1)
}

/// Reads a stream, and its fields as far as possible. The default lateness is the horizon.
fn stream(section: &mut TableReader<'_>, horizon: Option<SignedDuration>) -> (Option<Stream>, Fields) {
    let id = section.required("id", ID, Value::word);
    let time = section.required("time", TIME, Value::word);
    let lateness = section.optional("lateness", DURATION, Value::duration).or(horizon);
    let most_ahead =
        section.optional("most-ahead", DURATION, Value::duration).unwrap_or(validate::MOST_AHEAD);
    let kinds = FieldKind::ALL.map(|kind| (kind.name(), kind));
    let declared = section.entries("fields", &validate::one_of(&kinds), |value| value.choice(&kinds));

    if let (Some(id), Some(time)) = (id, time)
        && id == time
    {
        let message = format!("`{}` is \"{time}\", and so is `id`; write {TIME}", section.at("time"));
        section.fault(section.line_of("time"), message);
    }
    let field = |entry: &NamedEntry<FieldKind>| Some(Field { name: entry.name.clone(), kind: entry.value? });
    let fields = declared.iter().map(field).collect::<Option<_>>();
    let stream = || {
        let (id, time) = (id?.to_owned(), time?.to_owned());
        Some(Stream { id, time, lateness: lateness?, most_ahead, fields: fields? })
    };
    (stream(), declared)
}

/// Reads the section `[sources]`.
fn sources(section: &mut TableReader<'_>) -> Option<(Source, Source)> {
    let snapshots = section.section("snapshots", SOURCE, source).flatten();
    let decisions = section.section("decisions", DECISIONS_SOURCE, source).flatten();
    let sources = (snapshots?, decisions?);
    if sources == (Source::Stdin, Source::Stdin) {
        let message = "`sources.snapshots` and `sources.decisions` are both standard input; \
                       write { file = \"records.jsonl\" } for one of them";
        section.fault(section.line_of("snapshots").max(section.line_of("decisions")), message.to_owned());
    }
    Some(sources)
}

fn source(section: &mut TableReader<'_>) -> Option<Source> {
    let file = section.optional("file", "a path such as \"records.jsonl\"", Value::word);
    let mut flag =
        |key| section.optional(key, "true, or another source instead", |v| v.boolean().filter(|set| *set));
    let (stdin, http) = (flag("stdin"), flag("http"));
    let formats = RecordFormat::ALL.map(|format| (format.name(), format));
    let format = section.optional("format", &validate::one_of(&formats), |value| value.choice(&formats));
    if !section.has("file") {
        section.refuse("format", "only a file has a format, and other sources are JSON Lines; remove it");
    }
    let keys = ["file", "stdin", "http"].into_iter().filter(|key| section.has(key)).collect::<Vec<_>>();
    match keys[..] {
        ["file"] => file.map(|file| {
            let by_ending = FileSource::from_path(file);
            Source::File(FileSource { format: format.unwrap_or(by_ending.format), ..by_ending })
        }),
        ["stdin"] => stdin.map(|_| Source::Stdin),
        ["http"] => http.map(|_| Source::Http),
        _ => {
            let has = match &keys[..] {
                [] => "none of `file`, `stdin` and `http`".to_owned(),
                several => several.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(" and "),
            };
            let message = format!("`{}` has {has}; write {SOURCE}", section.path());
            section.absent(&["file", "stdin", "http"], section.line(), &message);
            None
        }
    }
}

fn windows(section: &mut TableReader<'_>) -> Option<Windows> {
    let every = section.required("every", &validate::one_of(&EVERY), |value| value.choice(&EVERY));
    let week_ends =
        section.optional("week-ends", &validate::one_of(&WEEKDAYS), |value| value.choice(&WEEKDAYS));
    if every.is_some_and(|every| every != Every::Week) {
        section.refuse("week-ends", "only weeks have a last day; remove it, or write every = \"week\"");
    }
    Some(Windows { every: every?, week_ends: week_ends.unwrap_or(Weekday::Sunday) })
}

fn limits(section: &mut TableReader<'_>) -> Limits {
    // No bound is negative or exceeds the types.
    let batch_rows = bounded(section, "batch-rows", validate::BATCH_ROWS) as usize;
    let workers = bounded(section, "workers", validate::WORKERS) as usize;
    let fuel_per_row = bounded(section, "fuel-per-row", validate::FUEL_PER_ROW) as u64;
    let memory_mib = bounded(section, "memory-mib", validate::MEMORY_MIB) as usize;
    let record_bytes = bounded(section, "record-bytes", validate::RECORD_BYTES) as usize;
    let join_buffer_mib = bounded(section, "join-buffer-mib", validate::JOIN_BUFFER_MIB) as usize;
    let answer_kib = bounded(section, "answer-kib", validate::ANSWER_KIB) as usize;
    let call_timeout =
        section.optional("call-timeout", &above_zero(), positive).unwrap_or(validate::CALL_TIMEOUT);
    Limits {
        batch_rows,
        workers,
        fuel_per_row,
        call_timeout,
        memory_mib,
        record_bytes,
        join_buffer_mib,
        answer_kib,
    }
}

fn log(section: &mut TableReader<'_>) -> LogSettings {
    let keep_raw = section.optional("keep-raw", "true or false", Value::boolean).unwrap_or(true);
    let commit_wait = section.optional("commit-wait", DURATION, Value::duration).unwrap_or_default();
    let commit_rows = bounded(section, "commit-rows", validate::COMMIT_ROWS) as usize;
    let segment_rows = bounded(section, "segment-rows", validate::SEGMENT_ROWS) as usize;
    let seal_every = section.optional("seal-every", &above_zero(), positive).unwrap_or(validate::SEAL_EVERY);
    let share = |value: &Value<'_>| value.number().filter(|share| (0.0..=1.0).contains(share));
    let replay_share =
        section.optional("replay-share", "a number from 0 to 1", share).unwrap_or(validate::REPLAY_SHARE);
    let retain = section.optional("retain", &above_zero(), positive);
    LogSettings { keep_raw, commit_wait, commit_rows, segment_rows, seal_every, replay_share, retain }
}

fn positive(value: &Value<'_>) -> Option<SignedDuration> {
    value.duration().filter(SignedDuration::is_positive)
}

#[cfg(test)]
mod tests;
