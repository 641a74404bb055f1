//! Keys, heads and trees compared with their specifications, and heads checked against changed ledgers.

use std::fs;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

/// The example of Go's `golang.org/x/mod/sumdb/note`: a signing key, its verifier key, a text and its
/// signature.
const GO_SECRET: &str = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const GO_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const GO_NOTE: &str = "If you think cryptography is the answer to your problem,\n\
    then you don't know what your problem is.\n\
    \n\
    \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

fn read(text: &str) -> Result<Signer, NoteError> {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("key");
    fs::write(&path, text).expect("it can be written");
    Signer::read(&path)
}

fn go() -> Signer {
    read(GO_SECRET).expect("a key")
}

/// Lines of a ledger, for a test.
fn lines(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|line| line.to_string().into_bytes()).collect()
}

fn tree(lines: &[Vec<u8>]) -> Tree {
    let mut tree = Tree::default();
    lines.iter().for_each(|line| tree.push(line));
    tree
}

fn check(note: &str, lines: &[Vec<u8>]) -> Result<u64, String> {
    go().verifier().check(note, lines.iter().map(Vec::as_slice))
}

/// The root by the definition of RFC 6962, section 2.1.
fn root(lines: &[Vec<u8>]) -> [u8; 32] {
    match lines {
        [] => Sha256::digest(b"").into(),
        [line] => Sha256::digest([&[0], &line[..]].concat()).into(),
        lines => {
            let (left, right) = lines.split_at(lines.len().next_power_of_two() / 2);
            Sha256::digest([&[1], &root(left)[..], &root(right)].concat()).into()
        }
    }
}

/// The leaves and roots of the tests of google/certificate-transparency, reproduced with this program:
///
/// ```python
/// import hashlib
/// H = lambda b: hashlib.sha256(b).digest()
/// def root(d):
///     if len(d) < 2: return H(b"\0" + d[0]) if d else H(b"")
///     k = 1
///     while 2 * k < len(d): k *= 2
///     return H(b"\1" + root(d[:k]) + root(d[k:]))
/// leaves = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
/// for n in range(9): print(root([bytes.fromhex(leaf) for leaf in leaves[:n]]).hex())
/// print(root([str(n).encode() for n in range(1000)]).hex())
/// ```
#[test]
fn roots_match_certificate_transparency() {
    let leaves: [&[u8]; 8] =
        [b"", b"\0", b"\x10", b"\x20\x21", b"\x30\x31", b"@ABC", b"PQRSTUVW", b"`abcdefghijklmno"];
    let mut tree = Tree::default();
    let mut roots = vec![tree.root()];
    for leaf in leaves {
        tree.push(leaf);
        roots.push(tree.root());
    }
    roots.push(self::tree(&lines(1000)).root());
    let roots: Vec<String> = roots.iter().map(|root| understudy_study::hexadecimal(root)).collect();
    assert_eq!(
        roots,
        [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
            "638afa98022925bacfddadb15ef22fd0199c1ac99c2973b6158243d13fce05c2",
        ]
    );
}

#[test]
fn keys_match_go() {
    let signer = go();
    assert_eq!(signer.secret(), format!("{GO_SECRET}\n"));
    assert_eq!(signer.verifier().to_string(), GO_KEY);
    assert_eq!(Verifier::parse(GO_KEY).expect("a key"), signer.verifier());
    // The example of c2sp.org/signed-note.
    let key = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    assert_eq!(Verifier::parse(key).expect("a key").to_string(), key);
}

#[test]
fn signatures_match_go() {
    let (text, signature) = GO_NOTE.split_once("\n\n").expect("a note");
    let signed = go().key.sign(format!("{text}\n").as_bytes()).to_bytes();
    let signed = [&0xc74f_20a3_u32.to_be_bytes()[..], &signed].concat();
    assert_eq!(signature, format!("\u{2014} PeterNeumann {}\n", BASE64.encode(signed)));
    // The signature is valid, but the text is not the head of a ledger.
    assert_eq!(check(GO_NOTE, &[]), Err("it has no size".to_owned()));
    let changed = check(&GO_NOTE.replace("answer", "cause"), &[]);
    assert_eq!(changed, Err(format!("its signature is not valid for {GO_KEY}")));
}

