//! `understudy model show`: what a trained model reads, answers and costs.

use understudy_study::{AnswerForm, FieldKind};

use super::super::Exit;
use super::super::output::print_out;
use super::arguments::ModelArguments;
use super::cost::model_cost;
use understudy_report::count;
use understudy_sandbox::{InputField, ModelSummary};

/// Show what a trained model reads and answers, its operators, its cost, and the blocks for study.toml.
///
/// The file is imported in the sandbox. The cost is measured on synthetic rows.
#[derive(clap::Args)]
pub(super) struct Show {
    #[command(flatten)]
    model: ModelArguments,
}

impl Show {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let (imported, size) = self.model.import()?;
        let ModelSummary {
            format,
            producer,
            reads,
            answers,
            labels,
            renamed,
            rounded: _,
            confidence,
            has_probabilities,
            operators,
            trees,
            notes,
        } = &imported.summary;
        let by = if producer.is_empty() { String::new() } else { format!(", written by {producer}") };
        print_out(format_args!("{}: {format}{by}", self.model.file.display()))?;
        for (index, field) in reads.iter().enumerate() {
            let head = if index == 0 { "reads" } else { "" };
            print_out(format_args!("  {head:<11} {}", field_line(field)))?;
        }
        print_out(format_args!("  answers     {}", answer_line(*answers, *confidence, *has_probabilities)))?;
        if !renamed.is_empty() {
            let names: Vec<String> =
                renamed.iter().map(|(class, label)| format!("{class} -> {label}")).collect();
            print_out(format_args!("  labels      {}", names.join(", ")))?;
        } else if !labels.is_empty() {
            print_out(format_args!("  labels      {}", labels.join(", ")))?;
        }
        let operators: Vec<String> =
            operators.iter().map(|(name, count)| operator_text(name, *count)).collect();
        print_out(format_args!("  operators   {}", operators.join(", ")))?;
        if *trees > 0 {
            print_out(format_args!("  trees       {}", count(u64::from(*trees))))?;
        }
        let lowered_size = imported.bytes.len();
        print_out(format_args!(
            "  size        {} bytes, {} lowered",
            count(size as u64),
            count(lowered_size as u64)
        ))?;
        let cost = model_cost(imported.bytes)?;
        print_out(format_args!(
            "  fuel/row    {} in a batch of 1,024 rows, {} alone",
            count(cost.fuel_in_batch),
            count(cost.fuel_alone)
        ))?;
        print_out(format_args!("  memory      {} MiB per instance", cost.memory.div_ceil(1 << 20)))?;
        for note in notes {
            print_out(format_args!("  note        {note}"))?;
        }
        // Class numbers are rarely what the substrate decides.
        let has_class_numbers = !labels.is_empty() && labels.iter().all(|label| label.parse::<i64>().is_ok());
        print_out(format_args!("\n{}", self.blocks(format, reads, has_class_numbers)))?;
        Ok(Exit::Done)
    }

    /// The blocks for study.toml.
    fn blocks(&self, format: &str, reads: &[InputField], has_class_numbers: bool) -> String {
        let key = |name: &str| {
            let is_bare = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
            if is_bare { name.to_owned() } else { toml_string(name) }
        };
        let fields = reads.iter().map(|field| {
            // A model reads integers and booleans as numbers, too.
            let others = match field.kind {
                FieldKind::Number => "    # or \"boolean\" or \"integer\", if the feed says so",
                _ => "",
            };
            format!("{} = \"{}\"{others}\n", key(&field.name), field.kind.name())
        });
        let list = |names: &mut dyn Iterator<Item = &str>| {
            format!("[{}]", names.map(toml_string).collect::<Vec<_>>().join(", "))
        };
        let name: String = self
            .model
            .file
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' })
            .collect();
        let mut blocks = format!("[inputs.fields]\n{}\n[[models]]\n", fields.collect::<String>());
        let file = self.model.name().to_string_lossy();
        blocks +=
            &format!("name = {}\nplugin = \"{format}\"\nfile = {}\n", toml_string(&name), toml_string(&file));
        for (key, names) in [("fields", &self.model.fields), ("labels", &self.model.labels)] {
            if !names.is_empty() {
                blocks += &format!("{key} = {}\n", list(&mut names.iter().map(String::as_str)));
            }
        }
        if let Some(score_threshold) = self.model.score_threshold {
            blocks += &format!("score-threshold = {score_threshold}\n");
        }
        if self.model.softmax {
            blocks += "softmax = true\n";
        }
        if let Some(top) = self.model.top {
            blocks += &format!("top = {top}\n");
        }
        if has_class_numbers {
            blocks += "# labels = [\"...\", \"...\"]    # the names of the classes, in the ascending order of their numbers\n";
        }
        blocks += "# training-period = { from = \"...\", until = \"...\" }    # instants such as 2016-07-02T00:00:00Z\n";
        blocks + &format!("grant = {}", list(&mut reads.iter().map(|field| field.name.as_str())))
    }
}

/// A string of TOML. JSON escapes the same characters, except U+007F.
fn toml_string(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007F")
}

fn field_line(field: &InputField) -> String {
    let missing = if field.required { "" } else { ", optional" };
    format!("{:<24} {}{missing}", field.name, field.kind.name())
}

fn answer_line(form: AnswerForm, confidence: bool, probabilities: bool) -> String {
    let more = match (confidence, probabilities) {
        (true, true) => " with a confidence and class probabilities",
        (true, false) => " with a confidence",
        (false, true) => " with class probabilities",
        (false, false) => "",
    };
    format!("{}{more}", form.with_article())
}

fn operator_text(name: &str, count: u32) -> String {
    if count == 1 { name.to_owned() } else { format!("{name} x{count}") }
}
