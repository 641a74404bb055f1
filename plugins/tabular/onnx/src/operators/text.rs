//! Operators on text, and counts of terms.

use tabular_program::{Columns, Kind, Step, TokenRule, TokenSplit, Values, change_case};

use super::call::{Call, one};
use crate::error::Fault;
use crate::graph_lowering::{Tensor, Value};
use crate::shape::{self, Dim, Shape};
use crate::tensor;

type Lowered = Result<Vec<Value>, Fault>;

/// `StringNormalizer`. Stop words would remove rows; only those of constants are removed.
pub(super) fn string_normalizer(call: &mut Call<'_>) -> Lowered {
    let value = call.input(0)?;
    if value.kind() != Kind::Text {
        return Err(format!("its argument is {:?}, expected text", value.kind()).into());
    }
    let action = call.text("case_change_action")?.unwrap_or("NONE").to_owned();
    let upper = match &action[..] {
        "UPPER" => true,
        "LOWER" | "NONE" => false,
        action => return Err(format!("case_change_action is {action:?}").into()),
    };
    let stop_words = call.text_list("stopwords")?;
    if !stop_words.is_empty() {
        return without_stop_words(call, value, &stop_words, &action);
    }
    if action == "NONE" {
        return Ok(vec![value]);
    }
    let tensor = call.materialized(value)?;
    let to = call.result(Kind::Text, tensor.shape)?;
    call.step(Step::ChangeCase { upper, from: tensor.columns, to: to.columns });
    one(to)
}

fn without_stop_words(call: &mut Call<'_>, value: Value, stop_words: &[String], action: &str) -> Lowered {
    let Value::Constant(constant) = value else {
        return Err(Fault::with_remedy("stopwords remove rows", "remove them from the vocabulary instead"));
    };
    let Values::Texts { values } = &constant.values else {
        return Err("its argument is no text".into());
    };
    let is_case_sensitive = call.integer("is_case_sensitive").unwrap_or(0) != 0;
    let compared = |text: &str| {
        if is_case_sensitive { text.to_owned() } else { change_case(text, action == "UPPER") }
    };
    let stop_words: Vec<String> = stop_words.iter().map(|word| compared(word)).collect();
    let kept = values.iter().filter(|text| !stop_words.contains(&compared(text)));
    let mut kept: Vec<String> = kept
        .map(|text| match action {
            "NONE" => text.clone(),
            action => change_case(text, action == "UPPER"),
        })
        .collect();
    if kept.is_empty() {
        kept.push(String::new());
    }
    let mut dimensions = constant.dimensions.clone();
    match dimensions.last_mut() {
        Some(last) => *last = kept.len(),
        None => return Err("its argument is a single text".into()),
    }
    Ok(vec![Value::Constant(tensor::Constant { values: Values::Texts { values: kept }, dimensions })])
}

/// `Tokenizer` of `com.microsoft`.
pub(super) fn tokenizer(call: &mut Call<'_>) -> Lowered {
    let tensor = call.tensor(0)?;
    if tensor.columns.kind != Kind::Text {
        return Err(format!("its argument is {:?}, expected text", tensor.columns.kind).into());
    }
    if tensor.columns.width != 1 || shape::rows_axis(&tensor.shape).is_none() {
        return Err(format!(
            "its argument has the shape {}, expected one text for each row",
            shape::text(&tensor.shape)
        )
        .into());
    }
    let pattern = call.text("tokenexp")?.unwrap_or_default().to_owned();
    let separators = call.text_list("separators")?;
    let split = match (pattern.is_empty(), &separators[..]) {
        (false, _) if pattern == "." => TokenSplit::Characters,
        (false, _) => TokenSplit::Matches { pattern },
        (true, []) => return Err("it has neither tokenexp nor separators".into()),
        (true, [separator]) if separator.is_empty() => TokenSplit::Characters,
        (true, _) => TokenSplit::Separators { patterns: separators },
    };
    let least = call.integer("mincharnum").unwrap_or(1).max(1);
    let least = u32::try_from(least).map_err(|_| format!("mincharnum is {least}"))?;
    let rule = TokenRule { split, least, marks: call.integer("mark").unwrap_or(0) != 0 };
    rule.patterns().map_err(|error| error.to_string())?;
    Ok(vec![Value::Tokens(tensor, rule)])
}