#[test]
fn a_head_has_a_fixed_text_form() {
    insta::assert_snapshot!(go().sign(&tree(&lines(1000))), @r#"
    PeterNeumann
    1000
    Y4r6mAIpJbrP3a2xXvIv0BmcGsmcKXO2FYJD0T/OBcI=

    — PeterNeumann x08go/lpriAs8DLH/slidEp8H7UuOW4FoG/X/fkFDXXZ5EpN3NCfvEp6iqk5U0LWK0qmSTNF0JqNyGcW7+MTBv9AVQw=
    "#);
}

#[test]
fn a_generated_key_is_read_back() {
    let made = Signer::generate("vienna.example/rooms").expect("a name");
    let read = read(&made.secret()).expect("a key");
    assert_eq!(read.verifier(), made.verifier());
    assert_eq!(Verifier::parse(&made.verifier().to_string()).expect("a key"), made.verifier());
    let lines = lines(3);
    let checked = made.verifier().check(&read.sign(&tree(&lines)), lines.iter().map(Vec::as_slice));
    assert_eq!(checked, Ok(3));
    assert_ne!(Signer::generate("vienna.example/rooms").expect("a name").secret(), made.secret());
}

#[test]
fn a_truncated_or_changed_key_is_rejected() {
    for start in 0..GO_KEY.len() {
        for end in start + 1..=GO_KEY.len() {
            let whole = end - start == GO_KEY.len();
            assert_eq!(Verifier::parse(&GO_KEY[start..end]).is_ok(), whole, "{start}..{end}");
        }
    }
    for (kind, key) in [("verifier", GO_KEY), ("signing", GO_SECRET)] {
        for place in 0..key.len() {
            for bit in 0..7 {
                let mut changed = key.as_bytes().to_vec();
                changed[place] ^= 1 << bit;
                let text = String::from_utf8(changed).expect("ASCII");
                let is_rejected = match kind {
                    "verifier" => Verifier::parse(&text).is_err(),
                    _ => read(&text).is_err(),
                };
                assert!(is_rejected, "{kind} key {text:?}");
            }
        }
    }
}

#[test]
fn a_head_with_a_changed_byte_is_rejected_or_equivalent() {
    let lines = lines(11);
    let head = go().sign(&tree(&lines));
    for (place, byte) in head.bytes().enumerate() {
        for to in (0..=255).filter(|to| *to != byte) {
            let mut changed = head.clone().into_bytes();
            changed[place] = to;
            // Bytes that are not UTF-8 cannot be passed to the check.
            let Ok(changed) = String::from_utf8(changed) else { continue };
            assert!(check(&changed, &lines).is_err(), "byte {place}, {byte:#x} to {to:#x}");
        }
    }
    for length in 0..head.len() {
        let cut = String::from_utf8_lossy(&head.as_bytes()[..length]);
        // A head without its last line feed is equivalent.
        assert_eq!(check(&cut, &lines).is_ok(), length == head.len() - 1, "cut at {length}");
    }
}

proptest! {
    #[test]
    fn roots_are_those_of_the_definition(lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..5), 0..40)) {
        prop_assert_eq!(tree(&lines).root(), root(&lines));
    }

    #[test]
    fn a_head_fits_its_ledger_and_what_was_appended_to_it(signed in 0usize..20, more in 0usize..20) {
        let head = go().sign(&tree(&lines(signed)));
        prop_assert_eq!(check(&head, &lines(signed + more)), Ok(signed as u64));
    }

    #[test]
    fn a_head_fits_no_ledger_whose_lines_are_others(
        signed in 2usize..20,
        more in 0usize..4,
        at: prop::sample::Index,
        change in 0usize..4,
    ) {
        let head = go().sign(&tree(&lines(signed)));
        let mut lines = lines(signed + more);
        let at = at.index(signed - 1);
        match change {
            0 => lines[at].push(b' '),
            1 => lines.swap(at, at + 1),
            2 => lines.insert(at, b"more".to_vec()),
            _ => {
                lines.remove(at);
            }
        }
        prop_assert!(check(&head, &lines).is_err());
        lines.truncate(signed - 1);
        prop_assert!(check(&head, &lines).is_err());
    }
}

