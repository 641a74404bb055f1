//! A model: assigns the reserved room type. A simple baseline that is hard to beat.

use understudy_sdk::prelude::*;

/// The fields of a booking that the model reads.
#[derive(Input)]
pub struct Booking<'a> {
    reserved_room_type: &'a str,
}

/// A model that answers the reserved room type.
pub struct BookedRoom;

impl Model for BookedRoom {
    type Config = NoConfig;
    type Input<'a> = Booking<'a>;
    type Answer<'a> = &'a str;

    fn new(_: NoConfig, _: &Assets) -> Result<Self, String> {
        Ok(Self)
    }

    fn decide<'a>(&'a self, booking: Booking<'a>) -> &'a str {
        booking.reserved_room_type
    }
}

export_model!(BookedRoom);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_the_reserved_room_type() {
        assert_eq!(BookedRoom.decide(Booking { reserved_room_type: "d" }), "d");
    }
}
