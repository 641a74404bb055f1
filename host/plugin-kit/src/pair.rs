//! Pairs of answers, as values that can be generated and read, and their conversion to the arguments of a metric.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use understudy_records::batch::{AnswerColumn, Answers, Names, Probabilities, Reason, canonical_json};
use understudy_study::AnswerForm;

use crate::cell::cut;

/// The value of an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum ExpectedAnswer {
    /// Form `label`.
    Label(String),
    /// Form `number`, finite.
    Number(f64),
    /// Form `ranking`: distinct names, best first.
    Ranking(Vec<String>),
    /// Form `label-set`.
    LabelSet(BTreeSet<String>),
    /// Form `json`, in its canonical form.
    Json(String),
}

impl ExpectedAnswer {
    /// Reads a value as an answer of a form; `None` if it is none.
    pub fn from_json(form: AnswerForm, value: &Json) -> Option<ExpectedAnswer> {
        let names = || -> Option<Vec<String>> {
            value.as_array()?.iter().map(|name| Some(name.as_str()?.to_owned())).collect()
        };
        let are_distinct = |names: &Vec<String>| names.iter().collect::<BTreeSet<_>>().len() == names.len();
        match form {
            AnswerForm::Label => Some(ExpectedAnswer::Label(value.as_str()?.to_owned())),
            AnswerForm::Number => value.as_f64().map(ExpectedAnswer::Number),
            AnswerForm::Ranking => names().filter(are_distinct).map(ExpectedAnswer::Ranking),
            AnswerForm::LabelSet => {
                Some(ExpectedAnswer::LabelSet(names().filter(are_distinct)?.into_iter().collect()))
            }
            AnswerForm::Json => canonical_json(&value.to_string()).ok().map(ExpectedAnswer::Json),
        }
    }

    fn form(&self) -> AnswerForm {
        match self {
            ExpectedAnswer::Label(_) => AnswerForm::Label,
            ExpectedAnswer::Number(_) => AnswerForm::Number,
            ExpectedAnswer::Ranking(_) => AnswerForm::Ranking,
            ExpectedAnswer::LabelSet(_) => AnswerForm::LabelSet,
            ExpectedAnswer::Json(_) => AnswerForm::Json,
        }
    }

    fn text(&self) -> String {
        cut(&match self {
            ExpectedAnswer::Label(name) => Json::from(name.as_str()).to_string(),
            ExpectedAnswer::Number(number) => Json::from(*number).to_string(),
            ExpectedAnswer::Ranking(names) => Json::from(names.clone()).to_string(),
            ExpectedAnswer::LabelSet(names) => names.iter().map(String::as_str).collect::<Json>().to_string(),
            ExpectedAnswer::Json(text) => text.clone(),
        })
    }
}

/// A pair of answers to one row.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// The model's answer; `None` if it has none.
    pub model: Option<ExpectedAnswer>,
    /// The confidence of the model.
    pub confidence: Option<f64>,
    /// The model's probability of each class.
    pub probabilities: BTreeMap<String, f64>,
    /// The comparator's answer, of the same form.
    pub comparator: ExpectedAnswer,
}

impl Pair {
    /// A pair without a confidence and probabilities.
    pub fn new(model: Option<ExpectedAnswer>, comparator: ExpectedAnswer) -> Pair {
        Pair { model, confidence: None, probabilities: BTreeMap::new(), comparator }
    }

    /// The pair for messages, as a test writes it.
    pub fn text(&self) -> String {
        let mut members = Vec::new();
        members.extend(self.model.as_ref().map(|model| format!("\"model\": {}", model.text())));
        members
            .extend(self.confidence.map(|confidence| format!("\"confidence\": {}", Json::from(confidence))));
        if !self.probabilities.is_empty() {
            members.push(format!("\"probabilities\": {}", serde_json::json!(self.probabilities)));
        }
        members.push(format!("\"comparator\": {}", self.comparator.text()));
        format!("{{{}}}", members.join(", "))
    }
}

/// The distinct names of a column, and the code of each.
#[derive(Default)]
struct NameCodes {
    names: Vec<String>,
    codes: BTreeMap<String, u32>,
}

impl NameCodes {
    fn code(&mut self, name: &str) -> u32 {
        if let Some(code) = self.codes.get(name) {
            return *code;
        }
        let code = self.names.len() as u32;
        self.names.push(name.to_owned());
        self.codes.insert(name.to_owned(), code);
        code
    }

    fn into_names(self) -> Names {
        Names::from(self.names)
    }
}

