//! A case in a terminal: one decided row for people.
//!
//! Always holds: what a record or a plugin says is shown whole, over as many lines as it needs, unless it has more than
//! [`MOST_LINES`]; a value that is missing is not shown as an empty one.

use jiff::Timestamp;

use crate::format::{UNDEFINED, bound, duration, significant};
use crate::model::case::{Case, CaseModel, Said, Similar};
use crate::terminal::table::{Align, GAP, Table};
use crate::terminal::text_canvas::{Ink, Page, Span, Style, width};

/// Lines that one value may take.
const MOST_LINES: usize = 100;
/// What stands for a value that is missing.
const MISSING: &str = "(missing)";

/// A case as text.
pub fn case(case: &Case, style: Style) -> String {
    let mut page = Page::new(style);
    let observed = format!("  observed {}, window {}", instant(case.observed_at), case.window);
    page.line(0, &[Span::new(Ink::Title, &case.id), observed.into()]);
    page.section("What was known", "");
    values(&mut page, &case.fields);
    if let Some(raw) = &case.raw {
        page.line(2, &[Span::new(Ink::Faint, "as it came:")]);
        page.paragraph(4, Ink::Plain, raw, MOST_LINES);
    }
    if !case.conditions.is_empty() {
        page.section("Conditions", "");
        let conditions = case.conditions.iter().map(|(name, value)| (name.clone(), Some(value.clone())));
        values(&mut page, &conditions.collect::<Vec<_>>());
    }
    page.section("What was done", &decided(case));
    values(&mut page, &case.decision);
    let taken = format!("taken as {}", said(&case.done));
    let by = format!(
        " by {} ({})",
        case.comparator.name,
        generation(&case.comparator.title, &case.comparator.digest)
    );
    page.paragraph(2, Ink::Plain, &(taken + &by), MOST_LINES);
    let asked = if case.blinded { "asked only once that was done" } else { "" };
    page.section("What the models answered", asked);
    answers(&mut page, case);
    for model in &case.models {
        if let Some(similar) = &model.similar {
            alike(&mut page, model, similar);
        }
    }
    page.finish()
}

/// Names and values under each other.
fn values(page: &mut Page, values: &[(String, Option<String>)]) {
    let widest = values.iter().map(|(name, _)| width(name)).max().unwrap_or(0);
    for (name, value) in values {
        let value = match value {
            Some(value) => Span::new(Ink::Plain, value),
            None => Span::new(Ink::Faint, MISSING),
        };
        let gap = " ".repeat(widest - width(name) + GAP);
        if 2 + widest + GAP + value.width() <= page.width() {
            page.line(2, &[name.as_str().into(), gap.into(), value]);
        } else {
            page.line(2, &[name.as_str().into()]);
            page.paragraph(4, Ink::Plain, value.text(), MOST_LINES);
        }
    }
}

/// When it was decided, and how long after the snapshot.
fn decided(case: &Case) -> String {
    let nanos = case.observed_at.duration_until(case.decided_at).as_nanos();
    let after = duration(u64::try_from(nanos.unsigned_abs()).unwrap_or(u64::MAX));
    let side = if nanos < 0 { "before" } else { "after" };
    format!("decided {}, {after} {side} the snapshot", instant(case.decided_at))
}

