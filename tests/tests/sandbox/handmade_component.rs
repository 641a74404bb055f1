//! Plugins written in the text format of Wasm, for behaviour that no toolchain produces.
//!
//! The core module follows the canonical ABI. Its memory has the description from 1024, the result of
//! `decide` or `score` from 2048, names from 4096, and arguments of the host from 65536.

use std::fs;
use std::path::PathBuf;

use understudy_sandbox::{
    ComponentFile, DeciderPlugin, PluginRole, Sandbox, SandboxError, ScorerPlugin, sha256_hex,
};
use understudy_tests::plugin;
use wit_component::{ComponentEncoder, DecodedWasm, StringEncoding, embed_component_metadata};

/// A builder of plugins: the bodies of the functions, and other text of the module.
#[derive(Clone)]
pub struct Handmade {
    interface: &'static str,
    /// The functions of the interface with their core signatures.
    functions: Vec<(&'static str, &'static str, String)>,
    memory: String,
    more: String,
    data: Vec<(u32, Vec<u8>)>,
}

/// A model that reads the number field `n` and answers 0 for each row.
pub fn model() -> Handmade {
    let mut model = Handmade {
        interface: "understudy:shadow/decider@0.1.0",
        functions: vec![
            ("configure", "(param i32 i32 i32 i32) (result i32)", "i32.const 0".into()),
            ("describe", "(result i32)", "i32.const 1024".into()),
            (
                "decide",
                "(param $rows i32) (param i32 i32) (result i32)",
                // Ok, numbers, one per row. Everything else is zero: no confidence, no unanswered rows.
                "(i32.store8 (i32.const 2052) (i32.const 1)) (i32.store (i32.const 2056) (i32.const 8192))
                 (i32.store (i32.const 2060) (local.get $rows)) i32.const 2048"
                    .into(),
            ),
        ],
        memory: "(memory (export \"memory\") 4)".into(),
        more: String::new(),
        data: Vec::new(),
    };
    model.words(1024, &[4096, 8, 4096, 8, 3072, 1, 1]).words(3072, &[4104, 1, 2]).bytes(4096, b"handmaden");
    model
}

/// A metric of numbers with one component `c`: the model's number. Traps on negative numbers. Its value is
/// the sum.
pub fn metric() -> Handmade {
    let mut metric = Handmade {
        interface: "understudy:shadow/scorer@0.1.0",
        functions: vec![
            ("configure", "(param i32 i32 i32 i32) (result i32)", "i32.const 0".into()),
            ("describe", "(result i32)", "i32.const 1024".into()),
            (
                "score",
                "(param $given i32) (result i32) (local $row i32) (local $numbers i32) (local $rows i32)",
                "(local.set $rows (i32.load (local.get $given)))
                 (local.set $numbers (i32.load (i32.add (local.get $given) (i32.const 8))))
                 (block $done (loop $next
                     (br_if $done (i32.eq (local.get $row) (local.get $rows)))
                     (if (f64.lt (f64.load (i32.add (local.get $numbers) (i32.shl (local.get $row) (i32.const 3))))
                                 (f64.const 0)) (then unreachable))
                     (local.set $row (i32.add (local.get $row) (i32.const 1)))
                     (br $next)))
                 (i32.store8 (i32.const 2048) (i32.const 0))
                 (i32.store (i32.const 2052) (i32.const 2064)) (i32.store (i32.const 2056) (i32.const 1))
                 (i32.store (i32.const 2064) (local.get $numbers)) (i32.store (i32.const 2068) (local.get $rows))
                 i32.const 2048"
                    .into(),
            ),
            (
                "reduce",
                "(param i64) (param $sums i32) (param i32) (result i32)",
                "(i32.store8 (i32.const 2048) (i32.const 1))
                 (f64.store (i32.const 2056) (f64.load (local.get $sums))) i32.const 2048"
                    .into(),
            ),
        ],
        memory: "(memory (export \"memory\") 4)".into(),
        more: String::new(),
        data: Vec::new(),
    };
    metric.words(1024, &[4096, 8, 4096, 8, 3072, 1, 0, 3076, 1, 0]).bytes(3072, &[1]).words(3076, &[4104, 1]);
    metric.bytes(4096, b"handmadec");
    metric
}

impl Handmade {
    /// Replaces the body of a function.
    pub fn with(mut self, function: &str, body: &str) -> Handmade {
        let found = self.functions.iter_mut().find(|(name, ..)| *name == function).expect("a function");
        found.2 = body.into();
        self
    }

