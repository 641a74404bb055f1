//! Compares trained models with ONNX Runtime on one thread: thread CPU time of a row in batches of 1,024 and of a single row, and memory.
//!
//! `cargo xtask models` exports the models into `target/models`. Both sides answer the same rows and are timed in turns. The time of a call
//! includes the host's side, from columns of Arrow to checked answers; that of ONNX Runtime includes its Python binding. The environment
//! variable `MODELS` selects models: names with commas between them.

use std::fs;
use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema};
use arrow::json::ReaderBuilder;
use understudy_engine::{import_model, load_lowered_model};
use understudy_sandbox::{DeciderPlugin, ModelSummary};
use understudy_study::FieldKind;
use understudy_tests::process::peak_kib;
use understudy_tests::root;

use super::judge;

/// Rows of a large batch.
const BATCH: usize = 1024;
/// Turns of each side.
const TURNS: usize = 9;
/// The argument that makes this program measure its memory with one model.
const PROCESS_ARGUMENT: &str = "model-memory";
const MIB: f64 = (1 << 20) as f64;

/// What a model is, as far as its limit depends on it.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Trees,
    /// Random forests of unlimited depth.
    DeepTrees,
    Linear,
    Net,
    Other,
}

impl Kind {
    fn of_model(name: &str, summary: &ModelSummary) -> Kind {
        let has = |operator: &str| summary.operators.iter().any(|(name, _)| name.contains(operator));
        match name {
            "rf100-unlimited" => Kind::DeepTrees,
            // A tree is the smaller part of these.
            "voting" | "stacking" => Kind::Other,
            _ if name.starts_with("text") => Kind::Other,
            _ if summary.trees > 0 => Kind::Trees,
            _ if name.starts_with("mlp") => Kind::Net,
            _ if has("LinearClassifier") || has("LinearRegressor") => Kind::Linear,
            "sgd" | "tweedie" | "double" => Kind::Linear,
            _ => Kind::Other,
        }
    }
}

/// The times of a row in nanoseconds, by the size of the batch.
type Times = [f64; 2];

pub(super) fn models() -> bool {
    let folder = root().join("target/models");
    let listed: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(&fs::read(folder.join("models.json")).expect("`cargo xtask models` made it"))
            .expect("JSON");
    let wanted = std::env::var("MODELS").ok();
    let is_wanted =
        |name: &str| wanted.as_deref().is_none_or(|wanted| wanted.split(',').any(|other| other == name));
    println!(
        "nanoseconds a row of ONNX Runtime and ours, their ratio with its limit, and peak memory in MiB"
    );
    println!(
        "{:<22} {:>30}  {:>30}  {:>7} {:>7} {:>7}",
        "", "in batches of 1,024", "single row", "ORT", "ours", "import"
    );
    let mut exceeded = Vec::new();
    let mut quickest = f64::INFINITY;
    for name in listed.iter().filter(|(_, entry)| entry.get("reason").is_none()).map(|(name, _)| name) {
        if !is_wanted(name) {
            continue;
        }
        let Some(subject) = Subject::load(&folder, name) else { continue };
        let (own, other, memory) = subject.measure(&folder, name);
        let [lowered, import] = process_memory(&folder, name);
        let ratios = [own[0] / other[0], own[1] / other[1]];
        let [batch, single_row] = limits(subject.kind, other[0]);
        let column = |at: usize, limit: Option<f64>| {
            let limit = limit.map_or(String::new(), |limit| format!("<= {limit:.2}"));
            format!("{:>7.0} {:>7.0} {:>5.2} {limit:>8}", other[at], own[at], ratios[at])
        };
        println!(
            "{name:<22} {}  {}  {memory:>7.1} {lowered:>7.1} {import:>7.1}",
            column(0, batch),
            column(1, single_row)
        );
        quickest = quickest.min(other[1]);
        for (ratio, limit, what) in [(ratios[0], batch, "in batches"), (ratios[1], single_row, "single row")]
        {
            if limit.is_some_and(|limit| ratio > limit) {
                exceeded.push(format!("{name} {what}"));
            }
        }
    }
    println!("the quickest call of one row by ONNX Runtime, mostly its Python binding: {quickest:.0} ns");
    judge(&format!("models above a limit ({})", exceeded.join(", ")), exceeded.len() as f64, 0.0, "models")
}

