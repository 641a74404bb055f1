//! Sums and estimates of self-agreement on synthetic pairs.

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::hash::{SplitMix64, splitmix64};
use crate::scoring::{JACKKNIFE_GROUPS, WindowClock};
use understudy_study::Windows;

const DAY: i64 = 86_400_000_000;

/// A pair: day, case, answer, rater (0 for none), and whether the model agrees.
type Pair = (u8, u64, u64, u64, bool);

fn sums(pairs: &[Pair], capacity: usize) -> SelfAgreementSums {
    let week_ends = jiff::civil::Weekday::Sunday;
    let mut clock = WindowClock::new(Windows { every: Every::Day, week_ends }, TimeZone::UTC);
    let mut sums = SelfAgreementSums::default();
    for (day, case, answer, rater, equal) in pairs {
        let name = format!("rater {rater}");
        let pair = CasePair {
            window: clock.window(i64::from(*day) * DAY),
            scopes: if case.is_multiple_of(2) { &[0, 1] } else { &[0] },
            case: splitmix64(*case),
            answer: *answer,
            rater: (*rater > 0).then(|| Rater { hash: splitmix64(*rater), name: Some(&name) }),
            equal: &[*equal],
        };
        sums.add(&pair, capacity);
    }
    sums
}

fn pairs() -> impl Strategy<Value = Vec<Pair>> {
    prop::collection::vec((0u8..4, 0u64..40, 0u64..3, 0u64..200, any::<bool>()), 0..500)
}

proptest! {
    #[test]
    fn order_batches_and_later_windows_change_nothing(pairs in pairs(), cut in 0usize..500, day in 0u8..4, capacity in 1usize..150) {
        let whole = sums(&pairs, capacity);
        let mut reversed = pairs.clone();
        reversed.reverse();
        let (one, other) = reversed.split_at(cut.min(reversed.len()));
        let mut merged = sums(other, capacity);
        merged.merge(&sums(one, capacity), capacity);
        prop_assert_eq!(&merged, &whole);
        let until: Vec<Pair> = pairs.iter().filter(|pair| pair.0 <= day).copied().collect();
        let last = sums(&[(day, 0, 0, 0, false)], capacity).windows()[0];
        prop_assert_eq!(whole.through(last), sums(&until, capacity));
        // A case that all windows keep has the counts of all of its pairs.
        let cases = whole.cases(&whole.windows(), 0);
        prop_assert_eq!(cases.pairs(), pairs.len() as u64);
        for (hash, counts) in cases.cases() {
            let all = pairs.iter().filter(|pair| splitmix64(pair.1) == hash).count();
            prop_assert_eq!(counts.decisions(), all as u64);
        }
        let raters = whole.raters(&whole.windows());
        let named: u64 = raters.raters.iter().map(|rater| rater.pairs).sum();
        prop_assert_eq!(named + raters.other_pairs, pairs.iter().filter(|pair| pair.3 > 0).count() as u64);
        prop_assert!(raters.raters.len() <= MAX_RATERS);
    }
}

/// The raters of the sample by its definition: those with the smallest hashes on each day and over all days. A rater that
/// one day does not keep has no complete counts.
fn kept_raters(days: &[std::ops::Range<u64>]) -> Vec<u64> {
    let hashes = |days: &[std::ops::Range<u64>]| {
        let hashes = days.iter().cloned().flatten().map(splitmix64);
        hashes.collect::<std::collections::BTreeSet<u64>>().into_iter().collect::<Vec<u64>>()
    };
    let of_day = |day: &std::ops::Range<u64>| hashes(std::slice::from_ref(day)).get(MAX_RATERS).copied();
    let evicted = days.iter().filter_map(of_day).min().unwrap_or(u64::MAX);
    hashes(days).into_iter().filter(|hash| *hash < evicted).take(MAX_RATERS).collect()
}

#[test]
fn the_raters_with_the_smallest_hashes_have_complete_counts() {
    let most = MAX_RATERS as u64;
    // Exactly as many as are kept, one more, and days of which the first, the second or both evict.
    for days in [
        [1..1 + most, 0..0],
        [1..2 + most, 0..0],
        [1..100, 50..50 + 2 * most],
        [50..50 + 2 * most, 1..100],
        [1..1 + 2 * most, 90..90 + 3 * most],
        [90..90 + 3 * most, 1..1 + 2 * most],
    ] {
        let mut pairs: Vec<Pair> = Vec::new();
        // Two rounds: a rater that was evicted in the first one comes again.
        for _ in 0..2 {
            for (day, raters) in (0..).zip(&days) {
                pairs.extend(raters.clone().map(|rater| (day, rater, 0, rater, rater % 2 == 0)));
            }
        }
        let sums = sums(&pairs, usize::MAX);
        let found = sums.raters(&sums.windows());
        let kept = kept_raters(&days);
        let expected: Vec<RaterCounts> = kept
            .iter()
            .map(|hash| {
                let own: Vec<&Pair> = pairs.iter().filter(|pair| splitmix64(pair.3) == *hash).collect();
                let equal = vec![own.iter().filter(|pair| pair.4).count() as u64];
                RaterCounts { name: Some(format!("rater {}", own[0].3)), pairs: own.len() as u64, equal }
            })
            .collect();
        assert_eq!(found.raters, expected, "{days:?}");
        let named: u64 = expected.iter().map(|rater| rater.pairs).sum();
        assert_eq!(found.other_pairs, pairs.len() as u64 - named);
    }
}

