//! `understudy log`: the latest decided rows as a table.

use std::collections::BTreeSet;
use std::io::IsTerminal as _;
use std::path::PathBuf;

use arrow::array::RecordBatch;
use arrow::util::display::FormatOptions;

use super::Exit;
use super::output::{print_err, print_out};
use super::report::style;
use understudy_audit::{self as audit, Exposure};
use understudy_engine::{PluginOverrides, SealedStudy};
use understudy_report::{TableCell, render_table, value_text};
use understudy_run_log::signed_head::Signer;

/// Show the latest decided rows.
///
/// Prints the decision, each model's answer and its score. The ledger records to whom they were shown. Rows
/// are shown only after their decision has arrived and their horizon has passed.
#[derive(clap::Args)]
pub(super) struct Log {
    /// Run directory.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Maximum number of rows.
    #[arg(long, value_name = "ROWS", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    rows: u32,
    /// Show only rows with this id. Repeatable.
    #[arg(long, value_name = "ID")]
    id: Vec<String>,
    /// Name recorded in the ledger [default: login name].
    #[arg(long, value_name = "NAME")]
    who: Option<String>,
    /// Key file that signs the ledger's head, from `understudy key`.
    #[arg(long, value_name = "FILE")]
    sign_key: Option<PathBuf>,
}

impl Log {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let who = audit::operator(self.who)?;
        let signer = self.sign_key.as_deref().map(Signer::read).transpose()?;
        let (sealed_study, _) = audit::load_sealed_study(&self.run, &PluginOverrides::default())?;
        audit::ensure_all_fields(&self.run)?;
        let wanted: BTreeSet<String> = self.id.into_iter().collect();
        let (rows, counts) =
            audit::latest_decided_rows(&sealed_study, &self.run, &wanted, self.rows as usize)?;
        if rows.num_rows() == 0 {
            match wanted.is_empty() {
                true => print_err(
                    "no decided rows: a row is shown after its decision has arrived and its horizon has passed",
                ),
                false => print_err(
                    "no decided row has such an id; a row is shown after its decision has arrived and its horizon has passed",
                ),
            }
            return Ok(Exit::Done);
        }
        let mut exposure = Exposure::new(who, "log".to_owned());
        exposure.add(&rows);
        exposure.record(&self.run, counts, signer)?;
        let (heads, cells) = cells(&sealed_study, &rows)?;
        print_out(render_table(&heads, &cells, style(std::io::stdout().is_terminal())).trim_end())?;
        Ok(Exit::Done)
    }
}

/// The heads and the cells of a table: id, time, decision, and of each model the answer and the score by the
/// primary metric.
fn cells(
    sealed_study: &SealedStudy,
    rows: &RecordBatch,
) -> anyhow::Result<(Vec<String>, Vec<Vec<TableCell>>)> {
    let primary = &sealed_study.metrics[sealed_study.study.primary].name;
    let mut heads = vec!["id".to_owned(), "observed at".to_owned(), "decided".to_owned()];
    let mut columns = vec![("id".to_owned(), None), ("observed_at".to_owned(), None)];
    columns.push(("comparator.answer".to_owned(), Some("comparator.unanswered".to_owned())));
    for model in &sealed_study.models {
        let name = &model.name;
        heads.extend([name.clone(), primary.clone()]);
        columns.push((format!("model.{name}.answer"), Some(format!("model.{name}.unanswered"))));
        columns.push((format!("model.{name}.{primary}"), None));
    }
    let options = FormatOptions::new().with_timestamp_tz_format(Some("%Y-%m-%d %H:%M:%S"));
    let mut cells = vec![Vec::with_capacity(heads.len()); rows.num_rows()];
    for (name, reason) in columns {
        let texts = |name: &str| {
            let column = rows.column_by_name(name).expect("the column is part of this study");
            audit::cell_texts(column, &options)
        };
        let reasons = reason.map(|reason| texts(&reason)).transpose()?;
        for (row, text) in texts(&name)?.into_iter().enumerate() {
            let reason = || reasons.as_ref().and_then(|reasons| reasons[row].as_deref());
            cells[row].push(match text {
                Some(text) => TableCell::Value(text),
                None => TableCell::Text(
                    reason().map_or_else(|| "-".to_owned(), |reason| format!("({})", value_text(reason))),
                ),
            });
        }
    }
    Ok((heads, cells))
}
