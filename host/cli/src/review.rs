//! `understudy review`: judgements of disagreements between a model and the substrate.

use std::io::{BufRead, IsTerminal as _, Read as _};
use std::path::PathBuf;

use anyhow::Context as _;

use super::Exit;
use super::output::{print_err, print_out};
use super::report::style;
use understudy_audit::{self as audit, CaseReview, PendingCase, ReviewRequest};
use understudy_engine::PluginOverrides;
use understudy_report::counted;
use understudy_report::render_case;
use understudy_report::render_reviews;
use understudy_report::review_summaries;
use understudy_run_log::ledger::{FailureMode, Judgement};
use understudy_run_log::signed_head::Signer;

/// Judge sampled disagreements.
///
/// Samples decided rows on which a model and the substrate disagree, and asks who was right and how the other
/// failed. Answers are read from standard input, three lines per case. Each judgement is in the ledger before
/// the next case is shown, and judged cases are not asked again, so that a review can be continued at any
/// time.
#[derive(clap::Args)]
pub(super) struct Review {
    /// Run directory.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Model whose disagreements are sampled [default: the first model].
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Sample size, including cases that are already judged.
    #[arg(long, value_name = "ROWS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..))]
    sample: u32,
    /// Seed of the sample [default: digest of the seal].
    #[arg(long, value_name = "TEXT")]
    seed: Option<String>,
    /// Name recorded in the ledger [default: login name].
    #[arg(long, value_name = "NAME")]
    who: Option<String>,
    /// Key file that signs the ledger's head, from `understudy key`.
    #[arg(long, value_name = "FILE")]
    sign_key: Option<PathBuf>,
}

impl Review {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let who = audit::operator(self.who)?;
        let signer = self.sign_key.as_deref().map(Signer::read).transpose()?;
        let (sealed_study, seal) = audit::load_sealed_study(&self.run, &PluginOverrides::default())?;
        audit::ensure_all_fields(&self.run)?;
        let wanted = ReviewRequest { model: self.model, sample: self.sample as usize, seed: self.seed };
        let review = audit::begin_review(&sealed_study, &seal, &self.run, &wanted, who, signer)?;
        print_err(format_args!(
            "{} and the substrate disagree on {}; {} sampled, {} to judge",
            review.model,
            counted(review.disagreements, "decided row", "decided rows"),
            counted(review.drawn as u64, "row", "rows"),
            review.cases.len()
        ));
        Dialogue { input: std::io::stdin().lock() }.judge(&review)?;
        let summaries = review_summaries(&audit::read_entries(&self.run)?);
        let style = style(std::io::stdout().is_terminal());
        for summary in summaries.iter().filter(|summary| summary.model == review.model) {
            print_out(render_reviews(summary, style).trim_end())?;
        }
        Ok(Exit::Done)
    }
}

/// Maximum length of an answer in bytes, since the ledger keeps notes forever.
const MAX_ANSWER_BYTES: usize = 16 << 10;
/// Number of characters of an invalid answer that are shown.
const MAX_SHOWN_CHARS: usize = 40;

/// Answers to the question who was right.
const JUDGEMENTS: [(&str, JudgementAnswer); 6] = [
    ("model", JudgementAnswer::Judged(Judgement::ModelRight)),
    ("substrate", JudgementAnswer::Judged(Judgement::SubstrateRight)),
    ("both", JudgementAnswer::Judged(Judgement::BothFine)),
    ("unclear", JudgementAnswer::Judged(Judgement::Unclear)),
    ("later", JudgementAnswer::Later),
    ("quit", JudgementAnswer::Quit),
];
/// Answers to the question how the other failed.
const MODES: [(&str, ModeAnswer); 6] = [
    ("gap", ModeAnswer::Mode(Some(FailureMode::KnownGap))),
    ("boundary", ModeAnswer::Mode(Some(FailureMode::Boundary))),
    ("novel", ModeAnswer::Mode(Some(FailureMode::Novel))),
    ("data", ModeAnswer::Mode(Some(FailureMode::DataFault))),
    ("none", ModeAnswer::Mode(None)),
    ("quit", ModeAnswer::Quit),
];

