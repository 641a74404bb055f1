//! The verdict for every combination of quantifier, evidence and outcome, and the texts of the reasons.

use std::sync::LazyLock;

use jiff::Timestamp;

use super::*;
use crate::scoring::{
    AnswerStatus, Cells, CellsShape, EvidencePair, ModelScores, ScoredPairs, Window, WindowClock,
    jackknife_group,
};
use understudy_records::join::Account;
use understudy_study::{InterferenceKind, Micros, PerStream, Shares, parse};

const STUDY: &str = r#"study = "yard"
time-zone = "UTC"
[inputs]
id = "id"
time = "at"
[inputs.fields]
kind = "text"
[decisions]
id = "id"
time = "at"
horizon = "1d"
[sources]
snapshots = { file = "s.jsonl" }
decisions = { file = "d.jsonl" }
[[models]]
name = "m"
plugin = "m.wasm"
[comparator]
name = "c"
plugin = "c.wasm"
[[metrics]]
name = "agreement"
plugin = "a.wasm"
[[conditions]]
name = "kind"
field = "kind"
values = ["x", "y"]
[[conditions]]
name = "day"
calendar = "day-of-week"
[windows]
every = "week"
[[scopes]]
name = "only-x"
where = { kind = "x" }
[threshold]
"#;

/// 2026-04-13 was a Monday.
static MONDAY: LazyLock<i64> =
    LazyLock::new(|| "2026-04-13T00:00:00Z".parse::<Timestamp>().unwrap().as_microsecond());
const DAY: i64 = 86_400_000_000;

/// The records of a study: pairs by week, and what else happened.
#[derive(Clone)]
struct Case {
    threshold: String,
    /// For each week, hits and pairs. Every other pair, from the first on, has the value `x`.
    weeks: Vec<(u64, u64)>,
    /// Snapshots of each week without a pair.
    unmatched: u64,
    rejected: u64,
    unanswered: u64,
    closed: bool,
    blinded_hits: Option<(u64, u64)>,
    interferences: Vec<InterferenceEvent>,
    cut_off: bool,
    /// The time (µs) after the last week of the latest decision.
    latest_decision: Option<i64>,
    /// Whether every third answer of the substrate is `b`. Otherwise all are `a`.
    mixed_labels: bool,
    range: (Option<f64>, Option<f64>),
}

impl Case {
    fn new(threshold: &str, weeks: &[(u64, u64)]) -> Case {
        Case {
            threshold: threshold.to_owned(),
            weeks: weeks.to_vec(),
            unmatched: 0,
            rejected: 0,
            unanswered: 0,
            closed: true,
            blinded_hits: None,
            interferences: Vec::new(),
            cut_off: false,
            latest_decision: Some(3 * DAY),
            mixed_labels: false,
            range: (Some(0.0), Some(1.0)),
        }
    }

    fn interference(mut self, kind: InterferenceKind, day: i64) -> Case {
        let since = Timestamp::from_microsecond(*MONDAY + day * DAY).unwrap();
        self.interferences.push(InterferenceEvent {
            kind,
            since,
            description: "a screen in the office".to_owned(),
        });
        self
    }

