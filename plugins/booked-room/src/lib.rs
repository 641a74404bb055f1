//! A model: the guest gets the room type that was reserved. The simplest thing that could work, and a hard one to beat.

use understudy_sdk::prelude::*;

/// What it reads of a booking.
#[derive(Input)]
pub struct Booking<'a> {
    reserved_room_type: &'a str,
}

/// The model.
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
    fn it_answers_what_was_reserved() {
        assert_eq!(BookedRoom.decide(Booking { reserved_room_type: "d" }), "d");
    }
}
