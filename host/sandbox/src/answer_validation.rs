//! Validates the answers that a plugin returns.
//!
//! Invariants of valid answers:
//! - There is one answer per row, and confidences are from 0 to 1.
//! - Codes are within the names; names are UTF-8 and distinct; a ranking or set has no name twice.
//! - The labels of a set are sorted by their bytes, and a JSON text is in its canonical form.
//! - Numbers are finite, and no answer is longer than the limit of the study.
//! - There are class probabilities if and only if the plugin declares them. Those of an answered row are from 0 to 1, of
//!   distinct classes, and add up to 1; an unanswered row has none.
//! - Unanswered rows are in ascending order. Their placeholder values are ignored.

use arrow::array::{Array as _, StringArray};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};

use super::bindings::decider::exports::understudy::shadow::answers as wit;
use super::bindings::decider::exports::understudy::shadow::columns::TextResult;
use understudy_records::batch::{
    AnswerColumn, AnswerSchema, Answers, Names, Probabilities, Reason, canonical_json,
};
use understudy_study::AnswerForm;

/// How far the sum of the probabilities of a row may be from 1, as the contract has it.
const SUM_TOLERANCE: f64 = 1e-6;
/// The number of characters of a text that a message shows.
const SHOWN: usize = 80;

/// Converts the answers to `rows` rows, or says which rule they violate. No label, and no names of a ranking together,
/// may be longer than `limit` bytes: the log stores the text of each answer, so a plugin could otherwise inflate one
/// long name to many gigabytes.
pub(super) fn answers(
    returned: wit::Answers,
    schema: AnswerSchema,
    rows: usize,
    limit: usize,
) -> Result<Answers, String> {
    let unanswered = unanswered(returned.unanswered, rows)?;
    let mut unanswered_rows = unanswered.iter().map(|(row, _)| *row as usize).peekable();
    let mut is_answered = |row: usize| unanswered_rows.next_if_eq(&row).is_none();
    let decisions = match (returned.values, schema.form) {
        (wit::Values::Labels(returned), AnswerForm::Label) => {
            let (names, codes) = labels(returned, &unanswered, rows, limit)?;
            AnswerColumn::Labels { names, codes }
        }
        (wit::Values::Json(returned), AnswerForm::Json) => {
            let (names, codes) = labels(returned, &unanswered, rows, limit)?;
            json(&names, codes, &unanswered, limit)?
        }
        (wit::Values::Numbers(mut numbers), AnswerForm::Number) => {
            count("numbers", numbers.len(), rows)?;
            for (row, number) in numbers.iter_mut().enumerate() {
                if !is_answered(row) {
                    *number = 0.0;
                } else if !number.is_finite() {
                    return Err(format!("answered {number}; a number must be finite"));
                }
            }
            AnswerColumn::Numbers(numbers)
        }
        (wit::Values::Rankings(rankings), AnswerForm::Ranking) => {
            let names = names(rankings.names, limit)?;
            count("offsets", rankings.offsets.len(), rows + 1)?;
            offsets(&rankings.offsets, rankings.codes.len())?;
            codes(&rankings.codes, &names)?;
            each_list(&rankings.offsets, &rankings.codes, &names, limit, |name| {
                format!("ranked \"{name}\" twice in one answer")
            })?;
            AnswerColumn::Rankings { names, offsets: rankings.offsets, codes: rankings.codes }
        }
        (wit::Values::LabelSets(mut sets), AnswerForm::LabelSet) => {
            let names = names(sets.names, limit)?;
            count("offsets", sets.offsets.len(), rows + 1)?;
            offsets(&sets.offsets, sets.codes.len())?;
            codes(&sets.codes, &names)?;
            each_list(&sets.offsets, &sets.codes, &names, limit, |name| {
                format!("gave the label \"{name}\" twice in one set")
            })?;
            for ends in sets.offsets.windows(2) {
                let set = &mut sets.codes[ends[0] as usize..ends[1] as usize];
                set.sort_unstable_by_key(|code| names.value(*code as usize));
            }
            AnswerColumn::LabelSets { names, offsets: sets.offsets, codes: sets.codes }
        }
        (other, form) => {
            let found = match other {
                wit::Values::Labels(_) => "labels",
                wit::Values::Numbers(_) => "numbers",
                wit::Values::Rankings(_) => "rankings",
                wit::Values::LabelSets(_) => "sets of labels",
                wit::Values::Json(_) => "JSON values",
            };
            return Err(format!("answered {found}, but declared the form `{}`", form.name()));
        }
    };
    if let Some(values) = &returned.confidence {
        count("confidences", values.len(), rows)?;
        if let Some(bad) = values.iter().find(|value| !(0.0..=1.0).contains(*value)) {
            return Err(format!("returned the confidence {bad}; a confidence is from 0 to 1"));
        }
    }
    let probabilities = match (returned.probabilities, schema.probabilities) {
        (Some(returned), true) => Some(probabilities(returned, &unanswered, rows, limit)?),
        (None, false) => None,
        (Some(_), false) => return Err("returned class probabilities, but declared none".to_owned()),
        (None, true) => return Err("returned no class probabilities, but declared them".to_owned()),
    };
    Ok(drop_unused_names(
        Answers { decisions, confidence: returned.confidence, probabilities, unanswered },
        limit,
    ))
}

