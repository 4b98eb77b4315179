//! Proxies, private certificate authorities, addresses that do not work.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use viam_test::{TestEnv, TestSandbox, bin_dir};

use crate::support::{logged_in, nobody, organization_key};

/// A CONNECT proxy that sends every target to one address and keeps what was asked of it.
struct Proxy {
    url: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn to(target: &str, status: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
        let url = format!("http://{}", listener.local_addr().expect("address"));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (target, log) = (target.replace("http://", ""), Arc::clone(&seen));
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (target, log) = (target.clone(), Arc::clone(&log));
                std::thread::spawn(move || serve(client, &target, &log, status));
            }
        });
        Self { url, seen }
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().expect("lock").clone()
    }
}

fn serve(client: TcpStream, target: &str, log: &Mutex<Vec<String>>, status: &str) {
    let mut reader = BufReader::new(client.try_clone().expect("clone"));
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
            break;
        }
        head.push(line.trim().to_owned());
    }
    log.lock().expect("lock").extend(head);
    let mut client = client;
    if client.write_all(format!("HTTP/1.1 {status}\r\n\r\n").as_bytes()).is_err()
        || !status.starts_with("200")
    {
        return;
    }
    let Ok(server) = TcpStream::connect(target) else { return };
    let (mut up, mut down) = (server.try_clone().expect("clone"), server);
    let mut from_client = client.try_clone().expect("clone");
    std::thread::spawn(move || {
        drop(std::io::copy(&mut from_client, &mut up));
        drop(up.shutdown(std::net::Shutdown::Write));
    });
    drop(std::io::copy(&mut down, &mut client));
    drop(client.shutdown(std::net::Shutdown::Both));
}

#[test]
fn b31_b34_everything_goes_through_the_proxy() {
    let (donor, sandbox) = logged_in("fleet");
    let (id, key) = organization_key(&donor, "Acme Robotics");
    let proxy = Proxy::to(sandbox.url(), "200 fine");
    let mut env = TestEnv::new();
    // The name has no address here: what does not use the proxy fails.
    env.set("ALL_PROXY", proxy.url.replace("http://", "http://us%40er:p%3Aw@"));
    let there = ["--base-url", "http://app.example.test:8080", "--allow-plaintext"];
    fn with<'w>(there: &[&'w str], words: &[&'w str]) -> Vec<&'w str> {
        [there, words].concat()
    }
    env.viam(&with(&there, &["login", "api-key", "--key-id", &id, "--key", &key])).run().ok();
    env.viam(&with(&there, &["organizations", "list"])).run().ok().prints("Acme Robotics");
    assert!(
        proxy.seen().iter().any(|line| line == "CONNECT app.example.test:8080 HTTP/1.1"),
        "{:?}",
        proxy.seen()
    );
    // "us@er:p:w"
    assert!(
        proxy.seen().iter().any(|line| line == "Proxy-Authorization: Basic dXNAZXI6cDp3"
            || line == "proxy-authorization: Basic dXNAZXI6cDp3"),
        "{:?}",
        proxy.seen()
    );
    // The login provider too.
    let mut login =
        crate::support::Login::start(&env, &with(&there, &["login", "--no-browser"]), &[]);
    let code = login.code();
    sandbox.server.decide(&code, true).expect("decides");
    let (status, _, stderr) = login.end();
    assert_eq!(status, 0, "{stderr}");
    env.viam(&with(&there, &["organizations", "list"])).run().ok();
    // And a group that is an executable of its own.
    if let Some(core) = viam_test::core_only() {
        env.viam = core;
        std::os::unix::fs::symlink(
            bin_dir().join("viam-organizations"),
            env.bin().join("viam-organizations"),
        )
        .expect("link");
        env.viam(&with(&there, &["organizations", "list"])).run().ok().prints("Acme Robotics");
    }
}

#[test]
fn a_proxy_that_refuses_is_named_without_its_password() {
    let (env, sandbox) = logged_in("fleet");
    let proxy = Proxy::to(sandbox.url(), "407 Proxy Authentication Required");
    env.store_login("https://app.example.test:443", "t");
    let outcome = env
        .viam(&["organizations", "list"])
        .env("HTTPS_PROXY", proxy.url.replace("http://", "http://me:hidden@"))
        .run()
        .code(1);
    assert!(outcome.err().contains("proxy") && !outcome.err().contains("hidden"), "{outcome}");
    env.viam(&["organizations", "list"]).env("HTTPS_PROXY", nobody()).run().code(1);
    env.viam(&["organizations", "list"])
        .env("HTTPS_PROXY", "https://x:1")
        .run()
        .code(1)
        .says("ignoring HTTPS_PROXY");
    // A command that needs no network looks at no proxy.
    let outcome = env.viam(&["whoami"]).env("HTTPS_PROXY", "https://x:1").run().ok();
    assert!(outcome.stderr.is_empty(), "{outcome}");
}

#[test]
fn b33_this_machine_is_reached_past_a_dead_proxy() {
    let (env, _sandbox) = logged_in("fleet");
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "HTTP_PROXY", "http_proxy"] {
        env.viam(&["organizations", "list"]).env(name, "http://127.0.0.1:1").run().ok();
    }
}

