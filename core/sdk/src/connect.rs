//! The connection of a session to the cloud app, with what the user is told of it: the same for
//! the core and for an executable plugin.

use std::sync::Arc;

use viam_client::BaseUrl;
use viam_client::net::Net;
use viam_client::wire::{self, OnWait, TokenSource};
use viam_contract::{DEFAULT_BASE_URL, Env, Error, Kind, Output, Result, Wire, text};

/// The network as the environment says; what is wrong with it is warned of.
#[must_use]
pub fn net(env: &Env, output: &Arc<Output>) -> Net {
    let output = Arc::clone(output);
    Net::new(env.clone(), Arc::new(move |words: &str| output.warn(words)))
}

/// Opens the transport, and says which base URL it goes to where that is not the usual one.
///
/// # Errors
/// As [`wire::open`].
pub fn open(
    output: &Arc<Output>,
    net: &Net,
    base_url: &BaseUrl,
    tokens: Arc<dyn TokenSource>,
) -> Result<Wire> {
    let shown = base_url.to_string();
    if shown != DEFAULT_BASE_URL {
        output.status(&format!("Using {} as base URL value", text::quoted(&shown)));
    }
    wire::open(wire::Config { tokens: Some(tokens), ..config(output, net, base_url) })
}

/// What a transport without credentials is made of. A wait is named on a terminal only.
#[must_use]
pub fn config(output: &Arc<Output>, net: &Net, base_url: &BaseUrl) -> wire::Config {
    let on_wait = output.stderr_tty().then(|| {
        let output = Arc::clone(output);
        Arc::new(move |peer: &str| output.status(&format!("waiting for {peer} …"))) as OnWait
    });
    wire::Config { net: net.clone(), base_url: base_url.clone(), tokens: None, on_wait }
}

/// The error of a command that needs a login at a base URL, with the command that makes one.
#[must_use]
pub fn not_logged_in(base_url: &str, why: Option<&str>) -> Error {
    let default = base_url == DEFAULT_BASE_URL;
    let what = if default && why.is_none() {
        "not logged in".to_owned()
    } else {
        format!("not logged in to {base_url}")
    };
    let error = Error::new(Kind::Auth, what);
    let error = match why {
        Some(why) => error.because(why.to_owned()),
        None => error,
    };
    if default {
        error.hint_run("viam login")
    } else {
        error.hint_run(format!("viam --base-url {base_url} login"))
    }
}
