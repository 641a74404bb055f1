//! Figures by the metrics' own `reduce`.

use crate::model::report::Figure;
use understudy_engine::Incident;
use understudy_sandbox::Scorer;
use understudy_statistics::scoring::{Slice, Totals};

/// Asks the metrics, and keeps what broke.
pub(super) struct Reducer {
    pub(super) scorers: Vec<(String, Scorer)>,
    pub(super) incidents: Vec<Incident>,
}

impl Reducer {
    /// A metric's `reduce`. What breaks it is noted, and gives no figure.
    pub(super) fn reduce(&mut self, metric: usize) -> impl FnMut(u64, &[f64]) -> Option<f64> {
        let (name, scorer) = &mut self.scorers[metric];
        let incidents = &mut self.incidents;
        move |scored, sums| {
            scorer.reduce(scored, sums).unwrap_or_else(|what| {
                note(incidents, name, what);
                None
            })
        }
    }

    /// The same to try it out, as at sums that no pairs have: what breaks it there is no incident.
    pub(super) fn probe(&mut self, metric: usize) -> impl FnMut(u64, &[f64]) -> Option<f64> {
        let (_, scorer) = &mut self.scorers[metric];
        move |scored, sums| scorer.reduce(scored, sums).unwrap_or(None)
    }

    pub(super) fn figure(&mut self, totals: &Totals, slice: Slice, model: usize, metric: usize) -> Figure {
        let tally = totals.tally(slice, model, metric);
        // A sum beyond the range of 64 bits is held at its end: JSON has no infinity.
        let mut sums: Vec<f64> = tally.sums.iter().map(|sum| sum.clamp(f64::MIN, f64::MAX)).collect();
        // The host's own component: how many pairs the metric scored.
        let scored = sums.pop().unwrap_or(0.0) as u64;
        let value = if scored == 0 { None } else { self.reduce(metric)(scored, &sums) };
        Figure {
            value,
            interval: None,
            pairs: tally.pairs,
            abstained: tally.abstained,
            failed: tally.failed,
            unscored: tally.pairs - scored,
            sums,
        }
    }
}

fn note(incidents: &mut Vec<Incident>, plugin: &str, what: String) {
    match incidents.iter_mut().find(|known| known.plugin == plugin && known.what == what) {
        Some(known) => known.count += 1,
        None => {
            incidents.push(Incident { plugin: plugin.to_owned(), what, count: 1, first_id: String::new() })
        }
    }
}
