//! Everything that a declaration needs, guessed from two feeds.
//!
//! Invariants: pure; what cannot be guessed is a question, and all questions are asked at once where they do not depend on
//! each other.

use std::collections::BTreeMap;

use understudy_report::{count, counted};
use understudy_study::{AnswerForm, Every, FieldKind, Micros};

use super::decision_guess::{DecisionField, DecisionOverrides, guess_decision};
use super::feed_sample::Sample;
use super::id_guess::{IdOverrides, Ids, guess_ids};
use super::model_guess::{ModelField, guess_model};
use super::operator_question::Question;
use super::slice_guess::{FieldCondition, guess_conditions, guess_windows, has_weekends};
use super::time_guess::{Times, distances, guess_horizon, guess_time};

/// The most labels that a metric lists.
const MOST_LABELS: usize = 30;
/// How far a time may lie ahead of the clock, unless a study declares more.
const MOST_AHEAD: i64 = 3_600_000_000;

/// Values that the command line names.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Overrides<'a> {
    pub ids: IdOverrides<'a>,
    pub time: Option<&'a str>,
    pub decision_time: Option<&'a str>,
    pub decision: DecisionOverrides<'a>,
}

/// A field of a stream.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct DraftField {
    pub name: String,
    pub kind: FieldKind,
}

/// A guess as `understudy init` prints it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Guess {
    /// The guessed setting, such as `id`.
    pub what: &'static str,
    /// The value and its reason.
    pub text: String,
}

/// The declaration.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub ids: Ids,
    pub snapshot_time: String,
    pub decision_time: String,
    pub lateness: Option<&'static str>,
    pub is_ahead: bool,
    pub horizon: &'static str,
    pub input_fields: Vec<DraftField>,
    pub decision_fields: Vec<DraftField>,
    pub has_revisions: bool,
    pub decision: DecisionField,
    pub model: ModelField,
    /// The labels of the decisions, if they are few.
    pub labels: Vec<String>,
    pub has_weekends: bool,
    pub conditions: Vec<FieldCondition>,
    pub every: Every,
    /// In the order of the declaration.
    pub guesses: Vec<Guess>,
    /// What to do before a run.
    pub notes: Vec<String>,
}

