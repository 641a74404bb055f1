//! Metrics with pairs of answers.

use serde_json::Value as Json;

use understudy_records::batch::Answers;
use understudy_sandbox::{Scorer, ScorerPlugin, Usage};
use understudy_study::AnswerForm;

use crate::pair::{Pair, answers_of_pairs};
use crate::row_result::RowResult;
use crate::subject::{Instance, Subject};

/// A metric with pairs of answers of one form.
pub struct ScorerSubject {
    /// The plugin.
    pub plugin: ScorerPlugin,
    /// The form of the answers, which the metric accepts.
    pub form: AnswerForm,
    /// The pairs.
    pub pairs: Vec<Pair>,
}

struct ScorerInstance<'s> {
    scorer: Scorer,
    subject: &'s ScorerSubject,
}

impl ScorerSubject {
    /// The answers of model and comparator. Those of the model have class probabilities if the metric needs them.
    fn answers(&self, rows: &[usize]) -> (Answers, Answers) {
        let pairs: Vec<&Pair> = rows.iter().map(|row| &self.pairs[*row]).collect();
        answers_of_pairs(self.form, self.plugin.needs_probabilities, &pairs)
    }

    /// The components in a result, in the order of the plugin; `None` for a failure.
    pub fn components(&self, result: &RowResult) -> Option<Vec<f64>> {
        let RowResult::Answer { value, .. } = result else { return None };
        self.plugin.components.iter().map(|name| value[name.as_str()].as_f64()).collect()
    }
}

impl Subject for ScorerSubject {
    fn rows(&self) -> usize {
        self.pairs.len()
    }

    fn instance(&self) -> Box<dyn Instance + '_> {
        Box::new(ScorerInstance { scorer: self.plugin.instance(), subject: self })
    }

    fn prepared(&self, batches: &[Vec<usize>]) -> Box<dyn FnMut() + '_> {
        let batches: Vec<(Answers, Answers)> = batches.iter().map(|rows| self.answers(rows)).collect();
        let mut scorer = self.plugin.instance();
        Box::new(move || {
            for (model, comparator) in &batches {
                scorer.score(model, comparator);
            }
        })
    }

    fn row_text(&self, row: usize) -> String {
        self.pairs[row].text()
    }

    fn usage(&self) -> Usage {
        self.plugin.usage_counters().usage()
    }
}

impl Instance for ScorerInstance<'_> {
    fn call(&mut self, rows: &[usize]) -> Vec<RowResult> {
        let subject = self.subject;
        let (model, comparator) = subject.answers(rows);
        let scored = self.scorer.score(&model, &comparator);
        let mut broken = scored.broken.into_iter().peekable();
        (0..rows.len())
            .map(|row| match broken.next_if(|(at, _)| *at as usize == row) {
                Some((_, why)) => RowResult::Broken(why),
                None => {
                    let scores = scored.components.iter().map(|values| Json::from(values[row]));
                    RowResult::value(Json::Object(
                        subject.plugin.components.iter().cloned().zip(scores).collect(),
                    ))
                }
            })
            .collect()
    }
}
