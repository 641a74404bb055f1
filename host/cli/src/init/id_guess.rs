//! Guesses which keys hold the ids by which decisions and snapshots are paired.
//!
//! Invariants: pure; a guess joins at least a tenth of the records of the shorter feed.

use std::collections::{HashMap, HashSet};

use understudy_report::counted;

use super::feed_sample::{Sample, SampleColumn, SampleValue};
use super::operator_question::Question;

/// The least number of decisions that have the id of a snapshot, as a share of the records of the shorter feed.
const LEAST_SHARE: f64 = 0.1;
/// The least share of the snapshots' ids that differ from each other. Fewer are those of a property, not of a record.
const LEAST_DISTINCT: f64 = 0.5;
/// The least share of records in which a key holds an id.
const LEAST_PRESENT: f64 = 0.99;

/// The keys of the ids, and what they join.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ids {
    pub snapshots: String,
    pub decisions: String,
    /// The first snapshot and each decision with its id, as indices.
    pub pairs: Vec<(usize, usize)>,
    /// Decisions that have the id of an earlier one and other values.
    pub repeated_decisions: usize,
    /// Snapshots that have the id of an earlier one and other values.
    pub repeated_snapshots: usize,
    /// Snapshots and decisions that have the id and all values of an earlier one.
    pub copies: [usize; 2],
    /// Why these, as a sentence without its full stop.
    pub reason: String,
}

/// Keys that the command line names.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct IdOverrides<'a> {
    pub snapshots: Option<&'a str>,
    pub decisions: Option<&'a str>,
}

/// The keys that join the most snapshots.
///
/// # Errors
/// What to name instead.
pub(super) fn guess_ids(
    snapshots: &Sample,
    decisions: &Sample,
    named: IdOverrides<'_>,
) -> Result<Ids, Vec<Question>> {
    let (left, right) = (candidates(snapshots, named.snapshots), candidates(decisions, named.decisions));
    let (left, right) = match (left, right) {
        (Ok(left), Ok(right)) => (left, right),
        // Both feeds often have the same fault, and it is asked about at once.
        (left, right) => {
            let left = left.err().or_else(|| float_question(snapshots, named.snapshots));
            let right = right.err().or_else(|| float_question(decisions, named.decisions));
            return Err([left, right].into_iter().flatten().collect());
        }
    };
    let mut best: Option<(Rank, Ids)> = None;
    for snapshot_key in &left {
        let first = first_rows(snapshot_key);
        for decision_key in &right {
            let found = join(snapshot_key, decision_key, &first);
            let joined: HashSet<usize> = found.pairs.iter().map(|(snapshot, _)| *snapshot).collect();
            let rank = Rank {
                joined: joined.len(),
                is_same_name: snapshot_key.name == decision_key.name,
                name: name_rank(&snapshot_key.name) + name_rank(&decision_key.name),
            };
            if best.as_ref().is_none_or(|(highest, _)| rank > *highest) {
                best = Some((rank, found));
            }
        }
    }
    let (_, mut ids) = best.expect("both feeds have a candidate");
    let share = ids.pairs.len() as f64 / decisions.records.min(snapshots.records).max(1) as f64;
    if share >= LEAST_SHARE {
        ids.copies = [copies(snapshots, &ids.snapshots), copies(decisions, &ids.decisions)];
        ids.repeated_snapshots -= ids.copies[0];
        ids.repeated_decisions -= ids.copies[1];
        return Ok(ids);
    }
    let floats: Vec<Question> =
        [float_question(snapshots, None), float_question(decisions, None)].into_iter().flatten().collect();
    if !floats.is_empty() {
        return Err(floats);
    }
    Err(vec![no_match(&left, &right, ids.pairs.len(), decisions.records)])
}

/// The order of guesses; a greater one is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    /// Snapshots that are joined.
    joined: usize,
    is_same_name: bool,
    name: u32,
}

/// How much a key looks like that of an id.
fn name_rank(name: &str) -> u32 {
    let name = name.to_ascii_lowercase();
    match &name[..] {
        "id" => 3,
        _ if name.ends_with("id") || name.ends_with("uuid") || name.ends_with("key") => 2,
        _ if name.ends_with("number") || name.ends_with("ref") || name.ends_with("no") => 1,
        _ => 0,
    }
}

/// The question about a key that looks like an id and holds numbers with a decimal point, which are no ids.
fn float_question(sample: &Sample, named: Option<&str>) -> Option<Question> {
    let is_meant = |column: &&SampleColumn| match named {
        Some(name) => column.name == name,
        None => name_rank(&column.name) > 0,
    };
    let column = sample.columns.iter().filter(is_meant).find(|column| column.is_whole_floats())?;
    let name = &column.name;
    let number = column.present().find_map(|cell| match cell {
        SampleValue::Number(number) => Some(*number),
        _ => None,
    })?;
    let why = format!(
        "`{name}` holds numbers with a decimal point, such as {number:?}, and an id is a text or an integer"
    );
    let convert = match sample.is_table {
        true => format!("df[\"{name}\"] = df[\"{name}\"].astype(\"Int64\")"),
        false => format!("jq -c '.\"{name}\" |= floor'"),
    };
    Some(Question::new(id_of(sample), why, format!("write integers, for instance with `{convert}`")))
}

