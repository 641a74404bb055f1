//! How answers stand to the substrate's: whether both would have done the same.
//!
//! Always holds: how a row stands depends on its two answers alone; no metric has a part in it.

use super::answers::{Answers, Decisions};

/// How an answer stands to the substrate's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stand {
    /// The same label, or the same first choice; also two rankings that are both empty.
    Same,
    /// Another label, or another first choice; also a ranking beside an empty one.
    Other,
    /// Numbers: how far they lie apart, at least 0.
    Apart(f64),
    /// The substrate has an answer, and there is none to set beside it.
    Unanswered,
    /// The substrate has no answer.
    Nothing,
}

impl Stand {
    /// Whether they are the same; `None` where that is no question: of numbers, and where the substrate has no answer.
    pub fn agrees(self) -> Option<bool> {
        match self {
            Stand::Same => Some(true),
            Stand::Other | Stand::Unanswered => Some(false),
            Stand::Apart(_) | Stand::Nothing => None,
        }
    }
}

impl Answers {
    /// How each row stands to the substrate's answer to the same, which has the same form.
    pub fn stands(&self, substrate: &Answers) -> Vec<Stand> {
        let stand = |row: usize| match (substrate.reason(row), self.reason(row)) {
            (Some(_), _) => Stand::Nothing,
            (None, Some(_)) => Stand::Unanswered,
            (None, None) => match (&self.decisions, &substrate.decisions) {
                (Decisions::Numbers(own), Decisions::Numbers(theirs)) => {
                    Stand::Apart((own[row] - theirs[row]).abs())
                }
                _ if self.first(row) == substrate.first(row) => Stand::Same,
                _ => Stand::Other,
            },
        };
        (0..self.rows()).map(stand).collect()
    }

    /// The label of a row, or the first of its ranking; `None` for an empty ranking and for numbers.
    fn first(&self, row: usize) -> Option<&str> {
        match &self.decisions {
            Decisions::Labels { names, codes } => Some(names.value(codes[row] as usize)),
            Decisions::Rankings { names, offsets, codes } => {
                let ranked = &codes[offsets[row] as usize..offsets[row + 1] as usize];
                ranked.first().map(|code| names.value(*code as usize))
            }
            Decisions::Numbers(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{Names, Reason};

    fn answers(decisions: Decisions, unanswered: &[u32]) -> Answers {
        let unanswered = unanswered.iter().map(|row| (*row, Reason::Abstained(String::new()))).collect();
        Answers { decisions, confidence: None, unanswered }
    }

    #[test]
    fn labels_are_the_same_or_not_whatever_their_codes() {
        let own = Decisions::Labels { names: Names::from(vec!["a", "b"]), codes: vec![0, 1, 0, 0, 0] };
        let theirs = Decisions::Labels { names: Names::from(vec!["b", "a"]), codes: vec![1, 1, 1, 1, 1] };
        let stands = answers(own, &[2, 3]).stands(&answers(theirs, &[3, 4]));
        let wanted = [Stand::Same, Stand::Other, Stand::Unanswered, Stand::Nothing, Stand::Nothing];
        assert_eq!(stands, wanted);
        assert_eq!(wanted.map(Stand::agrees), [Some(true), Some(false), Some(false), None, None]);
    }

    #[test]
    fn of_rankings_the_first_choice_counts() {
        let names = || Names::from(vec!["a", "b", "c"]);
        let own =
            Decisions::Rankings { names: names(), offsets: vec![0, 2, 3, 3, 4], codes: vec![0, 1, 2, 0] };
        let theirs =
            Decisions::Rankings { names: names(), offsets: vec![0, 2, 4, 4, 4], codes: vec![0, 2, 1, 2] };
        let stands = answers(own, &[]).stands(&answers(theirs, &[]));
        assert_eq!(stands, [Stand::Same, Stand::Other, Stand::Same, Stand::Other]);
    }

    #[test]
    fn numbers_lie_apart() {
        let numbers = |numbers: &[f64]| Decisions::Numbers(numbers.to_vec());
        let stands =
            answers(numbers(&[1.0, 5.0, 2.0]), &[2]).stands(&answers(numbers(&[3.5, 5.0, 2.0]), &[]));
        assert_eq!(stands, [Stand::Apart(2.5), Stand::Apart(0.0), Stand::Unanswered]);
        assert_eq!(stands[0].agrees(), None);
    }
}
