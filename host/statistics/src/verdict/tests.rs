//! The verdict for every combination of quantifier, evidence and outcome, and the texts of the reasons.

use super::test_support::{BAD, GOOD, NEAR, STUDY, SimulatedStudy, bound, every, pooled};
use super::*;
use understudy_study::{InterferenceKind, parse};

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
            let (verdict, reasons) = SimulatedStudy::new(threshold, weeks).decide();
            assert_eq!(verdict, kind, "{what}\n{threshold}\n{reasons}");
        }
    }
}

#[test]
fn void_and_missing_evidence_override_the_estimates() {
    use VerdictKind::{Inconclusive, NoGo, Void};
    for (weeks, threshold) in [([GOOD; 3], every(3)), ([BAD; 3], bound(&every(3))), ([GOOD; 3], pooled(3))] {
        let case = || SimulatedStudy::new(&threshold, &weeks);
        let with = |more: &str| SimulatedStudy::new(&format!("{threshold}\n{more}"), &weeks);
        let few = SimulatedStudy::new(&threshold, &weeks[..2]);
        let table = [
            (Void, SimulatedStudy { unmatched: 60, ..case() }),
            (Void, SimulatedStudy { rejected: 11, ..case() }),
            (Void, case().interference(InterferenceKind::Exposure, 21)),
            (Void, case().interference(InterferenceKind::ComparatorChange, -5)),
            (Inconclusive, few),
            (Inconclusive, SimulatedStudy { cut_off: true, ..case() }),
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
            with("conditions = [\"kind\"]\nleast-per-condition = 1500"),
            with(
                "[[threshold.reference]]\ncondition = \"kind\"\nshares = { x = 0.6, y = 0.4 }\ntolerance = 0.1",
            ),
            SimulatedStudy { unmatched: 50, rejected: 10, unanswered: 50, ..case() },
        ];
        for case in fine {
            assert_eq!(
                case.decide().0,
                SimulatedStudy::new(&threshold, &weeks).decide().0,
                "{}",
                case.decide().1
            );
        }
    }
    let unanswered = SimulatedStudy { unanswered: 51, ..SimulatedStudy::new(&every(3), &[GOOD; 3]) };
    assert_eq!(unanswered.decide().0, NoGo, "{}", unanswered.decide().1);
}

#[test]
fn a_window_in_the_training_data_voids_the_verdict() {
    let decide = |from: i64, until: i64| {
        SimulatedStudy { training_days: Some((from, until)), ..SimulatedStudy::new(&every(3), &[GOOD; 3]) }
            .decide()
    };
    let (verdict, reasons) = decide(-60, 8);
    assert_eq!(verdict, VerdictKind::Void);
    insta::assert_snapshot!(reasons.lines().next().unwrap_or_default(), @"VOID: 2 of 3 windows that count overlap the training data of the model, from 2026-02-12T00:00:00Z to 2026-04-21T00:00:00Z; the first is week ending 2026-04-19. The model may have memorised these decisions; count later windows");
    assert_eq!(decide(20, 90).0, VerdictKind::Void);
    // The training data ends where the first window begins, or begins where the last one ends.
    for (from, until) in [(-60, 0), (21, 90)] {
        assert_eq!(decide(from, until), SimulatedStudy::new(&every(3), &[GOOD; 3]).decide());
    }
}

#[test]
fn a_split_keeps_the_windows_before_it() {
    let split = |weeks: usize| format!("{}\non-exposure = \"split\"", every(weeks));
    let with_exposure = |case: SimulatedStudy| case.interference(InterferenceKind::Exposure, 15).decide();
    assert_eq!(with_exposure(SimulatedStudy::new(&split(2), &[GOOD, GOOD, BAD])).0, VerdictKind::Go);
    assert_eq!(
        with_exposure(SimulatedStudy::new(&split(3), &[GOOD, GOOD, GOOD])).0,
        VerdictKind::Inconclusive
    );
    // A comparator change is not an exposure.
    let change = SimulatedStudy::new(&split(2), &[GOOD, GOOD, BAD])
        .interference(InterferenceKind::ComparatorChange, 8);
    assert_eq!(change.decide().0, VerdictKind::Void);
    let latest = split(2).replace("first", "latest");
    assert_eq!(with_exposure(SimulatedStudy::new(&latest, &[GOOD, GOOD, BAD])).0, VerdictKind::Go);
    assert_eq!(SimulatedStudy::new(&latest, &[GOOD, GOOD, BAD]).decide().0, VerdictKind::NoGo);
}

