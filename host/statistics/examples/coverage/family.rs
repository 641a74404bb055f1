//! The table `family`: how often at least one of twenty models is GO although the agreement of each is exactly the bound.
//!
//! Invariant: the program's own verdict decides each study, over one window and by bounds at 0.95.
//!
//! The models agree independently of each other, or each model copies about half of its pairs from one common draw. With
//! clusters, models agree more often with some clusters than with others, or fail on rare clusters as a whole. Each model has
//! clusters of its own in which it does, or all models have the same.

use fastrand::Rng;

use understudy_statistics::scoring::{
    CellsShape, ClusterSizes, Conditions, ExactSum, JACKKNIFE_GROUPS, ModelSums, StratumKey, StratumSums,
    WindowClock,
};
use understudy_statistics::verdict::{Facts, SimulatedRun, Verdict, VerdictKind, determine_verdict};
use understudy_study::{Micros, Study, parse};

use crate::markdown;

/// The number of models, each with one verdict.
const MODELS: usize = 20;
/// The number of pairs of each study.
const PAIRS: u64 = 1000;
/// The true agreement of every model, which is the bound of the threshold.
const AGREEMENT: f64 = 0.85;
/// The share of pairs that related models have in common.
const COMMON: f64 = 0.5;

/// The number of pairs of each cluster.
const CLUSTER_PAIRS: u64 = 10;

/// The simulated pairs of a study: the pairs of each jackknife group, and the hits of each model among them.
struct SimulatedPairs {
    groups: Vec<(u64, Vec<u64>)>,
    /// The sizes of the clusters; `None` without clusters.
    sizes: Option<ClusterSizes>,
}

/// Draws the pairs of a study.
type Draw = fn(&mut Rng) -> SimulatedPairs;

/// The kinds of studies, and whether they have clusters.
const KINDS: [(&str, bool, Draw); 5] = [
    ("independent", false, |rng| hits(0.0, rng)),
    ("half of the pairs in common", false, |rng| hits(COMMON, rng)),
    ("clusters with 95 or 75 %", true, |rng| clusters(rng, true, |rng| if rng.bool() { 0.95 } else { 0.75 })),
    ("the same clusters for all models", true, |rng| {
        clusters(rng, false, |rng| if rng.bool() { 0.95 } else { 0.75 })
    }),
    ("15 % of clusters fail as a whole", true, |rng| {
        clusters(rng, true, |rng| if rng.f64() < AGREEMENT { 1.0 } else { 0.0 })
    }),
];

/// The table over a number of studies.
pub fn table(studies: usize) -> String {
    let mut rows = Vec::new();
    for (relation, has_clusters, draw) in KINDS {
        for family in ["each", "holm"] {
            let study = study(family, has_clusters);
            // The same pairs for both families.
            let mut rng = Rng::with_seed(15);
            let (mut any, mut passed, mut margin) = (0, 0, 0.0);
            for _ in 0..studies {
                let verdict = decide(&study, draw(&mut rng));
                let passing =
                    verdict.models.iter().filter(|model| model.scopes[0].verdict == VerdictKind::Go);
                let passing = passing.count();
                any += usize::from(passing > 0);
                passed += passing;
                margin += margin_of(&verdict);
            }
            let share = |count: usize| format!("{:.4}", count as f64 / studies as f64);
            rows.push(vec![
                format!("{family}, {relation}"),
                share(any),
                share(passed),
                format!("{:.4}", margin / studies as f64),
            ]);
        }
    }
    let head = ["family, models", "studies with a false GO", "false GOs a study", "estimate less bound"];
    markdown::table(&head, &rows)
}

/// The mean distance of a model's estimate to its lower bound.
fn margin_of(verdict: &Verdict) -> f64 {
    let margins = verdict.models.iter().map(|model| {
        let pooled = &model.scopes[0].pooled;
        pooled.value.zip(pooled.interval).map_or(f64::NAN, |(value, interval)| value - interval.lower)
    });
    margins.sum::<f64>() / verdict.models.len() as f64
}

/// Independent pairs, of which the models have the share `common` in common.
fn hits(common: f64, rng: &mut Rng) -> SimulatedPairs {
    let mut hits = vec![0; MODELS];
    for _ in 0..PAIRS {
        let shared = rng.f64() < AGREEMENT;
        for hits in &mut hits {
            let agrees = if common > 0.0 && rng.f64() < common { shared } else { rng.f64() < AGREEMENT };
            *hits += u64::from(agrees);
        }
    }
    SimulatedPairs { groups: vec![(PAIRS, hits)], sizes: None }
}

