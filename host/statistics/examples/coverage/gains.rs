//! The table `gains`: bounds of the gain over a baseline with clusters, where clusters win or lose as a whole and rarely.
//!
//! Invariant: the program's own verdict gives the bounds of each study, over one window.
//!
//! Model and baseline score 0, 0.5 or 1 in each pair, as rankings and sets of labels do.

use fastrand::Rng;
use understudy_statistics::scoring::{
    AnswerStatus, BASELINES_PER_FORM, CellsShape, Conditions, EvidencePair, Interval, JACKKNIFE_GROUPS,
    ModelScores, OWN_BASELINES, PairComparison, PairScores, ScoreRange, WindowClock,
};
use understudy_statistics::verdict::{Facts, SimulatedRun, determine_verdict};
use understudy_study::{AnswerForm, Micros, Study, parse};

use crate::markdown;

/// The baselines of a form: from all decisions, from those of answered pairs, and from the model's own answers. All of them
/// have the same scores here.
const BASELINES: usize = 2 * BASELINES_PER_FORM + OWN_BASELINES;

/// A kind of studies.
struct Kind {
    name: &'static str,
    /// How many clusters there are of each size.
    sizes: &'static [(usize, u64)],
    /// The share of clusters in which the model scores 1 and the baseline 0 in every pair.
    won: f64,
    /// The share of clusters in which the model scores 0 and the baseline 1 in every pair.
    lost: f64,
    /// The probabilities that the model scores 1 and not 0.5 in a pair of the other clusters, and that the baseline does.
    usual: [f64; 2],
    /// Whether clusters of one pair are never won or lost as a whole.
    only_large: bool,
}

const KINDS: [Kind; 8] = [
    Kind::new("2 % of 40 clusters of 25 lost", &[(40, 25)], 0.0, 0.02, [0.8, 0.6]),
    Kind::new("2 % of 40 clusters of 25 won", &[(40, 25)], 0.02, 0.0, [0.6, 0.6]),
    Kind::new("1 % of 100 clusters of 10 lost", &[(100, 10)], 0.0, 0.01, [0.8, 0.6]),
    Kind::new("5 % of 100 clusters of 10 lost, 5 % won", &[(100, 10)], 0.05, 0.05, [0.9, 0.5]),
    Kind::new("pairs of 300 clusters of 5, none lost or won", &[(300, 5)], 0.0, 0.0, [0.8, 0.6]),
    Kind::new("5 % of clusters of 5 or 10 lost", &[(50, 10), (50, 5)], 0.0, 0.05, [0.9, 0.6]),
    Kind {
        only_large: true,
        ..Kind::new(
            "15 % of ten clusters of 100 lost, none of 1,000 of one pair",
            &[(10, 100), (1000, 1)],
            0.0,
            0.15,
            [0.9, 0.5],
        )
    },
    Kind {
        only_large: true,
        ..Kind::new(
            "25 % of three clusters of 100 lost, none of 1,000 of one pair",
            &[(3, 100), (1000, 1)],
            0.0,
            0.25,
            [0.9, 0.5],
        )
    },
];

/// The table from a number of studies of each kind.
pub fn table(studies: usize) -> String {
    let mut rng = Rng::with_seed(23);
    let rows = KINDS.iter().map(|kind| {
        let (gain, study) = (kind.gain(), study());
        let (mut held, mut width, mut missing) = ([0; 2], 0.0, 0);
        for _ in 0..studies {
            let found = kind.bounds(&study, &mut rng);
            let Interval { lower, upper } = found.unwrap_or(Interval { lower: -1.0, upper: 1.0 });
            held[0] += usize::from(lower <= gain + 1e-12);
            held[1] += usize::from(upper >= gain - 1e-12);
            missing += usize::from(found.is_none());
            width += upper - lower;
        }
        let shares = [held[0], held[1], missing].map(|count| format!("{:.4}", count as f64 / studies as f64));
        let width = format!("{:.4}", width / studies as f64);
        [kind.name.to_owned()].into_iter().chain(shares).chain([width]).collect::<Vec<_>>()
    });
    let head = ["clusters", "lower holds", "upper holds", "without bounds", "width"];
    markdown::table(&head, &rows.collect::<Vec<_>>())
}

impl Kind {
    const fn new(
        name: &'static str,
        sizes: &'static [(usize, u64)],
        won: f64,
        lost: f64,
        usual: [f64; 2],
    ) -> Kind {
        Kind { name, sizes, won, lost, usual, only_large: false }
    }

