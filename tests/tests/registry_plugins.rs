//! Plugins of an OCI registry: pulled by a program of their own, pinned by a digest, stored by the run like all others.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;
use understudy_sandbox::sha256_hex;
use understudy_tests::external_programs::Requirement;
use understudy_tests::http::Client;
use understudy_tests::process::wait_until;
use understudy_tests::{CommandOutput, TestWorkspace, overall, plugin, six_labels};

/// The password `secret`: Python's `bcrypt.hashpw(b"secret", bcrypt.gensalt(4))`.
const USERS: &str = "user:$2b$04$BzQKVytLNJw06kCbeMua5..lWPhWeAAWI3CMd6b8I2AzsWD5bQ/02\n";

/// A registry of the Distribution project on this machine. It ends when it is dropped.
struct Registry {
    process: Child,
    address: SocketAddr,
    authorization: Option<String>,
    folder: TempDir,
}

impl Registry {
    /// Starts an empty registry, which may ask for a password.
    fn start(with_password: bool) -> Registry {
        let folder = TempDir::new().expect("a folder");
        let shown = folder.path().display();
        let users = folder.path().join("users");
        fs::write(&users, USERS).expect("a file");
        let authentication = match with_password {
            true => format!("auth: {{htpasswd: {{realm: test, path: {}}}}}\n", users.display()),
            false => String::new(),
        };
        let config = folder.path().join("registry.yml");
        let text = format!(
            "version: 0.1\nstorage: {{filesystem: {{rootdirectory: {shown}/data}}}}\nhttp: {{addr: \"127.0.0.1:0\"}}\n\
             log: {{formatter: json}}\n{authentication}"
        );
        fs::write(&config, text).expect("a file");
        let log = folder.path().join("log");
        let program = std::env::var_os("UNDERSTUDY_DOCKER_REGISTRY").expect("checked before");
        let process = Command::new(program)
            .arg("serve")
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log).expect("a file"))
            .spawn()
            .expect("the registry starts");
        let authorization = with_password.then(|| format!("Basic {}", STANDARD.encode("user:secret")));
        let mut registry = Registry { process, address: ([127, 0, 0, 1], 0).into(), authorization, folder };
        wait_until("the registry listens", || {
            let log = fs::read_to_string(&log).expect("a file");
            let listening = log.lines().find_map(|line| {
                let line: Value = serde_json::from_str(line).ok()?;
                line["msg"].as_str()?.strip_prefix("listening on ")?.parse().ok()
            });
            listening.is_some_and(|address| {
                registry.address = address;
                true
            })
        });
        registry
    }

    fn send(&self, method: &str, path: &str, media_type: &str, body: &[u8]) -> String {
        let mut headers = vec![("content-type", media_type)];
        headers.extend(self.authorization.as_deref().map(|value| ("authorization", value)));
        let response = Client::new(self.address).send(method, path, &headers, body);
        assert!((201..=202).contains(&response.status), "{method} {path}: {response:?}");
        response.header("location").unwrap_or_default().to_owned()
    }

    fn push_blob(&self, repository: &str, bytes: &[u8]) {
        let location = self.send("POST", &format!("/v2/{repository}/blobs/uploads/"), "text/plain", b"");
        let path = location.split_once("/v2/").expect("a location").1;
        let digest = sha256_hex(bytes);
        self.send("PUT", &format!("/v2/{path}&digest=sha256:{digest}"), "application/octet-stream", bytes);
    }

    /// Pushes a component in the layout of the CNCF, and returns the digest of its manifest.
    fn push(&self, repository: &str, tag: &str, component: &[u8]) -> String {
        let config = b"{}";
        self.push_blob(repository, config);
        self.push_blob(repository, component);
        let blob = |media_type: &str, bytes: &[u8]| json!({ "mediaType": media_type, "digest": format!("sha256:{}", sha256_hex(bytes)), "size": bytes.len() });
        let media_type = "application/vnd.oci.image.manifest.v1+json";
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": media_type,
            "config": blob("application/vnd.wasm.config.v0+json", config),
            "layers": [blob("application/wasm", component)],
        });
        let manifest = manifest.to_string();
        let path = format!("/v2/{repository}/manifests/{tag}");
        self.send("PUT", &path, media_type, manifest.as_bytes());
        sha256_hex(manifest.as_bytes())
    }

    /// Output without what differs from one registry to the next.
    fn redacted(&self, text: &str) -> String {
        text.replace(&self.address.to_string(), "REGISTRY")
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        // Fails if the process has ended, which is fine.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn component() -> Vec<u8> {
    fs::read(plugin("recorded")).expect("a component")
}

/// Pulls with the configuration of Docker in a folder, which may be missing.
fn pull(workspace: &TestWorkspace, arguments: &[&str], docker: &str) -> CommandOutput {
    let mut command = workspace.command(&[&["plugin", "pull"], arguments].concat());
    command.env("DOCKER_CONFIG", workspace.path().join(docker));
    workspace.redacted(command.output().expect("the program starts").into())
}

