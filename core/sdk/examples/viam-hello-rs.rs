//! `viam-hello-rs`: a plugin that says who is logged in.

use std::io::Write as _;

use viam_plugin::{Session, contract::Result, doors};

fn main() -> Result<()> {
    let session = Session::take(&doors::env())?;
    let who = session.document.auth.subject.unwrap_or_else(|| "nobody".to_owned());
    writeln!(std::io::stdout(), "Hello, {who}!")?;
    Ok(())
}
