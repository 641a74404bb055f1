//! Measures the limits that ARCHITECTURE.md states. Each limit is a ratio or difference of two values from
//! the same run.
//!
//! `cargo xtask bench [sandbox] [run] [memory] [start] [log] [verify] [divergence] [intake] [swap] [soak] [models]`.
//! Exits with code 1 if a limit is exceeded.

#[path = "limits/divergence.rs"]
mod divergence;
#[path = "limits/intake.rs"]
mod intake;
#[path = "limits/log.rs"]
mod log;
#[path = "limits/models.rs"]
mod models;
#[path = "limits/soak.rs"]
mod soak;
#[path = "limits/swap.rs"]
mod swap;
#[path = "limits/verify.rs"]
mod verify;
#[path = "limits/wire.rs"]
mod wire;

use std::fmt::Display;
use std::io::BufReader;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Float64Type, Int64Type, Schema};
use arrow::json::ReaderBuilder;
use understudy_sandbox::{Budget, ComponentFile, DeciderPlugin, PluginRole, Sandbox};
use understudy_sdk::{Column, ColumnarModel, Text, Values, native};
use understudy_tests::process::peak_kib;
use understudy_tests::{TestWorkspace, plugin, synthetic};

fn main() {
    if divergence::run_search_process() || models::run_memory_process() {
        return;
    }
    let wanted: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let runs = |name: &str| wanted.is_empty() || wanted.iter().any(|w| w == name);
    let mut kept = true;
    let mut measure = |name: &str, measure: fn() -> bool| {
        if runs(name) {
            println!("## {name}");
            kept &= measure();
            println!();
        }
    };
    measure("sandbox", sandbox);
    measure("run", whole_run);
    measure("memory", memory);
    measure("start", cold_start);
    measure("log", log::log);
    measure("verify", verify::verify);
    measure("divergence", divergence::divergence);
    measure("intake", intake::intake);
    measure("swap", swap::swap);
    measure("soak", soak::soak_run);
    measure("models", models::models);
    std::process::exit(i32::from(!kept));
}

/// Prints a measured value beside its limit.
fn judge(what: &str, value: f64, limit: f64, unit: impl Display) -> bool {
    let kept = value <= limit;
    println!("{what}: {value:.2} {unit}, limit {limit} {unit}: {}", if kept { "kept" } else { "NOT KEPT" });
    kept
}

/// The smallest of several medians: the performance without interference from other processes.
fn nanos_a_call(calls: usize, mut call: impl FnMut()) -> f64 {
    let mut medians = Vec::new();
    for _ in 0..7 {
        let mut times: Vec<f64> = (0..calls)
            .map(|_| {
                let started = Instant::now();
                call();
                started.elapsed().as_nanos() as f64
            })
            .collect();
        times.sort_by(f64::total_cmp);
        medians.push(times[calls / 2]);
    }
    medians.into_iter().fold(f64::INFINITY, f64::min)
}

/// Compares the same model over the same ten columns as a component and as a native function.
fn sandbox() -> bool {
    let budget = Budget {
        fuel: 1 << 40,
        timeout: Duration::from_secs(10),
        memory: 64 << 20,
        returned: 64 << 20,
        answer: 128 << 10,
    };
    let sandbox = Sandbox::new(budget, 2).expect("a sandbox");
    let file = ComponentFile::read(&plugin("guests/bench_model")).expect("the plugin");
    let loaded = DeciderPlugin::load(&sandbox, &file, PluginRole::Model, "{}".into(), [].into(), None)
        .expect("it loads");
    let mut decider = loaded.instance();
    let model: bench_model::BenchModel = native::model("{}", vec![]).expect("it takes no configuration");
    let mut measured = [0.0; 2];
    for (at, rows) in [1usize, 1024].into_iter().enumerate() {
        let batch = ten_columns(rows);
        let columns = bare(&batch);
        let calls = if rows == 1 { 20_000 } else { 2_000 };
        let through = nanos_a_call(calls, || {
            std::hint::black_box(decider.decide(std::hint::black_box(&batch)));
        });
        let plain = nanos_a_call(calls, || {
            std::hint::black_box(
                ColumnarModel::decide(&model, rows as u32, std::hint::black_box(&columns)).is_ok(),
            );
        });
        println!("batch {rows:>4}: component {through:.0} ns a call, native {plain:.0} ns a call");
        measured[at] = (through - plain) / rows as f64;
    }
    let one = judge("a call of 1 row above native", measured[0] / 1000.0, 2.0, "us");
    let many = judge("a row of a batch of 1024 above native", measured[1], 20.0, "ns");
    one && many
}

