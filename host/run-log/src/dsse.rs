//! Envelopes of [DSSE](https://github.com/secure-systems-lab/dsse/blob/v1.0.2/envelope.md), version 1: a payload, its type, and
//! Ed25519 signatures over both.
//!
//! Invariants: a payload is read only after one of the given keys is known to have signed it together with its type. The
//! bytes that are signed begin with `DSSEv1`, a space and no line feed before the payload, so they are neither a head of a
//! ledger nor any other text that a key signs.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use serde::{Deserialize, Serialize};

use crate::signed_head::{Signer, Verifier};

/// An envelope, as its JSON has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Envelope {
    /// The payload in base64.
    payload: String,
    /// The media type of the payload.
    payload_type: String,
    /// The signatures.
    signatures: Vec<EnvelopeSignature>,
}

/// A signature of an envelope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct EnvelopeSignature {
    /// The verifier key, as `understudy key` prints it. A reader does not rely on it.
    #[serde(default)]
    keyid: String,
    /// The Ed25519 signature in base64.
    sig: String,
}

impl Envelope {
    /// Puts a payload into an envelope with one signature.
    pub fn sign(signer: &Signer, payload_type: &str, payload: &[u8]) -> Envelope {
        let sig = signer.sign_bytes(&pre_authentication_encoding(payload_type, payload));
        let keyid = signer.verifier().to_string();
        Envelope {
            payload: BASE64.encode(payload),
            payload_type: payload_type.to_owned(),
            signatures: vec![EnvelopeSignature { keyid, sig: BASE64.encode(sig) }],
        }
    }

    /// Parses an envelope.
    ///
    /// # Errors
    /// The fault of the JSON, as a clause.
    pub fn parse(text: &str) -> Result<Envelope, String> {
        serde_json::from_str(text).map_err(|error| format!("it is not a DSSE envelope: {error}"))
    }

    /// The text of a file: JSON in one line.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("an envelope is plain data") + "\n"
    }

    /// The payload and the key that signed it, if it has this type and one of these keys signed it.
    ///
    /// # Errors
    /// The fault, as a clause.
    pub fn open<'k>(
        &self,
        payload_type: &str,
        keys: &'k [Verifier],
    ) -> Result<(Vec<u8>, &'k Verifier), String> {
        if self.payload_type != payload_type {
            return Err(format!(
                "its payload has the type {:?}, expected {payload_type:?}",
                self.payload_type
            ));
        }
        let payload = BASE64.decode(&self.payload).map_err(|_| "its payload is not base64")?;
        let signed = pre_authentication_encoding(payload_type, &payload);
        let signatures = self.signatures.iter().filter_map(|signature| BASE64.decode(&signature.sig).ok());
        for signature in signatures {
            if let Some(key) = keys.iter().find(|key| key.has_signed(&signed, &signature)) {
                return Ok((payload, key));
            }
        }
        Err("none of its signatures is valid for a given key".to_owned())
    }
}

/// The bytes that are signed: the
/// [pre-authentication encoding](https://github.com/secure-systems-lab/dsse/blob/v1.0.2/protocol.md#signature-definition).
fn pre_authentication_encoding(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the protocol.
    #[test]
    fn the_signed_bytes_are_those_of_the_protocol() {
        let bytes = pre_authentication_encoding("http://example.com/HelloWorld", b"hello world");
        assert_eq!(bytes, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    }

    #[test]
    fn an_envelope_opens_only_unchanged_and_with_its_key() {
        let [signer, other] = ["team", "other"].map(|name| Signer::generate(name).unwrap());
        let keys = [other.verifier(), signer.verifier()];
        let envelope = Envelope::sign(&signer, "a/b", b"{}");
        let envelope = Envelope::parse(&envelope.to_json()).unwrap();
        assert_eq!(envelope.open("a/b", &keys), Ok((b"{}".to_vec(), &keys[1])));
        let unknown = "none of its signatures is valid for a given key";
        assert_eq!(envelope.open("a/b", &keys[..1]).unwrap_err(), unknown);
        assert_eq!(envelope.open("a/b", &[]).unwrap_err(), unknown);
        let type_error = "its payload has the type \"a/b\", expected \"a/c\"";
        assert_eq!(envelope.open("a/c", &keys).unwrap_err(), type_error);
        // The type and the payload are signed, the name of the key is not.
        let changed = Envelope { payload_type: "a/c".to_owned(), ..envelope.clone() };
        assert_eq!(changed.open("a/c", &keys).unwrap_err(), unknown);
        let changed = Envelope { payload: BASE64.encode("[]"), ..envelope.clone() };
        assert_eq!(changed.open("a/b", &keys).unwrap_err(), unknown);
        let changed = Envelope { payload: "{}".to_owned(), ..envelope.clone() };
        assert_eq!(changed.open("a/b", &keys).unwrap_err(), "its payload is not base64");
        let mut renamed = envelope.clone();
        renamed.signatures[0].keyid = "x".to_owned();
        assert!(renamed.open("a/b", &keys).is_ok());
        for sig in ["", "AAAA", "?"] {
            renamed.signatures[0].sig = sig.to_owned();
            assert_eq!(renamed.open("a/b", &keys).unwrap_err(), unknown);
        }
        // A second signature does no harm.
        renamed.signatures.extend(envelope.signatures);
        assert!(renamed.open("a/b", &keys).is_ok());
        assert!(Envelope::parse("{}").unwrap_err().starts_with("it is not a DSSE envelope: missing field"));
    }
}
