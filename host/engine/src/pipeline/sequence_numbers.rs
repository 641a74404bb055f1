//! Numbers the records of a stream.
//!
//! Invariants: each record has the number of records of its stream before it, accepted or excluded, so a
//! missing number is a missing record.

use understudy_records::batch::ExcludedRecord;

/// Numbers the records of a batch from `first` on, in the order of their lines. `lines` are those of the
/// accepted records. Returns the numbers of the accepted records, and the excluded records with theirs.
pub(crate) fn sequence_numbers(
    first: u64,
    lines: &[u64],
    mut excluded: Vec<ExcludedRecord>,
) -> (Vec<u64>, Vec<(u64, ExcludedRecord)>) {
    excluded.sort_by_key(|record| record.position.line);
    let mut numbered = Vec::with_capacity(excluded.len());
    let mut rest = excluded.into_iter().peekable();
    let mut sequences = Vec::with_capacity(lines.len());
    for (accepted, line) in lines.iter().enumerate() {
        while let Some(before) = rest.next_if(|record| record.position.line < *line) {
            numbered.push((first + (accepted + numbered.len()) as u64, before));
        }
        sequences.push(first + (accepted + numbered.len()) as u64);
    }
    for after in rest {
        numbered.push((first + (lines.len() + numbered.len()) as u64, after));
    }
    (sequences, numbered)
}