#[derive(Clone, Copy)]
enum JudgementAnswer {
    Judged(Judgement),
    Later,
    Quit,
}

#[derive(Clone, Copy)]
enum ModeAnswer {
    Mode(Option<FailureMode>),
    Quit,
}

/// A dialogue on standard input and standard error.
struct Dialogue<R> {
    input: R,
}

impl<R: BufRead> Dialogue<R> {
    /// Asks about each case until the cases or the answers end.
    fn judge(&mut self, review: &CaseReview) -> anyhow::Result<()> {
        let style = style(std::io::stdout().is_terminal());
        let all = review.cases.len();
        for (index, case) in review.cases.iter().enumerate() {
            print_out(format_args!("--- {} of {all}, from {}", index + 1, case.stratum))?;
            print_out(render_case(&case.case, style).trim_end())?;
            print_out("")?;
            if !self.judge_one(review, case)? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Asks about one case. Returns whether to continue.
    fn judge_one(&mut self, review: &CaseReview, case: &PendingCase) -> anyhow::Result<bool> {
        let right = self.choice("who was right?", &JUDGEMENTS, None)?;
        let judgement = match right {
            Some(JudgementAnswer::Judged(judgement)) => judgement,
            Some(JudgementAnswer::Later) => return Ok(true),
            Some(JudgementAnswer::Quit) | None => return Ok(false),
        };
        let unfinished = || {
            print_err("the input ended within a case, which therefore has no judgement");
            Ok(false)
        };
        let mode = match self.choice("how did the other fail?", &MODES, Some(ModeAnswer::Mode(None)))? {
            Some(ModeAnswer::Mode(mode)) => mode,
            Some(ModeAnswer::Quit) => {
                print_err("this case has no judgement");
                return Ok(false);
            }
            None => return unfinished(),
        };
        print_err("note? [one line, or empty]");
        let Some(note) = self.line()? else { return unfinished() };
        review.judge(case, judgement, mode, &note)?;
        Ok(true)
    }

    /// The answer to a question: one of `words` or an unambiguous prefix. An empty line gives `default`, the
    /// end of the input `None`.
    fn choice<T: Copy>(
        &mut self,
        question: &str,
        words: &[(&str, T)],
        default: Option<T>,
    ) -> anyhow::Result<Option<T>> {
        let listed: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let listed = listed.join(", ");
        loop {
            print_err(format_args!("{question} [{listed}]"));
            let Some(line) = self.line()? else { return Ok(None) };
            let answer = line.trim().to_lowercase();
            if answer.is_empty() && default.is_some() {
                return Ok(default);
            }
            let fitting: Vec<_> = words.iter().filter(|(word, _)| word.starts_with(&answer)).collect();
            match fitting[..] {
                [(_, meant)] => return Ok(Some(*meant)),
                ref several => {
                    let shown: String = answer.chars().take(MAX_SHOWN_CHARS).collect();
                    let words: Vec<&str> = several.iter().map(|(word, _)| *word).collect();
                    match answer.is_empty() || words.is_empty() {
                        true => print_err(format_args!("\"{shown}\" is not one of these")),
                        false => print_err(format_args!(
                            "\"{shown}\" is ambiguous: it matches {}; write more letters",
                            words.join(" and ")
                        )),
                    }
                }
            }
        }
    }

    /// The next line of the input; `None` at its end.
    fn line(&mut self) -> anyhow::Result<Option<String>> {
        let mut line = String::new();
        let mut input = (&mut self.input).take(MAX_ANSWER_BYTES as u64 + 1);
        let read = input.read_line(&mut line).context("cannot read answers from standard input")?;
        anyhow::ensure!(
            read <= MAX_ANSWER_BYTES,
            "an answer is longer than {} KiB; check that standard input contains answers",
            MAX_ANSWER_BYTES >> 10
        );
        Ok((read > 0).then_some(line))
    }
}
