//! The life of one plugin instance: creation, calls, replacement after a trap.
//!
//! Invariants:
//! - Each call starts with a full budget.
//! - After a trap the instance is not used again, except that its memory is read once for the panic message.
//! - The usage of a call is counted together with the rows that it or a later call settles.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::{PoolConcurrencyLimitError, Store, Trap, WasmCoreDump};

use super::component_file::Assets;
use super::engine::{Sandbox, TABLE_ELEMENTS};
use super::limits::{InstanceLimits, LimitExceeded};
use super::usage::{Usage, UsageCounters};
use super::world::World;
use super::{CallError, SandboxError, panic_report};
use understudy_records::batch::Reason;

/// Shortest and longest delay before a trapped instance is replaced. A trap takes about 400 µs itself. So
/// with the longest delay, a plugin that traps on every row uses about a third of its thread's time.
const BACKOFF: (Duration, Duration) = (Duration::from_micros(10), Duration::from_millis(1));
/// Number of consecutive traps without a delay: enough to isolate one bad row in the largest batch.
const TRAPS_WITHOUT_BACKOFF: u32 = 17;
/// Wasmtime's message if a call returns too much data. The type of that error is private.
const WASMTIME_RETURN_LIMIT_MESSAGE: &str = "too much data is being copied between the host and the guest";
/// Number of frames of the same function on top of the stack that indicates endless recursion.
const MIN_RECURSION_FRAMES: usize = 16;

/// Prefix of the failure of a call that exceeded its timeout.
pub(super) const TIMEOUT_MESSAGE: &str = "took longer than";

/// Whether a row is unanswered because of a timeout: the only result that can differ when the call is
/// repeated.
pub fn is_timeout(reason: Option<&Reason>) -> bool {
    matches!(reason, Some(Reason::Broke(why)) if why.contains(TIMEOUT_MESSAGE))
}

/// Everything needed to create an instance: linked code and set-up. All instances of a plugin share it.
pub(super) struct InstanceSpec<W: World> {
    pub linked: W::Linked,
    /// A JSON object.
    pub config: String,
    pub assets: Assets,
    /// Usage of all instances together.
    pub usage_counters: Arc<UsageCounters>,
}

/// Owns an instance of a plugin. Creates it when first needed and replaces it after each trap.
pub(super) struct InstanceSupervisor<W: World> {
    sandbox: Sandbox,
    spec: Arc<InstanceSpec<W>>,
    live: Option<(Store<InstanceLimits>, W)>,
    /// Traps since the last successful call.
    consecutive_traps: u32,
    /// Whether the instance has answered a call since it was created.
    has_answered: bool,
    /// Whether the last call failed in an instance that had answered before, and which is discarded now.
    pub failed_after_answers: bool,
    /// Fuel used by the last successful call.
    pub used: u64,
    /// What the usage is added to.
    usage_counters: Arc<UsageCounters>,
    /// Usage of the calls whose rows are not settled yet.
    unsettled: Usage,
}

impl<W: World> InstanceSupervisor<W> {
    pub fn new(sandbox: Sandbox, spec: Arc<InstanceSpec<W>>) -> InstanceSupervisor<W> {
        let usage_counters = spec.usage_counters.clone();
        let unsettled = Usage::default();
        InstanceSupervisor {
            sandbox,
            spec,
            live: None,
            consecutive_traps: 0,
            has_answered: false,
            failed_after_answers: false,
            used: 0,
            usage_counters,
            unsettled,
        }
    }

    /// The same without a share in the usage of the plugin.
    pub fn uncounted(sandbox: Sandbox, spec: Arc<InstanceSpec<W>>) -> InstanceSupervisor<W> {
        InstanceSupervisor { usage_counters: Arc::default(), ..InstanceSupervisor::new(sandbox, spec) }
    }

    /// Counts the usage since the last call of this function as that of `rows` rows, whose results are final.
    pub fn settle(&mut self, rows: usize) {
        let used = std::mem::take(&mut self.unsettled);
        self.usage_counters.record(Usage { rows: rows as u64, ..used });
    }

    /// Fuel budget of a call.
    pub fn fuel(&self) -> u64 {
        self.sandbox.budget().fuel
    }

    /// Creates the instance now, so that set-up errors are reported early.
    pub fn start(&mut self) -> Result<(), SandboxError> {
        if self.live.is_none() {
            self.live = Some(self.create()?);
        }
        Ok(())
    }

    /// Calls the plugin with a full budget. If the call fails, the instance is discarded.
    pub fn call<T>(
        &mut self,
        function: &'static str,
        call: impl FnOnce(&W, &mut Store<InstanceLimits>) -> wasmtime::Result<T>,
    ) -> Result<T, CallError> {
        self.failed_after_answers = false;
        if self.live.is_none() {
            self.back_off();
            self.has_answered = false;
            self.live = Some(self.create().map_err(|error| {
                self.consecutive_traps = self.consecutive_traps.saturating_add(1);
                match error {
                    SandboxError::Call(error) => error,
                    SandboxError::Config { why } => {
                        CallError { function: "configure", why: format!("returned an error: {why}") }
                    }
                    other => CallError { function: "instantiate", why: format!("failed: {other}") },
                }
            })?);
        }
        let (store, world) = self.live.as_mut().expect("created above");
        refill(&self.sandbox, store);
        let called = call(world, store);
        let used = self.sandbox.budget().fuel.saturating_sub(store.get_fuel().unwrap_or(0));
        let memory_bytes = store.data().memory() as u64;
        self.unsettled.add(Usage { calls: 1, fuel: used, memory_bytes, ..Usage::default() });
        if called.is_err() {
            self.usage_counters.record_trap();
        }
        match called {
            Ok(value) => {
                self.used = used;
                self.consecutive_traps = 0;
                self.has_answered = true;
                Ok(value)
            }
            Err(error) => {
                self.consecutive_traps = self.consecutive_traps.saturating_add(1);
                self.failed_after_answers = self.has_answered;
                let (mut store, _) = self.live.take().expect("created above");
                Err(self.call_error(function, &error, &mut store))
            }
        }
    }

