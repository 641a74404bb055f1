//! Faults in thresholds and scopes, as the terminal shows them.

use insta::assert_snapshot;

use crate::test_support::{VALID, faults, read};
use crate::{
    AnswerForm, Blinding, ChanceRequirement, Cycle, Direction, Evidence, Family, InterferenceEffect,
    Quantifier, Reference, Scope, Shares, Study, WindowChoice, parse,
};

const LEAST: &str = "[threshold]\nat-least = 0.85\nquantifier = \"every-window\"\nwindows = { first = 8 }\n\
                     evidence = \"point\"\n";

/// The valid study with a calendar condition and the given text.
fn with(threshold: &str) -> String {
    format!("{VALID}[[conditions]]\nname = \"month\"\ncalendar = \"month\"\n{threshold}")
}

fn report(threshold: &str) -> String {
    parse(&with(threshold)).unwrap_err().faults.to_string()
}

fn sound(threshold: &str) -> Study {
    parse(&with(threshold)).map_err(|unsound| unsound.faults.to_string()).unwrap()
}

#[test]
fn required_keys_and_defaults_of_a_threshold() {
    let study = sound(LEAST);
    let threshold = study.threshold.unwrap();
    assert_eq!((threshold.metric, threshold.direction, threshold.bound), (0, Direction::AtLeast, 0.85));
    assert_eq!((threshold.quantifier, threshold.windows), (Quantifier::EveryWindow, WindowChoice::First(8)));
    assert_eq!((threshold.least_per_window, threshold.least_per_condition), (100, 100));
    let shares = (threshold.least_coverage, threshold.most_rejected, threshold.most_unanswered);
    assert_eq!(shares, (0.95, 0.01, 0.05));
    let shares = [threshold.most_late, threshold.most_conflict, threshold.most_orphaned, threshold.most_shed];
    assert_eq!(shares, [0.01, 0.01, 0.05, 0.01]);
    assert_eq!(
        (threshold.on_exposure, threshold.on_comparator_change),
        (InterferenceEffect::Void, InterferenceEffect::Void)
    );
    assert_eq!(threshold.evidence, Evidence::Point);
    // A study with a threshold blinds a tenth of the ids by default.
    assert_eq!(study.blinding, Blinding { share: 0.1 });
    assert_eq!(sound(&format!("{LEAST}[blinding]\nshare = 0\n")).blinding.share, 0.0);
    assert_eq!(read(&[]).blinding.share, 0.0);
    assert_eq!(read(&[]).threshold, None);
}

#[test]
fn the_requirement_beyond_chance_says_which_sums_it_needs() {
    let needs = |edits: &str, form: AnswerForm| {
        let bound = LEAST.replace("\"point\"", "\"bound\"\nconfidence = 0.95\nfamily = \"each\"");
        let mut threshold = sound(&format!("{bound}{edits}")).threshold.unwrap();
        threshold.form = form;
        (threshold.needs_labels(), threshold.needs_baselines(), threshold.needs_label_groups())
    };
    const NONE: (bool, bool, bool) = (false, false, false);
    for form in
        [AnswerForm::Label, AnswerForm::Number, AnswerForm::Ranking, AnswerForm::LabelSet, AnswerForm::Json]
    {
        assert_eq!([needs("", form), needs("chance = \"not-asked\"\n", form)], [NONE; 2]);
    }
    let (gain, kappa) = ("chance = { gain = 0.1 }\n", "chance = { kappa = 0.1 }\n");
    assert_eq!(needs(gain, AnswerForm::Number), (false, true, false));
    assert_eq!(needs(gain, AnswerForm::Label), (true, false, false));
    assert_eq!(needs(kappa, AnswerForm::Label), (true, false, true));
    let clustered = format!("{gain}cluster = \"segment\"\n");
    assert_eq!(needs(&clustered, AnswerForm::Label), (true, false, true));
    assert_eq!(needs(&clustered, AnswerForm::Number), (false, true, false));
    let least = [ChanceRequirement::Gain(0.1), ChanceRequirement::Kappa(0.2), ChanceRequirement::NotAsked];
    assert_eq!(least.map(ChanceRequirement::least), [0.1, 0.2, 0.0]);
    // Point estimates have no bounds.
    let mut point = sound(&format!("{LEAST}{kappa}")).threshold.unwrap();
    point.form = AnswerForm::Label;
    assert_eq!((point.needs_labels(), point.needs_label_groups()), (true, false));
}

