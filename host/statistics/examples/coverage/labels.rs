//! The table `labels`: bounds of kappa and of the gain over the commonest label, where labels or errors are rare, come in whole
//! clusters, or labels are about as common as each other.
//!
//! Invariant: all methods see the same studies.

use fastrand::Rng;
use understudy_statistics::scoring::{
    ClusterLimits, ClusterSizes, Interval, JACKKNIFE_GROUPS, LabelCounts, PairLabels, jackknife,
};
use understudy_statistics::verdict::ModelLabels;

use crate::markdown;

/// The confidence of each bound.
const CONFIDENCE: f64 = 0.95;
/// The number of groups that clusters are distributed over, as in a verdict.
const GROUPS: usize = JACKKNIFE_GROUPS as usize;
/// The names of labels. The last one is the rare one.
const LABELS: [&str; 4] = ["a", "b", "c", "rare"];
const RARE: usize = LABELS.len() - 1;

/// A kind of studies. The labels of a pair are those of the substrate and of the model.
#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    /// How many clusters there are of each size.
    sizes: &'static [(usize, u64)],
    /// The number of usual labels of the substrate, which are equally probable.
    usual: usize,
    /// The share of clusters in which every label of the substrate is the rare one, and the share of pairs of the others.
    rare: [f64; 2],
    /// The share of clusters in which the model errs in every pair, and the share of pairs of the others.
    errors: [f64; 2],
    /// Whether the model errs on usual labels only.
    spares_rare: bool,
    /// Whether clusters of one pair have neither the rare label nor errors of whole clusters.
    only_large: bool,
}

impl Kind {
    const fn new(name: &'static str, sizes: &'static [(usize, u64)]) -> Kind {
        Kind {
            name,
            sizes,
            usual: 1,
            rare: [0.0; 2],
            errors: [0.0; 2],
            spares_rare: false,
            only_large: false,
        }
    }
}

const FORTY: &[(usize, u64)] = &[(40, 25)];
const HUNDRED: &[(usize, u64)] = &[(100, 10)];
const TEN_LARGE: &[(usize, u64)] = &[(10, 100), (1000, 1)];
const UNEVEN: &[(usize, u64)] = &[(50, 10), (50, 5)];

const KINDS: [Kind; 15] = [
    Kind {
        rare: [0.02, 0.02],
        errors: [0.0, 0.1],
        spares_rare: true,
        ..Kind::new("rare in 2 % of 40 clusters and 2 % of pairs, 10 % errors on others", FORTY)
    },
    Kind {
        rare: [0.02, 0.02],
        errors: [0.0, 0.01],
        ..Kind::new("rare in 2 % of 40 clusters and 2 % of pairs, 1 % errors", FORTY)
    },
    Kind {
        rare: [0.05, 0.0],
        errors: [0.0, 0.1],
        ..Kind::new("rare in 5 % of 40 clusters, 10 % errors", FORTY)
    },
    Kind {
        rare: [0.1, 0.0],
        errors: [0.03, 0.0],
        ..Kind::new("rare in 10 % of 40 clusters, 3 % of clusters err", FORTY)
    },
    Kind {
        usual: 2,
        errors: [0.03, 0.01],
        ..Kind::new("two labels alike, 3 % of 40 clusters err, 1 % errors of others", FORTY)
    },
    Kind {
        rare: [0.02, 0.0],
        errors: [0.0, 0.05],
        ..Kind::new("rare in 2 % of 100 clusters, 5 % errors", HUNDRED)
    },
    Kind {
        usual: 3,
        errors: [0.1, 0.0],
        ..Kind::new("three labels alike, 10 % of 100 clusters err", HUNDRED)
    },
    Kind {
        rare: [0.1, 0.0],
        errors: [0.0, 0.1],
        only_large: true,
        ..Kind::new("rare in 10 % of ten clusters of 100, none of 1,000 of one pair, 10 % errors", TEN_LARGE)
    },
    Kind {
        usual: 2,
        errors: [0.15, 0.02],
        only_large: true,
        ..Kind::new(
            "two labels alike, 15 % of ten clusters of 100 err, 2 % errors of 1,000 of one pair",
            TEN_LARGE,
        )
    },
    Kind {
        rare: [0.05, 0.02],
        errors: [0.1, 0.05],
        ..Kind::new("rare in 5 % of clusters of 5 or 10, 10 % of them err, 5 % errors of others", UNEVEN)
    },
    Kind {
        rare: [0.0, 0.01],
        errors: [0.0, 0.01],
        ..Kind::new("independent pairs: 1 % rare of 300, 1 % errors", &[(300, 1)])
    },
    Kind {
        rare: [0.0, 0.02],
        errors: [0.0, 0.3],
        ..Kind::new("independent pairs: 2 % rare of 300, 30 % errors", &[(300, 1)])
    },
    Kind {
        rare: [0.0, 0.005],
        errors: [0.0, 0.02],
        spares_rare: true,
        ..Kind::new("independent pairs: 0.5 % rare of 1,000, 2 % errors on others", &[(1000, 1)])
    },
    Kind {
        usual: 2,
        errors: [0.0, 0.1],
        ..Kind::new("independent pairs: two labels alike, 10 % errors of 1,000", &[(1000, 1)])
    },
    Kind {
        usual: 3,
        rare: [0.0, 0.1],
        errors: [0.0, 0.2],
        ..Kind::new(
            "independent pairs: three labels alike and one of 10 %, 20 % errors of 1,000",
            &[(1000, 1)],
        )
    },
];

