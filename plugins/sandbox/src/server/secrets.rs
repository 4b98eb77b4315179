//! Random values, ids and digests.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest;
use ring::rand::{SecureRandom as _, SystemRandom};
use uuid::Uuid;
use viam_contract::{Error, Kind, Result};

/// The name space of ids that are made from names.
const NAMES: Uuid = Uuid::from_u128(0x6d1f_3f0e_9a51_4c55_8b0c_5a2d_7e64_10b7);

/// The letters of a user code: no vowels, nothing that looks like something else (RFC 8628 §6.1).
const CODE_LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";

/// The letters of the secret of a key.
const SECRET_LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Random bytes.
///
/// # Errors
/// When the system has no randomness to give.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| Error::new(Kind::Internal, "the system gives no random bytes"))?;
    Ok(bytes)
}

/// A random id in the form of a UUID.
pub(crate) fn id() -> Result<String> {
    Ok(uuid::Builder::from_random_bytes(bytes()?).into_uuid().to_string())
}

/// The id that belongs to a name, always the same.
pub(crate) fn id_of(name: &str) -> String {
    Uuid::new_v5(&NAMES, name.as_bytes()).to_string()
}

/// The secret of a key or of a part: 32 letters and digits.
pub(crate) fn secret() -> Result<String> {
    Ok(bytes::<32>()?
        .iter()
        .map(|byte| char::from(SECRET_LETTERS[usize::from(byte % 32)]))
        .collect())
}

/// A token without meaning.
pub(crate) fn token() -> Result<String> {
    Ok(URL_SAFE_NO_PAD.encode(bytes::<32>()?))
}

/// A code that a person can type: `WDJB-MJHT`.
pub(crate) fn user_code() -> Result<String> {
    let mut code = String::with_capacity(9);
    // Bytes that would make some letters likelier than others are left out.
    while code.len() < 9 {
        let [byte] = bytes()?;
        if byte < 240 {
            if code.len() == 4 {
                code.push('-');
            }
            code.push(char::from(CODE_LETTERS[usize::from(byte) % CODE_LETTERS.len()]));
        }
    }
    Ok(code)
}

/// What is stored instead of a token.
pub(crate) fn digest(token: &str) -> Vec<u8> {
    digest::digest(&digest::SHA256, token.as_bytes()).as_ref().to_vec()
}

/// A short form of a secret's digest: tells an old secret from a new one.
pub(crate) fn fingerprint(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(&digest(secret)[..9])
}

/// Whether two secrets are the same. Digests are compared, so that the time says nothing.
pub(crate) fn same(one: &str, other: &str) -> bool {
    digest(one) == digest(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_code_can_be_typed() {
        let code = user_code().expect("random");
        let letters = |part: &str| part.bytes().all(|letter| CODE_LETTERS.contains(&letter));
        assert!(
            code.len() == 9 && letters(&code[..4]) && &code[4..5] == "-" && letters(&code[5..])
        );
        assert_ne!(code, user_code().expect("random"));
    }

    #[test]
    fn ids_of_names_stay_the_same() {
        assert_eq!(id_of("organization/Acme Robotics"), id_of("organization/Acme Robotics"));
        assert_ne!(id_of("a"), id_of("b"));
        assert!(
            id_of("a").parse::<Uuid>().is_ok() && id().expect("random").parse::<Uuid>().is_ok()
        );
    }
}
