//! Renders one case as text.
//!
//! Invariants: values from records and plugins are shown completely, over as many lines as they need, up to
//! [`MAX_LINES`]. Two different values never look the same, and a missing value does not look like an empty one.

use jiff::Timestamp;

use crate::format::{UNDEFINED, compact, duration, significant};
use crate::model::case::{Case, CaseModel, PluginAnswer, SimilarCase};
use crate::terminal::table::{Align, GAP, TextTable};
use crate::terminal::text_canvas::{Ink, Page, Span, Style, width};
use crate::value_text::{MISSING, listed_value, value_text};
use understudy_study::short_digest;

/// The maximum number of lines of one value.
const MAX_LINES: usize = 100;
/// The width up to which an answer is only in the table, and a decision as an answer is within a sentence.
const MAX_ANSWER_WIDTH: usize = 40;

/// A case as text.
pub fn render_case(case: &Case, style: Style) -> String {
    let mut page = Page::new(style);
    let observed = format!("  observed {}, window {}", instant(case.observed_at), case.window);
    page.line(0, &[Span::value(Ink::Title, &case.id), observed.into()]);
    page.section("Snapshot", "");
    values(&mut page, &case.fields);
    if let Some(raw) = &case.raw {
        page.line(2, &[Span::new(Ink::Faint, "as received:")]);
        page.value_paragraph(4, raw, MAX_LINES);
    }
    if !case.conditions.is_empty() {
        page.section("Conditions", "");
        let conditions = case.conditions.iter().map(|(name, value)| (name.clone(), Some(value.clone())));
        values(&mut page, &conditions.collect::<Vec<_>>());
    }
    page.section("Decision", &decision_time(case));
    values(&mut page, &case.decision);
    substrate_answer(&mut page, case);
    for other in &case.other_decisions {
        page.section("Other decision", &format!("{}; it does not count", time_of(case, other.decided_at)));
        values(&mut page, &other.fields);
    }
    let blinding = if case.blinded { "blinded: answered after the decision was known" } else { "" };
    page.section("Model answers", blinding);
    answers(&mut page, case);
    for model in &case.models {
        if let Some(similar) = &model.similar {
            similar_cases(&mut page, model, similar);
        }
    }
    page.finish()
}

/// Names and values, one pair on each line.
fn values(page: &mut Page, values: &[(String, Option<String>)]) {
    let widest = values.iter().map(|(name, _)| width(name)).max().unwrap_or(0);
    for (name, value) in values {
        let shown = match value {
            Some(value) => Span::value(Ink::Plain, value),
            None => Span::new(Ink::Faint, MISSING),
        };
        let gap = " ".repeat(widest - width(name) + GAP);
        match value {
            Some(value) if 2 + widest + GAP + shown.width() > page.width() => {
                page.line(2, &[name.as_str().into()]);
                page.value_paragraph(4, value, MAX_LINES);
            }
            _ => page.line(2, &[name.as_str().into(), gap.into(), shown]),
        }
    }
}

/// The time of the decision, and how long after the snapshot it is.
fn decision_time(case: &Case) -> String {
    time_of(case, case.decided_at)
}

/// The time of a decision on a case, and how long after the snapshot it is.
fn time_of(case: &Case, decided_at: Timestamp) -> String {
    let nanos = case.observed_at.duration_until(decided_at).as_nanos();
    let after = duration(u64::try_from(nanos.unsigned_abs()).unwrap_or(u64::MAX));
    let side = if nanos < 0 { "before" } else { "after" };
    format!("decided {}, {after} {side} the snapshot", instant(decided_at))
}

/// The decision as an answer, or the comparator's reason why it is none.
fn substrate_answer(page: &mut Page, case: &Case) {
    let comparator = &case.comparator;
    let by = format!(
        "by comparator {} ({})",
        comparator.name,
        plugin_version(&comparator.title, &comparator.digest)
    );
    match &case.substrate_answer.answer {
        Ok(answer) if width(&value_text(answer)) > MAX_ANSWER_WIDTH => {
            page.clipped_paragraph(2, Ink::Plain, &format!("as an answer, {by}:"), MAX_LINES);
            page.value_paragraph(4, answer, MAX_LINES);
        }
        Ok(answer) => {
            let answer = listed_value(answer, &[", by comparator"]);
            page.clipped_paragraph(2, Ink::Plain, &format!("as an answer: {answer}, {by}"), MAX_LINES);
        }
        Err(why) => {
            let answer = missing_answer(why);
            page.clipped_paragraph(2, Ink::Plain, &format!("as an answer: {answer}, {by}"), MAX_LINES);
            page.clipped_paragraph(
                2,
                Ink::Plain,
                &format!("{}: {}", comparator.name, value_text(why)),
                MAX_LINES,
            );
        }
    }
}

