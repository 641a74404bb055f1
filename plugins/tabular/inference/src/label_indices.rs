//! Labels by their index, where a program looks them up at its end: an index is compared and moved in less time than a text.

use tabular_program::{AnswerRule, Columns, LoweredModel, Scores, Step, Values};

/// Makes a model answer the index of the label instead of the label. Returns the position of each index's label among those of the
/// scores; `None` if the model stays as it is: its label is not looked up by an index that is always valid, or has no score.
pub(crate) fn take_label_indices(model: &mut LoweredModel) -> Option<Vec<u32>> {
    let AnswerRule::Label { output, names, scores: Some(Scores { labels, .. }) } = &model.answer else {
        return None;
    };
    let label = model.program.outputs[*output as usize].columns;
    let steps = &model.program.steps;
    let writes = |step: &Step, columns: Columns| step.accesses().1.iter().any(|to| to.overlaps(columns));
    let reads = |step: &Step, columns: Columns| step.accesses().0.iter().any(|from| from.overlaps(columns));
    let at = steps.iter().rposition(|instruction| writes(&instruction.step, label))?;
    let Step::Lookup { table, width: 1, index, to } = &steps[at].step else { return None };
    let (index, after) = (*index, &steps[at + 1..]);
    let is_used = after.iter().any(|later| reads(&later.step, label) || writes(&later.step, index));
    let source = steps[..at].iter().rfind(|instruction| writes(&instruction.step, index))?;
    if *to != label || is_used || !names.is_empty() || !is_below(&source.step, index, table.len()) {
        return None;
    }
    let position = |text: &str| labels.iter().position(|label| label == text).map(|at| at as u32);
    let positions: Vec<u32> = match table {
        Values::Texts { values } => values.iter().map(|text| position(text)).collect::<Option<_>>()?,
        Values::Integers { values } => {
            values.iter().map(|integer| position(&integer.to_string())).collect::<Option<_>>()?
        }
        _ => return None,
    };
    let output = *output as usize;
    model.program.steps.remove(at);
    model.program.outputs[output].columns = index;
    Some(positions)
}

/// Whether a step writes one column of indices from 0 that are below `count`.
fn is_below(step: &Step, index: Columns, count: usize) -> bool {
    match step {
        Step::Classes { label, to, .. } => *label == index && to.width as usize <= count,
        Step::Position { axis, to, .. } => *to == index && axis.length as usize <= count,
        _ => false,
    }
}
