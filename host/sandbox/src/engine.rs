//! The engine that all plugins of a study run on: what Wasm may do at all, and what one instance may use.
//!
//! Always holds: a plugin has no import; a call ends by its fuel or, at the latest, by the epoch's deadline; memory,
//! tables and instances come out of a pool of a fixed size.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use wasmtime::component::Component;
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use super::SandboxError;

/// How often the epoch advances: the grain of `call-timeout`.
const TICK: Duration = Duration::from_millis(10);
/// Stack of one call. Deep enough for a recursive parser, far below a thread's own 2 MiB.
const STACK: usize = 512 << 10;
/// Memories and tables that one component may hold: the plugin's own and those of the adapters that a toolchain may add.
const PER_COMPONENT: u32 = 8;
/// Core instances that one component may hold: an interpreter comes as a dozen modules and more, linked together.
const CORE_INSTANCES: u32 = 64;
/// The most elements of the tables of one instance: function pointers of a large program.
pub(super) const TABLE_ELEMENTS: usize = 100_000;

/// What one call and one instance of a plugin may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Fuel for one call, whatever its rows. A batch that needs more is cut in two, so in the end for one row.
    pub fuel: u64,
    /// Wall-clock time for one call.
    pub timeout: Duration,
    /// Linear memory of one instance in bytes, all its memories together.
    pub memory: usize,
    /// Bytes that one call may hand back to the host.
    pub returned: usize,
}

/// A `wasmtime` engine with the policy of the sandbox, and the clock that ends calls.
#[derive(Clone)]
pub struct Sandbox {
    engine: Engine,
    budget: Budget,
    deadline: u64,
    /// What compiles, if it is not the engine itself.
    compiler: Option<Engine>,
    _ticker: Arc<Ticker>,
}

impl Sandbox {
    /// An engine for at most `instances` plugin instances at a time.
    ///
    /// # Errors
    /// When the machine cannot reserve the pool's address space.
    pub fn new(budget: Budget, instances: u32) -> Result<Sandbox, SandboxError> {
        let engine = Engine::new(&config(instances)).map_err(SandboxError::engine)?;
        let ticker = Arc::new(Ticker::start(&engine)?);
        // One more, since the first tick may come at once. Wasmtime adds it to the epoch, so it has to stay far from the
        // largest number.
        let ticks = budget.timeout.as_nanos().div_ceil(TICK.as_nanos()) + 1;
        let deadline = ticks.min(u128::from(u64::MAX / 2)) as u64;
        Ok(Sandbox { engine, budget, deadline, compiler: None, _ticker: ticker })
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The same sandbox, in which a plugin is compiled by the thread alone that loads it. So the priority of that thread is the
    /// priority of compiling.
    ///
    /// # Errors
    /// When the machine cannot reserve another engine's address space.
    pub fn with_single_threaded_compiler(&self) -> Result<Sandbox, SandboxError> {
        let compiler = match &self.compiler {
            Some(compiler) => compiler.clone(),
            None => Engine::new(config(1).parallel_compilation(false)).map_err(SandboxError::engine)?,
        };
        Ok(Sandbox { compiler: Some(compiler), ..self.clone() })
    }

    /// A component, compiled.
    ///
    /// # Errors
    /// When it does not compile.
    pub(super) fn compile(&self, bytes: &[u8]) -> wasmtime::Result<Component> {
        match &self.compiler {
            None => Component::new(&self.engine, bytes),
            Some(compiler) => {
                let code = compiler.precompile_component(bytes)?;
                // SAFETY: `deserialize` runs what it is given: code that was made just now, by an engine that has the same settings
                // but for the number of its threads.
                unsafe { Component::deserialize(&self.engine, &code) }
            }
        }
    }

    /// What a call and an instance may use.
    pub fn budget(&self) -> Budget {
        self.budget
    }

    /// The deadline of a call in ticks of the epoch, at least one whole tick.
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
        // The budget is enforced by `limits.rs`, which tells of it; this is all that 32 bits can address.
        .max_memory_size(1 << 32)
        .table_elements(TABLE_ELEMENTS)
        // The memory of an instance that is gone is handed back to the system in one sweep, not page by page.
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
        // A trap's message is read from the memory as it was then; see `panic.rs`.
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

/// A thread that advances the epoch for as long as somebody holds it.
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
