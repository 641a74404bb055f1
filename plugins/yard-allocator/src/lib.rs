//! A model: ranks the bays of a freight yard for a lorry that requests a slot.
//!
//! For each bay that may take the cargo, the model estimates the lorry's time in the yard, in seconds:
//!
//! - the drive from the gate to the bay's group, and unloading per pallet;
//! - waiting: the service time of one lorry times the length of the group's queue; twice that for a priority
//!   call;
//! - penalties for a bad fit: a long trailer has to back in at the gate, a van is too low for the long dock,
//!   and dry cargo occupies a bay with power that a reefer may need;
//! - a small penalty per bay between this bay and the carrier's usual one, because drivers know the way
//!   there.
//!
//! The bay with the shortest time comes first. Ties keep the order of the yard's list. The first letter of a
//! bay is its group: `G` gate, `D` long dock, `C` cold store, `O` open-air stands. The model abstains from
//! unknown cargo. It sees neither the date nor the staff on duty. The yard and its times are invented.
//!
//! Invariants:
//! - A ranking has at least five bays, and each of them may take the cargo.

use understudy_sdk::prelude::*;

/// The fields of a call that the model reads.
#[derive(Clone, Copy, Input)]
pub struct Call<'a> {
    /// Name of the carrier.
    pub carrier: &'a str,
    /// `van`, `rigid` or `trailer`.
    pub vehicle: &'a str,
    /// `dry`, `reefer` or `hazardous`.
    pub cargo: &'a str,
    /// Number of pallets to unload.
    pub pallets: u32,
    /// Whether the carrier paid for priority.
    pub priority: bool,
    /// Number of lorries that wait for a gate bay.
    pub gate_queue: u32,
    /// Number of lorries that wait for the long dock.
    pub dock_queue: u32,
    /// Number of lorries that wait for the cold store.
    pub cold_queue: u32,
    /// Number of lorries that wait for an open-air stand.
    pub open_queue: u32,
}

/// A group of bays that share a queue and a crew.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Group {
    Gate,
    Dock,
    Cold,
    Open,
}

struct Bay {
    name: &'static str,
    group: Group,
    /// Position in the group, from 0.
    place: u64,
    /// Whether it has power for the cooling of a reefer.
    power: bool,
    /// Whether it has a bund that contains leaks.
    bund: bool,
}

const fn bay(name: &'static str, group: Group, place: u64, power: bool, bund: bool) -> Bay {
    Bay { name, group, place, power, bund }
}

const BAYS: [Bay; 15] = [
    bay("G1", Group::Gate, 0, true, false),
    bay("G2", Group::Gate, 1, true, false),
    bay("G3", Group::Gate, 2, false, false),
    bay("G4", Group::Gate, 3, false, true),
    bay("D1", Group::Dock, 0, false, false),
    bay("D2", Group::Dock, 1, false, false),
    bay("D3", Group::Dock, 2, false, false),
    bay("D4", Group::Dock, 3, false, false),
    bay("D5", Group::Dock, 4, false, true),
    bay("C1", Group::Cold, 0, true, false),
    bay("C2", Group::Cold, 1, true, false),
    bay("C3", Group::Cold, 2, true, false),
    bay("O1", Group::Open, 0, false, true),
    bay("O2", Group::Open, 1, false, true),
    bay("O3", Group::Open, 2, false, true),
];

/// The bays that may take the cargo of a call, best first; `None` for unknown cargo.
pub fn rank(call: &Call<'_>) -> Option<Vec<&'static str>> {
    let suits: fn(&Bay) -> bool = match call.cargo {
        "dry" => |bay| bay.group != Group::Open,
        "reefer" => |bay| bay.power,
        "hazardous" => |bay| bay.bund,
        _ => return None,
    };
    let mut bays: Vec<&Bay> = BAYS.iter().filter(|bay| suits(bay)).collect();
    // The sort is stable, so ties keep the order of the list.
    bays.sort_by_key(|bay| seconds(call, bay));
    Some(bays.into_iter().map(|bay| bay.name).collect())
}

/// Estimated time of the lorry in the yard, in seconds.
fn seconds(call: &Call<'_>, bay: &Bay) -> u64 {
    // Drive, unloading per pallet, service time per queued lorry (all in seconds), queue length, number of
    // bays.
    let (drive, pallet, service, queue, bays) = match bay.group {
        Group::Gate => (60, 75, 360, call.gate_queue, 4),
        Group::Dock => (180, 45, 300, call.dock_queue, 5),
        Group::Cold => (240, 60, 540, call.cold_queue, 3),
        Group::Open => (300, 60, 480, call.open_queue, 3),
    };
    let waiting = service * u64::from(queue) * if call.priority { 2 } else { 1 };
    let vehicle = match (call.vehicle, bay.group) {
        ("trailer", Group::Gate) => 480,
        ("van", Group::Dock) => 600,
        _ => 0,
    };
    let power = match (call.cargo, bay.group) {
        ("dry", Group::Cold) => 900,
        ("dry", _) if bay.power => 120,
        _ => 0,
    };
    let detour = 45 * bay.place.abs_diff(usual_place(call.carrier) % bays);
    drive + pallet * u64::from(call.pallets) + waiting + vehicle + power + detour
}

/// A carrier's usual position in a group; 0 for an unknown carrier.
fn usual_place(carrier: &str) -> u64 {
    match carrier {
        "delta" => 1,
        "kempen" => 2,
        "noordkade" => 3,
        "veluwe" => 4,
        _ => 0,
    }
}

/// A model that ranks the bays of the yard by estimated time.
pub struct YardAllocator;

impl Model for YardAllocator {
    type Config = NoConfig;
    type Input<'a> = Call<'a>;
    type Answer<'a> = Result<Vec<&'static str>, Reason>;

    fn new(_: NoConfig, _: &Assets) -> Result<Self, String> {
        Ok(Self)
    }

    fn decide(&self, call: Call<'_>) -> Result<Vec<&'static str>, Reason> {
        rank(&call).ok_or_else(|| Reason::Abstained(format!("unknown cargo `{}`", call.cargo)))
    }
}

export_model!(YardAllocator);

#[cfg(test)]
mod tests;
