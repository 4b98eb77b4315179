//! Who is logged in: the files of the existing program, read and written both ways
//! (transport.md §1–§3), and our own cache of exchanged tokens.

mod api_key;
mod claims;
mod device;
mod file;
mod profiles;
mod provider;
mod refresh;
mod sessions;
mod source;
mod tokens;

pub use api_key::{check_key, login_with_key, store_login};
pub use claims::{Claims, id_token_claims};
pub use device::{Approval, device_login};
pub use file::{ApiKey, Auth, Loaded, SessionFile, UserToken, change, forget, load};
pub use profiles::{Profile, Profiles};
pub use provider::{Provider, find as find_provider};
pub use sessions::{HostSessions, not_logged_in};
pub use source::{Credential, Login, Source};
pub use tokens::TokenCache;
