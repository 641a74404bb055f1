//! The table `metrics`: bounds of metrics that leave pairs out, count labels or have no known range, and why some of them have
//! none.
//!
//! Invariants:
//! - The program's own verdict gives the bounds of each study, over one window of pairs that are independent of each other.
//! - The jackknife sees the same studies.

use fastrand::Rng;
use understudy_statistics::scoring::{
    AnswerStatus, CellsShape, Conditions, EvidencePair, Interval, JACKKNIFE_GROUPS, ModelScores, PairLabels,
    ScoreRange, WindowClock, jackknife,
};
use understudy_statistics::verdict::{Facts, SimulatedRun, determine_verdict};
use understudy_study::{Micros, Study, parse};

use crate::markdown;

/// The confidence of each bound.
const CONFIDENCE: f64 = 0.95;
/// The number of groups that pairs are distributed over, as in a verdict.
const GROUPS: usize = JACKKNIFE_GROUPS as usize;
/// The greatest absolute error of a metric with one.
const GREATEST: f64 = 60.0;
/// The loss of the label that the model excludes.
const GREATEST_LOSS: f64 = 34.538776394910684;
/// The levels of confidence that a model has.
const LEVELS: usize = 5;
/// The names of the labels. The second one is the rare one.
const LABELS: [&str; 2] = ["usual", "rare"];

/// The components of a pair, and the labels of substrate and model, if the metric is one of labels.
struct Pair {
    components: Vec<f64>,
    labels: Option<[usize; 2]>,
}

/// A kind of studies.
struct Kind {
    name: &'static str,
    pairs: usize,
    range: (Option<f64>, Option<f64>),
    /// The true value of the metric.
    truth: f64,
    draw: fn(&mut Rng) -> Pair,
    /// The value of the sums of the components.
    value: fn(u64, &[f64]) -> Option<f64>,
}

fn numbers(components: Vec<f64>) -> Pair {
    Pair { components, labels: None }
}

/// An error with an exponential distribution.
fn exponential(rng: &mut Rng, mean: f64) -> f64 {
    -mean * (1.0 - rng.f64()).ln()
}

/// A number with the standard normal distribution, by the method of Box and Muller.
fn normal(rng: &mut Rng) -> f64 {
    (-2.0 * (1.0 - rng.f64()).ln()).sqrt() * (std::f64::consts::TAU * rng.f64()).cos()
}

/// The mean of the first component over the pairs that the second one counts.
fn counted_mean(_: u64, sums: &[f64]) -> Option<f64> {
    (sums[1] > 0.0).then(|| sums[0] / sums[1])
}

fn root(pairs: u64, sums: &[f64]) -> Option<f64> {
    counted_mean(pairs, sums).map(f64::sqrt)
}

/// A pair of labels: the rare one with the probability `rare`, and errors among rare and other decisions. The components are
/// the pairs with the rare label on both sides, of the model only, of the substrate only, and of neither.
fn labels(rng: &mut Rng, rare: f64, errors: [f64; 2]) -> Pair {
    let is_rare = rng.f64() < rare;
    let errs = rng.f64() < errors[usize::from(!is_rare)];
    let answer = is_rare != errs;
    let cell = 2 * usize::from(!answer) + usize::from(!is_rare);
    let mut components = vec![0.0; 4];
    components[cell] = 1.0;
    Pair { components, labels: Some([usize::from(is_rare), usize::from(answer)]) }
}

/// The expected sums of [`labels`].
const fn expected(rare: f64, errors: [f64; 2]) -> [f64; 4] {
    [rare * (1.0 - errors[0]), (1.0 - rare) * errors[1], rare * errors[0], (1.0 - rare) * (1.0 - errors[1])]
}

fn f1(_: u64, sums: &[f64]) -> Option<f64> {
    let all = 2.0 * sums[0] + sums[1] + sums[2];
    (all > 0.0).then(|| 2.0 * sums[0] / all)
}

fn balanced_accuracy(_: u64, sums: &[f64]) -> Option<f64> {
    let (rare, others) = (sums[0] + sums[2], sums[1] + sums[3]);
    (rare > 0.0 && others > 0.0).then(|| f64::midpoint(sums[0] / rare, sums[3] / others))
}

fn correlation(_: u64, sums: &[f64]) -> Option<f64> {
    let &[both, model, substrate, neither] = sums else { return None };
    let product = (both + model) * (both + substrate) * (neither + model) * (neither + substrate);
    (product > 0.0).then(|| (both * neither - model * substrate) / product.sqrt())
}

fn kappa(_: u64, sums: &[f64]) -> Option<f64> {
    let &[both, model, substrate, neither] = sums else { return None };
    let n = both + model + substrate + neither;
    let by_chance = (both + model) * (both + substrate) + (neither + model) * (neither + substrate);
    (by_chance < n * n).then(|| (n * (both + neither) - by_chance) / (n * n - by_chance))
}

