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

#[cfg(test)]
mod tests {
    use tabular_engine::{Buffers, Model, Source, SourceColumn};
    use tabular_program::{Axis, Input, Instruction, Kind, Output, Program};

    use super::*;
    use crate::answers::answers;

    fn columns(kind: Kind, start: u32, width: u32) -> Columns {
        Columns { kind, start, width }
    }

    /// A model of three scores: the class with the largest one, looked up in `table` into a column of its kind.
    fn model(table: Values, labels: &[&str], more: Option<Step>) -> LoweredModel {
        let (scores, index) = (columns(Kind::Float, 0, 3), columns(Kind::Integer, 0, 1));
        let label = match table.kind() {
            Kind::Integer => columns(Kind::Integer, 1, 1),
            kind => columns(kind, 0, 1),
        };
        let axis = Axis { outer: 1, length: 3, inner: 1 };
        let steps = [
            Step::Position { largest: true, last: false, from: scores, axis, to: index },
            Step::Lookup { table, width: 1, index, to: label },
        ];
        let output = |name: &str, columns| Output { name: name.to_owned(), columns };
        let program = Program {
            inputs: vec![Input { name: "scores".to_owned(), columns: scores }],
            outputs: vec![output("label", label), output("scores", scores)],
            planes: [0, 3, 3, 0, 2],
            steps: steps
                .into_iter()
                .chain(more)
                .map(|step| Instruction { origin: String::new(), step })
                .collect(),
            ..Program::default()
        };
        let labels = labels.iter().map(|label| (*label).to_owned()).collect();
        let scores = Some(Scores { output: 1, labels, probabilities: true });
        let answer = AnswerRule::Label { output: 0, names: Vec::new(), scores };
        LoweredModel { fields: Vec::new(), answer, program }
    }

    fn texts(texts: [&str; 3]) -> Values {
        Values::Texts { values: texts.map(str::to_owned).into() }
    }

    /// The answers to rows of three scores, by index if the model can.
    fn answered(mut model: LoweredModel, by_index: bool, scores: &[Vec<f64>; 3]) -> String {
        let positions = if by_index { take_label_indices(&mut model) } else { None };
        assert_eq!(positions.is_some(), by_index);
        let rows = scores[0].len();
        let sources =
            scores.each_ref().map(|values| SourceColumn { values: Source::Doubles(values), missing: &[] });
        let prepared = Model::new(model.program).unwrap();
        let mut buffers = Buffers::default();
        let outputs = prepared.run(rows, &sources, &mut buffers).unwrap();
        format!("{:?}", answers(&model.answer, positions.as_deref(), rows as u32, &outputs))
    }

    #[test]
    fn labels_by_index_are_those_by_text_and_by_integer() {
        let integers = Values::Integers { values: vec![7, -1, 0] };
        for (table, labels) in [
            (texts(["a", "b", "c"]), ["a", "b", "c"]),
            (texts(["a", "b", "c"]), ["c", "a", "b"]),
            (integers, ["0", "7", "-1"]),
        ] {
            for rows in [1, 15, 16, 40, 300] {
                let score = |row: usize, class: usize| ((row * 7 + class * 5) % 11) as f64 / 10.0;
                let mut scores =
                    [0, 1, 2].map(|class| (0..rows).map(|row| score(row, class)).collect::<Vec<f64>>());
                let answers =
                    |by_index, scores: &_| answered(model(table.clone(), &labels, None), by_index, scores);
                assert_eq!(answers(true, &scores), answers(false, &scores), "{rows} rows");
                // A score that is no probability, and one that is missing.
                scores[1][rows / 2] = 2.0;
                scores[2][rows - 1] = f64::NAN;
                assert_eq!(answers(true, &scores), answers(false, &scores), "{rows} rows");
            }
        }
    }

    #[test]
    fn models_whose_labels_are_no_valid_indices_stay_as_they_are() {
        let label = columns(Kind::Text, 0, 1);
        let copy = Step::Copy { from: label, to: columns(Kind::Text, 1, 1) };
        let overwritten =
            Step::Fill { values: Values::Integers { values: vec![0] }, to: columns(Kind::Integer, 0, 1) };
        let abc = ["a", "b", "c"];
        for (what, mut model) in [
            ("a label has no score", model(texts(abc), &["a", "b", "x"], None)),
            ("another step reads the label", model(texts(abc), &abc, Some(copy))),
            ("the index is overwritten", model(texts(abc), &abc, Some(overwritten))),
            (
                "an index may be outside of the table",
                model(Values::Texts { values: vec!["a".to_owned(), "b".to_owned()] }, &abc, None),
            ),
        ] {
            let before = model.clone();
            assert_eq!(take_label_indices(&mut model), None, "{what}");
            assert_eq!(model, before, "{what}");
        }
        let mut usual = model(texts(abc), &abc, None);
        assert_eq!(take_label_indices(&mut usual), Some(vec![0, 1, 2]));
    }
}
