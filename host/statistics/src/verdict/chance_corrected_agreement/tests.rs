//! Checked against numpy, scipy and statsmodels: `tests/oracles/chance.py` prints the values.

use super::*;
use crate::scoring::{ClusterLimits, PairLabels, clopper_pearson, equal_scores, paired_difference};

const PAIRS: u64 = 1200;
const GROUPS: u64 = 16;

/// The pairs of `chance.py`: the label of the substrate, that of the model, and the group.
fn pair(index: u64) -> (&'static str, Option<&'static str>, u8) {
    let substrate = match index % 20 {
        0..15 => "operate",
        15..18 => "delay",
        _ => "cancel",
    };
    let model = match index {
        _ if index % 97 == 5 => None,
        _ if index % 31 == 7 => Some("delay"),
        _ if index % 20 == 17 => Some("operate"),
        _ => Some(substrate),
    };
    (substrate, model, ((7 * index + index / 50) % GROUPS) as u8)
}

/// The counts of some pairs in three windows.
fn counts(pairs: impl Iterator<Item = (&'static str, Option<&'static str>, u8)>) -> Vec<LabelCounts> {
    let mut windows = vec![LabelCounts::default(); 3];
    for (index, (substrate, model, group)) in pairs.enumerate() {
        windows[index % 3].add(PairLabels { substrate, models: &[model], group });
    }
    windows
}

fn labels() -> ModelLabels {
    ModelLabels::new(counts((0..PAIRS).map(pair)).iter(), 0).unwrap()
}

#[track_caller]
fn assert_close(actual: f64, expected: f64) {
    assert!((actual - expected).abs() <= 1e-9 * expected.abs(), "{actual} is not {expected}");
}

#[test]
fn gain_and_kappa_match_statsmodels() {
    let found = labels().agreement(ChanceMeasure::Gain);
    assert_close(found.agreement, 0.9125);
    assert_close(found.commonest_share, 0.75);
    assert_close(found.gain, 0.1625);
    assert_close(found.kappa.unwrap(), 0.779527559055118);
    assert_eq!(found.is_constant, Some(false));
    assert_eq!(labels().counts(), (1095, 900, 1200));
}

#[test]
fn bounds_match_scipy() {
    let labels = labels();
    for (found, method, lower, upper) in [
        (labels.exact_gain(0.95), IntervalMethod::PairedDifference, 0.12303236993633819, 0.20693799667576082),
        (
            labels.jackknife_gain(ClusterLimits::NONE, 0.95),
            IntervalMethod::Jackknife,
            0.14621564100477777,
            0.17933488777210949,
        ),
        (
            labels.jackknife_kappa(ClusterLimits::NONE, 0.95),
            IntervalMethod::Jackknife,
            0.7420594822066263,
            0.8138109048501936,
        ),
    ] {
        let (interval, by) = found.unwrap();
        assert_eq!(by, method);
        assert_close(interval.lower, lower);
        assert_close(interval.upper, upper);
    }
}

#[test]
fn a_sequence_has_one_block_for_each_window() {
    let labels = labels();
    let found = labels.sequence_gain(0.95, |blocks, gain, _| {
        assert_eq!(blocks.iter().map(|block| block.n).collect::<Vec<_>>(), [400; 3]);
        let sum = blocks.iter().map(|block| block.sum).sum::<f64>() / PAIRS as f64;
        assert_close(sum, gain);
        let squares = blocks.iter().map(|block| block.squares).sum::<f64>() / PAIRS as f64;
        (Interval { lower: gain, upper: squares }, IntervalMethod::Sequence)
    });
    let (interval, method) = found.unwrap();
    assert_eq!(method, IntervalMethod::Sequence);
    // The least gain is that over the commonest label.
    assert_close(interval.lower, 0.1625);
    let differing = (0..PAIRS)
        .map(pair)
        .filter(|(substrate, model, _)| (Some(*substrate) == *model) != (*substrate == "operate"));
    assert_close(interval.upper, differing.count() as f64 / PAIRS as f64);
}

#[test]
fn the_lower_bound_is_the_least_over_all_constants() {
    // `a` is the commonest label. The gain over `b` is larger by one pair, but less certain.
    let pairs = [("a", "a", 50), ("b", "b", 20), ("b", "a", 29), ("c", "c", 30)];
    let all = pairs.iter().flat_map(|(substrate, model, times)| {
        (0..*times).map(|index| (*substrate, Some(*model), (index % 7) as u8))
    });
    let labels = ModelLabels::new(counts(all).iter(), 0).unwrap();
    let found = labels.exact_gain(0.95).unwrap().0;
    let bounds = |gains, losses| paired_difference(gains, losses, 129, 0.95).unwrap();
    let (commonest, other) = (bounds(50, 0), bounds(80, 29));
    assert!(other.lower < commonest.lower);
    assert_eq!(found.lower, other.lower);
}