/// The answers of model and comparator. All pairs have answers of `form`. The model's answers have a confidence if a pair
/// has one, and probabilities if `has_probabilities`.
///
/// # Panics
/// If a pair has an answer of another form.
pub fn answers_of_pairs(form: AnswerForm, has_probabilities: bool, pairs: &[&Pair]) -> (Answers, Answers) {
    let model: Vec<Option<&ExpectedAnswer>> = pairs.iter().map(|pair| pair.model.as_ref()).collect();
    let mut model = answers(form, &model);
    if pairs.iter().any(|pair| pair.confidence.is_some()) {
        model.confidence = Some(pairs.iter().map(|pair| pair.confidence.unwrap_or(f64::NAN)).collect());
    }
    if has_probabilities {
        let (mut names, mut probabilities) = (NameCodes::default(), Probabilities::none(0));
        for pair in pairs {
            for (class, value) in &pair.probabilities {
                probabilities.codes.push(names.code(class));
                probabilities.values.push(*value);
            }
            probabilities.offsets.push(probabilities.codes.len() as u32);
        }
        probabilities.names = names.into_names();
        model.probabilities = Some(probabilities);
    }
    let comparator: Vec<Option<&ExpectedAnswer>> = pairs.iter().map(|pair| Some(&pair.comparator)).collect();
    (model, answers(form, &comparator))
}

fn answers(form: AnswerForm, values: &[Option<&ExpectedAnswer>]) -> Answers {
    let wrong = |value: &ExpectedAnswer| -> ! { panic!("{value:?} is no {}", form.name()) };
    let lists = || -> Vec<Vec<String>> {
        let list = |value: &Option<&ExpectedAnswer>| match value {
            None => Vec::new(),
            Some(ExpectedAnswer::Ranking(names)) => names.clone(),
            Some(ExpectedAnswer::LabelSet(names)) => names.iter().cloned().collect(),
            Some(value) => wrong(value),
        };
        values.iter().map(list).collect()
    };
    if let Some(value) = values.iter().flatten().find(|value| value.form() != form) {
        wrong(value);
    }
    let mut answers = match form {
        AnswerForm::Label => {
            let mut names = NameCodes::default();
            let code = |value: &Option<&ExpectedAnswer>| match value {
                Some(ExpectedAnswer::Label(name)) => names.code(name),
                _ => names.code(""),
            };
            let codes = values.iter().map(code).collect();
            Answers::from_values(AnswerColumn::Labels { names: names.into_names(), codes })
        }
        AnswerForm::Number => {
            let number = |value: &Option<&ExpectedAnswer>| match value {
                Some(ExpectedAnswer::Number(number)) => *number,
                _ => 0.0,
            };
            Answers::from_numbers(values.iter().map(number).collect())
        }
        AnswerForm::Ranking => Answers::from_rankings(&lists()),
        AnswerForm::LabelSet => Answers::from_label_sets(&lists()),
        AnswerForm::Json => Answers::from_json(values.iter().map(|value| match value {
            Some(ExpectedAnswer::Json(text)) => text.as_str(),
            _ => "null",
        })),
    };
    let is_missing = |(row, value): (usize, &Option<&ExpectedAnswer>)| {
        value.is_none().then(|| (row as u32, Reason::Abstained("no answer".to_owned())))
    };
    answers.unanswered = values.iter().enumerate().filter_map(is_missing).collect();
    answers
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::row_result::RowResult;

    #[test]
    fn pairs_become_answers_and_back() {
        let values = [
            (AnswerForm::Label, json!("a")),
            (AnswerForm::Number, json!(2.5)),
            (AnswerForm::Ranking, json!(["b", "a"])),
            (AnswerForm::LabelSet, json!(["a", "b"])),
            (AnswerForm::Json, json!({"a": [1]})),
        ];
        for (form, value) in values {
            let answer = ExpectedAnswer::from_json(form, &value).expect("an answer of the form");
            let pairs = [Pair::new(Some(answer.clone()), answer.clone()), Pair::new(None, answer)];
            let (model, comparator) = answers_of_pairs(form, false, &pairs.iter().collect::<Vec<_>>());
            let unanswered = RowResult::Unanswered("abstained: no answer".to_owned());
            let expected = RowResult::value(value);
            assert_eq!(RowResult::from_answers(&model), [expected.clone(), unanswered]);
            assert_eq!(RowResult::from_answers(&comparator), [expected.clone(), expected]);
        }
    }

    #[test]
    fn a_model_can_have_confidences_and_probabilities() {
        let label = |name: &str| ExpectedAnswer::Label(name.to_owned());
        let mut pair = Pair::new(Some(label("a")), label("b"));
        pair.confidence = Some(0.5);
        pair.probabilities = [("a".to_owned(), 0.75), ("b".to_owned(), 0.25)].into();
        assert_eq!(
            pair.text(),
            r#"{"model": "a", "confidence": 0.5, "probabilities": {"a":0.75,"b":0.25}, "comparator": "b"}"#
        );
        let without = Pair::new(None, label("b"));
        assert_eq!(without.text(), r#"{"comparator": "b"}"#);
        let (model, _) = answers_of_pairs(AnswerForm::Label, true, &[&pair, &without]);
        assert_eq!(
            RowResult::from_answers(&model)[0].to_string(),
            r#""a" with the confidence 0.5 with the probabilities {"a":0.75,"b":0.25}"#
        );
    }

    #[test]
    fn values_of_another_form_are_no_answers() {
        for (form, value) in [
            (AnswerForm::Label, json!(1)),
            (AnswerForm::Number, json!("1")),
            (AnswerForm::Ranking, json!(["a", "a"])),
            (AnswerForm::LabelSet, json!([1])),
        ] {
            assert_eq!(ExpectedAnswer::from_json(form, &value), None, "{value}");
        }
    }
}
