//! Keys, the signed head of a ledger, and signatures of other texts.
//!
//! A head is a checkpoint of [tlog-checkpoint](https://c2sp.org/tlog-checkpoint): the key's name, the number
//! of lines of the ledger, and the root of the Merkle tree ([RFC
//! 6962](https://www.rfc-editor.org/rfc/rfc6962#section-2.1)) over them. It is signed with Ed25519 as a
//! [signed-note](https://c2sp.org/signed-note), so that a witness can keep a copy. Keys have the text form of
//! Go's `golang.org/x/mod/sumdb/note`. Any other text is signed behind a line that names its kind. A kind
//! contains a space and the name of a key does not, so a signed text is never mistaken for a head.
//!
//! Invariants: an accepted head was signed with the key, and the ledger begins with the lines that it covers.
//! An accepted text was signed with the key, as a text of its kind.

use std::fmt::{self, Display};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use crate::regular_file::read_text_file;

/// The code of Ed25519 in keys.
const ED25519: u8 = 1;
const PRIVATE: &str = "PRIVATE+KEY+";
/// The prefix of a signature line.
const SIGNED: &str = "\u{2014} ";

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum NoteError {
    /// The file of a key cannot be read.
    #[error("cannot read key {}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        error: std::io::Error,
    },
    /// A text is not a key.
    #[error("{what} is not a {kind}: {why}; create one with `understudy key`")]
    Key {
        /// The text or file; never the text of a signing key.
        what: String,
        /// The kind of key.
        kind: &'static str,
        /// The fault.
        why: &'static str,
    },
    /// The system has no randomness.
    #[error("cannot create a key: cannot read OS randomness: {0}")]
    Random(getrandom::Error),
}

/// A signing key with its name.
#[derive(Clone)]
pub struct Signer {
    name: String,
    key: SigningKey,
}

/// A verifier key with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verifier {
    name: String,
    key: VerifyingKey,
}

impl Signer {
    /// Generates a key. A name has no space and no plus.
    ///
    /// # Errors
    /// If the name is invalid, or the system has no randomness.
    pub fn generate(name: &str) -> Result<Signer, NoteError> {
        if !is_name(name) {
            let why = "a name must not be empty or contain a space, a plus or a control character";
            return Err(NoteError::Key { what: format!("\"{name}\""), kind: "key name", why });
        }
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(NoteError::Random)?;
        Ok(Signer { name: name.to_owned(), key: SigningKey::from_bytes(&seed) })
    }

    /// Reads a key from a file.
    ///
    /// # Errors
    /// If the file cannot be read or does not hold a signing key.
    pub fn read(path: &Path) -> Result<Signer, NoteError> {
        let text =
            read_text_file(path).map_err(|error| NoteError::Unreadable { path: path.to_owned(), error })?;
        let key = |why| NoteError::Key { what: path.display().to_string(), kind: "signing key", why };
        let rest =
            text.trim().strip_prefix(PRIVATE).ok_or_else(|| key("it does not begin with PRIVATE+KEY+"))?;
        let (name, hash, seed) = parts(rest).map_err(key)?;
        let signer = Signer { name: name.to_owned(), key: SigningKey::from_bytes(&seed) };
        match signer.verifier().hash() == hash {
            true => Ok(signer),
            false => Err(key("its hash does not match, so a character was changed")),
        }
    }

    /// The text form for a file, as [`Signer::read`] reads it.
    pub fn secret(&self) -> String {
        let key = [&[ED25519][..], self.key.as_bytes()].concat();
        format!("{PRIVATE}{}+{:08x}+{}\n", self.name, self.verifier().hash(), BASE64.encode(key))
    }

    /// The verifier key that belongs to this key.
    pub fn verifier(&self) -> Verifier {
        Verifier { name: self.name.clone(), key: self.key.verifying_key() }
    }

    /// Signs the head of a ledger whose lines are in `tree`.
    pub fn sign(&self, tree: &Tree) -> String {
        let text = head(&self.name, tree);
        let signature = self.key.sign(text.as_bytes()).to_bytes();
        let signature = [&self.verifier().hash().to_be_bytes()[..], &signature].concat();
        format!("{text}\n{SIGNED}{} {}\n", self.name, BASE64.encode(signature))
    }

    /// Signs a text of a kind, such as `understudy seal`. Returns base64.
    pub fn attest(&self, kind: &str, text: &str) -> String {
        BASE64.encode(self.sign_bytes(attested(kind, text).as_bytes()))
    }

    /// Signs bytes as they are. They must not be mistaken for another text that the key signs.
    pub(crate) fn sign_bytes(&self, bytes: &[u8]) -> [u8; 64] {
        self.key.sign(bytes).to_bytes()
    }
}

impl Verifier {
    /// Parses the text form of a verifier key.
    ///
    /// # Errors
    /// If the text is not a verifier key.
    pub fn parse(text: &str) -> Result<Verifier, NoteError> {
        let invalid = |what, why| NoteError::Key { what, kind: "verifier key", why };
        if text.starts_with(PRIVATE) {
            let why = "it is a signing key, which must stay secret";
            return Err(invalid(format!("a text that begins with {PRIVATE}"), why));
        }
        let key = |why| invalid(format!("\"{text}\""), why);
        let (name, hash, public) = parts(text).map_err(key)?;
        let public = VerifyingKey::from_bytes(&public).map_err(|_| key("it is not a point of the curve"))?;
        let verifier = Verifier { name: name.to_owned(), key: public };
        match verifier.hash() == hash {
            true => Ok(verifier),
            false => Err(key("its hash does not match, so a character was changed")),
        }
    }