fn r_squared(_: u64, sums: &[f64]) -> Option<f64> {
    let spread = sums[2] - sums[1] * sums[1] / sums[3];
    (spread > 0.0).then(|| 1.0 - sums[0] / spread)
}

/// Components of a level of confidence: pairs, confidences and agreements.
fn calibration_error(_: u64, sums: &[f64]) -> Option<f64> {
    let (levels, _) = sums.as_chunks::<3>();
    let pairs: f64 = levels.iter().map(|level| level[0]).sum();
    (pairs > 0.0).then(|| levels.iter().map(|level| (level[2] - level[1]).abs()).sum::<f64>() / pairs)
}

/// A model that is right as often as it says.
fn calibrated(rng: &mut Rng) -> Pair {
    let level = rng.usize(..LEVELS);
    let confidence = 0.55 + 0.1 * level as f64;
    let mut components = vec![0.0; 3 * LEVELS];
    components[3 * level] = 1.0;
    components[3 * level + 1] = confidence;
    components[3 * level + 2] = f64::from(u8::from(rng.f64() < confidence));
    numbers(components)
}

/// Decisions with a lognormal distribution, and errors with a tenth of its variance.
fn lognormal(rng: &mut Rng) -> Pair {
    let (decision, one) = (normal(rng).exp(), std::f64::consts::E);
    let error = normal(rng) * (0.1 * one * (one - 1.0)).sqrt();
    numbers(vec![error * error, decision, decision * decision, 1.0])
}

const UNIT: (Option<f64>, Option<f64>) = (Some(0.0), Some(1.0));
const SIGNED: (Option<f64>, Option<f64>) = (Some(-1.0), Some(1.0));
const FROM_ZERO: (Option<f64>, Option<f64>) = (Some(0.0), None);

/// All kinds. Those of labels have a rare label of 2 %, of which the model misses 30 %.
fn kinds() -> [Kind; 17] {
    const RARE: [f64; 2] = [0.3, 0.02];
    let rare = expected(0.02, RARE);
    let of_labels = |name, range, value: fn(u64, &[f64]) -> Option<f64>| {
        let draw = |rng: &mut Rng| labels(rng, 0.02, RARE);
        Kind { name, pairs: 300, range, truth: value(1, &rare).expect("a value"), draw, value }
    };
    let alike = expected(0.02, [0.3; 2]);
    let few = expected(0.01, [0.01; 2]);
    [
        Kind {
            name: "Brier score: 1 % of 300 are sure and wrong, 10 % unanswered",
            pairs: 300,
            range: (Some(0.0), Some(2.0)),
            truth: 0.01 * 2.0 + 0.99 * 0.02,
            draw: |rng| {
                let loss = if rng.f64() < 0.01 { 2.0 } else { 0.02 };
                numbers(if rng.f64() < 0.1 { vec![0.0; 2] } else { vec![loss, 1.0] })
            },
            value: counted_mean,
        },
        Kind {
            name: "logarithmic loss: 0.5 % of 300 are sure and wrong",
            pairs: 300,
            range: (Some(0.0), Some(GREATEST_LOSS)),
            truth: 0.005 * GREATEST_LOSS + 0.995 * 0.1,
            draw: |rng| numbers(vec![if rng.f64() < 0.005 { GREATEST_LOSS } else { 0.1 }, 1.0]),
            value: counted_mean,
        },
        Kind {
            name: "absolute error up to 60: exponential of mean 5, 300 pairs",
            pairs: 300,
            range: (Some(0.0), Some(GREATEST)),
            truth: 5.0 * (1.0 - (-GREATEST / 5.0).exp()),
            draw: |rng| numbers(vec![exponential(rng, 5.0).min(GREATEST), 1.0]),
            value: counted_mean,
        },
        Kind {
            name: "absolute error up to 60: 1 % of 300 are 60, others exponential of mean 1",
            pairs: 300,
            range: (Some(0.0), Some(GREATEST)),
            truth: 0.01 * GREATEST + 0.99 * (1.0 - (-GREATEST).exp()),
            draw: |rng| {
                let error = exponential(rng, 1.0).min(GREATEST);
                numbers(vec![if rng.f64() < 0.01 { GREATEST } else { error }, 1.0])
            },
            value: counted_mean,
        },
        Kind {
            name: "precision of a label that is given in 2 % of 1,000 pairs, 70 % of them right",
            pairs: 1000,
            range: UNIT,
            truth: 0.7,
            draw: |rng| {
                let (given, right) = (rng.f64() < 0.02, rng.f64() < 0.7);
                numbers([given && right, given].map(|holds| f64::from(u8::from(holds))).to_vec())
            },
            value: counted_mean,
        },
        Kind {
            name: "kappa without `chance`: a label of 2 % of 300, 30 % errors",
            pairs: 300,
            range: SIGNED,
            truth: kappa(1, &alike).expect("a value"),
            draw: |rng| labels(rng, 0.02, [0.3; 2]),
            value: kappa,
        },
        Kind {
            name: "kappa without `chance`: a label of 1 % of 300, 1 % errors",
            pairs: 300,
            range: SIGNED,
            truth: kappa(1, &few).expect("a value"),
            draw: |rng| labels(rng, 0.01, [0.01; 2]),
            value: kappa,
        },
        of_labels("kappa without `chance`: a label of 2 % of 300, 30 % of it missed", SIGNED, kappa),
        of_labels("F1 of a label of 2 % of 300", UNIT, f1),
        of_labels("balanced accuracy, a label of 2 % of 300", UNIT, balanced_accuracy),
        of_labels("Matthews' correlation, a label of 2 % of 300", SIGNED, correlation),
        Kind {
            name: "calibration error: 300 pairs of a calibrated model",
            pairs: 300,
            range: UNIT,
            truth: 0.0,
            draw: calibrated,
            value: calibration_error,
        },
        Kind {
            name: "absolute error: lognormal, 300 pairs",
            pairs: 300,
            range: FROM_ZERO,
            truth: 0.5f64.exp(),
            draw: |rng| numbers(vec![normal(rng).exp(), 1.0]),
            value: counted_mean,
        },
        Kind {
            name: "absolute error: exponential, 1 % of 300 are 20 times as large",
            pairs: 300,
            range: FROM_ZERO,
            truth: 0.99 + 0.01 * 20.0,
            draw: |rng| {
                let factor = if rng.f64() < 0.01 { 20.0 } else { 1.0 };
                numbers(vec![factor * exponential(rng, 1.0), 1.0])
            },
            value: counted_mean,
        },
        Kind {
            name: "root mean square error: lognormal, 1,000 pairs",
            pairs: 1000,
            range: FROM_ZERO,
            truth: std::f64::consts::E,
            draw: |rng| numbers(vec![(2.0 * normal(rng)).exp(), 1.0]),
            value: root,
        },
        Kind {
            name: "R²: lognormal decisions, 300 pairs",
            pairs: 300,
            range: (None, Some(1.0)),
            truth: 0.9,
            draw: lognormal,
            value: r_squared,
        },
        Kind {
            name: "bias: errors around 0, 300 pairs",
            pairs: 300,
            range: FROM_ZERO,
            truth: 0.0,
            draw: |rng| numbers(vec![normal(rng), 1.0]),
            value: |pairs, sums| counted_mean(pairs, sums).map(f64::abs),
        },
    ]
}