fn ten_columns(rows: usize) -> RecordBatch {
    let text = |words: &[&str]| -> ArrayRef {
        Arc::new(StringArray::from_iter_values((0..rows).map(|row| words[row % words.len()])))
    };
    let integers = |step: i64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values((0..rows as i64).map(|r| r * step)))
    };
    let numbers = |step: f64| -> ArrayRef {
        Arc::new(Float64Array::from_iter_values((0..rows).map(|r| r as f64 * step)))
    };
    let urgent: ArrayRef = Arc::new(BooleanArray::from_iter((0..rows).map(|row| Some(row % 3 == 0))));
    RecordBatch::try_from_iter([
        ("zone", text(&["dock-1", "dock-2", "yard", "gate-north"])),
        ("carrier", text(&["north", "south", "east"])),
        ("urgent", urgent),
        ("priority", integers(1)),
        ("queue", integers(3)),
        ("lanes", integers(7)),
        ("weight", numbers(0.5)),
        ("length", numbers(1.5)),
        ("height", numbers(0.25)),
        ("speed", numbers(3.5)),
    ])
    .expect("columns of one length")
}

/// The columns as the SDK represents them in the guest.
fn bare(batch: &RecordBatch) -> Vec<Column> {
    let values = |column: &ArrayRef| match column.data_type() {
        DataType::Utf8 => {
            let text = column.as_string::<i32>();
            let offsets = text.value_offsets().iter().map(|offset| *offset as u32).collect();
            Values::Text(Text { offsets, bytes: text.value_data().to_vec() })
        }
        DataType::Boolean => Values::Boolean(column.as_boolean().values().iter().map(u8::from).collect()),
        DataType::Int64 => Values::Integer(column.as_primitive::<Int64Type>().values().to_vec()),
        _ => Values::Number(column.as_primitive::<Float64Type>().values().to_vec()),
    };
    batch.columns().iter().map(|column| Column { values: values(column), missing: None }).collect()
}

/// Compares `understudy run` over two million snapshots and decisions with `arrow-json` decoding the same
/// files.
fn whole_run() -> bool {
    const ROWS: u64 = 2_000_000;
    let workspace = synthetic::workspace(ROWS);
    let mut floors = Vec::new();
    let mut runs = Vec::new();
    for round in 0..3 {
        let started = Instant::now();
        let rows = decode(&workspace.path().join("snapshots.jsonl"), &SNAPSHOT)
            + decode(&workspace.path().join("decisions.jsonl"), &DECISION);
        assert_eq!(rows as u64, 2 * ROWS);
        floors.push(started.elapsed().as_secs_f64());
        let ran = timed_run(&workspace, &format!("run-{round}"));
        println!("floor {:.2} s, run {:.2} s", floors[round], ran.seconds);
        runs.push(ran);
    }
    let least = |values: &[f64]| values.iter().copied().fold(f64::INFINITY, f64::min);
    let seconds: Vec<f64> = runs.iter().map(|r| r.seconds).collect();
    let best = &runs[seconds.iter().position(|s| *s == least(&seconds)).expect("there were runs")];
    println!("where the run's processor time went, by thread:");
    for (thread, seconds) in &best.threads {
        println!("  {thread:<12} {seconds:.2} s");
    }
    judge("whole run against decoding alone", least(&seconds) / least(&floors), 3.0, "times")
}

const SNAPSHOT: [(&str, DataType); 10] = [
    ("id", DataType::Utf8),
    ("at", DataType::Utf8),
    ("zone", DataType::Utf8),
    ("carrier", DataType::Utf8),
    ("urgent", DataType::Boolean),
    ("priority", DataType::Int64),
    ("queue", DataType::Int64),
    ("weight", DataType::Float64),
    ("length", DataType::Float64),
    ("speed", DataType::Float64),
];
const DECISION: [(&str, DataType); 3] =
    [("id", DataType::Utf8), ("at", DataType::Utf8), ("zone", DataType::Utf8)];

