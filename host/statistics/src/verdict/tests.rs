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
                let answers = [Some(if hit { "a" } else { "b" })];
                let labels = threshold.chance.map(|_| ("a", &answers[..]));
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
        let clocks = PerStream { snapshots: Some(Micros(latest)), decisions: Some(Micros(end + 3 * DAY)) };
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
            range: (Some(0.0), Some(1.0)),
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
