//! Confidence intervals against scipy and statsmodels, and their coverage where the true value is known.

use fastrand::Rng;

use super::*;
use understudy_statistics::scoring::{
    AnswerStatus, ModelScores, ProfiledBatch, SliceSums, Window, WindowClock,
};
use understudy_study::{Every, Windows};

const SHARE: MetricLimits = (Some(0.0), Some(1.0));

fn day(day: i64) -> Window {
    let windows = Windows { every: Every::Day, week_ends: jiff::civil::Weekday::Sunday };
    WindowClock::new(windows, jiff::tz::TimeZone::UTC).window(day * 86_400_000_000)
}

/// The sums of scored pairs, each given by its components.
fn part<const N: usize>(pairs: &[[f64; N]]) -> SliceTotals {
    let mut components: Vec<Vec<f64>> =
        (0..N).map(|at| pairs.iter().map(|pair| pair[at]).collect()).collect();
    components.push(vec![1.0; pairs.len()]);
    let models =
        [ModelScores { statuses: vec![AnswerStatus::Answered; pairs.len()], scores: vec![components] }];
    let mut profiles = SliceSums::default();
    profiles.add(ProfiledBatch {
        windows: &vec![day(0); pairs.len()],
        profiles: &vec![0; pairs.len()],
        hashes: &vec![0; pairs.len()],
        models: &models,
        metric: 0,
    });
    profiles.window(day(0))
}

/// An estimator for a metric over some parts.
fn estimator(
    components: usize,
    range: MetricLimits,
    parts: &[&SliceTotals],
    reduce: &mut Reduce<'_>,
) -> MetricEstimator {
    MetricEstimator::new(0, components, range, parts, reduce)
}

fn mean(pairs: u64, sums: &[f64]) -> Option<f64> {
    (pairs > 0).then(|| sums[0] / pairs as f64)
}

/// One minus the share of misses.
fn not_missed(pairs: u64, sums: &[f64]) -> Option<f64> {
    mean(pairs, sums).map(|missed| 1.0 - missed)
}

/// The mean over the pairs whose second component is 1.
fn over_answered(_: u64, sums: &[f64]) -> Option<f64> {
    (sums[1] > 0.0).then(|| sums[0] / sums[1])
}

fn assert_bounds(found: Option<Interval>, lower: f64, upper: f64) {
    let found = found.unwrap();
    let close = |one: f64, other: f64| (one - other).abs() < 1e-8;
    assert!(close(found.lower, lower) && close(found.upper, upper), "{found:?}, not {lower} to {upper}");
}

#[test]
fn only_a_mean_of_zeros_and_ones_is_a_proportion() {
    let scores = part(&[[1.0], [0.0], [1.0], [1.0]]);
    assert!(estimator(1, SHARE, &[&scores], &mut mean).is_proportion);
    assert!(!estimator(1, SHARE, &[&scores], &mut not_missed).is_proportion);
    // One minus the mean equals the mean at one half.
    let half = part(&[[1.0], [0.0]]);
    assert!(!estimator(1, SHARE, &[&half], &mut not_missed).is_proportion);
    assert!(!estimator(1, (Some(0.0), None), &[&scores], &mut mean).is_proportion);
    let tenths = part(&[[1.0], [0.1]]);
    assert!(!estimator(1, SHARE, &[&scores, &tenths], &mut mean).is_proportion);
    assert!(estimator(1, SHARE, &[&scores, &part(&[[0.0]])], &mut mean).is_proportion);
}

#[test]
fn proportions_of_zero_and_one_have_intervals() {
    for (score, lower, upper) in [(0.0, 0.0, 0.003_191_0), (1.0, 0.996_809_0, 1.0)] {
        let scores = part(&vec![[score]; 1_200]);
        let is_proportion = estimator(1, SHARE, &[&scores], &mut mean);
        // statsmodels: proportion_confint(0, 1200, 0.05, "wilson")
        let found = is_proportion.interval(&scores, &mut mean).unwrap();
        let close = |one: f64, other: f64| (one - other).abs() < 1e-6;
        assert!(close(found.lower, lower) && close(found.upper, upper), "{found:?}");
    }
}

#[test]
fn intervals_match_statsmodels_and_scipy() {
    // statsmodels: proportion_confint(30, 40, 0.05, "wilson")
    let scores: Vec<[f64; 1]> = (0..40).map(|at| [f64::from(u8::from(at < 30))]).collect();
    let scores = part(&scores);
    let is_proportion = estimator(1, SHARE, &[&scores], &mut mean);
    assert_bounds(is_proportion.interval(&scores, &mut mean), 0.5980603857923197, 0.858128813609037);
    // One minus the share of misses is not treated as a proportion; its interval is that of the mean by Student's t, mirrored:
    // scipy: x = [1] * 30 + [0] * 10; 1 - t.interval(0.95, 39, mean(x), sem(x))
    let missed = estimator(1, SHARE, &[&scores], &mut not_missed);
    assert_bounds(missed.interval(&scores, &mut not_missed), 0.10975161871907746, 0.39024838128092254);
    // scipy: x = [1, 4, 2, 8, 5, 7]; t.interval(0.95, 5, mean(x), sem(x))
    let errors = part(&[[1.0], [4.0], [2.0], [8.0], [5.0], [7.0]]);
    let means = estimator(1, (Some(0.0), None), &[&errors], &mut mean);
    assert_bounds(means.interval(&errors, &mut mean), 1.6260021368955044, 7.373997863104496);
}

