//! Tree ensembles.

use tabular_program::{Columns, Ensemble, Kind};

use super::{Block, Operation};
use crate::forest::{Features, Forest, Results};

/// See [`tabular_program::Step::Trees`].
pub(super) struct Trees {
    from: Columns,
    forest: Forest,
    to: Columns,
}

impl Trees {
    pub(super) fn new(from: Columns, ensemble: Ensemble, to: Columns) -> Self {
        Self { from, forest: Forest::new(ensemble), to }
    }
}

impl Operation for Trees {
    fn run(&self, block: &mut Block<'_, '_>) {
        let rows = block.planes.rows;
        let scratch = &mut block.scratch.forest;
        let (from, to) = (self.from, self.to);
        match (from.kind, to.kind) {
            (Kind::Float, Kind::Float) => block.planes.map_within(to, |planes, results| {
                self.forest.run(Features::Floats(planes.read(from)), rows, Results::Floats(results), scratch);
            }),
            (Kind::Double, Kind::Double) => block.planes.map_within(to, |planes, results| {
                self.forest.run(
                    Features::Doubles(planes.read(from)),
                    rows,
                    Results::Doubles(results),
                    scratch,
                );
            }),
            (Kind::Float, _) => block.planes.map_across(to, |planes, results| {
                self.forest.run(
                    Features::Floats(planes.read(from)),
                    rows,
                    Results::Doubles(results),
                    scratch,
                );
            }),
            _ => block.planes.map_across(to, |planes, results| {
                self.forest.run(
                    Features::Doubles(planes.read(from)),
                    rows,
                    Results::Floats(results),
                    scratch,
                );
            }),
        }
    }
}