    fn verdict(&self) -> Verdict {
        let study =
            parse(&format!("{STUDY}{}\n", self.threshold)).map_err(|unsound| unsound.faults.to_string());
        let study = study.unwrap();
        let threshold = study.threshold.as_ref().unwrap();
        let mut conditions = Conditions::new(&study.conditions, study.time_zone.clone()).unwrap();
        let mut clock = WindowClock::new(study.windows, study.time_zone.clone());
        let mut cells =
            Cells::new(CellsShape { conditions: conditions.sizes(), models: 1, components: vec![2] });
        let (mut evidence, mut inputs) = (VerdictEvidence::default(), InputCounts::default());
        let mut blinded = self.blinded_hits.unwrap_or((0, 0));
        for (week, (hits, pairs)) in (0..).zip(&self.weeks) {
            for pair in 0..pairs + self.unmatched {
                let at = *MONDAY + week * 7 * DAY + (pair as i64 % 7) * DAY + 3600;
                let window: Window = clock.window(at);
                let values = [(pair % 2) as u16, (pair % 7) as u16];
                let scopes: &[u16] = if pair % 2 == 0 { &[0, 1] } else { &[0] };
                inputs.add(window, at, scopes, values);
                if pair >= *pairs {
                    continue;
                }
                let hit = pair < *hits;
                let blind = match (hit, &mut blinded) {
                    (true, (left, _)) | (false, (_, left)) if *left > 0 => {
                        *left -= 1;
                        true
                    }
                    _ => false,
                };
                let answered = pair >= self.unanswered;
                let outcome = if answered { AnswerStatus::Answered } else { AnswerStatus::Failed };
                let score = f64::from(u8::from(hit));
                let models =
                    [ModelScores { statuses: vec![outcome], scores: vec![vec![vec![score], vec![1.0]]] }];
                let scored = ScoredPairs {
                    windows: &[window],
                    conditions: &[vec![values[0]], vec![values[1]]],
                    models: &models,
                };
                cells.add(scored).unwrap();
                let occurrence = threshold.cycle.map(|cycle| {
                    let day = conditions.occurrences(cycle.condition, &[at]).unwrap()[0];
                    (values[cycle.condition], day)
                });
                let substrate = if self.mixed_labels && pair % 3 == 0 { "b" } else { "a" };
                let other = if substrate == "a" { "b" } else { "a" };
                let answers = [Some(if hit { substrate } else { other })];
                let labels = threshold.chance.map(|_| (substrate, &answers[..]));
                let key = format!("{week}-{pair}");
                let pair = EvidencePair {
                    window,
                    scopes,
                    group: jackknife_group(&key),
                    blinded: blind,
                    occurrence,
                    labels,
                };
                evidence.add(&pair, &models, 0, 0);
            }
        }
        // Unless the case is cut off, the feed was observed on both sides of the weeks.
        let weeks = self.weeks.len() as i64;
        if !self.cut_off {
            inputs.add(clock.window(*MONDAY - 1), *MONDAY - 1, &[0], [0, 6]);
        }
        let end = *MONDAY + weeks * 7 * DAY;
        let latest = if self.cut_off { end - 1 } else { end };
        let clocks = PerStream {
            snapshots: Some(Micros(latest)),
            decisions: self.latest_decision.map(|after| Micros(end + after)),
        };
        let account = Account { received: 1000, rejected: self.rejected, ..Account::default() };
        let references: Vec<Vec<f64>> = threshold
            .references
            .iter()
            .map(|reference| match &reference.shares {
                Shares::Listed(shares) => shares.clone(),
                Shares::File(_) => panic!("the cases list their shares"),
            })
            .collect();
        let facts = Facts {
            study: &study,
            threshold,
            conditions: &conditions,
            seal: "5ea1",
            sealed_at: Timestamp::from_microsecond(*MONDAY).unwrap(),
            closed: self.closed,
            clocks,
            accounting: Accounting { snapshots: account, decisions: account },
            inputs: &inputs,
            cells: &cells,
            evidence: &evidence,
            range: self.range,
            references: &references,
            interferences: &self.interferences,
        };
        determine_verdict(&facts, &mut |pairs, sums| Some(sums[0] / pairs as f64))
    }

    /// The verdict for all of the input, and its reasons.
    fn decide(&self) -> (VerdictKind, String) {
        let verdict = self.verdict();
        let scope = &verdict.models[0].scopes[0];
        let reasons: Vec<_> = scope
            .reasons
            .iter()
            .map(|reason| format!("{}: {}", reason.verdict.name(), reason.text))
            .collect();
        (scope.verdict, reasons.join("\n"))
    }
}

fn every(weeks: usize) -> String {
    format!(
        "at-least = 0.85\nquantifier = \"every-window\"\nwindows = {{ first = {weeks} }}\nevidence = \"point\""
    )
}

fn pooled(weeks: usize) -> String {
    every(weeks).replace("every-window", "pooled")
}

fn bound(threshold: &str) -> String {
    threshold.replace("\"point\"", "\"bound\"\nconfidence = 0.95")
}

const GOOD: (u64, u64) = (900, 1000);
const BAD: (u64, u64) = (800, 1000);
const NEAR: (u64, u64) = (851, 1000);

