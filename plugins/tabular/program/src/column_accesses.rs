//! The columns that steps read and write.

use crate::columns::{Columns, Operand};
use crate::step::{Port, Step};

/// Collects references to the columns that a step reads and writes. `operand` gives that of an operand, and `columns`
/// that of a port.
macro_rules! collect {
    ($step:expr, $operand:ident, $columns:ident) => {{
        let (mut reads, mut writes) = (Vec::new(), Vec::new());
        match $step {
            Step::Fill { to, .. } => writes.push(to),
            Step::Binary { left, right, to, .. } | Step::Compare { left, right, to, .. } => {
                reads.extend($operand(left));
                reads.extend($operand(right));
                writes.push(to);
            }
            Step::Choose { condition, then, otherwise, to } => {
                reads.push(condition);
                reads.extend($operand(then));
                reads.extend($operand(otherwise));
                writes.push(to);
            }
            Step::Lookup { index, to, .. } => {
                reads.push(index);
                writes.push(to);
            }
            Step::Gather { from, index, to, .. } => {
                reads.extend([from, index]);
                writes.push(to);
            }
            Step::Classes { sums, scored, label, to, .. } => {
                reads.push(sums);
                reads.extend(scored);
                writes.extend([label, to]);
            }
            Step::Top { from, values, positions, .. } => {
                reads.push(from);
                writes.extend([values, positions]);
            }
            Step::Subgraph { inputs, outputs, .. } => {
                for port in inputs {
                    reads.push($columns(port));
                }
                for port in outputs {
                    writes.push($columns(port));
                }
            }
            Step::Copy { from, to }
            | Step::Select { from, to, .. }
            | Step::Cast { from, to }
            | Step::Unary { from, to, .. }
            | Step::Reduce { from, to, .. }
            | Step::Position { from, to, .. }
            | Step::Softmax { from, to, .. }
            | Step::Linear { from, to, .. }
            | Step::Impute { from, to, .. }
            | Step::Normalize { from, to, .. }
            | Step::OneHot { from, to, .. }
            | Step::Encode { from, to, .. }
            | Step::Trees { from, to, .. }
            | Step::Transform { from, to, .. }
            | Step::Distances { from, to, .. }
            | Step::ChangeCase { from, to, .. }
            | Step::Terms { from, to, .. }
            | Step::Couple { from, to } => {
                reads.push(from);
                writes.push(to);
            }
        }
        (reads, writes)
    }};
}

impl Step {
    /// The columns that the step reads, and those that it writes.
    #[must_use]
    pub fn accesses(&self) -> (Vec<Columns>, Vec<Columns>) {
        fn columns(operand: &Operand) -> Option<&Columns> {
            match operand {
                Operand::Columns { columns } => Some(columns),
                Operand::Constants { .. } => None,
            }
        }
        fn port(port: &Port) -> &Columns {
            &port.columns
        }
        let (reads, writes) = collect!(self, columns, port);
        (reads.into_iter().copied().collect(), writes.into_iter().copied().collect())
    }

    /// The columns that the step reads, then those that it writes, to be changed.
    pub fn columns_mut(&mut self) -> Vec<&mut Columns> {
        fn columns(operand: &mut Operand) -> Option<&mut Columns> {
            match operand {
                Operand::Columns { columns } => Some(columns),
                Operand::Constants { .. } => None,
            }
        }
        fn port(port: &mut Port) -> &mut Columns {
            &mut port.columns
        }
        let (mut reads, writes) = collect!(self, columns, port);
        reads.extend(writes);
        reads
    }
}
