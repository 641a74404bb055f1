//! References to components in OCI registries, and the manifests that such references pin.
//!
//! The manifest has the layout of the CNCF's Wasm working group (tag-runtime.cncf.io, "Wasm OCI Artifact layout"): one layer of
//! media type `application/wasm`, which is the component.

use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::hexadecimal::hexadecimal;

/// What a reference begins with.
pub(super) const SCHEME: &str = "oci://";

/// The media type of the layer that is a component.
const COMPONENT_MEDIA_TYPE: &str = "application/wasm";

/// The folder beside `study.toml` into which components are pulled.
const FOLDER: &str = "plugins";

/// The longest name of a registry and a repository together, in bytes. Source: OCI Distribution Specification 1.1, "Pulling manifests".
const MAX_NAME: usize = 255;

/// The longest tag, in bytes. Source: the same.
const MAX_TAG: usize = 128;

/// A component in an OCI registry, pinned by the digest of its manifest: `oci://HOST/REPOSITORY@sha256:DIGEST`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryReference {
    /// Where the component is.
    pub repository: RegistryRepository,
    /// SHA-256 of the manifest, in lower-case hexadecimal.
    pub digest: String,
}

/// A repository in an OCI registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryRepository {
    /// The host, with a port if there is one.
    pub host: String,
    /// The name of the repository in the registry, such as `team/model`.
    pub name: String,
}

/// A reference as a person may write it: pinned, or by a tag that can be moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegistryTarget {
    /// Pinned by a digest.
    Digest(RegistryReference),
    /// The repository and the tag.
    Tag(RegistryRepository, String),
}

/// Why a reference to a registry is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistryReferenceError {
    /// The text has another form.
    #[error("\"{0}\" is not a reference to a registry; write oci://HOST/REPOSITORY@sha256:DIGEST")]
    Form(String),
    /// The text names a tag or nothing after the repository.
    #[error(
        "\"{0}\" has no digest, and a tag can be moved to another component; write oci://HOST/REPOSITORY@sha256:DIGEST, which \
         `understudy plugin pull {0}` prints"
    )]
    NoDigest(String),
}

impl fmt::Display for RegistryTarget {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RegistryTarget::Digest(reference) => reference.fmt(formatter),
            RegistryTarget::Tag(repository, tag) => write!(formatter, "{repository}:{tag}"),
        }
    }
}

impl RegistryTarget {
    /// Where the component is.
    pub fn repository(&self) -> &RegistryRepository {
        match self {
            RegistryTarget::Digest(reference) => &reference.repository,
            RegistryTarget::Tag(repository, _) => repository,
        }
    }

    /// The name of the manifest at the registry: `sha256:DIGEST`, or the tag.
    pub fn manifest_name(&self) -> String {
        match self {
            RegistryTarget::Digest(reference) => format!("sha256:{}", reference.digest),
            RegistryTarget::Tag(_, tag) => tag.clone(),
        }
    }

    /// The reference that pins the component: the given one, or for a tag that of the manifest at the registry.
    pub fn pinned_by(&self, manifest: &[u8]) -> RegistryReference {
        match self {
            RegistryTarget::Digest(reference) => reference.clone(),
            RegistryTarget::Tag(repository, _) => RegistryReference {
                repository: repository.clone(),
                digest: hexadecimal(&Sha256::digest(manifest)),
            },
        }
    }

    /// Parses a reference with a digest or a tag. Without either, the tag is `latest`.
    ///
    /// # Errors
    /// If the text has another form.
    pub fn parse(text: &str) -> Result<RegistryTarget, RegistryReferenceError> {
        Self::parsed(text).ok_or_else(|| RegistryReferenceError::Form(text.to_owned()))
    }

    fn parsed(text: &str) -> Option<RegistryTarget> {
        let (host, rest) = text.strip_prefix(SCHEME)?.split_once('/')?;
        if let Some((name, digest)) = rest.split_once('@') {
            let digest = digest.strip_prefix("sha256:")?;
            let is_hexadecimal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
            let is_digest = digest.len() == 64 && digest.bytes().all(is_hexadecimal);
            let repository = RegistryRepository::new(host, name)?;
            return is_digest.then(|| {
                RegistryTarget::Digest(RegistryReference { repository, digest: digest.to_owned() })
            });
        }
        let (name, tag) = rest.split_once(':').unwrap_or((rest, "latest"));
        let starts = tag.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let is_tag = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        let is_sound = starts && tag.len() <= MAX_TAG && tag.bytes().all(is_tag);
        let repository = RegistryRepository::new(host, name)?;
        is_sound.then(|| RegistryTarget::Tag(repository, tag.to_owned()))
    }
}

impl RegistryRepository {
    /// A repository by host and name; `None` if one of them has another form than registries accept.
    pub fn new(host: &str, name: &str) -> Option<RegistryRepository> {
        let (domain, port) =
            host.rsplit_once(':').map_or((host, None), |(domain, port)| (domain, Some(port)));
        let is_domain = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
        let is_host = !domain.is_empty()
            && domain.bytes().all(is_domain)
            && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
        let is_sound =
            is_host && host.len() + name.len() < MAX_NAME && name.split('/').all(is_path_component);
        is_sound.then(|| RegistryRepository { host: host.to_owned(), name: name.to_owned() })
    }

