//! Tokens that the sandbox signs: JSON web tokens with Ed25519. The key is stored with the data,
//! so that a token outlives a restart (cloud-side facts: a machine server goes on using its own).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use viam_contract::{Error, Kind, Result};

use super::secrets;

/// Signs and checks.
pub(crate) struct Signer {
    pair: Ed25519KeyPair,
    kid: String,
}

/// What an access token says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Access {
    pub(crate) iss: String,
    /// The id of the user or of the key.
    pub(crate) sub: String,
    pub(crate) aud: Vec<String>,
    pub(crate) iat: i64,
    pub(crate) exp: i64,
    pub(crate) jti: String,
    /// `api-key`, or `user`.
    pub(crate) rpc_creds_type: String,
    /// Tells it from an id token.
    pub(crate) token_use: String,
    /// Which secret of a key it was made for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) secret: Option<String>,
}

impl Access {
    /// What whoever has a key may do, without a token; whether the key is one is seen when it is
    /// looked up.
    pub(crate) fn of_key(id: &str, secret: &str) -> Self {
        Self::with("api-key", id, secret)
    }

    /// What the machine of a part may do, without a token.
    pub(crate) fn of_part(id: &str, secret: &str) -> Self {
        Self::with("robot-secret", id, secret)
    }

    fn with(kind: &str, id: &str, secret: &str) -> Self {
        Self {
            iss: String::new(),
            sub: id.to_owned(),
            aud: Vec::new(),
            iat: 0,
            exp: i64::MAX,
            jti: String::new(),
            rpc_creds_type: kind.to_owned(),
            token_use: ACCESS.to_owned(),
            secret: Some(secrets::fingerprint(secret)),
        }
    }
}

/// The `token_use` of [`Access`].
pub(crate) const ACCESS: &str = "access";

#[derive(Serialize)]
struct Header<'a> {
    alg: &'static str,
    kid: &'a str,
    typ: &'static str,
}

impl Signer {
    /// Makes a key; what comes back is to be stored.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub(crate) fn generate() -> Result<Vec<u8>> {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
            .map_err(|_| Error::new(Kind::Internal, "the system gives no random bytes"))?;
        Ok(document.as_ref().to_vec())
    }

    /// Takes a stored key.
    ///
    /// # Errors
    /// `Config` when it is none.
    pub(crate) fn new(stored: &[u8]) -> Result<Self> {
        let pair = Ed25519KeyPair::from_pkcs8(stored).map_err(|reason| {
            Error::new(Kind::Config, "the sandbox's stored signing key is broken")
                .because(reason.to_string())
                .hint_run("viam sandbox reset")
        })?;
        let public = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
        Ok(Self { pair, kid: secrets::fingerprint(&public) })
    }

    /// Signs claims.
    pub(crate) fn sign<T: Serialize>(&self, claims: &T) -> Result<String> {
        let part = |json: serde_json::Result<Vec<u8>>| {
            json.map(|json| URL_SAFE_NO_PAD.encode(json))
                .map_err(|error| Error::new(Kind::Internal, "cannot write a token").because(error))
        };
        let header = Header { alg: "EdDSA", kid: &self.kid, typ: "JWT" };
        let header = part(serde_json::to_vec(&header))?;
        let body = part(serde_json::to_vec(claims))?;
        let signed = format!("{header}.{body}");
        let signature = URL_SAFE_NO_PAD.encode(self.pair.sign(signed.as_bytes()).as_ref());
        Ok(format!("{signed}.{signature}"))
    }

    /// The claims of a token that this key signed.
    pub(crate) fn verify<T: DeserializeOwned>(&self, token: &str) -> Option<T> {
        let (signed, signature) = token.rsplit_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        UnparsedPublicKey::new(&ED25519, self.pair.public_key().as_ref())
            .verify(signed.as_bytes(), &signature)
            .ok()?;
        let (_, body) = signed.split_once('.')?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body).ok()?).ok()
    }

    /// The public key as a JSON web key set.
    pub(crate) fn key_set(&self) -> serde_json::Value {
        serde_json::json!({ "keys": [{
            "kty": "OKP",
            "crv": "Ed25519",
            "alg": "EdDSA",
            "use": "sig",
            "kid": self.kid,
            "x": URL_SAFE_NO_PAD.encode(self.pair.public_key().as_ref()),
        }] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_this_key_signed_is_believed() {
        let signer = Signer::new(&Signer::generate().expect("key")).expect("signer");
        let token = signer.sign(&serde_json::json!({ "sub": "x" })).expect("token");
        let claims: serde_json::Value = signer.verify(&token).expect("own token");
        assert_eq!(claims["sub"], "x");
        let other = Signer::new(&Signer::generate().expect("key")).expect("signer");
        assert!(other.verify::<serde_json::Value>(&token).is_none());
        for broken in ["", ".", "..", "a.b.c", &token[..token.len() - 2], &token.replace('.', "")] {
            assert!(signer.verify::<serde_json::Value>(broken).is_none(), "{broken}");
        }
    }
}