#[test]
fn a_year_has_between_200_000_and_1_100_000_counts_of_answers() {
    for (every, windows, counts) in [
        (Every::Hour, 365 * 24, 1_121_280),
        (Every::Day, 365, 373_760),
        (Every::Week, 52, 212_992),
        (Every::Month, 12, 196_608),
    ] {
        assert_eq!(windows * case_capacity(every), counts, "{every:?}");
    }
}

/// The decisions of a substrate that gives the usual answer of a case with the probability `usual` and another one
/// otherwise. Two raters decide in turn.
fn noisy(usual: f64, cases: u64, seed: u64) -> Vec<Pair> {
    let mut random = SplitMix64::new(seed);
    let mut share = || random.next_u64() as f64 / u64::MAX as f64;
    let mut found = Vec::new();
    for case in 0..cases {
        let decisions = 1 + (share() * 6.0) as u64;
        for decision in 0..decisions {
            let answer = u64::from(share() >= usual);
            found.push((0, case, answer, 1 + decision % 2, answer == 0));
        }
    }
    found
}

#[test]
fn bounds_hold_for_a_substrate_of_known_noise() {
    for usual in [0.6f64, 0.8, 0.95, 0.99] {
        let truth = usual * usual + (1.0 - usual) * (1.0 - usual);
        let (mut below, mut above, mut best_above) = (0, 0, 0);
        let studies = 400;
        for seed in 0..studies {
            let sums = sums(&noisy(usual, 300, seed), usize::MAX);
            let sample = sums.cases(&sums.windows(), 0);
            let found = CaseMean::self_agreement(&sample, DecisionPairs::All, 0.95);
            let interval = found.interval.unwrap();
            below += u32::from(truth < interval.lower);
            above += u32::from(truth > interval.upper);
            best_above += u32::from(usual > found.ceiling().interval.unwrap().upper);
        }
        // 20 of 400 are expected at most, with a standard deviation of 4.4.
        assert!(below <= 33 && above <= 33, "{usual}: {below} below, {above} above");
        assert!(best_above <= above, "the best model is never better than the ceiling: {usual}");
    }
}

#[test]
fn a_substrate_that_never_differs_has_bounds_with_a_width() {
    let sums = sums(&noisy(1.0, 100, 1), usize::MAX);
    let sample = sums.cases(&sums.windows(), 0);
    let found = CaseMean::self_agreement(&sample, DecisionPairs::All, 0.95);
    let interval = found.interval.unwrap();
    assert_eq!((found.value, interval.upper), (Some(1.0), 1.0));
    // The largest of these cases allows for as many as would have all decisions with its size.
    let largest = sample.cases().map(|(_, counts)| counts.decisions()).max().unwrap();
    let independent = (found.decisions / largest) as f64;
    assert!((interval.lower - 0.05f64.powf(1.0 / independent)).abs() < 1e-12, "{interval:?}");
}

#[test]
fn few_repeated_cases_have_no_value() {
    let pairs: Vec<Pair> = (0..29).flat_map(|case| [(0, case, 0, 0, true); 2]).collect();
    let sums = sums(&pairs, usize::MAX);
    let found = CaseMean::self_agreement(&sums.cases(&sums.windows(), 0), DecisionPairs::All, 0.95);
    assert_eq!((found.cases, found.decisions, found.value, found.interval), (29, 58, None, None));
}

#[test]
fn raters_that_differ_from_each_other_agree_with_themselves() {
    let pairs: Vec<Pair> =
        (0..40).flat_map(|case| [1, 1, 2, 2].map(|rater| (0, case, rater, rater, rater == 1))).collect();
    let sums = sums(&pairs, usize::MAX);
    let sample = sums.cases(&sums.windows(), 0);
    let value = |pairs| CaseMean::self_agreement(&sample, pairs, 0.95).value;
    assert_eq!(value(DecisionPairs::SameRater), Some(1.0));
    assert_eq!(value(DecisionPairs::DifferentRaters), Some(0.0));
    // Of the six pairs of decisions in a case, two are equal.
    assert!((value(DecisionPairs::All).unwrap() - 1.0 / 3.0).abs() < 1e-12);
    let model = CaseMean::model_agreement(&sample, 0, 0.95);
    assert_eq!((model.cases, model.decisions, model.value), (40, 160, Some(0.5)));
    let raters = sums.raters(&sums.windows());
    assert_eq!(raters.other_pairs, 0);
    let mut found: Vec<_> =
        raters.raters.iter().map(|rater| (rater.name.as_deref(), rater.pairs, rater.equal[0])).collect();
    found.sort_unstable();
    assert_eq!(found, [(Some("rater 1"), 80, 80), (Some("rater 2"), 80, 0)]);
}

