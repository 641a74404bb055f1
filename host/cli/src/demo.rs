//! `understudy demo`: a study of a hotel's bookings with trained models, from its files to its verdict.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

use super::output::print_out;
use super::{Exit, execute_line};

/// The files of the study: the declaration, the feed and the trained models.
const FILES: [(&str, &[u8]); 6] = [
    ("study.toml", include_bytes!("../../../examples/hotel/trained-models.toml")),
    ("shadow-bookings.jsonl.gz", include_bytes!("../../../examples/hotel/shadow-bookings.jsonl.gz")),
    ("shadow-assignments.jsonl.gz", include_bytes!("../../../examples/hotel/shadow-assignments.jsonl.gz")),
    ("forest.onnx", include_bytes!("../../../examples/hotel/forest.onnx")),
    ("boosted-trees.ubj", include_bytes!("../../../examples/hotel/boosted-trees.ubj")),
    ("boosted-trees.txt", include_bytes!("../../../examples/hotel/boosted-trees.txt")),
];

/// Run a finished example, from the feed to the verdict.
///
/// Writes a study of a hotel's bookings into a new directory: three trained models answer which room the hotel
/// assigns, beside the rule that a guest gets the room that was booked. Then checks the study, runs it, gives the
/// verdict and writes the report. Prints each command, so that it can be repeated and changed.
#[derive(clap::Args)]
pub(super) struct Demo {
    /// Directory to create.
    #[arg(value_name = "DIR", default_value = "understudy-demo")]
    directory: PathBuf,
}

impl Demo {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let folder = &self.directory;
        let shown = folder.display();
        ensure!(!folder.exists(), "cannot write the demo to {shown}: it exists; name another directory");
        write_files(folder).with_context(|| format!("cannot write the demo to {shown}"))?;
        let path = |name: &str| folder.join(name).display().to_string();
        let (study, run) = (path("study.toml"), path("run"));
        for line in
            [&["check", &study][..], &["run", &study, "--run", &run], &["decide", &run], &["report", &run]]
        {
            print_out(format_args!("\n$ understudy {}\n", line.join(" ")))?;
            let exit = execute_line(line)?;
            ensure!(
                !matches!(exit, Exit::Interrupted | Exit::NoVerdict),
                "the demo was stopped; remove {shown} and start it again"
            );
        }
        print_out(format_args!(
            "\nThe threshold is declared for all of the input and for weekends, and each has a verdict for each model.\n\
             Open {} in a browser. Then look at the files in {shown}, beginning with study.toml, and try:\n\
             \x20 understudy case {run} {EXAMPLE}\n\
             \x20 understudy verify {run}",
            path("run/report.html")
        ))?;
        Ok(Exit::Done)
    }
}

/// A booking for which the hotel decided otherwise than the models.
const EXAMPLE: &str = "b15399";

fn write_files(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    FILES.iter().try_for_each(|(name, bytes)| std::fs::write(folder.join(name), bytes))
}
