//! Runs the example studies into `target/demo`.
//!
//! Invariants:
//! - Each demo starts from an empty run directory.
//! - The printed commands can be run by hand.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, ensure};
use serde_json::Value;

use crate::{host, plugins, shell};

/// The path of the plugins relative to the examples, and relative to `target/demo/NAME`.
const PLUGINS: [&str; 2] = ["../../target/plugins/", "../../plugins/"];

/// Variants of the hotel study: name, threshold, and exit code of the verdict.
const HOTEL: [(&str, &str, i32); 3] = [
    ("eight-weeks", "quantifier = \"every-window\"\nwindows = { first = 8 }", 0),
    ("nine-weeks", "quantifier = \"every-window\"\nwindows = { first = 9 }", 1),
    ("the-year", "quantifier = \"pooled\"\nwindows = { all = true }", 1),
];

/// Runs the hotel studies, the one of trained models first. Then shows in three lines why a threshold must be declared in
/// advance. The output of the commands goes to files beside the runs, or is printed if `is_verbose`.
pub fn hotel(root: &Path, is_verbose: bool) -> anyhow::Result<()> {
    let understudy = host(root)?;
    plugins::build(root)?;
    let folder = "target/demo/trained-models";
    remove_run(root, folder)?;
    println!("\n$ understudy demo {folder}");
    let verbose = is_verbose.then_some("--verbose");
    shell::command(&understudy, root).args(["demo", folder].into_iter().chain(verbose)).run()?;
    let mut pages = vec![format!("{folder}/run/report.html")];
    for study in ["rooms", "rates"] {
        let folder = format!("target/demo/{study}");
        let declaration = format!("examples/hotel/{study}.toml");
        remove_run(root, &folder)?;
        let mut text = String::new();
        println!();
        for line in [&["run", &declaration, "--run", &folder][..], &["report", &folder]] {
            println!("$ understudy {}", line.join(" "));
            let output = shell::command(&understudy, root).args(line).output(&[0])?;
            if is_verbose {
                println!("\n{output}");
            }
            text.push_str(&format!("$ understudy {}\n\n{output}\n", line.join(" ")));
        }
        let file = format!("{folder}.txt");
        fs::write(root.join(&file), text).with_context(|| format!("cannot write {file}"))?;
        if !is_verbose {
            println!("The figures are in {file}.");
        }
        pages.push(format!("{folder}/report.html"));
    }
    let rooms = root.join("examples/hotel/rooms.toml");
    let text = fs::read_to_string(&rooms).with_context(|| format!("cannot read {}", rooms.display()))?;
    let text = text.replace(PLUGINS[0], PLUGINS[1]).replace("\"hotel-", "\"../../../examples/hotel/hotel-");
    let text = text.replacen("../../../examples/hotel/hotel-rooms", "hotel-rooms", 1);
    let folder = "target/demo/hotel";
    fs::create_dir_all(root.join(folder)).with_context(|| format!("cannot create {folder}"))?;
    println!(
        "\nThe same model, the same hotel, at least 0.85 of the rooms as booked; only the declaration differs:"
    );
    println!("  {:<12} {:<8} reason", "study", "verdict");
    for (name, declared, code) in HOTEL {
        let study = format!("{folder}/{name}.toml");
        let threshold = format!(
            "{text}\n[threshold]\nat-least = 0.85\n{declared}\nevidence = \"point\"\nchance = {{ gain = 0.0 }}\n"
        );
        fs::write(root.join(&study), threshold).with_context(|| format!("cannot write {study}"))?;
        let run_folder = format!("{folder}/{name}");
        remove_run(root, &run_folder)?;
        shell::command(&understudy, root).args(["run", &study, "--run", &run_folder]).output(&[0])?;
        let output = shell::command(&understudy, root)
            .args(["decide", &run_folder, "--model", MODEL, "--format", "json"])
            .output(&[code])?;
        let (verdict, reason) = main_reason(&output).context("`decide` printed no verdict")?;
        println!("  {name:<12} {verdict:<8} {reason}");
    }
    println!("\nOpen one of these pages in a browser, the first one first:");
    for page in pages {
        println!("  {page}");
    }
    Ok(())
}

/// The model of the three lines.
const MODEL: &str = "booked-room";

