//! A model: the historical average rate of similar bookings, which the snapshot contains. A baseline for
//! price models.

use understudy_sdk::prelude::*;

/// The fields of a booking that the model reads.
#[derive(Input)]
pub struct Booking {
    historical_adr: f64,
}

/// A model that answers the historical average rate.
pub struct HistoricalRate;

impl Model for HistoricalRate {
    type Config = NoConfig;
    type Input<'a> = Booking;
    type Answer<'a> = f64;

    fn new(_: NoConfig, _: &Assets) -> Result<Self, String> {
        Ok(Self)
    }

    fn decide(&self, booking: Booking) -> f64 {
        booking.historical_adr
    }
}

export_model!(HistoricalRate);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_the_historical_rate() {
        assert_eq!(HistoricalRate.decide(Booking { historical_adr: 104.98 }), 104.98);
    }
}
