//! This machine's clock, which limits the event times of arriving records.

use jiff::Timestamp;
use understudy_study::Micros;

/// The current time.
pub(crate) fn wall_clock() -> Micros {
    Micros(Timestamp::now().as_microsecond())
}
