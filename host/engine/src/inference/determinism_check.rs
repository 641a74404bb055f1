//! Asking models again: a share of the snapshots is answered a second time, later, by a fresh instance, in another batch and
//! in the other order. A model is a function of the row, so it must answer the same; one that keeps something between
//! calls does not.
//!
//! Always holds: what is asked again changes no answer and no figure; what was blinded is not asked again; which snapshots are asked again depends on their
//! sequence numbers alone.

use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{BooleanArray, RecordBatch, StringArray, UInt32Array};
use arrow::compute::{concat_batches, filter_record_batch, take_record_batch};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use understudy_records::batch::{Answers, Reason};
use understudy_sandbox::{DeciderPlugin, ended_by_the_clock};

/// Rows that are asked again in one batch.
const ROWS: usize = 256;
/// Rows that answered otherwise whose sequence numbers are kept between two entries of the ledger.
const KEPT: usize = 1000;

/// What came of asking one model again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Again {
    /// Snapshots that it was asked about again.
    pub asked: u64,
    /// Those that it answered otherwise.
    pub otherwise: u64,
    /// The id of the first of them that was found; empty if there is none, and in a report before the run has ended.
    pub first_id: String,
    /// Their sequence numbers, as far as they are kept.
    #[serde(skip)]
    pub sequences: Vec<u64>,
}

impl Again {
    /// Adds what came of asking later.
    pub fn add(&mut self, later: Again) {
        if self.otherwise == 0 {
            self.first_id = later.first_id;
        }
        self.asked += later.asked;
        self.otherwise += later.otherwise;
        let room = KEPT.saturating_sub(self.sequences.len());
        self.sequences.extend(later.sequences.into_iter().take(room));
    }
}

/// What came of asking each model, gathered from all the threads that ask.
#[derive(Clone, Default)]
pub struct Tally(Arc<Mutex<Vec<Again>>>);

impl Tally {
    /// Nothing yet, of so many models.
    pub fn new(models: usize) -> Tally {
        Tally(Arc::new(Mutex::new(vec![Again::default(); models])))
    }

    /// What has come since the last time.
    pub fn take(&self) -> Vec<Again> {
        let mut tally = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tally.iter_mut().map(std::mem::take).collect()
    }

    /// Whether a model has answered otherwise since the last time.
    pub fn differs(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().any(|again| again.otherwise > 0)
    }

    fn add(&self, model: usize, again: Again) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)[model].add(again);
    }
}

/// Asks one model again.
pub struct Asker {
    plugin: DeciderPlugin,
    model: usize,
    /// A snapshot is asked again if the mixed sequence number is below this.
    below: u64,
    tally: Tally,
    shown: Vec<RecordBatch>,
    answers: Vec<Answers>,
    rows: Vec<(u64, String)>,
}

impl Asker {
    /// For the model of this index, and a `share` of the snapshots from 0 to 1.
    pub fn new(plugin: DeciderPlugin, model: usize, share: f64, tally: Tally) -> Asker {
        let below = (share * u64::MAX as f64) as u64;
        Asker { plugin, model, below, tally, shown: Vec::new(), answers: Vec::new(), rows: Vec::new() }
    }

    /// Notes what was answered to a batch, and asks again once enough has been noted.
    pub fn note(&mut self, sequences: &[u64], ids: &StringArray, shown: &RecordBatch, answers: &Answers) {
        let picked = |row: &usize| {
            let reason = answers.reason(*row);
            mixed(sequences[*row]) < self.below
                && !ended_by_the_clock(reason)
                && reason != Some(&Reason::Blinded)
        };
        let picks: Vec<usize> = (0..sequences.len()).filter(picked).collect();
        if picks.is_empty() {
            return;
        }
        let mut mask = vec![false; sequences.len()];
        picks.iter().for_each(|row| mask[*row] = true);
        let shown = filter_record_batch(shown, &BooleanArray::from(mask));
        self.shown.push(shown.expect("the mask has one value a row"));
        let all: Vec<_> = picks.iter().map(|&row| (0, row)).collect();
        self.answers.push(Answers::gather(&[answers], &all));
        self.rows.extend(picks.iter().map(|&row| (sequences[row], ids.value(row).to_owned())));
        if self.rows.len() >= ROWS {
            self.ask();
        }
    }

    /// Asks about what has been noted.
    pub fn ask(&mut self) {
        let rows = std::mem::take(&mut self.rows);
        let (shown, answers) = (std::mem::take(&mut self.shown), std::mem::take(&mut self.answers));
        let Some(schema) = shown.first().map(RecordBatch::schema) else { return };
        let shown = concat_batches(&schema, &shown).expect("the batches of a model have one schema");
        let last_first = UInt32Array::from_iter_values((0..rows.len() as u32).rev());
        let shown = take_record_batch(&shown, &last_first).expect("the indices are those of its rows");
        let picks = answers
            .iter()
            .enumerate()
            .rev()
            .flat_map(|(batch, answers)| (0..answers.rows()).rev().map(move |row| (batch, row)));
        let sources: Vec<&Answers> = answers.iter().collect();
        let before = Answers::gather(&sources, &picks.collect::<Vec<_>>());
        let now = self.plugin.instance().decide(&shown).answers;
        let mut again = Again { asked: rows.len() as u64, ..Again::default() };
        for row in before.differing(&now) {
            if ended_by_the_clock(now.reason(row)) {
                again.asked -= 1;
                continue;
            }
            let (sequence, id) = &rows[rows.len() - 1 - row];
            let one = Again { asked: 0, otherwise: 1, first_id: id.clone(), sequences: vec![*sequence] };
            again.add(one);
        }
        self.tally.add(self.model, again);
    }
}

/// A number in which every bit depends on every bit of the sequence number (splitmix64: Steele, Lea, Flood 2014).
fn mixed(sequence: u64) -> u64 {
    let mut z = sequence.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_the_snapshots_is_asked_again() {
        for (share, least, most) in
            [(0.0, 0, 0), (0.01, 900, 1100), (0.5, 49_000, 51_000), (1.0, 100_000, 100_000)]
        {
            let below = (share * u64::MAX as f64) as u64;
            let asked = (0..100_000).filter(|sequence| mixed(*sequence) < below).count();
            assert!((least..=most).contains(&asked), "{share}: {asked}");
        }
    }

    #[test]
    fn the_first_that_was_found_stays_the_first() {
        let one = |id: &str, sequence| Again {
            asked: 10,
            otherwise: 1,
            first_id: id.to_owned(),
            sequences: vec![sequence],
        };
        let mut all = Again { asked: 5, ..Again::default() };
        all.add(one("a", 7));
        all.add(one("b", 3));
        let wanted = Again { asked: 25, otherwise: 2, first_id: "a".to_owned(), sequences: vec![7, 3] };
        assert_eq!(all, wanted);
    }
}