fn answers(page: &mut Page, case: &Case) {
    let figures = case.metrics.iter().map(|_| Align::Point);
    let columns = [Align::Left, Align::Left, Align::Right].into_iter().chain(figures).chain([Align::Right]);
    let mut table = TextTable::new(columns);
    let heads =
        ["  model", "answer", "confidence"].into_iter().chain(case.metrics.iter().map(String::as_str));
    table.head(heads.chain(["latency"]).map(|head| Span::new(Ink::Faint, head)));
    for model in &case.models {
        let ink = if model.differs { Ink::Notice } else { Ink::Plain };
        let mut cells = vec![format!("  {}", model.plugin.name).into(), answer_span(ink, &model.answer)];
        cells
            .push(model.answer.confidence.map_or_else(|| UNDEFINED.to_owned(), |c| significant(c, 3)).into());
        cells.extend(model.metric_values.iter().map(|figure| metric_value_text(*figure)));
        cells.push(model.latency_nanos.map_or_else(|| UNDEFINED.to_owned(), duration).into());
        table.row(cells);
    }
    table.print(page);
    for CaseModel { plugin, answer, metric_failures, .. } in &case.models {
        // The table truncates long texts.
        match &answer.answer {
            Ok(answer) if width(&value_text(answer)) > MAX_ANSWER_WIDTH => {
                page.line(2, &[format!("{} answers:", plugin.name).into()]);
                page.value_paragraph(4, answer, MAX_LINES);
            }
            Ok(_) => {}
            Err(why) => {
                page.clipped_paragraph(
                    2,
                    Ink::Plain,
                    &format!("{}: {}", plugin.name, value_text(why)),
                    MAX_LINES,
                );
            }
        }
        if !answer.probabilities.is_empty() {
            let class = |(class, probability): &(String, f64)| {
                format!("{} {}", listed_value(class, &[", "]), significant(*probability, 3))
            };
            let classes: Vec<String> = answer.probabilities.iter().map(class).collect();
            let text = format!("{} gives the classes {}", plugin.name, classes.join(", "));
            page.clipped_paragraph(2, Ink::Plain, &text, MAX_LINES);
        }
        for (metric, why) in metric_failures {
            let text = format!("{metric} of {}: failed: {}", plugin.name, value_text(why));
            page.clipped_paragraph(2, Ink::Plain, &text, MAX_LINES);
        }
        let which = format!("{}: {}", plugin.name, plugin_version(&plugin.title, &plugin.digest));
        page.paragraph(2, Ink::Faint, &which);
    }
}

fn similar_cases(page: &mut Page, model: &CaseModel, similar: &[SimilarCase]) {
    page.section(
        &format!("Similar cases in which {} differs", model.plugin.name),
        "same conditions, nearest in time first",
    );
    if similar.is_empty() {
        return page.line(2, &["none".into()]);
    }
    let mut table = TextTable::new([Align::Left; 4]);
    table.head(["  id", "observed", "answer", "substrate"].map(|head| Span::new(Ink::Faint, head)));
    for SimilarCase { id, observed_at, answer, substrate_answer } in similar {
        let [answer, substrate] = [answer, substrate_answer].map(|answer| answer_span(Ink::Plain, answer));
        let id = Span::value(Ink::Plain, id).indented(2);
        table.row([id, instant(*observed_at).into(), answer, substrate]);
    }
    table.print(page);
}

/// The title and the abbreviated digest of a plugin.
fn plugin_version(title: &str, digest: &str) -> String {
    format!("{title}, {}", short_digest(digest))
}

/// An answer as a cell of a table.
fn answer_span(ink: Ink, answer: &PluginAnswer) -> Span {
    match &answer.answer {
        Ok(answer) => Span::value(ink, answer),
        Err(why) => Span::new(ink, missing_answer(why)),
    }
}

/// The kind of a reason, in place of an answer.
fn missing_answer(why: &str) -> String {
    format!("({})", why.split(':').next().unwrap_or(why))
}

fn metric_value_text(figure: Option<f64>) -> Span {
    figure.map_or_else(|| UNDEFINED.to_owned(), compact).into()
}

