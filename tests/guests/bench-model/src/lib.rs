//! A model with ten input columns of several kinds and a number as answer: the workload of the sandbox
//! benchmark.

use understudy_sdk::prelude::*;

/// The ten input columns.
#[derive(Input)]
pub struct Row<'a> {
    zone: &'a str,
    carrier: &'a str,
    urgent: bool,
    priority: i64,
    queue: i64,
    lanes: i64,
    weight: f64,
    length: f64,
    height: f64,
    speed: f64,
}

/// A model that combines all its inputs into one number.
pub struct BenchModel;

impl Model for BenchModel {
    type Config = NoConfig;
    type Input<'a> = Row<'a>;
    type Answer<'a> = f64;

    fn new(_: NoConfig, _: &Assets) -> Result<Self, String> {
        Ok(Self)
    }

    fn decide<'a>(&'a self, row: Row<'a>) -> f64 {
        let names = (row.zone.len() + row.carrier.len()) as f64;
        let counts = (row.priority + row.queue * row.lanes) as f64;
        let load = row.weight * row.length + row.height * row.speed;
        if row.urgent { names + counts + load } else { names - counts + load }
    }
}

export_model!(BenchModel);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_depends_on_every_field() {
        let row = |urgent| Row {
            zone: "ab",
            carrier: "c",
            urgent,
            priority: 1,
            queue: 2,
            lanes: 3,
            weight: 0.5,
            length: 4.0,
            height: 2.0,
            speed: 0.25,
        };
        assert_eq!(BenchModel.decide(row(true)), 3.0 + 7.0 + 2.5);
        assert_eq!(BenchModel.decide(row(false)), 3.0 - 7.0 + 2.5);
    }
}