#[test]
fn interim_looks_are_valid_or_inconclusive() {
    let open = |threshold: &str, weeks: &[(u64, u64)]| SimulatedStudy {
        closed: false,
        ..SimulatedStudy::new(threshold, weeks)
    };
    let latest = bound(&pooled(3)).replace("first", "latest");
    // The first N windows are a declared end, so they decide as soon as they are complete.
    assert_eq!(open(&every(3), &[GOOD; 3]).decide().0, VerdictKind::Go);
    assert_eq!(
        open(&latest.replace("bound\"\nconfidence = 0.95\nfamily = \"each\"", "point\""), &[GOOD; 3])
            .decide()
            .0,
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
    assert_eq!(method(&open(&bound(&pooled(3)), &[GOOD; 3]).verdict()), Some(IntervalMethod::Exact));
    assert_eq!(method(&open(&bound(&every(3)), &[GOOD; 4]).verdict()), Some(IntervalMethod::Exact));
    // A single look may accept what repeated looks may not.
    let near = [(862, 1000); 3];
    assert_eq!(SimulatedStudy::new(&latest, &near).decide().0, VerdictKind::Go);
    assert_eq!(look(&near).models[0].scopes[0].verdict, VerdictKind::Inconclusive);
}

#[test]
fn each_scope_has_its_own_verdict() {
    // Every other pair is an `x`, and the hits come first, so both values have as many hits.
    let verdict = SimulatedStudy::new(&every(1), &[(850, 1000)]).verdict();
    let [all, x] = &verdict.models[0].scopes[..] else { panic!("{verdict:?}") };
    assert_eq!((all.scope.as_str(), x.scope.as_str()), ("all", "only-x"));
    assert_eq!((x.pooled.hits, x.pooled.pairs, x.snapshots), (Some(425), 500, 500));
    assert_eq!(x.verdict, VerdictKind::Go);
    // Too few pairs for a scope can be enough for all of the input.
    let verdict = SimulatedStudy::new(&every(1), &[(150, 160)]).verdict();
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
    let case = SimulatedStudy {
        unmatched: 40,
        rejected: 20,
        unanswered: 30,
        ..SimulatedStudy::new(&threshold, &[GOOD, (150, 190), (90, 99)])
    };
    let case =
        case.interference(InterferenceKind::Exposure, 8).interference(InterferenceKind::ComparatorChange, 9);
    insta::assert_snapshot!(case.decide().1);
}

#[test]
fn the_worst_reason_is_the_verdict() {
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
        let case = SimulatedStudy::new(&threshold, &[GOOD; 3]);
        format!("{}\n{}", case.verdict().threshold, case.decide().1)
    });
    insta::assert_snapshot!(described.join("\n"), @"
    agreement at least 0.85 in each of the first 3 complete windows, by the point estimate
    GO: each of 3 windows has at least 0.85; pooled: 2,700 of 3,000 (0.900000)
    agreement at least 0.85 pooled over the latest 2 complete windows, by the confidence bound at 0.95
    GO: 1,800 of 2,000 (0.900000), with the lower bound 0.888277 at confidence 0.95; at least 0.85 is required
    agreement at least 0.85 pooled over all windows, by the point estimate
    GO: 2,700 of 3,000 (0.900000); at least 0.85 is required
    agreement at most 0.95 in each of the first 3 complete windows, by the point estimate
    GO: each of 3 windows has at most 0.95; pooled: 2,700 of 3,000 (0.900000)
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
        assert_eq!(
            thresholds.map(|threshold| SimulatedStudy::new(&threshold, &[week]).decide().0),
            kinds,
            "{week:?}"
        );
    }
    let reason = SimulatedStudy::new(&most(bound(&every(1))), &[GOOD]).decide().1;
    insta::assert_snapshot!(reason, @"NO-GO: week ending 2026-04-19: 900 of 1,000 (0.900000), with bounds 0.883008 and 0.915215 at confidence 0.95 each, misses 0.85; at most 0.85 is required");
}

