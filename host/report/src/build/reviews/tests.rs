//! Review statistics against statsmodels. `tests/oracles/review.py` prints the expected numbers.

use super::*;
use Judgement::{BothFine, ModelRight, SubstrateRight, Unclear};

fn entry(event: Event) -> Entry {
    Entry { entry: 0, at: Timestamp::UNIX_EPOCH, previous: String::new(), event }
}

fn sampled(model: &str, strata: &[(&str, u64)]) -> Entry {
    let strata = strata.iter().map(|(name, disagreements)| SampledStratum {
        name: (*name).to_owned(),
        disagreements: *disagreements,
        drawn: 30.min(*disagreements),
    });
    entry(Event::ReviewSample { model: model.to_owned(), seed: "7".to_owned(), strata: strata.collect() })
}

fn reviewed(model: &str, id: &str, stratum: &str, judgement: Judgement, mode: Option<FailureMode>) -> Entry {
    entry(Event::Review {
        who: "ana".to_owned(),
        model: model.to_owned(),
        id: id.to_owned(),
        observed_at: Timestamp::UNIX_EPOCH,
        stratum: stratum.to_owned(),
        judgement,
        failure_mode: mode,
        note: String::new(),
    })
}

/// The strata of the oracle, each with its number of judgements of each kind.
fn oracle() -> Vec<Entry> {
    let strata = [
        ("segment groups", 420, [5, 2, 0, 1]),
        ("segment direct and day weekend", 60, [0, 6, 1, 0]),
        ("room suite", 15, [0, 0, 0, 0]),
        ("elsewhere", 2629, [3, 8, 4, 0]),
    ];
    let mut entries = vec![sampled("forest", &strata.map(|(name, size, _)| (name, size)))];
    for (name, _, counts) in strata {
        for (judgement, count) in Judgement::ALL.into_iter().zip(counts) {
            entries.extend((0..count).map(|number| {
                let id = format!("{name}-{judgement:?}-{number}");
                reviewed("forest", &id, name, judgement, (number == 0).then_some(FailureMode::Novel))
            }));
        }
    }
    entries
}

#[test]
fn shares_and_intervals_match_statsmodels() {
    let [summary] = &review_summaries(&oracle())[..] else { panic!("one model was judged") };
    let near = |found: f64, wanted: f64| assert!((found - wanted).abs() <= 1e-12, "{found} is not {wanted}");
    near(summary.effective_sample_size.unwrap(), 19.998084067232366);
    let wanted = [
        (ModelRight, 0.2535541974911547, 0.12989729267895025, 0.43594795632730177),
        (SubstrateRight, 0.5013064987976535, 0.3285478105585523, 0.673753801619032),
        (BothFine, 0.22825284504280965, 0.11217583769545056, 0.40909692413434784),
        (Unclear, 0.016886458668382117, 0.001706212554343764, 0.14720995033705603),
    ];
    assert_eq!(summary.shares.len(), wanted.len());
    for (found, (judgement, share, lower, upper)) in summary.shares.iter().zip(wanted) {
        assert_eq!(found.judgement, judgement);
        near(found.share, share);
        near(found.interval.lower, lower);
        near(found.interval.upper, upper);
    }
    assert_eq!(summary.unjudged_strata, ["room suite"]);
    assert_eq!((summary.disagreements, summary.judged, summary.superseded_judgements), (3124, 30, 0));
    let novel = FailureModeCount { mode: Some(FailureMode::Novel), count: 8 };
    assert_eq!(summary.failure_modes, [FailureModeCount { mode: None, count: 22 }, novel]);
    assert_eq!(summary.judgements[1], JudgementCount { judgement: SubstrateRight, count: 16 });
}

#[test]
fn review_summaries_survive_a_json_round_trip() {
    let summary = review_summaries(&oracle());
    let json = serde_json::to_value(&summary).unwrap();
    assert_eq!(json[0]["strata"][3]["name"], "elsewhere");
    assert_eq!(json[0]["shares"][1]["judgement"], "substrate-right");
    assert!(json[0]["shares"][1]["interval"]["lower"].is_f64());
    assert_eq!(json[0]["failure-modes"][1], serde_json::json!({ "mode": "novel", "count": 8 }));
    assert_eq!(serde_json::from_value::<Vec<ReviewSummary>>(json).unwrap(), summary);
}

#[test]
fn models_are_separate_and_the_last_judgement_of_a_row_counts() {
    let strata = [("elsewhere", 10)];
    let entries = [
        sampled("one", &strata),
        sampled("two", &strata),
        reviewed("two", "a", "elsewhere", ModelRight, None),
        reviewed("one", "a", "elsewhere", Unclear, None),
        reviewed("one", "a", "elsewhere", SubstrateRight, None),
    ];
    let [one, two] = &review_summaries(&entries)[..] else { panic!("two models") };
    assert_eq!((one.model.as_str(), one.judged, one.shares[1].share), ("one", 1, 1.0));
    assert_eq!((two.model.as_str(), two.judged, two.shares[0].share), ("two", 1, 1.0));
}

#[test]
fn judgements_of_other_strata_are_counted_apart() {
    let entries = [
        sampled("one", &[("elsewhere", 10)]),
        reviewed("one", "a", "elsewhere", ModelRight, None),
        // A larger sample of the same strata: earlier judgements still count, with the new stratum sizes.
        sampled("one", &[("elsewhere", 12)]),
        reviewed("one", "b", "elsewhere", ModelRight, None),
    ];
    let [same] = &review_summaries(&entries)[..] else { panic!("one model") };
    assert_eq!((same.disagreements, same.judged, same.superseded_judgements), (12, 2, 0));
    let other = sampled("one", &[("segment groups", 4), ("elsewhere", 8)]);
    let [found] = &review_summaries(&[&entries[..], &[other]].concat())[..] else { panic!("one model") };
    assert_eq!((found.judged, found.superseded_judgements, found.effective_sample_size), (0, 2, None));
    assert_eq!(found.unjudged_strata, ["segment groups", "elsewhere"]);
    assert!(found.shares.is_empty());
}

#[test]
fn superseded_judgements_have_to_be_repeated() {
    let entries = [
        sampled("forest", &[("elsewhere", 200)]),
        reviewed("forest", "one", "elsewhere", ModelRight, None),
        sampled("other", &[("elsewhere", 200)]),
        reviewed("other", "two", "elsewhere", ModelRight, None),
    ];
    let left = |strata: &[(&str, u64)]| {
        let Entry { event, .. } = sampled("forest", strata);
        let rows = judged_row_keys(&entries, &event, "forest");
        rows.into_iter().map(|(id, _)| id.to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(left(&[("elsewhere", 230)]), ["one"]);
    assert_eq!(left(&[("room a", 30), ("elsewhere", 200)]), [""; 0]);
}
