//! Tests the whole text of `decide` for each of the four verdicts.

use jiff::{SignedDuration, Timestamp};

use crate::terminal::text_canvas::Style;
use crate::terminal::verdict::render_verdict;
use understudy_records::join::{Account, Accounting};
use understudy_statistics::scoring::{Baseline, Interval, LearningSet, clopper_pearson};
use understudy_statistics::verdict::{
    BaselineGain, BaselineGains, CountedWindow, CycleValue, Estimate, FORMAT, Guard, GuardResult, GuardSpan,
    GuardSubject, IntervalMethod, KnownTries, LeftOutPairs, MissingInterval, ModelVerdict, PairCounts,
    ScopeVerdict, Verdict, VerdictKind, VerdictReason,
};

const PAGE: Style = Style { width: 100, color: false };

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn share(hits: u64, pairs: u64) -> Estimate {
    Estimate {
        pairs,
        hits: Some(hits),
        value: Some(hits as f64 / pairs as f64),
        interval: clopper_pearson(hits, pairs, 0.95),
        method: Some(IntervalMethod::Exact),
        ..Estimate::default()
    }
}

fn guard(
    guard: Guard,
    subject: GuardSubject,
    span: GuardSpan,
    (count, whole): (u64, u64),
    limit: f64,
) -> GuardResult {
    let share = count as f64 / whole as f64;
    let within_limit = if guard == Guard::Coverage { share >= limit } else { share <= limit };
    GuardResult { guard, subject, span, count, whole, scope_unknown: 0, limit, within_limit }
}

/// The guards over the records of an account, as a verdict has them.
fn record_guards(Accounting { snapshots, decisions }: Accounting) -> Vec<GuardResult> {
    let mut guards = Vec::new();
    for (name, count) in [
        (Guard::Rejected, (|account| account.rejected) as fn(Account) -> u64),
        (Guard::Late, |account| account.late),
        (Guard::Conflict, |account| account.conflict),
    ] {
        for (subject, account) in [(GuardSubject::Snapshots, snapshots), (GuardSubject::Decisions, decisions)]
        {
            let counts = (count(account), account.received - account.duplicate);
            guards.push(guard(name, subject, GuardSpan::Run, counts, 0.01));
        }
    }
    let counts = (decisions.expired + decisions.waiting, decisions.received - decisions.duplicate);
    guards.push(guard(Guard::Orphaned, GuardSubject::Decisions, GuardSpan::Run, counts, 0.05));
    guards
}

fn ruling(scope: &str, reasons: &[(VerdictKind, &str)], weeks: &[(u64, u64)]) -> ScopeVerdict {
    let (hits, pairs) = weeks.iter().fold((0, 0), |(hits, pairs), week| (hits + week.0, pairs + week.1));
    let of = |name, subject, counts, limit| guard(name, subject, GuardSpan::CountedWindows, counts, limit);
    ScopeVerdict {
        scope: scope.to_owned(),
        verdict: reasons.iter().map(|(kind, _)| *kind).max().unwrap(),
        reasons: reasons
            .iter()
            .map(|(verdict, text)| VerdictReason { verdict: *verdict, text: (*text).to_owned() })
            .collect(),
        confidence: 0.95,
        level_shared_by: 1,
        snapshots: pairs + 4,
        compared: pairs,
        unanswered: 2,
        guards: vec![
            of(Guard::Coverage, GuardSubject::Snapshots, (pairs, pairs + 4), 0.95),
            of(Guard::Unanswered, GuardSubject::Pairs, (2, pairs), 0.05),
        ],
        pooled: share(hits, pairs),
        windows: weeks.iter().map(|(hits, pairs)| share(*hits, *pairs)).collect(),
        chance: None,
        ceiling: None,
        baselines: None,
    }
}

/// A verdict over three weeks of the freight yard.
fn verdict(accounting: Accounting, scopes: Vec<ScopeVerdict>) -> Verdict {
    let monday = moment("2026-04-12T22:00:00Z");
    let windows = (0..scopes[0].windows.len() as i64).map(|week| {
        let start = monday + SignedDuration::from_hours(week * 7 * 24);
        CountedWindow {
            label: format!("week ending {}", (start + SignedDuration::from_hours(150)).strftime("%Y-%m-%d")),
            start,
            end: start + SignedDuration::from_hours(7 * 24),
            complete: true,
        }
    });
    Verdict {
        format: FORMAT,
        study: "freight-yard".to_owned(),
        seal: "5e".repeat(32),
        sealed_at: moment("2026-04-10T12:00:00Z"),
        first_snapshot: Some(moment("2026-04-12T08:00:00Z")),
        closed: true,
        threshold: "top-1 at least 0.85 in each of the first 3 complete windows, by the point estimate"
            .to_owned(),
        notes: vec!["a note that every reader must see".to_owned()],
        metric: "top-1".to_owned(),
        confidence: 0.95,
        windows: windows.collect(),
        accounting,
        pairs: PairCounts { compared: accounting.snapshots.paired - 1, incomparable: 1 },
        revisions: None,
        shed: 0,
        cut_offs: 0,
        guards: record_guards(accounting),
        inputs: Vec::new(),
        cycle: Vec::new(),
        interferences: Vec::new(),
        tries: KnownTries::default(),
        models: vec![ModelVerdict {
            model: "allocator".to_owned(),
            contamination: None,
            scopes,
            remark: None,
        }],
    }
}

