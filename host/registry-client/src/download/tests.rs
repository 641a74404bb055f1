//! Downloads from a registry in memory.

use super::*;

use sha2::{Digest as _, Sha256};
use understudy_study::hexadecimal;

/// A registry with one component, which counts the requests.
struct OneComponent {
    manifest: String,
    component: Vec<u8>,
    requests: Vec<String>,
}

impl OneComponent {
    fn new(component: &[u8]) -> OneComponent {
        let digest = hexadecimal(&Sha256::digest(component));
        let size = component.len();
        let manifest = format!(
            r#"{{"schemaVersion": 2, "layers": [{{"mediaType": "application/wasm", "digest": "sha256:{digest}", "size": {size}}}]}}"#
        );
        OneComponent { manifest, component: component.to_vec(), requests: Vec::new() }
    }

    fn digest(&self) -> String {
        hexadecimal(&Sha256::digest(&self.manifest))
    }
}

impl Registry for OneComponent {
    fn manifest(&mut self, name: &str) -> Result<Vec<u8>, ClientError> {
        self.requests.push(format!("manifest {name}"));
        Ok(self.manifest.clone().into_bytes())
    }

    fn blob(&mut self, digest: &str, size: u64) -> Result<Vec<u8>, ClientError> {
        self.requests.push(format!("blob {digest} of {size}"));
        Ok(self.component.clone())
    }
}

fn pinned(registry: &OneComponent) -> RegistryTarget {
    RegistryTarget::parse(&format!("oci://host/a@sha256:{}", registry.digest())).expect("a reference")
}

fn files(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder.join("plugins")) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_component_is_downloaded_once_and_again_after_a_change() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut registry = OneComponent::new(b"component");
    let target = pinned(&registry);
    let first = download(&mut registry, &target, folder.path()).expect("it is downloaded");
    assert!(first.is_new);
    assert_eq!(first.bytes, 9);
    let digest = registry.digest();
    assert_eq!(files(folder.path()), [format!("sha256-{digest}.json"), format!("sha256-{digest}.wasm")]);
    assert_eq!(
        fs::read(folder.path().join(first.reference.component_path())).expect("it is there"),
        b"component"
    );

    assert!(!download(&mut registry, &target, folder.path()).expect("it is there").is_new);
    assert_eq!(registry.requests.len(), 2, "nothing is asked for again: {:?}", registry.requests);

    fs::write(folder.path().join(first.reference.component_path()), b"changed").expect("it is changed");
    assert!(download(&mut registry, &target, folder.path()).expect("it is downloaded").is_new);
    assert_eq!(
        fs::read(folder.path().join(first.reference.component_path())).expect("it is there"),
        b"component"
    );
}

#[test]
fn a_tag_gives_the_reference_that_pins_its_component() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut registry = OneComponent::new(b"component");
    let target = RegistryTarget::parse("oci://host/a:1").expect("a reference");
    let download = download(&mut registry, &target, folder.path()).expect("it is downloaded");
    assert_eq!(download.reference.to_string(), format!("oci://host/a@sha256:{}", registry.digest()));
    assert_eq!(registry.requests[0], "manifest 1");
}

#[test]
fn nothing_is_written_unless_it_is_what_the_reference_pins() {
    let folder = tempfile::tempdir().expect("a folder");
    let fault = |mut registry: OneComponent, target: &RegistryTarget| {
        let error = download(&mut registry, target, folder.path()).err().expect("it is refused").to_string();
        assert_eq!(files(folder.path()), [""; 0]);
        error
    };
    let sound = OneComponent::new(b"component");
    let target = pinned(&sound);

    let mut other = OneComponent::new(b"component");
    other.component = b"components".to_vec();
    assert!(fault(other, &target).starts_with("the SHA-256 of the component is "));
    let error = fault(OneComponent::new(b"another"), &target);
    assert!(error.starts_with("the SHA-256 of the manifest is "), "{error}");

    let mut large = OneComponent::new(b"component");
    large.manifest = large.manifest.replace("\"size\": 9", "\"size\": 536870913");
    let target = pinned(&large);
    insta::assert_snapshot!(fault(large, &target), @"the component has 536870913 bytes; the largest allowed has 536870912");
}
