//! `understudy init`: a declaration from two feeds.

mod decision_guess;
mod declaration;
mod draft;
mod feed;
mod feed_sample;
mod id_guess;
mod model_guess;
mod operator_question;
mod slice_guess;
mod time_guess;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::error::ErrorKind;
use understudy_study::{AnswerForm, Micros};

use super::Exit;
use super::output::{print_err, print_out};
use super::relative_path::relative_path;
use decision_guess::DecisionOverrides;
use declaration::{DeclaredNames, declaration};
use draft::{Draft, Overrides, draft};
use feed::read_feed;
use id_guess::IdOverrides;
use operator_question::Question;
pub(super) use slice_guess::declared_name;

/// The name of the declaration.
const STUDY: &str = "study.toml";

/// Write a study declaration from two feeds.
///
/// Looks at the first 100,000 snapshots and decisions, and guesses ids, times, fields, the decision and its form, metrics,
/// conditions and windows. Prints each guess with its reason, and asks for what it cannot infer. The threshold
/// stays open.
#[derive(clap::Args)]
pub(super) struct Init {
    /// Snapshots: JSON Lines, plain, gzip or zstd; CSV with a header if the name ends in .csv; Parquet if it ends in
    /// .parquet.
    #[arg(long, value_name = "FILE")]
    snapshots: PathBuf,
    /// Decisions, in a file like the snapshots.
    #[arg(long, value_name = "FILE")]
    decisions: PathBuf,
    /// Directory for study.toml; created if it does not exist.
    #[arg(long, short, value_name = "DIR", default_value = ".")]
    output: PathBuf,
    /// Key of the id in both feeds.
    #[arg(long, value_name = "KEY")]
    id: Option<String>,
    /// Key of the id in the decisions, if it differs.
    #[arg(long, value_name = "KEY")]
    decision_id: Option<String>,
    /// Key of the time in the snapshots.
    #[arg(long, value_name = "KEY")]
    time: Option<String>,
    /// Key of the time in the decisions.
    #[arg(long, value_name = "KEY")]
    decision_time: Option<String>,
    /// Field of the decisions that holds the decision.
    #[arg(long, value_name = "FIELD")]
    decision: Option<String>,
    /// Form of the decision.
    #[arg(long, value_enum)]
    form: Option<NamedForm>,
    /// Time zone in which days begin, such as Europe/Amsterdam.
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    time_zone: String,
    /// Name of the study [default: the name of the snapshots' file].
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum NamedForm {
    Label,
    Number,
    Ranking,
    LabelSet,
    Json,
}

impl From<NamedForm> for AnswerForm {
    fn from(form: NamedForm) -> AnswerForm {
        match form {
            NamedForm::Label => AnswerForm::Label,
            NamedForm::Number => AnswerForm::Number,
            NamedForm::Ranking => AnswerForm::Ranking,
            NamedForm::LabelSet => AnswerForm::LabelSet,
            NamedForm::Json => AnswerForm::Json,
        }
    }
}

/// What the command writes and prints.
struct Initialized {
    draft: Draft,
    text: String,
}

impl Init {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let path = match self.output == Path::new(".") {
            true => PathBuf::from(STUDY),
            false => self.output.join(STUDY),
        };
        if path.exists() {
            bail!("{} exists already; name another directory with --output", path.display());
        }
        let now = Micros(jiff::Timestamp::now().as_microsecond());
        let Initialized { draft, text } = match self.initialize(now)? {
            Ok(initialized) => initialized,
            Err(questions) => exit_with_questions(&questions),
        };
        std::fs::create_dir_all(&self.output)
            .with_context(|| format!("cannot create {}", self.output.display()))?;
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        print_out(printed(&draft).trim_end())?;
        for note in &draft.notes {
            print_err(format_args!("note: {note}"));
        }
        print_err(format_args!(
            "written to {}; read it, then `understudy check {}`",
            path.display(),
            path.display()
        ));
        Ok(Exit::Done)
    }

    /// Reads the feeds and drafts the declaration. `now` is the time of the clock.
    fn initialize(&self, now: Micros) -> anyhow::Result<Result<Initialized, Vec<Question>>> {
        let snapshots = read_feed(&self.snapshots, "snapshots")?;
        let decisions = read_feed(&self.decisions, "decisions")?;
        let named = Overrides {
            ids: IdOverrides {
                snapshots: self.id.as_deref(),
                decisions: self.decision_id.as_deref().or(self.id.as_deref()),
            },
            time: self.time.as_deref(),
            decision_time: self.decision_time.as_deref(),
            decision: DecisionOverrides {
                field: self.decision.as_deref(),
                form: self.form.map(AnswerForm::from),
            },
        };
        let draft = match draft(&snapshots, &decisions, named, now) {
            Ok(draft) => draft,
            Err(mut questions) => {
                // What is noted of the records may be the reason.
                if let Some(last) = questions.last_mut() {
                    let notes = [&[last.why.clone()][..], &snapshots.notes, &decisions.notes].concat();
                    last.why = notes.join("; ");
                }
                return Ok(Err(questions));
            }
        };
        let stem = self.snapshots.file_name().unwrap_or_default().to_string_lossy();
        let stem = stem.split('.').next().unwrap_or_default().to_owned();
        let name = self.name.clone().unwrap_or_else(|| declared_name(&stem));
        let names = DeclaredNames {
            study: &name,
            time_zone: &self.time_zone,
            snapshots: &relative_path(&self.snapshots, &self.output)?,
            decisions: &relative_path(&self.decisions, &self.output)?,
        };
        let text = declaration(&draft, names);
        Ok(Ok(Initialized { draft, text }))
    }
}

/// The guesses, a line for each.
fn printed(draft: &Draft) -> String {
    draft.guesses.iter().map(|guess| format!("{:<18} {}\n", guess.what, guess.text)).collect()
}

/// Exits as for invalid arguments, since an argument answers each question.
fn exit_with_questions(questions: &[Question]) -> ! {
    let text: Vec<String> = questions.iter().map(ToString::to_string).collect();
    let mut program = crate::command_line();
    program.build();
    let command = program.find_subcommand_mut("init").expect("this is the command");
    command.error(ErrorKind::MissingRequiredArgument, text.join("\n")).exit()
}

#[cfg(test)]
mod tests;
