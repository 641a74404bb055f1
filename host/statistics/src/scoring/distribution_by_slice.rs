//! The distributions of answers by window and by value of each condition, the differing answers by
//! profile, and agreement by confidence.
//!
//! Invariants:
//! - The same pairs give equal distributions, whatever the order and the batches.
//! - The example ids of differing pairs are those with the least rank. The rank depends on the pair alone.
//! - A clone shares the slices of the original; adding pairs to one of the two copies only the slices that
//!   change.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::answer_distribution::{AnswerHistogram, RankPositions};
use super::bottom_k_counts::{AnswerKey, BottomKCounts};
use super::calendar_window::Window;
use super::copy_on_write::CopyOnWrite;
use super::exact_sum::ExactSum;
use super::reliability::Reliability;
use understudy_records::batch::{AnswerColumn, Answers};
use understudy_study::AnswerForm;

/// The number of example ids of differing pairs for each profile and model.
const EXAMPLES: usize = 3;

/// The answer distributions of a study.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DistributionsBySlice {
    /// The form of the answers of each model.
    forms: Vec<AnswerForm>,
    /// For each window, by model.
    windows: BTreeMap<Window, CopyOnWrite<Vec<AnswerHistogram>>>,
    /// For each condition and each of its values, by model.
    values: Vec<Vec<CopyOnWrite<Vec<AnswerHistogram>>>>,
    /// For each profile, by model.
    profiles: BTreeMap<u32, CopyOnWrite<Vec<SliceDifferences>>>,
    /// For each model, over all windows.
    reliability: Vec<Reliability>,
}

/// The differences between a model's and the substrate's answers in a set of pairs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SliceDifferences {
    /// The differing answers: labels, sets or JSON values as texts, or the first choices of rankings; empty for numbers.
    pub answers: BottomKCounts,
    /// The number of numeric answers.
    pub numbers: u64,
    /// The sum of numeric errors: the model's answer minus the substrate's answer.
    pub errors: ExactSum,
    /// The rank and the id of the differing pairs with the least ranks, ascending. The rank is a keyed hash
    /// of the id; for numbers, a greater error gives a lower rank.
    pub examples: Vec<(u64, String)>,
}

/// A batch of pairs that one model was compared on, as columns.
#[derive(Clone, Copy, Debug)]
pub struct DistributionBatch<'a> {
    /// The window of each row.
    pub windows: &'a [Window],
    /// For each condition, the index of each row's value.
    pub conditions: &'a [Vec<u16>],
    /// The profile of each row.
    pub profiles: &'a [u32],
    /// The keyed hash of each row's id.
    pub hashes: &'a [u64],
    /// The id of each row.
    pub ids: &'a [&'a str],
    /// The comparator's answers; every row has one.
    pub comparator: &'a Answers,
}

impl DistributionsBySlice {
    /// Empty distributions for models with answers of these forms, and for conditions with these numbers of
    /// values.
    pub fn new(forms: &[AnswerForm], conditions: &[usize]) -> DistributionsBySlice {
        let none =
            || CopyOnWrite::new(forms.iter().map(|form| AnswerHistogram::new(*form)).collect::<Vec<_>>());
        DistributionsBySlice {
            forms: forms.to_vec(),
            windows: BTreeMap::new(),
            values: conditions.iter().map(|values| (0..*values).map(|_| none()).collect()).collect(),
            profiles: BTreeMap::new(),
            reliability: vec![Reliability::default(); forms.len()],
        }
    }

    /// Adds a batch of pairs for one model.
    pub fn add(&mut self, model: usize, answers: &Answers, pairs: DistributionBatch<'_>) {
        let (answers, comparator) = (&*answers.nominal(), &*pairs.comparator.nominal());
        let rows = ComparedAnswers::new(answers, comparator);
        self.count_rows(model, &rows, pairs);
        if let ComparedAnswers::Numbers(errors) = &rows {
            self.sum_errors(model, errors, pairs);
        }
        self.add_differences(model, &rows, pairs);
        if answers.confidence.is_some() || answers.probabilities.is_some() {
            self.add_confidences(model, answers, &rows);
        }
    }

    /// Adds the answers that have a confidence. Numbers rarely agree, so they are left out.
    fn add_confidences(&mut self, model: usize, answers: &Answers, rows: &ComparedAnswers<'_>) {
        if let ComparedAnswers::Numbers(_) = rows {
            return;
        }
        for row in 0..answers.rows() {
            if let Some(confidence) = answers.confidence_at(row) {
                self.reliability[model].add(confidence, rows.differing(row).is_none());
            }
        }
    }

    /// How often a model agrees, by its confidence.
    pub fn reliability(&self, model: usize) -> &Reliability {
        &self.reliability[model]
    }

