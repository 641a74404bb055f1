//! A model: the bays of a freight yard for a lorry that calls for a slot, best first.
//!
//! Of each bay that may take the cargo it adds up how long the lorry would be in the yard, in seconds:
//!
//! - the way from the gate to the bay's group, and unloading, a pallet at a time;
//! - waiting: what one lorry takes there, for each lorry in the group's queue; twice for a priority call;
//! - what a bad fit costs: a long trailer has to back in by the gate, a van is too low for the long dock, and dry cargo
//!   takes a bay with power from a reefer;
//! - a little for each bay between this one and the carrier's usual one, where its drivers know the way.
//!
//! The shortest comes first; of bays that take as long, the one that comes first in the yard's list. A bay's name begins
//! with the letter of its group: `G` by the gate, `D` the long dock, `C` the cold store, `O` open-air stands. A cargo that
//! is not known is abstained from. The model is told neither the day nor who is at work.
//!
//! Always holds: a ranking has at least five bays, all of which may take the cargo. The yard and its seconds are invented.

use understudy_sdk::prelude::*;

/// What it reads of a call.
#[derive(Clone, Copy, Input)]
pub struct Call<'a> {
    /// Who drives.
    pub carrier: &'a str,
    /// `van`, `rigid` or `trailer`.
    pub vehicle: &'a str,
    /// `dry`, `reefer` or `hazardous`.
    pub cargo: &'a str,
    /// How many pallets are to be unloaded.
    pub pallets: u32,
    /// Whether the carrier paid for not having to wait.
    pub priority: bool,
    /// Lorries that wait for a bay by the gate.
    pub gate_queue: u32,
    /// Lorries that wait for the long dock.
    pub dock_queue: u32,
    /// Lorries that wait for the cold store.
    pub cold_queue: u32,
    /// Lorries that wait for an open-air stand.
    pub open_queue: u32,
}

/// Bays that share a queue and a gang of workers.
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
    /// Where it stands in its group, from 0.
    place: u64,
    /// Has power for a reefer's cooling.
    power: bool,
    /// Has a bund that keeps in what leaks.
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

/// The bays that may take the cargo of a call, best first; none for a cargo that is not known.
pub fn rank(call: &Call<'_>) -> Option<Vec<&'static str>> {
    let suits: fn(&Bay) -> bool = match call.cargo {
        "dry" => |bay| bay.group != Group::Open,
        "reefer" => |bay| bay.power,
        "hazardous" => |bay| bay.bund,
        _ => return None,
    };
    let mut bays: Vec<&Bay> = BAYS.iter().filter(|bay| suits(bay)).collect();
    // The sort is stable, so bays that take as long stay in the order of the list.
    bays.sort_by_key(|bay| seconds(call, bay));
    Some(bays.into_iter().map(|bay| bay.name).collect())
}

/// How long the lorry would be in the yard.
fn seconds(call: &Call<'_>, bay: &Bay) -> u64 {
    // The way, unloading a pallet, what one lorry takes, the queue, and how many bays there are.
    let (way, pallet, turn, queue, bays) = match bay.group {
        Group::Gate => (60, 75, 360, call.gate_queue, 4),
        Group::Dock => (180, 45, 300, call.dock_queue, 5),
        Group::Cold => (240, 60, 540, call.cold_queue, 3),
        Group::Open => (300, 60, 480, call.open_queue, 3),
    };
    let waiting = turn * u64::from(queue) * if call.priority { 2 } else { 1 };
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
    let strange = 45 * bay.place.abs_diff(usual_place(call.carrier) % bays);
    way + pallet * u64::from(call.pallets) + waiting + vehicle + power + strange
}

/// Where a carrier usually stands in a group; a stranger at its beginning.
fn usual_place(carrier: &str) -> u64 {
    match carrier {
        "delta" => 1,
        "kempen" => 2,
        "noordkade" => 3,
        "veluwe" => 4,
        _ => 0,
    }
}

/// The model.
pub struct YardAllocator;

impl Model for YardAllocator {
    type Config = NoConfig;
    type Input<'a> = Call<'a>;
    type Answer<'a> = Result<Vec<&'static str>, Reason>;

    fn new(_: NoConfig, _: &Assets) -> Result<Self, String> {
        Ok(Self)
    }

    fn decide(&self, call: Call<'_>) -> Result<Vec<&'static str>, Reason> {
        rank(&call)
            .ok_or_else(|| Reason::Abstained(format!("no bay is known to suit the cargo `{}`", call.cargo)))
    }
}

export_model!(YardAllocator);

#[cfg(test)]
mod tests;