#[test]
fn windows_are_complete_once_no_decision_can_arrive() {
    let study =
        parse(&format!("{STUDY}{}\n", every(3))).map_err(|unsound| unsound.faults.to_string()).unwrap();
    let settled = (study.horizon + study.decisions.lateness).as_micros() as i64;
    let windows = |latest_decision, closed| {
        let case = SimulatedStudy { latest_decision, closed, ..SimulatedStudy::new(&every(3), &[GOOD; 3]) };
        case.verdict().windows.iter().filter(|window| window.complete).count()
    };
    assert_eq!(windows(Some(settled), false), 3);
    assert_eq!(windows(Some(settled - 1), false), 2);
    assert_eq!(windows(None, false), 0);
    assert_eq!(windows(None, true), 3);
    // Within the lateness of the snapshots, one of the last window may still arrive.
    let snapshots_until = |before_lateness, closed| {
        let latest_decision = Some(settled);
        let case = SimulatedStudy {
            latest_decision,
            before_lateness,
            closed,
            ..SimulatedStudy::new(&every(3), &[GOOD; 3])
        };
        case.verdict().windows.iter().filter(|window| window.complete).count()
    };
    assert_eq!([0, 1].map(|before| snapshots_until(before, false)), [3, 2]);
    assert_eq!(snapshots_until(1, true), 3);
    // All windows count with `all` at the end, complete or not. Before it, each pair of an open window would show.
    let all = pooled(3).replace("{ first = 3 }", "{ all = true }");
    let listed = |closed: bool, latest_decision| {
        let case = SimulatedStudy { closed, latest_decision, ..SimulatedStudy::new(&all, &[GOOD; 3]) };
        case.verdict().windows.iter().map(|window| window.complete).collect::<Vec<bool>>()
    };
    assert_eq!(listed(false, None), Vec::<bool>::new());
    assert_eq!(listed(false, Some(settled)), [true; 3]);
    assert_eq!(listed(true, None), [false, true, true, true]);
}

#[test]
fn a_verdict_is_read_back_from_its_json() {
    let verdict = SimulatedStudy::new(&bound(&every(3)), &[GOOD, BAD, GOOD]).verdict();
    let json = verdict.to_json();
    assert!(json.ends_with("}\n"));
    assert_eq!(serde_json::from_str::<Verdict>(&json).unwrap(), verdict);
}

#[test]
fn the_worst_verdict_is_the_first_of_the_worst_models() {
    use VerdictKind::{Go, Inconclusive, NoGo};
    let mut verdict = SimulatedStudy::new(&every(3), &[GOOD; 3]).verdict();
    let model = |name: &str, kinds: [VerdictKind; 2]| {
        let scope = |(scope, kind): (&str, VerdictKind)| ScopeVerdict {
            scope: scope.to_owned(),
            verdict: kind,
            ..verdict.models[0].scopes[0].clone()
        };
        let scopes = ["all", "direct"].into_iter().zip(kinds).map(scope).collect();
        ModelVerdict { model: name.to_owned(), scopes, ..verdict.models[0].clone() }
    };
    let models = vec![model("a", [Go, NoGo]), model("b", [NoGo, Go]), model("c", [NoGo, Inconclusive])];
    verdict.models = models;
    let worst = |model: Option<&str>, scope: &str| {
        let (model, scope) = verdict.worst(model, scope)?;
        Some((model.model.as_str(), scope.scope.as_str(), scope.verdict))
    };
    assert_eq!(worst(None, "all"), Some(("b", "all", NoGo)));
    assert_eq!(worst(None, "direct"), Some(("c", "direct", Inconclusive)));
    assert_eq!(worst(Some("a"), "all"), Some(("a", "all", Go)));
    assert_eq!(worst(Some("a"), "direct"), Some(("a", "direct", NoGo)));
    assert_eq!(worst(Some("d"), "all"), None);
    assert_eq!(worst(None, "other"), None);
}

#[test]
fn the_main_reason_is_the_first_one() {
    let mut scope = SimulatedStudy::new(&every(3), &[BAD; 3]).verdict().models.remove(0).scopes.remove(0);
    let first = scope.reasons[0].text.clone();
    assert!(!first.is_empty());
    assert_eq!(scope.main_reason(), first);
    scope.reasons.clear();
    assert_eq!(scope.main_reason(), "");
}

#[test]
fn each_method_of_an_interval_has_its_own_sentence() {
    let sentences = [
        (IntervalMethod::Exact, "exact bounds of the expected share of independent pairs"),
        (IntervalMethod::EffectiveTrials, "for as many independent pairs as have the standard error"),
        (IntervalMethod::Jackknife, "a jackknife over groups of ids"),
        (IntervalMethod::ClusterJackknife, "from a jackknife over groups of clusters"),
        (IntervalMethod::EqualScores, "independent pairs whose scores are all equal"),
        (IntervalMethod::EqualClusters, "independent clusters whose scores are all equal"),
        (IntervalMethod::Sequence, "expected score of the pairs so far"),
        (IntervalMethod::WindowSequence, "over whole windows"),
        (IntervalMethod::PairedDifference, "a difference of two shares"),
    ];
    for (method, part) in sentences {
        let with_part = sentences.iter().filter(|(method, _)| method.sentence().contains(part)).count();
        assert!(method.sentence().contains(part) && with_part == 1, "{}", method.sentence());
        let descriptions = sentences.iter().filter(|(other, _)| other.description() == method.description());
        assert_eq!(descriptions.count(), 1, "{}", method.description());
    }
}