/// The table from a number of studies of each kind.
pub fn table(studies: usize) -> String {
    let mut rng = Rng::with_seed(29);
    let declared = study();
    let rows = kinds().map(|kind| {
        let (mut held, mut missing, mut width) = ([[0; 2]; 2], 0, 0.0);
        for _ in 0..studies {
            let pairs: Vec<(u8, Pair)> =
                (0..kind.pairs).map(|_| (rng.u8(..GROUPS as u8), (kind.draw)(&mut rng))).collect();
            let verdict = kind.verdict(&declared, &pairs);
            missing += usize::from(verdict.is_none());
            width += verdict.map_or(0.0, |found| found.upper - found.lower);
            for (held, found) in held.iter_mut().zip([kind.jackknife_alone(&pairs), verdict]) {
                // The truth is rounded.
                held[0] += usize::from(found.is_none_or(|found| found.lower <= kind.truth + 1e-12));
                held[1] += usize::from(found.is_none_or(|found| found.upper >= kind.truth - 1e-12));
            }
        }
        let share = |count: usize| format!("{:.4}", count as f64 / studies as f64);
        let with_bounds = studies - missing;
        let bounds = match with_bounds {
            0 => ["none", "none", "none"].map(str::to_owned),
            _ => [share(held[1][0]), share(held[1][1]), format!("{:.4}", width / with_bounds as f64)],
        };
        let cells = [kind.name.to_owned(), share(held[0][0]), share(held[0][1])];
        cells.into_iter().chain(bounds).chain([share(missing)]).collect::<Vec<_>>()
    });
    let head = [
        "metric",
        "jackknife: lower holds",
        "jackknife: upper holds",
        "verdict: lower holds",
        "verdict: upper holds",
        "verdict: width",
        "without bounds",
    ];
    markdown::table(&head, &rows)
}

