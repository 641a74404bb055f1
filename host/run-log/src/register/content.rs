//! Parses the entries of a register, and checks that a seal is among them.
//!
//! Invariants:
//! - The content depends on the complete lines of the file alone.
//! - An entry that is not chained to the one before, or whose signature is invalid, is a fault.

use std::collections::BTreeSet;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::chained_lines::{LineFault, NO_PREVIOUS, check, line, line_digest};
use crate::register::error::RegisterError;
use crate::register::event::{RegisterEntry, RegisterEvent, RegisteredSeal};
use understudy_study::short_digest;

/// The position of a seal in its register. The seal stores it, so that a replaced or truncated register is
/// detected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegisterPosition {
    /// The register's identity: SHA-256 of its first line, in hexadecimal.
    pub register: String,
    /// The number of the seal's entry, from 1.
    pub entry: u64,
    /// SHA-256 of the line before, in hexadecimal.
    pub previous: String,
    /// The verifier key that signs the entry; left out if it is not signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// The entries of a register.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RegisterContent {
    entries: Vec<RegisterEntry>,
    /// SHA-256 of each line, in hexadecimal.
    digests: Vec<String>,
}

impl RegisterContent {
    /// Reads the complete lines of a register. Returns the entries that can be read, and all faults.
    pub fn parse(bytes: &[u8]) -> (RegisterContent, Vec<LineFault>) {
        let (entries, mut faults) = check(bytes);
        let mut content = RegisterContent::default();
        let mut seals = BTreeSet::new();
        for entry in entries {
            let mut fault = |what: String| faults.push(LineFault { line: entry.entry as usize + 1, what });
            if let Err(what) = entry.signer() {
                fault(what);
            }
            match &entry.event.event {
                RegisterEvent::RegisterOpened { .. } if entry.entry > 0 => {
                    fault("a register is opened only once".to_owned());
                }
                RegisterEvent::RegisterOpened { .. } => {}
                _ if entry.entry == 0 => fault("the first entry does not open a register".to_owned()),
                RegisterEvent::StudySealed(sealed) if !seals.insert(sealed.seal.clone()) => {
                    fault("the seal is already in the register".to_owned());
                }
                RegisterEvent::RunStarted { seal, .. } if !seals.contains(seal) => {
                    fault("no entry before has the seal of this run".to_owned());
                }
                RegisterEvent::StudySealed(_) | RegisterEvent::RunStarted { .. } => {}
            }
            content.push(entry);
        }
        faults.sort_by_key(|fault| fault.line);
        (content, faults)
    }

    /// Reads the complete lines of the register in `path`, which must have no fault.
    pub(super) fn parse_valid(bytes: &[u8], path: &Path) -> Result<RegisterContent, RegisterError> {
        let (content, faults) = RegisterContent::parse(bytes);
        match faults.into_iter().next() {
            None => Ok(content),
            Some(fault) if fault.line == 1 && content.entries.is_empty() => {
                Err(RegisterError::NotARegister { path: path.to_owned() })
            }
            Some(fault) => Err(RegisterError::Broken { path: path.to_owned(), fault }),
        }
    }

    pub(super) fn push(&mut self, entry: RegisterEntry) -> &RegisterEntry {
        self.digests.push(line_digest(line(&entry).as_bytes()));
        self.entries.push(entry);
        self.entries.last().expect("an entry was pushed")
    }

    /// The entries, from the one that opens the register.
    pub fn entries(&self) -> &[RegisterEntry] {
        &self.entries
    }

    /// The first `entries` entries.
    pub fn prefix(&self, entries: usize) -> RegisterContent {
        let end = entries.min(self.entries.len());
        RegisterContent { entries: self.entries[..end].to_vec(), digests: self.digests[..end].to_vec() }
    }

    /// The register's identity: SHA-256 of its first line, in hexadecimal. Empty if there is no line.
    pub fn identity(&self) -> &str {
        self.digests.first().map_or("", String::as_str)
    }

    /// SHA-256 of the last line, in hexadecimal: the next entry's `previous`.
    pub fn last_digest(&self) -> &str {
        self.digests.last().map_or(NO_PREVIOUS, String::as_str)
    }

    /// The position of the next entry, if `key` signs it.
    pub fn next_position(&self, key: Option<String>) -> RegisterPosition {
        RegisterPosition {
            register: self.identity().to_owned(),
            entry: self.entries.len() as u64,
            previous: self.last_digest().to_owned(),
            key,
        }
    }

    /// Checks that the seal with this position and this digest is in the register. `describes` compares the other
    /// fields of its entry with the seal, and returns the name of the first that differs.
    ///
    /// # Errors
    /// The fault, as a clause.
    pub fn check_seal(
        &self,
        position: &RegisterPosition,
        seal: &str,
        describes: impl FnOnce(&RegisteredSeal) -> Result<(), &'static str>,
    ) -> Result<(), String> {
        let RegisterPosition { register, entry: number, previous, key } = position;
        if self.identity() != register {
            return Err(format!(
                "the seal names a register whose first entry has the SHA-256 {}, and this one begins with {}: the \
                 register was replaced or moved; name its new path, or restore it from a copy",
                short(register),
                short(self.identity())
            ));
        }
        let Some(entry) = usize::try_from(*number).ok().and_then(|number| self.entries.get(number)) else {
            return Err(format!(
                "the seal is entry {number}, and the register ends with entry {}: it was truncated, or the seal was left out",
                self.entries.len().saturating_sub(1)
            ));
        };
        if entry.previous != *previous {
            return Err(format!(
                "the entries before entry {number} are not those that the seal names: the register was rewritten"
            ));
        }
        let sealed = match &entry.event.event {
            RegisterEvent::StudySealed(sealed) if sealed.seal == seal => sealed,
            _ => return Err(format!("entry {number} is not this seal: it was left out or replaced")),
        };
        let signed = entry.event.signed.as_ref().map(|signature| &signature.key);
        if signed != key.as_ref() {
            let by = |key: Option<&String>| {
                key.map_or_else(|| "not signed".to_owned(), |key| format!("signed with {key}"))
            };
            return Err(format!(
                "entry {number} is {}, and the seal says that it is {}: it was rewritten",
                by(signed),
                by(key.as_ref())
            ));
        }
        describes(sealed)
            .map_err(|field| format!("entry {number} does not describe this seal: `{field}` was changed"))
    }

    /// Checks that a run began under a seal. Returns the number of its entry.
    ///
    /// # Errors
    /// The fault, as a clause.
    pub fn check_run(&self, seal: &str, run: &str) -> Result<u64, String> {
        let is_run = |entry: &&RegisterEntry| matches!(&entry.event.event, RegisterEvent::RunStarted { seal: of, run: id } if of == seal && id == run);
        let found = self.entries.iter().find(is_run).map(|entry| entry.entry);
        found.ok_or_else(|| {
            "the start of this run is not in the register: it was left out, or the register was truncated"
                .to_owned()
        })
    }
}

/// The first 12 digits of a digest; "nothing" for an empty one.
fn short(digest: &str) -> String {
    match digest.is_empty() {
        true => "nothing".to_owned(),
        false => format!("{}...", short_digest(digest)),
    }
}