#[test]
fn verdicts_by_quantifier_evidence_and_outcome() {
    use VerdictKind::{Go, Inconclusive, NoGo};
    type Row<'r> = (&'r str, &'r [(u64, u64)], [VerdictKind; 4]);
    // every-window by point and by bound, then pooled by point and by bound.
    let table: [Row<'_>; 9] = [
        ("all good", &[GOOD, GOOD, GOOD], [Go, Go, Go, Go]),
        ("all bad", &[BAD, BAD, BAD], [NoGo, NoGo, NoGo, NoGo]),
        ("one bad", &[GOOD, BAD, GOOD], [NoGo, NoGo, Go, Go]),
        ("the last bad", &[GOOD, GOOD, BAD], [NoGo, NoGo, Go, Go]),
        ("near the line", &[NEAR, NEAR, NEAR], [Go, Inconclusive, Go, Inconclusive]),
        ("near and bad", &[NEAR, BAD, GOOD], [NoGo, Inconclusive, Go, Inconclusive]),
        ("at the line", &[(850, 1000); 3], [Go, Inconclusive, Go, Inconclusive]),
        ("just below", &[(849, 1000), GOOD, GOOD], [NoGo, Inconclusive, Go, Go]),
        ("too few pairs", &[GOOD, (99, 99), GOOD], [Inconclusive; 4]),
    ];
    for (what, weeks, kinds) in table {
        let thresholds = [every(3), bound(&every(3)), pooled(3), bound(&pooled(3))];
        for (threshold, kind) in thresholds.iter().zip(kinds) {
            let (verdict, reasons) = Case::new(threshold, weeks).decide();
            assert_eq!(verdict, kind, "{what}\n{threshold}\n{reasons}");
        }
    }
}

#[test]
fn void_and_missing_evidence_override_the_estimates() {
    use VerdictKind::{Inconclusive, NoGo, Void};
    for (weeks, threshold) in [([GOOD; 3], every(3)), ([BAD; 3], bound(&every(3))), ([GOOD; 3], pooled(3))] {
        let case = || Case::new(&threshold, &weeks);
        let with = |more: &str| Case::new(&format!("{threshold}\n{more}"), &weeks);
        let few = Case::new(&threshold, &weeks[..2]);
        let table = [
            (Void, Case { unmatched: 60, ..case() }),
            (Void, Case { rejected: 11, ..case() }),
            (Void, case().interference(InterferenceKind::Exposure, 21)),
            (Void, case().interference(InterferenceKind::ComparatorChange, -5)),
            (Inconclusive, few),
            (Inconclusive, Case { cut_off: true, ..case() }),
            (Inconclusive, with("cycle = { condition = \"day\", times = 4 }")),
            (Inconclusive, with("conditions = [\"kind\"]\nleast-per-condition = 2000")),
            (
                Inconclusive,
                with(
                    "[[threshold.reference]]\ncondition = \"kind\"\nshares = { x = 0.7, y = 0.3 }\ntolerance = 0.1",
                ),
            ),
        ];
        for (kind, case) in table {
            let (verdict, reasons) = case.decide();
            assert_eq!(verdict, kind, "{}\n{reasons}", case.threshold);
        }
        let fine = [
            case().interference(InterferenceKind::Exposure, 22),
            with("cycle = { condition = \"day\", times = 3 }"),
            with("conditions = [\"kind\"]\nleast-per-condition = 1000"),
            with(
                "[[threshold.reference]]\ncondition = \"kind\"\nshares = { x = 0.6, y = 0.4 }\ntolerance = 0.1",
            ),
            Case { unmatched: 50, rejected: 10, unanswered: 50, ..case() },
        ];
        for case in fine {
            assert_eq!(case.decide().0, Case::new(&threshold, &weeks).decide().0, "{}", case.decide().1);
        }
    }
    let unanswered = Case { unanswered: 51, ..Case::new(&every(3), &[GOOD; 3]) };
    assert_eq!(unanswered.decide().0, NoGo, "{}", unanswered.decide().1);
}

