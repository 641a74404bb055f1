//! How the outputs of a model become an answer.

use tabular_program::{AnswerRule, Axis, Columns, Instruction, Kind, Program, Scores, Step, Values};

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
    /// The classes of the file that are numbers, in their ascending order, if it is known which there are.
    pub(crate) classes: Vec<Class>,
}

/// A class of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Class {
    /// The value of the label output.
    pub(crate) value: i64,
    /// The class as the file has it.
    pub(crate) text: String,
}

/// How a model answers.
pub(crate) struct Answer {
    pub(crate) rule: AnswerRule,
    /// The classes of the file that `labels` renames, with their labels.
    pub(crate) renamed: Vec<(String, String)>,
}

impl Outputs {
    /// The names that a file gives its classes, in the order of `classes`; none if it has none.
    pub(crate) fn names_of_file(&self, names: &[String]) -> Vec<String> {
        let classes = self.classes.iter().filter(|_| !names.is_empty());
        classes.map(|class| class.text.clone()).collect()
    }

    /// The classes that `labels` names: those of the label, otherwise those of the scores.
    ///
    /// # Errors
    /// If it is not known which there are, or `labels` has another number of names.
    fn renamed(&self, options: &Options) -> Result<Vec<(Class, String)>, String> {
        let mut classes = self.classes.clone();
        if classes.is_empty() {
            let class = |text: &String| Some(Class { value: text.parse().ok()?, text: text.clone() });
            classes = self.score_labels.iter().map(class).collect::<Option<_>>().unwrap_or_default();
            classes.sort_unstable_by_key(|class| class.value);
        }
        if classes.is_empty() {
            return Err(
                "`labels` is written, and the file does not say which classes the model answers; remove `labels`, or export \
                 the model with the classifier's own labels"
                    .to_owned(),
            );
        }
        if classes.len() != options.labels.len() {
            let texts: Vec<&str> = classes.iter().map(|class| &class.text[..]).collect();
            return Err(format!(
                "`labels` has {}, and the classes of the file are {}; write one label for each, in this order",
                match options.labels.len() {
                    1 => "1 label".to_owned(),
                    count => format!("{count} labels"),
                },
                texts.join(", ")
            ));
        }
        let mut sorted: Vec<&String> = options.labels.iter().collect();
        sorted.sort_unstable();
        if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(format!("`labels` has {:?} twice; write a different label for each class", pair[0]));
        }
        Ok(classes.into_iter().zip(options.labels.iter().cloned()).collect())
    }
}