#[test]
fn the_upper_bound_is_the_greatest_over_the_labels_that_may_be_the_commonest() {
    // The substrate gives `a` and `b` with these numbers, and the model errs in ten pairs of each.
    let found = |a: u64, b: u64| {
        let pairs = [("a", "a", a - 10), ("a", "b", 10), ("b", "b", b - 10), ("b", "a", 10)];
        let all = pairs.iter().flat_map(|(substrate, model, times)| {
            (0..*times).map(|index| (*substrate, Some(*model), (index % 61) as u8))
        });
        let labels = ModelLabels::new(counts(all).iter(), 0).unwrap();
        labels.exact_gain(0.95).unwrap().0.upper
    };
    // The level of the upper bound without that of one exclusion.
    let over = |gains, n| paired_difference(gains, 10, n, 1.0 - 0.9 * 0.05).unwrap().upper;
    // `a` is not certainly commoner than `b`, so the gain over `b` counts, which is larger.
    assert_eq!(found(510, 490), over(500, 1000));
    assert!(found(510, 490) > over(480, 1000));
    // `b` is certainly not the commonest label.
    assert_eq!(found(700, 300), over(290, 1000));
}

#[test]
fn a_model_with_one_label_is_a_constant() {
    let of = |answer: fn(u64) -> Option<&'static str>| {
        let pairs = (0..PAIRS).map(|index| (pair(index).0, answer(index), pair(index).2));
        ModelLabels::new(counts(pairs).iter(), 0).unwrap().agreement(ChanceMeasure::Kappa)
    };
    let operate = of(|_| Some("operate"));
    assert_eq!((operate.is_constant, operate.gain, operate.kappa), (Some(true), 0.0, Some(0.0)));
    // A model that gives a label or no answer is one, too; without any answer there is no constant.
    assert_eq!(of(|index| (index % 2 == 0).then_some("delay")).is_constant, Some(true));
    assert_eq!(of(|_| None).is_constant, Some(false));
}

#[test]
fn missing_bounds_have_a_reason() {
    let alone = |group| {
        let pairs = (0..PAIRS).map(|index| (pair(index).0, pair(index).1, group));
        ModelLabels::new(counts(pairs).iter(), 0).unwrap()
    };
    assert_eq!(alone(3).jackknife_kappa(ClusterLimits::NONE, 0.95), Err(MissingInterval::FewGroups));
    assert_eq!(alone(3).jackknife_gain(ClusterLimits::NONE, 0.95), Err(MissingInterval::FewGroups));
    let equal = (0..64).map(|index| ("a", Some("a"), index as u8));
    let equal = ModelLabels::new(counts(equal).iter(), 0).unwrap();
    assert_eq!(equal.jackknife_kappa(ClusterLimits::NONE, 0.95), Err(MissingInterval::UndefinedReplicate));
    // Sixty-four equal gains of 0 show no spread, and bound the gain as independent scores in [-1, 1].
    let (interval, method) = equal.jackknife_gain(ClusterLimits::NONE, 0.95).unwrap();
    assert_eq!(method, IntervalMethod::EqualScores);
    // The level of the upper bound without that of the exclusion of other labels.
    assert_close(interval.upper, 1.0 - 0.045f64.powf(1.0 / 64.0));
    assert!(ModelLabels::new(counts(std::iter::empty()).iter(), 0).is_none());
}

type Bounds = fn(&ModelLabels, ClusterLimits, f64) -> Result<(Interval, IntervalMethod), MissingInterval>;

#[test]
fn few_independent_pairs_widen_the_bounds() {
    let labels = labels();
    let found = labels.agreement(ChanceMeasure::Kappa);
    let bounds: [(f64, Bounds); 2] =
        [(found.gain, ModelLabels::jackknife_gain), (found.kappa.unwrap(), ModelLabels::jackknife_kappa)];
    for (value, jackknife) in bounds {
        let few = ClusterLimits { pairs: 8.0, ..ClusterLimits::NONE };
        let [wide, narrow] =
            [few, ClusterLimits::NONE].map(|limits| jackknife(&labels, limits, 0.95).unwrap().0);
        // The standard error of 8 scores from -1 to 1 with this mean is at most the root of (1 - m^2) / 8.
        // scipy.stats.t.ppf(0.95, 15)
        let reach = 1.7530503556925547 * ((1.0 - value * value) / 8.0).sqrt();
        assert!((wide.lower - (value - reach)).abs() < 1e-9, "{wide:?} {value} {reach}");
        assert!(wide.upper >= narrow.upper && wide.upper <= 1.0, "{wide:?}");
    }
}

