//! Takes runs that are GO, moves records out of the study by every way out, and checks the verdict against the
//! shares that were moved, of all of the input and of a declared scope. The records pass through the real join, and
//! the verdict is the real one.

mod run;
mod shares;

use std::collections::HashMap;

use fastrand::Rng;

use super::super::Verdict;
use super::*;
use run::Run;

const RUNS: u64 = 10_000;

const GUARDS: [Guard; 7] = [
    Guard::Shed,
    Guard::Rejected,
    Guard::Late,
    Guard::Conflict,
    Guard::Orphaned,
    Guard::Coverage,
    Guard::Unanswered,
];

/// The verdicts on all of the input and on the declared scope.
fn verdicts(verdict: &Verdict) -> [VerdictKind; 2] {
    [0, 1].map(|scope| verdict.models[0].scopes[scope].verdict)
}

#[test]
fn a_run_is_go_only_while_every_share_is_within_its_limit() {
    // How often a guard alone decided, for all of the input and for the scope.
    let mut decisive: [HashMap<Guard, u32>; 2] = Default::default();
    let mut passed = [0; 2];
    for seed in 0..RUNS {
        let mut rng = Rng::with_seed(seed);
        let mut run = Run::random(&mut rng);
        let undisturbed = run.verdict(&mut rng);
        assert_eq!(
            verdicts(&undisturbed),
            [VerdictKind::Go; 2],
            "run {seed}: {:?}",
            undisturbed.models[0].scopes
        );
        run.move_out(&mut rng);
        let verdict = run.verdict(&mut rng);
        run.check_account(&verdict);
        for (scope, exceeded) in run.exceeded().into_iter().enumerate() {
            let found = &verdict.models[0].scopes[scope];
            // A scope of which nothing is left to compare is at best INCONCLUSIVE.
            let least = if found.compared == 0 { VerdictKind::Inconclusive } else { VerdictKind::Go };
            let guards = exceeded.iter().map(|guard| guard.verdict()).max();
            let expected = guards.unwrap_or(VerdictKind::Go).max(least);
            assert_eq!(found.verdict, expected, "run {seed}: {exceeded:?} {:?}", found.reasons);
            match exceeded[..] {
                [] => passed[scope] += 1,
                [guard] => *decisive[scope].entry(guard).or_default() += 1,
                _ => {}
            }
        }
        // Nobody can know the scope of every record, but no scope is GO of which too much really left.
        let truly_exceeded = run.truly_exceeded();
        let is_honest = truly_exceeded.is_empty() || verdicts(&verdict)[1] != VerdictKind::Go;
        assert!(is_honest, "run {seed}: {truly_exceeded:?}");
    }
    // The runs are of both kinds, and every guard matters.
    assert!(passed.iter().all(|passed| *passed > RUNS / 10), "{passed:?}");
    // In the scope, records of unknown scope mostly exceed several limits at once.
    for (decisive, least) in decisive.iter().zip([50, 10]) {
        for guard in GUARDS {
            assert!(decisive.get(&guard).is_some_and(|runs| *runs > least), "{guard:?}: {decisive:?}");
        }
    }
}

/// The test above can fail: without any one of the guards it does.
#[test]
fn a_missing_guard_is_noticed() {
    for guard in GUARDS {
        let mut is_noticed = [false; 2];
        for seed in 0..RUNS {
            let mut rng = Rng::with_seed(seed);
            let mut run = Run::random(&mut rng);
            run.move_out(&mut rng);
            run.remove(guard);
            let verdicts = verdicts(&run.verdict(&mut rng));
            for (scope, exceeded) in run.exceeded().iter().enumerate() {
                is_noticed[scope] |= verdicts[scope] == VerdictKind::Go && !exceeded.is_empty();
            }
            if is_noticed == [true; 2] {
                break;
            }
        }
        assert_eq!(is_noticed, [true; 2], "{guard:?}");
    }
}
