//! The `understudy` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    understudy_cli::main()
}