    /// The true gain.
    fn gain(&self) -> f64 {
        let pairs: u64 = self.sizes.iter().map(|(clusters, size)| *clusters as u64 * size).sum();
        let gains = self.sizes.iter().map(|(clusters, size)| {
            let whole = f64::from(u8::from(*size > 1 || !self.only_large));
            let usual = (self.usual[0] - self.usual[1]) / 2.0;
            let gain = whole * (self.won - self.lost) + (1.0 - whole * (self.won + self.lost)) * usual;
            gain * *clusters as f64 * *size as f64
        });
        gains.sum::<f64>() / pairs as f64
    }

    /// The bounds of the gain over the first baseline in a simulated study; `None` if the verdict has none.
    fn bounds(&self, study: &Study, rng: &mut Rng) -> Option<Interval> {
        let mut clock = WindowClock::new(study.windows, study.time_zone.clone());
        let window = clock.window(0);
        let range = ScoreRange::new((Some(0.0), Some(1.0)));
        let shape = CellsShape { conditions: Vec::new(), models: 1, components: vec![2] };
        let mut run = SimulatedRun::new(shape);
        let mut pairs = 0;
        for &(clusters, size) in self.sizes {
            for _ in 0..clusters {
                let hash = rng.u64(..);
                let whole = if size > 1 || !self.only_large { rng.f64() } else { 1.0 };
                for _ in 0..size {
                    let drawn = self.usual.map(|share| if rng.f64() < share { 1.0 } else { 0.5 });
                    let [model, baseline] = match whole {
                        _ if whole < self.won => [1.0, 0.0],
                        _ if whole < self.won + self.lost => [0.0, 1.0],
                        _ => drawn,
                    };
                    let pair = EvidencePair {
                        window,
                        scopes: &[0],
                        values: &[],
                        group: (hash % JACKKNIFE_GROUPS) as u8,
                        cluster: Some(hash),
                        blinded: false,
                        range,
                        occurrence: None,
                        labels: None,
                    };
                    let models = [ModelScores {
                        statuses: vec![AnswerStatus::Answered],
                        scores: vec![vec![vec![model], vec![1.0]]],
                    }];
                    run.evidence.add(&pair, &models, 0, 0);
                    let baseline = [baseline, 1.0];
                    let scores = PairScores {
                        hash: Some(rng.u64(..)),
                        equals_first_score: false,
                        equals_earlier_first_score: None,
                        has_answered: true,
                        model: &[model, 1.0],
                        baselines: vec![&baseline[..]; BASELINES],
                    };
                    let gain = [PairComparison::Scored(scores)];
                    run.evidence.add_comparisons((window, &[0], pair.group), &gain, range);
                    run.inputs.add(window, 0, &[0], []);
                    pairs += 1;
                }
            }
        }
        let threshold = study.threshold.as_ref().expect("it is declared");
        let conditions = Conditions::new(&[], study.time_zone.clone()).expect("there are none");
        let facts = Facts::undisturbed(study, threshold, &conditions, run.results(pairs, Micros(0)));
        let verdict = determine_verdict(&facts, &mut |pairs, sums| Some(sums[0] / pairs as f64));
        let scope = &verdict.models[0].scopes[0];
        scope.baselines.as_ref()?.gains.first()?.interval
    }
}

/// A study of sets of labels, whose threshold requires a gain and declares a cluster.
fn study() -> Study {
    let text = "study = \"gains\"\ntime-zone = \"UTC\"\n[inputs]\nid = \"id\"\ntime = \"at\"\n[inputs.fields]\n\
                customer = \"text\"\n[decisions]\nid = \"id\"\ntime = \"at\"\nhorizon = \"1d\"\n[sources]\n\
                snapshots = { file = \"s.jsonl\" }\ndecisions = { file = \"d.jsonl\" }\n[[models]]\nname = \"m\"\n\
                plugin = \"m.wasm\"\n[comparator]\nname = \"c\"\nplugin = \"c.wasm\"\n[[metrics]]\nname = \"jaccard\"\n\
                plugin = \"a.wasm\"\n[windows]\nevery = \"week\"\n[threshold]\nat-least = 0.1\nquantifier = \"pooled\"\n\
                windows = { all = true }\nevidence = \"bound\"\nconfidence = 0.95\nfamily = \"each\"\n\
                chance = { gain = 0.0 }\ncluster = \"customer\"\n";
    let mut study = parse(text).unwrap_or_else(|invalid| panic!("{}", invalid.faults));
    study.threshold.as_mut().expect("it is declared").form = AnswerForm::LabelSet;
    study
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_hold_where_clusters_are_lost_as_a_whole() {
        let table = table(60);
        for line in table.lines().skip(2) {
            let row: Vec<f64> = line.split('|').filter_map(|cell| cell.trim().parse().ok()).collect();
            // Two standard errors of 60 studies are 5.6 %.
            assert!(row[0] > 0.89 && row[1] > 0.89 && row[2] == 0.0 && row[3] < 1.0, "{table}");
        }
    }
}
