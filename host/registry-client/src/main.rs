//! The program `understudy-pull`.

use std::process::ExitCode;

fn main() -> ExitCode {
    understudy_registry_client::main()
}
