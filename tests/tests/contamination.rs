//! Detection of contamination in simulated studies of 20,000 pairs: in some, the dispatcher follows three of
//! ten answers; in the others, he sees none.

use understudy_engine::BlindingRule;
use understudy_statistics::scoring::{
    AnswerStatus, CellsShape, Conditions, EvidencePair, ModelScores, ScoredPairs, WindowClock,
    jackknife_group,
};
use understudy_statistics::verdict::{
    CONTAMINATION_LEVEL, Facts, SimulatedRun, Verdict, VerdictKind, determine_verdict,
};
use understudy_study::{Micros, Study, parse};
use understudy_tests::study_toml::StudyToml;

const STUDIES: u64 = 100;
const PAIRS: u64 = 20_000;
/// Probability that the dispatcher decides like the model without seeing its answer.
const AGREEMENT: f64 = 0.85;
/// Probability that he follows an answer that he sees.
const FOLLOWED: f64 = 0.3;
const WEEK: i64 = 7 * 86_400_000_000;

fn study() -> Study {
    let text = StudyToml::new("leak")
        .windows("week")
        .plugin_model("m", "m", &[], None)
        .plugin_comparator("c", "c", &[], None)
        .plugin_metric("agreement", "a")
        .threshold("at-least = 0.8\nquantifier = \"pooled\"\nwindows = { first = 4 }\nevidence = \"point\"")
        .to_string();
    parse(&text).unwrap_or_else(|unsound| panic!("{}", unsound.faults))
}

/// Simulates a study with its own seal. `leaks`: whether the dispatcher sees answers that exist in time.
fn simulate(study: &Study, number: u64, leaks: bool) -> Verdict {
    let blind =
        BlindingRule::new(study.blinding.share, &format!("seal {number}")).expect("a tenth is blinded");
    let mut random = fastrand::Rng::with_seed(number);
    let mut clock = WindowClock::new(study.windows, study.time_zone.clone());
    // A Monday in 1970.
    let start = 4 * 86_400_000_000;
    let mut run = SimulatedRun::new(CellsShape { conditions: Vec::new(), models: 1, components: vec![2] });
    for pair in 0..PAIRS {
        let id = format!("call-{number}-{pair}");
        let blinded = blind.is_blinded(&id);
        let own = random.f64() < AGREEMENT;
        let follows = leaks && !blinded && random.f64() < FOLLOWED;
        let score = f64::from(u8::from(own || follows));
        let at = start + (pair as i64 % 4) * WEEK;
        let window = clock.window(at);
        run.inputs.add(window, at, &[0], []);
        let models = [ModelScores {
            statuses: vec![AnswerStatus::Answered],
            scores: vec![vec![vec![score], vec![1.0]]],
        }];
        run.cells
            .add(ScoredPairs { windows: &[window], conditions: &[], models: &models })
            .expect("the shape fits");
        let scopes = &[0];
        let pair = EvidencePair {
            window,
            scopes,
            values: &[],
            group: jackknife_group(&id),
            cluster: None,
            blinded,
            range: None,
            occurrence: None,
            labels: None,
        };
        run.evidence.add(&pair, &models, 0, 0);
    }
    let threshold = study.threshold.as_ref().expect("it is declared");
    let conditions = Conditions::new(&[], study.time_zone.clone()).expect("there are none");
    let facts =
        Facts::undisturbed(study, threshold, &conditions, run.results(PAIRS, Micros(start + 4 * WEEK)));
    determine_verdict(&facts, &mut |pairs, sums| Some(sums[0] / pairs as f64))
}

#[test]
fn contamination_is_detected_without_false_alarms() {
    let study = study();
    let accused = |leaks| {
        let verdicts = (0..STUDIES).map(|number| simulate(&study, number, leaks));
        verdicts.filter(|verdict| verdict.models[0].scopes[0].verdict == VerdictKind::Void).count()
    };
    let (found, wronged) = (accused(true), accused(false));
    println!("of {STUDIES} studies that leak {found} were found, of as many clean ones {wronged} accused");
    assert!(found >= 95, "{found}");
    assert!(wronged <= 2, "{wronged}");
}

#[test]
fn the_report_states_the_smallest_detectable_effect() {
    let verdict = simulate(&study(), 7, false);
    let found =
        verdict.models[0].contamination.expect("a tenth is blinded").difference.expect("there are enough");
    assert!(found.p_value >= CONTAMINATION_LEVEL);
    // (z(0.999) + z(0.8)) * sqrt(0.85 * 0.15 * (1 / 2000 + 1 / 18000)) is 0.0332.
    let findable = found.detectable.expect("there are enough");
    assert!((0.028..0.039).contains(&findable), "{findable}");
}
