//! `understudy demo`: a study of a hotel's bookings with trained models, from its files to its verdict.

use std::fs::File;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail, ensure};

use super::output::print_out;
use super::report::style;
use super::{Exit, execute_line};
use understudy_report::{TableCell, render_table};
use understudy_run_log::{VERDICT, read_file};
use understudy_statistics::verdict::Verdict;
use understudy_study::ALL_SNAPSHOTS;

/// The files of the study: the declaration, the feed and the trained models.
const FILES: [(&str, &[u8]); 6] = [
    ("study.toml", include_bytes!("../../../examples/hotel/trained-models.toml")),
    ("shadow-bookings.jsonl.gz", include_bytes!("../../../examples/hotel/shadow-bookings.jsonl.gz")),
    ("shadow-assignments.jsonl.gz", include_bytes!("../../../examples/hotel/shadow-assignments.jsonl.gz")),
    ("forest.onnx", include_bytes!("../../../examples/hotel/forest.onnx")),
    ("boosted-trees.ubj", include_bytes!("../../../examples/hotel/boosted-trees.ubj")),
    ("boosted-trees.txt", include_bytes!("../../../examples/hotel/boosted-trees.txt")),
];

/// Run a complete example, from the feed to the verdict.
///
/// Writes a study of a hotel's bookings into a new directory: three trained models answer which room the hotel
/// assigns, beside the rule that a guest gets the room that was booked. Then checks the study, runs it, gives the
/// verdict and writes the report. Prints each command, so that it can be repeated and changed, and at the end the
/// verdicts and the page to open. The output of the commands is in the file output.txt of the directory.
#[derive(clap::Args)]
pub(super) struct Demo {
    /// Directory to create.
    #[arg(value_name = "DIR", default_value = "understudy-demo")]
    directory: PathBuf,
    /// Print the output of the commands instead of writing it to output.txt.
    #[arg(long)]
    verbose: bool,
}

impl Demo {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let folder = &self.directory;
        let shown = folder.display();
        ensure!(!folder.exists(), "cannot write the demo to {shown}: it exists; name another directory");
        write_files(folder).with_context(|| format!("cannot write the demo to {shown}"))?;
        let path = |name: &str| folder.join(name).display().to_string();
        let (study, run) = (path("study.toml"), path("run"));
        let output = folder.join(OUTPUT);
        for line in
            [&["check", &study][..], &["run", &study, "--run", &run], &["decide", &run], &["report", &run]]
        {
            print_out(format_args!("$ understudy {}", line.join(" ")))?;
            if self.verbose {
                let exit = execute_line(line)?;
                ensure!(
                    !matches!(exit, Exit::Interrupted | Exit::NoVerdict),
                    "the demo was stopped; remove {shown} and start it again"
                );
            } else {
                execute_into(line, &output)?;
            }
        }
        let verdict = folder.join("run").join(VERDICT);
        let text = read_file(&verdict).with_context(|| format!("cannot read {}", verdict.display()))?;
        let verdict: Verdict =
            serde_json::from_slice(&text).with_context(|| format!("cannot read {}", verdict.display()))?;
        print_out(format_args!("\nThe verdicts of the study {}:\n", verdict.study))?;
        print_out(verdict_table(&verdict).trim_end())?;
        if !self.verbose {
            print_out(format_args!("\nThe reasons and all figures are in {}.", output.display()))?;
        }
        print_out(format_args!(
            "\nLook at the files in {shown}, beginning with study.toml, and try:\n\
             \x20 understudy case {run} {EXAMPLE}\n\
             \x20 understudy verify {run}\n\n\
             Open {} in a browser.",
            path("run/report.html")
        ))?;
        Ok(Exit::Done)
    }
}

/// The file with the output of the commands.
const OUTPUT: &str = "output.txt";

/// Executes a command in a process of its own, and appends its line and its output to a file.
fn execute_into(line: &[&str], output: &Path) -> anyhow::Result<()> {
    let shown = output.display();
    let cannot_write = || format!("cannot write {shown}");
    let mut file = File::options().create(true).append(true).open(output).with_context(cannot_write)?;
    writeln!(file, "$ understudy {}\n", line.join(" ")).with_context(cannot_write)?;
    let program = std::env::current_exe().context("cannot find the program's own file; use --verbose")?;
    let [out, err] = [file.try_clone(), file.try_clone()];
    let status = Command::new(program)
        .args(line)
        .stdout(out.with_context(cannot_write)?)
        .stderr(err.with_context(cannot_write)?)
        .status()
        .context("cannot start a command of the demo; use --verbose")?;
    writeln!(file).with_context(cannot_write)?;
    // Every verdict is a result.
    let is_done = match (line, status.code()) {
        (["decide", ..], Some(code)) => (0..=3).contains(&code),
        _ => status.success(),
    };
    if !is_done {
        bail!("`understudy {}` ended with {status}; {shown} says why", line.join(" "));
    }
    Ok(())
}

/// The verdict of each model, on all of the input and on each scope.
fn verdict_table(verdict: &Verdict) -> String {
    let scopes = verdict.models.first().map(|model| &model.scopes[..]).unwrap_or_default();
    let head = |scope: &str| match scope {
        ALL_SNAPSHOTS => "all of the input".to_owned(),
        scope => format!("scope {scope}"),
    };
    let heads: Vec<String> =
        std::iter::once("model".to_owned()).chain(scopes.iter().map(|found| head(&found.scope))).collect();
    let rows = verdict.models.iter().map(|model| {
        let kinds = model.scopes.iter().map(|found| TableCell::Text(found.verdict.name().to_owned()));
        std::iter::once(TableCell::Text(model.model.clone())).chain(kinds).collect()
    });
    render_table(&heads, &rows.collect::<Vec<_>>(), style(std::io::stdout().is_terminal()))
}

/// A booking for which the hotel decided otherwise than the models.
const EXAMPLE: &str = "b15399";

fn write_files(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    FILES.iter().try_for_each(|(name, bytes)| std::fs::write(folder.join(name), bytes))
}
