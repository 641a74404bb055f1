//! The token file: creates tokens, stores their digests, and looks tokens up.
//!
//! Invariants:
//! - No file and no message contains a token.
//! - The time of a lookup does not depend on the token.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Context as _, anyhow, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use subtle::{ConditionallySelectable as _, ConstantTimeEq as _};

use crate::auth::roles::{Principal, Role};
use understudy_run_log::{read_text_file, write_private_file};
use understudy_study::{hexadecimal, read_advice};

/// Prefix of every token, by which secret scanners recognise it.
const PREFIX: &str = "understudy_";
/// Number of random bytes in a token.
const RANDOM_BYTES: usize = 32;
/// Maximum length of a token's name in bytes.
const MAX_NAME_BYTES: usize = 64;

/// The digests of all valid tokens, with their principals.
pub struct TokenStore(Vec<StoredToken>);

struct StoredToken {
    digest: [u8; 32],
    principal: Principal,
}

/// The content of `tokens.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenFile {
    #[serde(default)]
    tokens: Vec<TokenEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenEntry {
    name: String,
    roles: Vec<Role>,
    sha256: String,
}

impl TokenStore {
    /// Reads a file that `understudy token` wrote.
    ///
    /// # Errors
    /// If the file cannot be read, is malformed, or is writable by everybody.
    pub fn read(path: &Path) -> anyhow::Result<TokenStore> {
        let shown = path.display();
        let text = read_text_file(path).map_err(|error| {
            let advice = read_advice(&error, "create a token file with `understudy token`");
            anyhow!("cannot read {shown}: {error}; {advice}")
        })?;
        let about = fs::metadata(path).with_context(|| format!("cannot read {shown}"))?;
        ensure!(
            about.permissions().mode() & 0o002 == 0,
            "{shown} is writable by everybody, so anybody could grant themselves any role; run `chmod o-w {shown}`"
        );
        TokenStore::parse(&text).with_context(|| format!("{shown} is not a valid token file"))
    }

    fn parse(text: &str) -> anyhow::Result<TokenStore> {
        let file: TokenFile = toml::from_str(text)?;
        let mut names = BTreeSet::new();
        let mut tokens = Vec::new();
        for TokenEntry { name, roles, sha256 } in file.tokens {
            check_name(&name)?;
            ensure!(!roles.is_empty(), "token `{name}` has no role");
            let digest = parse_digest(&sha256)
                .ok_or_else(|| anyhow!("sha256 of token `{name}` is not 64 hexadecimal digits"))?;
            ensure!(names.insert(name.clone()), "token `{name}` occurs twice");
            tokens.push(StoredToken { digest, principal: Principal { name, roles } });
        }
        Ok(TokenStore(tokens))
    }

    /// Number of tokens.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no token.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The principal of a token. All digests are compared completely and in constant time, so that the
    /// duration does not reveal how close a guess was.
    pub fn lookup(&self, token: &[u8]) -> Option<&Principal> {
        let digest: [u8; 32] = Sha256::digest(token).into();
        let mut index = u64::MAX;
        for (at, stored) in self.0.iter().enumerate() {
            index.conditional_assign(&(at as u64), stored.digest.ct_eq(&digest));
        }
        self.0.get(usize::try_from(index).ok()?).map(|stored| &stored.principal)
    }
}

impl fmt::Debug for TokenStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|stored| &stored.principal)).finish()
    }
}

/// Creates a token and adds its digest to a token file. The returned token is stored nowhere.
///
/// A plain SHA-256 is sufficient: a token has 256 random bits, so that no dictionary helps. A slow or salted
/// digest would only let the sender of wrong tokens consume more of the server's time.
///
/// # Errors
/// If the name is invalid or taken, or the file cannot be read or written.
pub fn create_token(path: &Path, name: &str, roles: &[Role]) -> anyhow::Result<String> {
    check_name(name)?;
    let shown = path.display();
    let before = match read_text_file(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).with_context(|| format!("cannot read {shown}")),
    };
    let existing = TokenStore::parse(&before)
        .map_err(|error| anyhow!("{shown} is not a valid token file: {error:#}; name another file"))?;
    if existing.0.iter().any(|stored| stored.principal.name == name) {
        bail!("token `{name}` already exists in {shown}; remove it first, or choose another name");
    }
    let mut random = [0; RANDOM_BYTES];
    getrandom::fill(&mut random).map_err(|error| anyhow!("cannot read OS randomness: {error}"))?;
    let token = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random));
    let listed: Vec<&str> =
        Role::ALL.iter().filter(|role| roles.contains(role)).map(|role| role.name()).collect();
    let mut text = before;
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    let gap = if text.is_empty() { "" } else { "\n" };
    let digest = hexadecimal(&Sha256::digest(token.as_bytes()));
    text.push_str(&format!("{gap}[[tokens]]\nname = {name:?}\nroles = {listed:?}\nsha256 = {digest:?}\n"));
    write_private_file(path, text.as_bytes())?;
    Ok(token)
}

fn check_name(name: &str) -> anyhow::Result<()> {
    let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    ensure!(
        (1..=MAX_NAME_BYTES).contains(&name.len()) && name.chars().all(is_allowed),
        "invalid token name {name:?}; use 1 to {MAX_NAME_BYTES} letters, digits, `-`, `_` and `.`"
    );
    Ok(())
}

/// The digest in 64 hexadecimal digits.
fn parse_digest(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let mut digest = [0; 32];
    for (byte, pair) in digest.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_created_tokens_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.toml");
        let feed = create_token(&path, "gate", &[Role::Feed]).unwrap();
        let both = create_token(&path, "desk", &[Role::Audit, Role::Operate]).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains(&feed) && !text.contains(&both));
        let tokens = TokenStore::read(&path).unwrap();
        assert_eq!(tokens.len(), 2);
        assert_eq!(tokens.lookup(feed.as_bytes()).unwrap().name, "gate");
        let desk = tokens.lookup(both.as_bytes()).unwrap();
        assert_eq!((desk.name.as_str(), &desk.roles[..]), ("desk", &[Role::Operate, Role::Audit][..]));
        for wrong in [&feed[..feed.len() - 1], "", PREFIX] {
            assert_eq!(tokens.lookup(wrong.as_bytes()), None);
        }
        let error = create_token(&path, "gate", &[Role::Read]).unwrap_err().to_string();
        assert!(error.starts_with("token `gate` already exists in "), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }

    #[test]
    fn a_malformed_token_file_is_an_error() {
        let digest = "0".repeat(64);
        let one = |name: &str, roles: &str, sha256: &str| {
            format!("[[tokens]]\nname = \"{name}\"\nroles = {roles}\nsha256 = \"{sha256}\"\n")
        };
        let good = one("a", "[\"feed\"]", &digest);
        assert!(TokenStore::parse(&good).is_ok());
        let wrong = [
            (good.clone() + &good, "`a` occurs twice"),
            (one("a", "[]", &digest), "`a` has no role"),
            (one("a", "[\"root\"]", &digest), "unknown variant `root`"),
            (one("a b", "[\"feed\"]", &digest), "invalid token name"),
            (one("a", "[\"feed\"]", &digest[1..]), "64 hexadecimal digits"),
            (format!("{good}token = \"x\"\n"), "unknown field `token`"),
        ];
        for (text, expected) in wrong {
            let error = format!("{:#}", TokenStore::parse(&text).unwrap_err());
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn a_token_file_writable_by_everybody_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.toml");
        create_token(&path, "gate", &[Role::Feed]).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        let error = TokenStore::read(&path).unwrap_err().to_string();
        assert!(error.contains("is writable by everybody"), "{error}");
    }
}
