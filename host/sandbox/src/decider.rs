//! Runs models and comparators: one answer per row.
//!
//! Invariants:
//! - The recorded answer to a row depends on that row alone.
//! - A row without a value of a required field is not passed to the plugin.
//! - A failed batch is split until the failing rows are isolated. They become unanswered with the failure as
//!   reason; the other rows are answered.
//! - A row fails by a trap or a limit only if it does so as the first call of an instance. What earlier rows left behind, such as
//!   memory that a garbage collector then frees, costs no row its answer.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;

use super::batch_sizing::BatchSizer;
use super::bindings::decider::Model as Bindings;
use super::bindings::decider::exports::understudy::shadow::answers;
use super::component::link;
use super::component_file::{Assets, ComponentFile, PluginRole};
use super::config_schema::check_config;
use super::description_validation::InputField;
use super::instance::{InstanceSpec, InstanceSupervisor};
use super::usage::UsageCounters;
use super::{Sandbox, SandboxError, answer_validation, borrowed_columns, description_validation};
use understudy_records::batch::{AnswerSchema, Answers, Reason};
use understudy_study::{AnswerForm, FieldKind};

/// A loaded model or comparator. It can be instantiated any number of times.
#[derive(Clone)]
pub struct DeciderPlugin {
    sandbox: Sandbox,
    spec: Arc<InstanceSpec<Bindings>>,
    /// Display name and version.
    pub title: String,
    /// The fields that the plugin reads, in the order of the columns.
    pub reads: Arc<[InputField]>,
    /// The form of the plugin's answers.
    pub form: AnswerForm,
    /// Whether each answer has class probabilities.
    pub has_probabilities: bool,
}

impl DeciderPlugin {
    /// Compiles, links, instantiates and configures a plugin, and reads its description.
    ///
    /// # Errors
    /// See [`SandboxError`].
    pub fn load(
        sandbox: &Sandbox,
        file: &ComponentFile,
        role: PluginRole,
        config: String,
        assets: Assets,
        cache: Option<&Path>,
    ) -> Result<DeciderPlugin, SandboxError> {
        let linked = link::<Bindings>(sandbox, file, role.with_article(), cache)?;
        check_config(file, &config)?;
        let spec = Arc::new(InstanceSpec { linked, config, assets, usage_counters: Arc::default() });
        let mut supervisor = InstanceSupervisor::<Bindings>::new(sandbox.clone(), spec.clone());
        supervisor.start()?;
        let description = supervisor
            .call("describe", |world, store| world.understudy_shadow_decider().call_describe(store))
            .map_err(SandboxError::Call)?;
        supervisor.settle(0);
        let title = description_validation::title(&description.name, &description.version);
        let reads = description_validation::fields(description.reads)?.into();
        let (form, has_probabilities) = (form(description.answers), description.has_probabilities);
        if has_probabilities && form != AnswerForm::Label {
            let why = format!(
                "it declares class probabilities of answers with the form {}; only labels have them",
                form.name()
            );
            return Err(SandboxError::Description { why });
        }
        Ok(DeciderPlugin { sandbox: sandbox.clone(), spec, title, reads, form, has_probabilities })
    }

    /// What the answers consist of.
    pub fn answer_schema(&self) -> AnswerSchema {
        AnswerSchema { form: self.form, probabilities: self.has_probabilities }
    }

    /// The sandbox that runs the plugin.
    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// The assets that the study passes to the plugin.
    pub fn assets(&self) -> Assets {
        self.spec.assets.clone()
    }

    /// The usage counters of all instances of the plugin.
    pub fn usage_counters(&self) -> Arc<UsageCounters> {
        self.spec.usage_counters.clone()
    }

    /// Creates an instance. It starts with the first batch or with [`Decider::start`].
    pub fn instance(&self) -> Decider {
        Decider {
            supervisor: InstanceSupervisor::new(self.sandbox.clone(), self.spec.clone()),
            kinds: self.reads.iter().map(|field| field.kind).collect(),
            reads: self.reads.clone(),
            schema: self.answer_schema(),
            answer_limit: self.sandbox.budget().answer,
            batch_sizer: BatchSizer::new(),
        }
    }

    /// Creates an instance for rows that are processed again or on trial. Its usage is not that of the plugin.
    pub fn uncounted_instance(&self) -> Decider {
        let supervisor = InstanceSupervisor::uncounted(self.sandbox.clone(), self.spec.clone());
        Decider { supervisor, ..self.instance() }
    }
}

fn form(form: answers::Form) -> AnswerForm {
    match form {
        answers::Form::Label => AnswerForm::Label,
        answers::Form::Number => AnswerForm::Number,
        answers::Form::Ranking => AnswerForm::Ranking,
        answers::Form::LabelSet => AnswerForm::LabelSet,
        answers::Form::Json => AnswerForm::Json,
    }
}

/// The answers to a batch.
#[derive(Clone, Debug)]
pub struct AnsweredBatch {
    /// One answer per row.
    pub answers: Answers,
    /// Rows on which the plugin failed, with the failure, by ascending row index. Abstentions are not
    /// failures.
    pub broken: Vec<(u32, String)>,
}

/// One instance of a model or comparator.
pub struct Decider {
    supervisor: InstanceSupervisor<Bindings>,
    reads: Arc<[InputField]>,
    kinds: Vec<FieldKind>,
    schema: AnswerSchema,
    /// Bytes of the longest answer.
    answer_limit: usize,
    batch_sizer: BatchSizer,
}

/// The answers of one successful call, or one failed row.
struct Piece {
    answers: Answers,
    broken: Option<String>,
}