/// Guesses a declaration. `now` is the time of the clock.
///
/// # Errors
/// What the feeds do not tell.
pub(super) fn draft(
    snapshots: &Sample,
    decisions: &Sample,
    named: Overrides<'_>,
    now: Micros,
) -> Result<Draft, Vec<Question>> {
    let ids = guess_ids(snapshots, decisions, named.ids);
    let snapshot_times = guess_time(snapshots, named.time);
    let decision_times = guess_time(decisions, named.decision_time);
    let (ids, snapshot_times, decision_times) = match (ids, snapshot_times, decision_times) {
        (Ok(ids), Ok(snapshot_times), Ok(decision_times)) => (ids, snapshot_times, decision_times),
        (ids, snapshot_times, decision_times) => {
            let times = [snapshot_times.err(), decision_times.err()].into_iter().flatten();
            return Err(ids.err().into_iter().flatten().chain(times).collect());
        }
    };
    let snapshot_keys = [&ids.snapshots[..], &snapshot_times.key[..]];
    let decision_keys = [&ids.decisions[..], &decision_times.key[..]];
    let asked = |question: Question| vec![question];
    let decision =
        guess_decision(snapshots, decisions, decision_keys, &ids.pairs, named.decision).map_err(asked)?;
    let decided = decisions.column(&decision.name).expect("the decision is a field");
    let model = guess_model(snapshots, &decision, decided, snapshot_keys, &ids.pairs).map_err(asked)?;

    let mut guesses = Vec::new();
    let mut guess = |what: &'static str, text: String| guesses.push(Guess { what, text });
    guess(
        "id",
        match ids.snapshots == ids.decisions {
            true => format!("`{}`: {}", ids.snapshots, ids.reason),
            false => format!(
                "`{}` of the snapshots and `{}` of the decisions: {}",
                ids.snapshots, ids.decisions, ids.reason
            ),
        },
    );
    for (what, times) in [("time", &snapshot_times), ("time of decisions", &decision_times)] {
        guess(what, format!("`{}`: {}", times.key, times.reason));
    }
    let (horizon, horizon_reason) = guess_horizon(&distances(&snapshot_times, &decision_times, &ids.pairs));
    guess("horizon", format!("{horizon}: {horizon_reason}"));
    let mut notes = [&snapshots.notes[..], &decisions.notes[..]].concat();
    let lateness = lateness([&snapshot_times, &decision_times], horizon, &mut notes);
    let is_ahead =
        [&snapshot_times, &decision_times].into_iter().any(|times| times.span.1.0 > now.0 + MOST_AHEAD);
    if is_ahead {
        guess(
            "clock",
            "times lie ahead of this machine's clock, as simulated ones do: `most-ahead` allows it"
                .to_owned(),
        );
    }
    for (number, one, several) in
        [(ids.copies[0], "snapshot is", "snapshots are"), (ids.copies[1], "decision is", "decisions are")]
    {
        if number > 0 {
            let records = counted(number as u64, one, several);
            notes.push(format!(
                "{records} identical to an earlier one: a run counts such a record as a duplicate"
            ));
        }
    }
    if ids.repeated_snapshots > 0 {
        notes.push(format!(
            "{} the id of an earlier one and other content: the first one counts, and a later one is a conflict",
            counted(ids.repeated_snapshots as u64, "snapshot has", "snapshots have")
        ));
    }
    let has_revisions = ids.repeated_decisions > 0;
    if has_revisions {
        let repeated = counted(ids.repeated_decisions as u64, "decision has", "decisions have");
        guess(
            "revisions",
            format!("\"last\": {repeated} the id of an earlier one and other content; the last one counts"),
        );
    }
    let mut without = vec![ids.snapshots.clone()];
    let input_fields = fields(snapshots, snapshot_keys, &mut notes);
    let input_fields = with_field(input_fields, &model);
    guess(
        "fields",
        format!("{} of the snapshots: {}", count(input_fields.len() as u64), field_list(&input_fields)),
    );
    let decision_fields = fields(decisions, decision_keys, &mut notes);
    let decision_fields: Vec<DraftField> =
        decision_fields
            .into_iter()
            .map(|field| {
                if field.name == decision.name { DraftField { kind: decision.kind, ..field } } else { field }
            })
            .collect();
    guess("decision", format!("`{}`: {}", decision.name, decision.reason));
    guess("form", format!("{}: {}", decision.form.name(), decision.form_reason));
    guess(
        "model",
        match model.is_stand_in {
            false => format!("answers what `{}` says: {}", model.name, model.reason),
            true => format!("a stand-in that answers what `{}` says: {}", model.name, model.reason),
        },
    );
    if !model.is_stand_in {
        without.push(model.name.clone());
    }
    let without: Vec<&str> = without.iter().map(String::as_str).collect();
    let span = Micros(snapshot_times.span.1.0.saturating_sub(snapshot_times.span.0.0));
    // A snapshot counts once, however many decisions have its id.
    let joined: BTreeMap<usize, usize> = ids.pairs.iter().copied().collect();
    let joined: Vec<(usize, usize)> = joined.into_iter().collect();
    let conditions = guess_conditions(snapshots, &without, &joined);
    let has_weekends = has_weekends(span, joined.len());
    for condition in &conditions {
        let values = condition.values.len();
        let text = format!(
            "`{}`: {values} values, each with {} pairs or more",
            condition.field,
            count(condition.fewest)
        );
        guess("condition", text);
    }
    if has_weekends {
        guess("condition", format!("weekdays and weekends: the snapshots span {}", span.span_text()));
    }
    if conditions.is_empty() && !has_weekends {
        guess("condition", "none: no field has few values with 100 pairs each".to_owned());
    }
    let (every, windows_reason) = guess_windows(span, joined.len());
    guess("windows", format!("{}: {windows_reason}", every.name()));
    let labels: Vec<String> = match decision.form {
        AnswerForm::Label => decided.counts().into_keys().collect(),
        AnswerForm::Number | AnswerForm::Ranking | AnswerForm::LabelSet | AnswerForm::Json => Vec::new(),
    };
    let labels = if (2..=MOST_LABELS).contains(&labels.len()) { labels } else { Vec::new() };
    if !snapshots.is_whole || !decisions.is_whole {
        notes.push(format!(
            "only the first {} snapshots and {} decisions were looked at",
            count(snapshots.records as u64),
            count(decisions.records as u64)
        ));
    }
    Ok(Draft {
        snapshot_time: snapshot_times.key,
        decision_time: decision_times.key,
        ids,
        lateness,
        is_ahead,
        horizon,
        input_fields,
        decision_fields,
        has_revisions,
        decision,
        model,
        labels,
        has_weekends,
        conditions,
        every,
        guesses,
        notes,
    })
}

