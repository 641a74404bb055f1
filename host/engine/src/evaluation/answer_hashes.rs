//! Hashes answers, so that equal answers can be recognized.
//!
//! Invariant: the hash of an answer does not depend on the other answers of its batch.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use understudy_records::batch::{AnswerColumn, Answers};

/// The hash of each answer under the key `seed`; `None` without an answer. Equal answers have equal hashes.
pub fn answer_hashes(answers: &Answers, seed: u64) -> Vec<Option<u64>> {
    let hash = |bytes: &[u8]| xxh3_64_with_seed(bytes, seed);
    let answers = &*answers.nominal();
    let mut hashes: Vec<Option<u64>> = match &answers.decisions {
        AnswerColumn::Labels { names, codes } => {
            let names: Vec<u64> =
                names.iter().map(|name| hash(name.unwrap_or_default().as_bytes())).collect();
            codes.iter().map(|code| names.get(*code as usize).copied()).collect()
        }
        // 0 and -0 are the same number.
        AnswerColumn::Numbers(numbers) => {
            numbers.iter().map(|number| Some(hash(&(number + 0.0).to_le_bytes()))).collect()
        }
        AnswerColumn::Rankings { names, offsets, codes } => {
            let mut ranking = Vec::new();
            let hash = |ends: &[u32]| {
                ranking.clear();
                for code in &codes[ends[0] as usize..ends[1] as usize] {
                    append_length_prefixed(names.value(*code as usize).as_bytes(), &mut ranking);
                }
                Some(hash(&ranking))
            };
            offsets.windows(2).map(hash).collect()
        }
        AnswerColumn::LabelSets { .. } | AnswerColumn::Json { .. } => {
            unreachable!("nominal answers are labels")
        }
    };
    for (row, _) in &answers.unanswered {
        hashes[*row as usize] = None;
    }
    hashes
}

/// Appends a text with its length before it, so that different lists of texts have different bytes.
pub fn append_length_prefixed(text: &[u8], bytes: &mut Vec<u8>) {
    bytes.extend((text.len() as u64).to_le_bytes());
    bytes.extend(text);
}
