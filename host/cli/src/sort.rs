//! `understudy sort`: puts a file of records in order of time.

use std::path::PathBuf;

use anyhow::{Context as _, bail, ensure};
use understudy_run_log::read_text_file;
use understudy_sources::{SortError, SortOptions, SortSummary, sort_file};
use understudy_study::{FileSource, RecordFormat, Source, StreamKind, parse};

use super::Exit;
use super::output::print_err;
use super::run::first_signal;

/// Sort a file of records by event time.
///
/// A run refuses a file that is out of order of time by more than its `lateness`. This command sorts files of any size
/// in bounded memory. Lines with equal times keep their order. A line without a readable time stays behind the line
/// before it. Lines beyond the buffer are in a temporary file beside the output. A table is written as JSON Lines.
#[derive(clap::Args)]
pub(super) struct Sort {
    /// Study declaration, which names the keys of id and time.
    #[arg(value_name = "STUDY.TOML")]
    study: PathBuf,
    /// File to sort: JSON Lines, CSV or Parquet [default: the file that the study declares for the stream].
    #[arg(value_name = "INPUT")]
    input: Option<PathBuf>,
    /// Stream of the records in the file.
    #[arg(long, value_enum)]
    stream: SortedStream,
    /// Sorted file of JSON Lines. It is compressed if its name ends in `.gz` or `.zst`, and replaced if it exists.
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// Memory for lines, in MiB.
    #[arg(long, value_name = "MIB", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=1 << 20))]
    buffer_mib: u32,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum SortedStream {
    Snapshots,
    Decisions,
}

impl Sort {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let shown = self.study.display();
        let text = read_text_file(&self.study).with_context(|| format!("cannot read {shown}"))?;
        let study = match parse(&text) {
            Ok(study) => study,
            Err(invalid) => bail!("{}", invalid.faults.display(&self.study)),
        };
        let kind = match self.stream {
            SortedStream::Snapshots => StreamKind::Snapshots,
            SortedStream::Decisions => StreamKind::Decisions,
        };
        let input = match (&self.input, study.source(kind)) {
            (Some(input), _) => FileSource::from_path(input),
            (None, Source::File(file)) => FileSource {
                path: self.study.parent().map(|folder| folder.join(&file.path)).unwrap_or_default(),
                format: file.format,
            },
            (None, Source::Stdin | Source::Http) => {
                bail!("{shown} declares no file for the {}; name the file to sort", kind.name())
            }
        };
        let stream = study.stream(kind);
        ensure!(
            RecordFormat::of_path(&self.output) == RecordFormat::JsonLines,
            "cannot write {}: sorted records are JSON Lines; end the name of --output in .jsonl",
            self.output.display()
        );
        let options = SortOptions {
            format: input.format,
            kind,
            stream,
            record_bytes: study.limits.record_bytes,
            buffer_bytes: (self.buffer_mib as usize) << 20,
        };
        let mut signalled = first_signal().context("cannot listen for signals")?;
        match sort_file(&input.path, &self.output, options, || signalled.try_recv().is_ok()) {
            Ok(summary) => {
                print_err(summary_text(&summary, &stream.time, &self.output.display().to_string()))
            }
            Err(SortError::Stopped) => {
                print_err(SortError::Stopped);
                return Ok(Exit::Interrupted);
            }
            Err(error) => return Err(error.into()),
        }
        Ok(Exit::Done)
    }
}

/// What was sorted, in one line for each fact.
fn summary_text(summary: &SortSummary, time: &str, output: &str) -> String {
    let SortSummary { lines, out_of_order, unreadable, first_unreadable } = summary;
    let mut text = format!("{lines} lines sorted by `{time}` into {output}; {out_of_order} out of order");
    if let Some((line, reason)) = first_unreadable {
        text.push_str(&format!(
            "\n{unreadable} lines without a readable time stay behind the line before them, first line {line}: {reason}"
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_names_the_first_line_without_a_time() {
        let summary = SortSummary {
            lines: 7,
            out_of_order: 2,
            unreadable: 1,
            first_unreadable: Some((3, "not a JSON object".to_owned())),
        };
        insta::assert_snapshot!(summary_text(&summary, "at", "sorted.jsonl"), @r"
        7 lines sorted by `at` into sorted.jsonl; 2 out of order
        1 lines without a readable time stay behind the line before them, first line 3: not a JSON object
        ");
        let summary = SortSummary { lines: 7, ..SortSummary::default() };
        insta::assert_snapshot!(summary_text(&summary, "at", "sorted.jsonl"), @"7 lines sorted by `at` into sorted.jsonl; 0 out of order");
    }
}