fn answers(page: &mut Page, case: &Case) {
    let figures = case.metrics.iter().map(|_| Align::Point);
    let columns = [Align::Left, Align::Left, Align::Right].into_iter().chain(figures).chain([Align::Right]);
    let mut table = Table::new(columns);
    let heads =
        ["  model", "answer", "confidence"].into_iter().chain(case.metrics.iter().map(String::as_str));
    table.head(heads.chain(["latency"]).map(|head| Span::new(Ink::Faint, head)));
    for model in &case.models {
        let ink = if model.differs { Ink::Notice } else { Ink::Plain };
        let mut cells = vec![format!("  {}", model.plugin.name).into(), Span::new(ink, said(&model.said))];
        cells.push(model.said.confidence.map_or_else(|| UNDEFINED.to_owned(), |c| significant(c, 3)).into());
        cells.extend(model.figures.iter().map(|figure| shown(*figure)));
        cells.push(model.nanos.map_or_else(|| UNDEFINED.to_owned(), duration).into());
        table.row(cells);
    }
    table.print(page);
    for CaseModel { plugin, said, .. } in &case.models {
        // In the table a long answer is cut off.
        if let Err(why) = &said.answer {
            page.paragraph(2, Ink::Plain, &format!("{}: {why}", plugin.name), MOST_LINES);
        }
        let which = format!("{} is {}", plugin.name, generation(&plugin.title, &plugin.digest));
        page.paragraph(2, Ink::Faint, &which, 3);
    }
}

fn alike(page: &mut Page, model: &CaseModel, similar: &[Similar]) {
    page.section(
        &format!("Where {} differs in the same conditions", model.plugin.name),
        "the nearest in time first",
    );
    if similar.is_empty() {
        return page.line(2, &["nowhere else".into()]);
    }
    let mut table = Table::new([Align::Left; 4]);
    table.head(["  id", "observed", "answer", "done"].map(|head| Span::new(Ink::Faint, head)));
    for Similar { id, observed_at, answer, done } in similar {
        let cells = [format!("  {id}"), instant(*observed_at), answer.clone(), done.clone()];
        table.row(cells.map(Span::from));
    }
    table.print(page);
}

/// Which build of a plugin it was.
fn generation(title: &str, digest: &str) -> String {
    format!("{title}, {}", digest.get(..12).unwrap_or(digest))
}

fn said(said: &Said) -> String {
    match &said.answer {
        Ok(answer) => answer.clone(),
        Err(why) => format!("({})", why.split(':').next().unwrap_or(why)),
    }
}

fn shown(figure: Option<f64>) -> Span {
    figure.map_or_else(|| UNDEFINED.to_owned(), bound).into()
}

fn instant(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::report::Plugin;

    fn plugin(name: &str) -> Plugin {
        Plugin { name: name.into(), title: format!("{name} 0.1.0"), digest: "3f".repeat(32) }
    }

    fn at(time: &str) -> Timestamp {
        format!("2026-03-{time}Z").parse().expect("a time")
    }

    fn one() -> Case {
        let answered = |answer: &str| Said { answer: Ok(answer.into()), confidence: Some(0.875) };
        let model = |name: &str, said: Said, differs: bool| CaseModel {
            plugin: plugin(name),
            said,
            nanos: (name != "rules").then_some(12_400),
            figures: vec![(name != "rules").then_some(f64::from(!differs)), None],
            differs,
            similar: None,
        };
        let similar = Similar {
            id: "b-16".into(),
            observed_at: at("02T10:00:00"),
            answer: "h".into(),
            done: "a".into(),
        };
        let trapped = Said { answer: Err("broke: `decide` trapped: unreachable".into()), confidence: None };
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
            comparator: plugin("recorded"),
            done: Said { answer: Ok("a".into()), confidence: None },
            blinded: false,
            metrics: vec!["agreement".into(), "kappa".into()],
            models,
        }
    }

    #[test]
    fn a_case_is_shown_with_all_that_is_known() {
        insta::assert_snapshot!(case(&one(), Style { width: 80, color: false }));
    }

    #[test]
    fn a_decision_may_be_dated_before_its_snapshot_and_a_model_asked_afterwards() {
        let seen = Case { decided_at: at("03T09:59:00"), blinded: true, ..one() };
        let text = case(&seen, Style { width: 80, color: false });
        assert!(text.contains("decided 2026-03-03 09:59:00 UTC, 1.00 min before the snapshot"), "{text}");
        assert!(text.contains("What the models answered  asked only once that was done"), "{text}");
    }
}
