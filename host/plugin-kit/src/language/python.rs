//! Plugins in Python: a module with the SDK beside it, and its tests.

use super::Template;
use crate::kind::Kind;
use crate::template::TemplateNames;

include!(concat!(env!("OUT_DIR"), "/python_sdk.rs"));

/// The version of `componentize-py` that the SDK is tested with.
pub const COMPONENTIZE_PY: &str = "0.25.1";

/// Names that a module cannot have: keywords, and modules that it would hide.
#[rustfmt::skip]
const RESERVED: &[&str] = &[
    "abc", "aifc", "and", "antiseverity", "argparse", "array", "as", "assert", "ast", "async", "asynchat",
    "asyncio", "asyncore", "atexit", "audioop", "await", "base64", "bdb", "binascii", "bisect", "break",
    "builtins", "bz2", "calendar", "case", "cgi", "cgitb", "chunk", "class", "cmath", "cmd", "code",
    "codecs", "codeop", "collections", "colorsys", "compileall", "componentize-py-runtime",
    "componentize-py-types", "concurrent", "configparser", "conftest", "contextlib", "contextvars",
    "continue", "copy", "copyreg", "crypt", "csv", "ctypes", "curses", "dataclasses", "datetime", "dbm",
    "decimal", "def", "del", "difflib", "dis", "distutils", "doctest", "elif", "else", "email",
    "encodings", "ensurepip", "enum", "errno", "except", "faulthandler", "fcntl", "filecmp", "fileinput",
    "finally", "fnmatch", "for", "fractions", "from", "ftplib", "functools", "gc", "genericpath",
    "getopt", "getpass", "gettext", "glob", "global", "graphlib", "grp", "gzip", "hashlib", "heapq",
    "hmac", "html", "http", "idlelib", "if", "imaplib", "imghdr", "imp", "import", "importlib", "in",
    "inspect", "io", "ipaddress", "is", "itertools", "json", "keyword", "lambda", "lib2to3", "linecache",
    "locale", "logging", "lzma", "mailbox", "mailcap", "marshal", "match", "math", "mimetypes", "mmap",
    "modulefinder", "msilib", "msvcrt", "multiprocessing", "netrc", "nis", "nntplib", "nonlocal", "not",
    "nt", "ntpath", "nturl2path", "numbers", "opcode", "operator", "optparse", "or", "os", "ossaudiodev",
    "pass", "pathlib", "pdb", "pickle", "pickletools", "pipes", "pkgutil", "platform", "plistlib",
    "poplib", "posix", "posixpath", "pprint", "profile", "pstats", "pty", "pwd", "py-compile", "pyclbr",
    "pydoc", "pydoc-data", "pyexpat", "pytest", "queue", "quopri", "raise", "random", "re", "readline",
    "reprlib", "resource", "return", "rlcompleter", "runpy", "sched", "sdk", "secrets", "select",
    "selectors", "shelve", "shlex", "shutil", "signal", "site", "smtpd", "smtplib", "sndhdr", "socket",
    "socketserver", "spwd", "sqlite3", "sre-compile", "sre-constants", "sre-parse", "ssl", "stat",
    "statistics", "string", "stringprep", "struct", "subprocess", "sunau", "symtable", "sys",
    "sysconfig", "syslog", "tabnanny", "tarfile", "telnetlib", "tempfile", "termios", "tests",
    "textwrap", "this", "threading", "time", "timeit", "tkinter", "token", "tokenize", "tomllib",
    "trace", "traceback", "tracemalloc", "try", "tty", "turtle", "turtledemo", "type", "types", "typing",
    "understudy-component", "understudy-sdk", "unicodedata", "unittest", "urllib", "uu", "uuid", "venv",
    "warnings", "wave", "weakref", "webbrowser", "while", "winreg", "winsound", "wit-world", "with",
    "wsgiref", "xdrlib", "xml", "xmlrpc", "yield", "zipapp", "zipfile", "zipimport", "zlib", "zoneinfo",
];

/// Names in the sources of new plugins.
const TAKEN_TYPES: &[&str] = &[
    "Abstain",
    "Annotated",
    "Booking",
    "Config",
    "Decided",
    "Direction",
    "Name",
    "None",
    "Optional",
    "Sequence",
];

/// A module, which `componentize-py` makes a component of.
pub struct Python;

impl Template for Python {
    fn reserved_names(&self) -> &'static [&'static str] {
        RESERVED
    }

    fn reserved_reason(&self) -> &'static str {
        "is a word of Python, or the name of a module that it would hide"
    }

    fn taken_types(&self) -> &'static [&'static str] {
        TAKEN_TYPES
    }

    fn source(&self) -> &'static str {
        "{{module}}.py"
    }

    fn tools_command(&self) -> Option<String> {
        Some(format!(
            "python3 -m venv .venv && .venv/bin/pip install componentize-py=={COMPONENTIZE_PY} pytest"
        ))
    }

    fn files(&self, names: &TemplateNames<'_>) -> Vec<(String, String)> {
        let (source, test) = match names.kind {
            Kind::Model => (
                include_str!("../../templates/python/model.py.txt"),
                include_str!("../../templates/python/test_model.py.txt"),
            ),
            Kind::Comparator => (
                include_str!("../../templates/python/comparator.py.txt"),
                include_str!("../../templates/python/test_comparator.py.txt"),
            ),
            Kind::Metric => (
                include_str!("../../templates/python/metric.py.txt"),
                include_str!("../../templates/python/test_metric.py.txt"),
            ),
        };
        let module = names.module();
        let readme = include_str!("../../templates/python/README.md.txt")
            .replace("{{componentize-py}}", COMPONENTIZE_PY);
        let own = [
            (
                "pyproject.toml".to_owned(),
                names.fill(include_str!("../../templates/python/pyproject.toml.txt")),
            ),
            (
                ".gitignore".to_owned(),
                "/.venv\n/*.wasm\n__pycache__\n.pytest_cache\n.mypy_cache\n".to_owned(),
            ),
            ("README.md".to_owned(), names.fill(&readme)),
            (format!("{module}.py"), names.fill(source)),
            (format!("test_{module}.py"), names.fill(test)),
        ];
        let sdk = PYTHON_SDK_FILES.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
        own.into_iter().chain(sdk).collect()
    }
}