    fn create(&self) -> Result<(Store<InstanceLimits>, W), SandboxError> {
        let budget = self.sandbox.budget();
        let mut store = Store::new(self.sandbox.engine(), InstanceLimits::new(budget.memory));
        store.limiter(|host| host);
        store.set_hostcall_fuel(budget.returned);
        refill(&self.sandbox, &mut store);
        let world = W::instantiate(&self.spec.linked, &mut store).map_err(|error| {
            // Wasmtime checks the types of the functions when it creates the first instance.
            match error.is::<Trap>() || error.is::<LimitExceeded>() || error.is::<PoolConcurrencyLimitError>()
            {
                true => SandboxError::Call(self.call_error("instantiate", &error, &mut store)),
                false => SandboxError::interface::<W>(&error),
            }
        })?;
        // Set-up may process large assets, so it is limited by the timeout but not by fuel.
        store.set_fuel(u64::MAX).map_err(SandboxError::engine)?;
        let answer = world.configure(&mut store, &self.spec.config, &self.spec.assets);
        match answer {
            Ok(Ok(())) => Ok((store, world)),
            Ok(Err(why)) => Err(SandboxError::Config { why: super::sanitize(&why) }),
            Err(error) => Err(SandboxError::Call(self.call_error("configure", &error, &mut store))),
        }
    }

    /// Sleeps exponentially longer with each consecutive trap.
    fn back_off(&self) {
        if self.consecutive_traps > TRAPS_WITHOUT_BACKOFF {
            let doublings = (self.consecutive_traps - TRAPS_WITHOUT_BACKOFF - 1).min(16);
            std::thread::sleep((BACKOFF.0 * 2u32.pow(doublings)).min(BACKOFF.1));
        }
    }

    /// Describes why a call failed, for the author of the plugin.
    fn call_error(
        &self,
        function: &'static str,
        error: &wasmtime::Error,
        store: &mut Store<InstanceLimits>,
    ) -> CallError {
        let budget = self.sandbox.budget();
        let panicked = error.downcast_ref::<WasmCoreDump>().and_then(|dump| {
            dump.memories().iter().find_map(|memory| panic_report::message(memory.data(&*store)))
        });
        let why = match (panicked, error.downcast_ref::<Trap>()) {
            (Some(message), _) => format!("panicked at {}", super::sanitize(&message)),
            (None, Some(Trap::OutOfFuel)) => format!("used up its fuel of {}", budget.fuel),
            (None, Some(Trap::Interrupt)) => format!("{TIMEOUT_MESSAGE} {:?}", budget.timeout),
            (None, Some(Trap::StackOverflow)) => "overflowed its stack".to_owned(),
            (None, Some(trap)) => {
                let trap = trap.to_string();
                format!("trapped: {}{}", trap.trim_start_matches("wasm trap: "), trap_location(error))
            }
            (None, None) => match error.downcast_ref::<LimitExceeded>() {
                Some(LimitExceeded::Memory) => {
                    format!("exceeded its memory limit of {} MiB", budget.memory >> 20)
                }
                Some(LimitExceeded::Table) => {
                    format!("exceeded its limit of {TABLE_ELEMENTS} table elements")
                }
                None => match super::sanitize(&error.root_cause().to_string()) {
                    cause if cause.starts_with(WASMTIME_RETURN_LIMIT_MESSAGE) => {
                        format!("returned more than the limit of {} MiB", budget.returned >> 20)
                    }
                    cause => format!("failed: {cause}"),
                },
            },
        };
        CallError { function, why }
    }
}

/// The name of the trapped function, if the plugin has debug names, and whether it recursed without end.
fn trap_location(error: &wasmtime::Error) -> String {
    let frames = error.downcast_ref::<WasmCoreDump>().map(WasmCoreDump::frames).unwrap_or_default();
    let Some(name) = frames.first().and_then(|frame| frame.func_name()) else { return String::new() };
    // A Rust guest keeps a stack in its own memory and leaves its bounds before the host's stack overflows.
    let recurses = frames.len() >= MIN_RECURSION_FRAMES
        && frames.iter().all(|f| f.func_index() == frames[0].func_index());
    let recurses = if recurses { ", which recurses without end" } else { "" };
    let name = format!("{:#}", rustc_demangle::demangle(name));
    format!(" in {}{recurses}", super::sanitize(&name))
}

/// Resets fuel and deadline of an instance to the budget of a call.
fn refill(sandbox: &Sandbox, store: &mut Store<InstanceLimits>) {
    store.set_fuel(sandbox.budget().fuel).expect("the engine meters fuel");
    store.set_epoch_deadline(sandbox.deadline());
}