    /// Counts every row in its window and in its value of each condition. Equal rows of the batch are counted
    /// together, so that names are looked up only once.
    fn count_rows(&mut self, model: usize, rows: &ComparedAnswers<'_>, pairs: DistributionBatch<'_>) {
        let mut together: FxHashMap<(u32, u32, u64), u64> = FxHashMap::default();
        let mut runs: Vec<Window> = Vec::new();
        for (row, window) in pairs.windows.iter().enumerate() {
            if runs.last() != Some(window) {
                runs.push(*window);
            }
            let Some(cell) = rows.cell(row) else { continue };
            *together.entry((0, runs.len() as u32 - 1, cell)).or_default() += 1;
            for (condition, values) in (1..).zip(pairs.conditions) {
                *together.entry((condition, u32::from(values[row]), cell)).or_default() += 1;
            }
        }
        if let ComparedAnswers::Rankings { lengths, .. } = rows {
            self.note_lengths(model, lengths, pairs);
        }
        for ((slice, place, cell), count) in together {
            let distribution = match slice {
                0 => self.window(runs[place as usize], model),
                condition => &mut self.values[condition as usize - 1][place as usize].to_mut()[model],
            };
            rows.count(distribution, cell, count);
        }
    }

    /// Notes the longest ranking of each window and of each value of each condition.
    fn note_lengths(&mut self, model: usize, lengths: &[u32], pairs: DistributionBatch<'_>) {
        let note = |distribution: &mut AnswerHistogram, length: u32| {
            if let AnswerHistogram::Rankings(positions) = distribution {
                positions.longest = positions.longest.max(length);
            }
        };
        let mut windows: BTreeMap<Window, u32> = BTreeMap::new();
        let mut values: FxHashMap<(usize, u16), u32> = FxHashMap::default();
        for (row, &length) in lengths.iter().enumerate() {
            let longest = windows.entry(pairs.windows[row]).or_default();
            *longest = length.max(*longest);
            for (condition, codes) in pairs.conditions.iter().enumerate() {
                let longest = values.entry((condition, codes[row])).or_default();
                *longest = length.max(*longest);
            }
        }
        windows.into_iter().for_each(|(window, length)| note(self.window(window, model), length));
        for ((condition, value), length) in values {
            note(&mut self.values[condition][usize::from(value)].to_mut()[model], length);
        }
    }

    /// Adds numeric errors, which are summed exactly.
    fn sum_errors(&mut self, model: usize, errors: &[Option<f64>], pairs: DistributionBatch<'_>) {
        for (row, error) in errors.iter().enumerate() {
            let distributions = std::iter::once(None).chain(pairs.conditions.iter().enumerate().map(Some));
            for place in distributions {
                let distribution = match place {
                    None => self.window(pairs.windows[row], model),
                    Some((condition, values)) => {
                        &mut self.values[condition][usize::from(values[row])].to_mut()[model]
                    }
                };
                let AnswerHistogram::Numbers(errors) = distribution else { continue };
                match error {
                    Some(error) => errors.add(*error),
                    None => errors.unanswered += 1,
                }
            }
        }
    }

    fn add_differences(&mut self, model: usize, rows: &ComparedAnswers<'_>, pairs: DistributionBatch<'_>) {
        let models = self.forms.len();
        let mut together: FxHashMap<(u32, u64), u64> = FxHashMap::default();
        for (row, &profile) in pairs.profiles.iter().enumerate() {
            let none = || CopyOnWrite::new(vec![SliceDifferences::default(); models]);
            match rows {
                ComparedAnswers::Numbers(errors) => {
                    let Some(error) = errors[row] else { continue };
                    let own = &mut self.profiles.entry(profile).or_insert_with(none).to_mut()[model];
                    own.numbers += 1;
                    own.errors.add(error);
                    if error != 0.0 {
                        own.add_example(!error.abs().to_bits(), pairs.ids[row]);
                    }
                }
                _ => {
                    let Some(cell) = rows.differing(row) else { continue };
                    *together.entry((profile, cell)).or_default() += 1;
                    let own = &mut self.profiles.entry(profile).or_insert_with(none).to_mut()[model];
                    own.add_example(pairs.hashes[row], pairs.ids[row]);
                }
            }
        }
        for ((profile, cell), count) in together {
            if let (Some(answers), Some(own)) = (rows.answer_pair(cell), self.profiles.get_mut(&profile)) {
                own.to_mut()[model].answers.add(answers, count);
            }
        }
    }

    fn window(&mut self, window: Window, model: usize) -> &mut AnswerHistogram {
        let forms = &self.forms;
        &mut self
            .windows
            .entry(window)
            .or_insert_with(|| {
                CopyOnWrite::new(forms.iter().map(|form| AnswerHistogram::new(*form)).collect())
            })
            .to_mut()[model]
    }

