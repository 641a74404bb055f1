//! How the outputs of a model become an answer.

use tabular_program::{AnswerRule, Axis, Columns, Instruction, Kind, Program, Scores, Step};

use crate::options::Options;
use crate::score_range::{ScoreRange, are_probabilities, score_range};

/// What the options lack or have too much of.
const TWO_LABELS: &str = "write labels = [...] with two labels: below the threshold, and from it on";

/// The outputs of a model, by their index in the program.
pub(crate) struct Outputs {
    /// The output of labels: text, integers or booleans.
    pub(crate) label: Option<usize>,
    /// The scores or numbers.
    pub(crate) numbers: Option<usize>,
    /// The value of the label output that each score belongs to, if the file says so.
    pub(crate) score_labels: Vec<String>,
}

/// The rule for a model's answers. A softmax that the options ask for becomes a part of the program.
///
/// # Errors
/// If the options do not fit the outputs, or more options are needed.
pub(crate) fn answer_rule(
    program: &mut Program,
    outputs: &Outputs,
    options: &Options,
) -> Result<AnswerRule, String> {
    if options.softmax {
        add_softmax(program, outputs.numbers)?;
    }
    if let Some(count) = options.top {
        return ranking(program, count, outputs, options);
    }
    match (outputs.label, outputs.numbers) {
        (Some(label), numbers) => classifier(program, label, numbers, outputs, options),
        (None, Some(numbers)) => scores(program, numbers, options),
        (None, None) => Err("the model has no output; export it with one".to_owned()),
    }
}

/// Makes probabilities of scores.
fn add_softmax(program: &mut Program, numbers: Option<usize>) -> Result<(), String> {
    let output = numbers.ok_or("`softmax` is written, and the model has no scores; remove it")?;
    let from = program.outputs[output].columns;
    if from.width < 2 {
        return Err(format!(
            "`softmax` is written, and output {:?} has one number; remove it, or export one score for each class",
            program.outputs[output].name
        ));
    }
    if are_probabilities(program, output)? {
        return Err(format!(
            "`softmax` is written, and the scores in output {:?} are probabilities already; remove it",
            program.outputs[output].name
        ));
    }
    let plane = &mut program.planes[from.kind.index()];
    let to = Columns { start: *plane, ..from };
    *plane += from.width;
    let axis = Axis { outer: 1, length: from.width, inner: 1 };
    let step = Step::Softmax { logarithm: false, from, axis, to };
    program.steps.push(Instruction { origin: "softmax".to_owned(), step });
    program.outputs[output].columns = to;
    Ok(())
}

/// A ranking of the classes by their scores.
fn ranking(
    program: &Program,
    count: u32,
    outputs: &Outputs,
    options: &Options,
) -> Result<AnswerRule, String> {
    if options.score_threshold.is_some() {
        return Err("`top` and `score-threshold` are both written; write one of them".to_owned());
    }
    let output = outputs.numbers.ok_or("`top` is written, and the model has no scores; remove it")?;
    let width = program.outputs[output].columns.width as usize;
    if width < 2 {
        return Err(format!(
            "`top` is written, and output {:?} has one number; remove it, or export one score for each class",
            program.outputs[output].name
        ));
    }
    let labels = match (&outputs.score_labels[..], &options.labels[..]) {
        ([], []) => {
            return Err(format!(
                "`top` is written, and the {width} scores have no labels; write labels = [...] in the order of the \
                 scores"
            ));
        }
        (labels, []) => labels.to_vec(),
        (values, names) if values.is_empty() || values.iter().all(|value| value.parse::<usize>().is_ok()) => {
            if names.len() != width {
                return Err(format!(
                    "`labels` has {} labels, and the model has {width} scores; write one label for each, in order",
                    names.len()
                ));
            }
            let position =
                |column: usize| values.get(column).map_or(Some(column), |value| value.parse().ok());
            (0..width)
                .map(|column| position(column).and_then(|position| names.get(position)).cloned())
                .collect::<Option<_>>()
                .ok_or("the classes of the model are not numbered from 0; remove `labels`")?
        }
        _ => return Err("the model names its classes itself; remove `labels`".to_owned()),
    };
    if !(1..=width as u32).contains(&count) {
        return Err(format!(
            "`top` is {count}, and the model has {width} classes; write a number from 1 to {width}"
        ));
    }
    Ok(AnswerRule::Ranking { output: output as u32, labels, count })
}

