//! Compares the subgroup search with `divexplorer`, over all flights from New York in 2013.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use understudy_statistics::divergence::{
    Pattern, PatternTable, SearchSettings, SumsLayout, frequent_patterns, search_subgroups,
};
use understudy_tests::flights::{Flights, classes};
use understudy_tests::process::peak_kib;
use understudy_tests::root;

use super::judge;

/// The argument, before the folder, that makes a child process run only our search, so that its memory can be
/// measured.
const PROCESS_ARGUMENT: &str = "divergence-search";
const ROUNDS: usize = 3;
/// Minimum share of flights in a subgroup, as in `tests/oracles/divexplorer.py`.
const SUPPORT: f64 = 0.01;
const DEPTH: usize = 3;
/// Required speed-up.
const FASTER: f64 = 15.0;

/// Seconds of the search, of reading, and in total; peak memory in MiB; number of subgroups.
type Measured = [f64; 5];

/// Compares the time with `divexplorer` for the same subgroups and values, and measures peak memory.
pub fn divergence() -> bool {
    let folder = root().join("target/divergence");
    fs::create_dir_all(&folder).expect("a folder in target");
    let python = python();
    let script = root().join("tests/oracles/divexplorer.py");
    let theirs = |command: &str| stdout(Command::new(&python).arg(&script).arg(command).arg(&folder));
    theirs("table");
    let (mut times, mut ours) = (Vec::new(), Vec::<Measured>::new());
    for _ in 0..ROUNDS {
        let output = theirs("search");
        let [seconds, peak, found] = numbers(&output);
        println!("divexplorer {seconds:.2} s for {found} classes, peak {peak:.0} MiB");
        times.push(seconds);
        let program = std::env::current_exe().expect("a benchmark has a path");
        let [search, reading, all, peak, found] =
            numbers(&stdout(Command::new(program).arg(PROCESS_ARGUMENT).arg(&folder)));
        println!(
            "ours {search:.3} s for {found} classes, peak {peak:.0} MiB; with reading the table {:.2} s; the whole search \
             with its tests {all:.2} s",
            reading + search
        );
        ours.push([search, reading, all, peak, found]);
    }
    let [mine, other] = ["ours.csv", "patterns.csv"].map(|name| classes(&folder.join(name)));
    let same = mine == other && !mine.is_empty();
    println!("classes, counts and rates: {}", if same { "the same" } else { "NOT THE SAME" });
    let least = |values: &mut dyn Iterator<Item = f64>| values.fold(f64::INFINITY, f64::min);
    let faster = least(&mut times.into_iter()) / least(&mut ours.iter().map(|measured| measured[0]));
    let time = faster >= FASTER;
    let kept = if time { "kept" } else { "NOT KEPT" };
    println!("against divexplorer: {faster:.1} times as fast, limit {FASTER} times at least: {kept}");
    let peak = ours.iter().map(|m| m[3]).fold(0.0, f64::max);
    let memory = judge("peak memory of the search", peak * 1.048_576, 150.0, "MB");
    same && time && memory
}

/// Runs only our search if this process was started for that. Prints the measurements and writes the
/// subgroups.
pub fn run_search_process() -> bool {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() != Some(PROCESS_ARGUMENT) {
        return false;
    }
    let folder = PathBuf::from(arguments.next().expect("a folder"));
    let started = Instant::now();
    let flights = Flights::read(&folder.join("flights.csv"));
    let mut table = PatternTable {
        sizes: flights.values.iter().map(Vec::len).collect(),
        counts: vec![1; flights.codes[0].len()],
        width: 2,
        codes: flights.codes.clone(),
        sums: flights.arrivals.clone(),
    };
    let reading = started.elapsed().as_secs_f64();
    let least = (SUPPORT * table.counts.len() as f64).ceil() as u64;
    let started = Instant::now();
    let found = frequent_patterns(&table, DEPTH, least);
    let seconds = started.elapsed().as_secs_f64();
    write(&flights, &found, &folder.join("ours.csv"));
    halve(&mut table);
    let settings = SearchSettings {
        max_terms: DEPTH,
        min_pairs: least,
        false_discovery_rate: 0.05,
        binary_scores: true,
        confidence: 0.975,
    };
    let layout = SumsLayout { components: 1, moments: vec![] };
    let started = Instant::now();
    let listed =
        search_subgroups(&table, &layout, &settings, &mut |n, sums| (n > 0).then(|| sums[0] / n as f64));
    let all = started.elapsed().as_secs_f64();
    assert_eq!(listed.patterns, found.len());
    let peak = peak_kib("/proc/self").expect("Linux says it") as f64 / 1024.0;
    println!("{seconds} {reading} {all} {peak} {}", found.len());
    true
}

/// Assigns every other flight to the confirmation half.
fn halve(table: &mut PatternTable) {
    let halves = table.sums.chunks_exact(2).enumerate().flat_map(|(row, part)| match row % 2 {
        0 => [part[0], part[1], 0.0, 0.0],
        _ => [0.0, 0.0, part[0], part[1]],
    });
    table.sums = halves.collect();
    table.width = 4;
}

fn write(flights: &Flights, found: &[Pattern], path: &Path) {
    let line = |pattern: &Pattern| {
        let class = flights.class(pattern.terms.iter().map(|term| (term.condition, term.value)));
        let rate = if pattern.sums[0] > 0.0 {
            (pattern.sums[1] / pattern.sums[0]).to_string()
        } else {
            String::new()
        };
        format!("{class},{},{rate}\n", pattern.count)
    };
    let lines: String = found.iter().map(line).collect();
    fs::write(path, "terms,flights,rate\n".to_owned() + &lines).expect("the file can be written");
}

/// The Python of a virtual environment with `divexplorer`. Created once.
fn python() -> PathBuf {
    let wanted = root().join("tests/oracles/requirements-divergence.txt");
    let venv = root().join("target/venv-divergence");
    let python = venv.join("bin/python");
    let stamp = venv.join("requirements.txt");
    let requirements = fs::read(&wanted).expect("the requirements");
    if fs::read(&stamp).is_ok_and(|installed| installed == requirements) {
        return python;
    }
    stdout(Command::new("python3").args(["-m", "venv"]).arg(&venv));
    stdout(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--requirement"]).arg(&wanted));
    fs::write(&stamp, requirements).expect("the stamp can be written");
    python
}

/// The output of a command, which must succeed.
fn stdout(command: &mut Command) -> String {
    let output = command.output().expect("the program can be started");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// The numbers of a line.
fn numbers<const N: usize>(line: &str) -> [f64; N] {
    let numbers: Vec<f64> = line.split_whitespace().map(|word| word.parse().expect("a number")).collect();
    numbers.try_into().unwrap_or_else(|_| panic!("{N} numbers, not {line}"))
}