#[test]
fn a_confidence_is_above_one_half_and_below_1() {
    let bound = |confidence: &str| {
        LEAST.replace("\"point\"", &format!("\"bound\"\nconfidence = {confidence}\nfamily = \"each\""))
    };
    for wrong in ["0.5", "1.0", "0.2", "1.5"] {
        let text = report(&bound(wrong));
        assert!(text.contains("write a number above 0.5 and below 1"), "{wrong}: {text}");
    }
    assert_eq!(sound(&bound("0.51")).threshold.unwrap().evidence, Evidence::Bound(0.51));
}

#[test]
fn names_of_nothing_declared_have_advice() {
    let (start, rest) = VALID.split_once("[[conditions]]").unwrap();
    let windows = &rest[rest.find("[windows]").unwrap()..];
    let study = format!("{start}{windows}{LEAST}conditions = [\"segment\"]\n");
    let text = parse(&study).unwrap_err().faults.to_string();
    assert!(text.contains("declare it under [[conditions]]"), "{text}");
    let empty = "[[scopes]]\nname = \"none\"\nwhere = { segment = [] }\n";
    let text = report(&format!("{LEAST}{empty}"));
    assert!(text.contains("`scopes.where.segment` is an empty list"), "{text}");
}

#[test]
fn every_key_of_a_threshold_is_read() {
    let study = sound(
        r#"[threshold]
metric = "agreement"
at-most = 3
quantifier = "pooled"
windows = { all = true }
evidence = "bound"
confidence = 0.99
conditions = ["segment"]
cluster = "segment"
chance = { gain = 0.1 }
family = "holm"
cycle = { condition = "month", times = 2 }
on-exposure = "split"
[[threshold.reference]]
condition = "segment"
shares = { direct = 0.75, other = 0.25 }
tolerance = 0.05
[[scopes]]
name = "soon"
where = { lead-time = ["< 7", "7 to < 30"], segment = "direct" }
"#,
    );
    let threshold = study.threshold.unwrap();
    assert_eq!((threshold.direction, threshold.bound), (Direction::AtMost, 3.0));
    assert_eq!((threshold.windows, threshold.evidence), (WindowChoice::All, Evidence::Bound(0.99)));
    assert_eq!((threshold.conditions, threshold.cluster.as_deref()), (vec![0], Some("segment")));
    assert_eq!(threshold.chance, Some(ChanceRequirement::Gain(0.1)));
    assert_eq!(threshold.family, Some(Family::Holm));
    assert_eq!(threshold.cycle, Some(Cycle { condition: 2, times: 2 }));
    let shares = Shares::Listed(vec![0.75, 0.0, 0.25, 0.0]);
    assert_eq!(threshold.references, [Reference { condition: 0, shares, tolerance: 0.05, line: 57 }]);
    assert_eq!(study.scopes, [Scope { name: "soon".into(), values: vec![(1, vec![0, 1]), (0, vec![0])] }]);
    assert!(study.scopes[0].holds(|condition| [0, 1, 5][condition]));
    assert!(!study.scopes[0].holds(|condition| [0, 2, 5][condition]));
    assert!(!study.scopes[0].holds(|condition| [1, 1, 5][condition]));
}

#[test]
fn an_empty_threshold_is_missing_every_required_key() {
    assert_snapshot!(report("[threshold]\n"));
    assert_snapshot!(report(
        "[threshold]\nat-least = 0.8\nat-most = 0.9\nquantifier = \"any\"\nwindows = { first = 0 }\nevidence = \"bound\"\n"
    ));
}

