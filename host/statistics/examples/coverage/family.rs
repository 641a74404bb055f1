//! The table `family`: how often at least one of twenty models is GO although the agreement of each is exactly the bound.
//!
//! Invariant: the program's own verdict decides each study, over one window and by bounds at 0.95.
//!
//! The models agree independently of each other, or each model copies about half of its pairs from one common draw.

use fastrand::Rng;

use understudy_statistics::scoring::{
    CellsShape, Conditions, ExactSum, ModelSums, StratumKey, StratumSums, WindowClock,
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

/// The table over a number of studies.
pub fn table(studies: usize) -> String {
    let mut rows = Vec::new();
    for (relation, common) in [("independent", 0.0), ("half of the pairs in common", COMMON)] {
        for family in ["each", "holm"] {
            let study = study(family);
            // The same pairs for both families.
            let mut rng = Rng::with_seed(15);
            let (mut any, mut passed, mut margin) = (0, 0, 0.0);
            for _ in 0..studies {
                let verdict = decide(&study, &hits(common, &mut rng));
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

/// The numbers of pairs in which each model agrees.
fn hits(common: f64, rng: &mut Rng) -> Vec<u64> {
    let mut hits = vec![0; MODELS];
    for _ in 0..PAIRS {
        let shared = rng.f64() < AGREEMENT;
        for hits in &mut hits {
            let agrees = if common > 0.0 && rng.f64() < common { shared } else { rng.f64() < AGREEMENT };
            *hits += u64::from(agrees);
        }
    }
    hits
}

fn study(family: &str) -> Study {
    let models: String =
        (0..MODELS).map(|model| format!("[[models]]\nname = \"m{model}\"\nplugin = \"m.wasm\"\n")).collect();
    let text = format!(
        "study = \"family\"\ntime-zone = \"UTC\"\n[inputs]\nid = \"id\"\ntime = \"at\"\n[decisions]\nid = \"id\"\n\
         time = \"at\"\nhorizon = \"1d\"\n[sources]\nsnapshots = {{ file = \"s.jsonl\" }}\n\
         decisions = {{ file = \"d.jsonl\" }}\n{models}[comparator]\nname = \"c\"\nplugin = \"c.wasm\"\n[[metrics]]\n\
         name = \"agreement\"\nplugin = \"a.wasm\"\n[windows]\nevery = \"week\"\n[threshold]\nat-least = {AGREEMENT}\n\
         quantifier = \"pooled\"\nwindows = {{ all = true }}\nevidence = \"bound\"\nconfidence = 0.95\n\
         family = \"{family}\"\n"
    );
    parse(&text).unwrap_or_else(|invalid| panic!("{}", invalid.faults))
}

/// The verdict on models that agree in these numbers of pairs.
fn decide(study: &Study, hits: &[u64]) -> Verdict {
    let mut clock = WindowClock::new(study.windows, study.time_zone.clone());
    let window = clock.window(0);
    let sum = |value: u64| {
        let mut sum = ExactSum::default();
        sum.add(value as f64);
        sum
    };
    let models = hits.iter().map(|hits| ModelSums {
        unanswered: 0,
        components: vec![sum(*hits), sum(PAIRS)],
        squares: sum(*hits),
    });
    let sums = StratumSums { pairs: PAIRS, models: models.collect() };
    let shape = CellsShape { conditions: Vec::new(), models: hits.len(), components: vec![2] };
    let mut run = SimulatedRun::new(shape);
    let stratum = StratumKey { scope: 0, blinded: false, group: 0 };
    run.evidence.windows.entry(window).or_default().to_mut().sums.insert(stratum, sums);
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
        let any = |family: &str| {
            let (study, mut rng) = (study(family), Rng::with_seed(7));
            let studies = (0..200).filter(|_| {
                let verdict = decide(&study, &hits(0.0, &mut rng));
                verdict.models.iter().any(|model| model.scopes[0].verdict == VerdictKind::Go)
            });
            studies.count()
        };
        // The level allows 10 of 200, and each verdict on its own 128.
        assert!(any("holm") <= 20 && any("each") > 90, "{} {}", any("holm"), any("each"));
    }
}