#[test]
fn a_split_keeps_the_windows_before_it() {
    let split = |weeks: usize| format!("{}\non-exposure = \"split\"", every(weeks));
    let with_exposure = |case: Case| case.interference(InterferenceKind::Exposure, 15).decide();
    assert_eq!(with_exposure(Case::new(&split(2), &[GOOD, GOOD, BAD])).0, VerdictKind::Go);
    assert_eq!(with_exposure(Case::new(&split(3), &[GOOD, GOOD, GOOD])).0, VerdictKind::Inconclusive);
    // A comparator change is not an exposure.
    let change = Case::new(&split(2), &[GOOD, GOOD, BAD]).interference(InterferenceKind::ComparatorChange, 8);
    assert_eq!(change.decide().0, VerdictKind::Void);
    let latest = split(2).replace("first", "latest");
    assert_eq!(with_exposure(Case::new(&latest, &[GOOD, GOOD, BAD])).0, VerdictKind::Go);
    assert_eq!(Case::new(&latest, &[GOOD, GOOD, BAD]).decide().0, VerdictKind::NoGo);
}

#[test]
fn interim_looks_are_valid_or_inconclusive() {
    let open = |threshold: &str, weeks: &[(u64, u64)]| Case { closed: false, ..Case::new(threshold, weeks) };
    let latest = bound(&pooled(3)).replace("first", "latest");
    // The first N windows are a declared end, so they decide as soon as they are complete.
    assert_eq!(open(&every(3), &[GOOD; 3]).decide().0, VerdictKind::Go);
    assert_eq!(
        open(&latest.replace("bound\"\nconfidence = 0.95", "point\""), &[GOOD; 3]).decide().0,
        VerdictKind::Inconclusive
    );
    let look = |weeks: &[(u64, u64)]| open(&latest, weeks).verdict();
    let method = |verdict: &Verdict| verdict.models[0].scopes[0].pooled.method;
    let early = look(&[GOOD; 3]);
    assert_eq!(
        (method(&early), early.models[0].scopes[0].verdict),
        (Some(IntervalMethod::Sequence), VerdictKind::Go)
    );
    // Before the first N windows are complete, every look is an interim look.
    let first = open(&bound(&pooled(3)), &[GOOD; 2]).verdict();
    assert_eq!(
        (method(&first), first.models[0].scopes[0].verdict),
        (Some(IntervalMethod::Sequence), VerdictKind::Inconclusive)
    );
    assert_eq!(method(&open(&bound(&pooled(3)), &[GOOD; 3]).verdict()), Some(IntervalMethod::Wilson));
    assert_eq!(method(&open(&bound(&every(3)), &[GOOD; 4]).verdict()), Some(IntervalMethod::Wilson));
    // A single look may accept what repeated looks may not.
    let near = [(862, 1000); 3];
    assert_eq!(Case::new(&latest, &near).decide().0, VerdictKind::Go);
    assert_eq!(look(&near).models[0].scopes[0].verdict, VerdictKind::Inconclusive);
}

#[test]
fn higher_agreement_where_the_answer_existed_is_a_leak() {
    let study = |blinded_hits| Case { blinded_hits: Some(blinded_hits), ..Case::new(&every(3), &[GOOD; 3]) };
    // Of 300 blinded pairs 30 are misses, as among the others; or 75 are.
    assert_eq!(study((270, 30)).decide().0, VerdictKind::Go);
    let (kind, reasons) = study((225, 75)).decide();
    assert_eq!(kind, VerdictKind::Void);
    insta::assert_snapshot!(reasons);
    let found = study((225, 75)).verdict().models[0].contamination.unwrap();
    assert_eq!((found.unblinded.hits, found.unblinded.pairs), (Some(2475), 2700));
    assert_eq!((found.blinded.hits, found.blinded.pairs), (Some(225), 300));
    // Lower agreement where the answer existed is not a leak.
    assert_eq!(study((300, 0)).decide().0, VerdictKind::Go);
    // The test is carried out at the end, not at each look before it.
    let look = |weeks: usize| {
        let case = Case { blinded_hits: Some((225, 75)), ..Case::new(&every(weeks), &[GOOD; 3]) };
        Case { closed: false, ..case }.verdict()
    };
    let found = |verdict: &Verdict| verdict.models[0].contamination.unwrap();
    let (early, ended) = (look(4), look(3));
    assert_eq!((found(&early).tested, found(&early).difference), (false, None));
    assert_eq!(early.models[0].scopes[0].verdict, VerdictKind::Inconclusive);
    assert!(found(&ended).tested);
    assert_eq!(ended.models[0].scopes[0].verdict, VerdictKind::Void);
}

