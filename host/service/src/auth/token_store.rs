//! Tokens: made, kept as digests in a file, and recognised.
//!
//! Always holds: no file and no message has a token; how long it takes to recognise one does not depend on what it is.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use anyhow::{Context as _, anyhow, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use subtle::{ConditionallySelectable as _, ConstantTimeEq as _};

use crate::auth::roles::{Role, Who};

/// What every token begins with, so that who looks for lost secrets finds it.
const PREFIX: &str = "understudy_";
/// The random bytes of a token.
const RANDOM: usize = 32;
/// The longest name.
const NAME: usize = 64;

/// Those who may do something.
pub struct Tokens(Vec<Entry>);

struct Entry {
    digest: [u8; 32],
    who: Who,
}

/// `tokens.toml` as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    tokens: Vec<Written>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    roles: Vec<Role>,
    sha256: String,
}

impl Tokens {
    /// Reads a file that `understudy token` wrote.
    ///
    /// # Errors
    /// When it cannot be read, is not such a file, or can be written by everybody.
    pub fn read(path: &Path) -> anyhow::Result<Tokens> {
        let shown = path.display();
        let text = fs::read_to_string(path)
            .with_context(|| format!("cannot read {shown}; `understudy token` makes such a file"))?;
        let about = fs::metadata(path).with_context(|| format!("cannot read {shown}"))?;
        ensure!(
            about.permissions().mode() & 0o002 == 0,
            "everybody may write {shown}, and so give themselves any role; say `chmod o-w {shown}`"
        );
        Tokens::parse(&text).with_context(|| format!("{shown} is not as `understudy token` writes it"))
    }

    fn parse(text: &str) -> anyhow::Result<Tokens> {
        let file: File = toml::from_str(text)?;
        let mut names = BTreeSet::new();
        let mut entries = Vec::new();
        for Written { name, roles, sha256 } in file.tokens {
            named(&name)?;
            ensure!(!roles.is_empty(), "`{name}` has no role");
            let digest = digest_of(&sha256)
                .ok_or_else(|| anyhow!("the sha256 of `{name}` is not 64 hexadecimal digits"))?;
            ensure!(names.insert(name.clone()), "`{name}` is there twice");
            entries.push(Entry { digest, who: Who { name, roles } });
        }
        Ok(Tokens(entries))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whose token it is. All entries are compared, each in constant time and to its end, so that the time that it takes tells
    /// nothing of how near a guess was.
    pub fn whose(&self, token: &[u8]) -> Option<&Who> {
        let digest: [u8; 32] = Sha256::digest(token).into();
        let mut found = u64::MAX;
        for (at, entry) in self.0.iter().enumerate() {
            found.conditional_assign(&(at as u64), entry.digest.ct_eq(&digest));
        }
        self.0.get(usize::try_from(found).ok()?).map(|entry| &entry.who)
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|entry| &entry.who)).finish()
    }
}

/// Makes a token, writes its digest into the file beside those that are there, and gives the token, which is nowhere else.
///
/// A plain SHA-256 is enough: a token has 256 random bits, so there are no likely ones to try, and a slow or salted digest
/// would only let whoever sends wrong tokens take more of the server's time.
///
/// # Errors
/// When the name is there already or is none, or the file cannot be read or written.
pub fn make(path: &Path, name: &str, roles: &[Role]) -> anyhow::Result<String> {
    named(name)?;
    let shown = path.display();
    let before = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).with_context(|| format!("cannot read {shown}")),
    };
    let known = Tokens::parse(&before)
        .with_context(|| format!("{shown} is not as `understudy token` writes it; name another file"))?;
    if known.0.iter().any(|entry| entry.who.name == name) {
        bail!("`{name}` is in {shown} already; take it out first, or choose another name");
    }
    let mut random = [0; RANDOM];
    getrandom::fill(&mut random).map_err(|error| anyhow!("no random numbers: {error}"))?;
    let token = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random));
    let mut listed: Vec<&str> = Vec::new();
    for role in Role::ALL {
        if roles.contains(&role) {
            listed.push(role.name());
        }
    }
    let mut text = before;
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    let gap = if text.is_empty() { "" } else { "\n" };
    let digest = hexadecimal(&Sha256::digest(token.as_bytes()));
    text.push_str(&format!("{gap}[[tokens]]\nname = {name:?}\nroles = {listed:?}\nsha256 = {digest:?}\n"));
    replace(path, &text).with_context(|| format!("cannot write {shown}"))?;
    Ok(token)
}

/// Writes a file aside, for its owner alone, and gives it the name.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".tmp");
    // One that is there was left by a process that was killed.
    let _ = fs::remove_file(&aside);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&aside, path)
}

fn named(name: &str) -> anyhow::Result<()> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    ensure!(
        (1..=NAME).contains(&name.len()) && name.chars().all(fits),
        "{name:?} is no name: 1 to {NAME} letters, digits, `-`, `_` and `.`"
    );
    Ok(())
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn digest_of(text: &str) -> Option<[u8; 32]> {
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
    fn a_token_that_was_made_is_recognised_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.toml");
        let feed = make(&path, "gate", &[Role::Feed]).unwrap();
        let both = make(&path, "desk", &[Role::Audit, Role::Operate]).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains(&feed) && !text.contains(&both));
        let tokens = Tokens::read(&path).unwrap();
        assert_eq!(tokens.len(), 2);
        assert_eq!(tokens.whose(feed.as_bytes()).unwrap().name, "gate");
        let desk = tokens.whose(both.as_bytes()).unwrap();
        assert_eq!((desk.name.as_str(), &desk.roles[..]), ("desk", &[Role::Operate, Role::Audit][..]));
        for wrong in [&feed[..feed.len() - 1], "", PREFIX] {
            assert_eq!(tokens.whose(wrong.as_bytes()), None);
        }
        let said = make(&path, "gate", &[Role::Read]).unwrap_err().to_string();
        assert!(said.starts_with("`gate` is in ") && said.contains("already"), "{said}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }

    #[test]
    fn a_file_that_is_not_sound_is_refused() {
        let digest = "0".repeat(64);
        let one = |name: &str, roles: &str, sha256: &str| {
            format!("[[tokens]]\nname = \"{name}\"\nroles = {roles}\nsha256 = \"{sha256}\"\n")
        };
        let good = one("a", "[\"feed\"]", &digest);
        assert!(Tokens::parse(&good).is_ok());
        let wrong = [
            (good.clone() + &good, "`a` is there twice"),
            (one("a", "[]", &digest), "`a` has no role"),
            (one("a", "[\"root\"]", &digest), "unknown variant `root`"),
            (one("a b", "[\"feed\"]", &digest), "is no name"),
            (one("a", "[\"feed\"]", &digest[1..]), "64 hexadecimal digits"),
            (format!("{good}token = \"x\"\n"), "unknown field `token`"),
        ];
        for (text, expected) in wrong {
            let said = format!("{:#}", Tokens::parse(&text).unwrap_err());
            assert!(said.contains(expected), "{said}");
        }
    }

    #[test]
    fn a_file_that_everybody_may_write_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.toml");
        make(&path, "gate", &[Role::Feed]).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        let said = Tokens::read(&path).unwrap_err().to_string();
        assert!(said.starts_with("everybody may write"), "{said}");
    }
}
