use super::*;

/// A rigid lorry with dry cargo, of a carrier without a usual position, with empty queues.
const PLAIN: Call<'static> = Call {
    carrier: "amstel",
    vehicle: "rigid",
    cargo: "dry",
    pallets: 12,
    priority: false,
    gate_queue: 0,
    dock_queue: 0,
    cold_queue: 0,
    open_queue: 0,
};

fn ranked(call: Call<'_>) -> Vec<&'static str> {
    YardAllocator.decide(call).unwrap()
}

fn best(call: Call<'_>) -> &'static str {
    ranked(call)[0]
}

#[test]
fn the_order_is_that_of_the_seconds() {
    // D1 180 + 12 * 45 = 720 and 45 more for each bay further on, G1 60 + 12 * 75 + 120 = 1,080, G2 1,125, G3
    // 1,050, G4 1,095, C1 240 + 12 * 60 + 900 = 1,860.
    assert_eq!(ranked(PLAIN), ["D1", "D2", "D3", "D4", "D5", "G3", "G1", "G4", "G2", "C1", "C2", "C3"]);
}

#[test]
fn of_bays_that_take_as_long_the_first_of_the_list_comes_first() {
    // G4 60 + 150 + 90; O2, its usual place, 300 + 120; O1 and O3 on either side of it 45 more; D5 180 + 90 +
    // 600 + 135.
    let call = Call { carrier: "delta", vehicle: "van", pallets: 2, cargo: "hazardous", ..PLAIN };
    assert_eq!(ranked(call), ["G4", "O2", "O1", "O3", "D5"]);
}

#[test]
fn every_ranked_bay_may_take_the_cargo() {
    let bays = |cargo| {
        let mut bays = ranked(Call { cargo, ..PLAIN });
        bays.sort_unstable();
        bays
    };
    assert_eq!(bays("reefer"), ["C1", "C2", "C3", "G1", "G2"]);
    assert_eq!(bays("hazardous"), ["D5", "G4", "O1", "O2", "O3"]);
    assert_eq!(bays("dry").len(), 12);
}

#[test]
fn vehicles_prefer_bays_that_fit() {
    // Without the van's 600 it would be the dock, at 180 + 6 * 45 against 60 + 6 * 75.
    assert_eq!(best(Call { vehicle: "van", pallets: 6, ..PLAIN }), "G3");
    assert_eq!(best(Call { pallets: 6, ..PLAIN }), "D1");
    // One pallet: G3 is 60 + 75 + 90, as D1 is 180 + 45, so the list decides; a trailer has to back in.
    assert_eq!(best(Call { pallets: 1, ..PLAIN }), "G3");
    assert_eq!(best(Call { pallets: 1, vehicle: "trailer", ..PLAIN }), "D1");
}

#[test]
fn queues_cost_time_and_twice_for_priority_calls() {
    // D1 at 720 and 300 for the queue is still shorter than G3 at 1,050; for a priority call it is not.
    let queue = Call { dock_queue: 1, ..PLAIN };
    assert_eq!(best(queue), "D1");
    assert_eq!(best(Call { priority: true, ..queue }), "G3");
    // Each group has a queue of its own.
    let reefer = Call { cargo: "reefer", vehicle: "trailer", pallets: 30, ..PLAIN };
    assert_eq!([best(reefer), best(Call { cold_queue: 3, ..reefer })], ["C1", "G1"]);
    assert_eq!(best(Call { cold_queue: 3, gate_queue: 4, ..reefer }), "C1");
    let hazardous = Call { cargo: "hazardous", dock_queue: 9, gate_queue: 9, ..PLAIN };
    assert_eq!([best(hazardous), best(Call { open_queue: 9, ..hazardous })], ["O1", "D5"]);
}

#[test]
fn carriers_prefer_their_usual_position() {
    let best_for = |carrier| best(Call { carrier, ..PLAIN });
    let carriers = ["amstel", "delta", "kempen", "noordkade", "veluwe", "an unknown carrier"];
    assert_eq!(carriers.map(best_for), ["D1", "D2", "D3", "D4", "D5", "D1"]);
    // Of three bays in the cold store the fifth place is the second.
    let reefer = Call { cargo: "reefer", vehicle: "trailer", carrier: "veluwe", ..PLAIN };
    assert_eq!(best(reefer), "C2");
}

#[test]
fn abstains_from_unknown_cargo() {
    let Err(Reason::Abstained(reason)) = YardAllocator.decide(Call { cargo: "live", ..PLAIN }) else {
        panic!("expected an abstention");
    };
    assert_eq!(reason, "unknown cargo `live`");
}

#[test]
fn the_largest_inputs_do_not_overflow() {
    let most = u32::MAX;
    let call = Call { pallets: most, gate_queue: most, dock_queue: most, priority: true, ..PLAIN };
    assert_eq!(best(call), "C1");
}