#[test]
fn agreement_beyond_chance_is_required() {
    let floor = |more: &str| Case::new(&format!("{}\n{more}", every(3)), &[GOOD; 3]).decide();
    // The substrate always answers `a`, so there is no agreement beyond chance.
    let (kind, reasons) = floor("least-gain = 0.01");
    assert_eq!(kind, VerdictKind::NoGo);
    insta::assert_snapshot!(reasons, @"NO-GO: agreement is 0.900000, and always giving the most common label would reach 1.000000; a gain of at least 0.01 is required");
    assert_eq!(floor("least-kappa = 0.1").0, VerdictKind::NoGo);
    assert_eq!(floor("least-kappa = -0.5").0, VerdictKind::Go);
}

#[test]
fn each_scope_has_its_own_verdict() {
    // Every other pair is an `x`, and the hits come first, so both values have as many hits.
    let verdict = Case::new(&every(1), &[(850, 1000)]).verdict();
    let [all, x] = &verdict.models[0].scopes[..] else { panic!("{verdict:?}") };
    assert_eq!((all.scope.as_str(), x.scope.as_str()), ("all", "only-x"));
    assert_eq!((x.pooled.hits, x.pooled.pairs, x.snapshots), (Some(425), 500, 500));
    assert_eq!(x.verdict, VerdictKind::Go);
    // Too few pairs for a scope can be enough for all of the input.
    let verdict = Case::new(&every(1), &[(150, 160)]).verdict();
    let kinds: Vec<_> = verdict.models[0].scopes.iter().map(|scope| scope.verdict).collect();
    assert_eq!(kinds, [VerdictKind::Go, VerdictKind::Inconclusive]);
}

#[test]
fn every_reason_is_reported_with_its_numbers() {
    let threshold = format!(
        "{}\nconditions = [\"kind\"]\nleast-per-condition = 100\ncycle = {{ condition = \"day\", times = 9 }}\n\
         [[threshold.reference]]\ncondition = \"kind\"\nshares = {{ x = 0.9, y = 0.1 }}\ntolerance = 0.05",
        bound(&every(3))
    );
    let case = Case {
        unmatched: 40,
        rejected: 20,
        unanswered: 30,
        ..Case::new(&threshold, &[GOOD, (150, 190), (90, 99)])
    };
    let case =
        case.interference(InterferenceKind::Exposure, 8).interference(InterferenceKind::ComparatorChange, 9);
    insta::assert_snapshot!(case.decide().1);
}

#[test]
fn the_gravest_reason_is_the_verdict() {
    let kinds = [VerdictKind::Go, VerdictKind::NoGo, VerdictKind::Inconclusive, VerdictKind::Void];
    assert!(kinds.is_sorted());
    assert_eq!(kinds.map(VerdictKind::name), ["GO", "NO-GO", "INCONCLUSIVE", "VOID"]);
    let json = serde_json::to_value(kinds).unwrap();
    assert_eq!(json, serde_json::json!(["GO", "NO-GO", "INCONCLUSIVE", "VOID"]));
}

