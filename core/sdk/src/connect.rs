//! The connection of a session to the cloud app, with what the user is told of it: the same for
//! the core and for an executable plugin.

use std::net::SocketAddr;
use std::sync::Arc;

use viam_client::BaseUrl;
use viam_client::net::Net;
use viam_client::web;
use viam_client::wire::{self, KeyTokens, OnWait, TokenSource};
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
        output.status_once(&format!("Using {} as base URL value", text::quoted(&shown)));
    }
    wire::open(wire::Config { tokens: Some(tokens), ..config(output, net, base_url) })
}

/// Opens the transport for plain HTTP ([`Target::Web`](viam_contract::Target::Web)).
#[must_use]
pub fn web(
    output: &Arc<Output>,
    net: &Net,
    base_url: &BaseUrl,
    tokens: Arc<dyn TokenSource>,
) -> Wire {
    web::open(wire::Config { tokens: Some(tokens), ..config(output, net, base_url) })
}

/// Opens the transport to the gRPC server of a part, by the FQDN that the app gave for it
/// ([`Target::Part`](viam_contract::Target::Part)).
///
/// # Errors
/// `Remote` where the part is on another host than the base URL: a login stays with its cloud.
pub fn part(
    output: &Arc<Output>,
    net: &Net,
    base_url: &BaseUrl,
    fqdn: &str,
    tokens: Arc<dyn TokenSource>,
) -> Result<Wire> {
    let unreachable = || {
        Error::new(
            Kind::Remote,
            format!("the machine at {} is not reached directly", text::quoted(fqdn)),
        )
        .because("it is on another host than the cloud that the login belongs to")
        .hint_text("a machine on your own network is reached with --address HOST:PORT")
    };
    let to = BaseUrl::parse(fqdn).map_err(|_| unreachable())?;
    if to.host != base_url.host {
        return Err(unreachable());
    }
    let to = BaseUrl { plaintext: base_url.plaintext, ..to };
    wire::open(wire::Config { tokens: Some(tokens), ..config(output, net, &to) })
}

/// Opens the transport to a part on the local network, with the session's API key
/// ([`Target::Lan`](viam_contract::Target::Lan)).
///
/// # Errors
/// `Remote` without a key, or when the name cannot be that of a machine.
pub fn lan(
    output: &Arc<Output>,
    net: &Net,
    fqdn: &str,
    at: &[SocketAddr],
    key: Option<(String, String)>,
) -> Result<Wire> {
    let Some((id, secret)) = key else {
        return Err(Error::new(Kind::Remote, "a machine on the local network wants an API key"));
    };
    // Whatever the FQDN looks like: the key goes over TLS.
    let to = BaseUrl::parse(&format!("https://{fqdn}"))?;
    let config = config(output, &net.pinned(at), &to);
    let tokens = KeyTokens::new(config.clone(), id, secret);
    wire::open(wire::Config { tokens: Some(Arc::new(tokens)), ..config })
}

/// Opens the transport to a machine at an address that the user gave
/// ([`Target::Address`](viam_contract::Target::Address)).
///
/// # Errors
/// `Usage` when it is no address, or when a key would go in cleartext to another computer.
pub fn address(
    output: &Arc<Output>,
    net: &Net,
    address: &str,
    key: Option<(String, String)>,
) -> Result<Wire> {
    let to = BaseUrl::parse(address).map_err(|error| {
        Error::new(Kind::Usage, format!("invalid address {}", text::quoted(address)))
            .because(error.message().to_owned())
            .hint_text("an address looks like 192.0.2.7:8080 or https://robot.example:443")
    })?;
    let Some((id, secret)) = key else { return wire::open(config(output, net, &to)) };
    if to.plaintext && !to.is_loopback() {
        return Err(Error::new(Kind::Usage, format!("the key would go to {to} in cleartext"))
            .hint_text("use https:// in --address"));
    }
    let tokens = KeyTokens::new(config(output, net, &to), id, secret);
    wire::open(wire::Config { tokens: Some(Arc::new(tokens)), ..config(output, net, &to) })
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