/// The rule for a model's answers. A softmax that the options ask for becomes a part of the program.
///
/// # Errors
/// If the options do not fit the outputs, or more options are needed.
pub(crate) fn answer_rule(
    program: &mut Program,
    outputs: &Outputs,
    options: &Options,
) -> Result<Answer, String> {
    if options.softmax {
        add_softmax(program, outputs.numbers)?;
    }
    if let Some(count) = options.top {
        return ranking(program, count, outputs, options);
    }
    match (outputs.label, outputs.numbers) {
        (Some(label), numbers) => classifier(program, label, numbers, outputs, options),
        (None, Some(numbers)) => Ok(Answer { rule: scores(program, numbers, options)?, renamed: Vec::new() }),
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
fn ranking(program: &Program, count: u32, outputs: &Outputs, options: &Options) -> Result<Answer, String> {
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
    let mut renamed = Vec::new();
    let labels = match (&outputs.score_labels[..], &options.labels[..]) {
        ([], []) => {
            return Err(format!(
                "`top` is written, and the {width} scores have no labels; write labels = [...] in the order of the \
                 scores"
            ));
        }
        (labels, []) => labels.to_vec(),
        ([], names) if names.len() == width => names.to_vec(),
        ([], names) => {
            return Err(format!(
                "`labels` has {} labels, and the model has {width} scores; write one label for each, in order",
                names.len()
            ));
        }
        (values, _) if values.iter().all(|value| value.parse::<i64>().is_ok()) => {
            let named = outputs.renamed(options)?;
            let name = |value: &String| {
                let value: i64 = value.parse().ok()?;
                named.iter().find(|(class, _)| class.value == value).map(|(_, name)| name.clone())
            };
            let labels = values.iter().map(name).collect::<Option<_>>();
            renamed = named.iter().map(|(class, name)| (class.text.clone(), name.clone())).collect();
            labels.ok_or("the scores belong to other classes than the labels; remove `labels`")?
        }
        _ => return Err("the model names its classes itself; remove `labels`".to_owned()),
    };
    if !(1..=width as u32).contains(&count) {
        return Err(format!(
            "`top` is {count}, and the model has {width} classes; write a number from 1 to {width}"
        ));
    }
    Ok(Answer { rule: AnswerRule::Ranking { output: output as u32, labels, count }, renamed })
}

fn classifier(
    program: &mut Program,
    label: usize,
    numbers: Option<usize>,
    outputs: &Outputs,
    options: &Options,
) -> Result<Answer, String> {
    let name = &program.outputs[label].name;
    if options.score_threshold.is_some() {
        return Err(format!(
            "the model chooses its label itself, in output {name:?}; remove `score-threshold`, or export it without labels"
        ));
    }
    if !options.labels.is_empty() && program.outputs[label].columns.kind == Kind::Text {
        return Err(format!("the model has its labels as text, in output {name:?}; remove `labels`"));
    }
    let renamed = if options.labels.is_empty() { Vec::new() } else { outputs.renamed(options)? };
    let range = numbers.map(|output| score_range(program, output)).transpose()?;
    let mut scores = match numbers.zip(range) {
        Some((output, range)) if range != ScoreRange::Other => {
            let width = program.outputs[output].columns.width as usize;
            if !renamed.is_empty() && width > 1 && width != renamed.len() {
                return Err(format!(
                    "the model has {width} scores and {} classes; export it with one score for each class",
                    renamed.len()
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
    let renames = renamed.iter().map(|(class, name)| (class.text.clone(), name.clone())).collect();
    let mut by_value: Vec<&(Class, String)> = renamed.iter().collect();
    by_value.sort_unstable_by_key(|(class, _)| class.value);
    let names: Vec<String> = by_value.iter().map(|(_, name)| name.clone()).collect();
    let is_position = |(position, (class, _)): (i64, &&(Class, String))| class.value == position;
    if (0..).zip(&by_value).all(is_position) {
        let rule = AnswerRule::Label { output: label as u32, names, scores };
        return Ok(Answer { rule, renamed: renames });
    }
    // The classes of scores alone do not limit the label.
    if outputs.classes.is_empty() && scores.is_none() {
        return Err(
            "`labels` is written, and the file does not say which classes the model answers; remove `labels`"
                .to_owned(),
        );
    }
    let values = by_value.iter().map(|(class, _)| class.value).collect();
    name_label(program, label, values, names);
    if let Some(scores) = &mut scores {
        for text in &mut scores.labels {
            let name = renamed.iter().find(|(class, _)| class.text == *text).map(|(_, name)| name.clone());
            *text = name.ok_or("the scores belong to other classes than the labels; remove `labels`")?;
        }
    }
    let rule = AnswerRule::Label { output: label as u32, names: Vec::new(), scores };
    Ok(Answer { rule, renamed: renames })
}

/// Makes texts of a label that is one of some integers: the name of each. Another integer becomes the empty text, which is
/// no label of the scores.
fn name_label(program: &mut Program, label: usize, values: Vec<i64>, names: Vec<String>) {
    let integer = |program: &mut Program, from: Columns| {
        let to = new_column(program, Kind::Integer);
        program.steps.push(Instruction { origin: "labels".to_owned(), step: Step::Cast { from, to } });
        to
    };
    let from = match program.outputs[label].columns {
        columns if columns.kind == Kind::Integer => columns,
        columns => integer(program, columns),
    };
    let to = new_column(program, Kind::Text);
    let step = Step::Encode {
        from,
        keys: Values::Integers { values },
        values: Values::Texts { values: names },
        default: Values::Texts { values: vec![String::new()] },
        to,
    };
    program.steps.push(Instruction { origin: "labels".to_owned(), step });
    program.outputs[label].columns = to;
}

/// A column of its own.
fn new_column(program: &mut Program, kind: Kind) -> Columns {
    let plane = &mut program.planes[kind.index()];
    let column = Columns { kind, start: *plane, width: 1 };
    *plane += 1;
    column
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