#[test]
fn a_run_without_windows_is_inconclusive() {
    let all = pooled(3).replace("{ first = 3 }", "{ all = true }");
    for chance in ["", "chance = { gain = 0.0 }"] {
        let threshold = format!("{}\n{chance}", bound(&all));
        for closed in [true, false] {
            let (kind, reasons) =
                SimulatedStudy { cut_off: true, closed, ..SimulatedStudy::new(&threshold, &[]) }.decide();
            assert_eq!(kind, VerdictKind::Inconclusive);
            // No other gate has anything to say.
            assert_eq!(reasons, "INCONCLUSIVE: no window counts");
        }
    }
}

#[test]
fn a_cycle_value_with_its_occurrences_lacks_comparisons() {
    let threshold = |times: u64| {
        let cycle = format!("cycle = {{ condition = \"day\", times = {times} }}");
        format!("{}\n{cycle}\nconditions = [\"kind\"]\nleast-per-condition = 1200", every(3))
    };
    let reasons = |times| SimulatedStudy::new(&threshold(times), &[GOOD; 3]).decide().1;
    assert!(
        reasons(3).contains("comparisons; at least 1,200 are required, so the cycle is"),
        "{}",
        reasons(3)
    );
    assert!(reasons(4).contains("occurred 3 times; 4 required"), "{}", reasons(4));
}

#[test]
fn the_input_share_furthest_from_its_reference_is_named() {
    let threshold = format!(
        "{}\n[[threshold.reference]]\ncondition = \"day\"\ntolerance = 0.001\nshares = {{ monday = 0.01, tuesday = 0.4, \
         wednesday = 0.15, thursday = 0.02, friday = 0.16, saturday = 0.1, sunday = 0.16 }}",
        every(3)
    );
    let (kind, reasons) = SimulatedStudy::new(&threshold, &[GOOD; 3]).decide();
    assert_eq!(kind, VerdictKind::Inconclusive);
    // Each day has a seventh of the snapshots, 0.14.
    assert!(reasons.contains("7 condition values, the worst of them day tuesday: "), "{reasons}");
    assert!(!reasons.contains("day monday"), "{reasons}");
}

#[test]
fn verdicts_of_one_family_are_one_for_each_model_and_scope() {
    let holm = bound(&every(3)).replace("\"each\"", "\"holm\"");
    let verdict = SimulatedStudy::new(&holm, &[NEAR; 3]).verdict();
    let shared: Vec<u64> = verdict.models[0].scopes.iter().map(|scope| scope.level_shared_by).collect();
    assert_eq!(shared, [2, 2]);
}

#[test]
fn a_verdict_that_passes_leaves_its_level_to_the_others() {
    let holm = bound(&every(1)).replace("\"each\"", "\"holm\"");
    let levels = |week| {
        let verdict = SimulatedStudy::new(&holm, &[week]).verdict();
        let scopes = verdict.models[0].scopes.iter();
        scopes.map(|scope| (scope.verdict, scope.level_shared_by)).collect::<Vec<_>>()
    };
    // Half of the pairs are in the scope. Its lower bound is above 0.85 at the confidence 0.95 and below at 0.975.
    assert_eq!(levels((1740, 2000)), [(VerdictKind::Go, 2), (VerdictKind::Go, 1)]);
    assert_eq!(levels((1733, 2000)), [(VerdictKind::Go, 2), (VerdictKind::Inconclusive, 1)]);
}

/// The weeks that the reasons name.
fn named_weeks(threshold: &str, weeks: &[(u64, u64)]) -> Vec<usize> {
    let reasons = SimulatedStudy::new(threshold, weeks).decide().1;
    let ends = ["04-19", "04-26", "05-03", "05-10", "05-17"];
    (1..).zip(ends).filter(|(_, end)| reasons.contains(end)).map(|(week, _)| week).collect()
}

#[test]
fn the_worst_window_is_named() {
    // Windows with too few pairs by their pairs, whatever their values.
    let few = [(50, 90), (40, 60), (20, 30), (60, 70), (75, 80)];
    assert_eq!(named_weeks(&every(5), &few), [3]);
    // Others by their values, in the direction of the threshold.
    let values = [(800, 1000), (1400, 2000), (1800, 3000), (82, 100), (162, 200)];
    assert_eq!(named_weeks(&every(5), &values), [3]);
    let most = every(5).replace("at-least = 0.85", "at-most = 0.5");
    assert_eq!(named_weeks(&most, &values), [4]);
}
