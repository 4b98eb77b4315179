//! Which targets go through a proxy, and the way through it (CONNECT, or SOCKS5).
//!
//! hyper-util does the matching of names, addresses and networks. Two rules are ours, as in the
//! existing program: this machine is never proxied, and `NO_PROXY` also takes `host:port` and
//! `*.domain`.

use std::io;

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service as _;
use viam_contract::Env;

use crate::BaseUrl;

/// The proxy settings of the environment.
pub(super) struct ProxyRules {
    matcher: Option<Matcher>,
    direct: Vec<String>,
    /// What is wrong with the settings, for a warning.
    pub(super) complaints: Vec<String>,
}

/// A proxy that a target goes through.
pub(super) struct Proxy(Intercept);

impl ProxyRules {
    /// No proxy at all.
    fn none() -> Self {
        Self { matcher: None, direct: Vec::new(), complaints: Vec::new() }
    }

    /// Reads `HTTPS_PROXY`, `ALL_PROXY`, `HTTP_PROXY` and `NO_PROXY`, lower or upper case.
    pub(super) fn from_env(env: &Env) -> Self {
        let either = |upper: &str| {
            env.text(upper).or_else(|| env.text(&upper.to_ascii_lowercase())).map(str::trim)
        };
        let mut rules = Self::none();
        let mut builder = Matcher::builder();
        let mut any = false;
        for name in ["ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY"] {
            let Some(value) = either(name).filter(|value| !value.is_empty()) else { continue };
            // CGI: a request header could set it.
            if name == "HTTP_PROXY" && env.get("REQUEST_METHOD").is_some() {
                continue;
            }
            let scheme = value.split_once("://").map_or("http", |(scheme, _)| scheme);
            if !matches!(scheme, "http" | "socks5" | "socks5h")
                || value.rsplit("://").next().unwrap_or_default().parse::<Uri>().is_err()
            {
                rules.complaints.push(format!(
                    "ignoring {name}: it is not http://host:port or socks5://host:port"
                ));
                continue;
            }
            any = true;
            builder = match name {
                "ALL_PROXY" => builder.all(value),
                "HTTP_PROXY" => builder.http(value),
                _ => builder.https(value),
            };
        }
        if !any {
            return rules;
        }
        let mut suffixes = Vec::new();
        for entry in either("NO_PROXY").unwrap_or_default().split(',').map(str::trim) {
            if entry.rsplit_once(':').is_some_and(|(host, port)| {
                !port.is_empty() && port.parse::<u16>().is_ok() && !host.ends_with(':')
            }) && entry.matches(':').count() == 1
            {
                rules.direct.push(entry.to_ascii_lowercase());
            } else if !entry.is_empty() {
                suffixes.push(entry.strip_prefix('*').filter(|s| !s.is_empty()).unwrap_or(entry));
            }
        }
        rules.matcher = Some(builder.no(suffixes.join(",")).build());
        rules
    }

    /// The proxy for a target, if it goes through one.
    pub(super) fn for_target(&self, to: &BaseUrl) -> Option<Proxy> {
        if to.is_loopback() {
            return None;
        }
        let with_port = format!("{}:{}", to.host, to.port);
        if self.direct.iter().any(|entry| {
            *entry == with_port
                || (entry.starts_with('.') && with_port.ends_with(entry.as_str()))
                || entry.strip_prefix('*').is_some_and(|tail| with_port.ends_with(tail))
        }) {
            return None;
        }
        let uri: Uri = to.to_string().parse().ok()?;
        self.matcher.as_ref()?.intercept(&uri).map(Proxy)
    }
}

impl Proxy {
    /// Its address, without a password.
    pub(super) fn shown(&self) -> String {
        let uri = self.0.uri();
        format!("{}://{}", uri.scheme_str().unwrap_or("http"), host_of(uri))
    }
}

fn host_of(uri: &Uri) -> String {
    match (uri.host(), uri.port_u16()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        _ => String::new(),
    }
}

/// Opens a stream to the target through the proxy.
pub(super) async fn tunnel(proxy: &Proxy, to: &BaseUrl) -> io::Result<TcpStream> {
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_connect_timeout(Some(super::CONNECT_LIMIT));
    let target: Uri = format!("https://{}", to.authority()).parse().map_err(io::Error::other)?;
    let uri = proxy.0.uri().clone();
    let wrap = |error: Box<dyn std::error::Error + Send + Sync>| {
        let mut text = error.to_string();
        let mut next = error.source();
        while let Some(cause) = next {
            text = format!("{text}: {cause}");
            next = cause.source();
        }
        io::Error::other(format!("the proxy {} refused: {text}", proxy.shown()))
    };
    let io: TokioIo<TcpStream> = if uri.scheme_str().is_some_and(|s| s.starts_with("socks5")) {
        let mut socks = SocksV5::new(uri, connector);
        if let Some((user, password)) = proxy.0.raw_auth() {
            socks = socks.with_auth(user.to_owned(), password.to_owned());
        }
        socks.call(target).await.map_err(|error| wrap(Box::new(error)))?
    } else {
        let mut tunnel = Tunnel::new(uri, connector);
        if let Some(auth) = proxy.0.basic_auth() {
            tunnel = tunnel.with_auth(auth.clone());
        }
        tunnel.call(target).await.map_err(|error| wrap(Box::new(error)))?
    };
    Ok(io.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(pairs: &[(&str, &str)]) -> ProxyRules {
        ProxyRules::from_env(&Env::new(pairs.iter().map(|(k, v)| (k.into(), v.into()))))
    }

    fn proxied(pairs: &[(&str, &str)], target: &str) -> bool {
        rules(pairs).for_target(&BaseUrl::parse(target).expect(target)).is_some()
    }

    #[test]
    fn b32_no_proxy_in_every_spelling() {
        let p = ("HTTPS_PROXY", "http://127.0.0.1:1");
        for (no, target, through) in [
            ("", "app.example.test", true),
            (".internal", "h.internal", false),
            ("internal", "h.internal", false),
            ("*.internal", "h.internal", false),
            ("h.internal:443", "h.internal:443", false),
            ("h.internal:444", "h.internal:443", true),
            ("*", "app.example.test", false),
            ("10.0.0.0/8", "10.1.2.3", false),
            ("10.0.0.0/8", "11.1.2.3", true),
            ("a, h.internal , b", "h.internal", false),
            ("other", "app.example.test", true),
        ] {
            for name in ["NO_PROXY", "no_proxy"] {
                assert_eq!(proxied(&[p, (name, no)], target), through, "{name}={no} {target}");
            }
        }
    }

    #[test]
    fn b33_this_machine_is_never_proxied() {
        for target in ["http://localhost:1", "https://127.0.0.1:1", "https://[::1]:1"] {
            assert!(!proxied(&[("ALL_PROXY", "http://p:1"), ("HTTP_PROXY", "http://p:1")], target));
        }
    }

    #[test]
    fn names_of_the_variables() {
        for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
            assert!(proxied(&[(name, "p:3128")], "app.example.test"), "{name}");
        }
        assert!(!proxied(&[("HTTP_PROXY", "http://p:1")], "app.example.test"));
        assert!(!proxied(&[("HTTPS_PROXY", "")], "app.example.test"));
        let broken = rules(&[("HTTPS_PROXY", "https://p:1")]);
        assert_eq!(broken.complaints.len(), 1);
        let shown = rules(&[("HTTPS_PROXY", "http://u:secret@p:1")]);
        let to = BaseUrl::parse("app.example.test").expect("url");
        assert!(!shown.for_target(&to).expect("proxied").shown().contains("secret"));
    }
}