/// A verdict on models, each with its scopes, all of the input first.
pub fn verdict_of(models: &[(&str, &[(&str, VerdictKind)])]) -> Verdict {
    let mut found = verdict(clean(), vec![ruling("all", &[(VerdictKind::Go, "a reason")], &[(9, 10)])]);
    let rulings = |model: &str, scopes: &[(&str, VerdictKind)]| -> Vec<ScopeVerdict> {
        let reason = |scope: &str| format!("the figure of {model} in {scope}");
        scopes.iter().map(|(scope, kind)| ruling(scope, &[(*kind, &reason(scope))], &[(9, 10)])).collect()
    };
    let models = models.iter().map(|(model, scopes)| ModelVerdict {
        model: (*model).to_owned(),
        contamination: None,
        scopes: rulings(model, scopes),
        remark: None,
    });
    found.models = models.collect();
    found
}

/// An account in which few records left the study.
fn clean() -> Accounting {
    let account = Account { received: 3_030, duplicate: 9, late: 2, paired: 3_016, ..Account::default() };
    Accounting {
        snapshots: Account { expired: 3, ..account },
        decisions: Account { conflict: 1, waiting: 2, ..account },
    }
}

fn text(verdict: &Verdict) -> String {
    assert!(verdict.accounting.balances(), "{:?}", verdict.accounting);
    render_verdict(verdict, None, None, PAGE)
}

#[test]
fn go() {
    let good = [(870, 1_000), (861, 1_000), (856, 1_000)];
    let reason = "each of 3 windows has at least 0.85; pooled: 2,587 of 3,000 (0.862333)";
    let weekdays = [(644, 700), (634, 700), (633, 700)];
    let part = "each of 3 windows has at least 0.85; pooled: 1,911 of 2,100 (0.910000)";
    let scopes = vec![
        ruling("all", &[(VerdictKind::Go, reason)], &good),
        ruling("weekday", &[(VerdictKind::Go, part)], &weekdays),
    ];
    insta::assert_snapshot!(text(&verdict(clean(), scopes)));
}

#[test]
fn no_go() {
    let reasons = [
        (VerdictKind::NoGo, "week ending 2026-04-26: 841 of 1,000 (0.841000); at least 0.85 is required"),
        (VerdictKind::NoGo, "week ending 2026-05-03: 840 of 1,000 (0.840000); at least 0.85 is required"),
    ];
    let scopes = vec![ruling("all", &reasons, &[(870, 1_000), (841, 1_000), (840, 1_000)])];
    let mut verdict = verdict(clean(), scopes);
    // Of several models the worst verdict comes first.
    let good = ruling("all", &[(VerdictKind::Go, "each of 3 windows has at least 0.85")], &[(950, 1_000); 3]);
    let other =
        ModelVerdict { model: "baseline".to_owned(), contamination: None, scopes: vec![good], remark: None };
    verdict.models.insert(0, other);
    insta::assert_snapshot!(text(&verdict));
}

#[test]
fn inconclusive() {
    let reasons = [
        (VerdictKind::Inconclusive, "1 complete window; 3 required"),
        (
            VerdictKind::Inconclusive,
            "week ending 2026-04-19: 1.000000 over 200 pairs; no interval can be computed: the metric is not defined \
             without some of the pairs, so their spread is unknown",
        ),
        (VerdictKind::Inconclusive, "sunday: occurred 0 times; 1 required, so the cycle is not covered"),
    ];
    let mut found = ruling("all", &reasons, &[(200, 200)]);
    let hanging = Estimate {
        hits: None,
        interval: None,
        method: None,
        no_interval: Some(MissingInterval::UndefinedReplicate),
        ..share(200, 200)
    };
    (found.pooled, found.windows[0]) = (hanging, hanging);
    let mut verdict = verdict(clean(), vec![found]);
    verdict.closed = false;
    verdict.cycle = vec![CycleValue {
        value: "sunday".to_owned(),
        occurrences: 0,
        required: 1,
        pairs: 0,
        covered: false,
    }];
    insta::assert_snapshot!(text(&verdict));
}

