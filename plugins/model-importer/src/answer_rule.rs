//! How the outputs of a model become an answer.

use tabular_program::{AnswerRule, Kind, Program, Scores};

use crate::options::Options;
use crate::probabilities::are_probabilities;

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

/// The rule for a model's answers.
///
/// # Errors
/// If the options do not fit the outputs, or more options are needed.
pub(crate) fn answer_rule(
    program: &Program,
    outputs: &Outputs,
    options: &Options,
) -> Result<AnswerRule, String> {
    match (outputs.label, outputs.numbers) {
        (Some(label), numbers) => classifier(program, label, numbers, outputs, options),
        (None, Some(numbers)) => scores(program, numbers, options),
        (None, None) => Err("the model has no output; export it with one".to_owned()),
    }
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
    let scores = match numbers {
        Some(output) if are_probabilities(program, output)? => {
            let width = program.outputs[output].columns.width as usize;
            if !options.labels.is_empty() && width > 1 && width != options.labels.len() {
                return Err(format!(
                    "`labels` has {} labels, and the model has scores of {width} classes; write one label for each, \
                     in order",
                    options.labels.len()
                ));
            }
            // A single column is the score of one class, whatever the label is.
            (width > 1).then(|| Scores { output: output as u32, labels: outputs.score_labels.clone() })
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
            let confidence = are_probabilities(program, numbers)?;
            Ok(AnswerRule::LargestScore { output, labels, confidence })
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
        AnswerRule::LargestScore { labels, .. } | AnswerRule::Threshold { labels, .. } => labels,
    }
}
