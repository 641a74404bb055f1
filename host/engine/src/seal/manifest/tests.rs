//! The seal as a file: what is read as one, who signed it, and what is said of a change.

use tempfile::TempDir;

use super::*;

fn asset(name: &str, content: &str) -> Asset {
    Asset { name: name.to_owned(), sha256: sha256_hex(content.as_bytes()) }
}

fn plugin(role: &str, name: &str) -> SealedPlugin {
    SealedPlugin {
        role: role.to_owned(),
        name: name.to_owned(),
        sha256: sha256_hex(name.as_bytes()),
        config: sha256_hex(b"{}"),
        assets: vec![asset("weights", "1"), asset("names", "2")],
        importer: None,
        grant: Vec::new(),
    }
}

fn seal() -> Seal {
    let declared = CanonicalStudy::from_toml("study = \"rooms\"\nat-least = 0.85\n").unwrap();
    Seal {
        format: FORMAT,
        study: "rooms".to_owned(),
        sealed_at: "2026-03-01T10:00:00Z".parse().unwrap(),
        understudy: "0.1.0".to_owned(),
        declaration: declared.sha256(),
        declared,
        plugins: vec![plugin("model", "rules"), plugin("metric", "agreement")],
        files: Vec::new(),
        replay_of: None,
        register: None,
        signed: None,
    }
}

fn signer() -> Signer {
    // That of Go's `golang.org/x/mod/sumdb/note`.
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("key");
    let secret = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    std::fs::write(&path, secret).unwrap();
    Signer::read(&path).unwrap()
}