/// The lateness to declare, if records lie farther behind each other than the horizon, which is the default.
fn lateness(times: [&Times; 2], horizon: &str, notes: &mut Vec<String>) -> Option<&'static str> {
    let mut longest = None;
    for (stream, times) in ["snapshots", "decisions"].into_iter().zip(times) {
        let (needed, _) = guess_horizon(&[times.most_behind.0]);
        if times.most_behind == Micros(0) || order_of(needed) <= order_of(horizon) {
            continue;
        }
        notes.push(format!(
            "the {stream} are not in order of time: records lie up to {} behind an earlier one, which `lateness` allows; \
             `understudy sort` sorts a file",
            times.most_behind.span_text()
        ));
        longest = longest.max(Some((order_of(needed), needed)));
    }
    longest.map(|(_, needed)| needed)
}

/// The place of a duration among those of horizons.
fn order_of(duration: &str) -> Option<usize> {
    super::time_guess::HORIZONS.iter().position(|(text, _)| *text == duration)
}

/// The fields of a stream besides its id and time.
fn fields(sample: &Sample, keys: [&str; 2], notes: &mut Vec<String>) -> Vec<DraftField> {
    let mut found = Vec::new();
    for column in sample.columns.iter().filter(|column| !keys.contains(&column.name.as_str())) {
        let is_reserved = sample.stream == "snapshots" && column.name.starts_with("decision.");
        match column.kind() {
            _ if is_reserved => {
                notes.push(format!(
                    "`{}` is left out: `decision.` begins the fields of decisions",
                    column.name
                ));
            }
            _ if column.name.is_empty() => {
                notes.push(format!("a column of the {} without a name is left out", sample.stream))
            }
            None => notes.push(format!(
                "`{}` of the {} is left out: it is always missing",
                column.name, sample.stream
            )),
            Some(kind) => found.push(DraftField { name: column.name.clone(), kind }),
        }
    }
    found
}

/// The fields with that of the model, which may be the id.
fn with_field(mut fields: Vec<DraftField>, model: &ModelField) -> Vec<DraftField> {
    if !fields.iter().any(|field| field.name == model.name) {
        fields.push(DraftField { name: model.name.clone(), kind: FieldKind::Text });
    }
    fields
}

/// How many fields have each kind.
fn field_list(fields: &[DraftField]) -> String {
    let kinds = FieldKind::ALL.into_iter().filter_map(|kind| {
        let number = fields.iter().filter(|field| field.kind == kind).count();
        (number > 0).then(|| format!("{number} {}", kind.name()))
    });
    let kinds: Vec<String> = kinds.collect();
    if kinds.is_empty() { "none".to_owned() } else { kinds.join(", ") }
}
