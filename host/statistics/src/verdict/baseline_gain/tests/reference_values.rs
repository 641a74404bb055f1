//! Checked against numpy and scipy: `tests/oracles/baselines.py` prints the values.

use super::*;

#[test]
fn gains_of_numbers_match_numpy_and_scipy() {
    let (verdict, reasons, gains) = numbers(NUMBERS).decide();
    let gains = gains.unwrap();
    assert_eq!((verdict, gains.pairs, gains.is_constant), (VerdictKind::Go, 587, false), "{reasons}");
    assert_close(gains.model.unwrap(), 2.1132879045996593);
    assert_eq!(gains.left_out, LeftOutPairs { unanswered: 12, without_decision: 1, unscored: 0 });
    let baselines: Vec<_> = gains.gains.iter().map(|found| (found.learned_from, found.baseline)).collect();
    let of =
        |set, baselines: &[Baseline]| baselines.iter().map(|baseline| (set, *baseline)).collect::<Vec<_>>();
    let of_decisions = [Baseline::Mean, Baseline::Median, Baseline::LastValue];
    let sets = [
        of(LearningSet::AllPairs, &of_decisions),
        of(LearningSet::AnsweredPairs, &of_decisions),
        of(LearningSet::OwnAnswers, &[Baseline::Median, Baseline::EarlierAnswer]),
    ];
    assert_eq!(baselines, sets.concat());
    let expected = [
        [2.7939449876203, 0.6806570830206408, 0.3284361672174043, 1.027255364978238],
        [2.7855195911413966, 0.6722316865417376, 0.31990783796499045, 1.0190924241769963],
        [3.443015332197615, 1.3297274275979556, 0.9537091612343005, 1.6970744995034934],
        [2.791256234286656, 0.6779683296869966, 0.32571071792962414, 1.0246304199527714],
        [2.7820272572402045, 0.6687393526405452, 0.3164338685265662, 1.0156126071061067],
        [3.4832197614991482, 1.369931856899489, 0.9925869202479873, 1.738430517425975],
        [2.765587734241908, 0.6522998296422486, 0.3000401606295995, 0.9993086524176462],
        [4.332538330494037, 2.2192504258943777, 1.8182381620093366, 2.6064692932955467],
    ];
    let method = IntervalMethod::BoundedMean;
    gains.gains.iter().zip(expected).for_each(|(found, expected)| assert_gain(found, method, expected));
    assert!(
        reasons
            .contains(" the median of the earlier decisions of answered pairs by 0.668739 (bound 0.316434)"),
        "{reasons}"
    );
    assert_eq!(reasons.matches(", over 587 of 600 pairs").count(), 1, "{reasons}");
}

#[test]
fn gains_of_rankings_match_numpy_and_scipy() {
    let (verdict, reasons, gains) = rankings(RANKINGS).decide();
    let gains = gains.unwrap();
    assert_eq!((verdict, gains.pairs), (VerdictKind::Go, 599), "{reasons}");
    // The metric counts unanswered pairs.
    assert_eq!(gains.left_out, LeftOutPairs { unanswered: 0, without_decision: 1, unscored: 0 });
    assert_close(gains.model.unwrap(), 0.7195325542570952);
    let baselines: Vec<_> = gains.gains.iter().map(|found| (found.learned_from, found.baseline)).collect();
    let expected = [
        (LearningSet::AllPairs, Baseline::CommonestItems),
        (LearningSet::AllPairs, Baseline::HighestRankedItems),
        (LearningSet::AllPairs, Baseline::CommonestLength),
        (LearningSet::OwnAnswers, Baseline::ConsensusRanking),
        (LearningSet::OwnAnswers, Baseline::EarlierAnswer),
    ];
    assert_eq!(baselines, expected);
    let expected = [
        [0.5984974958263773, 0.12103505843071787, 0.09840751632262035, 0.14434020695484284],
        [0.5984974958263773, 0.12103505843071787, 0.0934308081729931, 0.14814561049528752],
        [0.41986644407345575, 0.2996661101836394, 0.2731944533266055, 0.32540687136852],
        [0.5984974958263773, 0.12103505843071787, 0.09840751632262035, 0.14434020695484284],
        [0.5634390651085142, 0.15609348914858096, 0.13040716727809976, 0.18186873210517385],
    ];
    let method = IntervalMethod::BoundedMean;
    gains.gains.iter().zip(expected).for_each(|(found, expected)| assert_gain(found, method, expected));
}
