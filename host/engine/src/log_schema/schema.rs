//! The schemas of the tables of the run log.

use arrow::datatypes::SchemaRef;

use crate::log_schema::pair_table::PairTableBuilder;
use crate::log_schema::record_tables::RecordTables;
use crate::seal::sealed_study::SealedStudy;

/// The schemas of the tables, in the order of [`Table::ALL`](understudy_run_log::Table::ALL).
pub fn schemas(sealed_study: &SealedStudy) -> [SchemaRef; 4] {
    let RecordTables { snapshots, decisions, excluded } = RecordTables::new(sealed_study);
    let pairs = PairTableBuilder::new(sealed_study);
    [snapshots.schema(), decisions.schema(), excluded.schema(), pairs.schema()].map(SchemaRef::clone)
}
