//! A rate limit for log messages that a flood of requests would repeat.
//!
//! Invariants:
//! - Suppressed occurrences are counted and reported with the next message.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Decides when a repeated event is logged again.
#[derive(Debug)]
pub struct LogRateLimit {
    interval: Duration,
    state: Mutex<RateState>,
}

#[derive(Debug, Default)]
struct RateState {
    last_logged: Option<Instant>,
    /// Occurrences since `last_logged`.
    pending: u64,
}

impl LogRateLimit {
    /// A limit of one message per interval.
    pub fn new(interval: Duration) -> LogRateLimit {
        LogRateLimit { interval, state: Mutex::default() }
    }

    /// Counts an occurrence at `now`. Returns the number of occurrences since the last message, including
    /// this one, if a message is due.
    pub fn due(&self, now: Instant) -> Option<u64> {
        let mut state = self.state.lock();
        state.pending += 1;
        if state.last_logged.is_some_and(|last| now.saturating_duration_since(last) < self.interval) {
            return None;
        }
        state.last_logged = Some(now);
        Some(std::mem::take(&mut state.pending))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suppressed_occurrences_are_reported_with_the_next_message() {
        let limit = LogRateLimit::new(Duration::from_secs(10));
        let start = Instant::now();
        let logged = [0, 1, 9, 10, 11, 30].map(|after| limit.due(start + Duration::from_secs(after)));
        assert_eq!(logged, [Some(1), None, None, Some(3), None, Some(2)]);
    }
}
