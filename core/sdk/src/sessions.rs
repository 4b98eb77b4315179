//! Login and connections of a plugin: the token of the document, and the core for a new one.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::Mutex;
use viam_client::BaseUrl;
use viam_client::net::Net;
use viam_client::wire::TokenSource;
use viam_contract::{
    BoxFuture, Env, Error, Exit, Job, Kind, Output, Result, SessionDocument, Sessions,
    Spawner as _, Target, Wire, text,
};

use crate::connect;
use crate::doors::Processes;

/// The session of the document.
pub(crate) struct DocumentSessions {
    tokens: Arc<Tokens>,
    document: SessionDocument,
    output: Arc<Output>,
    net: Net,
}

struct Tokens {
    core: PathBuf,
    current: Mutex<Option<String>>,
}

impl DocumentSessions {
    pub(crate) fn new(document: SessionDocument, env: &Env, output: Arc<Output>) -> Self {
        let net = connect::net(env, &output);
        let tokens = Arc::new(Tokens {
            core: document.core.path.clone().into(),
            current: Mutex::new(document.auth.access_token.clone()),
        });
        Self { tokens, document, output, net }
    }
}

impl TokenSource for Tokens {
    fn bearer<'a>(&'a self, rejected: Option<&'a str>) -> BoxFuture<'a, Result<Option<String>>> {
        Box::pin(async move {
            let mut current = self.current.lock().await;
            if let Some(token) = &*current
                && rejected != Some(token.as_str())
            {
                return Ok(Some(token.clone()));
            }
            let token = self.ask_core().await?;
            if rejected == Some(token.as_str()) {
                return Ok(None);
            }
            *current = Some(token.clone());
            Ok(Some(token))
        })
    }
}

impl Tokens {
    /// `"$VIAM_CLI" login print-access-token` (plugin-protocol §5).
    async fn ask_core(&self) -> Result<String> {
        let args = ["login", "print-access-token"].map(Into::into).to_vec();
        // Such a token is for a program, whatever the format of our own results.
        let job = Job { program: self.core.clone(), args, ..Job::default() };
        let captured = Processes.capture(job).await?;
        let token = String::from_utf8_lossy(&captured.stdout).trim().to_owned();
        if captured.exit == Exit::OK && !token.is_empty() {
            return Ok(token);
        }
        let said = String::from_utf8_lossy(&captured.stderr);
        Err(Error::new(Kind::Auth, "the core has no token for this plugin")
            .because(text::one_line(said.trim()).into_owned())
            .hint_run("viam login"))
    }
}

impl Sessions for DocumentSessions {
    fn subject(&self) -> Result<String> {
        let auth = &self.document.auth;
        match (&auth.subject, auth.kind.as_str()) {
            (Some(subject), _) => Ok(subject.clone()),
            (None, "bearer") => Ok(String::new()),
            _ => Err(connect::not_logged_in(
                &self.document.endpoint.base_url,
                auth.reason.as_deref(),
            )),
        }
    }

    fn base_url(&self) -> Result<String> {
        Ok(self.document.endpoint.base_url.clone())
    }

    fn wire<'a>(&'a self, target: &'a Target) -> BoxFuture<'a, Result<Wire>> {
        Box::pin(async move {
            if let Target::Address { address, key } = target {
                return connect::address(&self.output, &self.net, address, key.clone());
            }
            self.subject()?;
            let base_url = BaseUrl::parse(&self.document.endpoint.base_url)?;
            let tokens = Arc::clone(&self.tokens) as Arc<dyn TokenSource>;
            match target {
                // The secret of a key stays in the core (plugin-protocol §5).
                Target::Lan { fqdn, at } => connect::lan(&self.output, &self.net, fqdn, at, None),
                Target::Part { fqdn } => {
                    connect::part(&self.output, &self.net, &base_url, fqdn, tokens)
                }
                Target::Web => Ok(connect::web(&self.output, &self.net, &base_url, tokens)),
                _ => connect::open(&self.output, &self.net, &base_url, tokens),
            }
        })
    }
}
