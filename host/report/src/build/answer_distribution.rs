//! Builds the joint distributions of a model's answers and the substrate's.
//!
//! Invariants:
//! - Pairs that a list leaves out are counted beside it.
//! - Before the end of a run, no entry of a list covers fewer than five pairs of a block of windows, so none does as the difference
//!   of two reports. There are no quantiles.

use crate::model::divergence::{
    AnswerDistribution, AnswerDistributions, AnswerPair, HistogramBin, RankCount, ReliabilityBin,
};
use understudy_engine::RunResult;
use understudy_statistics::scoring::{
    self, AnswerHistogram, BottomKCounts, ErrorHistogram, InterimFigures, LabelCell, LabelMetrics,
    RankPositions, Window, shown_label_cells, wilson, withheld_counts,
};
use understudy_statistics::verdict::DISPLAY_CONFIDENCE;

/// The maximum number of answer pairs that are listed over all pairs, and for a condition value.
const MAX_LISTED: usize = 1024;
/// The maximum number of answer pairs that are listed for a window.
const MAX_LISTED_IN_WINDOW: usize = 5;
/// Histogram bins on each side of 0; one more bin on each side holds everything beyond.
const BINS_PER_SIDE: u32 = 12;

/// The joint distributions of a model's answers and the substrate's. `interim` says which figures may be shown before the
/// end of a run; `None` for a final report.
pub fn answer_distributions(
    outcome: &RunResult,
    model: usize,
    interim: Option<&InterimFigures>,
) -> AnswerDistributions {
    let distributions = &outcome.answer_distributions;
    let shape = outcome.cells.shape();
    let is_final = interim.is_none();
    let in_block =
        |windows: &[Window]| distributions.fold(model, |window| windows.binary_search(&window).is_ok());
    let blocks: Option<Vec<AnswerHistogram>> =
        interim.map(|interim| interim.blocks().map(in_block).collect());
    // Before the end, a list of answers could reveal one for a row that is still to be decided.
    let detail = |listed, is_overall| Detail {
        listed: if is_final || is_overall { listed } else { 0 },
        is_overall,
        blocks: blocks.as_deref(),
    };
    let none = distributions.fold(model, |_| false);
    let shown = |is_shown: bool, counts, detail| distribution(if is_shown { counts } else { &none }, detail);
    let is_all_shown = interim.is_none_or(InterimFigures::shows_all);
    AnswerDistributions {
        overall: shown(is_all_shown, &distributions.fold(model, |_| true), detail(MAX_LISTED, true)),
        conditions: shape
            .conditions
            .iter()
            .enumerate()
            .map(|(condition, values)| {
                let for_value = |value| {
                    let is_shown = interim.is_none_or(|interim| interim.shows_value(condition, value));
                    let counts = distributions.for_value(condition, value, model);
                    shown(is_shown, counts, detail(MAX_LISTED, false))
                };
                (0..*values).map(for_value).collect()
            })
            .collect(),
        windows: outcome
            .cells
            .iter()
            .map(|(window, _)| {
                let is_shown = interim.is_none_or(|interim| interim.shows_window(window));
                let counts = distributions.in_window(window, model).unwrap_or(&none);
                shown(is_shown, counts, detail(MAX_LISTED_IN_WINDOW, false))
            })
            .collect(),
    }
}

/// The agreement of a model by its confidence.
pub fn reliability(outcome: &RunResult, model: usize) -> Vec<ReliabilityBin> {
    let bin = |([from, to], counts): ([f64; 2], &scoring::ReliabilityBinSums)| {
        let bounds = wilson(counts.agreeing, counts.pairs, DISPLAY_CONFIDENCE)?;
        let pairs = counts.pairs as f64;
        Some(ReliabilityBin {
            from,
            to,
            pairs: counts.pairs,
            mean_confidence: counts.confidence.value() / pairs,
            agreement: counts.agreeing as f64 / pairs,
            lower: bounds.lower,
            upper: bounds.upper,
        })
    };
    outcome.answer_distributions.reliability(model).bins().filter_map(bin).collect()
}

