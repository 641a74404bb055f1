//! The latencies of the models, as a running study may show them.
//!
//! Invariants:
//! - The published latencies of a model cover at least [`USAGE_BLOCK_ROWS`] answers more than those before.
//! - The first ones of a process cover that many answers more than the log had at its start.
//!
//! The time of a call can depend on its answer, so the latency of a single row could tell it.

use crate::stats::latency::LatencyHistogram;
use understudy_sandbox::USAGE_BLOCK_ROWS;

/// The latencies that were published last, for each model.
pub(crate) struct PublishedLatencies(Vec<PublishedLatency>);

struct PublishedLatency {
    /// Number of answers of the run when the histogram was copied, or at the start.
    answers: u64,
    /// Empty before the first block.
    latency: LatencyHistogram,
}

impl PublishedLatencies {
    /// No latencies. `current` are the latencies of each model at the start of the process.
    pub(crate) fn new(current: &[LatencyHistogram]) -> PublishedLatencies {
        let published = |latency: &LatencyHistogram| PublishedLatency {
            answers: latency.histogram().len(),
            latency: LatencyHistogram::default(),
        };
        PublishedLatencies(current.iter().map(published).collect())
    }

    /// The latencies to publish now, for each model. `current` are those of all answers so far.
    pub(crate) fn update(&mut self, current: &[LatencyHistogram]) -> impl Iterator<Item = &LatencyHistogram> {
        for (published, current) in self.0.iter_mut().zip(current) {
            let answers = current.histogram().len();
            if answers >= published.answers + USAGE_BLOCK_ROWS {
                *published = PublishedLatency { answers, latency: current.clone() };
            }
        }
        self.0.iter().map(|published| &published.latency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use understudy_study::Nanos;

    #[test]
    fn latencies_change_with_whole_blocks_since_the_start() {
        let mut current = vec![LatencyHistogram::default(); 2];
        current[1].record_n(Nanos(5), 7000);
        let mut published = PublishedLatencies::new(&current);
        let mut counts = Vec::new();
        for answer in 0..2500 {
            current.iter_mut().for_each(|latency| latency.record(Nanos(answer)));
            counts.push(
                published.update(&current).map(|latency| latency.histogram().len()).collect::<Vec<_>>(),
            );
        }
        counts.dedup();
        assert_eq!(counts, [[0, 0], [1000, 8000], [2000, 9000]]);
        let shown = published.update(&current).next().expect("two models");
        assert_eq!((shown.histogram().len(), shown.histogram().max() / 1000), (2000, 1));
    }
}
