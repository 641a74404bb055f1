//! `checkpoint.bin`: a value encoded with `bincode`, with a format version and a digest. No other module uses
//! `bincode`.
//!
//! Invariants: decoding returns the encoded value or an error. A damaged file, or one of another version, is
//! always rejected. A checkpoint is derived, so it may be deleted.

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

/// The first bytes of a file: a name and the version of the format.
const MAGIC: &[u8; 16] = b"understudy-cp\0\0\x05";
const DIGEST: usize = 32;

/// Why a checkpoint cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The file is not a checkpoint, or has another version.
    #[error("it is not a checkpoint of this version of understudy")]
    Foreign,
    /// The file was changed or truncated.
    #[error("it is damaged: its digest does not match")]
    Damaged,
    /// The file holds a value of another type.
    #[error("it holds a value of another type: {0}")]
    Content(String),
}

/// Encodes a value as a checkpoint.
///
/// # Errors
/// If `bincode` cannot encode the value, such as a sequence of unknown length.
pub fn encode(value: &impl Serialize) -> Result<Vec<u8>, CheckpointError> {
    let body = bincode::serde::encode_to_vec(value, bincode::config::standard())
        .map_err(|error| CheckpointError::Content(error.to_string()))?;
    Ok([&MAGIC[..], &Sha256::digest(&body), &body].concat())
}

/// Decodes a checkpoint.
///
/// # Errors
/// If the bytes are not a complete checkpoint of this version with a value of this type.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CheckpointError> {
    let rest = bytes.strip_prefix(MAGIC).ok_or(CheckpointError::Foreign)?;
    let (digest, body) = rest.split_at_checked(DIGEST).ok_or(CheckpointError::Damaged)?;
    if Sha256::digest(body)[..] != *digest {
        return Err(CheckpointError::Damaged);
    }
    let (value, read) = bincode::serde::decode_from_slice(body, bincode::config::standard())
        .map_err(|error| CheckpointError::Content(error.to_string()))?;
    if read != body.len() {
        return Err(CheckpointError::Content("bytes follow the value".to_owned()));
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_encoded_value_is_decoded(value: Vec<(u64, String)>) {
            prop_assert_eq!(decode::<Vec<(u64, String)>>(&encode(&value).unwrap()), Ok(value));
        }

        #[test]
        fn any_changed_or_missing_byte_is_detected(
            value: Vec<u64>,
            at: prop::sample::Index,
            flip in 1u8..,
        ) {
            let whole = encode(&value).unwrap();
            let at = at.index(whole.len());
            let mut changed = whole.clone();
            changed[at] ^= flip;
            prop_assert!(decode::<Vec<u64>>(&changed).is_err());
            prop_assert!(decode::<Vec<u64>>(&whole[..at]).is_err());
            prop_assert!(decode::<Vec<u64>>(&[&whole[..], b"x"].concat()).is_err());
        }
    }

    #[test]
    fn a_value_of_another_type_is_rejected() {
        let bytes = encode(&(1u64, 2u64)).unwrap();
        insta::assert_snapshot!(decode::<u64>(&bytes).unwrap_err(), @"it holds a value of another type: bytes follow the value");
        insta::assert_snapshot!(decode::<u64>(b"PAR1").unwrap_err(), @"it is not a checkpoint of this version of understudy");
    }
}