/// Clusters of pairs. `share` draws the share of pairs of a cluster in which a model agrees: for each model, or once for all.
fn clusters(rng: &mut Rng, is_own: bool, share: fn(&mut Rng) -> f64) -> SimulatedPairs {
    let mut groups = vec![(0, vec![0; MODELS]); JACKKNIFE_GROUPS as usize];
    let mut sizes = ClusterSizes::default();
    for _ in 0..PAIRS / CLUSTER_PAIRS {
        let hash = rng.u64(..);
        let (pairs, hits) = &mut groups[(hash % JACKKNIFE_GROUPS) as usize];
        *pairs += CLUSTER_PAIRS;
        sizes.add(hash, CLUSTER_PAIRS);
        let common = share(rng);
        for hits in hits {
            let agreement = if is_own { share(rng) } else { common };
            *hits += (0..CLUSTER_PAIRS).filter(|_| rng.f64() < agreement).count() as u64;
        }
    }
    groups.retain(|(pairs, _)| *pairs > 0);
    SimulatedPairs { groups, sizes: Some(sizes) }
}

fn study(family: &str, has_clusters: bool) -> Study {
    let (field, cluster) = match has_clusters {
        true => ("[inputs.fields]\ncustomer = \"text\"\n", "cluster = \"customer\"\n"),
        false => ("", ""),
    };
    let models: String =
        (0..MODELS).map(|model| format!("[[models]]\nname = \"m{model}\"\nplugin = \"m.wasm\"\n")).collect();
    let text = format!(
        "study = \"family\"\ntime-zone = \"UTC\"\n[inputs]\nid = \"id\"\ntime = \"at\"\n{field}[decisions]\nid = \"id\"\n\
         time = \"at\"\nhorizon = \"1d\"\n[sources]\nsnapshots = {{ file = \"s.jsonl\" }}\n\
         decisions = {{ file = \"d.jsonl\" }}\n{models}[comparator]\nname = \"c\"\nplugin = \"c.wasm\"\n[[metrics]]\n\
         name = \"agreement\"\nplugin = \"a.wasm\"\n[windows]\nevery = \"week\"\n[threshold]\nat-least = {AGREEMENT}\n\
         quantifier = \"pooled\"\nwindows = {{ all = true }}\nevidence = \"bound\"\nconfidence = 0.95\n\
         family = \"{family}\"\n{cluster}"
    );
    parse(&text).unwrap_or_else(|invalid| panic!("{}", invalid.faults))
}

/// The verdict on these pairs.
fn decide(study: &Study, simulated: SimulatedPairs) -> Verdict {
    let mut clock = WindowClock::new(study.windows, study.time_zone.clone());
    let window = clock.window(0);
    let sum = |value: u64| {
        let mut sum = ExactSum::default();
        sum.add(value as f64);
        sum
    };
    let shape = CellsShape { conditions: Vec::new(), models: MODELS, components: vec![2] };
    let mut run = SimulatedRun::new(shape);
    let evidence = run.evidence.windows.entry(window).or_default().to_mut();
    for (group, (pairs, hits)) in (0..).zip(simulated.groups) {
        let models = hits.iter().map(|hits| ModelSums {
            unanswered: 0,
            components: vec![sum(*hits), sum(pairs)],
            squares: sum(*hits),
        });
        let sums = StratumSums { pairs, models: models.collect() };
        evidence.sums.insert(StratumKey { scope: 0, blinded: false, group }, sums);
    }
    evidence.cluster_sizes.extend(simulated.sizes.map(|sizes| (0, sizes)));
    (0..PAIRS).for_each(|_| run.inputs.add(window, 0, &[0], []));
    let threshold = study.threshold.as_ref().expect("it is declared");
    let conditions = Conditions::new(&[], study.time_zone.clone()).expect("there are none");
    let facts = Facts::undisturbed(study, threshold, &conditions, run.results(PAIRS, Micros(0)));
    determine_verdict(&facts, &mut |pairs, sums| Some(sums[0] / pairs as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holm_holds_the_level_of_the_family_and_each_does_not() {
        let any = |family: &str, (_, has_clusters, draw): (&str, bool, Draw), studies: usize| {
            let (study, mut rng) = (study(family, has_clusters), Rng::with_seed(7));
            let studies = (0..studies).filter(|_| {
                let verdict = decide(&study, draw(&mut rng));
                verdict.models.iter().any(|model| model.scopes[0].verdict == VerdictKind::Go)
            });
            studies.count()
        };
        // The level allows 10 of 200, and each verdict on its own 128. Of 60 studies with clusters that fail, it allows 3, and
        // each verdict has 24.
        for (kind, studies, most, least) in [(KINDS[0], 200, 20, 90), (KINDS[4], 60, 6, 12)] {
            let (holm, each) = (any("holm", kind, studies), any("each", kind, studies));
            assert!(holm <= most && each > least, "{}: {holm} {each}", kind.0);
        }
    }
}