#[test]
fn values_without_variance_have_no_interval() {
    let same = part(&[[2.0], [2.0], [2.0]]);
    let means = estimator(1, (None, None), &[&same], &mut mean);
    assert_eq!(means.interval(&same, &mut mean), None);
    assert_eq!(means.interval(&part(&[[3.0]]), &mut mean), None);
    assert_eq!(means.interval(&SliceTotals::default(), &mut mean), None);
}

#[test]
fn pairs_that_a_metric_ignores_are_no_evidence() {
    let errors = [[1.0, 1.0], [4.0, 1.0], [2.0, 1.0], [8.0, 1.0], [5.0, 1.0], [7.0, 1.0]];
    let open = part(&[&errors[..], &[[0.0, 0.0]; 500]].concat());
    let answered = estimator(2, (Some(0.0), None), &[&open], &mut over_answered);
    assert_eq!(answered.sums(&open)[0], 6.0);
    assert_eq!(answered.value(&open.models[0], &mut over_answered), Some((4.5, 6.0)));
    // The interval is the same as without them.
    assert_bounds(answered.interval(&open, &mut over_answered), 1.6260021368955044, 7.373997863104496);
    // A mean counts its zeros, even where the sums cancel.
    let zeros = part(&[[0.0], [1.0], [-1.0]]);
    let more = part(&[[0.0], [1.0]]);
    let counted = estimator(1, (None, None), &[&zeros, &more], &mut mean);
    assert_eq!(counted.sums(&more)[0], 2.0);
    let all_blank = part(&[[0.0, 0.0]; 3]);
    let blank = estimator(2, (Some(0.0), None), &[&all_blank, &open], &mut over_answered);
    assert_eq!(blank.value(&all_blank.models[0], &mut over_answered), None);
}

#[test]
fn intervals_have_their_nominal_coverage_with_few_answers() {
    // 500 pairs of which two to six are answered, with approximately normal errors around 10.
    for answered in [2, 3, 6] {
        let mut rng = Rng::with_seed(answered as u64);
        let missed = (0..4000).filter(|_| {
            let normal = |rng: &mut Rng| (0..12).map(|_| rng.f64()).sum::<f64>() - 6.0;
            let pairs: Vec<[f64; 2]> = (0..500)
                .map(|at| if at < answered { [10.0 + normal(&mut rng), 1.0] } else { [0.0, 0.0] })
                .collect();
            let pairs = part(&pairs);
            let estimator = estimator(2, (Some(0.0), None), &[&pairs], &mut over_answered);
            let bounds = estimator.interval(&pairs, &mut over_answered).unwrap();
            !(bounds.lower..=bounds.upper).contains(&10.0)
        });
        // 200 misses are expected, with a standard deviation of 14.
        let missed = missed.count();
        assert!((150..=250).contains(&missed), "{missed} of 4000 with {answered} answered");
    }
}

#[test]
fn interim_intervals_are_those_of_the_confidence_sequence() {
    let windows = [part(&[[0.0], [4.0], [2.0]]), part(&[[4.0], [3.0]])];
    let range = (Some(0.0), Some(4.0));
    let means = estimator(1, range, &[&windows[0], &windows[1]], &mut mean);
    let tuning = SequenceTuning { range: (0.0, 4.0), mean: 2.0, observations: EXPECTED_WINDOW_PAIRS };
    let mut sequence = ConfidenceSequence::new(1.0 - ONE_SIDED_CONFIDENCE, tuning);
    sequence.push(ScoreBlock { n: 3, sum: 6.0, squares: 20.0 });
    sequence.push(ScoreBlock { n: 2, sum: 7.0, squares: 25.0 });
    let Interval { lower, upper } = sequence.interval(13.0 / 5.0);
    let found = means.anytime_interval(windows.clone(), &mut mean);
    assert_bounds(found, lower, upper);
    // Only a mean in a known range has an anytime interval.
    assert_eq!(means.anytime_interval(windows.clone(), &mut not_missed), None);
    let open = estimator(1, (Some(0.0), None), &[&windows[0], &windows[1]], &mut mean);
    assert_eq!(open.anytime_interval(windows, &mut mean), None);
    // No pairs give no interval.
    assert_eq!(means.anytime_interval([SliceTotals::default()], &mut mean), None);
    assert_eq!(means.anytime_interval([], &mut mean), None);
}

#[test]
fn a_metric_that_fails_near_the_sums_has_no_interval() {
    let errors = part(&[[1.0], [4.0], [2.0]]);
    let mut only_whole = |pairs: u64, sums: &[f64]| (sums[0].fract() == 0.0).then(|| sums[0] / pairs as f64);
    let means = estimator(1, (None, None), &[&errors], &mut only_whole);
    assert_eq!(means.interval(&errors, &mut only_whole), None);
    assert_eq!(means.value(&errors.models[0], &mut only_whole).map(|(value, _)| value), Some(7.0 / 3.0));
}
