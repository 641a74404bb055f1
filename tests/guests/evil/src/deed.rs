//! What `evil` can do wrong.

use std::hint::black_box;
use std::sync::atomic::{AtomicU32, Ordering};

use serde::Deserialize;
use understudy_sdk::{Answers, Decisions, Labels, Reason};

/// A way to misbehave.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Deed {
    /// Panics with the text.
    Panic,
    /// Traps without a panic.
    TrapUnreachable,
    /// Never comes back.
    Loop,
    /// Allocates until there is no more.
    Allocate,
    /// Calls itself until the stack ends.
    DeepRecursion,
    /// Answers numbers, of which the cue's is NaN.
    Nan,
    /// Answers one row more than there are.
    WrongLength,
    /// Gives the cue a code that has no name.
    CodeOutOfRange,
    /// Gives names whose offsets descend.
    BadOffsets,
    /// Says twice that the cue is unanswered, after a later row.
    NotAscendingUnanswered,
    /// Gives names that are not UTF-8.
    BadUtf8,
    /// Fails the batch.
    Error,
    /// Abstains from the cue, which is allowed.
    Abstain,
    /// Answers the cue with how often it was asked.
    Stateful,
    /// Refuses its configuration.
    RefuseConfig,
    /// Gives a name of 32 MiB.
    HugeAnswer,
    /// Is twice as sure of the cue as can be.
    BadConfidence,
}

impl Deed {
    /// What becomes of the cue.
    pub fn at_row(self, text: &str) -> Result<String, Reason> {
        match self {
            Self::Panic => panic!("evil panics on `{text}`"),
            Self::TrapUnreachable => trap(),
            Self::Loop => loop {
                black_box(());
            },
            Self::Allocate => allocate(),
            Self::DeepRecursion => Ok(recurse(black_box(0)).to_string()),
            Self::Abstain => Err(Reason::Abstained("evil abstains".to_owned())),
            Self::Stateful => {
                static ASKED: AtomicU32 = AtomicU32::new(0);
                Ok(format!("asked {} times before", ASKED.fetch_add(1, Ordering::Relaxed)))
            }
            _ => Ok(text.to_owned()),
        }
    }

    /// What becomes of the answers to a batch whose first cue is row `cue`.
    pub fn at_batch(self, mut answers: Answers, cue: usize) -> Result<Answers, String> {
        let Decisions::Labels(Labels { names, codes }) = &mut answers.decisions else { return Ok(answers) };
        let rows = codes.len();
        match self {
            Self::Error => return Err("evil fails the batch".to_owned()),
            Self::Nan => {
                let number = |row| if row == cue { f64::NAN } else { row as f64 };
                answers.decisions = Decisions::Numbers((0..rows).map(number).collect());
            }
            Self::WrongLength => codes.push(0),
            Self::CodeOutOfRange => codes[cue] = u32::MAX,
            Self::BadOffsets => names.offsets[0] = u32::MAX,
            Self::NotAscendingUnanswered => {
                let reason = || Reason::Failed("evil counts backwards".to_owned());
                answers.unanswered = [rows - 1, cue, cue].map(|row| (row as u32, reason())).into();
            }
            Self::BadUtf8 => names.bytes[0] = 0xff,
            Self::HugeAnswer => {
                names.bytes.resize(names.bytes.len() + (32 << 20), b'!');
                names.offsets.push(names.bytes.len() as u32);
                codes[cue] = names.offsets.len() as u32 - 2;
            }
            Self::BadConfidence => {
                answers.confidence = Some((0..rows).map(|row| if row == cue { 2.0 } else { 1.0 }).collect());
            }
            _ => {}
        }
        Ok(answers)
    }
}

/// Traps as a compiler's `unreachable` does.
fn trap() -> ! {
    #[cfg(target_arch = "wasm32")]
    std::arch::wasm32::unreachable();
    #[cfg(not(target_arch = "wasm32"))]
    std::process::abort();
}

fn allocate() -> ! {
    let mut kept = Vec::new();
    loop {
        kept.push(black_box(vec![1u8; 1 << 20]));
    }
}

#[expect(unconditional_recursion, reason = "it is what is asked for")]
fn recurse(depth: u64) -> u64 {
    let kept = black_box([depth; 64]);
    recurse(depth + 1) + kept[depth as usize % 64]
}
