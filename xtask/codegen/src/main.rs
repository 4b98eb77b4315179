//! `cargo run -p viam-codegen` writes `proto/src/gen`; `-- --check` only compares.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a tool for developers")]

use std::process::ExitCode;

use viam_codegen::Failure;

/// The command that puts differing files right.
const REPAIR: &str = "cargo xtask codegen";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments.as_slice() {
        [] => write(),
        ["--check"] => check(),
        _ => {
            eprintln!("Usage: viam-codegen [--check]");
            return ExitCode::from(2);
        }
    };
    result.unwrap_or_else(|error| {
        eprintln!("Error: {error}");
        ExitCode::FAILURE
    })
}

/// Brings the committed files up to date.
fn write() -> Result<ExitCode, Failure> {
    let proto = viam_codegen::proto_dir();
    let output = viam_codegen::generate(&viam_codegen::compile(&proto.join("defs"))?)?;
    let changed = viam_codegen::write(&proto.join("src/gen"), &output)?;
    for name in &changed {
        println!("proto/src/gen/{name}");
    }
    println!("{} files, {} changed", output.len(), changed.len());
    Ok(ExitCode::SUCCESS)
}

/// Compares the committed files with what would be written.
fn check() -> Result<ExitCode, Failure> {
    let proto = viam_codegen::proto_dir();
    let output = viam_codegen::generate(&viam_codegen::compile(&proto.join("defs"))?)?;
    let stale = viam_codegen::differences(&proto.join("src/gen"), &output)?;
    if stale.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    for name in &stale {
        eprintln!("proto/src/gen/{name} is not what proto/defs gives");
    }
    eprintln!("Run: {REPAIR}");
    Ok(ExitCode::FAILURE)
}
