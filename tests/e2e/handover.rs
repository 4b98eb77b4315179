//! What a plugin gets: session, stdin, terminal, signals, environment (plugin-protocol §3–§6).

use std::io::{Read as _, Write as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::Stdio;

use viam_test::{TestEnv, full};

const TOKEN: &str = "the-access-token-%d-of-me";

fn logged_in() -> TestEnv {
    let env = TestEnv::new();
    env.store_login("https://app.viam.com:443", TOKEN);
    env
}

#[test]
fn the_session_comes_on_stdin_and_has_no_other_secret() {
    let env = logged_in();
    env.plugin("hello", "#!/bin/sh\ncat\n");
    let document = env.viam(&["hello"]).run().ok().json();
    let env_token = env.viam(&["login", "print-access-token"]).run().ok().out();
    assert_eq!(document["auth"]["access_token"], env_token.trim());
    assert_eq!(document["schema"], "viam.session/1");
    assert_eq!(document["auth"]["kind"], "bearer");
    assert_eq!(document["auth"]["subject"], "me@example.com");
    assert_eq!(document["auth"]["expires_at"], "2099-01-01T00:00:00Z");
    assert_eq!(document["plugin"]["name"], "hello");
    assert_eq!(document["plugin"]["kind"], "path");
    assert_eq!(document["endpoint"]["base_url"], "https://app.viam.com:443");
    assert_eq!(document["invocation"]["depth"], 1);
    assert_eq!(document["io"]["stdin"], "fd:3");
    let text = document.to_string();
    for secret in ["the-refresh-token", "the-id-token"] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[test]
fn a_three_line_script_reads_the_session_with_jq() {
    let env = logged_in();
    env.plugin("hello", "#!/bin/sh\nsession=$(cat); n=${VIAM_STDIN#fd:}; eval \"exec 0<&$n $n<&-\"\necho \"$session\" | jq -r .auth.access_token; cat\n");
    let outcome = env.viam(&["hello"]).stdin("from the user").run().ok();
    assert_eq!(outcome.out(), format!("{TOKEN}\nfrom the user"));
}

#[test]
fn nobody_logged_in_is_said_and_no_failure() {
    let env = TestEnv::new();
    env.plugin("hello", "#!/bin/sh\ncat\n");
    let document = env.viam(&["hello"]).run().ok().json();
    assert_eq!(document["auth"]["kind"], "none");
    assert_eq!(document["auth"].get("access_token"), None);
}

#[test]
fn no_secret_is_in_environment_or_argv() {
    let env = logged_in();
    env.plugin("spill", "#!/bin/sh\ncat /proc/$$/environ /proc/$$/cmdline | tr '\\0' '\\n'\n");
    let outcome = env.viam(&["spill", "word"]).run().ok();
    assert!(
        outcome.out().contains("VIAM_SESSION=stdin") && outcome.out().contains("word"),
        "{outcome}"
    );
    for secret in [TOKEN, "the-refresh-token", "the-id-token"] {
        assert!(!outcome.out().contains(secret), "{outcome}");
    }
}

#[test]
fn piped_data_of_any_size_arrives_whole() {
    let env = logged_in();
    env.plugin(
        "sum",
        "#!/bin/sh\ncat >/dev/null\nn=${VIAM_STDIN#fd:}; eval \"exec 0<&$n $n<&-\"\nsha256sum\n",
    );
    let size = if full() { 512 << 20 } else { 64 << 20 };
    let mut block = Vec::with_capacity(1 << 16);
    let mut state = 1_u32;
    while block.len() < 1 << 16 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        block.extend_from_slice(&state.to_le_bytes());
    }
    let feed = |mut sink: std::process::ChildStdin| {
        for _ in 0..size / block.len() {
            sink.write_all(&block).expect("writes");
        }
    };
    let sum = |mut command: std::process::Command| {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("starts");
        feed(child.stdin.take().expect("stdin"));
        let output = child.wait_with_output().expect("ends");
        String::from_utf8(output.stdout).expect("text")
    };
    let direct = sum(std::process::Command::new("sha256sum"));
    let by_plugin = sum(env.viam(&["sum"]).into_command());
    assert_eq!(by_plugin, direct);
}

#[test]
fn a_closed_stdin_is_none_and_a_null_one_is_the_users() {
    let env = logged_in();
    env.plugin("where", "#!/bin/sh\ncat >/dev/null\necho $VIAM_SESSION $VIAM_STDIN\n");
    let outcome = env.sh("viam where <&-; viam where </dev/null").run().ok();
    assert_eq!(outcome.out(), "stdin none\nstdin fd:3\n");
    // The lowest free descriptor: 3 and 4 are taken here.
    let outcome = env.sh("viam where 3</dev/null 4</dev/null").run().ok();
    assert_eq!(outcome.out(), "stdin fd:5\n");
}

#[test]
fn a_manifest_chooses_where_the_session_is() {
    let env = logged_in();
    let path = env.plugin("m", "#!/bin/bash\necho $VIAM_SESSION $VIAM_STDIN\nif [ $VIAM_SESSION != none ]; then cat <&${VIAM_SESSION#fd:} | jq -c .auth; fi\ncat\n");
    let side = path.with_file_name("viam-m.plugin.toml");
    let manifest = |run: &str| {
        env.file(&side, &format!("schema = \"viam.plugin/1\"\nname = \"m\"\n{run}\n"), 0o644);
        env.viam(&["m"]).stdin("user").run()
    };
    let outcome = manifest("[run]\nsession = \"fd\"").ok();
    assert!(outcome.out().starts_with("fd:3 inherit\n{\"kind\":\"bearer\""), "{outcome}");
    assert!(outcome.out().ends_with("user"), "{outcome}");
    assert_eq!(manifest("[run]\nsession = \"none\"").ok().out(), "none inherit\nuser");
    let outcome = manifest("[run]\nsession = \"fd\"\nauth = \"none\"").ok();
    assert!(outcome.out().contains("withheld") && !outcome.out().contains(TOKEN), "{outcome}");
    manifest("[run]\nauth = \"downloads\"").code(125).says("downloads");
    manifest("[requires]\nprotocol = 2").code(125).says("protocol 2");
    manifest("[requires]\ncore = \">=99\"").code(125).says("needs viam >=99");
    manifest("[run]\nsession = \"fdd\"").code(125).says("viam-m.plugin.toml");
    std::fs::remove_file(env.session_file()).expect("logs out");
    manifest("[run]\nauth = \"required\"").code(4).says("needs a login");
}

#[test]
fn a_section_of_the_settings_is_handed_over() {
    let env = logged_in();
    env.plugin("hello", "#!/bin/sh\njq -c .config\n");
    assert_eq!(env.viam(&["hello"]).run().ok().out(), "{}\n");
    env.file(&env.home().join(".config/viam/config.toml"), "[plugin.hello]\nmarker = 'x'\n", 0o644);
    assert_eq!(env.viam(&["hello"]).run().ok().out(), "{\"marker\":\"x\"}\n");
    let huge = format!("[plugin.hello]\nmarker = '{}'\n", "x".repeat(70_000));
    env.file(&env.home().join(".config/viam/config.toml"), &huge, 0o644);
    env.viam(&["hello"]).run().code(125).says("61440");
}

#[test]
fn exit_codes_and_signals_are_the_plugins_own() {
    let env = logged_in();
    env.plugin("code", "#!/bin/sh\nexit $1\n");
    for code in [0, 1, 2, 3, 42, 125, 127, 255] {
        let outcome = env.viam(&["code", &code.to_string()]).run().code(code);
        assert!(outcome.stderr.is_empty(), "{outcome}");
    }
    env.plugin("wait", "#!/bin/bash\necho ready\nexec sleep 60\n");
    let mut child = env.viam(&["wait"]).spawn();
    let mut line = [0; 6];
    child.stdout.as_mut().expect("stdout").read_exact(&mut line).expect("ready");
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("kill");
    assert_eq!(child.wait().expect("ends").signal(), Some(15));
}

#[test]
fn sigpipe_is_as_the_system_has_it_and_an_ignored_signal_stays_ignored() {
    let env = logged_in();
    env.plugin("sig", "#!/bin/sh\ngrep SigIgn /proc/self/status\n");
    let ignored = |script: &str| {
        let outcome = env.sh(script).run().ok();
        let mask = outcome.out().split_whitespace().last().unwrap_or_default().to_owned();
        u64::from_str_radix(&mask, 16).expect("mask")
    };
    assert_eq!(ignored("viam sig") & (1 << 12), 0, "SIGPIPE is ignored");
    assert_ne!(ignored("trap '' HUP; viam sig") & 1, 0, "SIGHUP is no longer ignored");
}

#[test]
fn b3_one_ctrl_c_is_one_signal_and_a_terminal_is_a_terminal() {
    let env = logged_in();
    let log = env.root().join("log");
    // A shell forgets an interrupt that comes just as a command of its ends by itself; one that
    // comes while it is in `wait`, or before it, always runs the trap.
    env.plugin(
        "tty",
        &format!(
            "#!/bin/bash\ncat >/dev/null; exec <&3 3<&-\n[ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo tty-yes\ntrap 'echo int >> {log}' INT\nsleep 5 </dev/null >/dev/null 2>&1 &\necho waiting\nwait\nkill $!\nsleep 0.3\necho done\n",
            log = log.display()
        ),
    );
    let (mut pty, pts) = pty_process::blocking::open().expect("pty");
    // Whatever started the tests may have ignored the signal (a shell's background job).
    let mut command = pty_process::blocking::Command::new("/usr/bin/env")
        .arg("--default-signal=INT")
        .arg(&env.viam)
        .arg("tty")
        .env_clear();
    for (name, value) in [("HOME", env.home().into_os_string()), ("PATH", env.path())] {
        command = command.env(name, value);
    }
    let mut child = command.spawn(pts).expect("starts");
    let _watch = crate::support::Watch::on(&child);
    let mut seen = String::new();
    let mut buffer = [0; 1024];
    let mut interrupted = false;
    while let Ok(length) = pty.read(&mut buffer) {
        if length == 0 {
            break;
        }
        seen.push_str(&String::from_utf8_lossy(&buffer[..length]));
        if seen.contains("waiting") && !interrupted {
            pty.write_all(b"\x03").expect("types");
            interrupted = true;
        }
        if seen.contains("done") {
            break;
        }
    }
    child.wait().expect("ends");
    assert!(seen.contains("tty-yes"), "{seen}");
    assert_eq!(std::fs::read_to_string(&log).unwrap_or_default(), "int\n");
}

#[test]
fn the_process_is_replaced_and_no_parent_stays() {
    let env = logged_in();
    env.plugin("pid", "#!/bin/sh\necho $$\n");
    let child = env.viam(&["pid"]).spawn();
    let pid = child.id();
    let output = child.wait_with_output().expect("ends");
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), pid.to_string());
}