#[test]
fn void() {
    let account = Account { received: 6_040, duplicate: 40, paired: 3_016, ..Account::default() };
    let accounting = Accounting {
        snapshots: Account { late: 2_849, expired: 135, ..account },
        decisions: Account { late: 2_849, waiting: 75, conflict: 60, ..account },
    };
    let reasons = [
        (VerdictKind::Void, "2,849 of 6,000 snapshots (0.474833) are late; at most 0.01 is allowed"),
        (VerdictKind::Void, "2,849 of 6,000 decisions (0.474833) are late; at most 0.01 is allowed"),
        (
            VerdictKind::Void,
            "33 of 3,033 snapshots (0.010880) were shed: mirrored requests that never became a record; at most 0.01 is allowed",
        ),
    ];
    let mut verdict = verdict(accounting, vec![ruling("all", &reasons, &[(950, 1_000); 3])]);
    verdict.shed = 33;
    verdict.guards.push(guard(Guard::Shed, GuardSubject::Snapshots, GuardSpan::Run, (33, 3_033), 0.01));
    for (subject, span, counts) in [
        (GuardSubject::Snapshots, GuardSpan::CountedWindows, (2_849, 5_849)),
        (GuardSubject::Decisions, GuardSpan::DecisionPeriod, (2_849, 5_849)),
    ] {
        verdict.guards.push(guard(Guard::Late, subject, span, counts, 0.01));
    }
    insta::assert_snapshot!(text(&verdict));
}

#[test]
fn the_headline_names_the_chosen_model_and_scope() {
    let part = |scope: &str, kind| ruling(scope, &[(kind, "a reason")], &[(900, 1_000); 3]);
    let scopes = || vec![part("all", VerdictKind::NoGo), part("weekday", VerdictKind::Go)];
    let mut verdict = verdict(clean(), scopes());
    let headline = |verdict: &Verdict, model: Option<&str>, scope: Option<&str>| {
        render_verdict(verdict, model, scope, PAGE).lines().next().unwrap().to_owned()
    };
    assert_eq!(headline(&verdict, None, None), "NO-GO, the threshold is not met: a reason");
    assert_eq!(
        headline(&verdict, None, Some("weekday")),
        "GO for scope weekday, safe to try on canary: a reason"
    );
    let scopes = vec![part("all", VerdictKind::Void), part("weekday", VerdictKind::Go)];
    verdict.models.push(ModelVerdict {
        model: "other".to_owned(),
        contamination: None,
        scopes,
        remark: None,
    });
    assert_eq!(headline(&verdict, None, None), "VOID for other, the study is not valid: a reason");
    assert_eq!(
        headline(&verdict, Some("allocator"), Some("weekday")),
        "GO for allocator in scope weekday, safe to try on canary: a reason"
    );
}

#[test]
fn gains_over_baselines_are_sentences() {
    let gain = |baseline, value: Option<f64>, gain, interval| BaselineGain {
        baseline,
        learned_from: LearningSet::AnsweredPairs,
        value,
        gain,
        is_equal: false,
        interval,
        method: None,
        no_interval: None,
    };
    let gains = vec![
        gain(Baseline::Mean, Some(2.5), Some(0.5), Some(Interval { lower: 0.25, upper: 0.75 })),
        gain(Baseline::LastValue, None, None, None),
    ];
    let baselines = Some(BaselineGains {
        pairs: 1200,
        left_out: LeftOutPairs { unanswered: 12, without_decision: 1, unscored: 0 },
        model: Some(2.0),
        is_constant: false,
        gains,
    });
    let scope = ScopeVerdict { baselines, ..ruling("all", &[(VerdictKind::Go, "it passes")], &[(9, 10)]) };
    let text = render_verdict(&verdict(clean(), vec![scope]), None, None, PAGE);
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let words = lines.join(" ");
    assert!(
        words.contains(
            "compared with baselines over 1,200 pairs; left out: 12 unanswered, 1 without an earlier decision 2.00000; always \
             giving the mean of the earlier decisions of answered pairs would reach 2.50000, so the gain is 0.500000; bounds of the gain 0.250000 to 0.750000"
        ),
        "{text}"
    );
    assert!(
        words.contains("the last of the earlier decisions of answered pairs would reach not defined"),
        "{text}"
    );
}

#[test]
fn sentences_of_the_program_are_whole() {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    for method in [IntervalMethod::EffectiveTrials, IntervalMethod::Sequence, IntervalMethod::WindowSequence]
    {
        let mut found = ruling("all", &[(VerdictKind::Go, "a reason")], &[(900, 1_000)]);
        found.pooled.method = Some(method);
        let text = text(&verdict(clean(), vec![found]));
        assert!(words(&text).contains(method.sentence()), "{text}");
    }
}

#[test]
fn withheld_and_extreme_estimates_are_short() {
    let value = |value: f64, reach: f64| Estimate {
        hits: None,
        value: Some(value),
        interval: Some(Interval { lower: value - reach, upper: value + reach }),
        ..share(900, 1_000)
    };
    let withheld = Estimate { pairs: 1, withheld: true, ..Estimate::default() };
    let mut found = ruling("all", &[(VerdictKind::Go, "a reason")], &[(900, 1_000); 3]);
    found.windows = vec![value(1e300, 1e298), value(0.500_02, 1e-7), withheld];
    let text = text(&verdict(clean(), vec![found]));
    assert!(text.lines().all(|line| line.chars().count() <= PAGE.width), "{text}");
    for expected in ["1.00000e300", "9.90000e299 to 1.01000e300", "0.500020 ± 1.0e-7", "withheld"] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
}