/// A simulated study.
struct SimulatedStudy {
    /// The pairs of each group by the labels of substrate and model.
    groups: Vec<[[u64; LABELS.len()]; LABELS.len()]>,
    sizes: ClusterSizes,
}

/// The true values and bounds of one measure in many studies.
#[derive(Default)]
struct Tally {
    held: [usize; 2],
    width: f64,
}

/// The table from a number of studies of each kind.
pub fn table(studies: usize) -> String {
    let mut rng = Rng::with_seed(19);
    let rows = KINDS.iter().map(|kind| {
        let (kappa, gain) = kind.truth();
        let mut tallies: [Tally; 3] = Default::default();
        for _ in 0..studies {
            let study = kind.study(&mut rng);
            let labels = study.labels();
            let whole = Interval { lower: -1.0, upper: 1.0 };
            let limits = study.sizes.limits();
            let (of_kappa, of_gain) = match kind.has_clusters() {
                true => {
                    (labels.jackknife_kappa(limits, CONFIDENCE), labels.jackknife_gain(limits, CONFIDENCE))
                }
                false => {
                    (labels.jackknife_kappa(ClusterLimits::NONE, CONFIDENCE), labels.exact_gain(CONFIDENCE))
                }
            };
            let bounds = |found: Result<(Interval, _), _>| found.map_or(whole, |(interval, _)| interval);
            tallies[0].add(study.jackknife_alone().unwrap_or(whole), kappa);
            tallies[1].add(bounds(of_kappa), kappa);
            tallies[2].add(bounds(of_gain), gain);
        }
        let cells = tallies.iter().flat_map(|tally| tally.cells(studies));
        std::iter::once(kind.name.to_owned()).chain(cells).collect::<Vec<_>>()
    });
    let columns = ["lower holds", "upper holds", "width"];
    let methods = ["kappa, jackknife", "kappa, verdict", "gain, verdict"].into_iter();
    let columns = methods.flat_map(|method| columns.map(|column| format!("{method}: {column}")));
    let head: Vec<String> = std::iter::once("labels".to_owned()).chain(columns).collect();
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    markdown::table(&head, &rows.collect::<Vec<_>>())
}

impl Tally {
    fn add(&mut self, interval: Interval, truth: f64) {
        // The truth is rounded.
        self.held[0] += usize::from(interval.lower <= truth + 1e-12);
        self.held[1] += usize::from(interval.upper >= truth - 1e-12);
        self.width += interval.upper - interval.lower;
    }

    fn cells(&self, studies: usize) -> Vec<String> {
        let shares = self.held.map(|held| held as f64 / studies as f64);
        shares.into_iter().chain([self.width / studies as f64]).map(|share| format!("{share:.4}")).collect()
    }
}

impl Kind {
    fn has_clusters(&self) -> bool {
        self.sizes.iter().any(|(_, size)| *size > 1)
    }

    /// The label that the model gives by mistake: the next usual label, and the first one in place of the rare one. With one
    /// usual label, it is the rare one.
    fn mistaken(&self, label: usize) -> usize {
        match label {
            RARE => 0,
            _ if self.usual == 1 => RARE,
            _ => (label + 1) % self.usual,
        }
    }

    /// The expected shares of pairs by the labels of substrate and model.
    fn shares(&self) -> [[f64; LABELS.len()]; LABELS.len()] {
        let pairs: u64 = self.sizes.iter().map(|(clusters, size)| *clusters as u64 * size).sum();
        let mut shares = [[0.0; LABELS.len()]; LABELS.len()];
        for (clusters, size) in self.sizes {
            let weight = *clusters as f64 * *size as f64 / pairs as f64;
            let whole = f64::from(u8::from(*size > 1 || !self.only_large));
            let [rare, errors] = [self.rare, self.errors]
                .map(|[clusters, others]| whole * clusters + (1.0 - whole * clusters) * others);
            for (label, own) in shares.iter_mut().enumerate() {
                let share = match label {
                    RARE => rare,
                    _ if label < self.usual => (1.0 - rare) / self.usual as f64,
                    _ => continue,
                };
                let errors = if label == RARE && self.spares_rare { 0.0 } else { errors };
                own[label] += weight * share * (1.0 - errors);
                own[self.mistaken(label)] += weight * share * errors;
            }
        }
        shares
    }