/// `TfIdfVectorizer`.
pub(super) fn tf_idf_vectorizer(call: &mut Call<'_>) -> Lowered {
    let terms = TermList::read(call)?;
    let (tensor, tokens) = match call.input(0)? {
        Value::Tokens(tensor, rule) => {
            (Tensor { shape: vec![Dim::Rows, Dim::Fixed(1)], ..tensor }, Some(rule))
        }
        value => (call.materialized(value)?, None),
    };
    if tensor.columns.kind != terms.tokens.kind() {
        return Err(format!(
            "its argument is {:?}, its terms are {:?}",
            tensor.columns.kind,
            terms.tokens.kind()
        )
        .into());
    }
    let Some((Dim::Fixed(length), samples)) = tensor.shape.split_last().map(|(last, rest)| (*last, rest))
    else {
        return Err(format!("it counts the tokens of several rows: {}", shape::text(&tensor.shape)).into());
    };
    let (length, count) = (length as u32, shape::width(samples)?);
    let width = terms.width;
    let mut shape: Shape = samples.to_vec();
    shape.push(Dim::Fixed(width));
    let to = call.result(Kind::Float, shape)?;
    for sample in 0..count as u32 {
        let part = |columns: Columns, width: u32| Columns {
            start: columns.start + sample * width,
            width,
            ..columns
        };
        call.step(Step::Terms {
            from: part(tensor.columns, length),
            tokens: tokens.clone(),
            terms: terms.tokens.clone(),
            lengths: terms.lengths.clone(),
            columns: terms.columns.clone(),
            skips: terms.skips,
            once: terms.once,
            weights: terms.weights.clone(),
            to: part(to.columns, width as u32),
        });
    }
    one(to)
}

/// The terms of a `TfIdfVectorizer`.
struct TermList {
    /// One more than the last column, whether the lengths of its terms are counted or not.
    width: usize,
    tokens: Values,
    lengths: Vec<u32>,
    columns: Vec<u32>,
    skips: u32,
    once: bool,
    weights: Vec<f32>,
}

impl TermList {
    fn read(call: &Call<'_>) -> Result<Self, Fault> {
        let number = |name: &str| -> Result<usize, Fault> {
            let number = call.integer(name).ok_or_else(|| format!("attribute {name} is missing"))?;
            usize::try_from(number).map_err(|_| format!("{name} is {number}").into())
        };
        let (shortest, longest) = (number("min_gram_length")?, number("max_gram_length")?);
        let skips = u32::try_from(number("max_skip_count")?).map_err(|_| "max_skip_count is too large")?;
        let texts = call.text_list("pool_strings")?;
        let pool = if texts.is_empty() {
            Values::Integers { values: call.integer_list("pool_int64s").to_vec() }
        } else {
            Values::Texts { values: texts }
        };
        let columns: Vec<u32> = call
            .integer_list("ngram_indexes")
            .iter()
            .map(|column| u32::try_from(*column).map_err(|_| format!("ngram_indexes has {column}")))
            .collect::<Result<_, _>>()?;
        let width = columns.iter().max().map_or(0, |column| *column as usize + 1);
        let starts = call.integer_list("ngram_counts");
        let mut terms = Self {
            width,
            tokens: pool.clone(),
            lengths: Vec::new(),
            columns: Vec::new(),
            skips,
            once: false,
            weights: Vec::new(),
        };
        let mut kept = Vec::new();
        let mut term = 0;
        for (index, start) in starts.iter().enumerate() {
            let length = index + 1;
            let end = starts.get(index + 1).copied().unwrap_or(pool.len() as i64);
            let range = usize::try_from(*start).ok().zip(usize::try_from(end).ok());
            let Some((start, end)) = range.filter(|(start, end)| start <= end && *end <= pool.len()) else {
                return Err("ngram_counts does not fit the pool".into());
            };
            if (end - start) % length != 0 {
                return Err(format!("the pool does not consist of whole terms of {length} tokens").into());
            }
            for first in (start..end).step_by(length) {
                let column = *columns
                    .get(term)
                    .ok_or_else(|| format!("ngram_indexes has {} values", columns.len()))?;
                term += 1;
                if (shortest..=longest).contains(&length) {
                    kept.extend((first..first + length).map(|position| position as u32));
                    terms.lengths.push(length as u32);
                    terms.columns.push(column);
                }
            }
        }
        if term != columns.len() {
            return Err(format!("it has {term} terms and {} columns for them", columns.len()).into());
        }
        terms.tokens = tensor::select(&pool, &kept);
        terms.weigh(call, &columns)?;
        Ok(terms)
    }

    /// Reads how counts become numbers.
    fn weigh(&mut self, call: &Call<'_>, columns: &[u32]) -> Result<(), Fault> {
        let weights = call.float_list("weights");
        match call.text("mode")? {
            Some("TF") => return Ok(()),
            Some("IDF") => self.once = true,
            Some("TFIDF") => {}
            mode => return Err(format!("mode is {mode:?}").into()),
        }
        if weights.is_empty() {
            return Ok(());
        }
        if weights.len() != columns.len() {
            return Err(format!("it has {} weights for {} terms", weights.len(), columns.len()).into());
        }
        // ONNX Runtime takes the weight at the position of the column, the standard that of the term.
        let weight = |column: &u32| weights.get(*column as usize);
        if columns.iter().zip(weights).any(|(column, expected)| weight(column) != Some(expected)) {
            return Err(Fault::with_remedy(
                "its weights are not in the order of its columns, which ONNX Runtime and the standard read differently",
                "export the model with ngram_indexes in ascending order",
            ));
        }
        self.weights = weights[..self.width].to_vec();
        Ok(())
    }
}