/// A sample of these cases, each a hash and the answers and raters of its decisions. The model is always right.
fn sample(cases: impl IntoIterator<Item = (u64, Vec<(u64, u64)>)>) -> CaseSample {
    let mut sample = CaseSample::default();
    for (case, decisions) in cases {
        for (answer, rater) in decisions {
            sample.add(CaseDecision { case, answer, rater, equal: &[true] }, usize::MAX);
        }
    }
    sample
}

#[test]
fn thirty_repeated_cases_have_a_value() {
    let cases = |repeated: u64| {
        let once = (1000..1010).map(|case| (case, vec![(1, 1)]));
        sample((0..repeated).map(|case| (case, vec![(1, 1), (2, 1)])).chain(once))
    };
    for (repeated, has_value) in [(29, false), (30, true)] {
        let sample = cases(repeated);
        let own = CaseMean::self_agreement(&sample, DecisionPairs::All, 0.95);
        assert_eq!((own.cases, own.decisions, own.value), (repeated, 2 * repeated, has_value.then_some(0.0)));
        // A case with one decision is no repeated case of a model either.
        let model = CaseMean::model_agreement(&sample, 0, 0.95);
        assert_eq!((model.cases, model.value), (repeated, has_value.then_some(1.0)));
    }
}

#[test]
fn a_value_has_bounds_from_two_groups_of_cases_on() {
    let found = |groups: u64| {
        let case = |case: u64| case * JACKKNIFE_GROUPS + case % groups;
        let differs = |case: u64| u64::from(case.is_multiple_of(3));
        let cases = (0..60).map(|number| (case(number), vec![(0, 1), (differs(number), 1)]));
        CaseMean::self_agreement(&sample(cases), DecisionPairs::All, 0.95)
    };
    let (one, two) = (found(1), found(2));
    assert_eq!((one.value, two.value), (Some(40.0 / 60.0), Some(40.0 / 60.0)));
    assert_eq!((one.interval.is_some(), two.interval.is_some()), (false, true));
}

#[test]
fn pairs_of_decisions_are_those_of_the_same_or_of_different_raters() {
    // Rater 1 decides 1 and 2, rater 2 decides 1. Of the three pairs, that of rater 1 differs, and one of the others.
    let found = |pairs, raters: [u64; 2]| {
        let [one, other] = raters;
        let cases = (0..40).map(|case| (case, vec![(1, one), (2, one), (1, other)]));
        let found = CaseMean::self_agreement(&sample(cases), pairs, 0.95);
        (found.cases, found.value)
    };
    assert_eq!(found(DecisionPairs::SameRater, [1, 2]), (40, Some(0.0)));
    assert_eq!(found(DecisionPairs::DifferentRaters, [1, 2]), (40, Some(0.5)));
    // If a rater is not known, it may be the other one.
    for pairs in [DecisionPairs::SameRater, DecisionPairs::DifferentRaters] {
        assert_eq!(found(pairs, [1, 0]), (0, None));
    }
    assert!(found(DecisionPairs::All, [1, 0]).1.is_some());
}

/// The bounds are printed by `tests/oracles/ceiling.py interval`.
#[test]
fn bounds_match_scipy() {
    let decision = |case, answer| CaseDecision { case, answer, rater: 0, equal: &[] };
    let mut sample = CaseSample::default();
    for case in 0..200u64 {
        let usual = case % 5 + 1 + if case.is_multiple_of(40) { 60 } else { 0 };
        (0..usual).for_each(|_| sample.add(decision(case, 0), usize::MAX));
        (0..case * case % 3).for_each(|_| sample.add(decision(case, 1), usize::MAX));
    }
    for (confidence, lower, upper) in [
        (0.9, 0.6686713730862773, 0.7953949825578014),
        (0.95, 0.6464815644286372, 0.8126488434529705),
        (0.975, 0.6246096800675726, 0.8276136892780879),
    ] {
        let found = CaseMean::self_agreement(&sample, DecisionPairs::All, confidence);
        assert_eq!((found.cases, found.decisions), (188, 1021));
        assert!((found.value.unwrap() - 0.7394711067580804).abs() < 1e-12);
        let interval = found.interval.unwrap();
        assert!(
            (interval.lower - lower).abs() < 1e-9 && (interval.upper - upper).abs() < 1e-9,
            "{interval:?}"
        );
    }
}
