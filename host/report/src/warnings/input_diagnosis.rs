//! Says in sentences why a run read or joined fewer than a tenth of its records.
//!
//! Invariants: the sentences are the same in every rendering; a run that read its input has none.

use crate::format::{count, counted};
use crate::model::report::Report;
use crate::model::run_summary::RunEnd;
use understudy_records::diagnosis::{
    BeyondHorizon, CauseCount, FormCount, IdForm, InputDiagnosis, RejectionCause, UnpairedIds, UnreadStream,
};
use understudy_study::Micros;

/// The sentences on the input of a run, the most important first; none if its records were read and joined.
pub(super) fn sentences(report: &Report) -> Vec<String> {
    let Some(InputDiagnosis { unread, unpaired, .. }) = &report.input_diagnosis else { return Vec::new() };
    let unpaired = unpaired.as_ref().map(|unpaired| on_pairs(report, unpaired));
    // A stream without records may only be one that the run had not begun to read.
    let read = |stream: &&UnreadStream| stream.received > 0 || report.end == RunEnd::Finished;
    unread.iter().filter(read).map(on_stream).chain(unpaired).collect()
}

fn on_stream(unread: &UnreadStream) -> String {
    let UnreadStream { stream, received, decoded, causes } = unread;
    if *received == 0 {
        return format!("NO {} WERE RECEIVED: the source is empty.", stream.to_uppercase());
    }
    let any = if *decoded == 0 { "NO" } else { "HARDLY ANY" };
    let read = format!(
        "{any} {} WERE READ: {} of {} could be decoded.",
        stream.to_uppercase(),
        count(*decoded),
        counted(*received, "record", "records")
    );
    match likely_causes(causes) {
        None => format!("{read} The reasons are listed below."),
        Some(likely) => format!("{read} Likely cause: {likely}."),
    }
}

/// What most of the examined rejected records of a stream have in common, and what to do; `None` if nothing is known.
pub fn likely_causes(causes: &[CauseCount]) -> Option<String> {
    // A rare second form is an accident in a file of another form.
    let examined: u64 = causes.iter().map(|cause| cause.records).sum();
    let common =
        |cause: &&CauseCount| cause.records * 10 >= examined && !matches!(cause.cause, RejectionCause::Other);
    let likely: Vec<_> = causes.iter().filter(common).map(|cause| on_cause(cause.cause)).collect();
    (!likely.is_empty()).then(|| likely.join("; or "))
}

fn on_cause(cause: RejectionCause) -> &'static str {
    match cause {
        RejectionCause::WideText => {
            "the text is UTF-16 or UTF-32; convert it to UTF-8, for instance with `iconv -t UTF-8`"
        }
        RejectionCause::CarriageReturns => {
            "the lines end with a carriage return alone; end them with a line feed, for instance with `tr '\\r' '\\n'`"
        }
        RejectionCause::RecordSeparators => {
            "a record separator precedes each record (RFC 7464); remove it, for instance with `tr -d '\\036'`"
        }
        RejectionCause::JsonArray => {
            "the source is one JSON array; write one object per line, for instance with `jq -c '.[]'`"
        }
        RejectionCause::PrettyPrinted => {
            "the records are pretty-printed over several lines; write each on one line, for instance with `jq -c .`"
        }
        RejectionCause::DelimitedText => {
            "the source is a table such as CSV; end its name in .csv or write format = \"csv\", and write as many cells in \
             each row as in the header, with commas between them"
        }
        RejectionCause::OtherNotation => {
            "the lines have notation of another language, such as NaN, None or single quotes; write JSON"
        }
        RejectionCause::MissingId => {
            "the records have no id under the declared key; correct the key `id` of the stream in study.toml"
        }
        RejectionCause::FractionalId => {
            "the ids are fractions such as 1.0, as tools write the integers of a column with gaps; write them as text or as \
             integers"
        }
        RejectionCause::MissingTime => {
            "the records have no time under the declared key; correct the key `time` of the stream in study.toml"
        }
        RejectionCause::NumericTime => {
            "the times are numbers, perhaps seconds or milliseconds since 1970; write RFC 3339 with a zone, such as \
             \"2026-05-01T09:30:00Z\""
        }
        RejectionCause::TimeWithoutZone => {
            "the times have no time zone; write them with Z or an offset, such as \"2026-05-01T09:30:00Z\""
        }
        RejectionCause::Other => "see the reasons below",
    }
}

fn on_pairs(report: &Report, unpaired: &UnpairedIds) -> String {
    let paired = report.accounting.snapshots.paired;
    let any = match paired {
        0 => "NO PAIRS: no decision was joined with a snapshot.".to_owned(),
        _ => {
            format!("HARDLY ANY PAIRS: {} joined.", counted(paired, "decision was", "decisions were"))
        }
    };
    let mut causes: Vec<(u64, String)> = unpaired.forms.iter().map(on_form).collect();
    causes.extend(unpaired.beyond_horizon.as_ref().map(on_horizon));
    causes.sort_by_key(|(decisions, _)| std::cmp::Reverse(*decisions));
    if causes.is_empty() {
        return format!(
            "{any} None of the {} examined has the id of an unpaired snapshot, in any spelling; compare the ids of both \
             sources.",
            counted(unpaired.decisions, "unpaired decision", "unpaired decisions")
        );
    }
    let causes: Vec<_> = causes.into_iter().map(|(_, cause)| cause).collect();
    format!("{any} {}", causes.join(" "))
}

