//! The folder of compiled plugins: one of the current user, for all studies and runs.
//!
//! Compiled code is trusted like the program itself. So it belongs to the user, not to a study or a run, which others
//! may write to.

use std::ffi::OsString;
use std::path::PathBuf;

/// Whether compiled plugins are taken from the user's cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompileCache {
    /// They are, if the user has a cache.
    Used,
    /// They are not: the process compiles every plugin, so it needs no file of an earlier command.
    Bypassed,
}

/// The folder by the XDG Base Directory Specification 0.8: `understudy/plugins` in `$XDG_CACHE_HOME`, or in `.cache` of
/// `$HOME`; `None` if the user has neither.
pub(super) fn compile_cache_folder() -> Option<PathBuf> {
    folder(|name| std::env::var_os(name))
}

fn folder(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    // The specification ignores relative paths.
    let absolute = |name| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let caches = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))?;
    Some(caches.join("understudy/plugins"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_follows_the_base_directory_specification() {
        let found = |caches: &str, home: &str| {
            let value = |name: &str| match name {
                "XDG_CACHE_HOME" => Some(OsString::from(caches)),
                "HOME" => Some(OsString::from(home)),
                _ => None,
            };
            folder(value).map(|path| path.display().to_string())
        };
        assert_eq!(found("/var/cache", "/root").as_deref(), Some("/var/cache/understudy/plugins"));
        assert_eq!(found("", "/root").as_deref(), Some("/root/.cache/understudy/plugins"));
        assert_eq!(found("cache", "/root").as_deref(), Some("/root/.cache/understudy/plugins"));
        assert_eq!(found("", ""), None);
        assert_eq!(folder(|_| None), None);
    }
}