/// Drops names that no row uses, if the names are so large that some must be unused. Answers stay in memory
/// until the last of their rows is joined.
fn drop_unused_names(answers: Answers, limit: usize) -> Answers {
    let rows = answers.rows();
    let own = match &answers.decisions {
        AnswerColumn::Labels { names, .. }
        | AnswerColumn::Rankings { names, .. }
        | AnswerColumn::LabelSets { names, .. }
        | AnswerColumn::Json { texts: names, .. } => Some(names),
        AnswerColumn::Numbers(_) => None,
    };
    let classes = answers.probabilities.as_ref().map(|probabilities| &probabilities.names);
    if own.into_iter().chain(classes).any(|names| names.get_buffer_memory_size() > rows * limit) {
        let all: Vec<_> = (0..rows).map(|row| (0, row)).collect();
        return Answers::gather(&[&answers], &all);
    }
    answers
}

/// The names and the code of each row. Unanswered rows get a code that has a name.
fn labels(
    mut returned: wit::Labels,
    unanswered: &[(u32, Reason)],
    rows: usize,
    limit: usize,
) -> Result<(Names, Vec<u32>), String> {
    let mut names = names(returned.names, limit)?;
    count("codes", returned.codes.len(), rows)?;
    if codes(&returned.codes, &names).is_err() {
        for (row, _) in unanswered {
            returned.codes[*row as usize] = 0;
        }
        if unanswered.len() == rows {
            names = Names::from(vec![""]);
        }
        codes(&returned.codes, &names)?;
    }
    Ok((names, returned.codes))
}

/// JSON values in their canonical form. Only the texts of answered rows are read.
fn json(
    texts: &Names,
    mut codes: Vec<u32>,
    unanswered: &[(u32, Reason)],
    limit: usize,
) -> Result<AnswerColumn, String> {
    let mut canonical = vec![None; texts.len()];
    let mut unanswered = unanswered.iter().map(|(row, _)| *row as usize).peekable();
    for (row, code) in codes.iter().enumerate() {
        let known = &mut canonical[*code as usize];
        if unanswered.next_if_eq(&row).is_some() || known.is_some() {
            continue;
        }
        let text = texts.value(*code as usize);
        let value = canonical_json(text)
            .map_err(|why| format!("answered \"{}\", which is not a JSON value: {why}", cut(text)))?;
        if value.len() > limit {
            return Err(too_long(value.len(), limit));
        }
        *known = Some(value);
    }
    // Two texts may have the same canonical form.
    let rows: Vec<&str> =
        codes.drain(..).map(|code| canonical[code as usize].as_deref().unwrap_or("null")).collect();
    Ok(Answers::from_json(rows).decisions)
}

/// The beginning of a text, without hidden characters.
fn cut(text: &str) -> String {
    super::sanitize(text).chars().take(SHOWN).collect()
}

/// Converts the class probabilities of `rows` rows.
fn probabilities(
    returned: wit::Probabilities,
    unanswered: &[(u32, Reason)],
    rows: usize,
    limit: usize,
) -> Result<Probabilities, String> {
    let wit::Probabilities { names: text, offsets: bounds, codes: classes, values } = returned;
    let names = names(text, limit)?;
    count("offsets of probabilities", bounds.len(), rows + 1)?;
    offsets(&bounds, classes.len())?;
    count("probabilities", values.len(), classes.len())?;
    codes(&classes, &names)?;
    let are_valid = unanswered.is_empty()
        && match bounds.get(1) {
            // Loops of a fixed length take half of the time.
            Some(2) => are_uniform_probabilities::<2>(&bounds, &classes, &values, &names, limit),
            Some(3) => are_uniform_probabilities::<3>(&bounds, &classes, &values, &names, limit),
            _ => false,
        };
    if !are_valid {
        each_row_of_probabilities(&bounds, &classes, &values, &names, unanswered, limit)?;
    }
    Ok(Probabilities { names, offsets: bounds, codes: classes, values })
}

/// Checks the probabilities of each row.
fn each_row_of_probabilities(
    bounds: &[u32],
    classes: &[u32],
    values: &[f64],
    names: &Names,
    unanswered: &[(u32, Reason)],
    limit: usize,
) -> Result<(), String> {
    each_list(bounds, classes, names, limit, |class| {
        format!("returned two probabilities of the class \"{class}\" in one answer")
    })?;
    let mut unanswered = unanswered.iter().map(|(row, _)| *row as usize).peekable();
    for (row, ends) in bounds.windows(2).enumerate() {
        let values = &values[ends[0] as usize..ends[1] as usize];
        if unanswered.next_if_eq(&row).is_some() {
            if !values.is_empty() {
                return Err(format!("returned class probabilities of row {row}, which it left unanswered"));
            }
            continue;
        }
        if values.is_empty() {
            return Err(format!("returned no class probabilities of row {row}, which it answered"));
        }
        if let Some(bad) = values.iter().find(|value| !(0.0..=1.0).contains(*value)) {
            return Err(format!("returned the class probability {bad}; a probability is from 0 to 1"));
        }
        let sum: f64 = values.iter().sum();
        if (sum - 1.0).abs() > SUM_TOLERANCE {
            return Err(format!("returned class probabilities that add up to {sum}; their sum must be 1"));
        }
    }
    Ok(())
}

