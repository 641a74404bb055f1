//! How answers lie to each other, by window, by value of each condition, and where they part by profile.
//!
//! Always holds: as with cells, the same pairs give equal spreads in whatever order and batches they were added. Of the pairs
//! that differ, the examples that are kept are those with the least rank, which depends on the pair alone.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::capped::{Matrix, Said};
use super::exact::ExactSum;
use super::spread::{Places, Spread};
use super::window::Window;
use understudy_records::batch::{Answers, Decisions};
use understudy_study::Form;

/// Ids of pairs that differ which are kept for each profile and model.
const EXAMPLES: usize = 3;

/// Spreads of a study.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spreads {
    /// The form of the answers of each model.
    forms: Vec<Form>,
    /// For each window, for each model.
    windows: BTreeMap<Window, Vec<Spread>>,
    /// For each condition, for each of its values, for each model.
    values: Vec<Vec<Vec<Spread>>>,
    /// For each profile, for each model.
    profiles: BTreeMap<u32, Vec<Parting>>,
}

/// How a model and the substrate part in the pairs of some profiles.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Parting {
    /// Which answers differ: labels, or the first choices of rankings. Of numbers, none.
    pub answers: Matrix,
    /// Numbers that the model answered.
    pub numbers: u64,
    /// The sum of their errors: the model's less the substrate's.
    pub errors: ExactSum,
    /// The ids of pairs that differ with the least ranks, each behind its rank, ascending: a keyed hash of the id; of numbers, the greater the
    /// error, the less.
    pub examples: Vec<(u64, String)>,
}

/// The pairs of a batch that a model was compared in, as columns.
#[derive(Clone, Copy, Debug)]
pub struct SpreadPairs<'a> {
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
    /// The comparator's answers, to every row.
    pub comparator: &'a Answers,
}

impl Spreads {
    /// Of no pairs, of models with answers of these forms, and conditions with so many values.
    pub fn new(forms: &[Form], conditions: &[usize]) -> Spreads {
        let none = || forms.iter().map(|form| Spread::new(*form)).collect::<Vec<_>>();
        Spreads {
            forms: forms.to_vec(),
            windows: BTreeMap::new(),
            values: conditions.iter().map(|values| (0..*values).map(|_| none()).collect()).collect(),
            profiles: BTreeMap::new(),
        }
    }

    /// Adds a batch of pairs for one model, whose answers are `given`.
    pub fn add(&mut self, model: usize, given: &Answers, pairs: SpreadPairs<'_>) {
        let rows = Rows::of(given, pairs.comparator);
        self.count(model, &rows, pairs);
        if let Rows::Numbers(errors) = &rows {
            self.sum(model, errors, pairs);
        }
        self.part(model, &rows, pairs);
    }

    /// Counts every row in its window and in its value of each condition. Equal rows of the batch are counted together:
    /// names are looked up once for all of them.
    fn count(&mut self, model: usize, rows: &Rows<'_>, pairs: SpreadPairs<'_>) {
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
        for ((slice, place, cell), count) in together {
            let spread = match slice {
                0 => self.window(runs[place as usize], model),
                condition => &mut self.values[condition as usize - 1][place as usize][model],
            };
            rows.count(spread, cell, count);
        }
    }

    /// Adds the errors of numbers, which are summed exactly.
    fn sum(&mut self, model: usize, errors: &[Option<f64>], pairs: SpreadPairs<'_>) {
        for (row, error) in errors.iter().enumerate() {
            let spreads = std::iter::once(None).chain(pairs.conditions.iter().enumerate().map(Some));
            for place in spreads {
                let spread = match place {
                    None => self.window(pairs.windows[row], model),
                    Some((condition, values)) => &mut self.values[condition][usize::from(values[row])][model],
                };
                let Spread::Numbers(of) = spread else { continue };
                match error {
                    Some(error) => of.add(*error),
                    None => of.unanswered += 1,
                }
            }
        }
    }