/// The largest ratios to ONNX Runtime, in batches and of single rows. A net may take 2 us a row in batches, of which ONNX Runtime takes
/// `other` ns.
fn limits(kind: Kind, other: f64) -> [Option<f64>; 2] {
    let batch = match kind {
        Kind::Trees => Some(0.6),
        Kind::DeepTrees => Some(1.0),
        Kind::Linear => Some(3.0),
        Kind::Net => Some(2000.0 / other),
        Kind::Other => None,
    };
    [batch, Some(1.0)]
}

/// A model with its rows.
struct Subject {
    plugin: DeciderPlugin,
    kind: Kind,
    large: Vec<RecordBatch>,
    single: Vec<RecordBatch>,
}

impl Subject {
    /// A model of `target/models`; `None` if it cannot be imported, which `cargo xtask models` reports.
    fn load(folder: &Path, name: &str) -> Option<Subject> {
        let (plugin, kind) = import(folder, name)?;
        let rows = rows(folder, name, &plugin);
        let pieces = |length: usize| -> Vec<RecordBatch> {
            (0..=rows.num_rows() - length).step_by(length).map(|start| rows.slice(start, length)).collect()
        };
        Some(Subject { plugin, kind, large: pieces(BATCH), single: pieces(1) })
    }

    /// Times both sides in turns: the smallest time of each, and the memory of ONNX Runtime in MiB.
    fn measure(&self, folder: &Path, name: &str) -> (Times, Times, f64) {
        let mut other = OnnxRuntime::start(folder, name);
        let mut times = [[f64::INFINITY; 2]; 2];
        for (at, (batch, pieces)) in [(BATCH, &self.large), (1, &self.single)].into_iter().enumerate() {
            let mut instance = self.plugin.instance();
            let mut own = |calls: usize| {
                let started = thread_nanos();
                for call in 0..calls {
                    std::hint::black_box(instance.decide(&pieces[call % pieces.len()]));
                }
                (thread_nanos() - started) as f64 / (calls * batch) as f64
            };
            let first = own(pieces.len().min(64)).max(other.nanos_a_row(batch, pieces.len().min(64)));
            // About 40 ms a turn.
            let calls = ((4e7 / (first * batch as f64)) as usize).clamp(4, 20_000);
            for _ in 0..TURNS {
                times[0][at] = times[0][at].min(own(calls));
                times[1][at] = times[1][at].min(other.nanos_a_row(batch, calls));
            }
        }
        (times[0], times[1], other.end())
    }
}

/// Imports a model and writes the lowered one beside it.
fn import(folder: &Path, name: &str) -> Option<(DeciderPlugin, Kind)> {
    let (imported, _) = import_model(&folder.join(format!("{name}.onnx")), &options(folder, name)).ok()?;
    let kind = Kind::of_model(name, &imported.summary);
    fs::write(folder.join(format!("{name}.lowered")), &imported.bytes).expect("the folder can be written");
    Some((load_lowered_model(imported.bytes).expect("a lowered model can be run"), kind))
}

/// The options of an import: the names of a matrix's columns.
fn options(folder: &Path, name: &str) -> String {
    let rows = fs::read_to_string(folder.join(format!("{name}.jsonl"))).expect("the rows were exported");
    let width = rows
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(line).expect("JSON"))
        .flat_map(|record| record.keys().filter_map(|key| key.strip_prefix('f')?.parse::<usize>().ok()).max())
        .max();
    let fields: Vec<String> =
        width.map_or(vec![], |last| (0..=last).map(|index| format!("f{index}")).collect());
    serde_json::json!({ "fields": fields }).to_string()
}

