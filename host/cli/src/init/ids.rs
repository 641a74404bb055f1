//! Guesses which keys hold the ids by which decisions and snapshots are paired.
//!
//! Invariants: pure; a guess joins at least a tenth of the decisions.

use std::collections::{HashMap, HashSet};

use understudy_report::counted;

use super::question::Question;
use super::sample::{Column, Sample};

/// The least share of decisions that have the id of a snapshot.
const LEAST_SHARE: f64 = 0.1;
/// The least share of records in which a key holds an id.
const LEAST_PRESENT: f64 = 0.99;

/// The keys of the ids, and what they join.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ids {
    pub snapshots: String,
    pub decisions: String,
    /// The first snapshot and each decision with its id, as indices.
    pub pairs: Vec<(usize, usize)>,
    /// Decisions whose id an earlier decision has, too.
    pub repeated_decisions: usize,
    /// Snapshots whose id an earlier snapshot has, too.
    pub repeated_snapshots: usize,
    /// Why these, as a sentence without its full stop.
    pub reason: String,
}

/// Keys that the command line names.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct NamedIds<'a> {
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
    named: NamedIds<'_>,
) -> Result<Ids, Vec<Question>> {
    let (left, right) = (candidates(snapshots, named.snapshots), candidates(decisions, named.decisions));
    let (left, right) = match (left, right) {
        (Ok(left), Ok(right)) => (left, right),
        (left, right) => return Err([left.err(), right.err()].into_iter().flatten().collect()),
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
    let (_, ids) = best.expect("both feeds have a candidate");
    let share = ids.pairs.len() as f64 / decisions.records.max(1) as f64;
    if share >= LEAST_SHARE {
        return Ok(ids);
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

/// The keys that hold an id in nearly every record; the named one, if there is one.
fn candidates<'s>(sample: &'s Sample, named: Option<&str>) -> Result<Vec<&'s Column>, Question> {
    let what = format!("the id of the {}", sample.stream);
    let option = if sample.stream == "decisions" { "--decision-id" } else { "--id" };
    if let Some(name) = named {
        let column = sample.column(name).ok_or_else(|| {
            let why = format!("no record has the key `{name}`; the keys are {}", sample.names());
            Question::new(&what, why, format!("name one of them with {option}"))
        })?;
        return Ok(vec![column]);
    }
    let is_candidate = |column: &&Column| {
        let ids = column.cells.iter().filter(|cell| cell.id().is_some()).count();
        ids as f64 >= LEAST_PRESENT * sample.records as f64
            && column.present().all(|cell| cell.time().is_none())
    };
    let found: Vec<&Column> = sample.columns.iter().filter(is_candidate).collect();
    if found.is_empty() {
        let why = format!(
            "no key at the top of the records holds a text or an integer in each of them; the keys are {}",
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
fn first_rows(column: &Column) -> HashMap<String, usize> {
    let mut first = HashMap::new();
    for (row, cell) in column.cells.iter().enumerate() {
        if let Some(id) = cell.id() {
            first.entry(id).or_insert(row);
        }
    }
    first
}

fn join(snapshots: &Column, decisions: &Column, first: &HashMap<String, usize>) -> Ids {
    let ids: Vec<Option<String>> = decisions.cells.iter().map(super::sample::Cell::id).collect();
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
        reason,
    }
}

/// The question if the best keys join hardly any decision, with two examples of each feed.
fn no_match(left: &[&Column], right: &[&Column], joined: usize, decisions: usize) -> Question {
    let likeliest = |columns: &[&Column]| -> (String, String) {
        // The first of the best, as in the order of the keys.
        let best = columns.iter().rev().max_by_key(|column| (name_rank(&column.name), column.distinct()));
        let best = best.expect("there is a candidate");
        let mut examples: Vec<String> = Vec::new();
        for id in best.cells.iter().filter_map(super::sample::Cell::id) {
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
    let advice = "name other keys with --id and --decision-id, or write the ids alike in both feeds";
    Question::new("the ids", why, advice)
}
