//! Generates pairs of answers for the check of a metric.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use understudy_study::AnswerForm;

use crate::pair::{ExpectedAnswer, Pair};

/// Random pairs.
const RANDOM_PAIRS: usize = 300;
/// The largest number. The fourth power of a difference, and a quotient by the smallest number, are within the range of 64-bit
/// floats. Beyond, a metric may overflow.
const LARGEST: f64 = 1e60;

/// Pairs of answers of one form: each answer of a list with each, unanswered pairs, and random ones. `words` are names that
/// may mean something to the metric. If `has_probabilities`, answered pairs have class probabilities.
pub fn generate_pairs(form: AnswerForm, has_probabilities: bool, words: &[String], seed: u64) -> Vec<Pair> {
    let mut rng = Rng::with_seed(seed);
    let pool = pool(form, words);
    let mut pairs = Vec::new();
    for comparator in &pool {
        pairs.push(Pair::new(None, comparator.clone()));
        pairs.extend(pool.iter().map(|model| Pair::new(Some(model.clone()), comparator.clone())));
    }
    for _ in 0..RANDOM_PAIRS {
        let model = (rng.u8(..10) > 0).then(|| random_value(form, words, &mut rng));
        let comparator = match &model {
            Some(same) if rng.u8(..3) == 0 => same.clone(),
            _ => random_value(form, words, &mut rng),
        };
        pairs.push(Pair::new(model, comparator));
    }
    for pair in pairs.iter_mut().filter(|pair| pair.model.is_some()) {
        if has_probabilities {
            pair.probabilities = probabilities(pair, &mut rng);
        } else if rng.bool() {
            pair.confidence = rng.choice([0.0, 0.5, 0.9, 1.0]);
        }
    }
    pairs
}

/// Probabilities of the two answers and of another class, with a sum of 1. The comparator's class is sometimes not among
/// them.
fn probabilities(pair: &Pair, rng: &mut Rng) -> BTreeMap<String, f64> {
    let labels = [pair.model.as_ref(), Some(&pair.comparator).filter(|_| rng.u8(..8) > 0)];
    let mut classes: BTreeSet<String> = labels
        .into_iter()
        .flatten()
        .filter_map(|label| match label {
            ExpectedAnswer::Label(name) => Some(name.clone()),
            _ => None,
        })
        .collect();
    classes.insert("another class".to_owned());
    // Binary fractions, so that the sum is exact.
    let mut rest = 64;
    let last = classes.len() - 1;
    let mut probability = |at: usize| {
        let part = if at == last { rest } else { rng.u32(..=rest) };
        rest -= part;
        f64::from(part) / 64.0
    };
    classes.into_iter().enumerate().map(|(at, class)| (class, probability(at))).collect()
}

fn pool(form: AnswerForm, words: &[String]) -> Vec<ExpectedAnswer> {
    let names =
        ["a", "b", "", "\u{1f680}"].into_iter().map(str::to_owned).chain(words.iter().take(8).cloned());
    let names: Vec<String> = names.collect::<BTreeSet<_>>().into_iter().collect();
    let lists = || {
        let many: Vec<String> = (0..200).map(|item| format!("item {item}")).collect();
        let reversed = many.iter().rev().cloned().collect();
        let list = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect::<Vec<_>>();
        vec![
            list(&[]),
            list(&["a"]),
            list(&["a", "b", "c"]),
            list(&["c", "b", "a"]),
            list(&[""]),
            many,
            reversed,
        ]
    };
    match form {
        AnswerForm::Label => names.into_iter().map(ExpectedAnswer::Label).collect(),
        AnswerForm::Number => {
            [0.0, -0.0, 1.0, -1.0, 0.1, 1e-30, 1e15, LARGEST, -LARGEST].map(ExpectedAnswer::Number).into()
        }
        AnswerForm::Ranking => lists().into_iter().map(ExpectedAnswer::Ranking).collect(),
        AnswerForm::LabelSet => {
            lists().into_iter().map(|labels| ExpectedAnswer::LabelSet(labels.into_iter().collect())).collect()
        }
        AnswerForm::Json => ["null", "1", "1.0", "\"\"", "[]", "{}", r#"{"a":1,"b":[2]}"#, "[1,2]", "[2,1]"]
            .map(|text| ExpectedAnswer::Json(text.to_owned()))
            .into(),
    }
}

fn random_value(form: AnswerForm, words: &[String], rng: &mut Rng) -> ExpectedAnswer {
    let name = |rng: &mut Rng| match rng.choice(words) {
        Some(word) if rng.bool() => word.clone(),
        _ => char::from(b'a' + rng.u8(..6)).to_string(),
    };
    let distinct = |rng: &mut Rng| {
        let mut names: Vec<String> = (0..rng.usize(..6)).map(|_| name(rng)).collect();
        names.sort();
        names.dedup();
        rng.shuffle(&mut names);
        names
    };
    match form {
        AnswerForm::Label => ExpectedAnswer::Label(name(rng)),
        AnswerForm::Number => ExpectedAnswer::Number((rng.f64() - 0.5) * 10_f64.powi(rng.i32(-3..9))),
        AnswerForm::Ranking => ExpectedAnswer::Ranking(distinct(rng)),
        AnswerForm::LabelSet => ExpectedAnswer::LabelSet(distinct(rng).into_iter().collect()),
        AnswerForm::Json => {
            ExpectedAnswer::Json(format!("{{\"a\":{},\"b\":\"{}\"}}", rng.u8(..3), name(rng)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pair::answers_of_pairs;

    #[test]
    fn pairs_follow_from_the_seed_and_have_one_form() {
        for form in [
            AnswerForm::Label,
            AnswerForm::Number,
            AnswerForm::Ranking,
            AnswerForm::LabelSet,
            AnswerForm::Json,
        ] {
            let pairs = generate_pairs(form, false, &["groups".to_owned()], 1);
            assert_eq!(pairs, generate_pairs(form, false, &["groups".to_owned()], 1));
            assert_ne!(pairs, generate_pairs(form, false, &["groups".to_owned()], 2));
            let (model, comparator) = answers_of_pairs(form, false, &pairs.iter().collect::<Vec<_>>());
            assert!(!model.unanswered.is_empty() && comparator.unanswered.is_empty());
        }
    }

    #[test]
    fn probabilities_add_up_to_one() {
        let pairs = generate_pairs(AnswerForm::Label, true, &[], 1);
        for pair in &pairs {
            let sum: f64 = pair.probabilities.values().sum();
            assert_eq!(sum, if pair.model.is_some() { 1.0 } else { 0.0 }, "{}", pair.text());
        }
    }
}