    /// The distributions up to the window `last`, inclusive. Distributions by condition and by profile and
    /// the agreement by confidence are not kept by window, so they are empty: an interim report shows answers by window only.
    pub fn through(&self, last: Window) -> DistributionsBySlice {
        let sizes: Vec<usize> = self.values.iter().map(Vec::len).collect();
        let windows = self
            .windows
            .range(..=last)
            .map(|(window, distributions)| (*window, distributions.clone()))
            .collect();
        DistributionsBySlice { windows, ..DistributionsBySlice::new(&self.forms, &sizes) }
    }

    /// The distribution over all windows for which `in_window` holds.
    pub fn fold(&self, model: usize, in_window: impl Fn(Window) -> bool) -> AnswerHistogram {
        let mut all = AnswerHistogram::new(self.forms[model]);
        let windows = self.windows.iter().filter(|(window, _)| in_window(**window));
        windows.for_each(|(_, distributions)| all.merge(&distributions[model]));
        all
    }

    /// The distribution of a window; `None` if it has no pairs.
    pub fn in_window(&self, window: Window, model: usize) -> Option<&AnswerHistogram> {
        Some(&self.windows.get(&window)?[model])
    }

    /// The distribution of a value of a condition.
    pub fn for_value(&self, condition: usize, value: usize, model: usize) -> &AnswerHistogram {
        &self.values[condition][value][model]
    }

    /// The differences over all profiles for which `in_profile` holds.
    pub fn differences(&self, model: usize, in_profile: impl Fn(u32) -> bool) -> SliceDifferences {
        let mut all = SliceDifferences::default();
        for (_, own) in self.profiles.iter().filter(|(profile, _)| in_profile(**profile)) {
            all.answers.merge(&own[model].answers);
            all.numbers += own[model].numbers;
            all.errors.merge(&own[model].errors);
            own[model].examples.iter().for_each(|(rank, id)| all.add_example(*rank, id));
        }
        all
    }
}

impl SliceDifferences {
    fn add_example(&mut self, rank: u64, id: &str) {
        if self.examples.len() >= EXAMPLES
            && self.examples.last().is_some_and(|(most, last)| (*most, last.as_str()) <= (rank, id))
        {
            return;
        }
        let place = self.examples.partition_point(|(known, of)| (*known, of.as_str()) < (rank, id));
        self.examples.insert(place, (rank, id.to_owned()));
        self.examples.truncate(EXAMPLES);
    }
}

