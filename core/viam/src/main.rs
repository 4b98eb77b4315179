//! `viam`: the binary; everything is in the library beside it.

fn main() -> std::process::ExitCode {
    viam::main()
}