#[test]
fn a_plugin_of_a_registry_is_pulled_checked_and_stored_by_the_run() {
    if !Requirement::Registry.is_available() {
        return;
    }
    let registry = Registry::start(false);
    let component = component();
    let digest = registry.push("team/booked-room", "1.0", &component);
    let reference = format!("oci://{}/team/booked-room@sha256:{digest}", registry.address);
    let workspace = six_labels::workspace(&reference, "agreement");
    let redacted = |text: &str| registry.redacted(text).replace(&digest, "DIGEST");

    let output = workspace.understudy(&["check", "study.toml"]);
    assert_eq!(output.code, 1, "{}", output.stdout);
    insta::assert_snapshot!(redacted(output.stderr.trim()), @"study.toml:25: model \"booked\": oci://REGISTRY/team/booked-room@sha256:DIGEST is not pulled: cannot read plugins/sha256-DIGEST.json: No such file or directory (os error 2); run `understudy plugin pull oci://REGISTRY/team/booked-room@sha256:DIGEST` in the folder of the study");

    let output = pull(&workspace, &["study.toml"], "none");
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert_eq!(
        redacted(&output.stdout),
        format!(
            "oci://REGISTRY/team/booked-room@sha256:DIGEST\n  pulled: plugins/sha256-DIGEST.wasm, {} bytes\n",
            component.len()
        )
    );
    let report = workspace.run(&[]);
    assert_eq!(overall(&report, 0, 0)["value"].as_f64(), Some(4.0 / 6.0));

    // The run stores the component like any other, so the registry and what was pulled are no longer needed.
    drop(registry);
    let again = pull(&workspace, &["study.toml"], "none");
    assert_eq!(again.code, 0, "nothing is asked for: {}", again.stderr);
    assert!(again.stdout.contains("was there already"), "{}", again.stdout);
    fs::remove_dir_all(workspace.path().join("plugins")).expect("they were pulled");
    workspace.ok(&["verify", "run"]);
}

#[test]
fn a_pulled_component_that_was_changed_is_not_run() {
    if !Requirement::Registry.is_available() {
        return;
    }
    let registry = Registry::start(false);
    let digest = registry.push("booked-room", "latest", &component());
    let reference = format!("oci://{}/booked-room@sha256:{digest}", registry.address);
    let workspace = six_labels::workspace(&reference, "agreement");
    pull(&workspace, &["study.toml"], "none");
    workspace.ok(&["check", "study.toml"]);
    let path = workspace.path().join("plugins").join(format!("sha256-{digest}"));

    let mut changed = component();
    let last = changed.len() - 1;
    changed[last] ^= 1;
    fs::write(path.with_extension("wasm"), changed).expect("it is there");
    let output = workspace.understudy(&["check", "study.toml"]);
    assert_eq!(output.code, 1, "{}", output.stdout);
    assert!(output.stderr.contains("the SHA-256 of the component is "), "{}", output.stderr);
    assert!(output.stderr.contains("remove it, and run `understudy plugin pull oci://"), "{}", output.stderr);
    assert_eq!(pull(&workspace, &["study.toml"], "none").code, 0);
    workspace.ok(&["check", "study.toml"]);

    let manifest = fs::read_to_string(path.with_extension("json")).expect("it is there");
    fs::write(path.with_extension("json"), manifest + " ").expect("it is there");
    let output = workspace.understudy(&["check", "study.toml"]);
    assert!(output.stderr.contains("the SHA-256 of the manifest is "), "{}", output.stderr);
}