fn decode(path: &Path, fields: &[(&str, DataType)]) -> usize {
    let fields: Vec<Field> =
        fields.iter().map(|(name, kind)| Field::new(*name, kind.clone(), true)).collect();
    let file = BufReader::with_capacity(256 << 10, std::fs::File::open(path).expect("the file was made"));
    let reader = ReaderBuilder::new(Arc::new(Schema::new(fields))).build(file).expect("a reader");
    reader.map(|batch| std::hint::black_box(batch.expect("sound JSON")).num_rows()).sum()
}

/// Resources that a run of the program used.
struct Ran {
    seconds: f64,
    /// Peak resident memory in KiB.
    peak: u64,
    /// CPU seconds by thread name, in descending order.
    threads: Vec<(String, f64)>,
}

/// Runs the study of a workspace and measures it.
fn timed_run(workspace: &TestWorkspace, run: &str) -> Ran {
    watched(workspace.command(&["run", "study.toml", "--run", run]))
}

/// Runs a command, which must succeed, and measures it.
fn watched(mut command: Command) -> Ran {
    let started = Instant::now();
    let command = command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().expect("the program can be started");
    let process = format!("/proc/{}", child.id());
    let mut peak = 0;
    let mut threads = std::collections::HashMap::new();
    loop {
        if let Some(status) = child.try_wait().expect("the child can be waited for") {
            assert!(status.success(), "{status}");
            break;
        }
        peak = peak.max(peak_kib(&process).unwrap_or(0));
        for (task, name, seconds) in tasks(&process) {
            threads.insert((task, name), seconds);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let seconds = started.elapsed().as_secs_f64();
    let mut by_name = std::collections::HashMap::new();
    for ((_, name), seconds) in threads {
        *by_name.entry(name).or_insert(0.0) += seconds;
    }
    let mut threads: Vec<(String, f64)> = by_name.into_iter().collect();
    threads.sort_by(|a, b| b.1.total_cmp(&a.1));
    Ran { seconds, peak, threads }
}

/// Id, name and CPU seconds of each thread.
fn tasks(process: &str) -> Vec<(String, String, f64)> {
    let Ok(tasks) = std::fs::read_dir(format!("{process}/task")) else { return vec![] };
    let of = |task: std::fs::DirEntry| {
        let stat = std::fs::read_to_string(task.path().join("stat")).ok()?;
        let (head, rest) = stat.rsplit_once(") ")?;
        let fields: Vec<&str> = rest.split(' ').collect();
        // utime and stime, in ticks of 1/100 s; see proc(5).
        let ticks: u64 = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
        let name = head.split_once('(')?.1.to_owned();
        Some((task.file_name().to_string_lossy().into_owned(), name, ticks as f64 / 100.0))
    };
    tasks.flatten().filter_map(of).collect()
}

/// Compares peak memory over one million and four million snapshots with the same horizon.
fn memory() -> bool {
    let peak = |rows: u64| {
        let ran = timed_run(&synthetic::workspace(rows), "run");
        println!("{rows} snapshots: peak {:.1} MiB in {:.1} s", ran.peak as f64 / 1024.0, ran.seconds);
        ran.peak as f64
    };
    let (short, long) = (peak(1_000_000), peak(4_000_000));
    judge("peak of four million against one million", long / short, 1.1, "times")
}

/// Measures a whole process that answers one snapshot, with compiled plugins in the cache.
fn cold_start() -> bool {
    let workspace = synthetic::workspace(1);
    workspace.understudy(&["check", "study.toml"]);
    let mut times: Vec<f64> =
        (0..21).map(|at| timed_run(&workspace, &format!("run-{at}")).seconds * 1000.0).collect();
    times.sort_by(f64::total_cmp);
    println!("fastest {:.1} ms, median {:.1} ms, slowest {:.1} ms", times[0], times[10], times[20]);
    judge("start to end of a run of one snapshot, median", times[10], 50.0, "ms")
}
