//! Validates the answers that a plugin returns.
//!
//! Invariants of valid answers:
//! - There is one answer per row, and confidences are from 0 to 1.
//! - Codes are within the names; names are UTF-8 and distinct; a ranking has no name twice.
//! - Numbers are finite, and no answer is longer than the limit of the study.
//! - Unanswered rows are in ascending order. Their placeholder values are ignored.

use arrow::array::{Array as _, StringArray};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};

use super::bindings::decider::exports::understudy::shadow::answers as wit;
use super::bindings::decider::exports::understudy::shadow::columns::TextResult;
use understudy_records::batch::{AnswerColumn, Answers, Names, Reason};
use understudy_study::AnswerForm;

/// Converts the answers to `rows` rows, or says which rule they violate. No label, and no names of a ranking together,
/// may be longer than `limit` bytes: the log stores the text of each answer, so a plugin could otherwise inflate one
/// long name to many gigabytes.
pub(super) fn answers(
    returned: wit::Answers,
    form: AnswerForm,
    rows: usize,
    limit: usize,
) -> Result<Answers, String> {
    let unanswered = unanswered(returned.unanswered, rows)?;
    let mut unanswered_rows = unanswered.iter().map(|(row, _)| *row as usize).peekable();
    let mut is_answered = |row: usize| unanswered_rows.next_if_eq(&row).is_none();
    let decisions = match (returned.values, form) {
        (wit::Values::Labels(mut labels), AnswerForm::Label) => {
            let mut names = names(labels.names, limit)?;
            count("codes", labels.codes.len(), rows)?;
            if codes(&labels.codes, &names).is_err() {
                for (row, _) in &unanswered {
                    labels.codes[*row as usize] = 0;
                }
                if unanswered.len() == rows {
                    names = Names::from(vec![""]);
                }
                codes(&labels.codes, &names)?;
            }
            AnswerColumn::Labels { names, codes: labels.codes }
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
            each_ranking(&rankings.offsets, &rankings.codes, &names, limit)?;
            AnswerColumn::Rankings { names, offsets: rankings.offsets, codes: rankings.codes }
        }
        (other, form) => {
            let found = match other {
                wit::Values::Labels(_) => "labels",
                wit::Values::Numbers(_) => "numbers",
                wit::Values::Rankings(_) => "rankings",
            };
            return Err(format!("answered {found}, but declared the form {form:?}"));
        }
    };
    if let Some(values) = &returned.confidence {
        count("confidences", values.len(), rows)?;
        if let Some(bad) = values.iter().find(|value| !(0.0..=1.0).contains(*value)) {
            return Err(format!("returned the confidence {bad}; a confidence is from 0 to 1"));
        }
    }
    Ok(drop_unused_names(Answers { decisions, confidence: returned.confidence, unanswered }, limit))
}

/// Drops names that no row uses, if the names are so large that some must be unused. Answers stay in memory
/// until the last of their rows is joined.
fn drop_unused_names(answers: Answers, limit: usize) -> Answers {
    let rows = answers.rows();
    match &answers.decisions {
        AnswerColumn::Labels { names, .. } | AnswerColumn::Rankings { names, .. }
            if names.get_buffer_memory_size() > rows * limit =>
        {
            let all: Vec<_> = (0..rows).map(|row| (0, row)).collect();
            Answers::gather(&[&answers], &all)
        }
        _ => answers,
    }
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

fn each_ranking(offsets: &[u32], codes: &[u32], names: &Names, limit: usize) -> Result<(), String> {
    // Per name: the last ranking that contains it.
    let mut last = vec![u32::MAX; names.len()];
    for (row, bounds) in offsets.windows(2).enumerate() {
        let mut bytes = 0;
        for &code in &codes[bounds[0] as usize..bounds[1] as usize] {
            if std::mem::replace(&mut last[code as usize], row as u32) == row as u32 {
                let name = super::sanitize(names.value(code as usize));
                return Err(format!("ranked \"{name}\" twice in one answer"));
            }
            bytes += names.value(code as usize).len();
        }
        if bytes > limit {
            return Err(too_long(bytes, limit));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
