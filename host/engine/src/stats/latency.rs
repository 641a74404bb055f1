//! Latency histograms, and the percentiles that are read from them.

use hdrhistogram::Histogram;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use understudy_study::Nanos;

/// Histogram of latencies in ns, to three significant digits.
#[derive(Clone, Debug, PartialEq)]
pub struct LatencyHistogram(Histogram<u64>);

impl Default for LatencyHistogram {
    fn default() -> LatencyHistogram {
        LatencyHistogram(Histogram::new(3).expect("three digits are allowed"))
    }
}

impl LatencyHistogram {
    /// Adds one latency, in ns.
    pub fn record(&mut self, latency: Nanos) {
        self.record_n(latency, 1);
    }

    /// Adds `count` equal latencies, in ns.
    pub fn record_n(&mut self, latency: Nanos, count: u64) {
        // A count of 0 would still raise the histogram's maximum.
        if count > 0 {
            self.0.record_n(latency.0, count).expect("the histogram grows");
        }
    }

    /// The underlying histogram.
    pub fn histogram(&self) -> &Histogram<u64> {
        &self.0
    }
}

impl Serialize for LatencyHistogram {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let counts = self.0.iter_recorded().map(|at| (at.value_iterated_to(), at.count_at_value()));
        counts.collect::<Vec<(u64, u64)>>().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for LatencyHistogram {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<LatencyHistogram, D::Error> {
        let mut times = LatencyHistogram::default();
        for (value, count) in Vec::<(u64, u64)>::deserialize(deserializer)? {
            times.0.record_n(value, count).map_err(serde::de::Error::custom)?;
        }
        Ok(times)
    }
}

/// Percentiles of latencies in ns, to three significant digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct LatencyPercentiles {
    /// Number of values.
    pub count: u64,
    /// Median.
    pub p50: u64,
    /// 90th percentile.
    pub p90: u64,
    /// 99th percentile.
    pub p99: u64,
    /// Maximum.
    pub max: u64,
}

impl LatencyPercentiles {
    /// Reads the percentiles from a histogram.
    pub fn from_histogram(histogram: &Histogram<u64>) -> LatencyPercentiles {
        let at = |quantile| histogram.value_at_quantile(quantile);
        LatencyPercentiles {
            count: histogram.len(),
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            max: histogram.max(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use understudy_run_log::checkpoint;

    proptest! {
        #[test]
        fn a_histogram_survives_serialisation(
            nanos in prop::collection::vec(prop_oneof![0u64..5000, any::<u64>().prop_map(|n| n >> 8)], 0..200),
        ) {
            let mut times = LatencyHistogram::default();
            nanos.iter().for_each(|nanos| times.record(Nanos(*nanos)));
            let again: LatencyHistogram = checkpoint::decode(&checkpoint::encode(&times).unwrap()).unwrap();
            prop_assert_eq!(LatencyPercentiles::from_histogram(times.histogram()), LatencyPercentiles::from_histogram(again.histogram()));
            prop_assert_eq!(again, times);
        }
    }
}
