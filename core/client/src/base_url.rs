//! The address of the cloud app (transport.md §1.7).

use std::fmt;
use std::net::IpAddr;

use viam_contract::{Error, Kind, Result};

/// A normalised base URL: scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BaseUrl {
    /// Cleartext HTTP/2 instead of TLS.
    pub plaintext: bool,
    /// Host name, lower case, or an IP address without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
}

impl BaseUrl {
    /// Reads `https://h`, `https://h:p`, `http://h:p`, `h` and `h:p`. Without a scheme it is
    /// `https`, but for a loopback address with a port, which is a local server in cleartext.
    ///
    /// # Errors
    /// `Usage` when it is no such address.
    pub fn parse(text: &str) -> Result<Self> {
        let invalid = |reason: &str| {
            Error::new(Kind::Usage, format!("invalid base URL {text:?}: {reason}"))
                .hint_text("a base URL looks like https://app.viam.com:443")
        };
        let trimmed = text.trim();
        let (scheme, rest) = match trimmed.split_once("://") {
            Some((scheme, rest)) => (Some(scheme.to_ascii_lowercase()), rest),
            None => (None, trimmed),
        };
        if let Some(scheme) = &scheme
            && scheme != "https"
            && scheme != "http"
        {
            return Err(invalid("the scheme is https or http"));
        }
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.contains('@') {
            return Err(invalid("it must not hold a user name"));
        }
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => {
                let (host, after) =
                    rest.split_once(']').ok_or_else(|| invalid("a bracket is not closed"))?;
                host.parse::<std::net::Ipv6Addr>()
                    .map_err(|_| invalid("there is no IPv6 address in the brackets"))?;
                let port = match after.strip_prefix(':') {
                    Some(port) => Some(port),
                    None if after.is_empty() => None,
                    None => return Err(invalid("something follows the bracket")),
                };
                (host, port)
            }
            None => match authority.split_once(':') {
                Some((_, port)) if port.contains(':') => {
                    return Err(invalid("an IPv6 address needs brackets"));
                }
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            },
        };
        let host = host.to_ascii_lowercase();
        let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
        if host.is_empty() || !host.chars().all(fine) {
            return Err(invalid("the host name is missing or has strange characters"));
        }
        let port = match port {
            Some(port) => Some(
                port.parse::<u16>()
                    .ok()
                    .filter(|port| *port > 0)
                    .ok_or_else(|| invalid("the port is a number from 1 to 65535"))?,
            ),
            None => None,
        };
        let plaintext = match scheme.as_deref() {
            Some(scheme) => scheme == "http",
            None => port.is_some_and(|port| port != 443) && is_loopback(&host),
        };
        let port = port.unwrap_or(if plaintext { 8080 } else { 443 });
        Ok(Self { plaintext, host, port })
    }

    /// Whether the host is this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }

    /// `host:port`, with brackets around an IPv6 address.
    #[must_use]
    pub fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// Whether this is one of Viam's own clouds, whose login provider is known.
    #[must_use]
    pub fn is_viam(&self) -> bool {
        ["viam.com", "viam.dev"].iter().any(|zone| {
            self.host == *zone
                || self.host.strip_suffix(zone).is_some_and(|rest| rest.ends_with('.'))
        })
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.plaintext { "http" } else { "https" };
        write!(f, "{scheme}://{}", self.authority())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_and_what_they_mean() {
        for (text, normal) in [
            ("https://app.viam.com", "https://app.viam.com:443"),
            ("app.viam.com", "https://app.viam.com:443"),
            ("APP.viam.com:443", "https://app.viam.com:443"),
            ("https://app.viam.com:443/robots?x#y", "https://app.viam.com:443"),
            ("http://h", "http://h:8080"),
            ("http://[::1]:7", "http://[::1]:7"),
            ("https://[::1]", "https://[::1]:443"),
            ("localhost:8080", "http://localhost:8080"),
            ("127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("app.viam.dev:8443", "https://app.viam.dev:8443"),
        ] {
            assert_eq!(BaseUrl::parse(text).expect(text).to_string(), normal);
        }
        for bad in [
            "",
            "https://",
            "ftp://h",
            "h:0",
            "h:x",
            "h:70000",
            "http://u@h",
            "::1",
            "[::1",
            "https://[x]:1",
            "a b",
            "http://h\n",
        ] {
            let bad_too = bad.trim() != bad && BaseUrl::parse(bad).is_ok();
            assert!(bad_too || BaseUrl::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn only_viams_own_zones_are_viams() {
        for (host, own) in [
            ("app.viam.com", true),
            ("viam.com", true),
            ("app.viam.dev", true),
            ("evilviam.com", false),
            ("viam.com.evil.org", false),
        ] {
            assert_eq!(BaseUrl::parse(host).expect(host).is_viam(), own, "{host}");
        }
    }
}