/// How much of a distribution is shown.
#[derive(Clone, Copy)]
struct Detail<'b> {
    /// The maximum number of answer pairs that are listed.
    listed: usize,
    /// Whether the distribution covers all pairs.
    is_overall: bool,
    /// Before the end of the run, the distribution of each block of windows that a report may add; `None` after it.
    blocks: Option<&'b [AnswerHistogram]>,
}

impl Detail<'_> {
    fn is_final(self) -> bool {
        self.blocks.is_none()
    }

    /// For each of these numbers of pairs whether it is shown. `in_block` are those of a block.
    fn shown_counts(self, counts: &[u64], in_block: impl Fn(&AnswerHistogram) -> Vec<u64>) -> Vec<bool> {
        let Some(blocks) = self.blocks else { return vec![true; counts.len()] };
        let mut shown = vec![self.is_overall; counts.len()];
        for counts in blocks.iter().map(in_block).chain([counts.to_vec()]) {
            shown.iter_mut().zip(withheld_counts(&counts)).for_each(|(shown, withheld)| *shown &= !withheld);
        }
        shown
    }
}

fn distribution(counts: &AnswerHistogram, detail: Detail) -> AnswerDistribution {
    match counts {
        AnswerHistogram::Labels(matrix) => labels(matrix, detail),
        AnswerHistogram::Numbers(errors) => numbers(errors, detail),
        AnswerHistogram::Rankings(places) => ranks(places, detail),
    }
}

/// The ranks of the substrate's first item. The last count of the list is that of the pairs without it.
fn ranks(places: &RankPositions, detail: Detail) -> AnswerDistribution {
    let counts: Vec<u64> = places.places.values().copied().chain([places.absent]).collect();
    let shown = detail.shown_counts(&counts, |block| {
        let AnswerHistogram::Rankings(block) = block else { return Vec::new() };
        let known = places.places.keys().map(|rank| block.places.get(rank).copied().unwrap_or(0));
        known.chain([block.absent]).collect()
    });
    let withheld = counts.iter().zip(&shown).filter(|(_, is_shown)| !**is_shown);
    let ranks = places.places.iter().zip(&shown).filter(|(_, is_shown)| **is_shown);
    AnswerDistribution::Ranking {
        unanswered: places.unanswered,
        absent: shown.last().is_none_or(|is_shown| *is_shown).then_some(places.absent),
        unranked: places.unranked,
        unlisted_pairs: withheld.map(|(pairs, _)| pairs).sum(),
        ranks: ranks.map(|((rank, pairs), _)| RankCount { rank: *rank, pairs: *pairs }).collect(),
        longest: places.longest,
    }
}

/// At most `detail.listed` cells of the confusion matrix; before the end of a run those of [`shown_label_cells`]. If too many
/// labels are known to count all of them, there are none then.
fn labels(matrix: &BottomKCounts, detail: Detail) -> AnswerDistribution {
    let is_agreeing = |pair: &AnswerPair| pair.model.as_ref() == Some(&pair.substrate);
    let mut answers: Vec<AnswerPair> = answer_pairs(matrix);
    let sum = |pairs: &[AnswerPair]| pairs.iter().map(|pair| pair.pairs).sum::<u64>();
    let (agreeing, untracked_pairs) = (matrix.agreeing(), matrix.other());
    let all = sum(&answers) + untracked_pairs;
    if let Some(blocks) = detail.blocks {
        let cells: Vec<LabelCell<'_>> = answers
            .iter()
            .map(|pair| LabelCell {
                model: pair.model.as_deref(),
                substrate: &pair.substrate,
                pairs: pair.pairs,
            })
            .collect();
        let blocks: Vec<Vec<LabelCell<'_>>> = blocks.iter().map(label_cells).collect();
        let mut shown = shown_label_cells(&cells, &blocks).into_iter();
        answers.retain(|_| shown.next() == Some(true) && untracked_pairs == 0);
    }
    match detail.listed {
        MAX_LISTED_IN_WINDOW => answers.retain(|pair| !is_agreeing(pair)),
        _ => answers.sort_by_key(|pair| !is_agreeing(pair)),
    }
    answers.truncate(detail.listed);
    let metrics = LabelMetrics::new(matrix).filter(|_| detail.is_final()).map(|metrics| {
        let labels = if detail.is_overall { metrics.labels } else { Vec::new() };
        LabelMetrics { labels, ..metrics }
    });
    AnswerDistribution::Label {
        agreeing,
        differing: all - agreeing,
        unlisted_pairs: all - sum(&answers),
        untracked_pairs,
        answers,
        metrics,
    }
}

