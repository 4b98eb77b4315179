//! Servers that help callers and machines through the networks between them.

use viam_client::machine::webrtc::RTCIceServer;
use viam_contract::{Error, Kind, Result};
use viam_proto::rpc::webrtc::v1 as pb;

/// One of them.
#[derive(Clone, PartialEq, Eq)]
pub struct IceServer {
    url: String,
    username: String,
    credential: String,
}

impl std::fmt::Debug for IceServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.url)
    }
}

impl IceServer {
    /// Reads `stun:HOST:PORT` and `turn:USER:PASSWORD@HOST:PORT`, which may end in
    /// `?transport=tcp`.
    ///
    /// # Errors
    /// `Usage` when it is neither.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = || {
            // A password may be in it.
            Error::new(Kind::Usage, "invalid ICE server")
                .hint_text("it looks like stun:HOST:PORT or turn:USER:PASSWORD@HOST:PORT")
        };
        let (scheme, rest) = text.split_once(':').ok_or_else(wrong)?;
        let (who, place) = match (scheme, rest.rsplit_once('@')) {
            ("stun", None) => (None, rest),
            ("turn" | "turns", Some((who, place))) => (Some(who), place),
            _ => return Err(wrong()),
        };
        // A user made for a time has a colon in the name.
        let (username, credential) = match who {
            Some(who) => who.rsplit_once(':').ok_or_else(wrong)?,
            None => ("", ""),
        };
        let complete = who.is_none() || !(username.is_empty() || credential.is_empty());
        if !complete || place.is_empty() || place.starts_with([':', '/', '?']) {
            return Err(wrong());
        }
        Ok(Self {
            url: format!("{scheme}:{place}"),
            username: username.to_owned(),
            credential: credential.to_owned(),
        })
    }
}

/// What callers and machines are told about them.
pub(super) fn config(servers: &[IceServer]) -> pb::WebRtcConfig {
    let servers = servers.iter().cloned().map(|server| pb::IceServer {
        urls: vec![server.url],
        username: server.username,
        credential: server.credential,
    });
    pb::WebRtcConfig { additional_ice_servers: servers.collect(), ..pb::WebRtcConfig::default() }
}

impl From<IceServer> for RTCIceServer {
    fn from(server: IceServer) -> Self {
        let IceServer { url, username, credential } = server;
        Self { urls: vec![url], username, credential }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_read() {
        let turn = IceServer::parse("turn:17:ann:p@w@10.0.0.1:3478?transport=tcp").expect("fine");
        assert_eq!(turn.url, "turn:10.0.0.1:3478?transport=tcp");
        assert_eq!((&*turn.username, &*turn.credential), ("17:ann", "p@w"));
        assert_eq!(format!("{turn:?}"), turn.url);
        let stun = IceServer::parse("stun:[::1]:3478").expect("fine");
        assert_eq!(config(&[stun]).additional_ice_servers[0].urls, ["stun:[::1]:3478"]);
        let wrong = [
            "stun",
            "stun:",
            "stun:u:p@host",
            "turn:host:1",
            "turn:u@host",
            "turn::p@h",
            "turn:u:@h",
            "turn:u:p@",
            "turn:u:p@:1",
            "http://host",
            "stun://host",
        ];
        for text in wrong {
            let error = IceServer::parse(text).expect_err(text);
            assert_eq!(error.kind(), Kind::Usage);
        }
    }
}