impl Piece {
    /// Converts the only piece of a batch.
    fn whole(self) -> AnsweredBatch {
        AnsweredBatch { answers: self.answers, broken: self.broken.into_iter().map(|why| (0, why)).collect() }
    }
}

impl Decider {
    /// Creates the instance before the first batch.
    ///
    /// # Errors
    /// If the plugin cannot be instantiated or configured.
    pub fn start(&mut self) -> Result<(), SandboxError> {
        self.supervisor.start()
    }

    /// Answers a batch. Its columns are the fields that the plugin reads, in that order.
    pub fn decide(&mut self, batch: &RecordBatch) -> AnsweredBatch {
        let rows = batch.num_rows();
        let complete = self.complete(batch);
        // Fast path: usually one call answers the whole batch.
        if complete.is_none()
            && rows > 0
            && self.batch_sizer.next(rows, self.supervisor.fuel()) == rows
            && let Some(piece) = self.piece(batch)
        {
            return piece.whole();
        }
        let (passed, passed_rows) = match &complete {
            None => (Cow::Borrowed(batch), (0..rows).collect()),
            Some(mask) => {
                let passed = filter_record_batch(batch, mask).expect("the mask has one value per row");
                (Cow::Owned(passed), (0..rows).filter(|row| mask.value(*row)).collect::<Vec<_>>())
            }
        };
        let mut pieces = Vec::new();
        let mut start = 0;
        while start < passed_rows.len() {
            let rows = self.batch_sizer.next(passed_rows.len() - start, self.supervisor.fuel());
            if let Some(piece) = self.piece(&passed.slice(start, rows)) {
                pieces.push(piece);
                start += rows;
            }
        }
        self.assemble(batch, pieces, &passed_rows)
    }

    /// A mask of the rows that have all required fields; `None` if all rows have.
    fn complete(&self, batch: &RecordBatch) -> Option<BooleanArray> {
        let required = |(field, _): &(&InputField, _)| field.required;
        let columns = self.reads.iter().zip(batch.columns()).filter(required).map(|(_, column)| column);
        let gaps: Vec<_> = columns.filter_map(|c| c.nulls().filter(|nulls| nulls.null_count() > 0)).collect();
        (!gaps.is_empty())
            .then(|| (0..batch.num_rows()).map(|row| Some(gaps.iter().all(|n| n.is_valid(row)))).collect())
    }

    /// Answers some rows in one call. `None` if the call failed and is to be repeated: with fewer rows, or in a new instance.
    fn piece(&mut self, batch: &RecordBatch) -> Option<Piece> {
        let rows = batch.num_rows();
        match self.call(batch) {
            Ok(answers) => {
                self.batch_sizer.record_success(rows, self.supervisor.used);
                self.supervisor.settle(rows);
                Some(Piece { answers, broken: None })
            }
            Err(why) => {
                self.batch_sizer.record_failure(rows);
                (rows == 1 && !self.supervisor.failed_after_answers).then(|| {
                    self.supervisor.settle(rows);
                    let answers = Answers::unanswered(self.schema, 1, &Reason::Broke(why.clone()));
                    Piece { answers, broken: Some(why) }
                })
            }
        }
    }

    fn call(&mut self, batch: &RecordBatch) -> Result<Answers, String> {
        let rows = batch.num_rows();
        let borrowed = borrowed_columns::borrow_columns(batch, &self.kinds);
        let columns: Vec<_> = borrowed.iter().map(borrowed_columns::BorrowedColumn::column).collect();
        self.supervisor
            .call("decide", |world, store| {
                world.understudy_shadow_decider().call_decide(store, rows as u32, &columns)
            })
            .map_err(|error| error.to_string())?
            .map_err(|why| format!("`decide` returned an error: {}", super::sanitize(&why)))
            .and_then(|returned| {
                let limit = self.answer_limit;
                answer_validation::answers(returned, self.schema, rows, limit)
                    .map_err(|why| format!("`decide` {why}"))
            })
    }

    /// Merges the pieces with the rows that were withheld from the plugin.
    fn assemble(&self, batch: &RecordBatch, pieces: Vec<Piece>, passed_rows: &[usize]) -> AnsweredBatch {
        let rows = batch.num_rows();
        let mut picks = vec![(0, 0); rows];
        let mut broken = Vec::new();
        let mut next = passed_rows.iter();
        for (source, piece) in pieces.iter().enumerate() {
            for within in 0..piece.answers.rows() {
                let row = *next.next().expect("the pieces have the rows that were passed");
                picks[row] = (source + 1, within);
                broken.extend(piece.broken.clone().map(|why| (row as u32, why)));
            }
        }
        let withheld = Answers::unanswered(self.schema, 1, &Reason::Abstained(String::new()));
        let sources: Vec<&Answers> =
            std::iter::once(&withheld).chain(pieces.iter().map(|p| &p.answers)).collect();
        let mut answers = Answers::gather(&sources, &picks);
        for (row, reason) in &mut answers.unanswered {
            if picks[*row as usize].0 == 0 {
                *reason = Reason::Abstained(self.missing_field(batch, *row as usize));
            }
        }
        AnsweredBatch { answers, broken }
    }

    /// Why a row was withheld from the plugin.
    fn missing_field(&self, batch: &RecordBatch, row: usize) -> String {
        let is_missing =
            |(field, column): &(&InputField, &arrow::array::ArrayRef)| field.required && column.is_null(row);
        let field =
            self.reads.iter().zip(batch.columns()).find(is_missing).map(|(field, _)| field.name.as_str());
        format!("the field `{}` is missing", field.unwrap_or_default())
    }
}