    /// Whether the host is this machine, whose registries are spoken to without TLS, as by other clients of OCI registries.
    pub fn is_loopback(&self) -> bool {
        let domain = self.host.rsplit_once(':').map_or(&self.host[..], |(domain, _)| domain);
        let is_loopback_address =
            domain.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback());
        domain == "localhost" || is_loopback_address
    }
}

/// Whether a part of a repository's name is lower-case letters and digits, separated by `.`, `_`, `__` or hyphens.
fn is_path_component(part: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends_in_words =
        part.bytes().next().is_some_and(is_word) && part.bytes().next_back().is_some_and(is_word);
    let separators = part.split(|letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit());
    let is_separator = |text: &str| {
        matches!(text, "" | "." | "_" | "__") || (!text.is_empty() && text.bytes().all(|byte| byte == b'-'))
    };
    ends_in_words && separators.into_iter().all(is_separator)
}

impl RegistryReference {
    /// Parses a reference that is pinned by a digest.
    ///
    /// # Errors
    /// If the text has another form, or no digest.
    pub fn parse(text: &str) -> Result<RegistryReference, RegistryReferenceError> {
        match RegistryTarget::parse(text)? {
            RegistryTarget::Digest(reference) => Ok(reference),
            RegistryTarget::Tag(..) => Err(RegistryReferenceError::NoDigest(text.to_owned())),
        }
    }

    /// The path of the pulled component, relative to the folder of `study.toml`.
    pub fn component_path(&self) -> PathBuf {
        PathBuf::from(FOLDER).join(format!("sha256-{}.wasm", self.digest))
    }

    /// The path of the pulled manifest, relative to the folder of `study.toml`.
    pub fn manifest_path(&self) -> PathBuf {
        PathBuf::from(FOLDER).join(format!("sha256-{}.json", self.digest))
    }
}

impl fmt::Display for RegistryRepository {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{SCHEME}{}/{}", self.host, self.name)
    }
}

impl fmt::Display for RegistryReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}@sha256:{}", self.repository, self.digest)
    }
}

/// What the manifest of a component says about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComponentManifest {
    /// SHA-256 of the component, in lower-case hexadecimal.
    pub digest: String,
    /// Size of the component, in bytes.
    pub size: u64,
}

/// Why a manifest or a component is not the one that a reference pins.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistryContentError {
    /// The digest of the manifest differs.
    #[error("the SHA-256 of the manifest is {found}, and the reference says {expected}")]
    ManifestDigest {
        /// The digest in the reference.
        expected: String,
        /// The digest of the manifest.
        found: String,
    },
    /// The manifest is not JSON of the layout.
    #[error("the manifest is not an OCI manifest: {0}")]
    ManifestForm(String),
    /// The manifest has no layer that is a component, or several.
    #[error("the manifest has layers of the types [{0}]; a plugin is one layer of the type application/wasm")]
    Layers(String),
    /// The layer is not identified by SHA-256.
    #[error("the layer of the manifest has the digest \"{0}\"; only sha256 is supported")]
    LayerDigest(String),
    /// The component differs from what the manifest says.
    #[error("the SHA-256 of the component is {found}, and the manifest says {expected}")]
    ComponentDigest {
        /// The digest in the manifest.
        expected: String,
        /// The digest of the component.
        found: String,
    },
}

#[derive(Deserialize)]
struct ManifestDocument {
    layers: Vec<Layer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Layer {
    media_type: String,
    digest: String,
    size: u64,
}

impl ComponentManifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// If it is not JSON of the layout, or has not exactly one layer that is a component.
    pub fn read(manifest: &[u8]) -> Result<ComponentManifest, RegistryContentError> {
        let document: ManifestDocument = serde_json::from_slice(manifest)
            .map_err(|error| RegistryContentError::ManifestForm(error.to_string()))?;
        let [layer] = &document.layers[..] else { return Err(unexpected_layers(&document.layers)) };
        if layer.media_type != COMPONENT_MEDIA_TYPE {
            return Err(unexpected_layers(&document.layers));
        }
        let digest = layer.digest.strip_prefix("sha256:").filter(|digest| digest.len() == 64);
        let digest = digest.ok_or_else(|| RegistryContentError::LayerDigest(layer.digest.clone()))?;
        Ok(ComponentManifest { digest: digest.to_owned(), size: layer.size })
    }

    /// Reads the manifest that a reference pins.
    ///
    /// # Errors
    /// As [`read`](Self::read), and if the manifest has another digest.
    pub fn pinned(
        reference: &RegistryReference,
        manifest: &[u8],
    ) -> Result<ComponentManifest, RegistryContentError> {
        let (expected, found) = (reference.digest.clone(), hexadecimal(&Sha256::digest(manifest)));
        if found != expected {
            return Err(RegistryContentError::ManifestDigest { expected, found });
        }
        Self::read(manifest)
    }

    /// Checks that a component is the one of the manifest.
    ///
    /// # Errors
    /// If it has another digest.
    pub fn check(&self, component: &[u8]) -> Result<(), RegistryContentError> {
        let (expected, found) = (self.digest.clone(), hexadecimal(&Sha256::digest(component)));
        if found == expected {
            Ok(())
        } else {
            Err(RegistryContentError::ComponentDigest { expected, found })
        }
    }
}

fn unexpected_layers(layers: &[Layer]) -> RegistryContentError {
    let types: Vec<&str> = layers.iter().map(|layer| &layer.media_type[..]).collect();
    RegistryContentError::Layers(types.join(", "))
}

#[cfg(test)]
mod tests;