/// The rows of a model as the columns that it reads.
fn rows(folder: &Path, name: &str, plugin: &DeciderPlugin) -> RecordBatch {
    let kind = |kind: FieldKind| match kind {
        FieldKind::Boolean => DataType::Boolean,
        FieldKind::Integer => DataType::Int64,
        FieldKind::Number => DataType::Float64,
        _ => DataType::Utf8,
    };
    let fields: Vec<Field> =
        plugin.reads.iter().map(|field| Field::new(&field.name, kind(field.kind), true)).collect();
    let file = fs::File::open(folder.join(format!("{name}.jsonl"))).expect("the rows were exported");
    let reader = ReaderBuilder::new(Arc::new(Schema::new(fields))).with_batch_size(1 << 16);
    let mut batches = reader.build(BufReader::new(file)).expect("a reader");
    batches.next().expect("there are rows").expect("the rows are of the model's kinds")
}

/// The CPU time of this thread in nanoseconds.
fn thread_nanos() -> u64 {
    // The kernel brings the time up to date when the thread offers its place.
    std::thread::yield_now();
    let text = fs::read_to_string("/proc/thread-self/schedstat").expect("Linux says it");
    text.split(' ').next().and_then(|nanos| nanos.parse().ok()).expect("a number")
}

/// A process that runs ONNX Runtime: see `onnxruntime_timing.py`.
struct OnnxRuntime {
    child: Child,
    /// Closed at the end.
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl OnnxRuntime {
    fn start(folder: &Path, name: &str) -> OnnxRuntime {
        let python = root().join("target/models-venv/bin/python");
        let mut child = Command::new(python)
            .arg(root().join("tests/benches/limits/onnxruntime_timing.py"))
            .args([folder.join(format!("{name}.onnx")), folder.join(format!("{name}.jsonl"))])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python starts");
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("it is piped"));
        OnnxRuntime { child, input, output }
    }

    fn nanos_a_row(&mut self, batch: usize, calls: usize) -> f64 {
        let input = self.input.as_mut().expect("it is open");
        writeln!(input, "{batch} {calls}").expect("the process reads");
        self.number()
    }

    fn number(&mut self) -> f64 {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("the process answers");
        line.trim().parse().unwrap_or_else(|_| panic!("a number, not {line:?}"))
    }

    /// Ends the process. Returns its memory for ONNX Runtime and the model in MiB.
    fn end(mut self) -> f64 {
        self.input = None;
        let memory = self.number() / MIB;
        self.child.wait().expect("the process ends");
        memory
    }
}

/// The memory in MiB that a process needs for the model runtime and a lowered model, and for its import, too.
fn process_memory(folder: &Path, name: &str) -> [f64; 2] {
    [false, true].map(|imports| {
        let program = std::env::current_exe().expect("a bench has a path");
        let mut command = Command::new(program);
        command.arg(PROCESS_ARGUMENT).arg(folder).args([name, if imports { "import" } else { "lowered" }]);
        let output = command.output().expect("the bench can be started");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().parse().expect("a number")
    })
}

/// Answers the rows of a model once if this process was started for that. Prints its peak memory in MiB.
pub(super) fn run_memory_process() -> bool {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() != Some(PROCESS_ARGUMENT) {
        return false;
    }
    let folder = PathBuf::from(arguments.next().expect("a folder"));
    let name = arguments.next().expect("a model");
    let before = peak_kib("/proc/self").expect("Linux says it");
    let plugin = if arguments.next().as_deref() == Some("import") {
        import(&folder, &name).expect("it was imported before").0
    } else {
        let lowered = fs::read(folder.join(format!("{name}.lowered"))).expect("the import wrote it");
        load_lowered_model(lowered).expect("a lowered model can be run")
    };
    let rows = rows(&folder, &name, &plugin);
    let mut instance = plugin.instance();
    for start in (0..=rows.num_rows() - BATCH).step_by(BATCH) {
        std::hint::black_box(instance.decide(&rows.slice(start, BATCH)));
    }
    let peak = peak_kib("/proc/self").expect("Linux says it");
    println!("{}", (peak - before) as f64 / 1024.0);
    true
}
