//! Selects the ids whose snapshots no model sees before their decision, so that no answer can influence it.
//!
//! Invariants: whether an id is blinded depends on the seal and the id alone, and cannot be chosen once the
//! seal exists.

use arrow::array::{Array as _, BooleanArray, StringArray};
use sha2::{Digest as _, Sha256};

use understudy_records::batch::{Answers, Reason};

/// Separates this use of the seal digest from any other.
const DOMAIN: &[u8] = b"understudy blinding v1\n";

/// Decides which ids are blinded: models see their snapshots only after the decision has arrived.
#[derive(Clone, Debug)]
pub struct BlindingRule {
    /// SHA-256 state after the domain and the seal digest.
    begun: Sha256,
    /// An id is blinded if its hash is below this.
    below: u64,
}

impl BlindingRule {
    /// Blinds a `share` of the ids, from 0 to 1, under the digest of a seal; `None` if the share is 0.
    pub fn new(share: f64, seal: &str) -> Option<BlindingRule> {
        let mut begun = Sha256::new();
        begun.update(DOMAIN);
        begun.update(seal.as_bytes());
        begun.update(b"\n");
        let blind = BlindingRule { begun, below: (share * 2f64.powi(64)) as u64 };
        (share > 0.0).then_some(blind)
    }

    /// Whether an id is blinded: the first 64 bits of SHA-256 over domain, seal digest and id are below the
    /// share.
    pub fn is_blinded(&self, id: &str) -> bool {
        let mut hash = self.begun.clone();
        hash.update(id.as_bytes());
        let digest = hash.finalize();
        let (first, _) = digest.split_at(8);
        first.iter().fold(0, |bits, byte| bits << 8 | u64::from(*byte)) < self.below
    }
}

/// A mask of the blinded ids; all false without a rule.
pub fn blinding_mask(blind: Option<&BlindingRule>, ids: &StringArray) -> BooleanArray {
    ids.iter().map(|id| Some(blind.zip(id).is_some_and(|(blind, id)| blind.is_blinded(id)))).collect()
}

/// The first row whose blinding mark contradicts the rule: answered before the decision although blinded, or
/// the other way round.
pub fn first_violation<'a>(
    blind: Option<&BlindingRule>,
    ids: &StringArray,
    mut answers: impl Iterator<Item = &'a Answers>,
) -> Option<usize> {
    let blinded = blinding_mask(blind, ids);
    answers.find_map(|answers| {
        let is = |row: &usize| answers.reason(*row) == Some(&Reason::Blinded);
        (0..ids.len()).find(|row| is(row) != blinded.value(*row))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use understudy_study::AnswerForm;

    #[test]
    fn the_blinded_share_is_the_declared_one_and_depends_on_the_seal() {
        let ids: Vec<String> = (0..20_000).map(|id| format!("call-{id}")).collect();
        let blinded = |seal| -> Vec<bool> {
            let blind = BlindingRule::new(0.1, seal).unwrap();
            ids.iter().map(|id| blind.is_blinded(id)).collect()
        };
        let (one, other) = (blinded("5ea1"), blinded("5ea2"));
        let count = |blinded: &[bool]| blinded.iter().filter(|blind| **blind).count();
        // 2,000 expected, standard deviation 42.
        assert!((1850..=2150).contains(&count(&one)), "{}", count(&one));
        let both = one.iter().zip(&other).filter(|(one, other)| **one && **other).count();
        // 200 expected, standard deviation 14.
        assert!((140..=260).contains(&both), "{both}");
        assert_eq!(one, blinded("5ea1"));
    }

    #[test]
    fn an_answer_to_a_blinded_snapshot_is_detected() {
        let blind = BlindingRule::new(0.5, "5ea1");
        let ids = StringArray::from_iter_values((0..100).map(|id| format!("call-{id}")));
        let mask = blinding_mask(blind.as_ref(), &ids);
        let (answer, none) =
            (Answers::unanswered(AnswerForm::Number, 1, &Reason::Broke("it trapped".to_owned())), unasked());
        let logged = |turned: Option<usize>| {
            let picks = (0..ids.len()).map(|row| (usize::from(mask.value(row) != (turned == Some(row))), 0));
            Answers::gather(&[&answer, &none], &picks.collect::<Vec<_>>())
        };
        assert_eq!(first_violation(blind.as_ref(), &ids, [&logged(None)].into_iter()), None);
        for row in [0, 41, 99] {
            let models = [logged(None), logged(Some(row))];
            assert_eq!(first_violation(blind.as_ref(), &ids, models.iter()), Some(row));
        }
        let first = (0..ids.len()).find(|row| mask.value(*row));
        assert_eq!(
            first_violation(None, &ids, [&logged(None)].into_iter()),
            first,
            "nothing is blinded there"
        );
    }

    fn unasked() -> Answers {
        Answers::unanswered(AnswerForm::Number, 1, &Reason::Blinded)
    }

    #[test]
    fn a_share_of_zero_blinds_nothing() {
        assert!(BlindingRule::new(0.0, "5ea1").is_none());
    }
}