/// The cells of the confusion matrix of a block.
fn label_cells(block: &AnswerHistogram) -> Vec<LabelCell<'_>> {
    let AnswerHistogram::Labels(matrix) = block else { return Vec::new() };
    matrix
        .iter()
        .map(|((model, substrate), pairs)| LabelCell { model: model.as_deref(), substrate, pairs })
        .collect()
}

/// The cells of the confusion matrix, the most common first.
pub fn answer_pairs(matrix: &BottomKCounts) -> Vec<AnswerPair> {
    let listed = matrix.iter().map(|((model, substrate), pairs)| AnswerPair {
        model: model.clone(),
        substrate: substrate.clone(),
        pairs,
    });
    let mut listed: Vec<AnswerPair> = listed.collect();
    listed.sort_by_key(|pair| std::cmp::Reverse(pair.pairs));
    listed
}

/// The shares of the quantiles of an error.
const SHARES: [f64; 5] = [0.05, 0.25, 0.5, 0.75, 0.95];

fn numbers(errors: &ErrorHistogram, detail: Detail) -> AnswerDistribution {
    let answered = errors.count();
    let n = answered as f64;
    let mean = (answered > 0).then(|| errors.sum.value() / n);
    // The quantiles of two reports would tell where few errors are.
    let at = SHARES.map(|share| errors.quantile(share).filter(|_| detail.is_final()));
    let mut bins = if detail.is_overall { histogram(errors) } else { Vec::new() };
    let counts: Vec<u64> = bins.iter().map(|bin| bin.pairs).collect();
    let shown = detail.shown_counts(&counts, |block| match block {
        AnswerHistogram::Numbers(block) => bins.iter().map(|bin| errors_in(block, bin)).collect(),
        _ => Vec::new(),
    });
    let mut shown = shown.into_iter();
    let in_bins = |bins: &[HistogramBin]| bins.iter().map(|bin| bin.pairs).sum::<u64>();
    let all = in_bins(&bins);
    bins.retain(|_| shown.next().unwrap_or(true));
    AnswerDistribution::Number {
        answered,
        unanswered: errors.unanswered,
        mean_error: mean.filter(|mean| mean.is_finite()),
        standard_deviation: errors.standard_deviation(),
        quantiles: match at {
            [Some(a), Some(b), Some(c), Some(d), Some(e)] => Some([a, b, c, d, e]),
            _ => None,
        },
        unlisted_pairs: all - in_bins(&bins),
        histogram: bins,
    }
}

/// A histogram with bins of one round width over 95 % of the absolute errors, and one bin for the rest on each side.
/// If 95 % of the errors are 0, the bins cover all errors; if all errors are 0, there is a single bin.
fn histogram(errors: &ErrorHistogram) -> Vec<HistogramBin> {
    let reach = [0.95, 1.0].map(|share| errors.absolute_quantile(share));
    let Some(reach) = reach.into_iter().flatten().find(|reach| *reach > 0.0) else {
        let exact = HistogramBin { from: Some(0.0), to: Some(0.0), pairs: errors.count() };
        return if exact.pairs == 0 { Vec::new() } else { vec![exact] };
    };
    let width = round_up(reach.max(f64::MIN_POSITIVE) / f64::from(BINS_PER_SIDE));
    let edges: Vec<f64> =
        (-(BINS_PER_SIDE as i32)..=BINS_PER_SIDE as i32).map(|bin| f64::from(bin) * width).collect();
    let (Some(&first), Some(&last)) = (edges.first(), edges.last()) else { return Vec::new() };
    let inner = edges.windows(2).map(|edges| HistogramBin {
        from: Some(edges[0]),
        to: Some(edges[1]),
        pairs: errors.count_between(edges[0], edges[1]),
    });
    let below =
        HistogramBin { from: None, to: Some(first), pairs: errors.count_between(f64::NEG_INFINITY, first) };
    let above = HistogramBin { from: Some(last), to: None, pairs: errors.count_between(last, f64::INFINITY) };
    std::iter::once(below).chain(inner).chain([above]).collect()
}

