//! How often something is said in the log.
//!
//! Always holds: what was not said is counted, and told the next time.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Says when it is time to say something again.
#[derive(Debug)]
pub struct Throttle {
    every: Duration,
    state: Mutex<(Option<Instant>, u64)>,
}

impl Throttle {
    /// At most once in a while.
    pub fn new(every: Duration) -> Throttle {
        Throttle { every, state: Mutex::default() }
    }

    /// Something happened: how often it did since it was last said, this time too, if it is time to say it.
    pub fn due(&self, now: Instant) -> Option<u64> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (said, unsaid) = &mut *state;
        *unsaid += 1;
        if said.is_some_and(|said| now.saturating_duration_since(said) < self.every) {
            return None;
        }
        *said = Some(now);
        Some(std::mem::take(unsaid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_is_counted() {
        let throttle = Throttle::new(Duration::from_secs(10));
        let start = Instant::now();
        let said = [0, 1, 9, 10, 11, 30].map(|after| throttle.due(start + Duration::from_secs(after)));
        assert_eq!(said, [Some(1), None, None, Some(3), None, Some(2)]);
    }
}
