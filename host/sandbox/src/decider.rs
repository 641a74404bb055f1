//! Models and comparators: rows in, one answer a row out.
//!
//! Always holds: the answer recorded for a row depends on that row alone. A row in which a required field is missing is
//! not handed over. A batch that fails is cut until the failing rows stand alone; they become unanswered, with what
//! happened as the reason, and the others are answered.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;

use super::bindings::decider::Model as Bindings;
use super::bindings::decider::exports::understudy::shadow::answers;
use super::instance::{InstanceSpec, InstanceSupervisor};
use super::component::{Assets, ComponentFile, PluginRole, link};
use super::usage::UsageCounters;
use super::batch_sizing::BatchSizer;
use super::{Sandbox, SandboxError, answer_validation, borrowed_columns, description_validation};
use understudy_records::batch::{Answers, Reason};
use understudy_study::{Form, Kind};

/// A field that a plugin reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputField {
    /// Its name in the study.
    pub name: String,
    /// The kind it is handed over as.
    pub kind: Kind,
    /// Whether a row without it is not handed over.
    pub required: bool,
}

/// A model or comparator, ready to be instantiated any number of times.
#[derive(Clone)]
pub struct DeciderPlugin {
    sandbox: Sandbox,
    spec: Arc<InstanceSpec<Bindings>>,
    /// What the plugin calls itself, and its version.
    pub title: String,
    /// The fields it reads, in the order of the columns.
    pub reads: Arc<[InputField]>,
    /// The form of its answers.
    pub form: Form,
}

impl DeciderPlugin {
    /// Compiles, links, instantiates and configures a plugin, and asks it what it is.
    ///
    /// # Errors
    /// Whatever makes it unusable, see [`SandboxError`].
    pub fn load(
        sandbox: &Sandbox,
        file: &ComponentFile,
        role: PluginRole,
        config: String,
        assets: Assets,
        cache: Option<&Path>,
    ) -> Result<DeciderPlugin, SandboxError> {
        let pre = link::<Bindings>(sandbox, file, role, cache)?;
        let spec = Arc::new(InstanceSpec { pre, config, assets, meter: Arc::default() });
        let mut supervisor = InstanceSupervisor::<Bindings>::new(sandbox.clone(), spec.clone());
        supervisor.start()?;
        let said = supervisor
            .call("describe", |world, store| world.understudy_shadow_decider().call_describe(store))
            .map_err(SandboxError::Call)?;
        let title = description_validation::title(&said.name, &said.version);
        let reads = description_validation::fields(said.reads)?.into();
        Ok(DeciderPlugin { sandbox: sandbox.clone(), spec, title, reads, form: form(said.answers) })
    }

    /// The sandbox that it runs in.
    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// The files that it was given.
    pub fn assets(&self) -> Assets {
        self.spec.assets.clone()
    }

    /// What its instances use.
    pub fn meter(&self) -> Arc<UsageCounters> {
        self.spec.meter.clone()
    }

    /// One more instance.
    pub fn instance(&self) -> Decider {
        Decider {
            supervisor: InstanceSupervisor::new(self.sandbox.clone(), self.spec.clone()),
            kinds: self.reads.iter().map(|field| field.kind).collect(),
            reads: self.reads.clone(),
            form: self.form,
            batch_sizer: BatchSizer::new(),
        }
    }
}

fn form(form: answers::Form) -> Form {
    match form {
        answers::Form::Label => Form::Label,
        answers::Form::Number => Form::Number,
        answers::Form::Ranking => Form::Ranking,
    }
}

/// What became of a batch.
#[derive(Clone, Debug)]
pub struct AnsweredBatch {
    /// One answer a row.
    pub answers: Answers,
    /// The rows that the plugin broke on (not those that it declined), with what happened; ascending.
    pub broken: Vec<(u32, String)>,
}

/// One instance of a model or comparator.
pub struct Decider {
    supervisor: InstanceSupervisor<Bindings>,
    reads: Arc<[InputField]>,
    kinds: Vec<Kind>,
    form: Form,
    batch_sizer: BatchSizer,
}

/// The rows of one call that went well, or the one row that did not.
struct Piece {
    answers: Answers,
    broken: Option<String>,
}

impl Piece {
    /// A batch that one call has answered.
    fn whole(self) -> AnsweredBatch {
        AnsweredBatch { answers: self.answers, broken: self.broken.into_iter().map(|why| (0, why)).collect() }
    }
}

impl Decider {
    /// Makes the instance before the first batch comes.
    ///
    /// # Errors
    /// When the plugin cannot be set up.
    pub fn start(&mut self) -> Result<(), SandboxError> {
        self.supervisor.start()
    }