/// Whether the probabilities are valid, and all rows have those of the same `N` classes: the usual case, in a fifth of the time
/// of [`each_row_of_probabilities`].
fn are_uniform_probabilities<const N: usize>(
    bounds: &[u32],
    classes: &[u32],
    values: &[f64],
    names: &Names,
    limit: usize,
) -> bool {
    let bytes: usize = classes[..N].iter().map(|&class| names.value_length(class as usize) as usize).sum();
    let are_distinct = (1..N).all(|class| !classes[..class].contains(&classes[class]));
    let have_same_classes = classes[N..] == classes[..classes.len() - N];
    let have_same_number =
        bounds.iter().enumerate().fold(true, |all, (row, &start)| all & (start as usize == row * N));
    let add_up = values.as_chunks::<N>().0.iter().fold(true, |all, values| {
        let are_probabilities =
            values.iter().fold(true, |all, value| all & (*value >= 0.0) & (*value <= 1.0));
        let sum: f64 = values.iter().sum();
        all & are_probabilities & ((sum - 1.0).abs() <= SUM_TOLERANCE)
    });
    bytes <= limit && are_distinct && have_same_classes && have_same_number && add_up
}

fn count(what: &str, found: usize, wanted: usize) -> Result<(), String> {
    if found == wanted { Ok(()) } else { Err(format!("returned {found} {what}, expected {wanted}")) }
}

fn unanswered(returned: Vec<(u32, wit::Reason)>, rows: usize) -> Result<Vec<(u32, Reason)>, String> {
    if !returned.is_sorted_by(|(a, _), (b, _)| a < b) {
        return Err("listed its unanswered rows out of order".into());
    }
    if let Some((row, _)) = returned.last().filter(|(row, _)| *row as usize >= rows) {
        return Err(format!("left row {row} unanswered, in a batch of {rows}"));
    }
    let reason = |(row, reason): (u32, wit::Reason)| match reason {
        wit::Reason::Abstained(why) => (row, Reason::Abstained(super::sanitize(&why))),
        wit::Reason::Failed(why) => (row, Reason::Failed(super::sanitize(&why))),
    };
    Ok(returned.into_iter().map(reason).collect())
}

fn names(text: TextResult, limit: usize) -> Result<Names, String> {
    offsets(&text.offsets, text.bytes.len())?;
    let bounds: Vec<i32> = text.offsets.iter().map(|&offset| offset as i32).collect();
    let bounds = OffsetBuffer::new(ScalarBuffer::from(bounds));
    let names = StringArray::try_new(bounds, Buffer::from_vec(text.bytes), None)
        .map_err(|_| "returned names that are not UTF-8".to_owned())?;
    if let Some(long) = names.iter().flatten().find(|name| name.len() > limit) {
        return Err(too_long(long.len(), limit));
    }
    let mut seen = rustc_hash::FxHashSet::default();
    match names.iter().flatten().find(|name| !seen.insert(*name)) {
        Some(twice) => Err(format!("returned the name \"{}\" twice", super::sanitize(twice))),
        None => Ok(names),
    }
}

fn too_long(bytes: usize, limit: usize) -> String {
    format!("returned an answer of {bytes} bytes; `limits.answer-kib` allows {limit}")
}

fn offsets(offsets: &[u32], end: usize) -> Result<(), String> {
    let valid = offsets.first() == Some(&0) && offsets.is_sorted() && offsets.last() == Some(&(end as u32));
    if valid && end <= i32::MAX as usize {
        Ok(())
    } else {
        Err(format!("returned offsets that do not ascend from 0 to {end}"))
    }
}

fn codes(codes: &[u32], names: &Names) -> Result<(), String> {
    match codes.iter().max() {
        Some(&code) if code as usize >= names.len() => {
            Err(format!("returned the code {code}, but only {} names", names.len()))
        }
        _ => Ok(()),
    }
}

/// Checks that no list has a name twice or is longer than the limit. `twice` is the message about a name.
fn each_list(
    offsets: &[u32],
    codes: &[u32],
    names: &Names,
    limit: usize,
    twice: impl Fn(&str) -> String,
) -> Result<(), String> {
    let lengths: Vec<usize> = names.offsets().lengths().collect();
    // Per name: the last list that contains it.
    let mut last = vec![u32::MAX; names.len()];
    for (row, bounds) in offsets.windows(2).enumerate() {
        let mut bytes = 0;
        for &code in &codes[bounds[0] as usize..bounds[1] as usize] {
            if std::mem::replace(&mut last[code as usize], row as u32) == row as u32 {
                return Err(twice(&super::sanitize(names.value(code as usize))));
            }
            bytes += lengths[code as usize];
        }
        if bytes > limit {
            return Err(too_long(bytes, limit));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
