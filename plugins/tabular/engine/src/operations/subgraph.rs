//! Graphs of operators that the engine lacks, run one row at a time.

use tabular_program::{Columns, Kind, Port, ProgramError};

use super::{Block, Operation};
use crate::graph_engine::{Graph, GraphEngine, GraphValues};
use crate::planes::{Cell, Planes};

/// See [`tabular_program::Step::Subgraph`].
pub(super) struct Subgraph {
    graph: Box<dyn Graph>,
    inputs: Vec<Columns>,
    outputs: Vec<Columns>,
}

impl Subgraph {
    pub(super) fn new(
        file: Vec<u8>,
        inputs: &[Port],
        outputs: &[Port],
        runtime: &dyn GraphEngine,
    ) -> Result<Self, ProgramError> {
        let graph = runtime
            .prepare(file, inputs, outputs)
            .map_err(|error| ProgramError::new(format!("a part of the model cannot be prepared: {error}")))?;
        let columns = |ports: &[Port]| ports.iter().map(|port| port.columns).collect();
        Ok(Self { graph, inputs: columns(inputs), outputs: columns(outputs) })
    }
}

impl Operation for Subgraph {
    fn run(&self, block: &mut Block<'_, '_>) {
        let empty = |columns: &Columns| match columns.kind {
            Kind::Float => GraphValues::Floats(Vec::with_capacity(columns.width as usize)),
            _ => GraphValues::Integers(Vec::with_capacity(columns.width as usize)),
        };
        let mut inputs: Vec<GraphValues> = self.inputs.iter().map(empty).collect();
        for row in 0..block.planes.rows {
            let loaded = self
                .inputs
                .iter()
                .zip(&mut inputs)
                .try_for_each(|(columns, values)| load(*columns, row, block.planes, values));
            let computed = loaded.and_then(|()| self.graph.run(&inputs).map_err(|error| error.to_string()));
            match computed {
                Ok(results) => {
                    for (columns, values) in self.outputs.iter().zip(results) {
                        store(*columns, row, block.planes, &values);
                    }
                }
                Err(reason) => {
                    for columns in &self.outputs {
                        clear(*columns, row, block.planes);
                    }
                    block.failures.add(row, || reason);
                }
            }
        }
    }
}

/// The cells of a row.
fn cells<T: Cell>(columns: Columns, row: usize, planes: &Planes) -> impl Iterator<Item = T> {
    planes.read::<T>(columns).iter().skip(row).step_by(planes.rows).copied()
}

/// Copies a row's cells into a tensor.
fn load(columns: Columns, row: usize, planes: &Planes, values: &mut GraphValues) -> Result<(), String> {
    match (values, columns.kind) {
        (GraphValues::Floats(values), _) => {
            values.clear();
            values.extend(cells::<f32>(columns, row, planes));
        }
        (GraphValues::Integers(values), Kind::Boolean) => {
            values.clear();
            values.extend(cells::<u8>(columns, row, planes).map(i32::from));
        }
        (GraphValues::Integers(values), _) => {
            values.clear();
            for value in cells::<i64>(columns, row, planes) {
                let narrow = i32::try_from(value).map_err(|_| {
                    format!("the integer {value} is outside of the 32 bits that the operator computes with")
                })?;
                values.push(narrow);
            }
        }
    }
    Ok(())
}

/// Copies a tensor into a row's cells.
fn store(columns: Columns, row: usize, planes: &mut Planes, values: &GraphValues) {
    fn put<T: Cell>(columns: Columns, row: usize, planes: &mut Planes, values: impl Iterator<Item = T>) {
        let rows = planes.rows;
        let cells = planes.write::<T>(columns).iter_mut().skip(row).step_by(rows);
        for (cell, value) in cells.zip(values) {
            *cell = value;
        }
    }
    match (values, columns.kind) {
        (GraphValues::Floats(values), _) => put(columns, row, planes, values.iter().copied()),
        (GraphValues::Integers(values), Kind::Boolean) => {
            put(columns, row, planes, values.iter().map(|value| u8::from(*value != 0)));
        }
        (GraphValues::Integers(values), _) => {
            put(columns, row, planes, values.iter().map(|value| i64::from(*value)));
        }
    }
}

/// Writes placeholders, so that what a failed row holds does not depend on earlier rows.
fn clear(columns: Columns, row: usize, planes: &mut Planes) {
    let width = columns.width as usize;
    let zeros = match columns.kind {
        Kind::Float => GraphValues::Floats(vec![0.0; width]),
        _ => GraphValues::Integers(vec![0; width]),
    };
    store(columns, row, planes, &zeros);
}