#[test]
fn clusters_that_are_too_rare_to_be_observed_widen_the_bounds() {
    // 4,000 pairs in 40 groups. In each group, four pairs of 100 disagree.
    let pairs = (0..4000u64).map(|index| {
        let substrate = if (index / 40).is_multiple_of(2) { "a" } else { "b" };
        let model = if index / 40 % 100 < 4 { "c" } else { substrate };
        (substrate, Some(model), (index % 40) as u8)
    });
    let labels = ModelLabels::new(counts(pairs).iter(), 0).unwrap();
    let found = labels.agreement(ChanceMeasure::Kappa);
    let limits = ClusterLimits { clusters: 40.0, ..ClusterLimits::NONE };
    let gain = labels.jackknife_gain(limits, 0.95).unwrap().0;
    // The agreement of the groups shows no spread, and neither does the gain.
    assert_close(gain.lower, equal_scores(found.gain, 40, (-1.0, 1.0), 0.95).unwrap().lower);

    let uneven = (0..4000u64).map(|index| {
        let substrate = if (index / 40).is_multiple_of(2) { "a" } else { "b" };
        let model = if index / 40 % 100 < index % 40 % 5 { "c" } else { substrate };
        (substrate, Some(model), (index % 40) as u8)
    });
    let labels = ModelLabels::new(counts(uneven).iter(), 0).unwrap();
    let found = labels.agreement(ChanceMeasure::Kappa);
    let bounds: [(f64, Bounds); 2] =
        [(found.gain, ModelLabels::jackknife_gain), (found.kappa.unwrap(), ModelLabels::jackknife_kappa)];
    for (value, jackknife) in bounds {
        let [rare, usual] =
            [limits, ClusterLimits::NONE].map(|limits| jackknife(&labels, limits, 0.95).unwrap().0);
        // A fourteenth of 40 clusters may fail as a whole: 0.05^(1/40) is 0.93. Each would cost about two, or one and a bit.
        assert!(usual.lower > value - 0.02 && rare.lower < value - 0.06, "{value} {usual:?} {rare:?}");
    }
}

#[test]
fn few_disagreements_have_the_exact_bounds_of_their_share() {
    // One disagreement, which is in one group, so the logarithm of its distance from 1 is not defined without this group.
    let found = |disagreements: u64| {
        let pairs = (0..600).map(|index: u64| {
            let substrate = if index.is_multiple_of(2) { "a" } else { "b" };
            let model = if index < disagreements { "c" } else { substrate };
            (substrate, Some(model), (index % 60) as u8)
        });
        let labels = ModelLabels::new(counts(pairs).iter(), 0).unwrap();
        let kappa = labels.agreement(ChanceMeasure::Kappa).kappa.unwrap();
        let exact = clopper_pearson(600 - disagreements, 600, 0.95).unwrap();
        let scaled = |bound: f64| 1.0 - (1.0 - kappa) * (1.0 - bound) / (disagreements as f64 / 600.0);
        (labels.jackknife_kappa(ClusterLimits::NONE, 0.95).unwrap().0, scaled(exact.lower))
    };
    let (one, lower) = found(1);
    // The bound for unseen pairs also allows for rarer labels.
    assert!((lower - 2e-4..=lower).contains(&one.lower), "{one:?} {lower}");
    // The jackknife's own upper bound is wider.
    assert_eq!(one.upper, 1.0);
    // The bound for one event is 4.74 (scipy.stats.gamma.ppf(0.95, 2)), where the jackknife alone has 2.67.
    assert!(((1.0 - one.lower) * 600.0 / 2.0 - 4.74).abs() < 0.05, "{one:?}");
    let (many, lower) = found(30);
    assert!(many.lower > lower, "{many:?}");
}

#[test]
fn two_groups_are_enough_for_bounds() {
    let pairs = (0..PAIRS).map(|index| (pair(index).0, pair(index).1, (index % 7 % 2) as u8));
    let labels = ModelLabels::new(counts(pairs).iter(), 0).unwrap();
    assert_eq!(
        labels.jackknife_kappa(ClusterLimits::NONE, 0.95).map(|(_, method)| method),
        Ok(IntervalMethod::Jackknife)
    );
    assert_eq!(
        labels.jackknife_gain(ClusterLimits::NONE, 0.95).map(|(_, method)| method),
        Ok(IntervalMethod::Jackknife)
    );
}

#[test]
fn kappas_that_differ_by_rounding_have_no_bounds() {
    // All but three pairs are equal labels, so that kappa divides by a remainder near 0. Each group has the same shares.
    let (many, few) = (1_000_000_007, 2);
    let group = |times: u64| {
        let row = |substrate, agreed| LabelRow {
            substrate: times * substrate,
            given: times * substrate,
            agreed: times * agreed,
        };
        vec![row(many, many - 1), row(few, 1)]
    };
    let groups = [1, 2, 3].map(group).to_vec();
    let labels = ModelLabels { total: group(6), groups, windows: Vec::new() };
    let without = labels.leave_one_out(kappa).unwrap();
    assert!(
        without.iter().any(|value| *value != without[0]),
        "the replicates differ by rounding: {without:?}"
    );
    assert_eq!(labels.jackknife_kappa(ClusterLimits::NONE, 0.95), Err(MissingInterval::NoSpread));
}
