//! The session that the core handed over.

use viam_contract::{Env, Error, Kind, Result, ResultExt as _, SESSION_SCHEMA, SessionDocument};

use crate::descriptor;

/// The session document, taken once at the start of the process.
#[derive(Clone, Debug)]
pub struct Session {
    /// What the core said.
    pub document: SessionDocument,
}

impl Session {
    /// Reads it from the place that `VIAM_SESSION` names. After that stdin is the user's.
    ///
    /// # Errors
    /// `Usage` when the program was not started by a core (stdin is not read then), `Internal`
    /// when the document is not one of schema 1.
    pub fn take(env: &Env) -> Result<Self> {
        let name = env.text("VIAM_PLUGIN_NAME").unwrap_or("NAME").to_owned();
        let Some(place) = env.text("VIAM_SESSION").filter(|_| protocol(env) == Some(1)) else {
            return Err(Error::new(Kind::Usage, "this program is a plugin of viam")
                .hint_text(format!("start it as `viam {name}`")));
        };
        if place == "none" {
            return Err(Error::new(Kind::Usage, "the core handed over no session")
                .hint_text("the plugin's manifest says session = \"none\""));
        }
        let stdin = env.text("VIAM_STDIN").unwrap_or("none");
        let bytes = descriptor::read_session(place, stdin)
            .or_kind(Kind::Internal, || format!("cannot read the session from {place}"))?;
        let document: SessionDocument = serde_json::from_slice(&bytes)
            .or_kind(Kind::Internal, || "the session document is not understood".to_owned())?;
        if document.schema != SESSION_SCHEMA {
            return Err(Error::new(
                Kind::NotStarted,
                format!("the session is of schema {:?}, not {SESSION_SCHEMA:?}", document.schema),
            )
            .hint_text("use a version of this plugin that fits your viam"));
        }
        Ok(Self { document })
    }
}

fn protocol(env: &Env) -> Option<u32> {
    env.text("VIAM_PLUGIN_PROTOCOL")?.parse().ok()
}