fn classifier(
    program: &Program,
    label: usize,
    numbers: Option<usize>,
    outputs: &Outputs,
    options: &Options,
) -> Result<AnswerRule, String> {
    let name = &program.outputs[label].name;
    if options.score_threshold.is_some() {
        return Err(format!(
            "the model chooses its label itself, in output {name:?}; remove `score-threshold`, or export it without labels"
        ));
    }
    if !options.labels.is_empty() && program.outputs[label].columns.kind == Kind::Text {
        return Err(format!("the model has its labels as text, in output {name:?}; remove `labels`"));
    }
    let range = numbers.map(|output| score_range(program, output)).transpose()?;
    let scores = match numbers.zip(range) {
        Some((output, range)) if range != ScoreRange::Other => {
            let width = program.outputs[output].columns.width as usize;
            if !options.labels.is_empty() && width > 1 && width != options.labels.len() {
                return Err(format!(
                    "`labels` has {} labels, and the model has scores of {width} classes; write one label for each, \
                     in order",
                    options.labels.len()
                ));
            }
            // A single column is the score of one class, whatever the label is.
            (width > 1).then(|| Scores {
                output: output as u32,
                labels: outputs.score_labels.clone(),
                probabilities: range == ScoreRange::Distribution,
            })
        }
        _ => None,
    };
    Ok(AnswerRule::Label { output: label as u32, names: options.labels.clone(), scores })
}

fn scores(program: &Program, numbers: usize, options: &Options) -> Result<AnswerRule, String> {
    let output = numbers as u32;
    let width = program.outputs[numbers].columns.width as usize;
    let labels = options.labels.clone();
    match (width, options.score_threshold) {
        (1, Some(threshold)) => {
            if labels.len() != 2 {
                return Err(format!(
                    "`score-threshold` is written, and `labels` has {} labels; {TWO_LABELS}",
                    labels.len()
                ));
            }
            let confidence = are_probabilities(program, numbers)?;
            Ok(AnswerRule::Threshold { output, threshold, labels, confidence })
        }
        (1, None) if labels.is_empty() => Ok(AnswerRule::Number { output }),
        (1, None) => Err(
            "the model answers one number, and `labels` is written; write score-threshold = 0.5 as well to \
                          answer a label, or remove `labels`"
                .to_owned(),
        ),
        (_, Some(_)) => Err(format!(
            "the model has {width} scores, and `score-threshold` needs one; remove `score-threshold`"
        )),
        (_, None) if labels.len() == width => {
            let range = score_range(program, numbers)?;
            let (confidence, probabilities) = (range != ScoreRange::Other, range == ScoreRange::Distribution);
            Ok(AnswerRule::LargestScore { output, labels, confidence, probabilities })
        }
        (_, None) if labels.is_empty() => Err(format!(
            "the model answers {width} scores without labels; write labels = [...] in the order of the scores, or \
             export the model with one output"
        )),
        (_, None) => Err(format!(
            "`labels` has {} labels, and the model has {width} scores; write one label for each, in order",
            labels.len()
        )),
    }
}

/// The labels that a rule can answer, if it is known which.
pub(crate) fn known_labels(rule: &AnswerRule) -> &[String] {
    match rule {
        AnswerRule::Number { .. } => &[],
        AnswerRule::Label { names, scores, .. } if names.is_empty() => {
            scores.as_ref().map_or(&[], |scores| &scores.labels)
        }
        AnswerRule::Label { names, .. } => names,
        AnswerRule::LargestScore { labels, .. }
        | AnswerRule::Threshold { labels, .. }
        | AnswerRule::Ranking { labels, .. } => labels,
    }
}