    fn part(&mut self, model: usize, rows: &Rows<'_>, pairs: SpreadPairs<'_>) {
        let models = self.forms.len();
        let mut together: FxHashMap<(u32, u64), u64> = FxHashMap::default();
        for (row, &profile) in pairs.profiles.iter().enumerate() {
            let of = || vec![Parting::default(); models];
            match rows {
                Rows::Numbers(errors) => {
                    let Some(error) = errors[row] else { continue };
                    let of = &mut self.profiles.entry(profile).or_insert_with(of)[model];
                    of.numbers += 1;
                    of.errors.add(error);
                    if error != 0.0 {
                        of.example(!error.abs().to_bits(), pairs.ids[row]);
                    }
                }
                _ => {
                    let Some(cell) = rows.differing(row) else { continue };
                    *together.entry((profile, cell)).or_default() += 1;
                    let of = self.profiles.entry(profile).or_insert_with(of);
                    of[model].example(pairs.hashes[row], pairs.ids[row]);
                }
            }
        }
        for ((profile, cell), count) in together {
            if let (Some(said), Some(of)) = (rows.said(cell), self.profiles.get_mut(&profile)) {
                of[model].answers.add(said, count);
            }
        }
    }

    fn window(&mut self, window: Window, model: usize) -> &mut Spread {
        let forms = &self.forms;
        &mut self
            .windows
            .entry(window)
            .or_insert_with(|| forms.iter().map(|form| Spread::new(*form)).collect())[model]
    }

    /// Those up to a window, that one too. By condition and by profile nothing is known of single windows, so these go: a look
    /// before the end shows answers by window only.
    pub fn until(&self, last: Window) -> Spreads {
        let sizes: Vec<usize> = self.values.iter().map(Vec::len).collect();
        let windows = self.windows.range(..=last).map(|(window, of)| (*window, of.clone())).collect();
        Spreads { windows, ..Spreads::new(&self.forms, &sizes) }
    }

    /// Over all windows that `chosen` holds.
    pub fn fold(&self, model: usize, chosen: impl Fn(Window) -> bool) -> Spread {
        let mut all = Spread::new(self.forms[model]);
        let windows = self.windows.iter().filter(|(window, _)| chosen(**window));
        windows.for_each(|(_, spreads)| all.merge(&spreads[model]));
        all
    }

    /// Of a window, if it has a pair.
    pub fn of_window(&self, window: Window, model: usize) -> Option<&Spread> {
        Some(&self.windows.get(&window)?[model])
    }

    /// Of a value of a condition.
    pub fn of_value(&self, condition: usize, value: usize, model: usize) -> &Spread {
        &self.values[condition][value][model]
    }

    /// How they part in the profiles that `chosen` holds, together.
    pub fn parting(&self, model: usize, chosen: impl Fn(u32) -> bool) -> Parting {
        let mut all = Parting::default();
        for (_, of) in self.profiles.iter().filter(|(profile, _)| chosen(**profile)) {
            all.answers.merge(&of[model].answers);
            all.numbers += of[model].numbers;
            all.errors.merge(&of[model].errors);
            of[model].examples.iter().for_each(|(rank, id)| all.example(*rank, id));
        }
        all
    }
}