#[test]
fn a_tag_is_pulled_and_its_digest_printed_and_a_study_needs_the_digest() {
    if !Requirement::Registry.is_available() {
        return;
    }
    let registry = Registry::start(false);
    let digest = registry.push("booked-room", "1.0", &component());
    let tagged = format!("oci://{}/booked-room:1.0", registry.address);
    let workspace = six_labels::workspace(&tagged, "agreement");
    let output = workspace.understudy(&["check", "study.toml"]);
    assert_eq!(output.code, 1, "{}", output.stdout);
    insta::assert_snapshot!(registry.redacted(output.stderr.trim()), @r#"
    study.toml:25: `models.plugin`: "oci://REGISTRY/booked-room:1.0" has no digest, and a tag can be moved to another component; write oci://HOST/REPOSITORY@sha256:DIGEST, which `understudy plugin pull oci://REGISTRY/booked-room:1.0` prints
    not checked yet, because of the errors above: the sources and their records, the fields that plugins read, and the answers that metrics score; correct the errors, and check again
    "#);

    let output = pull(&workspace, &[&tagged, "--output", "other"], "none");
    assert_eq!(output.code, 0, "{}", output.stderr);
    let reference = tagged.replace(":1.0", &format!("@sha256:{digest}"));
    assert_eq!(output.stdout.lines().next(), Some(&reference[..]));
    assert!(workspace.path().join(format!("other/plugins/sha256-{digest}.wasm")).is_file());
    // A component that was pulled can be shown, from the folder in which it is.
    let mut show =
        workspace.command(&["plugin", "show", &reference, "--config", r#"{"field": "a", "form": "label"}"#]);
    let shown: CommandOutput =
        show.current_dir(workspace.path().join("other")).output().expect("the program starts").into();
    assert!(shown.stdout.contains("a model or a comparator"), "{}{}", shown.stdout, shown.stderr);
}

#[test]
fn what_a_registry_does_not_give_is_an_error_that_says_so() {
    if !Requirement::Registry.is_available() {
        return;
    }
    let registry = Registry::start(false);
    let workspace = TestWorkspace::new();
    let fault = |reference: &str| {
        let output = pull(&workspace, &[reference], "none");
        assert_eq!(output.code, 1, "{}", output.stdout);
        registry.redacted(output.stderr.trim())
    };
    let address = registry.address;
    insta::assert_snapshot!(fault(&format!("oci://{address}/nothing:1")), @"cannot pull oci://REGISTRY/nothing:1: the registry answers 404 Not Found to http://REGISTRY/v2/nothing/manifests/1: MANIFEST_UNKNOWN manifest unknown; correct the repository, the tag or the digest");
    // Not a component: an image of a container.
    let text = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "layers": [],
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": format!("sha256:{}", sha256_hex(b"{}")), "size": 2}});
    registry.push_blob("image", b"{}");
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    registry.send("PUT", "/v2/image/manifests/1", media_type, text.to_string().as_bytes());
    insta::assert_snapshot!(fault(&format!("oci://{address}/image:1")), @"cannot pull oci://REGISTRY/image:1: the manifest has layers of the types []; a plugin is one layer of the type application/wasm");
    // A layer whose bytes the registry has lost or changed.
    let component = component();
    let digest = registry.push("changed", "1", &component);
    let blob = sha256_hex(&component);
    let data = registry
        .folder
        .path()
        .join("data/docker/registry/v2/blobs/sha256")
        .join(&blob[..2])
        .join(&blob)
        .join("data");
    let mut bytes = fs::read(&data).expect("the registry's file");
    bytes[100] ^= 1;
    fs::write(&data, bytes).expect("the registry's file");
    let error = fault(&format!("oci://{address}/changed@sha256:{digest}"));
    assert!(error.contains("the SHA-256 of the component is "), "{error}");
    assert!(!workspace.path().join("plugins").exists(), "nothing is written");
    let error = fault("oci://nothing.invalid/a:1");
    assert!(
        error.starts_with("cannot pull oci://nothing.invalid/a:1: the request https://nothing.invalid/v2/a/manifests/1 failed: "),
        "{error}"
    );
    insta::assert_snapshot!(fault("oci://Nothing"), @r#""oci://Nothing" is not a reference to a registry; write oci://HOST/REPOSITORY@sha256:DIGEST"#);
    insta::assert_snapshot!(fault("absent.toml"), @"cannot read absent.toml: No such file or directory (os error 2); name the file of a study, or a reference, which begins with oci://");
}

#[test]
fn a_registry_with_a_password_is_asked_with_the_credential_of_docker() {
    if !Requirement::Registry.is_available() {
        return;
    }
    let registry = Registry::start(true);
    registry.push("booked-room", "1", &component());
    let workspace = TestWorkspace::new();
    let reference = format!("oci://{}/booked-room:1", registry.address);
    for (folder, password) in [("right", "secret"), ("wrong", "public")] {
        let auth = STANDARD.encode(format!("user:{password}"));
        let config = json!({ "auths": { registry.address.to_string(): { "auth": auth } } });
        fs::create_dir(workspace.path().join(folder)).expect("a folder");
        workspace.write(&format!("{folder}/config.json"), config.to_string());
    }
    fs::create_dir(workspace.path().join("damaged")).expect("a folder");
    workspace.write("damaged/config.json", "{");

    let fault = |docker: &str| {
        let output = pull(&workspace, &[&reference], docker);
        assert_eq!(output.code, 1, "{}", output.stdout);
        registry.redacted(output.stderr.trim())
    };
    let denied = fault("none");
    insta::assert_snapshot!(denied, @"cannot pull oci://REGISTRY/booked-room:1: the registry answers 401 Unauthorized to http://REGISTRY/v2/booked-room/manifests/1: UNAUTHORIZED authentication required; log in with `docker login`, or ask those who run the registry for access");
    assert_eq!(fault("wrong"), denied);
    insta::assert_snapshot!(fault("damaged"), @"no credential of REGISTRY from FOLDER/damaged/config.json: Unable to read config; correct the file, or log in with `docker login REGISTRY`");
    let output = pull(&workspace, &[&reference], "right");
    assert_eq!(output.code, 0, "{}", output.stderr);
}