impl Kind {
    /// The bounds of the verdict; `None` if it has none.
    fn verdict(&self, study: &Study, pairs: &[(u8, Pair)]) -> Option<Interval> {
        let mut clock = WindowClock::new(study.windows, study.time_zone.clone());
        let window = clock.window(0);
        let components = pairs[0].1.components.len() + 1;
        let shape = CellsShape { conditions: Vec::new(), models: 1, components: vec![components] };
        let mut run = SimulatedRun::new(shape);
        let range = ScoreRange::new(self.range);
        for (group, Pair { components, labels }) in pairs {
            let labels = labels.map(|labels| labels.map(|label| LABELS[label]));
            let answers = labels.map(|[_, model]| [Some(model)]);
            let labels = labels.zip(answers.as_ref());
            let pair = EvidencePair {
                window,
                scopes: &[0],
                values: &[],
                group: *group,
                cluster: None,
                blinded: false,
                range,
                occurrence: None,
                labels: labels.map(|([substrate, _], models)| PairLabels { substrate, models, group: 0 }),
            };
            let components = components.iter().chain([&1.0]).map(|component| vec![*component]).collect();
            let models = [ModelScores { statuses: vec![AnswerStatus::Answered], scores: vec![components] }];
            run.evidence.add(&pair, &models, 0, 0);
            run.inputs.add(window, 0, &[0], []);
        }
        let threshold = study.threshold.as_ref().expect("it is declared");
        let conditions = Conditions::new(&[], study.time_zone.clone()).expect("there are none");
        let results = run.results(pairs.len() as u64, Micros(0));
        let facts = Facts { range: self.range, ..Facts::undisturbed(study, threshold, &conditions, results) };
        let verdict = determine_verdict(&facts, &mut |pairs, sums| (self.value)(pairs, sums));
        verdict.models[0].scopes[0].pooled.interval
    }

    /// The bounds of the jackknife over groups alone; `None` where it gives none.
    fn jackknife_alone(&self, pairs: &[(u8, Pair)]) -> Option<Interval> {
        let width = pairs[0].1.components.len();
        let mut groups = vec![vec![0.0; width]; GROUPS];
        let mut total = vec![0.0; width];
        let mut occupied = [false; GROUPS];
        for (group, pair) in pairs {
            occupied[usize::from(*group)] = true;
            let own = groups[usize::from(*group)].iter_mut().zip(&mut total).zip(&pair.components);
            own.for_each(|((group, total), component)| {
                *group += component;
                *total += component;
            });
        }
        let value = |sums: &[f64]| (self.value)(pairs.len() as u64, sums);
        let without = groups.iter().zip(occupied).filter(|(_, occupied)| *occupied).map(|(group, _)| {
            let rest: Vec<f64> = total.iter().zip(group).map(|(all, own)| all - own).collect();
            value(&rest)
        });
        let without: Vec<f64> = without.collect::<Option<_>>()?;
        let value = value(&total)?;
        Some(jackknife(value, &without, value, CONFIDENCE)?.clamped(self.range))
    }
}

/// A study of labels, whose threshold does not ask for chance.
fn study() -> Study {
    let text = "study = \"metrics\"\ntime-zone = \"UTC\"\n[inputs]\nid = \"id\"\ntime = \"at\"\n[inputs.fields]\n\
                customer = \"text\"\n[decisions]\nid = \"id\"\ntime = \"at\"\nhorizon = \"1d\"\n[sources]\n\
                snapshots = { file = \"s.jsonl\" }\ndecisions = { file = \"d.jsonl\" }\n[[models]]\nname = \"m\"\n\
                plugin = \"m.wasm\"\n[comparator]\nname = \"c\"\nplugin = \"c.wasm\"\n[[metrics]]\nname = \"metric\"\n\
                plugin = \"a.wasm\"\n[windows]\nevery = \"week\"\n[threshold]\nat-least = 0.1\nquantifier = \"pooled\"\n\
                windows = { all = true }\nevidence = \"bound\"\nconfidence = 0.95\nfamily = \"each\"\n\
                chance = \"not-asked\"\n";
    parse(text).unwrap_or_else(|invalid| panic!("{}", invalid.faults))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_hold_and_metrics_whose_jackknife_does_not_have_none() {
        let table = table(100);
        for line in table.lines().skip(2) {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            if cells[4] == "none" {
                assert_eq!(cells[7], "1.0000", "{table}");
                continue;
            }
            let held = [cells[4], cells[5]].map(|share| share.parse::<f64>().expect("a share"));
            // Two standard errors of 100 studies are 4.4 %.
            assert!(held.iter().all(|share| *share > 0.9), "{table}");
        }
        // Matthews' correlation has bounds, those of kappa, where both are equal: if every answer is right.
        assert_eq!(table.matches("| none | none | none | 1.0000 |").count(), 8, "{table}");
    }
}
