//! A model: the rate that such bookings had in the past, as the feed itself gives it. A baseline for models of prices.

use understudy_sdk::prelude::*;

/// What it reads of a booking.
#[derive(Input)]
pub struct Booking {
    historical_adr: f64,
}

/// The model.
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
    fn it_answers_the_rate() {
        assert_eq!(HistoricalRate.decide(Booking { historical_adr: 104.98 }), 104.98);
    }
}