    /// The true kappa, and the true gain over the commonest label.
    fn truth(&self) -> (f64, f64) {
        let shares = self.shares();
        let agreement: f64 = (0..LABELS.len()).map(|label| shares[label][label]).sum();
        let substrate = shares.map(|row| row.iter().sum::<f64>());
        let model: [f64; LABELS.len()] =
            std::array::from_fn(|label| shares.iter().map(|row| row[label]).sum());
        let expected: f64 = substrate.iter().zip(model).map(|(one, other)| one * other).sum();
        let commonest = substrate.into_iter().fold(0.0, f64::max);
        ((agreement - expected) / (1.0 - expected), agreement - commonest)
    }

    /// One simulated study. Each cluster has a random hash, which chooses its group.
    fn study(&self, rng: &mut Rng) -> SimulatedStudy {
        let mut study =
            SimulatedStudy { groups: vec![Default::default(); GROUPS], sizes: ClusterSizes::default() };
        for &(clusters, size) in self.sizes {
            for _ in 0..clusters {
                let is_whole = size > 1 || !self.only_large;
                let [all_rare, all_err] =
                    [self.rare[0], self.errors[0]].map(|share| is_whole && rng.f64() < share);
                let hash = rng.u64(..);
                let group = &mut study.groups[hash as usize % GROUPS];
                for _ in 0..size {
                    let is_rare = all_rare || rng.f64() < self.rare[1];
                    let label = if is_rare { RARE } else { rng.usize(..self.usual) };
                    let errs = all_err || rng.f64() < self.errors[1];
                    let errs = errs && !(is_rare && self.spares_rare);
                    group[label][if errs { self.mistaken(label) } else { label }] += 1;
                }
                study.sizes.add(hash, size);
            }
        }
        study
    }
}

impl SimulatedStudy {
    fn labels(&self) -> ModelLabels {
        let mut counts = LabelCounts::default();
        for (group, table) in self.groups.iter().enumerate() {
            for (substrate, row) in table.iter().enumerate() {
                for (model, pairs) in row.iter().enumerate() {
                    let models = [Some(LABELS[model])];
                    let pair =
                        PairLabels { substrate: LABELS[substrate], models: &models, group: group as u8 };
                    (0..*pairs).for_each(|_| counts.add(pair));
                }
            }
        }
        ModelLabels::new(std::iter::once(&counts), 0).expect("four labels")
    }

    /// The bounds of kappa by the jackknife over groups alone; `None` where it gives none.
    fn jackknife_alone(&self) -> Option<Interval> {
        let without = |left_out: Option<usize>| {
            let mut table = [[0.0; LABELS.len()]; LABELS.len()];
            for (_, group) in self.groups.iter().enumerate().filter(|(at, _)| Some(*at) != left_out) {
                table.iter_mut().flatten().zip(group.iter().flatten()).for_each(|(sum, n)| *sum += *n as f64);
            }
            let n: f64 = table.iter().flatten().sum();
            let agreed: f64 = (0..LABELS.len()).map(|label| table[label][label]).sum();
            let expected: f64 = (0..LABELS.len())
                .map(|label| {
                    let substrate: f64 = table[label].iter().sum();
                    substrate * table.iter().map(|row| row[label]).sum::<f64>()
                })
                .sum();
            (n * agreed - expected) / (n * n - expected)
        };
        let occupied = |group: &usize| self.groups[*group].iter().flatten().any(|pairs| *pairs > 0);
        let replicates: Vec<f64> = (0..GROUPS).filter(occupied).map(|group| without(Some(group))).collect();
        let value = without(None);
        let interval = jackknife(value, &replicates, value, CONFIDENCE)?;
        Some(interval.clamped((Some(-1.0), Some(1.0))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_of_a_verdict_hold_where_the_jackknife_does_not() {
        let table = table(200);
        let rows = table
            .lines()
            .skip(2)
            .map(|line| line.split('|').filter_map(|cell| cell.trim().parse().ok()).collect::<Vec<f64>>());
        let rows: Vec<Vec<f64>> = rows.collect();
        assert!(rows[0][1] < 0.75 && rows[13][7] > 0.91, "{table}");
        for row in &rows {
            // Two standard errors of 200 studies are 3 %.
            assert!([3, 4, 6, 7].iter().all(|column| row[*column] > 0.915), "{row:?}\n{table}");
        }
    }
}