#[test]
fn b35_a_private_authority_is_trusted_when_it_is_named() {
    let (env, sandbox) = logged_in("fleet");
    let (id, key) = organization_key(&env, "Acme Robotics");
    let port = sandbox.server.port();
    let url = format!("https://localhost:{port}");
    let pem = sandbox.server.certificate_pem();
    let ca = env.file(&env.root().join("ca.pem"), pem, 0o644);
    let other = TestEnv::new();
    let words = ["--base-url", &url, "login", "api-key", "--key-id", &id, "--key", &key];
    let outcome = other.viam(&words).run().code(1);
    assert!(
        outcome.err().contains("UnknownIssuer") && outcome.err().contains("SSL_CERT_FILE"),
        "{outcome}"
    );
    other.viam(&words).env("SSL_CERT_FILE", &ca).run().ok();
    other.viam(&["organizations", "list"]).env("SSL_CERT_FILE", &ca).run().ok().prints("Acme");
    // A file that cannot be read is named.
    let outcome =
        other.viam(&["organizations", "list"]).env("SSL_CERT_FILE", "/no/such.pem").run().code(1);
    assert!(outcome.err().contains("/no/such.pem"), "{outcome}");
}

#[test]
fn b37_an_address_that_accepts_and_resets_does_not_win() {
    if !rustix::process::getuid().is_root() {
        println!("SKIPPED 1: only root may give a name two addresses");
        return;
    }
    let (donor, sandbox) = logged_in("fleet");
    let (id, key) = organization_key(&donor, "Acme Robotics");
    // Two addresses of one name, the first of which accepts and resets.
    let bad = TcpListener::bind("127.0.0.1:0").expect("binds");
    let port = bad.local_addr().expect("address").port();
    let good = TcpListener::bind(("127.0.0.2", port)).expect("binds");
    let resets = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&resets);
    std::thread::spawn(move || {
        for stream in bad.incoming() {
            *counted.lock().expect("lock") += 1;
            drop(stream);
        }
    });
    let target = sandbox.url().replace("http://", "");
    std::thread::spawn(move || {
        for client in good.incoming().flatten() {
            let Ok(server) = TcpStream::connect(&target) else { continue };
            let pairs = [
                (client.try_clone(), server.try_clone()),
                (server.try_clone(), client.try_clone()),
            ];
            for (from, to) in pairs {
                let (mut from, mut to) = (from.expect("clone"), to.expect("clone"));
                std::thread::spawn(move || drop(std::io::copy(&mut from, &mut to)));
            }
        }
    });
    let env = TestEnv::new();
    let ca = env.file(&env.root().join("ca.pem"), sandbox.server.certificate_pem(), 0o644);
    let hosts =
        env.file(&env.root().join("hosts"), "127.0.0.1 localhost\n127.0.0.2 localhost\n", 0o644);
    let script = format!(
        "mount --bind {} /etc/hosts || exit 77; {} --base-url https://localhost:{port} login api-key --key-id {id} --key {key}",
        hosts.display(),
        env.viam.display()
    );
    let outcome = env
        .program("/usr/bin/unshare")
        .args(&["-m", "/bin/bash", "-c", &script])
        .env("SSL_CERT_FILE", &ca)
        .run();
    if outcome.code == 77 || outcome.err().contains("unshare failed") {
        println!("SKIPPED 1: a name cannot be given two addresses here");
        return;
    }
    let outcome = outcome.ok();
    assert!(*resets.lock().expect("lock") > 0, "the bad address was not tried: {outcome}");
}

#[test]
fn a_server_that_never_answers_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
    let url = format!("https://{}", listener.local_addr().expect("address"));
    let held = std::thread::spawn(move || {
        let mut all = Vec::new();
        while all.is_empty() {
            all.extend(listener.accept());
        }
        // Kept open, in silence, longer than the limit of a connection.
        std::thread::sleep(std::time::Duration::from_secs(8));
    });
    let env = TestEnv::new();
    env.store_login(&url, "t");
    env.viam(&["organizations", "list"]).run().code(1).says("did not answer within 5 s");
    held.join().expect("ends");
}

#[test]
fn debug_traces_each_call_and_masks_secrets() {
    let (env, sandbox) = logged_in("fleet");
    let login = sandbox.log_in(&env);
    let outcome = env.viam(&["--debug", "organizations", "list"]).run().ok();
    let peer = sandbox.url().replace("http://", "");
    assert!(
        outcome
            .err()
            .contains(&format!("rpc /viam.app.v1.AppService/ListOrganizations to {peer}: Ok in ")),
        "{outcome}"
    );
    for words in [&["organizations", "list", "--vvv"][..], &["-vvv", "organizations", "list"]] {
        let outcome = env.viam(words).run().ok();
        assert!(outcome.err().contains("rpc /viam"), "{outcome}");
        assert!(outcome.out().starts_with("Organizations for"), "{outcome}");
        assert!(!outcome.err().contains(&login.access_token), "{outcome}");
    }
    let (id, key) = organization_key(&env, "Acme Robotics");
    let outcome =
        env.viam(&["--debug", "login", "api-key", "--key-id", &id, "--key", &key]).run().ok();
    assert!(outcome.err().contains("Authenticate") && !outcome.err().contains(&key), "{outcome}");
    sandbox.log_in_until(&env, "2020-01-01T00:00:00Z");
    let refresh = env.session()["auth"]["refresh_token"].as_str().expect("token").to_owned();
    let outcome = env.viam(&["--debug", "organizations", "list"]).run().ok();
    assert!(
        outcome.err().contains("/oauth/token") && !outcome.err().contains(&refresh),
        "{outcome}"
    );
    drop(TestSandbox::start("empty"));
}