    /// Adds text to the module.
    pub fn and(mut self, more: &str) -> Handmade {
        self.more += more;
        self
    }

    /// Replaces the memory of the module.
    pub fn with_memory(mut self, memory: &str) -> Handmade {
        self.memory = memory.into();
        self
    }

    /// Stores 32-bit words in the memory.
    pub fn words(&mut self, at: u32, words: &[u32]) -> &mut Handmade {
        self.bytes(at, &words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>())
    }

    /// Stores bytes in the memory. Later calls overwrite earlier ones.
    pub fn bytes(&mut self, at: u32, bytes: &[u8]) -> &mut Handmade {
        self.data.push((at, bytes.to_vec()));
        self
    }

    /// Builds the component.
    pub fn component(&self) -> Vec<u8> {
        let Handmade { interface, memory, more, .. } = self;
        let function = |(name, kind, body): &(&str, &str, String)| {
            format!("(func (export \"{interface}#{name}\") {kind} {body})\n")
        };
        let data = |(at, bytes): &(u32, Vec<u8>)| {
            let escaped: String = bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
            format!("(data (i32.const {at}) \"{escaped}\")\n")
        };
        let functions: String = self.functions.iter().map(function).collect();
        let data: String = self.data.iter().map(data).collect();
        let realloc = match more.contains("cabi_realloc") {
            true => "",
            // The allocator wraps around at the end of the memory, because nothing survives a call.
            false => {
                "(global $free (mut i32) (i32.const 65536))
                 (func (export \"cabi_realloc\") (param i32 i32 i32) (param $size i32) (result i32)
                     (global.set $free (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
                     (if (i32.gt_u (i32.add (global.get $free) (local.get $size)) (i32.const 262144))
                         (then (global.set $free (i32.const 65536))))
                     global.get $free
                     (global.set $free (i32.add (global.get $free) (local.get $size))))"
            }
        };
        let text = format!("(module {memory}\n{realloc}\n{functions}{data}{more})");
        let mut module = wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        // The world comes from a plugin built by a toolchain.
        let honest = if interface.contains("scorer") { "agreement" } else { "booked_room" };
        let honest = fs::read(plugin(honest)).expect("it was built");
        let Ok(DecodedWasm::Component(resolve, world)) = wit_component::decode(&honest) else {
            panic!("it is a component")
        };
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false)
            .expect("it can be named");
        let component =
            ComponentEncoder::default().module(&module).expect("it has a world").validate(true).encode();
        component.unwrap_or_else(|error| panic!("{error:#}\n{text}"))
    }

    /// Loads it as a model.
    pub fn load(&self, sandbox: &Sandbox) -> Result<DeciderPlugin, SandboxError> {
        load(sandbox, self.component())
    }

    /// Loads it as a metric.
    pub fn load_metric(&self, sandbox: &Sandbox) -> Result<ScorerPlugin, SandboxError> {
        ScorerPlugin::load(sandbox, &file(self.component()), "{}".into(), [].into(), None)
    }
}

fn file(bytes: Vec<u8>) -> ComponentFile {
    let digest = sha256_hex(&bytes);
    ComponentFile { path: PathBuf::from("handmade.wasm"), bytes, digest }
}

/// Loads a component as a model.
pub fn load(sandbox: &Sandbox, component: Vec<u8>) -> Result<DeciderPlugin, SandboxError> {
    DeciderPlugin::load(sandbox, &file(component), PluginRole::Model, "{}".into(), [].into(), None)
}

/// A component with an additional core module and this many instances of it.
pub fn with_instances(mut component: Vec<u8>, module: &str, instances: u8) -> Vec<u8> {
    let module = wat::parse_str(module).expect("the text is Wasm");
    let section = |id: u8, content: &[u8]| {
        let mut section = vec![id];
        let mut length = content.len();
        while length >= 0x80 {
            section.push(length as u8 | 0x80);
            length >>= 7;
        }
        section.push(length as u8);
        [section, content.to_vec()].concat()
    };
    // Section 1 is a core module; section 2 has core instances, each of which instantiates module 1 without
    // arguments.
    component.extend(section(1, &module));
    assert!(instances < 0x80, "the count is one byte");
    component.extend(section(2, &[&[instances][..], &[0, 1, 0].repeat(instances.into())].concat()));
    component
}