#[test]
fn the_file_has_this_form() {
    insta::assert_snapshot!(seal().sign(&signer()).to_json(), @r#"
    {
      "format": 2,
      "study": "rooms",
      "sealed-at": "2026-03-01T10:00:00Z",
      "understudy": "0.1.0",
      "declaration": "edebf199af5d673259b2e1de13366ae1392a2370be47d965af9c4561158f98ce",
      "declared": {"at-least":0.85,"study":"rooms"},
      "plugins": [
        {
          "role": "model",
          "name": "rules",
          "sha256": "6c621d1a05138a7888d37d9269a9da8e2e11e4aced2f6cfd24b05ab1b9e61bb0",
          "config": "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
          "assets": [
            {
              "name": "weights",
              "sha256": "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"
            },
            {
              "name": "names",
              "sha256": "d4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35"
            }
          ]
        },
        {
          "role": "metric",
          "name": "agreement",
          "sha256": "46a81739c6ee7c1d5ed084e7de843a7ed79435cd445513e4dd5c4e5ac395fb4b",
          "config": "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
          "assets": [
            {
              "name": "weights",
              "sha256": "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"
            },
            {
              "name": "names",
              "sha256": "d4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35"
            }
          ]
        }
      ],
      "signed": {
        "key": "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "ed25519": "wCZfhwLAzvFVfQFB/JFG2IstJkC5Jis9ZVeBuUWHlJuXn36kvLirXsBpqzbxndf+yBpPWY6odXzRdFva5mWIDg=="
      }
    }
    "#);
}

#[test]
fn a_parsed_seal_equals_its_file_to_the_byte() {
    let seal = seal().sign(&signer());
    let text = seal.to_json();
    assert_eq!(Seal::parse(text.as_bytes()), Ok(seal));
    let rejection = |old: &str, new: &str| {
        assert!(text.contains(old), "{old}");
        Seal::parse(text.replacen(old, new, 1).as_bytes()).unwrap_err()
    };
    insta::assert_snapshot!(rejection("\n", "\n\n"), @"it does not have the layout that understudy writes");
    insta::assert_snapshot!(rejection("0.85", "0.84"), @"its declaration does not match its digest");
    insta::assert_snapshot!(rejection("\"format\": 2", "\"format\": 1"), @"its format is 1, and this version of understudy reads 2");
    insta::assert_snapshot!(rejection("\"study\"", "\"studie\""), @"unknown field `studie`, expected one of `format`, `study`, `sealed-at`, `understudy`, `declaration`, `declared`, `plugins`, `files`, `replay-of`, `register`, `signed` at line 3 column 10");
    insta::assert_snapshot!(rejection("{", "["), @r#"invalid type: string "format", expected u32 at line 2 column 10"#);
}

#[test]
fn a_signature_covers_the_whole_seal() {
    assert_eq!(seal().signer(), Ok(None));
    let signed = seal().sign(&signer());
    assert_eq!(signed.signer(), Ok(Some(signer().verifier())));
    let other = Signer::generate("other").unwrap().verifier().to_string();
    let Signature { key, ed25519 } = signed.signed.clone().unwrap();
    let with = |key: &str, ed25519: &str| {
        let signature = Signature { key: key.to_owned(), ed25519: ed25519.to_owned() };
        Seal { signed: Some(signature), ..signed.clone() }
    };
    let changed = [
        Seal { study: "room".to_owned(), ..signed.clone() },
        Seal { sealed_at: "2026-03-01T10:00:01Z".parse().unwrap(), ..signed.clone() },
        Seal { plugins: signed.plugins[..1].to_vec(), ..signed.clone() },
        Seal { understudy: "0.1.1".to_owned(), ..signed.clone() },
        Seal { replay_of: Some(sha256_hex(b"")), ..signed.clone() },
        with(&other, &ed25519),
    ];
    for seal in &changed {
        let what = seal.signer().unwrap_err();
        assert!(what.starts_with("its signature is not valid for "), "{what}");
    }
    insta::assert_snapshot!(changed[0].signer().unwrap_err(), @"its signature is not valid for PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW and this text");
    insta::assert_snapshot!(with("nobody", &ed25519).signer().unwrap_err(), @r#""nobody" is not a verifier key: it does not have three parts separated by +; create one with `understudy key`"#);
    insta::assert_snapshot!(with(&key, "?").signer().unwrap_err(), @"its signature is not base64");
    insta::assert_snapshot!(with(&key, "AAAA").signer().unwrap_err(), @"its signature has the wrong length");
}

#[test]
fn a_signature_over_one_kind_of_text_is_invalid_for_another() {
    let signature = signer().attest("understudy seal", "text");
    assert_eq!(signer().verifier().attested("understudy seal", "text", &signature), Ok(()));
    assert!(signer().verifier().attested("understudy", "text", &signature).is_err());
    assert!(signer().verifier().attested("understudy seal", "text\n", &signature).is_err());
}

#[test]
fn changes_are_listed() {
    let sealed = seal();
    let told = |change: &dyn Fn(&mut Seal)| {
        let mut now = seal();
        change(&mut now);
        sealed.changes(&now).join("\n")
    };
    assert_eq!(told(&|now| now.sealed_at = Timestamp::now()), "");
    assert_eq!(told(&|now| now.understudy = "9.9.9".to_owned()), "");
    assert_eq!(told(&|now| *now = now.clone().sign(&signer())), "");
    assert_eq!(told(&|now| now.plugins[0].grant = vec!["price".to_owned()]), "", "that is of a what-if");
    insta::assert_snapshot!(told(&|now| {
        now.declared = CanonicalStudy::from_toml("study = \"rooms\"\nat-least = 0.84\n").unwrap();
        now.plugins[0].sha256 = sha256_hex(b"another");
        now.plugins[0].assets[1] = asset("names", "3");
        now.plugins[1].assets[0] = asset("weights", "4");
    }), @r#"
    `at-least` was 0.85 and is 0.84
    the component of model "rules" was 6c621d1a0513... and is ae448ac86c4e...
    the asset `names` of model "rules" was d4735e3a265e... and is 4e07408562be...
    the asset `weights` of metric "agreement" was 6b86b273ff34... and is 4b227777d4dd...
    "#);
    for forged in [
        &|now: &mut Seal| now.plugins[1].config = sha256_hex(b"{ }"),
        &|now: &mut Seal| now.plugins[1].name = "another".to_owned(),
        &|now: &mut Seal| now.study = "another".to_owned(),
        &|now: &mut Seal| drop(now.plugins.pop()),
    ] as [&dyn Fn(&mut Seal); 4]
    {
        insta::allow_duplicates! { insta::assert_snapshot!(told(forged), @"the seal itself: its plugins contradict its declaration"); }
    }
}