#[test]
fn thresholds_and_passes_are_described() {
    let all = pooled(3).replace("{ first = 3 }", "{ all = true }");
    let most = every(3).replace("at-least = 0.85", "at-most = 0.95");
    let described = [every(3), bound(&pooled(2)).replace("first", "latest"), all, most].map(|threshold| {
        let case = Case::new(&threshold, &[GOOD; 3]);
        format!("{}\n{}", case.verdict().threshold, case.decide().1)
    });
    insta::assert_snapshot!(described.join("\n"), @"
    agreement at least 0.85 in each of the first 3 complete windows, by the point estimate
    GO: each of 3 windows has at least 0.85; pooled: 2700 of 3000 (0.900000)
    agreement at least 0.85 pooled over the latest 2 complete windows, by the confidence bound at 0.95
    GO: 1800 of 2000 (0.900000); at least 0.85 is required
    agreement at least 0.85 pooled over all windows, by the point estimate
    GO: 2700 of 3000 (0.900000); at least 0.85 is required
    agreement at most 0.95 in each of the first 3 complete windows, by the point estimate
    GO: each of 3 windows has at most 0.95; pooled: 2700 of 3000 (0.900000)
    ");
}

#[test]
fn an_upper_bound_is_met_from_below() {
    use VerdictKind::{Go, Inconclusive, NoGo};
    let most = |threshold: String| threshold.replace("at-least", "at-most");
    let table: [((u64, u64), [VerdictKind; 2]); 4] = [
        (BAD, [Go, Go]),
        ((850, 1000), [Go, Inconclusive]),
        (NEAR, [NoGo, Inconclusive]),
        (GOOD, [NoGo, NoGo]),
    ];
    for (week, kinds) in table {
        let thresholds = [most(every(1)), most(bound(&every(1)))];
        assert_eq!(thresholds.map(|threshold| Case::new(&threshold, &[week]).decide().0), kinds, "{week:?}");
    }
    let reason = Case::new(&most(bound(&every(1))), &[GOOD]).decide().1;
    insta::assert_snapshot!(reason, @"NO-GO: week ending 2026-04-19: 900 of 1000 (0.900000), with bounds 0.883300 and 0.914541 at confidence 0.95 each, is on the wrong side of 0.85; at most 0.85 is required");
}

#[test]
fn a_leak_is_higher_closeness_also_for_an_upper_bound() {
    let most = every(3).replace("at-least = 0.85", "at-most = 0.99");
    let case = |blinded_hits| Case { blinded_hits: Some(blinded_hits), ..Case::new(&most, &[GOOD; 3]) };
    // Lower is closer: here the pairs whose answer existed are lower, and there they are higher.
    assert_eq!(case((300, 0)).decide().0, VerdictKind::Void);
    assert_eq!(case((225, 75)).decide().0, VerdictKind::Go);
    let difference = case((300, 0)).verdict().models[0].contamination.unwrap().difference.unwrap();
    assert!((difference.difference - 300.0 / 2700.0).abs() < 1e-12, "{difference:?}");
}

#[test]
fn clusters_are_compared_by_the_jackknife() {
    let threshold = format!("{}\ncluster = \"kind\"", every(3));
    let case = |blinded_hits| Case { blinded_hits: Some(blinded_hits), ..Case::new(&threshold, &[GOOD; 3]) };
    let leak = case((450, 150));
    assert_eq!(leak.decide().0, VerdictKind::Void);
    let verdict = leak.verdict();
    assert_eq!(verdict.models[0].scopes[0].pooled.method, Some(IntervalMethod::Jackknife));
    let found = verdict.models[0].contamination.unwrap();
    let difference = found.difference.unwrap();
    let expected = found.unblinded.value.unwrap() - found.blinded.value.unwrap();
    assert!((difference.difference - expected).abs() < 1e-12 && expected > 0.1, "{found:?}");
    assert!(difference.interval.lower < expected && expected < difference.interval.upper, "{difference:?}");
    assert_eq!(case((540, 60)).decide().0, VerdictKind::Go);
    // Few blinded pairs do not fill every group, so there is no test.
    let few = case((20, 5)).verdict().models[0].contamination.unwrap();
    assert_eq!((few.tested, few.difference), (true, None));
}

#[test]
fn agreement_beyond_chance_matches_its_definition() {
    let threshold = format!("{}\nleast-kappa = 0.5", every(1));
    let case = Case { mixed_labels: true, ..Case::new(&threshold, &[GOOD]) };
    let chance = case.verdict().models[0].scopes[0].chance.unwrap();
    let (mut same, mut both, mut substrate_b, mut model_b) = (0.0, [0.0; 2], 0.0, 0.0);
    for pair in 0..1000 {
        let (hit, is_b) = (pair < 900, pair % 3 == 0);
        same += f64::from(u8::from(hit));
        substrate_b += f64::from(u8::from(is_b));
        model_b += f64::from(u8::from(hit == is_b));
    }
    both[0] = substrate_b * model_b;
    both[1] = (1000.0 - substrate_b) * (1000.0 - model_b);
    let expected = (both[0] + both[1]) / 1e6;
    assert!((chance.agreement - same / 1000.0).abs() < 1e-12);
    assert!((chance.majority_share - (1000.0 - substrate_b) / 1000.0).abs() < 1e-12);
    let kappa = (same / 1000.0 - expected) / (1.0 - expected);
    assert!((chance.kappa.unwrap() - kappa).abs() < 1e-12, "{chance:?}");
    assert!(kappa > 0.5 && case.decide().0 == VerdictKind::Go);
    // The gain over the most common label, exactly at the minimum and above it.
    let gain = |least: &str| {
        let threshold = format!("{}\nleast-gain = {least}", every(1));
        Case { mixed_labels: true, ..Case::new(&threshold, &[GOOD]) }.decide().0
    };
    assert_eq!([gain("0.233"), gain("0.235")], [VerdictKind::Go, VerdictKind::NoGo]);
}

#[test]
fn a_metric_in_another_range_is_judged_by_its_value() {
    let range = (Some(-1.0), Some(3.0));
    let case = |threshold: &str, week| Case { range, ..Case::new(threshold, &[week; 3]) };
    let estimate = case(&every(3), GOOD).verdict().models[0].scopes[0].pooled;
    assert_eq!((estimate.hits, estimate.method), (None, Some(IntervalMethod::Jackknife)));
    assert_eq!(case(&every(3), GOOD).decide().0, VerdictKind::Go);
    assert_eq!(case(&every(3), (850, 1000)).decide().0, VerdictKind::Go);
    let (kind, reasons) = case(&pooled(3), BAD).decide();
    assert_eq!(kind, VerdictKind::NoGo);
    insta::assert_snapshot!(reasons, @"NO-GO: pooled: 0.800000 over 3000 pairs; at least 0.85 is required");
    // An interim look: the scores are rescaled to [0, 1] and back.
    let latest = bound(&pooled(3)).replace("first", "latest");
    let open = Case { closed: false, ..case(&latest, GOOD) };
    let interval = open.verdict().models[0].scopes[0].pooled.interval.unwrap();
    let mut sequence = crate::scoring::ConfidenceSequence::new(0.95, 100);
    for _ in 0..3 {
        // 900 ones and 100 zeros of the range from -1 to 3 are at 0.5 and 0.25.
        let (sum, squares) = (900.0 * 0.5 + 100.0 * 0.25, 900.0 * 0.25 + 100.0 * 0.0625);
        sequence.push(crate::scoring::ScoreBlock { n: 1000, sum, squares });
    }
    let scaled = sequence.interval();
    assert!((interval.lower - (scaled.lower * 4.0 - 1.0)).abs() < 1e-9, "{interval:?} {scaled:?}");
    assert!((interval.upper - (scaled.upper * 4.0 - 1.0)).abs() < 1e-9, "{interval:?} {scaled:?}");
    // Without a range there is no interval at an interim look.
    let unbounded = Case { range: (None, None), ..open };
    let (kind, reasons) = unbounded.decide();
    assert_eq!(kind, VerdictKind::Inconclusive);
    assert!(reasons.contains("no interval that is valid at interim looks"), "{reasons}");
}

#[test]
fn windows_are_complete_once_no_decision_can_arrive() {
    let study =
        parse(&format!("{STUDY}{}\n", every(3))).map_err(|unsound| unsound.faults.to_string()).unwrap();
    let settled = (study.horizon + study.decisions.lateness).as_micros() as i64;
    let windows = |latest_decision, closed| {
        let case = Case { latest_decision, closed, ..Case::new(&every(3), &[GOOD; 3]) };
        case.verdict().windows.iter().filter(|window| window.complete).count()
    };
    assert_eq!(windows(Some(settled), false), 3);
    assert_eq!(windows(Some(settled - 1), false), 2);
    assert_eq!(windows(None, false), 0);
    assert_eq!(windows(None, true), 3);
    // All windows count with `all`, complete or not.
    let all = pooled(3).replace("{ first = 3 }", "{ all = true }");
    let open = Case { closed: false, latest_decision: None, ..Case::new(&all, &[GOOD; 3]) };
    let listed: Vec<bool> = open.verdict().windows.iter().map(|window| window.complete).collect();
    assert_eq!(listed, [false; 4]);
}