#[test]
fn faults_of_heads_are_described() {
    let head = go().sign(&tree(&lines(5)));
    let other = Signer::generate("other").expect("a name").sign(&tree(&lines(5)));
    let signature = head.lines().last().expect("a signature");
    let said = [
        ("as it is", check(&head, &lines(5))),
        ("of a longer ledger", check(&head, &lines(4))),
        ("of another ledger", check(&head, &lines(6)[1..])),
        ("of another key", check(&other, &lines(5))),
        ("not signed", check(head.split_once("\n\n").expect("a note").0, &lines(5))),
        ("its size changed", check(&head.replacen("\n5\n", "\n4\n", 1), &lines(5))),
        ("signature cut", check(&head.replace(signature, &signature[..signature.len() - 4]), &lines(5))),
        ("signature cut short", check(&head.replace(signature, "\u{2014} PeterNeumann xw=="), &lines(5))),
        ("signature no base64", check(&head.replace(signature, "\u{2014} PeterNeumann !"), &lines(5))),
    ];
    let said = said.map(|(what, said)| match said {
        Ok(size) => format!("{what}: the first {size} lines"),
        Err(why) => format!("{what}: {why}"),
    });
    insta::assert_snapshot!(said.join("\n"), @r#"
    as it is: the first 5 lines
    of a longer ledger: it covers 5 lines, and the ledger has 4: the ledger was truncated
    of another ledger: the ledger's first 5 lines are not the signed ones
    of another key: it is not signed by PeterNeumann
    not signed: it is not a signed note
    its size changed: its signature is not valid for PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW
    signature cut: its signature has the wrong length
    signature cut short: its signature is truncated
    signature no base64: its signature is not base64
    "#);
}

#[test]
fn faults_of_keys_are_described() {
    let secret = |text: &str| {
        let folder = TempDir::new().expect("a folder");
        let path = folder.path().join("key");
        if !text.is_empty() {
            fs::write(&path, text).expect("it can be written");
        }
        let error = Signer::read(&path).err().expect("no key").to_string();
        error.replace(&folder.path().display().to_string(), "FOLDER")
    };
    let key = |text: &str| Verifier::parse(text).expect_err("no key").to_string();
    let name = |name: &str| Signer::generate(name).err().expect("no name").to_string();
    let said = [
        secret(""),
        secret(GO_KEY),
        secret(&GO_SECRET[..40]),
        secret(&GO_SECRET.replace("AYEK", "AYEL")),
        secret(&GO_SECRET.replace("Peter", "Petra")),
        key("vienna"),
        key(&GO_KEY.replace("PeterNeumann", "")),
        key(&GO_KEY.replace("c74f20a3", "C74F20A3")),
        key(&GO_KEY.replace("ARpc", "ARp")),
        key(&GO_KEY.replace("ARpc", "AhBc")),
        key(&GO_KEY.replace("2QcUPDhM", "")),
        key(&GO_KEY.replace("c74f20a3", "c74f20a4")),
        key(GO_SECRET),
        name(""),
        name("vienna rooms"),
        name("vienna+rooms"),
    ];
    insta::assert_snapshot!(said.join("\n"), @r#"
    cannot read key FOLDER/key: No such file or directory (os error 2)
    FOLDER/key is not a signing key: it does not begin with PRIVATE+KEY+; create one with `understudy key`
    FOLDER/key is not a signing key: its key is not base64; create one with `understudy key`
    FOLDER/key is not a signing key: its hash does not match, so a character was changed; create one with `understudy key`
    FOLDER/key is not a signing key: its hash does not match, so a character was changed; create one with `understudy key`
    "vienna" is not a verifier key: it does not have three parts separated by +; create one with `understudy key`
    "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW" is not a verifier key: it has no name; create one with `understudy key`
    "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW" is not a verifier key: its hash is not eight digits in hexadecimal; create one with `understudy key`
    "PeterNeumann+c74f20a3+ARp2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW" is not a verifier key: its key is not base64; create one with `understudy key`
    "PeterNeumann+c74f20a3+AhBc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW" is not a verifier key: its key is not an Ed25519 key; create one with `understudy key`
    "PeterNeumann+c74f20a3+ARpcQegwxbzhKqiBfsVkmqq/LDE4izWy10TW" is not a verifier key: its key does not have 32 bytes; create one with `understudy key`
    "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW" is not a verifier key: its hash does not match, so a character was changed; create one with `understudy key`
    a text that begins with PRIVATE+KEY+ is not a verifier key: it is a signing key, which must stay secret; create one with `understudy key`
    "" is not a key name: a name must not be empty or contain a space, a plus or a control character; create one with `understudy key`
    "vienna rooms" is not a key name: a name must not be empty or contain a space, a plus or a control character; create one with `understudy key`
    "vienna+rooms" is not a key name: a name must not be empty or contain a space, a plus or a control character; create one with `understudy key`
    "#);
    // A signing key's own text is never shown.
    assert!(!said.join("\n").contains("AYE"));
}
