//! One instance of a plugin: made, called, thrown away when it traps.
//!
//! Always holds: each call starts with a full budget; after a trap nothing of the old instance is used again, except
//! that its memory is read once for the panic's message.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::InstancePre;
use wasmtime::{PoolConcurrencyLimitError, Store, Trap, WasmCoreDump};

use super::bindings::{decider, scorer};
use super::engine::{Sandbox, TABLE_ELEMENTS};
use super::limits::{LimitExceeded, InstanceLimits};
use super::component::{Assets, DECIDER, SCORER};
use super::usage::UsageCounters;
use super::{CallError, SandboxError, panic_report};
use understudy_records::batch::Reason;

/// The first wait before an instance is made anew, once traps come in a row, and the longest. A trap costs some 400 µs by
/// itself, so the longest wait leaves a plugin that breaks on every row a third of its thread's time.
const BACKOFF: (Duration, Duration) = (Duration::from_micros(10), Duration::from_millis(1));
/// So many traps in a row cost no wait: what it takes to find one bad row in the largest batch.
const TRAPS_WITHOUT_BACKOFF: u32 = 17;
/// What wasmtime says when a call hands back too much; the type of that error is private.
const WASMTIME_RETURN_LIMIT_MESSAGE: &str = "too much data is being copied between the host and the guest";
/// So many frames of one function on top of the stack are taken for a recursion that does not end.
const MIN_RECURSION_FRAMES: usize = 16;

/// The world of a plugin: what the generated bindings of both worlds have in common.
pub(super) trait World: Sized {
    /// The interface that holds its functions.
    const EXPORT: &'static str;
    /// Linked code whose exports are known to be this world's.
    type Pre;
    fn prepare(pre: InstancePre<InstanceLimits>) -> wasmtime::Result<Self::Pre>;
    fn instantiate(pre: &Self::Pre, store: &mut Store<InstanceLimits>) -> wasmtime::Result<Self>;
    fn configure(
        &self,
        store: &mut Store<InstanceLimits>,
        config: &str,
        assets: &[(String, Vec<u8>)],
    ) -> wasmtime::Result<Result<(), String>>;
}

macro_rules! world {
    ($bindings:ident, $pre:ident, $world:ident, $interface:ident, $export:expr) => {
        impl World for $bindings::$world {
            const EXPORT: &'static str = $export;
            type Pre = $bindings::$pre<InstanceLimits>;

            fn prepare(pre: InstancePre<InstanceLimits>) -> wasmtime::Result<Self::Pre> {
                $bindings::$pre::new(pre)
            }

            fn instantiate(pre: &Self::Pre, store: &mut Store<InstanceLimits>) -> wasmtime::Result<Self> {
                pre.instantiate(store)
            }

            fn configure(
                &self,
                store: &mut Store<InstanceLimits>,
                config: &str,
                assets: &[(String, Vec<u8>)],
            ) -> wasmtime::Result<Result<(), String>> {
                use $bindings::exports::understudy::shadow::setup::Asset;
                // Borrowed in one world, owned in the other.
                let assets: Vec<_> = assets
                    .iter()
                    .map(|(name, bytes)| Asset { name: name.as_str().into(), bytes: bytes.as_slice().into() })
                    .collect();
                self.$interface().call_configure(store, config, &assets)
            }
        }
    };
}
world!(decider, ModelPre, Model, understudy_shadow_decider, DECIDER);
world!(scorer, MetricPre, Metric, understudy_shadow_scorer, SCORER);

/// How the reason of a call begins that was ended by the clock.
pub(super) const TIMEOUT_MESSAGE: &str = "took longer than";

/// Whether a row has no answer because the clock ended the call: the one thing that may come out otherwise another time.
pub fn is_timeout(reason: Option<&Reason>) -> bool {
    matches!(reason, Some(Reason::Broke(why)) if why.contains(TIMEOUT_MESSAGE))
}

/// What an instance is made of: linked code and its set-up. Shared by all the instances of a plugin.
pub(super) struct InstanceSpec<W: World> {
    pub pre: W::Pre,
    /// A JSON object.
    pub config: String,
    pub assets: Assets,
    /// What they use together.
    pub meter: Arc<UsageCounters>,
}

/// A plugin's instance, made when first needed and again after each trap.
pub(super) struct InstanceSupervisor<W: World> {
    sandbox: Sandbox,
    spec: Arc<InstanceSpec<W>>,
    live: Option<(Store<InstanceLimits>, W)>,
    /// Traps since the last call that went well.
    consecutive_traps: u32,
    /// Fuel that the last call used.
    pub used: u64,
}

impl<W: World> InstanceSupervisor<W> {
    pub fn new(sandbox: Sandbox, spec: Arc<InstanceSpec<W>>) -> InstanceSupervisor<W> {
        InstanceSupervisor { sandbox, spec, live: None, consecutive_traps: 0, used: 0 }
    }

    /// Fuel for one call.
    pub fn fuel(&self) -> u64 {
        self.sandbox.budget().fuel
    }

    /// Makes the instance now, so that a fault in its set-up shows.
    pub fn start(&mut self) -> Result<(), SandboxError> {
        if self.live.is_none() {
            self.live = Some(self.make()?);
        }
        Ok(())
    }

