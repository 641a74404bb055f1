//! The histogram that every duration of the service is recorded in.

use prometheus_client::metrics::histogram::Histogram;

/// Upper bounds of the buckets, in seconds: from 0.1 ms, which a request without a disk sync takes, to 10 s,
/// which is the default time limit of a request.
const BUCKETS: [f64; 12] = [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0];

/// An empty histogram of durations in seconds.
pub fn request_duration_histogram() -> Histogram {
    Histogram::new(BUCKETS)
}
