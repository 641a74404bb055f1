//! The weeks of the hotel example: how many bookings got the room that was reserved.

/// A week of the hotel.
#[derive(Clone, Copy, Debug)]
pub struct Week {
    /// The bookings that got the reserved room.
    pub same_room: u64,
    /// The bookings.
    pub bookings: u64,
}

impl Week {
    /// The share of bookings that got the reserved room.
    pub fn share(&self) -> f64 {
        self.same_room as f64 / self.bookings as f64
    }
}

/// The hotel's weeks, in order of time.
pub fn hotel_weeks() -> Vec<Week> {
    let csv = include_str!("../../../../examples/hotel/agreement-by-week.csv");
    let number = |cell: Option<&str>| cell.and_then(|cell| cell.parse().ok()).expect("a whole number");
    let week = |line: &str| {
        let mut cells = line.split(',').skip(1);
        Week { same_room: number(cells.next()), bookings: number(cells.next()) }
    };
    csv.lines().skip(1).map(week).collect()
}
