//! Every cell of a table: quantifier, evidence, and what happened; each with the word that it comes to, and its reasons as
//! they are read.

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

/// What happened: pairs by week, and what else.
#[derive(Clone)]
struct Case {
    threshold: String,
    /// For each week hits and pairs; of them every other one, from the first, is an `x`.
    weeks: Vec<(u64, u64)>,
    /// Snapshots of each week that have no pair.
    alone: u64,
    rejected: u64,
    unanswered: u64,
    closed: bool,
    blinded_hits: Option<(u64, u64)>,
    came: Vec<InterferenceEvent>,
    cut: bool,
}

impl Case {
    fn new(threshold: &str, weeks: &[(u64, u64)]) -> Case {
        Case {
            threshold: threshold.to_owned(),
            weeks: weeks.to_vec(),
            alone: 0,
            rejected: 0,
            unanswered: 0,
            closed: true,
            blinded_hits: None,
            came: Vec::new(),
            cut: false,
        }
    }

    fn came(mut self, kind: InterferenceKind, day: i64) -> Case {
        let since = Timestamp::from_microsecond(*MONDAY + day * DAY).unwrap();
        self.came.push(InterferenceEvent { kind, since, description: "a screen in the office".to_owned() });
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
            for pair in 0..pairs + self.alone {
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
                let said = [Some(if hit { "a" } else { "b" })];
                let labels = threshold.chance.map(|_| ("a", &said[..]));
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
        // Unless it was cut off, the feed was seen on both sides of the weeks.
        let weeks = self.weeks.len() as i64;
        if !self.cut {
            inputs.add(clock.window(*MONDAY - 1), *MONDAY - 1, &[0], [0, 6]);
        }
        let end = *MONDAY + weeks * 7 * DAY;
        let latest = if self.cut { end - 1 } else { end };
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
            interferences: &self.came,
        };
        determine_verdict(&facts, &mut |pairs, sums| Some(sums[0] / pairs as f64))
    }

