//! Selects rows of several batches of answers, with one dictionary of their names.

use super::name_dictionary::MergedDictionary;
use super::{AnswerColumn, Answers, Probabilities};

impl Answers {
    /// Gathers rows of other answers: row `i` is row `picks[i].1` of `sources[picks[i].0]`. There must be at least one
    /// source, and all sources must have one form.
    pub fn gather(sources: &[&Answers], picks: &[(usize, usize)]) -> Answers {
        let decisions = match sources[0].decisions {
            AnswerColumn::Numbers(_) => AnswerColumn::Numbers(
                picks
                    .iter()
                    .map(|&(source, row)| match &sources[source].decisions {
                        AnswerColumn::Numbers(numbers) => numbers[row],
                        _ => unreachable!("all sources have one form"),
                    })
                    .collect(),
            ),
            AnswerColumn::Labels { .. } | AnswerColumn::Json { .. } => {
                let mut merged = merged_names(sources);
                let codes = picks
                    .iter()
                    .map(|&(source, row)| match &sources[source].decisions {
                        AnswerColumn::Labels { codes, .. } | AnswerColumn::Json { codes, .. } => {
                            merged.code(source, codes[row])
                        }
                        _ => unreachable!("all sources have one form"),
                    })
                    .collect();
                match sources[0].decisions {
                    AnswerColumn::Json { .. } => AnswerColumn::Json { texts: merged.finish(), codes },
                    _ => AnswerColumn::Labels { names: merged.finish(), codes },
                }
            }
            AnswerColumn::Rankings { .. } | AnswerColumn::LabelSets { .. } => {
                let mut merged = merged_names(sources);
                let mut offsets = Vec::with_capacity(picks.len() + 1);
                offsets.push(0);
                let mut all = Vec::new();
                for &(source, row) in picks {
                    let (AnswerColumn::Rankings { offsets: from, codes, .. }
                    | AnswerColumn::LabelSets { offsets: from, codes, .. }) = &sources[source].decisions
                    else {
                        unreachable!("all sources have one form")
                    };
                    for &code in &codes[from[row] as usize..from[row + 1] as usize] {
                        all.push(merged.code(source, code));
                    }
                    offsets.push(all.len() as u32);
                }
                match sources[0].decisions {
                    AnswerColumn::LabelSets { .. } => {
                        AnswerColumn::LabelSets { names: merged.finish(), offsets, codes: all }
                    }
                    _ => AnswerColumn::Rankings { names: merged.finish(), offsets, codes: all },
                }
            }
        };
        let confidence = sources.iter().any(|s| s.confidence.is_some()).then(|| {
            let of = |&(source, row): &(usize, usize)| {
                sources[source].confidence.as_ref().map_or(f64::NAN, |c| c[row])
            };
            picks.iter().map(of).collect()
        });
        let unanswered = if sources.iter().all(|s| s.unanswered.is_empty()) {
            Vec::new()
        } else {
            let reason = |(at, &(source, row)): (usize, &(usize, usize))| {
                sources[source].reason(row).map(|reason| (at as u32, reason.clone()))
            };
            picks.iter().enumerate().filter_map(reason).collect()
        };
        let probabilities = sources.iter().any(|source| source.probabilities.is_some()).then(|| {
            Probabilities::gather(sources.iter().map(|source| source.probabilities.as_ref()), picks)
        });
        Answers { decisions, confidence, probabilities, unanswered }
    }
}

/// One dictionary for the names of answers that are no numbers.
fn merged_names<'a>(sources: &[&'a Answers]) -> MergedDictionary<'a> {
    let names = |answers: &&'a Answers| match &answers.decisions {
        AnswerColumn::Labels { names, .. }
        | AnswerColumn::Rankings { names, .. }
        | AnswerColumn::LabelSets { names, .. }
        | AnswerColumn::Json { texts: names, .. } => names,
        AnswerColumn::Numbers(_) => unreachable!("numbers have no names"),
    };
    MergedDictionary::new(sources.iter().map(names).collect())
}
