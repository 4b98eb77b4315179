//! The two output streams of the process.

use std::io::{self, BufWriter, IsTerminal as _};

use viam_contract::{ColorChoice, Env, Format, Output, Stream};

/// stdout and stderr, each coloured by its own nature.
#[must_use]
pub fn output(env: &Env, color: ColorChoice, format: Format, quiet: bool) -> Output {
    let allowed = env.get("NO_COLOR").is_none() && env.text("TERM") != Some("dumb");
    let colored = |tty: bool| match color {
        ColorChoice::Auto => tty && allowed,
        ColorChoice::Always => true,
        ColorChoice::Never => false,
    };
    let (out_tty, err_tty) = (io::stdout().is_terminal(), io::stderr().is_terminal());
    Output::new(
        Stream {
            writer: Box::new(BufWriter::with_capacity(64 * 1024, io::stdout())),
            tty: out_tty,
            color: colored(out_tty),
        },
        Stream { writer: Box::new(io::stderr()), tty: err_tty, color: colored(err_tty) },
        format,
        quiet,
    )
}
