//! Challenges, passwords and tokens; what is sent to whom.

use super::*;

use understudy_study::RegistryTarget;

fn repository(text: &str) -> RegistryRepository {
    RegistryTarget::parse(text).expect("a reference").repository().clone()
}

fn bearer(realm: &str) -> Option<Challenge> {
    Some(Challenge::Bearer { realm: realm.to_owned(), service: Some("a b".to_owned()), scope: None })
}

fn no_request(_: &str, _: Option<&str>) -> Result<Vec<u8>, AuthenticationError> {
    panic!("no token is asked for")
}

fn password() -> Option<Credential> {
    Some(Credential::Password("user".to_owned(), "pass:word".to_owned()))
}

#[test]
fn challenges_are_parsed_as_rfc_9110_writes_them() {
    let docker = "Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\",scope=\"repository:a/b:pull\"";
    let expected = Challenge::Bearer {
        realm: "https://auth.docker.io/token".to_owned(),
        service: Some("registry.docker.io".to_owned()),
        scope: Some("repository:a/b:pull".to_owned()),
    };
    assert_eq!(Challenge::parse(&[docker]), Some(expected.clone()));
    let spaced = "bearer Realm = \"https://auth.docker.io/token\" , service=registry.docker.io, scope=\"repository:a/b:pull\", error=\"a\\\"b,c\"";
    assert_eq!(Challenge::parse(&[spaced]), Some(expected.clone()));
    let unquoted = "bearer realm=\"https://auth.docker.io/token\", SERVICE=registry.docker.io , error=\"a\\\"b,c\", scope=\"repository:a/b:pull\"";
    assert_eq!(Challenge::parse(&[unquoted]), Some(expected));
    assert_eq!(Challenge::parse(&["Negotiate", "Basic realm=\"x\""]), Some(Challenge::Basic));
    for header in ["", "Bearer", "Bearer service=\"x\"", "Digest realm=\"x\"", "Bearer realm=\"unfinished"] {
        let parsed = Challenge::parse(&[header]);
        assert!(matches!(&parsed, None | Some(Challenge::Bearer { .. })), "{header}: {parsed:?}");
    }
}

#[test]
fn a_password_is_sent_when_it_is_asked_for_and_once() {
    let mut authentication = Authentication::new(password());
    assert_eq!(authentication.header(), None);
    let answered = authentication.answer(Some(Challenge::Basic), &repository("oci://host/a"), no_request);
    assert!(answered.expect("no error"));
    assert_eq!(authentication.header(), Some("Basic dXNlcjpwYXNzOndvcmQ="));
    // The registry denies it: there is nothing else to send.
    let again = authentication.answer(Some(Challenge::Basic), &repository("oci://host/a"), no_request);
    assert!(!again.expect("no error"));
    let mut nobody = Authentication::new(None);
    assert!(
        !nobody.answer(Some(Challenge::Basic), &repository("oci://host/a"), no_request).expect("no error")
    );
    assert!(!nobody.answer(None, &repository("oci://host/a"), no_request).expect("no error"));
}

#[test]
fn a_token_is_asked_for_at_the_server_that_the_registry_names() {
    let mut authentication = Authentication::new(password());
    let asked = std::cell::RefCell::new(Vec::new());
    let answer = |url: &str, authorization: Option<&str>| {
        asked.borrow_mut().push((url.to_owned(), authorization.map(str::to_owned)));
        Ok(br#"{"access_token": "t1", "expires_in": 60}"#.to_vec())
    };
    let answered =
        authentication.answer(bearer("https://auth/token?x=1"), &repository("oci://host/a/b"), answer);
    assert!(answered.expect("no error"));
    assert_eq!(authentication.header(), Some("Bearer t1"));
    let url = "https://auth/token?x=1&service=a+b&scope=repository%3Aa%2Fb%3Apull".to_owned();
    assert_eq!(*asked.borrow(), [(url, Some("Basic dXNlcjpwYXNzOndvcmQ=".to_owned()))]);
}

#[test]
fn no_credential_leaves_this_machine_as_plain_text() {
    let plain = |registry: &str, realm: &str| {
        Authentication::new(password()).answer(bearer(realm), &repository(registry), no_request)
    };
    for (registry, realm) in [
        ("oci://host/a", "http://auth/token"),
        ("oci://host/a", "http://localhost/token"),
        ("oci://localhost:5000/a", "http://auth/token"),
        ("oci://localhost:5000/a", "http://localhost.example.org/token"),
        ("oci://localhost:5000/a", "http://localhost@example.org/token"),
        ("oci://localhost:5000/a", "ftp://localhost/token"),
    ] {
        assert!(
            matches!(plain(registry, realm), Err(AuthenticationError::PlainText(_))),
            "{registry} {realm}"
        );
    }
    let answer = |_: &str, _: Option<&str>| Ok(br#"{"token": "t2"}"#.to_vec());
    let mut authentication = Authentication::new(password());
    let registry = repository("oci://127.0.0.1:5000/a");
    assert!(
        authentication.answer(bearer("http://127.0.0.1:5001/token"), &registry, answer).expect("no error")
    );
}

#[test]
fn an_answer_without_a_token_is_an_error() {
    let fault = |answer: &'static str| {
        let answer = move |_: &str, _: Option<&str>| Ok(answer.as_bytes().to_vec());
        let mut authentication = Authentication::new(None);
        let result = authentication.answer(bearer("https://auth"), &repository("oci://host/a"), answer);
        result.expect_err("no token").to_string()
    };
    insta::assert_snapshot!(fault("<html>"), @"no token from https://auth?service=a+b&scope=repository%3Aa%3Apull: its answer is not the JSON of a token; log in with `docker login`, or ask those who run the registry");
    assert!(fault("{}").contains("its answer has no token"));
    assert!(fault(r#"{"token": "a\nHost: b"}"#).contains("not one for a header of HTTP"));
}

#[test]
fn an_identity_token_is_an_error_that_says_what_to_use() {
    let mut authentication = Authentication::new(Some(Credential::IdentityToken("t".to_owned())));
    let error = authentication
        .answer(Some(Challenge::Basic), &repository("oci://host/a"), no_request)
        .expect_err("none");
    insta::assert_snapshot!(error, @"the credential of this registry is an identity token, which is not supported; log in with a user name and a password");
}