    /// Answers a batch, whose columns are those that the plugin reads, in its order.
    pub fn decide(&mut self, batch: &RecordBatch) -> AnsweredBatch {
        let rows = batch.num_rows();
        let complete = self.complete(batch);
        // Mostly one call answers the whole batch, and then there is nothing to put together.
        if complete.is_none()
            && rows > 0
            && self.batch_sizer.next(rows, self.supervisor.fuel()) == rows
            && let Some(piece) = self.piece(batch)
        {
            return piece.whole();
        }
        let (shown, handed) = match &complete {
            None => (Cow::Borrowed(batch), (0..rows).collect()),
            Some(mask) => {
                let shown = filter_record_batch(batch, mask).expect("the mask has one value a row");
                (Cow::Owned(shown), (0..rows).filter(|row| mask.value(*row)).collect::<Vec<_>>())
            }
        };
        let mut pieces = Vec::new();
        let mut start = 0;
        while start < handed.len() {
            let rows = self.batch_sizer.next(handed.len() - start, self.supervisor.fuel());
            if let Some(piece) = self.piece(&shown.slice(start, rows)) {
                pieces.push(piece);
                start += rows;
            }
        }
        self.assemble(batch, pieces, &handed)
    }

    /// Which rows have all the required fields; `None` if all have.
    fn complete(&self, batch: &RecordBatch) -> Option<BooleanArray> {
        let required = |(field, _): &(&InputField, _)| field.required;
        let columns = self.reads.iter().zip(batch.columns()).filter(required).map(|(_, column)| column);
        let gaps: Vec<_> = columns.filter_map(|c| c.nulls().filter(|nulls| nulls.null_count() > 0)).collect();
        (!gaps.is_empty())
            .then(|| (0..batch.num_rows()).map(|row| Some(gaps.iter().all(|n| n.is_valid(row)))).collect())
    }

    /// What became of some rows; `None` if one of them is to blame for a failure and it has to be found.
    fn piece(&mut self, batch: &RecordBatch) -> Option<Piece> {
        let rows = batch.num_rows();
        match self.call(batch) {
            Ok(answers) => {
                self.batch_sizer.record_success(rows, self.supervisor.used);
                Some(Piece { answers, broken: None })
            }
            Err(why) => {
                self.batch_sizer.failed(rows);
                (rows == 1).then(|| {
                    let answers = Answers::none(self.form, 1, &Reason::Broke(why.clone()));
                    Piece { answers, broken: Some(why) }
                })
            }
        }
    }

    fn call(&mut self, batch: &RecordBatch) -> Result<Answers, String> {
        let rows = batch.num_rows();
        let lent = borrowed_columns::borrow_columns(batch, &self.kinds);
        let columns: Vec<_> = lent.iter().map(borrowed_columns::BorrowedColumn::column).collect();
        self.supervisor
            .call("decide", |world, store| {
                world.understudy_shadow_decider().call_decide(store, rows as u32, &columns)
            })
            .map_err(|error| error.to_string())?
            .map_err(|why| format!("`decide` returned an error: {}", super::clean(&why)))
            .and_then(|given| {
                answer_validation::answers(given, self.form, rows).map_err(|why| format!("`decide` {why}"))
            })
    }

    /// Puts the pieces and the rows that were not handed over together again.
    fn assemble(&self, batch: &RecordBatch, pieces: Vec<Piece>, handed: &[usize]) -> AnsweredBatch {
        let rows = batch.num_rows();
        let mut picks = vec![(0, 0); rows];
        let mut broken = Vec::new();
        let mut next = handed.iter();
        for (source, piece) in pieces.iter().enumerate() {
            for within in 0..piece.answers.rows() {
                let row = *next.next().expect("the pieces have the rows that were handed over");
                picks[row] = (source + 1, within);
                broken.extend(piece.broken.clone().map(|why| (row as u32, why)));
            }
        }
        let silent = Answers::none(self.form, 1, &Reason::Abstained(String::new()));
        let sources: Vec<&Answers> =
            std::iter::once(&silent).chain(pieces.iter().map(|p| &p.answers)).collect();
        let mut answers = Answers::gather(&sources, &picks);
        for (row, reason) in &mut answers.unanswered {
            if picks[*row as usize].0 == 0 {
                *reason = Reason::Abstained(self.lacks(batch, *row as usize));
            }
        }
        AnsweredBatch { answers, broken }
    }

    /// Why a row was not handed over.
    fn lacks(&self, batch: &RecordBatch, row: usize) -> String {
        let lacks =
            |(field, column): &(&InputField, &arrow::array::ArrayRef)| field.required && column.is_null(row);
        let field = self.reads.iter().zip(batch.columns()).find(lacks).map(|(field, _)| field.name.as_str());
        format!("the field `{}` is missing", field.unwrap_or_default())
    }
}