fn id_of(sample: &Sample) -> String {
    format!("the id of the {}", sample.stream)
}

/// The keys that hold an id in nearly every record; the named one, if there is one.
fn candidates<'s>(sample: &'s Sample, named: Option<&str>) -> Result<Vec<&'s SampleColumn>, Question> {
    let what = id_of(sample);
    let option = if sample.stream == "decisions" { "--decision-id" } else { "--id" };
    if let Some(name) = named {
        let column = sample.column(name).ok_or_else(|| {
            let why = format!("no record has the key `{name}`; the keys are {}", sample.names());
            Question::new(&what, why, format!("name one of them with {option}"))
        })?;
        return match float_question(sample, Some(name)) {
            Some(question) => Err(question),
            None => Ok(vec![column]),
        };
    }
    let is_candidate = |column: &&SampleColumn| {
        let ids = column.cells.iter().filter(|cell| cell.id().is_some()).count();
        ids as f64 >= LEAST_PRESENT * sample.records as f64
            && column.present().all(|cell| cell.time().is_none())
            && (sample.stream == "decisions" || column.distinct() as f64 >= LEAST_DISTINCT * ids as f64)
    };
    let found: Vec<&SampleColumn> = sample.columns.iter().filter(is_candidate).collect();
    if found.is_empty() {
        if let Some(question) = float_question(sample, None) {
            return Err(question);
        }
        let why = format!(
            "no key at the top of the records holds a text or an integer in each of them, mostly different ones; the keys are {}",
            sample.names()
        );
        return Err(Question::new(
            what,
            why,
            "write an id at the top of every record, the same in both feeds",
        ));
    }
    Ok(found)
}

/// The first row with each id.
fn first_rows(column: &SampleColumn) -> HashMap<String, usize> {
    let mut first = HashMap::new();
    for (row, cell) in column.cells.iter().enumerate() {
        if let Some(id) = cell.id() {
            first.entry(id).or_insert(row);
        }
    }
    first
}

fn join(snapshots: &SampleColumn, decisions: &SampleColumn, first: &HashMap<String, usize>) -> Ids {
    let ids: Vec<Option<String>> = decisions.cells.iter().map(SampleValue::id).collect();
    let snapshot_of = |id: &Option<String>| first.get(id.as_ref()?).copied();
    let pairs: Vec<(usize, usize)> =
        ids.iter().enumerate().filter_map(|(row, id)| Some((snapshot_of(id)?, row))).collect();
    let present = ids.iter().flatten().count();
    let distinct: HashSet<&String> = ids.iter().flatten().collect();
    let snapshots_with_id = snapshots.cells.iter().filter(|cell| cell.id().is_some()).count();
    let reason = format!(
        "{} of {} the id of a snapshot",
        understudy_report::count(pairs.len() as u64),
        counted(ids.len() as u64, "decision has", "decisions have")
    );
    Ids {
        snapshots: snapshots.name.clone(),
        decisions: decisions.name.clone(),
        pairs,
        repeated_decisions: present - distinct.len(),
        repeated_snapshots: snapshots_with_id - first.len(),
        copies: [0, 0],
        reason,
    }
}

/// The number of records that have the id and all values of an earlier record.
fn copies(sample: &Sample, id_key: &str) -> usize {
    let Some(ids) = sample.columns.iter().find(|column| column.name == id_key) else { return 0 };
    let mut distinct: HashMap<String, Vec<usize>> = HashMap::new();
    let mut copies = 0;
    for (row, id) in ids.cells.iter().enumerate().filter_map(|(row, cell)| Some((row, cell.id()?))) {
        let earlier = distinct.entry(id).or_default();
        let is_equal =
            |other: &usize| sample.columns.iter().all(|column| column.cells[row] == column.cells[*other]);
        match earlier.iter().any(is_equal) {
            true => copies += 1,
            false => earlier.push(row),
        }
    }
    copies
}

/// The question if the best keys join too few records, with two examples of each feed.
fn no_match(left: &[&SampleColumn], right: &[&SampleColumn], joined: usize, decisions: usize) -> Question {
    let likeliest = |columns: &[&SampleColumn]| -> (String, String) {
        // The first of the best, as in the order of the keys.
        let best = columns.iter().rev().max_by_key(|column| (name_rank(&column.name), column.distinct()));
        let best = best.expect("there is a candidate");
        let mut examples: Vec<String> = Vec::new();
        for id in best.cells.iter().filter_map(SampleValue::id) {
            let shown = format!("{id:?}");
            if examples.len() < 2 && !examples.contains(&shown) {
                examples.push(shown);
            }
        }
        (best.name.clone(), examples.join(" and "))
    };
    let ((snapshot_key, snapshot_ids), (decision_key, decision_ids)) = (likeliest(left), likeliest(right));
    let why = format!(
        "{joined} of {} the id of a snapshot; snapshots have {snapshot_ids} in `{snapshot_key}`, decisions {decision_ids} in \
         `{decision_key}`",
        counted(decisions as u64, "decision has", "decisions have")
    );
    let advice = "name other keys with --id and --decision-id, or use the same ids in both feeds";
    Question::new("the ids", why, advice)
}