fn on_form(form: &FormCount) -> (u64, String) {
    let difference = match form.form {
        IdForm::Case => "case (A-1 and a-1)",
        IdForm::Spaces => "spaces (\"a 1\" and \"a1\")",
        IdForm::LeadingZeros => "leading zeros (007 and 7)",
        IdForm::ZeroFraction => "a fraction of zero (1.0 and 1)",
        IdForm::Normalisation => "Unicode normalisation (composed and decomposed characters)",
        IdForm::Several => {
            "several of case, spaces, leading zeros, a fraction of zero and Unicode normalisation"
        }
    };
    let decisions = counted(form.decisions, "decision has", "decisions have");
    let text =
        format!("{decisions} the id of a snapshot but for {difference}; write ids alike in both sources.");
    (form.decisions, text)
}

fn on_horizon(beyond: &BeyondHorizon) -> (u64, String) {
    let BeyondHorizon { decisions, least_micros, most_micros } = *beyond;
    let [least, most] = [least_micros, most_micros].map(|micros| Micros(micros).span_text());
    let by = if least == most { least } else { format!("{least} to {most}") };
    let decisions_have = counted(decisions, "decision has", "decisions have");
    let text = format!(
        "{decisions_have} the id of a snapshot, beyond the horizon by {by}; correct the time zones, or declare a longer \
         `horizon`."
    );
    (decisions, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::fixture;

    fn sentence(diagnosis: InputDiagnosis) -> String {
        sentences(&Report { input_diagnosis: Some(diagnosis), ..fixture::empty() }).join("\n")
    }

    fn unread(received: u64, decoded: u64, causes: &[(RejectionCause, u64)]) -> InputDiagnosis {
        let causes = causes.iter().map(|(cause, records)| CauseCount { cause: *cause, records: *records });
        let stream =
            UnreadStream { stream: "snapshots".to_owned(), received, decoded, causes: causes.collect() };
        InputDiagnosis { unread: vec![stream], ..InputDiagnosis::default() }
    }

    fn unpaired(forms: &[(IdForm, u64)], beyond: Option<(u64, i64, i64)>) -> InputDiagnosis {
        let forms = forms.iter().map(|(form, decisions)| FormCount { form: *form, decisions: *decisions });
        let beyond_horizon = beyond.map(|(decisions, least_micros, most_micros)| BeyondHorizon {
            decisions,
            least_micros,
            most_micros,
        });
        let ids = UnpairedIds { snapshots: 900, decisions: 1_200, forms: forms.collect(), beyond_horizon };
        InputDiagnosis { unpaired: Some(ids), ..InputDiagnosis::default() }
    }

    #[test]
    fn a_run_that_was_read_has_no_sentences() {
        assert_eq!(sentences(&fixture::empty()), Vec::<String>::new());
    }

    #[test]
    fn a_stream_is_empty_only_if_the_run_has_finished() {
        let report = |end| Report { end, input_diagnosis: Some(unread(0, 0, &[])), ..fixture::empty() };
        assert_eq!(sentences(&report(RunEnd::Finished)).len(), 1);
        assert!(sentences(&report(RunEnd::Interrupted)).is_empty());
        assert!(sentences(&report(RunEnd::SourceFailed(Vec::new()))).is_empty());
    }

    #[test]
    fn the_likely_cause_is_named() {
        const MINUTE: i64 = 60_000_000;
        let all = [
            unread(0, 0, &[]),
            unread(1, 0, &[(RejectionCause::JsonArray, 1)]),
            unread(2_400, 3, &[(RejectionCause::NumericTime, 2_300), (RejectionCause::Other, 97)]),
            unread(20, 0, &[(RejectionCause::MissingId, 10), (RejectionCause::TimeWithoutZone, 10)]),
            unread(20, 1, &[(RejectionCause::Other, 19)]),
            unpaired(&[], None),
            unpaired(&[(IdForm::Case, 240)], Some((300, 61 * MINUTE, 61 * MINUTE))),
            unpaired(&[(IdForm::LeadingZeros, 1)], None),
            unpaired(&[], Some((1, 2_500_000, 90 * MINUTE + 400))),
        ];
        insta::assert_snapshot!(all.map(sentence).join("\n"), @r#"
        NO SNAPSHOTS WERE RECEIVED: the source is empty.
        NO SNAPSHOTS WERE READ: 0 of 1 record could be decoded. Likely cause: the source is one JSON array; write one object per line, for instance with `jq -c '.[]'`.
        HARDLY ANY SNAPSHOTS WERE READ: 3 of 2,400 records could be decoded. Likely cause: the times are numbers, perhaps seconds or milliseconds since 1970; write RFC 3339 with a zone, such as "2026-05-01T09:30:00Z".
        NO SNAPSHOTS WERE READ: 0 of 20 records could be decoded. Likely cause: the records have no id under the declared key; correct the key `id` of the stream in study.toml; or the times have no time zone; write them with Z or an offset, such as "2026-05-01T09:30:00Z".
        HARDLY ANY SNAPSHOTS WERE READ: 1 of 20 records could be decoded. The reasons are listed below.
        NO PAIRS: no decision was joined with a snapshot. None of the 1,200 unpaired decisions examined has the id of an unpaired snapshot, in any spelling; compare the ids of both sources.
        NO PAIRS: no decision was joined with a snapshot. 300 decisions have the id of a snapshot, beyond the horizon by 1h1m; correct the time zones, or declare a longer `horizon`. 240 decisions have the id of a snapshot but for case (A-1 and a-1); write ids alike in both sources.
        NO PAIRS: no decision was joined with a snapshot. 1 decision has the id of a snapshot but for leading zeros (007 and 7); write ids alike in both sources.
        NO PAIRS: no decision was joined with a snapshot. 1 decision has the id of a snapshot, beyond the horizon by 2s500ms to 1h30m; correct the time zones, or declare a longer `horizon`.
        "#);
    }
}
