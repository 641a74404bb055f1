//! Reads `[follow-up]`: the verdict of an earlier study that asked for this one.
//!
//! Invariants: the reference is sealed and shown; nothing is read from the earlier run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::table_reader::TableReader;
use super::toml_value::Value;
use super::validate::NAME;

const FOLLOW_UP: &str = "[follow-up] with run, seal, verdict and scope, as `understudy follow-up` writes it";
const DIGEST: &str = "a SHA-256 of 64 hexadecimal digits, as `understudy follow-up` writes it";

/// The verdict of an earlier study that left a scope open, which this study is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct FollowUp {
    /// The hash of the first entry in the ledger of the earlier run, in hexadecimal. It identifies the run.
    pub run: String,
    /// SHA-256 of the seal of the earlier run, in hexadecimal.
    pub seal: String,
    /// SHA-256 of the `verdict.json` of the earlier run, in hexadecimal.
    pub verdict: String,
    /// The scope that the verdict left open, under the name that it has in this study; `all` for all of the input.
    pub scope: String,
}

/// Reads the section `[follow-up]`.
///
/// # Errors
/// If it cannot be read, which is reported.
pub(super) fn follow_up(root: &mut TableReader<'_>) -> Result<Option<FollowUp>, ()> {
    let read = root.optional_section("follow-up", FOLLOW_UP, |section| {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let digest = |value: &Value<'_>| {
            let text = value.word().filter(|text| text.len() == 64 && text.bytes().all(is_digit))?;
            Some(text.to_owned())
        };
        let run = section.required("run", DIGEST, digest);
        let seal = section.required("seal", DIGEST, digest);
        let verdict = section.required("verdict", DIGEST, digest);
        let scope = section.required("scope", NAME, |value| value.name().map(str::to_owned));
        Some(FollowUp { run: run?, seal: seal?, verdict: verdict?, scope: scope? })
    });
    match read {
        Some(None) => Err(()),
        found => Ok(found.flatten()),
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{VALID, faults, read};

    #[test]
    fn the_reference_is_read() {
        assert_eq!(read(&[]).follow_up, None);
        let [run, seal, verdict] = ["1a", "2b", "3c"].map(|byte| byte.repeat(32));
        let text = format!(
            "{VALID}[follow-up]\nrun = \"{run}\"\nseal = \"{seal}\"\nverdict = \"{verdict}\"\nscope = \"weekend\"\n"
        );
        let found = crate::parse(&text).unwrap().follow_up.unwrap();
        assert_eq!(
            (found.run, found.seal, found.verdict, found.scope),
            (run, seal, verdict, "weekend".to_owned())
        );
    }

    #[test]
    fn faults_name_their_lines() {
        let wrong = format!(
            "[follow-up]\nrun = \"{}\"\nseal = \"{}\"\nscope = \"week end\"\n[windows]",
            "1A".repeat(32),
            "2b".repeat(31)
        );
        insta::assert_snapshot!(faults(&[("[windows]", &wrong)]), @r#"
        study.toml:39: `follow-up.verdict` is missing; write a SHA-256 of 64 hexadecimal digits, as `understudy follow-up` writes it
        study.toml:40: `follow-up.run` is "1A1A1A1A1A1A1A1A1A1A1A1A1A1A1A1A1A1A1A1A1A1A1A1A1A1A1A1A1A1...; write a SHA-256 of 64 hexadecimal digits, as `understudy follow-up` writes it
        study.toml:41: `follow-up.seal` is "2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2...; write a SHA-256 of 64 hexadecimal digits, as `understudy follow-up` writes it
        study.toml:42: `follow-up.scope` is "week end"; write a name of letters, digits, - and _, such as "rooms-2"
        "#);
    }
}
