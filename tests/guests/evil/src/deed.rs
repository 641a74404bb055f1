//! The ways in which `evil` can misbehave.

use std::hint::black_box;
use std::sync::atomic::{AtomicU32, Ordering};

use serde::Deserialize;
use understudy_sdk::{AnswerValues, Answers, ConfigSchema, Labels, Probabilities, Reason, Text};

/// One way to misbehave. "Trigger" is a row that matches the configuration.
#[derive(Clone, Copy, Deserialize, ConfigSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Deed {
    /// Panics with the text.
    Panic,
    /// Traps without a panic.
    TrapUnreachable,
    /// Never returns.
    Loop,
    /// Allocates until memory is exhausted.
    Allocate,
    /// Reserves memory until none is left, without writing to it.
    Reserve,
    /// Recurses until the stack overflows.
    DeepRecursion,
    /// Answers numbers, with NaN for the trigger.
    Nan,
    /// Answers one row too many.
    WrongLength,
    /// Answers the trigger with a code that has no name.
    CodeOutOfRange,
    /// Returns names with descending offsets.
    BadOffsets,
    /// Lists the trigger as unanswered twice, after a later row.
    NotAscendingUnanswered,
    /// Returns names that are not UTF-8.
    BadUtf8,
    /// Fails the batch.
    Error,
    /// Abstains from the trigger, which is allowed.
    Abstain,
    /// Answers the trigger with the number of earlier calls.
    Stateful,
    /// Uses up its fuel at every tenth trigger of an instance, as a collection of garbage may.
    Garbage,
    /// Rejects its configuration.
    RefuseConfig,
    /// Returns a name of 32 MiB.
    HugeAnswer,
    /// Returns a confidence of 2 for the trigger.
    BadConfidence,
    /// Returns class probabilities that add up to 0.5 for the trigger.
    BadProbabilities,
    /// Declares the form `number`, and answers NaN for the trigger.
    NanAnswer,
    /// Answers the trigger with the number of rows of the batch.
    BatchRows,
    /// Reads an optional field, and answers with what the column holds for a missing value.
    Placeholder,
    /// Reads a JSON field, and answers with the first key of an object.
    KeyOrder,
    /// Reads a field of the decision.
    ReadDecision,
}

impl Deed {
    /// The answer to a trigger row.
    pub fn at_row(self, text: &str) -> Result<String, Reason> {
        match self {
            Self::Panic => panic!("evil panics on `{text}`"),
            Self::TrapUnreachable => trap(),
            Self::Loop => loop {
                black_box(());
            },
            Self::Allocate => allocate(),
            Self::Reserve => reserve(),
            Self::DeepRecursion => Ok(recurse(black_box(0)).to_string()),
            Self::Abstain => Err(Reason::Abstained("evil abstains".to_owned())),
            Self::Stateful => {
                static ASKED: AtomicU32 = AtomicU32::new(0);
                Ok(format!("asked {} times before", ASKED.fetch_add(1, Ordering::Relaxed)))
            }
            Self::Garbage => {
                static KEPT: AtomicU32 = AtomicU32::new(0);
                match KEPT.fetch_add(1, Ordering::Relaxed) % 10 {
                    9 => Self::Loop.at_row(text),
                    _ => Ok(text.to_owned()),
                }
            }
            _ => Ok(text.to_owned()),
        }
    }

    /// Falsifies the answers to a batch whose first trigger is row `trigger`.
    pub fn at_batch(self, mut answers: Answers, trigger: usize) -> Result<Answers, String> {
        let AnswerValues::Labels(Labels { names, codes }) = &mut answers.values else { return Ok(answers) };
        let rows = codes.len();
        match self {
            Self::Error => return Err("evil fails the batch".to_owned()),
            Self::Nan => {
                let number = |row| if row == trigger { f64::NAN } else { row as f64 };
                answers.values = AnswerValues::Numbers((0..rows).map(number).collect());
            }
            Self::BatchRows => {
                names.bytes.extend(format!("a batch of {rows}").bytes());
                names.offsets.push(names.bytes.len() as u32);
                codes[trigger] = names.offsets.len() as u32 - 2;
            }
            Self::WrongLength => codes.push(0),
            Self::CodeOutOfRange => codes[trigger] = u32::MAX,
            Self::BadOffsets => names.offsets[0] = u32::MAX,
            Self::NotAscendingUnanswered => {
                let reason = || Reason::Failed("evil counts backwards".to_owned());
                answers.unanswered = [rows - 1, trigger, trigger].map(|row| (row as u32, reason())).into();
            }
            Self::BadUtf8 => names.bytes[0] = 0xff,
            Self::HugeAnswer => {
                names.bytes.resize(names.bytes.len() + (32 << 20), b'!');
                names.offsets.push(names.bytes.len() as u32);
                codes[trigger] = names.offsets.len() as u32 - 2;
            }
            Self::BadConfidence => {
                answers.confidence =
                    Some((0..rows).map(|row| if row == trigger { 2.0 } else { 1.0 }).collect());
            }
            Self::BadProbabilities => {
                let probability = |row| if row == trigger { 0.5 } else { 1.0 };
                answers.probabilities = Some(Probabilities {
                    names: Text { offsets: vec![0, 1], bytes: b"a".to_vec() },
                    offsets: (0..=rows as u32).collect(),
                    codes: vec![0; rows],
                    values: (0..rows).map(probability).collect(),
                });
            }
            _ => {}
        }
        Ok(answers)
    }
}

/// Traps like a compiled `unreachable`.
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

fn reserve() -> ! {
    let mut kept = Vec::new();
    loop {
        kept.push(black_box(Vec::<u8>::with_capacity(1 << 20)));
    }
}

#[expect(unconditional_recursion, reason = "the stack overflow is the purpose")]
fn recurse(depth: u64) -> u64 {
    let kept = black_box([depth; 64]);
    recurse(depth + 1) + kept[depth as usize % 64]
}
