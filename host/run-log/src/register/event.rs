//! The events of a register, and the signature of an entry.
//!
//! Invariants: an event is plain data; its JSON form is the variant's name in kebab case under `kind`, with
//! the variant's fields beside it. A field is left out only where its documentation says so.

use serde::{Deserialize, Serialize};

use crate::chained_lines::ChainedEntry;
use crate::signed_head::{Signer, Verifier};

/// Domain of the signature: this line, then the JSON of the entry without `signed` and `hash`.
const KIND: &str = "understudy register";

/// One line of `register.jsonl`: the event with its number, its time and the hash of the entry before it.
pub type RegisterEntry = ChainedEntry<RegisterRecord>;

/// An event with its signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisterRecord {
    /// The event.
    #[serde(flatten)]
    pub event: RegisterEvent,
    /// The signature over the entry; left out if it is not signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<EntrySignature>,
}

/// The event of a register entry: the register was opened, a study was sealed, or a run was started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum RegisterEvent {
    /// The register was opened. Always the first entry, and only the first.
    RegisterOpened {
        /// 128 random bits in hexadecimal, so that no two registers have the same first entry.
        nonce: String,
        /// The version of understudy that opened the register.
        version: String,
    },
    /// A study was sealed.
    StudySealed(RegisteredSeal),
    /// A run began under a seal of this register.
    RunStarted {
        /// SHA-256 of the seal, in hexadecimal.
        seal: String,
        /// The run's id, 128 random bits in hexadecimal. The first entry of the run's ledger has it, too.
        run: String,
    },
}

/// What a register records about a seal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct RegisteredSeal {
    /// The study's name.
    pub study: String,
    /// SHA-256 of the seal, in hexadecimal.
    pub seal: String,
    /// SHA-256 of the declaration's canonical form, in hexadecimal.
    pub declaration: String,
    /// SHA-256 of the names and types of the fields that the models may read, in hexadecimal.
    pub fields: String,
    /// SHA-256 of the declared sources, in hexadecimal.
    pub feed: String,
    /// The threshold in words; left out if the study declares none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<String>,
}

/// A signature over an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntrySignature {
    /// The verifier key, as `understudy key` prints it.
    pub key: String,
    /// The Ed25519 signature in base64.
    pub ed25519: String,
}

impl RegisterEntry {
    /// Signs the entry.
    pub(super) fn sign(self, signer: &Signer) -> RegisterEntry {
        let key = signer.verifier().to_string();
        let ed25519 = signer.attest(KIND, &self.unsigned());
        let event = RegisterRecord { signed: Some(EntrySignature { key, ed25519 }), ..self.event };
        RegisterEntry { event, ..self }
    }

    /// The key that signed the entry, if it is signed.
    ///
    /// # Errors
    /// The fault of the signature, as a clause.
    pub fn signer(&self) -> Result<Option<Verifier>, String> {
        let Some(EntrySignature { key, ed25519 }) = &self.event.signed else { return Ok(None) };
        let verifier = Verifier::parse(key).map_err(|error| error.to_string())?;
        verifier.attested(KIND, &self.unsigned(), ed25519)?;
        Ok(Some(verifier))
    }

    /// The JSON of the entry without its signature.
    fn unsigned(&self) -> String {
        let event = RegisterRecord { signed: None, ..self.event.clone() };
        let entry = RegisterEntry { event, ..self.clone() };
        serde_json::to_string(&entry).expect("an entry is plain data")
    }
}
