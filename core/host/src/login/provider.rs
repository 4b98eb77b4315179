//! Which login provider belongs to a base URL (transport.md §2.1): Viam's own are known, any
//! other base URL says it itself at `/.well-known/openid-configuration`.

use serde::Deserialize;
use viam_client::net::Net;
use viam_client::{BaseUrl, http_client};
use viam_contract::{Error, Kind, Result};

/// The production provider and this program's client there.
const PRODUCTION: (&str, &str) =
    ("https://viam-prod.fusionauth.io", "c1e41724-9b29-479f-abcc-7bfbe2e3309a");
/// The staging provider.
const STAGING: (&str, &str) =
    ("https://viam.fusionauth.io", "d7eb6419-301c-4ef1-a5e5-8e8bf28a87c0");
/// The client at providers of other base URLs.
const OTHER_CLIENT: &str = "viam-cli";

/// A login provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// This program's client id there; also the audience.
    pub client_id: String,
    /// RFC 8628 §3.1.
    pub device_endpoint: String,
    /// RFC 6749 §3.2.
    pub token_endpoint: String,
}

#[derive(Deserialize)]
struct Discovery {
    token_endpoint: Option<String>,
    device_authorization_endpoint: Option<String>,
}

/// Finds the provider.
///
/// # Errors
/// `Remote` when it cannot be reached or does not speak OpenID Connect.
pub async fn find(net: &Net, base_url: &BaseUrl) -> Result<Provider> {
    let (issuer, client_id) = if base_url.is_viam() {
        let (issuer, client) =
            if base_url.host.ends_with("viam.com") { PRODUCTION } else { STAGING };
        (issuer.to_owned(), client.to_owned())
    } else {
        (base_url.to_string(), OTHER_CLIENT.to_owned())
    };
    let url = format!("{issuer}/.well-known/openid-configuration");
    let fault = |why: String| {
        Error::new(Kind::Remote, format!("cannot log in to {base_url}: {url} {why}"))
            .hint_run("viam login api-key --key-id ID --key -")
    };
    let answer = http_client::get(net, &url).await?;
    if !answer.status.is_success() {
        return Err(fault(format!("answered {}", answer.status)));
    }
    let found: Discovery = serde_json::from_slice(&answer.body)
        .map_err(|error| fault("is no OpenID configuration".to_owned()).because(error))?;
    let endpoint = |name: &str, url: Option<String>| {
        let url = url.ok_or_else(|| fault(format!("names no {name}")))?;
        let parsed = BaseUrl::parse(&url)?;
        // Cleartext is for this machine, or for a base URL where the user has allowed it.
        if parsed.plaintext && !parsed.is_loopback() && parsed != *base_url {
            return Err(fault(format!("names a {name} without TLS: {url}")));
        }
        Ok(url)
    };
    Ok(Provider {
        client_id,
        device_endpoint: endpoint(
            "device_authorization_endpoint",
            found.device_authorization_endpoint,
        )?,
        token_endpoint: endpoint("token_endpoint", found.token_endpoint)?,
    })
}
