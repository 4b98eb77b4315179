//! A sandbox in this process, for the commands of one test.

use std::time::Duration;

use serde_json::json;
use viam_sandbox::seed::Seed;
use viam_sandbox::server::{FaultRule, FaultStatus, Login, Options, Running, Server};

use crate::TestEnv;

/// The user of every world.
pub(crate) const USER: &str = "demo@example.com";

/// A running sandbox.
pub struct TestSandbox {
    /// The server.
    pub server: Running,
}

impl TestSandbox {
    /// Starts one with a world, `fleet` or any other word of `--seed`.
    #[must_use]
    pub fn start(seed: &str) -> Self {
        Self::with(seed, |_| {})
    }

    /// Starts one with other options; devices poll every second.
    #[must_use]
    pub fn with(seed: &str, change: impl FnOnce(&mut Options)) -> Self {
        let mut options = Options {
            seed: Seed::parse(seed, std::path::Path::new("/")).unwrap(),
            device_interval: Duration::from_secs(1),
            // What the logs hold is what a test put there.
            heartbeat: Duration::from_secs(3600),
            capture: Duration::ZERO,
            record: true,
            ..Options::default()
        };
        change(&mut options);
        Self { server: Server::start(options).unwrap() }
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> &str {
        self.server.base_url()
    }

    /// Stores a login of the demo user, good until `expires_at` says (RFC 3339).
    pub fn log_in_until(&self, env: &TestEnv, expires_at: &str) -> Login {
        let login = self.server.login(USER).unwrap();
        env.store_session(&json!({
            "base_url": self.url(),
            "auth": {
                "access_token": login.access_token,
                "refresh_token": login.refresh_token,
                "id_token": login.id_token,
                "expires_at": expires_at,
                "token_type": "user-oauth-token",
                "token_url": login.token_url,
                "client_id": login.client_id,
                "user_data": { "Claims": null, "email": login.email, "sub": login.sub },
            },
            "last_update_check": "", "latest_version": "", "default_org": "", "default_location": "",
        }));
        login
    }

    /// Stores a login of the demo user that is good for years.
    pub fn log_in(&self, env: &TestEnv) -> Login {
        self.log_in_until(env, "2099-01-01T00:00:00Z")
    }

    /// How often a path was asked.
    #[must_use]
    pub fn asked(&self, path: &str) -> u64 {
        self.server.requests().of(path)
    }

    /// Answers the next `times` calls of a path with a gRPC status.
    pub fn fail(&self, path: &str, times: u32, code: i32, message: &str) {
        self.server.set_faults(vec![FaultRule {
            times,
            status: Some(FaultStatus { code, message: message.to_owned() }),
            ..FaultRule::on(path)
        }]);
    }
}