    /// The first four bytes of the SHA-256 over name and key, big-endian.
    fn hash(&self) -> u32 {
        let mut hash = Sha256::new();
        hash.update(self.name.as_bytes());
        hash.update([b'\n', ED25519]);
        hash.update(self.key.as_bytes());
        u32::from_be_bytes(*hash.finalize().first_chunk().expect("a digest has 32 bytes"))
    }

    /// Checks that `note` is a head, signed with this key, of the first of these lines. Returns the number of
    /// lines that it covers.
    ///
    /// # Errors
    /// The fault, as a clause.
    pub fn check<'l>(&self, note: &str, lines: impl IntoIterator<Item = &'l [u8]>) -> Result<u64, String> {
        let (text, signatures) = note.split_once("\n\n").ok_or("it is not a signed note")?;
        let text = format!("{text}\n");
        let own = signatures.lines().filter_map(|line| line.strip_prefix(SIGNED)?.split_once(' '));
        let mut own = own.filter(|(name, _)| *name == self.name);
        let (_, signature) = own.next().ok_or_else(|| format!("it is not signed by {}", self.name))?;
        let signature = BASE64.decode(signature).map_err(|_| "its signature is not base64")?;
        let (hash, signature) = signature.split_first_chunk().ok_or("its signature is truncated")?;
        let signature = Signature::from_slice(signature).map_err(|_| "its signature has the wrong length")?;
        if u32::from_be_bytes(*hash) != self.hash()
            || self.key.verify_strict(text.as_bytes(), &signature).is_err()
        {
            return Err(format!("its signature is not valid for {self}"));
        }
        let size = text.lines().nth(1).and_then(|size| size.parse::<u64>().ok()).ok_or("it has no size")?;
        let mut tree = Tree::default();
        lines.into_iter().take(size as usize).for_each(|line| tree.push(line));
        if tree.size < size {
            return Err(format!(
                "it covers {size} lines, and the ledger has {}: the ledger was truncated",
                tree.size
            ));
        }
        match text == head(&self.name, &tree) {
            true => Ok(size),
            false => Err(format!("the ledger's first {size} lines are not the signed ones")),
        }
    }

    /// Checks a signature that [`Signer::attest`] made of this text with this key.
    ///
    /// # Errors
    /// The fault, as a clause.
    pub fn attested(&self, kind: &str, text: &str, signature: &str) -> Result<(), String> {
        let bytes = BASE64.decode(signature).map_err(|_| "its signature is not base64")?;
        let signature = Signature::from_slice(&bytes).map_err(|_| "its signature has the wrong length")?;
        let verified = self.key.verify_strict(attested(kind, text).as_bytes(), &signature);
        verified.map_err(|_| format!("its signature is not valid for {self} and this text"))
    }

    /// Whether this key made a signature of 64 bytes over these bytes.
    pub(crate) fn has_signed(&self, bytes: &[u8], signature: &[u8]) -> bool {
        let signature = Signature::from_slice(signature);
        signature.is_ok_and(|signature| self.key.verify_strict(bytes, &signature).is_ok())
    }
}

impl Display for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [&[ED25519][..], self.key.as_bytes()].concat();
        write!(f, "{}+{:08x}+{}", self.name, self.hash(), BASE64.encode(key))
    }
}

/// The text of a head, which is signed.
fn head(origin: &str, tree: &Tree) -> String {
    format!("{origin}\n{}\n{}\n", tree.size, BASE64.encode(tree.root()))
}

/// The text that is signed for a text of a kind.
fn attested(kind: &str, text: &str) -> String {
    format!("{kind}\n{text}")
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c == '+' || c.is_whitespace() || c.is_control())
}

/// Splits the text form of a key into name, hash and 32 bytes.
fn parts(text: &str) -> Result<(&str, u32, [u8; 32]), &'static str> {
    let mut parts = text.splitn(3, '+');
    let (Some(name), Some(hash), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
        return Err("it does not have three parts separated by +");
    };
    if !is_name(name) {
        return Err("it has no name");
    }
    // The hash has one text form: `from_str_radix` would also accept capitals and fewer digits.
    let hash = u32::from_str_radix(hash, 16)
        .ok()
        .filter(|number| hash == format!("{number:08x}"))
        .ok_or("its hash is not eight digits in hexadecimal")?;
    let key = BASE64.decode(key).map_err(|_| "its key is not base64")?;
    match key.split_first() {
        Some((&ED25519, key)) => {
            Ok((name, hash, key.try_into().map_err(|_| "its key does not have 32 bytes")?))
        }
        _ => Err("its key is not an Ed25519 key"),
    }
}

/// The Merkle tree of RFC 6962 over lines, as the roots of its complete subtrees: one for each set bit of its
/// size.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    size: u64,
    /// The roots, that of the largest subtree first.
    roots: Vec<[u8; 32]>,
}

impl Tree {
    /// Adds a line, without its line feed.
    pub fn push(&mut self, line: &[u8]) {
        let mut node: [u8; 32] = Sha256::new().chain_update([0]).chain_update(line).finalize().into();
        for _ in 0..self.size.trailing_ones() {
            let left = self.roots.pop().expect("there is a root for each bit of the size");
            node = join(&left, &node);
        }
        self.roots.push(node);
        self.size += 1;
    }

    /// The root hash.
    pub fn root(&self) -> [u8; 32] {
        let joined = self.roots.iter().rev().copied().reduce(|right, left| join(&left, &right));
        joined.unwrap_or_else(|| Sha256::digest(b"").into())
    }
}

fn join(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

#[cfg(test)]
mod tests;
