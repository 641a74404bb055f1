//! `understudy review`: who was right where a model and the substrate differ.

use std::io::{BufRead, IsTerminal as _, Read as _};
use std::path::PathBuf;

use anyhow::Context as _;

use super::report::style;
use super::{Exit, found, tell};
use understudy_audit::{self as audit, Asked, Judging, Review as Wanted};
use understudy_engine::WhatIf;
use understudy_report::case;
use understudy_report::counted;
use understudy_report::judged;
use understudy_report::reviewed;
use understudy_run_log::ledger::{FailureMode, Judgement};
use understudy_run_log::note::Signer;

/// Judge a sample of the decided rows in which a model and the substrate differ: who was right, and how the other went wrong.
/// Answers are read from standard input, three lines for each case. Every judgement is in the ledger before the next case is
/// shown; what was judged is not asked again, so this can be gone on with at any time.
#[derive(clap::Args)]
pub(super) struct Review {
    /// The run directory.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Whose disagreements [default: those of the first model]
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// How many disagreements are drawn, those among them that were judged before.
    #[arg(long, value_name = "ROWS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..))]
    sample: u32,
    /// What the draw is seeded with [default: the digest of the seal]
    #[arg(long, value_name = "TEXT")]
    seed: Option<String>,
    /// Who judges, and is shown the answers [default: the user, as the system calls him or her]
    #[arg(long, value_name = "NAME")]
    who: Option<String>,
    /// Sign the ledger's head with this key, made by `understudy key`.
    #[arg(long, value_name = "FILE")]
    sign_key: Option<PathBuf>,
}

impl Review {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let who = audit::who(self.who)?;
        let signer = self.sign_key.as_deref().map(Signer::read).transpose()?;
        let (prepared, seal) = audit::sealed(&self.run, &WhatIf::default())?;
        audit::has_its_fields(&self.run)?;
        let wanted = Wanted { model: self.model, sample: self.sample as usize, seed: self.seed };
        let judging = audit::begin_review(&prepared, &seal, &self.run, &wanted, who, signer)?;
        tell(format_args!(
            "{} and the substrate differ in {}; {} drawn, {} to be judged",
            judging.model,
            counted(judging.disagreements, "decided row", "decided rows"),
            counted(judging.drawn as u64, "is", "are"),
            judging.asked.len()
        ));
        Session { input: std::io::stdin().lock() }.judge(&judging)?;
        let summaries = judged(&audit::entries(&self.run)?);
        let style = style(std::io::stdout().is_terminal());
        for summary in summaries.iter().filter(|summary| summary.model == judging.model) {
            found(reviewed(summary, style).trim_end())?;
        }
        Ok(Exit::Done)
    }
}

/// The longest answer, in bytes: a note is kept in the ledger, which is kept for good.
const LONGEST: usize = 16 << 10;
/// So much of an answer that does not fit is shown.
const SHOWN: usize = 40;

/// What may be answered to who was right.
const RIGHT: [(&str, Right); 6] = [
    ("model", Right::Judged(Judgement::ModelRight)),
    ("substrate", Right::Judged(Judgement::SubstrateRight)),
    ("both", Right::Judged(Judgement::BothFine)),
    ("unclear", Right::Judged(Judgement::Unclear)),
    ("skip", Right::Skip),
    ("quit", Right::Quit),
];
/// What may be answered to how it went wrong.
const MODES: [(&str, Option<FailureMode>); 5] = [
    ("gap", Some(FailureMode::KnownGap)),
    ("boundary", Some(FailureMode::Boundary)),
    ("novel", Some(FailureMode::Novel)),
    ("data", Some(FailureMode::DataFault)),
    ("none", None),
];

#[derive(Clone, Copy)]
enum Right {
    Judged(Judgement),
    Skip,
    Quit,
}

/// Questions and answers.
struct Session<R> {
    input: R,
}

impl<R: BufRead> Session<R> {
    /// Asks about each case, until there is none left, or no answer.
    fn judge(&mut self, judging: &Judging) -> anyhow::Result<()> {
        let style = style(std::io::stdout().is_terminal());
        let all = judging.asked.len();
        for (at, asked) in judging.asked.iter().enumerate() {
            found(format_args!("--- {} of {all}, from {}", at + 1, asked.stratum))?;
            found(case(&asked.case, style).trim_end())?;
            found("")?;
            if !self.judge_one(judging, asked)? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Asks about one case; gives whether to go on.
    fn judge_one(&mut self, judging: &Judging, asked: &Asked) -> anyhow::Result<bool> {
        let right = self.choice("who was right?", &RIGHT, None)?;
        let judgement = match right {
            Some(Right::Judged(judgement)) => judgement,
            Some(Right::Skip) => return Ok(true),
            Some(Right::Quit) | None => return Ok(false),
        };
        let unfinished = || {
            tell("the answers ended before this case was judged to the end: it is not counted");
            Ok(false)
        };
        let Some(mode) = self.choice("how did the other go wrong?", &MODES, Some(None))? else {
            return unfinished();
        };
        tell("a note? [a line, or nothing]");
        let Some(note) = self.line()? else { return unfinished() };
        judging.judge(asked, judgement, mode, &note)?;
        Ok(true)
    }

    /// One of the words, or the beginning of just one of them; `unsaid` for an empty line. `None` where nothing more comes.
    fn choice<T: Copy>(
        &mut self,
        question: &str,
        words: &[(&str, T)],
        unsaid: Option<T>,
    ) -> anyhow::Result<Option<T>> {
        let listed: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let listed = listed.join(", ");
        loop {
            tell(format_args!("{question} [{listed}]"));
            let Some(line) = self.line()? else { return Ok(None) };
            let said = line.trim().to_lowercase();
            if said.is_empty() && unsaid.is_some() {
                return Ok(unsaid);
            }
            let fitting: Vec<_> = words.iter().filter(|(word, _)| word.starts_with(&said)).collect();
            match fitting[..] {
                [(_, meant)] => return Ok(Some(*meant)),
                _ => {
                    let said: String = said.chars().take(SHOWN).collect();
                    tell(format_args!("\"{said}\" is none of these, or the beginning of several"));
                }
            }
        }
    }

    /// The next line of the answers; `None` at their end.
    fn line(&mut self) -> anyhow::Result<Option<String>> {
        let mut line = String::new();
        let mut input = (&mut self.input).take(LONGEST as u64 + 1);
        let read = input.read_line(&mut line).context("cannot read answers from standard input")?;
        anyhow::ensure!(
            read <= LONGEST,
            "an answer is longer than {} KiB; is this the right input?",
            LONGEST >> 10
        );
        Ok((read > 0).then_some(line))
    }
}