/// The number of errors in a bin of a [`histogram`].
fn errors_in(errors: &ErrorHistogram, bin: &HistogramBin) -> u64 {
    match (bin.from, bin.to) {
        // The only bin, whose errors are all 0.
        (Some(from), Some(to)) if from == to => errors.count(),
        (from, to) => errors.count_between(from.unwrap_or(f64::NEG_INFINITY), to.unwrap_or(f64::INFINITY)),
    }
}

/// The smallest number of the form 1, 2, 5 or 10 times a power of ten that is not below `width`.
fn round_up(width: f64) -> f64 {
    let power = 10f64.powf(width.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .map(|digit| digit * power)
        .into_iter()
        .find(|round| *round >= width)
        .unwrap_or(width)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unlisted_labels_are_counted() {
        let mut matrix = BottomKCounts::default();
        let labels_of = |model: &str, substrate: &str| (Some(model.to_owned()), substrate.to_owned());
        matrix.add(labels_of("a", "a"), 50);
        matrix.add(labels_of("b", "b"), 9);
        (0..7).for_each(|at| matrix.add(labels_of("a", &format!("x{at}")), 10 + at));
        matrix.add((None, "a".to_owned()), 4);
        let AnswerDistribution::Label { agreeing, differing, answers, unlisted_pairs, .. } =
            labels(&matrix, Detail { listed: MAX_LISTED_IN_WINDOW, is_overall: false, ..OVERALL })
        else {
            panic!()
        };
        assert_eq!((agreeing, differing, answers.len()), (59, 95, 5));
        assert_eq!((answers[0].substrate.as_str(), answers[0].pairs), ("x6", 16));
        assert_eq!(unlisted_pairs, 154 - answers.iter().map(|pair| pair.pairs).sum::<u64>());
        let AnswerDistribution::Label { answers, unlisted_pairs, .. } = labels(&matrix, OVERALL) else {
            panic!()
        };
        assert_eq!((answers.len(), unlisted_pairs), (10, 0));
        let metrics = |detail| match labels(&matrix, detail) {
            AnswerDistribution::Label { metrics, .. } => metrics,
            _ => panic!("labels"),
        };
        // Eight labels besides `b`; those of a part of the pairs are left out, and all of an interim report.
        assert_eq!(metrics(OVERALL).unwrap().labels.len(), 9);
        assert_eq!(metrics(Detail { is_overall: false, ..OVERALL }).unwrap().labels, []);
        assert_eq!(metrics(INTERIM), None);
        assert_eq!((answers[0].pairs, answers[1].pairs, answers[2].pairs), (50, 9, 16));
        let AnswerDistribution::Label { agreeing, answers, unlisted_pairs, .. } = labels(&matrix, INTERIM)
        else {
            panic!()
        };
        // The cell of four pairs without an answer is withheld.
        assert_eq!((agreeing, answers.len(), unlisted_pairs), (59, 9, 4));
        let AnswerDistribution::Label { agreeing, differing, answers, unlisted_pairs, .. } =
            labels(&matrix, Detail { listed: 0, is_overall: false, ..INTERIM })
        else {
            panic!()
        };
        assert_eq!((agreeing, differing, answers.len(), unlisted_pairs), (59, 95, 0, 154));
    }

    const OVERALL: Detail<'_> = Detail { listed: MAX_LISTED, is_overall: true, blocks: None };
    /// Before the end, where a report adds all pairs.
    const INTERIM: Detail<'_> = Detail { blocks: Some(&[]), ..OVERALL };

    /// The histogram, the pairs that it leaves out, and the quantiles.
    fn numbers_of(errors: &ErrorHistogram, detail: Detail) -> (Vec<HistogramBin>, u64, Option<[f64; 5]>) {
        match numbers(errors, detail) {
            AnswerDistribution::Number { histogram, unlisted_pairs, quantiles, .. } => {
                (histogram, unlisted_pairs, quantiles)
            }
            _ => panic!("errors are numbers"),
        }
    }

    #[test]
    fn bins_of_few_errors_are_withheld_before_the_end() {
        let mut errors = ErrorHistogram::default();
        (0..99).for_each(|_| errors.add(0.0));
        errors.add(-11.0);
        let (bins, unlisted, quantiles) = numbers_of(&errors, INTERIM);
        // The smallest other bin is withheld with the bin of one error.
        assert_eq!((bins.iter().map(|bin| bin.pairs).sum::<u64>(), unlisted), (0, 100));
        assert_eq!(quantiles, None);
        let (bins, unlisted, quantiles) = numbers_of(&errors, OVERALL);
        assert_eq!((bins.iter().map(|bin| bin.pairs).sum::<u64>(), unlisted), (100, 0));
        assert_eq!(quantiles, Some([0.0; 5]));
        assert_eq!(numbers_of(&errors, Detail { is_overall: false, ..INTERIM }), (Vec::new(), 0, None));
        // Many errors of -11, of which a report adds one.
        let errors_of = |zeros, others| {
            let mut errors = ErrorHistogram::default();
            (0..zeros).for_each(|_| errors.add(0.0));
            (0..others).for_each(|_| errors.add(-11.0));
            errors
        };
        for (added, shown) in [(1, 0), (6, 146)] {
            let blocks = [errors_of(90, 40), errors_of(10, added)].map(AnswerHistogram::Numbers);
            let detail = Detail { blocks: Some(&blocks), ..OVERALL };
            let (bins, unlisted, _) = numbers_of(&errors_of(100, 40 + added), detail);
            let listed = bins.iter().map(|bin| bin.pairs).sum::<u64>();
            assert_eq!((listed, unlisted), (shown, 140 + added - shown));
        }
    }

    /// The ranks with their pairs, the pairs without the first item, and those that the list leaves out.
    fn found_in(places: &RankPositions, detail: Detail<'_>) -> (Vec<(u32, u64)>, Option<u64>, u64) {
        match ranks(places, detail) {
            AnswerDistribution::Ranking { ranks, absent, unlisted_pairs, .. } => {
                (ranks.iter().map(|found| (found.rank, found.pairs)).collect(), absent, unlisted_pairs)
            }
            _ => panic!("places are ranks"),
        }
    }

    #[test]
    fn ranks_of_few_pairs_are_withheld_before_the_end() {
        let mut places = RankPositions { absent: 3, ..RankPositions::default() };
        places.places.extend([(1, 40), (2, 9), (3, 1)]);
        let found = |detail| found_in(&places, detail);
        assert_eq!(found(OVERALL), (vec![(1, 40), (2, 9), (3, 1)], Some(3), 0));
        // Four withheld pairs are few, so the smallest other rank follows.
        assert_eq!(found(INTERIM), (vec![(1, 40)], None, 13));
        assert_eq!(found(Detail { is_overall: false, ..INTERIM }), (Vec::new(), None, 53));
        // A report adds two pairs of the second rank.
        let block = |first, second| {
            let places = [(1, first), (2, second)].into_iter().collect();
            AnswerHistogram::Rankings(RankPositions { places, ..RankPositions::default() })
        };
        let mut two = RankPositions::default();
        two.places.extend([(1, 40), (2, 9)]);
        let found = |blocks: &[AnswerHistogram]| found_in(&two, Detail { blocks: Some(blocks), ..OVERALL });
        assert_eq!(found(&[block(30, 7), block(10, 2)]).0, []);
        assert_eq!(found(&[block(30, 9), block(10, 0)]).0, [(1, 40), (2, 9)]);
    }

    #[test]
    fn a_histogram_holds_every_error_once() {
        let mut errors = ErrorHistogram::default();
        (-300..=1000).for_each(|error| errors.add(f64::from(error)));
        let bins = histogram(&errors);
        assert_eq!(bins.iter().map(|bin| bin.pairs).sum::<u64>(), 1301);
        assert_eq!(bins[1].to.unwrap() - bins[1].from.unwrap(), 100.0);
        let mut none = ErrorHistogram::default();
        none.unanswered = 3;
        assert_eq!(histogram(&none), []);
    }

    #[test]
    fn each_whole_error_has_its_own_bin() {
        let mut errors = ErrorHistogram::default();
        let many = |error: i32| 50 + (7 * error * error + error) % 40;
        (-9..10).for_each(|error| (0..many(error)).for_each(|_| errors.add(f64::from(error))));
        for bin in histogram(&errors) {
            let (Some(from), Some(to)) = (bin.from, bin.to) else {
                assert_eq!(bin.pairs, 0, "{bin:?}");
                continue;
            };
            assert_eq!(to - from, 1.0);
            let expected = if from.abs() < 10.0 && from < 9.5 { many(from as i32) as u64 } else { 0 };
            assert_eq!(bin.pairs, expected, "{bin:?}");
        }
    }

    #[test]
    fn a_bin_includes_its_lower_bound() {
        let mut errors = ErrorHistogram::default();
        (-10..11).for_each(|error| (0..20 + error).for_each(|_| errors.add(f64::from(error) * 0.1)));
        let pairs_at = |at: i32| {
            let bins = histogram(&errors);
            let begins =
                |bin: &&HistogramBin| bin.from.is_some_and(|from| (from - f64::from(at) * 0.1).abs() < 1e-9);
            bins.iter().find(begins).map(|bin| bin.pairs)
        };
        for at in -10..11 {
            assert_eq!(pairs_at(at), Some((20 + at) as u64), "{at}");
        }
    }

    #[test]
    fn bins_cover_all_errors_where_nearly_all_are_zero() {
        let mut errors = ErrorHistogram::default();
        (0..99).for_each(|_| errors.add(0.0));
        assert_eq!(histogram(&errors), [HistogramBin { from: Some(0.0), to: Some(0.0), pairs: 99 }]);
        errors.add(-11.0);
        let bins = histogram(&errors);
        let disclosed: Vec<_> =
            bins.iter().filter(|bin| bin.pairs > 0).map(|bin| (bin.from, bin.pairs)).collect();
        assert_eq!(disclosed, [(Some(-11.0), 1), (Some(0.0), 99)]);
    }

    #[test]
    fn equal_labels_agree_even_if_they_are_not_counted_one_by_one() {
        let mut matrix = BottomKCounts::default();
        (0..3000).for_each(|at| matrix.add((Some(format!("{at}")), format!("{at}")), 2));
        matrix.add((Some("x".to_owned()), "y".to_owned()), 5);
        let AnswerDistribution::Label { agreeing, differing, unlisted_pairs, untracked_pairs, .. } =
            labels(&matrix, OVERALL)
        else {
            panic!()
        };
        assert_eq!((agreeing, differing), (6000, 5));
        assert!(
            unlisted_pairs == untracked_pairs && untracked_pairs > 3900,
            "{unlisted_pairs} and {untracked_pairs}"
        );
    }

    #[test]
    fn widths_are_rounded_up() {
        for (width, round) in [(0.11, 0.2), (1.0, 1.0), (3.0, 5.0), (61.0, 100.0)] {
            assert!((round_up(width) - round).abs() < 1e-12, "{width}");
        }
    }
}
