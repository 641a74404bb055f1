//! From sums to figures.
//!
//! Always holds: every figure is the metric's own `reduce` of exact sums; nothing is averaged over averages.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Condition, FORMAT, Figure, Metric, Model, Plugin, Report, Scores, Window};
use crate::run::{Incident, Member, Outcome, Prepared, conditions};
use crate::sandbox::{DeciderPlugin, File, Scorer};
use crate::scoring::{Slice, Totals, WindowClock};

/// The report of what a run left behind, with the plugins that ran.
pub fn build(outcome: &Outcome, prepared: &Prepared) -> Report {
    let study = &prepared.study;
    let clock = WindowClock::new(study.windows, study.time_zone.clone());
    let conditions = conditions(study);
    let conditions: Vec<Condition> = study
        .conditions
        .iter()
        .enumerate()
        .map(|(index, c)| Condition { name: c.name.clone(), values: conditions.values(index).to_vec() })
        .collect();
    let instant = |micros: i64| {
        Timestamp::from_microsecond(micros).unwrap_or(match micros < 0 {
            true => Timestamp::MIN,
            false => Timestamp::MAX,
        })
    };
    let windows = outcome.cells.iter().map(|(window, _)| {
        let bounds = clock.bounds(window);
        Window { label: clock.label(window), start: instant(bounds.start), end: instant(bounds.end) }
    });
    let mut reducer = Reducer {
        scorers: prepared.metrics.iter().map(|m| (m.name.clone(), m.plugin.instance())).collect(),
        incidents: outcome.incidents.clone(),
    };
    let overall = outcome.cells.fold(outcome.cells.iter().map(|(window, _)| window));
    let models = prepared.models.iter().enumerate().map(|(model, member)| Model {
        plugin: decider(member),
        form: member.plugin.form,
        answered: outcome.models[model].answered,
        abstained: outcome.models[model].abstained,
        failed: outcome.models[model].failed,
        blinded: outcome.models[model].blinded,
        latency: outcome.models[model].latency,
        again: outcome.again[model].clone(),
        scores: (0..prepared.metrics.len())
            .map(|metric| Scores {
                overall: reducer.figure(&overall, Slice::All, model, metric),
                conditions: conditions
                    .iter()
                    .enumerate()
                    .map(|(condition, c)| {
                        let slice = |value| Slice::Value { condition, value };
                        (0..c.values.len())
                            .map(|value| reducer.figure(&overall, slice(value), model, metric))
                            .collect()
                    })
                    .collect(),
                windows: outcome
                    .cells
                    .iter()
                    .map(|(_, totals)| reducer.figure(totals, Slice::All, model, metric))
                    .collect(),
            })
            .collect(),
    });
    let models = models.collect();
    let metrics = prepared.metrics.iter().enumerate().map(|(index, member)| Metric {
        plugin: plugin(&member.name, &member.plugin.title, &member.file),
        primary: index == study.primary,
        better: member.plugin.better,
        least: member.plugin.range.0,
        greatest: member.plugin.range.1,
        components: member.plugin.components.clone(),
    });
    Report {
        format: FORMAT,
        study: study.name.clone(),
        declaration: outcome.declaration.clone(),
        time_zone: zone(&study.time_zone),
        began: outcome.began,
        ended: outcome.ended,
        end: outcome.end.clone(),
        accounting: outcome.accounting,
        comparison: outcome.comparison,
        models,
        comparator: decider(&prepared.comparator),
        metrics: metrics.collect(),
        conditions,
        windows: windows.collect(),
        substrate_latency: outcome.substrate_latency,
        replay_of: outcome.replay_of.clone(),
        incidents: sorted(reducer.incidents),
        refused: outcome.refused.clone(),
    }
}

/// The zone's name, or its offset if it has none.
fn zone(zone: &TimeZone) -> String {
    match (zone.iana_name(), zone.to_fixed_offset()) {
        (Some(name), _) => name.to_owned(),
        (None, Ok(offset)) => offset.to_string(),
        (None, Err(_)) => "a zone without a name".to_owned(),
    }
}

/// The most frequent first.
fn sorted(mut incidents: Vec<Incident>) -> Vec<Incident> {
    incidents.sort_by_key(|incident| std::cmp::Reverse(incident.count));
    incidents
}

fn decider(member: &Member<DeciderPlugin>) -> Plugin {
    plugin(&member.name, &member.plugin.title, &member.file)
}

fn plugin(name: &str, title: &str, file: &File) -> Plugin {
    Plugin { name: name.to_owned(), title: title.to_owned(), digest: file.digest.clone() }
}

/// Asks the metrics, and keeps what broke.
struct Reducer {
    scorers: Vec<(String, Scorer)>,
    incidents: Vec<Incident>,
}

impl Reducer {
    fn figure(&mut self, totals: &Totals, slice: Slice, model: usize, metric: usize) -> Figure {
        let tally = totals.tally(slice, model, metric);
        // A sum beyond the range of 64 bits is held at its end: JSON has no infinity.
        let mut sums: Vec<f64> = tally.sums.iter().map(|sum| sum.clamp(f64::MIN, f64::MAX)).collect();
        // The host's own component: how many pairs the metric scored.
        let scored = sums.pop().unwrap_or(0.0) as u64;
        let (name, scorer) = &mut self.scorers[metric];
        let value = if scored == 0 { Ok(None) } else { scorer.reduce(scored, &sums) };
        let value = value.unwrap_or_else(|what| {
            note(&mut self.incidents, name, what);
            None
        });
        Figure {
            value,
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
