//! The servers outside that both ends ask how they are seen from there (STUN), or that pass
//! everything on where there is no way between the ends themselves (TURN).

use std::net::{Ipv4Addr, ToSocketAddrs as _};
use std::time::Duration;

use futures_util::future::join_all;
use rtc::ice::url::{ProtoType, SchemeType, Url};
use tokio::sync::oneshot;
use tokio::time::timeout;
use webrtc::peer_connection::RTCIceServer;

/// Looking up a name may take so long; where UDP is blocked nobody answers at all.
const LOOKUP: Duration = Duration::from_secs(2);

/// What became of the servers.
#[derive(Debug, Default)]
pub struct Servers {
    used: Vec<String>,
    /// With the reason.
    unused: Vec<String>,
}

impl Servers {
    /// What they have to do with it when there is no connection, by the description of this end.
    pub(super) fn explain(&self, local: &str) -> String {
        let mut words = String::new();
        let seen = local.contains(" typ srflx") || local.contains(" typ relay");
        if !self.used.is_empty() && !seen {
            words += &format!("; nothing comes back by UDP from {}", self.used.join(", "));
        }
        if !self.unused.is_empty() {
            words += &format!("; not used: {}", self.unused.join(", "));
        }
        words
    }
}

/// Takes the servers apart, for one that is wrong would spoil the rest, and looks them up: the
/// connection itself stands still meanwhile.
pub(super) async fn usable(servers: &[RTCIceServer]) -> (Vec<RTCIceServer>, Servers) {
    let each = servers.iter().flat_map(|server| server.urls.iter().map(move |url| (server, url)));
    let looked_up = each.map(|(server, url)| async move {
        let place = match place(server, url) {
            Ok(place) => place,
            Err(why) => return Err(format!("{url} ({why})")),
        };
        let address = match place.host.parse() {
            Ok(address) => Some(address),
            Err(_) => look_up(place.host, place.port).await,
        };
        let Some(address) = address else {
            return Err(format!("{url} (its name cannot be looked up)"));
        };
        let urls = vec![format!("{}:{address}:{}", place.scheme, place.port)];
        Ok((url, RTCIceServer { urls, ..server.clone() }))
    });
    let (mut usable, mut all) = (Vec::new(), Servers::default());
    for one in join_all(looked_up).await {
        match one {
            Ok((url, server)) => {
                all.used.push(url.clone());
                // Two names may be one server.
                if !usable.contains(&server) {
                    usable.push(server);
                }
            }
            Err(why) => {
                tracing::debug!(target: "viam", "webrtc: not used: {why}");
                all.unused.push(why);
            }
        }
    }
    (usable, all)
}

/// Where a server is.
struct Place {
    scheme: &'static str,
    host: String,
    port: u16,
}

fn place(server: &RTCIceServer, url: &str) -> Result<Place, &'static str> {
    // Addresses of STUN servers have no query, and are given with one all the same.
    let sanitized = match url.split_once('?') {
        Some((stun, _)) if stun.starts_with("stun") => stun,
        _ => url,
    };
    let parsed = Url::parse_url(sanitized).map_err(|_| "it cannot be read")?;
    let scheme = match (parsed.scheme, parsed.proto) {
        (SchemeType::Stun, _) => "stun",
        (SchemeType::Turn, ProtoType::Udp) => "turn",
        _ => return Err("only servers by plain UDP are supported"),
    };
    if scheme == "turn" && (server.username.is_empty() || server.credential.is_empty()) {
        return Err("it comes without a name and a password");
    }
    Ok(Place { scheme, host: parsed.host, port: parsed.port })
}

/// The first address that the sockets of a connection can reach.
async fn look_up(host: String, port: u16) -> Option<Ipv4Addr> {
    let (found, answer) = oneshot::channel();
    // A look-up cannot be broken off. The runtime would wait for its own threads at the end of the
    // program, and does not for this one.
    std::thread::spawn(move || {
        let addresses = (host, port).to_socket_addrs().ok();
        let ipv4 = addresses.into_iter().flatten().find_map(|address| match address.ip() {
            std::net::IpAddr::V4(ip) => Some(ip),
            std::net::IpAddr::V6(_) => None,
        });
        // Nobody waits any longer.
        let _ = found.send(ipv4);
    });
    timeout(LOOKUP, answer).await.ok()?.ok()?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(url: &str) -> RTCIceServer {
        RTCIceServer {
            urls: vec![url.to_owned()],
            username: "u".to_owned(),
            credential: "p".to_owned(),
        }
    }

    #[tokio::test]
    async fn servers_are_told_apart() {
        let both = ["stun:127.0.0.2?transport=udp", "turn:127.0.0.2:99?transport=udp"];
        let both = RTCIceServer { urls: both.map(str::to_owned).into(), ..server("") };
        let words = ["turn:127.0.0.2?transport=tcp", "turns:127.0.0.2", "http://a", "turn:[::1]"];
        let mut servers: Vec<_> = words.map(server).into();
        servers
            .extend([both, RTCIceServer { username: String::new(), ..server("turn:127.0.0.3") }]);
        servers.push(server("stun:localhost"));
        servers.push(server("stun:127.0.0.1:3478"));
        let (usable, servers) = usable(&servers).await;
        let urls: Vec<_> = usable.iter().flat_map(|server| &server.urls).collect();
        assert_eq!(urls, ["stun:127.0.0.2:3478", "turn:127.0.0.2:99", "stun:127.0.0.1:3478"]);
        assert!(usable.iter().all(|server| server.username == "u"));
        assert!(servers.used.len() == 4 && servers.unused.len() == 5, "{servers:?}");
        let tcp =
            "; not used: turn:127.0.0.2?transport=tcp (only servers by plain UDP are supported)";
        assert!(servers.explain("a=candidate:1 1 udp 1 9.9.9.9 9 typ srflx").starts_with(tcp));
        let silent = "; nothing comes back by UDP from stun:127.0.0.2?transport=udp, turn:";
        assert!(servers.explain("a=candidate:1 1 udp 1 9.9.9.9 9 typ host").starts_with(silent));
        assert_eq!(Servers::default().explain(""), "");
    }
}