    /// Calls the plugin with a full budget. After an error that came from the call the instance is gone.
    pub fn call<T>(
        &mut self,
        verb: &'static str,
        call: impl FnOnce(&W, &mut Store<InstanceLimits>) -> wasmtime::Result<T>,
    ) -> Result<T, CallError> {
        if self.live.is_none() {
            self.back_off();
            self.live = Some(self.make().map_err(|error| {
                self.consecutive_traps = self.consecutive_traps.saturating_add(1);
                match error {
                    SandboxError::Call(error) => error,
                    SandboxError::Config { why } => {
                        CallError { verb: "configure", why: format!("said: {why}") }
                    }
                    other => CallError { verb: "instantiate", why: format!("failed: {other}") },
                }
            })?);
        }
        let (store, world) = self.live.as_mut().expect("made above");
        refill(&self.sandbox, store);
        let called = call(world, store);
        let used = self.sandbox.budget().fuel.saturating_sub(store.get_fuel().unwrap_or(0));
        self.spec.meter.call(used, called.is_err(), store.data().memory());
        match called {
            Ok(value) => {
                self.used = used;
                self.consecutive_traps = 0;
                Ok(value)
            }
            Err(error) => {
                self.consecutive_traps = self.consecutive_traps.saturating_add(1);
                let (mut store, _) = self.live.take().expect("made above");
                Err(self.call_error(verb, &error, &mut store))
            }
        }
    }

    fn make(&self) -> Result<(Store<InstanceLimits>, W), SandboxError> {
        let budget = self.sandbox.budget();
        let mut store = Store::new(self.sandbox.engine(), InstanceLimits::new(budget.memory));
        store.limiter(|host| host);
        store.set_hostcall_fuel(budget.returned);
        refill(&self.sandbox, &mut store);
        let world = W::instantiate(&self.spec.pre, &mut store).map_err(|error| {
            // Whether the functions have the right types shows when the first instance is asked for them.
            match error.is::<Trap>() || error.is::<LimitExceeded>() || error.is::<PoolConcurrencyLimitError>() {
                true => SandboxError::Call(self.call_error("instantiate", &error, &mut store)),
                false => SandboxError::interface::<W>(&error),
            }
        })?;
        // The set-up may read large assets: it has the clock's limit, not a row's fuel.
        store.set_fuel(u64::MAX).map_err(SandboxError::engine)?;
        let answer = world.configure(&mut store, &self.spec.config, &self.spec.assets);
        match answer {
            Ok(Ok(())) => Ok((store, world)),
            Ok(Err(why)) => Err(SandboxError::Config { why: super::clean(&why) }),
            Err(error) => Err(SandboxError::Call(self.call_error("configure", &error, &mut store))),
        }
    }

    /// Waits, the longer the more traps have come in a row.
    fn back_off(&self) {
        if self.consecutive_traps > TRAPS_WITHOUT_BACKOFF {
            let doublings = (self.consecutive_traps - TRAPS_WITHOUT_BACKOFF - 1).min(16);
            std::thread::sleep((BACKOFF.0 * 2u32.pow(doublings)).min(BACKOFF.1));
        }
    }

    /// Says what a failed call ran into, as its author would want to read it.
    fn call_error(&self, verb: &'static str, error: &wasmtime::Error, store: &mut Store<InstanceLimits>) -> CallError {
        let budget = self.sandbox.budget();
        let panicked = error
            .downcast_ref::<WasmCoreDump>()
            .and_then(|dump| dump.memories().iter().find_map(|memory| panic_report::message(memory.data(&*store))));
        let why = match (panicked, error.downcast_ref::<Trap>()) {
            (Some(message), _) => format!("panicked at {}", super::clean(&message)),
            (None, Some(Trap::OutOfFuel)) => format!("used up its fuel of {}", budget.fuel),
            (None, Some(Trap::Interrupt)) => format!("{TIMEOUT_MESSAGE} {:?}", budget.timeout),
            (None, Some(Trap::StackOverflow)) => "overflowed its stack".to_owned(),
            (None, Some(trap)) => {
                let trap = trap.to_string();
                format!("trapped: {}{}", trap.trim_start_matches("wasm trap: "), place(error))
            }
            (None, None) => match error.downcast_ref::<LimitExceeded>() {
                Some(LimitExceeded::Memory) => {
                    format!("exceeded its memory limit of {} MiB", budget.memory >> 20)
                }
                Some(LimitExceeded::Table) => {
                    format!("exceeded its limit of {TABLE_ELEMENTS} table elements")
                }
                None => match super::clean(&error.root_cause().to_string()) {
                    cause if cause.starts_with(WASMTIME_RETURN_LIMIT_MESSAGE) => {
                        format!("returned more than the limit of {} MiB", budget.returned >> 20)
                    }
                    cause => format!("failed: {cause}"),
                },
            },
        };
        CallError { verb, why }
    }
}

/// The function that trapped, where the plugin still carries names, and whether it had called itself over and over.
fn place(error: &wasmtime::Error) -> String {
    let frames = error.downcast_ref::<WasmCoreDump>().map(WasmCoreDump::frames).unwrap_or_default();
    let Some(name) = frames.first().and_then(|frame| frame.func_name()) else { return String::new() };
    // A guest of Rust keeps a stack in its memory, and runs out of bounds before it runs out of the host's.
    let recurses =
        frames.len() >= MIN_RECURSION_FRAMES && frames.iter().all(|f| f.func_index() == frames[0].func_index());
    let recurses = if recurses { ", which recurses without end" } else { "" };
    let name = format!("{:#}", rustc_demangle::demangle(name));
    format!(" in {}{recurses}", super::clean(&name))
}

/// Gives an instance what one call may use.
fn refill(sandbox: &Sandbox, store: &mut Store<InstanceLimits>) {
    store.set_fuel(sandbox.budget().fuel).expect("the engine meters fuel");
    store.set_epoch_deadline(sandbox.deadline());
}
