//! `checkpoint.bin`: a value as `bincode`, with its version and digest. The one place that knows `bincode`.
//!
//! Always holds: what is read back is what was written, or an error; a damaged or foreign file is never taken for
//! another. It is derived, so it may be deleted.

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

/// What a file begins with: a name and the version of what follows.
const MAGIC: &[u8; 16] = b"understudy-cp\0\0\x04";
const DIGEST: usize = 32;

/// Why a checkpoint cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Another file, or one of another version.
    #[error("it is not a checkpoint of this version of understudy")]
    Foreign,
    /// It has been changed or cut.
    #[error("it is damaged: its digest does not match")]
    Damaged,
    /// It holds something else than expected.
    #[error("it does not hold what was expected: {0}")]
    Content(String),
}

/// A value as the bytes of a checkpoint.
///
/// # Errors
/// When the value is one that `bincode` cannot write, such as a sequence of unknown length.
pub fn encode(value: &impl Serialize) -> Result<Vec<u8>, CheckpointError> {
    let body = bincode::serde::encode_to_vec(value, bincode::config::standard())
        .map_err(|error| CheckpointError::Content(error.to_string()))?;
    Ok([&MAGIC[..], &Sha256::digest(&body), &body].concat())
}

/// The value in the bytes of a checkpoint.
///
/// # Errors
/// When the bytes are not those of a checkpoint of this version, whole, with such a value.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CheckpointError> {
    let rest = bytes.strip_prefix(MAGIC).ok_or(CheckpointError::Foreign)?;
    let (digest, body) = rest.split_at_checked(DIGEST).ok_or(CheckpointError::Damaged)?;
    if Sha256::digest(body)[..] != *digest {
        return Err(CheckpointError::Damaged);
    }
    let (value, read) = bincode::serde::decode_from_slice(body, bincode::config::standard())
        .map_err(|error| CheckpointError::Content(error.to_string()))?;
    if read != body.len() {
        return Err(CheckpointError::Content("there is more behind it".to_owned()));
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_written_is_read_back(value: Vec<(u64, String)>) {
            prop_assert_eq!(decode::<Vec<(u64, String)>>(&encode(&value).unwrap()), Ok(value));
        }

        #[test]
        fn any_changed_byte_and_any_cut_shows(
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
    fn another_value_is_refused() {
        let bytes = encode(&(1u64, 2u64)).unwrap();
        insta::assert_snapshot!(decode::<u64>(&bytes).unwrap_err(), @"it does not hold what was expected: there is more behind it");
        insta::assert_snapshot!(decode::<u64>(b"PAR1").unwrap_err(), @"it is not a checkpoint of this version of understudy");
    }
}