/// The verdict on all of the input and its main reason, from the JSON that output begins with.
fn main_reason(output: &str) -> Option<(String, String)> {
    let verdict = serde_json::Deserializer::from_str(output).into_iter::<Value>().next()?.ok()?;
    let model = verdict["models"].as_array()?.iter().find(|model| model["model"] == MODEL)?;
    let ruling = model["scopes"].get(0)?;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    Some((text(&ruling["verdict"])?, text(&ruling["reasons"].get(0)?["text"])?))
}

/// Variants of the yard study: name, and replacements in the declaration.
const YARD: [(&str, &[(&str, &str)]); 3] = [
    ("every-window", &[]),
    ("pooled", &[("quantifier = \"every-window\"", "quantifier = \"pooled\"")]),
    ("split", &[("on-exposure = \"void\"", "on-exposure = \"split\"")]),
];

/// Writes the feed of the freight yard and copies of its study, runs them, and decides on each.
pub fn freight_yard(root: &Path) -> anyhow::Result<()> {
    let understudy = host(root)?;
    plugins::build(root)?;
    let folder = "target/demo/freight-yard";
    println!("\n$ freight-yard {folder}");
    shell::command(root.join("target/release/freight-yard"), root).arg(folder).run()?;

    let study = root.join("examples/freight-yard/study.toml");
    let text = fs::read_to_string(&study).with_context(|| format!("cannot read {}", study.display()))?;
    for (name, edits) in YARD {
        let mut edited = text.clone();
        for (from, to) in edits.iter().chain([&(PLUGINS[0], PLUGINS[1])]) {
            ensure!(edited.contains(from), "{} does not contain {from}", study.display());
            edited = edited.replace(from, to);
        }
        let copy = root.join(folder).join(name).with_extension("toml");
        fs::write(&copy, edited).with_context(|| format!("cannot write {}", copy.display()))?;
        run(root, &understudy, &format!("{folder}/{name}.toml"), &format!("{folder}/{name}"))?;
    }
    let runs = YARD.map(|(name, _)| format!("{folder}/{name}"));
    let [every, pooled, split] = runs.each_ref().map(String::as_str);
    show(root, &understudy, &["decide", pooled], 0)?;
    show(root, &understudy, &["decide", every], 1)?;
    show(root, &understudy, &["decide", every, "--scope", "weekday"], 0)?;
    show(root, &understudy, &["decide", every, "--scope", "weekend"], 4)?;
    println!(
        "\nNow assume that the recommendations were on a screen in the dispatchers' office from 22 April."
    );
    for (run, code) in [(every, 3), (split, 2)] {
        let since = ["--since", "2026-04-22T06:00:00+02:00"];
        let text = ["--text", "a screen in the dispatchers' office", "--who", "the yard's auditor"];
        let disclosed = [&["disclose", run, "exposure"][..], &since, &text].concat();
        show(root, &understudy, &disclosed, 0)?;
        show(root, &understudy, &["decide", run], code)?;
    }
    report(root, &understudy, every)?;
    Ok(())
}

/// Writes the report of a run as a page.
fn report(root: &Path, understudy: &Path, folder: &str) -> anyhow::Result<()> {
    println!("\n$ understudy report {folder}\n");
    shell::command(understudy, root).args(["report", folder]).run()
}

/// Runs a command that must end with an exit code, and prints its output.
fn show(root: &Path, understudy: &Path, arguments: &[&str], code: i32) -> anyhow::Result<()> {
    println!("\n$ understudy {}\n", arguments.join(" "));
    let output = shell::command(understudy, root).args(arguments).output(&[code])?;
    println!("{output}(exit code {code})");
    Ok(())
}

/// Runs a study into a folder. Both paths are relative to the workspace.
fn run(root: &Path, understudy: &Path, study: &str, folder: &str) -> anyhow::Result<()> {
    remove_run(root, folder)?;
    println!("\n$ understudy run {study} --run {folder}\n");
    shell::command(understudy, root).args(["run", study, "--run", folder]).run()
}

/// Removes the folder of an earlier run.
fn remove_run(root: &Path, folder: &str) -> anyhow::Result<()> {
    let path = root.join(folder);
    match path.exists() {
        true => fs::remove_dir_all(&path).with_context(|| format!("cannot remove {}", path.display())),
        false => Ok(()),
    }
}
