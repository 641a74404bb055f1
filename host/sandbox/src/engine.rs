//! The wasmtime engine for all plugins of a study: enabled Wasm features, and the budget of an instance.
//!
//! Invariants:
//! - A call ends by its fuel or, at the latest, by its epoch deadline.
//! - Memories, tables and instances come from a pool of fixed size.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use wasmtime::component::Component;
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use super::SandboxError;

/// Interval between epoch increments: the resolution of `call-timeout`.
const TICK: Duration = Duration::from_millis(10);
/// Stack of one call in bytes. Enough for a recursive parser, and far below the 2 MiB of a thread.
const STACK: usize = 512 << 10;
/// Maximum memories and tables per component: the plugin's own and those of adapters that a toolchain may
/// add.
const PER_COMPONENT: u32 = 8;
/// Maximum core instances per component. An interpreter can consist of more than a dozen linked modules.
const CORE_INSTANCES: u32 = 64;
/// Maximum elements of all tables of one instance. Tables hold the function pointers of a program.
pub(super) const TABLE_ELEMENTS: usize = 100_000;

/// Limits of one call and one instance of a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Fuel per call, independent of its number of rows. A batch that needs more is split, down to one row.
    pub fuel: u64,
    /// Wall-clock time per call.
    pub timeout: Duration,
    /// Bytes of linear memory per instance, over all its memories.
    pub memory: usize,
    /// Bytes that one call may return to the host.
    pub returned: usize,
    /// Bytes of one answer: of a label, or of all names of a ranking together.
    pub answer: usize,
}

/// A wasmtime engine with the policy of the sandbox, and the thread that enforces timeouts.
#[derive(Clone)]
pub struct Sandbox {
    engine: Engine,
    budget: Budget,
    deadline: u64,
    /// The engine that compiles; `None` if `engine` does.
    compiler: Option<Engine>,
    _ticker: Arc<Ticker>,
}

impl Sandbox {
    /// Creates an engine for at most `instances` concurrent plugin instances.
    ///
    /// # Errors
    /// If the machine cannot reserve the address space of the pool.
    pub fn new(budget: Budget, instances: u32) -> Result<Sandbox, SandboxError> {
        let engine = Engine::new(&config(instances)).map_err(SandboxError::engine)?;
        let ticker = Arc::new(Ticker::start(&engine)?);
        // One extra tick, because the first may come immediately. Wasmtime adds the deadline to the epoch, so
        // it must stay far below `u64::MAX`.
        let ticks = budget.timeout.as_nanos().div_ceil(TICK.as_nanos()) + 1;
        let deadline = ticks.min(u128::from(u64::MAX / 2)) as u64;
        Ok(Sandbox { engine, budget, deadline, compiler: None, _ticker: ticker })
    }

    /// The underlying engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The same sandbox, except that the loading thread compiles plugins alone. So its priority applies to
    /// compilation.
    ///
    /// # Errors
    /// If the machine cannot reserve the address space of another engine.
    pub fn with_single_threaded_compiler(&self) -> Result<Sandbox, SandboxError> {
        let compiler = match &self.compiler {
            Some(compiler) => compiler.clone(),
            None => Engine::new(config(1).parallel_compilation(false)).map_err(SandboxError::engine)?,
        };
        Ok(Sandbox { compiler: Some(compiler), ..self.clone() })
    }

    /// Compiles a component.
    ///
    /// # Errors
    /// If it does not compile.
    pub(super) fn compile(&self, bytes: &[u8]) -> wasmtime::Result<Component> {
        match &self.compiler {
            None => Component::new(&self.engine, bytes),
            Some(compiler) => {
                let code = compiler.precompile_component(bytes)?;
                // SAFETY: `deserialize` trusts its input. This code was just compiled by an engine with the
                // same settings, except for the number of compiler threads.
                unsafe { Component::deserialize(&self.engine, &code) }
            }
        }
    }

    /// The limits of calls and instances.
    pub fn budget(&self) -> Budget {
        self.budget
    }

    /// The deadline of a call in epoch ticks, at least one full tick.
    pub(super) fn deadline(&self) -> u64 {
        self.deadline
    }
}

fn config(instances: u32) -> Config {
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(instances)
        .total_core_instances(instances.saturating_mul(CORE_INSTANCES))
        .total_memories(instances.saturating_mul(PER_COMPONENT))
        .total_tables(instances.saturating_mul(PER_COMPONENT))
        .max_core_instances_per_component(CORE_INSTANCES)
        .max_memories_per_component(PER_COMPONENT)
        .max_tables_per_component(PER_COMPONENT)
        // `limits.rs` enforces the budget and reports violations; this is the 32-bit address space.
        .max_memory_size(1 << 32)
        .table_elements(TABLE_ELEMENTS)
        // Memory of a dropped instance above this size is returned to the system in one call, not page by
        // page.
        .linear_memory_keep_resident(256 << 10);
    let mut config = Config::new();
    config
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        .wasm_component_model(true)
        .concurrency_support(false)
        .consume_fuel(true)
        .epoch_interruption(true)
        .memory_init_cow(true)
        .max_wasm_stack(STACK)
        // The panic message is read from the memory at the time of the trap; see `panic_report.rs`.
        .coredump_on_trap(true)
        .wasm_threads(false)
        .wasm_gc(false)
        .wasm_function_references(false)
        .wasm_exceptions(false)
        .wasm_memory64(false)
        .wasm_relaxed_simd(false)
        .wasm_tail_call(false);
    config
}

/// A thread that advances the epoch until the ticker is dropped.
struct Ticker(Arc<AtomicBool>);

impl Ticker {
    fn start(engine: &Engine) -> Result<Ticker, SandboxError> {
        let running = Arc::new(AtomicBool::new(true));
        let alive: Weak<AtomicBool> = Arc::downgrade(&running);
        let engine = engine.weak();
        std::thread::Builder::new()
            .name("epoch".into())
            .spawn(move || {
                while alive.upgrade().is_some_and(|running| running.load(Ordering::Relaxed)) {
                    std::thread::sleep(TICK);
                    match engine.upgrade() {
                        Some(engine) => engine.increment_epoch(),
                        None => return,
                    }
                }
            })
            .map_err(|error| SandboxError::Engine(format!("cannot start the timeout thread: {error}")))?;
        Ok(Ticker(running))
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}