    /// The word for all of the input, and its reasons.
    fn says(&self) -> (VerdictKind, String) {
        let verdict = self.verdict();
        let ruling = &verdict.models[0].scopes[0];
        let reasons: Vec<_> = ruling
            .reasons
            .iter()
            .map(|reason| format!("{}: {}", reason.verdict.name(), reason.text))
            .collect();
        (ruling.verdict, reasons.join("\n"))
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
fn quantifier_by_evidence_by_what_happened() {
    use VerdictKind::{Go, Inconclusive, NoGo};
    type Row<'r> = (&'r str, &'r [(u64, u64)], [VerdictKind; 4]);
    // every-window with a point and a bound, pooled with a point and a bound.
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
    for (what, weeks, words) in table {
        let thresholds = [every(3), bound(&every(3)), pooled(3), bound(&pooled(3))];
        for (threshold, word) in thresholds.iter().zip(words) {
            let (found, reasons) = Case::new(threshold, weeks).says();
            assert_eq!(found, word, "{what}\n{threshold}\n{reasons}");
        }
    }
}

#[test]
fn what_voids_and_what_is_missing_comes_whatever_the_figures_are() {
    use VerdictKind::{Inconclusive, NoGo, Void};
    for (weeks, threshold) in [([GOOD; 3], every(3)), ([BAD; 3], bound(&every(3))), ([GOOD; 3], pooled(3))] {
        let case = || Case::new(&threshold, &weeks);
        let with = |more: &str| Case::new(&format!("{threshold}\n{more}"), &weeks);
        let few = Case::new(&threshold, &weeks[..2]);
        let table = [
            (Void, Case { alone: 60, ..case() }),
            (Void, Case { rejected: 11, ..case() }),
            (Void, case().came(InterferenceKind::Exposure, 21)),
            (Void, case().came(InterferenceKind::ComparatorChange, -5)),
            (Inconclusive, few),
            (Inconclusive, Case { cut: true, ..case() }),
            (Inconclusive, with("cycle = { condition = \"day\", times = 4 }")),
            (Inconclusive, with("conditions = [\"kind\"]\nleast-per-condition = 2000")),
            (
                Inconclusive,
                with(
                    "[[threshold.reference]]\ncondition = \"kind\"\nshares = { x = 0.7, y = 0.3 }\ntolerance = 0.1",
                ),
            ),
        ];
        for (word, case) in table {
            let (found, reasons) = case.says();
            assert_eq!(found, word, "{}\n{reasons}", case.threshold);
        }
        let fine = [
            case().came(InterferenceKind::Exposure, 22),
            with("cycle = { condition = \"day\", times = 3 }"),
            with("conditions = [\"kind\"]\nleast-per-condition = 1000"),
            with(
                "[[threshold.reference]]\ncondition = \"kind\"\nshares = { x = 0.6, y = 0.4 }\ntolerance = 0.1",
            ),
            Case { alone: 50, rejected: 10, unanswered: 50, ..case() },
        ];
        for case in fine {
            assert_eq!(case.says().0, Case::new(&threshold, &weeks).says().0, "{}", case.says().1);
        }
    }
    let unanswered = Case { unanswered: 51, ..Case::new(&every(3), &[GOOD; 3]) };
    assert_eq!(unanswered.says().0, NoGo, "{}", unanswered.says().1);
}

#[test]
fn what_splits_leaves_what_came_before() {
    let split = |weeks: usize| format!("{}\non-exposure = \"split\"", every(weeks));
    let told = |case: Case| case.came(InterferenceKind::Exposure, 15).says();
    assert_eq!(told(Case::new(&split(2), &[GOOD, GOOD, BAD])).0, VerdictKind::Go);
    assert_eq!(told(Case::new(&split(3), &[GOOD, GOOD, GOOD])).0, VerdictKind::Inconclusive);
    // A change of the comparator is not an exposure.
    let change = Case::new(&split(2), &[GOOD, GOOD, BAD]).came(InterferenceKind::ComparatorChange, 8);
    assert_eq!(change.says().0, VerdictKind::Void);
    let latest = split(2).replace("first", "latest");
    assert_eq!(told(Case::new(&latest, &[GOOD, GOOD, BAD])).0, VerdictKind::Go);
    assert_eq!(Case::new(&latest, &[GOOD, GOOD, BAD]).says().0, VerdictKind::NoGo);
}

#[test]
fn a_look_before_the_end_holds_whenever_one_looks_or_says_nothing() {
    let open = |threshold: &str, weeks: &[(u64, u64)]| Case { closed: false, ..Case::new(threshold, weeks) };
    let latest = bound(&pooled(3)).replace("first", "latest");
    // The first so many windows are an end that was declared, so they decide when they are there.
    assert_eq!(open(&every(3), &[GOOD; 3]).says().0, VerdictKind::Go);
    assert_eq!(
        open(&latest.replace("bound\"\nconfidence = 0.95", "point\""), &[GOOD; 3]).says().0,
        VerdictKind::Inconclusive
    );
    let look = |weeks: &[(u64, u64)]| open(&latest, weeks).verdict();
    let method = |verdict: &Verdict| verdict.models[0].scopes[0].pooled.method;
    let early = look(&[GOOD; 3]);
    assert_eq!(
        (method(&early), early.models[0].scopes[0].verdict),
        (Some(IntervalMethod::Sequence), VerdictKind::Go)
    );
    // Before the first so many windows are there, they are looked at like any others.
    let first = open(&bound(&pooled(3)), &[GOOD; 2]).verdict();
    assert_eq!(
        (method(&first), first.models[0].scopes[0].verdict),
        (Some(IntervalMethod::Sequence), VerdictKind::Inconclusive)
    );
    assert_eq!(method(&open(&bound(&pooled(3)), &[GOOD; 3]).verdict()), Some(IntervalMethod::Wilson));
    assert_eq!(method(&open(&bound(&every(3)), &[GOOD; 4]).verdict()), Some(IntervalMethod::Wilson));
    // One look may take what many looks may not.
    let near = [(862, 1000); 3];
    assert_eq!(Case::new(&latest, &near).says().0, VerdictKind::Go);
    assert_eq!(look(&near).models[0].scopes[0].verdict, VerdictKind::Inconclusive);
}

#[test]
fn agreement_that_is_higher_where_the_answer_was_there_is_a_leak() {
    let study = |blinded_hits| Case { blinded_hits: Some(blinded_hits), ..Case::new(&every(3), &[GOOD; 3]) };
    // Of 300 blinded pairs 30 missed, as everywhere; or 75 of them.
    assert_eq!(study((270, 30)).says().0, VerdictKind::Go);
    let (word, reasons) = study((225, 75)).says();
    assert_eq!(word, VerdictKind::Void);
    insta::assert_snapshot!(reasons);
    let found = study((225, 75)).verdict().models[0].contamination.unwrap();
    assert_eq!((found.unblinded.hits, found.unblinded.pairs), (Some(2475), 2700));
    assert_eq!((found.blinded.hits, found.blinded.pairs), (Some(225), 300));
    // Lower where it was there is no leak.
    assert_eq!(study((300, 0)).says().0, VerdictKind::Go);
    // It is tested at an end, and not at each look before it.
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
fn chance_is_a_floor() {
    let floor = |more: &str| Case::new(&format!("{}\n{more}", every(3)), &[GOOD; 3]).says();
    // The substrate always says `a`: nothing is agreed beyond that.
    let (word, reasons) = floor("least-gain = 0.01");
    assert_eq!(word, VerdictKind::NoGo);
    insta::assert_snapshot!(reasons, @"NO-GO: agreement is 0.900000, and always the commonest label would have 1.000000; at least 0.01 more is asked");
    assert_eq!(floor("least-kappa = 0.1").0, VerdictKind::NoGo);
    assert_eq!(floor("least-kappa = -0.5").0, VerdictKind::Go);
}

#[test]
fn a_scope_is_ruled_on_by_itself() {
    // Every other pair is an `x`, from the first on: so the hits, which come first, are as many of either.
    let verdict = Case::new(&every(1), &[(850, 1000)]).verdict();
    let [all, x] = &verdict.models[0].scopes[..] else { panic!("{verdict:?}") };
    assert_eq!((all.scope.as_str(), x.scope.as_str()), ("all", "only-x"));
    assert_eq!((x.pooled.hits, x.pooled.pairs, x.snapshots), (Some(425), 500, 500));
    assert_eq!(x.verdict, VerdictKind::Go);
    // What is too few for a scope is enough for all.
    let verdict = Case::new(&every(1), &[(150, 160)]).verdict();
    let words: Vec<_> = verdict.models[0].scopes.iter().map(|ruling| ruling.verdict).collect();
    assert_eq!(words, [VerdictKind::Go, VerdictKind::Inconclusive]);
}

#[test]
fn every_reason_is_told_with_its_figures() {
    let threshold = format!(
        "{}\nconditions = [\"kind\"]\nleast-per-condition = 100\ncycle = {{ condition = \"day\", times = 9 }}\n\
         [[threshold.reference]]\ncondition = \"kind\"\nshares = {{ x = 0.9, y = 0.1 }}\ntolerance = 0.05",
        bound(&every(3))
    );
    let case = Case {
        alone: 40,
        rejected: 20,
        unanswered: 30,
        ..Case::new(&threshold, &[GOOD, (150, 190), (90, 99)])
    };
    let case = case.came(InterferenceKind::Exposure, 8).came(InterferenceKind::ComparatorChange, 9);
    insta::assert_snapshot!(case.says().1);
}

#[test]
fn the_gravest_reason_is_the_verdict() {
    let words = [VerdictKind::Go, VerdictKind::NoGo, VerdictKind::Inconclusive, VerdictKind::Void];
    assert!(words.is_sorted());
    assert_eq!(words.map(VerdictKind::name), ["GO", "NO-GO", "INCONCLUSIVE", "VOID"]);
    let json = serde_json::to_value(words).unwrap();
    assert_eq!(json, serde_json::json!(["GO", "NO-GO", "INCONCLUSIVE", "VOID"]));
}