/// The answers of a batch, prepared for counting.
enum ComparedAnswers<'a> {
    /// Codes of the model's and of the comparator's names; `None` where the model gave no answer.
    Labels { model: Vec<Option<u32>>, substrate: Vec<u32>, names: [&'a Answers; 2] },
    /// The errors; `None` where the model gave no answer.
    Numbers(Vec<Option<f64>>),
    /// The first choices as labels, and the position (from 1) of the substrate's first choice in the model's
    /// ranking; 0 if it is absent. An empty ranking has no first choice, and equals only another empty
    /// ranking.
    Rankings {
        model: Vec<Option<u32>>,
        substrate: Vec<Option<u32>>,
        places: Vec<u32>,
        /// The number of items of the longer ranking of each row.
        lengths: Vec<u32>,
        names: [&'a Answers; 2],
    },
}

/// The code of a missing answer.
const NONE: u32 = u32::MAX;
/// The position if the substrate's ranking is empty.
const UNRANKED: u32 = NONE - 1;
/// The code of the first choice of an empty ranking.
const EMPTY: u32 = NONE - 1;

impl<'a> ComparedAnswers<'a> {
    fn new(answers: &'a Answers, comparator: &'a Answers) -> ComparedAnswers<'a> {
        let rows = comparator.rows();
        let mut answered = vec![true; rows];
        answers.unanswered.iter().for_each(|(row, _)| answered[*row as usize] = false);
        let names = [answers, comparator];
        match (&answers.decisions, &comparator.decisions) {
            (AnswerColumn::Labels { codes, .. }, AnswerColumn::Labels { codes: of_comparator, .. }) => {
                ComparedAnswers::Labels {
                    model: (0..rows).map(|row| answered[row].then(|| codes[row])).collect(),
                    substrate: of_comparator.clone(),
                    names,
                }
            }
            (AnswerColumn::Numbers(model), AnswerColumn::Numbers(substrate)) => ComparedAnswers::Numbers(
                (0..rows)
                    .map(|row| {
                        // A difference beyond the range of f64 is clamped.
                        answered[row].then(|| (model[row] - substrate[row]).clamp(f64::MIN, f64::MAX))
                    })
                    .collect(),
            ),
            (
                AnswerColumn::Rankings { names: own, offsets, codes },
                AnswerColumn::Rankings { names: theirs, offsets: of_comparator, codes: their_codes },
            ) => {
                let ranking = |offsets: &[u32], row: usize| offsets[row] as usize..offsets[row + 1] as usize;
                let first = |offsets: &[u32], codes: &[u32], row: usize| {
                    codes[ranking(offsets, row)].first().copied()
                };
                let substrate: Vec<_> = (0..rows).map(|row| first(of_comparator, their_codes, row)).collect();
                let place = |row: usize| {
                    let Some(first) = substrate[row] else { return UNRANKED };
                    let name = theirs.value(first as usize);
                    let mut own = codes[ranking(offsets, row)].iter().map(|code| own.value(*code as usize));
                    own.position(|own| own == name).map_or(0, |at| at as u32 + 1)
                };
                let length = |row: usize| {
                    let own = if answered[row] { ranking(offsets, row).len() } else { 0 };
                    own.max(ranking(of_comparator, row).len()) as u32
                };
                ComparedAnswers::Rankings {
                    model: (0..rows)
                        .map(|row| answered[row].then(|| first(offsets, codes, row).unwrap_or(EMPTY)))
                        .collect(),
                    lengths: (0..rows).map(length).collect(),
                    places: (0..rows).map(|row| if answered[row] { place(row) } else { NONE }).collect(),
                    substrate,
                    names,
                }
            }
            // The study was rejected at loading if the forms differ.
            _ => ComparedAnswers::Numbers(vec![None; rows]),
        }
    }

    /// The cell of the distribution that counts a row, as a number.
    fn cell(&self, row: usize) -> Option<u64> {
        match self {
            ComparedAnswers::Labels { model, substrate, .. } => Some(pair(model[row], substrate[row])),
            ComparedAnswers::Numbers(_) => None,
            ComparedAnswers::Rankings { places, .. } => Some(u64::from(places[row])),
        }
    }

    fn count(&self, distribution: &mut AnswerHistogram, cell: u64, count: u64) {
        match (self, distribution) {
            (ComparedAnswers::Labels { .. }, AnswerHistogram::Labels(counts)) => {
                if let Some(answers) = self.answer_pair(cell) {
                    counts.add(answers, count);
                }
            }
            (
                ComparedAnswers::Rankings { .. },
                AnswerHistogram::Rankings(RankPositions { unanswered, absent, unranked, places, .. }),
            ) => match cell as u32 {
                NONE => *unanswered += count,
                UNRANKED => *unranked += count,
                0 => *absent += count,
                place => *places.entry(place).or_default() += count,
            },
            _ => {}
        }
    }

    /// The two names of a row whose answers differ, as a number.
    fn differing(&self, row: usize) -> Option<u64> {
        let (model, substrate, [answers, comparator], answered) = match self {
            ComparedAnswers::Labels { model, substrate, names } => {
                (model[row], Some(substrate[row]), names, model[row].is_some())
            }
            ComparedAnswers::Rankings { model, substrate, names, .. } => {
                (model[row], Some(substrate[row].unwrap_or(EMPTY)), names, model[row].is_some())
            }
            ComparedAnswers::Numbers(_) => return None,
        };
        // An empty ranking has no first choice.
        let name =
            |answers, code: Option<u32>| code.filter(|code| *code != EMPTY).map(|code| name(answers, code));
        let same = answered && name(answers, model) == name(comparator, substrate);
        (!same).then(|| pair(model, substrate.unwrap_or(NONE)))
    }

    fn answer_pair(&self, cell: u64) -> Option<AnswerKey> {
        let (ComparedAnswers::Labels { names, .. } | ComparedAnswers::Rankings { names, .. }) = self else {
            return None;
        };
        let (model, substrate) = ((cell >> 32) as u32, cell as u32);
        let name = |answers, code| if code == EMPTY { "" } else { name(answers, code) };
        let model = (model != NONE).then(|| name(names[0], model).to_owned());
        Some((model, name(names[1], substrate).to_owned()))
    }
}

fn pair(model: Option<u32>, substrate: u32) -> u64 {
    u64::from(model.unwrap_or(NONE)) << 32 | u64::from(substrate)
}

fn name(answers: &Answers, code: u32) -> &str {
    match &answers.decisions {
        AnswerColumn::Labels { names, .. } | AnswerColumn::Rankings { names, .. } => {
            names.value(code as usize)
        }
        AnswerColumn::Numbers(_) | AnswerColumn::LabelSets { .. } | AnswerColumn::Json { .. } => "",
    }
}

#[cfg(test)]
mod tests;