impl Parting {
    fn example(&mut self, rank: u64, id: &str) {
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

/// What the rows of a batch come to.
enum Rows<'a> {
    /// Codes into the names of the model, and into those of the comparator; no code where there is no answer.
    Labels { model: Vec<Option<u32>>, substrate: Vec<u32>, names: [&'a Answers; 2] },
    /// The errors; none where there is no answer.
    Numbers(Vec<Option<f64>>),
    /// The first choices as labels, and at which place of the model's ranking the substrate's stands; 0 if nowhere. An empty
    /// ranking has no first choice, and is the same as an empty one alone.
    Rankings {
        model: Vec<Option<u32>>,
        substrate: Vec<Option<u32>>,
        places: Vec<u32>,
        names: [&'a Answers; 2],
    },
}

/// Stands where there is no code.
const NONE: u32 = u32::MAX;
/// Stands for the place of a choice that the substrate did not make.
const UNRANKED: u32 = NONE - 1;

impl<'a> Rows<'a> {
    fn of(given: &'a Answers, comparator: &'a Answers) -> Rows<'a> {
        let rows = comparator.rows();
        let mut answered = vec![true; rows];
        given.unanswered.iter().for_each(|(row, _)| answered[*row as usize] = false);
        let names = [given, comparator];
        match (&given.decisions, &comparator.decisions) {
            (Decisions::Labels { codes, .. }, Decisions::Labels { codes: of_comparator, .. }) => {
                Rows::Labels {
                    model: (0..rows).map(|row| answered[row].then(|| codes[row])).collect(),
                    substrate: of_comparator.clone(),
                    names,
                }
            }
            (Decisions::Numbers(model), Decisions::Numbers(substrate)) => Rows::Numbers(
                (0..rows)
                    .map(|row| {
                        // One beyond the range of 64 bits is held at its end.
                        answered[row].then(|| (model[row] - substrate[row]).clamp(f64::MIN, f64::MAX))
                    })
                    .collect(),
            ),
            (
                Decisions::Rankings { names: own, offsets, codes },
                Decisions::Rankings { names: theirs, offsets: of_comparator, codes: their_codes },
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
                Rows::Rankings {
                    model: (0..rows)
                        .map(|row| answered[row].then(|| first(offsets, codes, row)).flatten())
                        .collect(),
                    places: (0..rows).map(|row| if answered[row] { place(row) } else { NONE }).collect(),
                    substrate,
                    names,
                }
            }
            // That all forms are the same was checked when the study was prepared.
            _ => Rows::Numbers(vec![None; rows]),
        }
    }

    /// What is counted of a row, as a number.
    fn cell(&self, row: usize) -> Option<u64> {
        match self {
            Rows::Labels { model, substrate, .. } => Some(pair(model[row], substrate[row])),
            Rows::Numbers(_) => None,
            Rows::Rankings { places, .. } => Some(u64::from(places[row])),
        }
    }

    fn count(&self, spread: &mut Spread, cell: u64, count: u64) {
        match (self, spread) {
            (Rows::Labels { .. }, Spread::Labels(matrix)) => {
                if let Some(said) = self.said(cell) {
                    matrix.add(said, count);
                }
            }
            (Rows::Rankings { .. }, Spread::Rankings(Places { unanswered, absent, unranked, places })) => {
                match cell as u32 {
                    NONE => *unanswered += count,
                    UNRANKED => *unranked += count,
                    0 => *absent += count,
                    place => *places.entry(place).or_default() += count,
                }
            }
            _ => {}
        }
    }

    /// The two names of a row whose answers differ, as a number.
    fn differing(&self, row: usize) -> Option<u64> {
        let (model, substrate, [given, comparator], answered) = match self {
            Rows::Labels { model, substrate, names } => {
                (model[row], Some(substrate[row]), names, model[row].is_some())
            }
            Rows::Rankings { model, substrate, places, names } => {
                (model[row], substrate[row], names, places[row] != NONE)
            }
            Rows::Numbers(_) => return None,
        };
        let of = |answers, code: Option<u32>| code.map(|code| name(answers, code));
        let same = answered && of(given, model) == of(comparator, substrate);
        (!same).then(|| pair(model, substrate.unwrap_or(NONE)))
    }

    fn said(&self, cell: u64) -> Option<Said> {
        let (Rows::Labels { names, .. } | Rows::Rankings { names, .. }) = self else { return None };
        let (model, substrate) = ((cell >> 32) as u32, cell as u32);
        let model = (model != NONE).then(|| name(names[0], model).to_owned());
        let substrate = if substrate == NONE { "" } else { name(names[1], substrate) };
        Some((model, substrate.to_owned()))
    }
}

fn pair(model: Option<u32>, substrate: u32) -> u64 {
    u64::from(model.unwrap_or(NONE)) << 32 | u64::from(substrate)
}

fn name(answers: &Answers, code: u32) -> &str {
    match &answers.decisions {
        Decisions::Labels { names, .. } | Decisions::Rankings { names, .. } => names.value(code as usize),
        Decisions::Numbers(_) => "",
    }
}

#[cfg(test)]
mod tests;