fn instant(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::report::PluginInfo;

    fn plugin(name: &str) -> PluginInfo {
        PluginInfo { name: name.into(), title: format!("{name} 0.1.0"), digest: "3f".repeat(32) }
    }

    fn at(time: &str) -> Timestamp {
        format!("2026-03-{time}Z").parse().expect("a time")
    }

    fn one() -> Case {
        let answered = |answer: &str| PluginAnswer {
            answer: Ok(answer.into()),
            confidence: Some(0.875),
            probabilities: Vec::new(),
        };
        let model = |name: &str, answer: PluginAnswer, differs: bool| CaseModel {
            plugin: plugin(name),
            answer,
            latency_nanos: (name != "rules").then_some(12_400),
            metric_values: vec![(name != "rules").then_some(f64::from(!differs)), None],
            metric_failures: Vec::new(),
            differs,
            similar: None,
        };
        let similar = SimilarCase {
            id: "b-16".into(),
            observed_at: at("02T10:00:00"),
            answer: answered("h"),
            substrate_answer: answered("a"),
        };
        let trapped = PluginAnswer {
            answer: Err("failed: `decide` trapped: unreachable".into()),
            confidence: None,
            probabilities: Vec::new(),
        };
        let mut models = vec![
            model("forest", answered("h"), true),
            model("rules", trapped, true),
            model("booked", answered("a"), false),
        ];
        models[0].similar = Some(vec![similar]);
        models[1].similar = Some(Vec::new());
        Case {
            id: "b-17".into(),
            observed_at: at("03T10:00:00"),
            decided_at: at("03T11:30:00"),
            window: "2026-03-03".into(),
            fields: vec![
                ("adults".into(), Some("2".into())),
                ("segment".into(), None),
                ("remarks".into(), Some("a cot and \u{1b}[2Ja view, ".repeat(4))),
            ],
            raw: Some("{\"id\":\"b-17\"}".into()),
            conditions: vec![("segment".into(), "missing".into())],
            decision: vec![("room".into(), Some("a".into()))],
            other_decisions: Vec::new(),
            comparator: plugin("recorded"),
            substrate_answer: PluginAnswer {
                answer: Ok("a".into()),
                confidence: None,
                probabilities: Vec::new(),
            },
            blinded: false,
            metrics: vec!["agreement".into(), "kappa".into()],
            models,
        }
    }

    #[test]
    fn a_case_is_shown_completely() {
        insta::assert_snapshot!(render_case(&one(), Style { width: 80, color: false }));
    }

    #[test]
    fn answers_that_differ_are_told_apart() {
        let answered = |answer: &str| PluginAnswer {
            answer: Ok(answer.into()),
            confidence: None,
            probabilities: Vec::new(),
        };
        let mut case = one();
        case.fields = vec![("note".into(), Some(String::new())), ("other".into(), Some("(missing)".into()))];
        case.substrate_answer = answered("a ");
        case.models[0].answer = answered("a");
        case.models[1].answer = answered("a\u{200b}");
        case.models[2].answer = answered("(failed)");
        case.models[0].similar.as_mut().expect("a list")[0].answer = answered("a\u{a0}");
        let text = render_case(&case, Style { width: 80, color: false });
        let shown = [
            "  note   \"\"\n",
            "  other  \\u{28}missing)\n",
            "as an answer: a\\u{20}, by comparator recorded",
            "  forest  a     ",
            "  rules   a\\u{200b}  ",
            "  booked  \\u{28}failed)  ",
            "UTC  a\\u{a0}  a\n",
        ];
        shown.iter().for_each(|part| assert!(text.contains(part), "{part}: {text}"));
    }

    #[test]
    fn long_answers_are_shown_completely() {
        let ranking = |last: &str| {
            let names: Vec<String> = (0..30).map(|at| format!("\"item {at}\"")).collect();
            PluginAnswer {
                answer: Ok(format!("[{},\"{last}\"]", names.join(","))),
                confidence: None,
                probabilities: Vec::new(),
            }
        };
        let mut case = one();
        case.substrate_answer = ranking("x");
        case.models[0].answer = ranking("y");
        let text = render_case(&case, Style { width: 80, color: false });
        let solid: String = text.split_whitespace().collect();
        assert!(solid.contains("\"item29\",\"x\"]") && solid.contains("\"item29\",\"y\"]"), "{text}");
        assert!(
            text.contains("as an answer, by comparator recorded") && text.contains("forest answers:"),
            "{text}"
        );
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }

    #[test]
    fn missing_answers_and_scores_say_why() {
        let mut case = one();
        let why = "failed: field `decision.room`: the field holds neither a string or an integer nor an array of these: [1.5]";
        case.substrate_answer =
            PluginAnswer { answer: Err(why.into()), confidence: None, probabilities: Vec::new() };
        case.models[0].metric_failures = vec![("kappa".into(), "`score` trapped: unreachable".into())];
        let text = render_case(&case, Style { width: 160, color: false });
        assert!(text.contains("  as an answer: (failed), by comparator recorded ("), "{text}");
        assert!(text.contains(&format!("\n  recorded: {why}\n")), "{text}");
        assert!(text.contains("\n  kappa of forest: failed: `score` trapped: unreachable\n"), "{text}");
    }

    #[test]
    fn a_decision_may_precede_its_snapshot_and_a_row_may_be_blinded() {
        let blinded = Case { decided_at: at("03T09:59:00"), blinded: true, ..one() };
        let text = render_case(&blinded, Style { width: 80, color: false });
        assert!(text.contains("decided 2026-03-03 09:59:00 UTC, 1.00 min before the snapshot"), "{text}");
        assert!(text.contains("Model answers  blinded: answered after the decision was known"), "{text}");
    }
}
