//! References and manifests, and the digests that tie them.

use super::*;

const DIGEST: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

fn pinned(name: &str) -> String {
    format!("{name}@sha256:{DIGEST}")
}

fn error(text: &str) -> String {
    RegistryReference::parse(text).expect_err("it is not accepted").to_string()
}

#[test]
fn a_pinned_reference_is_read_and_written_alike() {
    for name in
        ["oci://localhost:5000/model", "oci://ghcr.io/team/rooms.v2/booked_room", "oci://10.0.0.7/a__b/c--d"]
    {
        let text = pinned(name);
        let reference = RegistryReference::parse(&text).expect("it is sound");
        assert_eq!(reference.to_string(), text);
        assert_eq!(reference.component_path(), PathBuf::from(format!("plugins/sha256-{DIGEST}.wasm")));
        assert_eq!(reference.manifest_path(), PathBuf::from(format!("plugins/sha256-{DIGEST}.json")));
    }
}

#[test]
fn a_reference_without_a_digest_says_how_to_find_it() {
    insta::assert_snapshot!(error("oci://ghcr.io/team/model:1.2"), @r#""oci://ghcr.io/team/model:1.2" has no digest, and a tag can be moved to another component; write oci://HOST/REPOSITORY@sha256:DIGEST, which `understudy plugin pull oci://ghcr.io/team/model:1.2` prints"#);
    assert!(error("oci://ghcr.io/team/model").contains("has no digest"));
    let target = RegistryTarget::parse("oci://ghcr.io/team/model").expect("it is sound");
    assert!(matches!(target, RegistryTarget::Tag(_, tag) if tag == "latest"), "the tag that others assume");
}

#[test]
fn a_name_that_no_registry_has_is_not_accepted() {
    let long = "a".repeat(252);
    let names = [
        "model",
        "oci://",
        "oci://host",
        "oci:///model",
        "oci://host/",
        "oci://host/Team",
        "oci://host/a//b",
        "oci://host/../b",
        "oci://host/a/.",
        "oci://host/-a",
        "oci://host/a___b",
        "oci://ho st/a",
        "oci://host:0/a",
        "oci://host:99999/a",
        "oci://user@host/a",
        "oci://host/a?b",
        "https://host/a",
        "oci://host/a%2fb",
        &format!("oci://host/{long}"),
    ];
    for name in names {
        let text = pinned(name);
        assert!(matches!(RegistryReference::parse(&text), Err(RegistryReferenceError::Form(_))), "{text}");
    }
    for digest in ["", "sha256:", "sha256:abc", "sha512:abc", &format!("sha256:{}", DIGEST.to_uppercase())] {
        let text = format!("oci://host/a@{digest}");
        assert!(matches!(RegistryReference::parse(&text), Err(RegistryReferenceError::Form(_))), "{text}");
    }
    for tag in ["", "-a", ".a", "a b", "a/b", &"a".repeat(129)] {
        let text = format!("oci://host/a:{tag}");
        assert!(matches!(RegistryTarget::parse(&text), Err(RegistryReferenceError::Form(_))), "{text}");
    }
}

#[test]
fn only_this_machine_is_spoken_to_without_tls() {
    for (host, expected) in [
        ("localhost", true),
        ("localhost:5000", true),
        ("127.0.0.1:5000", true),
        ("127.1.2.3", true),
        ("localhost.example.org", false),
        ("127.0.0.1.example.org", false),
        ("10.0.0.7:5000", false),
    ] {
        let reference = RegistryReference::parse(&pinned(&format!("oci://{host}/a"))).expect("it is sound");
        assert_eq!(reference.repository.is_loopback(), expected, "{host}");
    }
}

fn manifest(layers: &str) -> String {
    format!(
        r#"{{"schemaVersion": 2, "config": {{"mediaType": "application/vnd.wasm.config.v0+json"}}, "layers": [{layers}]}}"#
    )
}

fn layer(media_type: &str, digest: &str) -> String {
    format!(r#"{{"mediaType": "{media_type}", "digest": "{digest}", "size": 4}}"#)
}

#[test]
fn a_component_is_the_one_that_the_reference_pins_or_an_error() {
    let component = b"test";
    let text = manifest(&layer(COMPONENT_MEDIA_TYPE, &format!("sha256:{DIGEST}")));
    let digest = hexadecimal(&Sha256::digest(&text));
    let reference = RegistryReference::parse(&format!("oci://host/a@sha256:{digest}")).expect("it is sound");

    let read = ComponentManifest::pinned(&reference, text.as_bytes()).expect("it is sound");
    assert_eq!(read, ComponentManifest { digest: DIGEST.to_owned(), size: 4 });
    assert_eq!(read.check(component), Ok(()));

    let other = read.check(b"Test").expect_err("it is another component");
    insta::assert_snapshot!(other, @"the SHA-256 of the component is 532eaabd9574880dbf76b9b8cc00832c20a6ec113d682299550d7a6e0f345e25, and the manifest says 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08");
    let changed = ComponentManifest::pinned(&reference, text.replace('4', "5").as_bytes());
    assert!(matches!(changed, Err(RegistryContentError::ManifestDigest { .. })), "{changed:?}");
}

#[test]
fn a_manifest_that_is_not_of_one_component_is_an_error() {
    let fault =
        |text: &str| ComponentManifest::read(text.as_bytes()).expect_err("it is no plugin").to_string();
    let wasm = layer(COMPONENT_MEDIA_TYPE, &format!("sha256:{DIGEST}"));
    insta::assert_snapshot!(fault(&manifest("")), @"the manifest has layers of the types []; a plugin is one layer of the type application/wasm");
    insta::assert_snapshot!(fault(&manifest(&format!("{wasm}, {wasm}"))), @"the manifest has layers of the types [application/wasm, application/wasm]; a plugin is one layer of the type application/wasm");
    insta::assert_snapshot!(fault(&manifest(&layer("application/vnd.oci.image.layer.v1.tar+gzip", "sha256:00"))), @"the manifest has layers of the types [application/vnd.oci.image.layer.v1.tar+gzip]; a plugin is one layer of the type application/wasm");
    insta::assert_snapshot!(fault(&manifest(&layer(COMPONENT_MEDIA_TYPE, "sha512:00"))), @r#"the layer of the manifest has the digest "sha512:00"; only sha256 is supported"#);
    insta::assert_snapshot!(fault("{}"), @"the manifest is not an OCI manifest: missing field `layers` at line 1 column 2");
    insta::assert_snapshot!(fault("<html>"), @"the manifest is not an OCI manifest: expected value at line 1 column 1");
}