#[test]
fn the_working_folder_and_umask_stay() {
    let env = logged_in();
    env.plugin("here", "#!/bin/sh\npwd; umask\n");
    let mut command = env.viam(&["here"]).into_command();
    let output = command.current_dir("/usr").process_group(0).output().expect("runs");
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("/usr\n"));
}

#[test]
fn credentials_of_the_environment_stay_for_call_backs() {
    let mut env = TestEnv::new();
    env.set("VIAM_API_KEY_ID", "kid");
    env.set("VIAM_API_KEY", "secret");
    env.set("VIAM_BASE_URL", crate::support::nobody());
    env.plugin("back", "#!/bin/sh\ncat | jq -c .auth.kind\n\"$VIAM_CLI\" whoami\n");
    let outcome = env.viam(&["back"]).run().ok();
    // No server is there to exchange the key, which is said and stops nothing.
    assert_eq!(outcome.out(), "\"expired\"\nkey-kid\n");
    assert!(outcome.err().contains("gets no token"), "{outcome}");
}

#[test]
fn the_environment_and_the_document_carry_profile_settings_and_defaults() {
    let env = logged_in();
    let words = ["profiles", "add", "--profile-name", "prod", "--key-id", "kid", "--key", "secret"];
    env.viam(&words).run().ok();
    let file = env.login_dir().join("prod_cached_cli_config.json");
    let mut session: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&file).expect("file")).expect("JSON");
    session["default_org"] = "the-org".into();
    session["default_location"] = "the-location".into();
    env.file(&file, &session.to_string(), 0o600);
    env.file(&env.root().join("work/own.toml"), "[plugin.see]\nx = 1\n", 0o644);
    let path = env.plugin(
        "see",
        "#!/bin/sh\nenv | grep -E '^VIAM_(CLI_PROFILE_NAME|CONFIG|ORG_ID|LOCATION_ID|PLUGIN_DATA_DIR)=' | sort\ncat <&${VIAM_SESSION#fd:}\n",
    );
    // Without a token, so that no server is needed.
    let side = path.with_file_name("viam-see.plugin.toml");
    let manifest =
        "schema = \"viam.plugin/1\"\nname = \"see\"\n[run]\nsession = \"fd\"\nauth = \"none\"\n";
    env.file(&side, manifest, 0o644);
    let outcome = env.viam(&["--profile", "prod", "-c", "own.toml", "see"]).run().ok();
    let (root, home) = (env.root().display(), env.home());
    let data = home.join(".local/share/viam/plugin-data/see");
    let expected = format!(
        "VIAM_CLI_PROFILE_NAME=prod\nVIAM_CONFIG={root}/work/own.toml\nVIAM_LOCATION_ID=the-location\nVIAM_ORG_ID=the-org\nVIAM_PLUGIN_DATA_DIR={}\n",
        data.display()
    );
    let out = outcome.out();
    let (seen, document) = out.split_at(out.find('{').expect("document"));
    assert_eq!(seen, expected);
    let document: serde_json::Value = serde_json::from_str(document).expect("JSON");
    assert_eq!(document["invocation"]["profile"], "prod");
    assert_eq!(document["defaults"]["org_id"], "the-org");
    assert_eq!(document["config"]["x"], 1);
    assert_eq!(document["io"]["stdin"], "inherit");
    for stream in ["stdin_tty", "stdout_tty", "stderr_tty", "interactive"] {
        assert_eq!(document["io"][stream], false, "{stream}");
    }
    // What the user had set for an outer plugin does not reach this one.
    let plain =
        env.viam(&["see"]).env("VIAM_ORG_ID", "outer").env("VIAM_LOCATION_ID", "outer").run();
    assert!(!plain.ok().out().contains("outer"));
}

#[test]
fn a_nested_plugin_gets_a_session_of_its_own() {
    let env = logged_in();
    env.plugin("outer", "#!/bin/sh\ncat >/dev/null; n=${VIAM_STDIN#fd:}; eval \"exec 0<&$n $n<&-\"\nexec \"$VIAM_CLI\" inner\n");
    env.plugin("inner", "#!/bin/sh\nsession=$(cat); echo $VIAM_SESSION $VIAM_STDIN $VIAM_PLUGIN_NAME\necho \"$session\" | jq -c '[.plugin.name,.invocation.depth,.auth.kind]'\nn=${VIAM_STDIN#fd:}; eval \"exec 0<&$n $n<&-\"; cat\n");
    let outcome = env.viam(&["outer"]).stdin("of the user").run().ok();
    assert_eq!(outcome.out(), "stdin fd:3 inner\n[\"inner\",2,\"bearer\"]\nof the user");
}
