//! `understudy log`: rows of a run in the terminal.

use std::collections::{BTreeSet, VecDeque};
use std::io::IsTerminal as _;
use std::path::PathBuf;

use arrow::array::{Array as _, AsArray as _, BooleanArray, RecordBatch};
use arrow::compute::{concat_batches, filter_record_batch};
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::report::style;
use super::{Exit, found, tell};
use understudy_audit::{self as audit, Exposure};
use understudy_engine::{Prepared, WhatIf};
use understudy_report::table;
use understudy_run_log::note::Signer;

/// Show the latest decided rows of a run: what was decided, what each model answered, how that was scored. It is recorded
/// in the ledger who is shown them. Rows whose decision has not come, or whose horizon is not over, are not shown.
#[derive(clap::Args)]
pub(super) struct Log {
    /// The run directory.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// How many rows.
    #[arg(long, value_name = "ROWS", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    rows: u32,
    /// Only the rows with this id.
    #[arg(long, value_name = "ID")]
    id: Vec<String>,
    /// Who is shown the answers [default: the user, as the system calls him or her]
    #[arg(long, value_name = "NAME")]
    who: Option<String>,
    /// Sign the ledger's head with this key, made by `understudy key`.
    #[arg(long, value_name = "FILE")]
    sign_key: Option<PathBuf>,
}

impl Log {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let who = audit::who(self.who)?;
        let signer = self.sign_key.as_deref().map(Signer::read).transpose()?;
        let (prepared, _) = audit::sealed(&self.run, &WhatIf::default())?;
        audit::has_its_fields(&self.run)?;
        let wanted: BTreeSet<String> = self.id.into_iter().collect();
        let mut latest = Latest { most: self.rows as usize, rows: 0, batches: VecDeque::new() };
        let counts = audit::decided(&prepared, &self.run, |batch| {
            latest.add(match wanted.is_empty() {
                true => batch,
                false => {
                    let ids = batch.column(0).as_string::<i32>().iter();
                    let mask: BooleanArray = ids.map(|id| id.map(|id| wanted.contains(id))).collect();
                    filter_record_batch(&batch, &mask)?
                }
            });
            Ok(())
        })?;
        let rows = concat_batches(&audit::columns(&prepared), &latest.batches)?;
        if rows.num_rows() == 0 {
            match wanted.is_empty() {
                true => tell(
                    "no decided row to show: a row is shown once its decision has come and its horizon is over",
                ),
                false => tell(
                    "no decided row has such an id; a row is shown once its decision has come and its horizon is over",
                ),
            }
            return Ok(Exit::Done);
        }
        let mut exposure = Exposure::new(who, "log".to_owned());
        exposure.add(&rows);
        exposure.record(&self.run, counts, signer)?;
        let (heads, cells) = cells(&prepared, &rows)?;
        found(table(&heads, &cells, style(std::io::stdout().is_terminal())).trim_end())?;
        Ok(Exit::Done)
    }
}

/// The last rows that have come.
struct Latest {
    most: usize,
    rows: usize,
    batches: VecDeque<RecordBatch>,
}

impl Latest {
    fn add(&mut self, batch: RecordBatch) {
        self.rows += batch.num_rows();
        self.batches.push_back(batch);
        while let Some(first) = self.batches.front_mut()
            && self.rows > self.most
        {
            let more = self.rows - self.most;
            match first.num_rows() <= more {
                true => {
                    self.rows -= first.num_rows();
                    self.batches.pop_front();
                }
                false => {
                    *first = first.slice(more, first.num_rows() - more);
                    self.rows = self.most;
                }
            }
        }
    }
}

/// The heads and the cells of a table: id, time, decision, and of each model the answer and the score by the primary
/// metric.
fn cells(prepared: &Prepared, rows: &RecordBatch) -> anyhow::Result<(Vec<String>, Vec<Vec<String>>)> {
    let primary = &prepared.metrics[prepared.study.primary].name;
    let mut heads = vec!["id".to_owned(), "observed at".to_owned(), "decided".to_owned()];
    let mut columns = vec![("id".to_owned(), None), ("observed_at".to_owned(), None)];
    columns.push(("comparator.answer".to_owned(), Some("comparator.unanswered".to_owned())));
    for model in &prepared.models {
        let name = &model.name;
        heads.extend([name.clone(), primary.clone()]);
        columns.push((format!("model.{name}.answer"), Some(format!("model.{name}.unanswered"))));
        columns.push((format!("model.{name}.{primary}"), None));
    }
    let options = FormatOptions::new().with_null("-").with_timestamp_tz_format(Some("%Y-%m-%d %H:%M:%S"));
    let mut cells = vec![Vec::with_capacity(heads.len()); rows.num_rows()];
    for (name, else_name) in columns {
        let column = |name: &str| rows.column_by_name(name).expect("the column was made of this study");
        let values = audit::zoned(column(&name));
        let formatter = ArrayFormatter::try_new(&values, &options)?;
        for (row, cells) in cells.iter_mut().enumerate() {
            cells.push(match &else_name {
                Some(reason) if values.is_null(row) => {
                    format!("({})", column(reason).as_string::<i32>().value(row))
                }
                _ => formatter.value(row).to_string(),
            });
        }
    }
    Ok((heads, cells))
}