#[test]
fn names_in_a_threshold_are_declared() {
    assert_snapshot!(report(
        r#"[threshold]
metric = "agreemnt"
at-least = 0.85
quantifier = "every-window"
windows = { all = true }
evidence = "point"
confidence = 0.9
conditions = ["segmnt"]
cluster = "guest"
chance = { kappa = 0.4, gain = 0.1 }
family = "every"
cycle = { condition = "segment" }
[[threshold.reference]]
condition = "segment"
shares = { direkt = 1 }
tolerance = 0.05
[[threshold.reference]]
condition = "segment"
shares = { direct = 0.5 }
tolerance = 0.05
[[threshold.reference]]
condition = "segment"
tolerance = 2
[[scopes]]
name = "all"
where = { month = "may" }
[[scopes]]
name = "summer"
where = { month = ["june", "juli"] }
[[scopes]]
name = "summer"
where = { season = "summer" }
[[scopes]]
name = "nothing"
where = {}
[blinding]
share = 0.6
"#
    ));
}

#[test]
fn windows_are_selected_in_exactly_one_way() {
    let of = |windows: &str| report(&LEAST.replace("{ first = 8 }", windows));
    assert_snapshot!(of("{ first = 8, latest = 8 }"));
    assert_snapshot!(of("{}"));
    assert_snapshot!(of("8"));
}

#[test]
fn scopes_need_no_threshold() {
    assert_eq!(faults(&[("every = \"week\"", "every = \"weak\"")]).as_slice().len(), 1);
    assert_eq!(sound("[[scopes]]\nname = \"may\"\nwhere = { month = \"may\" }\n").scopes.len(), 1);
}

#[test]
fn chance_has_exactly_one_of_three_forms() {
    let chance = |written: &str| sound(&format!("{LEAST}chance = {written}\n")).threshold.unwrap().chance;
    assert_eq!(sound(LEAST).threshold.unwrap().chance, None);
    assert_eq!(chance("\"not-asked\""), Some(ChanceRequirement::NotAsked));
    assert_eq!(chance("{ gain = 0 }"), Some(ChanceRequirement::Gain(0.0)));
    assert_eq!(chance("{ kappa = 0.4 }"), Some(ChanceRequirement::Kappa(0.4)));
    let of = |chance: &str| report(&format!("{LEAST}chance = {chance}\n"));
    assert_snapshot!(
        [
            of("0.1"),
            of("\"no\""),
            of("{}"),
            of("{ gain = -0.1 }"),
            of("{ kappa = 1.5 }"),
            of("{ least = 0.1 }")
        ]
        .join("\n")
    );
}

#[test]
fn several_verdicts_by_bounds_need_a_family() {
    let bound = LEAST.replace("\"point\"", "\"bound\"\nconfidence = 0.95");
    let scopes = "[[scopes]]\nname = \"may\"\nwhere = { month = \"may\" }\n[[scopes]]\nname = \"june\"\nwhere = { month = \"june\" }\n";
    // One verdict needs none, and neither do point estimates. It may be declared nevertheless.
    for alone in [bound.clone(), format!("{LEAST}{scopes}")] {
        assert_eq!(sound(&alone).threshold.unwrap().family, None);
    }
    assert_eq!(sound(&format!("{bound}family = \"holm\"\n")).threshold.unwrap().family, Some(Family::Holm));
    let each = sound(&format!("{bound}family = \"each\"\n{scopes}"));
    assert_eq!(each.threshold.unwrap().family, Some(Family::Each));
    assert_snapshot!(report(&format!("{bound}{scopes}")));
    // Point estimates have no confidence to share.
    let point = report(&format!("{LEAST}family = \"holm\"\n"));
    assert!(
        point.contains("evidence = \"point\" has no confidence that verdicts could share; remove it"),
        "{point}"
    );
    // Twenty verdicts at 0.95 have no limit below 1.
    let scope = |at: usize| format!("[[scopes]]\nname = \"may{at}\"\nwhere = {{ month = \"may\" }}\n");
    let many = report(&format!("{bound}{}", (0..19).map(scope).collect::<String>()));
    assert!(many.contains("the probability of a false GO may be as high as 1"), "{many}");
}
