//! Which program runs, and with which words (plugin-protocol §2, §3).

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

use viam_test::{TestEnv, bin_dir};

/// Prints each argument in angle brackets.
const ECHO_ARGS: &str =
    "#!/bin/sh\nexec <&3 3<&-\nfor a in \"$@\"; do printf '<%s>' \"$a\"; done\n";

#[test]
fn b16_b17_everything_after_the_name_belongs_to_the_plugin() {
    let env = TestEnv::new();
    env.plugin("echoargs", ECHO_ARGS);
    let words =
        ["--debug", "echoargs", "-c", "x", "--debug", "--profile", "p", "--", "--help", "-h", "-q"];
    let outcome = env.viam(&words).run().ok();
    assert_eq!(outcome.out(), "<-c><x><--debug><--profile><p><--><--help><-h><-q>");
    let outcome = env.viam(&["echoargs", "-h", "--version", "-vvv", "", "a b", "*"]).run().ok();
    assert_eq!(outcome.out(), "<-h><--version><-vvv><><a b><*>");
}

#[test]
fn arguments_that_are_no_text_arrive_byte_for_byte() {
    let env = TestEnv::new();
    env.plugin("echoargs", ECHO_ARGS);
    let odd = OsString::from_vec(vec![b'a', 0xff, 0xfe, b'\n', b'z']);
    let outcome = env.viam(&[]).args(&[OsStr::new("echoargs"), &odd]).run().ok();
    assert_eq!(outcome.stdout, [b"<", odd.as_bytes(), b">"].concat());
}

#[test]
fn argv0_is_the_file_name() {
    let env = TestEnv::new();
    env.plugin("zero", "#!/bin/bash\necho \"$(basename \"$0\")\"\n");
    env.viam(&["zero"]).run().ok().prints("viam-zero");
}

#[test]
fn help_of_a_plugin_is_its_own() {
    let env = TestEnv::new();
    env.plugin("echoargs", ECHO_ARGS);
    assert_eq!(env.viam(&["help", "echoargs"]).run().ok().out(), "<--help>");
    assert_eq!(env.viam(&["--help", "echoargs"]).run().ok().out(), "<--help>");
}

#[test]
fn b13_what_is_built_in_cannot_be_replaced() {
    let env = TestEnv::new();
    let shadowed = env.plugin("login", "#!/bin/sh\necho stolen\n");
    env.plugin("organizations", "#!/bin/sh\necho stolen\n");
    let outcome = env.viam(&["login", "--help"]).run().ok();
    assert!(!outcome.out().contains("stolen"), "{outcome}");
    let outcome = env.viam(&["organizations", "--help"]).run().ok();
    assert!(!outcome.out().contains("stolen"), "{outcome}");
    let outcome = env.viam(&["plugin", "which", "login"]).run().ok();
    assert_eq!(outcome.out(), format!("login (core)\nshadowed: {}\n", shadowed.display()));
    let outcome = env.viam(&["plugin", "list"]).run().ok();
    assert!(outcome.out().contains("shadowed"), "{outcome}");
    let path = shadowed.display().to_string();
    env.viam(&["plugin", "exec", &path]).run().ok().prints("stolen");
    env.viam(&["plugin", "exec", "login"]).run().ok().prints("stolen");
    // Under --debug the loser is named.
    env.viam(&["--debug", "organizations", "list"]).run().code(4).says("viam-organizations");
}

#[test]
fn b14_a_plugin_that_calls_itself_is_stopped() {
    let env = TestEnv::new();
    let count = env.root().join("count");
    let script = format!("#!/bin/sh\necho x >> {}\nexec \"$VIAM_CLI\" loop\n", count.display());
    env.plugin("loop", &script);
    env.viam(&["loop"]).run().code(125).says("16 deep").says("viam-loop");
    assert_eq!(std::fs::read_to_string(count).expect("count").lines().count(), 16);
}

#[test]
fn b15_the_running_core_is_named() {
    let env = TestEnv::new();
    env.plugin("viam-shadow", "#!/bin/sh\n");
    env.file(&env.bin().join("viam"), "#!/bin/sh\necho another viam\n", 0o755);
    env.plugin("who", "#!/bin/sh\nexec \"$VIAM_CLI\" version\n");
    let outcome = env.viam(&["who"]).run().ok();
    assert!(outcome.out().starts_with("Version "), "{outcome}");
}

#[test]
fn b19_odd_entries_of_path_do_not_stop_the_search() {
    let env = TestEnv::new();
    env.plugin("x", "#!/bin/sh\necho found\n");
    let closed = env.root().join("closed");
    std::fs::create_dir(&closed).expect("dir");
    std::fs::set_permissions(&closed, std::os::unix::fs::PermissionsExt::from_mode(0o000))
        .expect("mode");
    let path = format!("{}:/no/such/dir::relative:{}", closed.display(), env.bin().display());
    env.viam(&["x"]).env("PATH", &path).run().ok().prints("found");
    // For a user who is not root, and may really not look there.
    let script = format!("PATH={path} viam x");
    crate::support::as_nobody(&env, &script).ok().prints("found");
    // Neither an empty entry nor a relative one means the working folder.
    env.file(&env.root().join("work/viam-here"), "#!/bin/sh\necho here\n", 0o755);
    env.file(&env.root().join("work/relative/viam-here"), "#!/bin/sh\necho here\n", 0o755);
    env.viam(&["here"]).env("PATH", &path).run().code(127);
    std::fs::set_permissions(&closed, std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .expect("mode");
}

#[test]
fn b8_an_unknown_word_says_what_was_searched_and_what_is_near() {
    let env = TestEnv::new();
    env.plugin("hello", "#!/bin/sh\n");
    let outcome = env.viam(&["nosuch"]).run().code(127).says("viam-nosuch").says("PATH");
    assert!(outcome.stdout.is_empty(), "{outcome}");
    env.viam(&["helo"]).run().code(127).says("did you mean `viam hello`");
    env.viam(&["organisations"]).run().code(127).says("`viam organizations`");
    for odd in ["Hello", "hel lo", "../hello", "hello-", "-", ""] {
        env.viam(&[odd]).run().code(127);
    }
    let odd = OsString::from_vec(vec![b'h', 0xff]);
    env.viam(&[]).args(&[&odd]).run().code(127).says("is not a command");
}

#[test]
fn viams_own_programs_on_path_are_no_plugins() {
    let env = TestEnv::new();
    for own in ["server", "agent", "amd64", "arm64", "cli", "cli-stable-linux-amd64"] {
        env.plugin(own, "#!/bin/sh\necho run\n");
        env.viam(&[own]).run().code(127);
    }
    // A link of any name to the core itself is not one either.
    std::os::unix::fs::symlink(&env.viam, env.bin().join("viam-me")).expect("link");
    env.viam(&["me"]).run().code(127);
    let outcome = env.viam(&["plugin", "list"]).run().ok();
    assert_eq!(outcome.out(), "", "{outcome}");
}

#[test]
fn a1_the_name_of_the_program_file_means_nothing() {
    let mut env = TestEnv::new();
    let copy = env.bin().join("viam-amd64");
    std::fs::copy(&env.viam, &copy).expect("copy");
    env.viam = copy;
    env.viam(&["version"]).run().ok().prints("Version ");
    let outcome = env.viam(&["auth", "api-key", "--key-id", "k"]).run().code(2);
    assert!(
        outcome.err().contains("required flag \"key\" not set")
            || outcome.err().contains("Required flag \"key\" not set"),
        "{outcome}"
    );
}

#[test]
fn global_flags_before_the_word_are_carried_over_or_refused() {
    let env = TestEnv::new();
    env.plugin(
        "env",
        "#!/bin/sh\necho $VIAM_DEBUG $VIAM_COLOR $VIAM_FORMAT $VIAM_QUIET $VIAM_BASE_URL $VIAM_NO_INPUT\necho $VIAM_PLUGIN_PROTOCOL $VIAM_PLUGIN_NAME $VIAM_PLUGIN_DEPTH $VIAM_CLI_VERSION $VIAM_SESSION $VIAM_STDIN\n",
    );
    let words = [
        "--debug",
        "--color=never",
        "--format",
        "json",
        "-q",
        "--base-url",
        "H.example.com",
        "--no-input",
        "env",
    ];
    let outcome = env.viam(&words).run().ok();
    assert_eq!(
        outcome.out(),
        "1 never json 1 https://h.example.com:443 1\n1 env 1 0.1.0 stdin fd:3\n"
    );
    env.plugin("back", "#!/bin/sh\nexec \"$VIAM_CLI\" whoami --format json\n");
    let there = ["--allow-plaintext", "--base-url", "http://h.example", "back"];
    assert_eq!(env.viam(&there).run().code(4).json()["base_url"], "http://h.example:8080");
    env.viam(&["--check-connection-interval", "5s", "env"])
        .run()
        .code(2)
        .says("cannot be passed on");
    env.viam(&["--no-such-flag", "env"]).run().code(2).says("nknown flag").says("help");
    env.viam(&["--profile", "nope", "env"]).run().code(1).says("not found");
}

#[test]
fn a_nested_core_does_not_change_its_output_by_the_outer_flags() {
    let env = TestEnv::new();
    env.plugin("nest", "#!/bin/sh\nexec \"$VIAM_CLI\" version\n");
    let outcome = env.viam(&["--format", "json", "-q", "nest"]).run().ok();
    assert!(outcome.out().starts_with("Version "), "{outcome}");
}

#[test]
fn groups_are_executables_of_their_own_under_a_core_without_them() {
    let Some(core) = viam_test::core_only() else {
        println!("SKIPPED 1: no core without groups; `cargo xtask test` builds one");
        return;
    };
    let mut env = TestEnv::new();
    env.viam = env.root().join("prefix/bin/viam");
    std::fs::create_dir_all(env.root().join("prefix/bin")).expect("dir");
    std::fs::copy(core, &env.viam).expect("copy");
    env.viam(&["organizations", "list"]).run().code(127).says("built without `organizations`");
    // By PATH.
    let group = bin_dir().join("viam-organizations");
    std::os::unix::fs::symlink(&group, env.bin().join("viam-organizations")).expect("link");
    env.viam(&["org", "list"]).run().code(4).says("Not logged in");
    env.viam(&["organizations", "lst"])
        .run()
        .code(2)
        .says("did you mean `viam organizations list`?");
    let outcome = env.viam(&["organizations", "list", "--help"]).run().ok();
    assert!(outcome.out().contains("Usage: viam organizations list"), "{outcome}");
    // By the folder of a package, which comes first.
    let system = env.root().join("prefix/libexec/viam");
    std::fs::create_dir_all(&system).expect("dir");
    std::os::unix::fs::symlink(&group, system.join("viam-organizations")).expect("link");
    env.plugin("organizations", "#!/bin/sh\necho from PATH\n");
    env.viam(&["organization", "list"]).run().code(4).says("Not logged in");
    let outcome = env.viam(&["plugin", "which", "organizations"]).run().ok();
    assert!(outcome.out().contains("libexec/viam/viam-organizations\nshadowed: "), "{outcome}");
}

#[test]
fn a_group_started_by_hand_says_how_to_start_it() {
    let env = TestEnv::new();
    let group = bin_dir().join("viam-organizations");
    let outcome = env.program(group).args(&["list"]).stdin("unread").run().code(2);
    assert!(outcome.err().contains("run `viam organizations --help`"), "{outcome}");
}

#[test]
fn exec_hands_every_word_on_too() {
    let env = TestEnv::new();
    let path = env.plugin("echoargs", ECHO_ARGS);
    for plugin in ["echoargs", &path.display().to_string()] {
        let words = ["plugin", "exec", plugin, "-c", "x", "--debug", "--a_b", "--help", "-q"];
        let outcome = env.viam(&words).run().ok();
        assert_eq!(outcome.out(), "<-c><x><--debug><--a_b><--help><-q>");
    }
    env.viam(&["plugin", "exec", "nosuch"]).run().code(127);
    env.viam(&["plugin", "exec", "./viam-nosuch"]).run().code(127);
    env.viam(&["plugin", "exec", "/bin/sh"]).run().code(2);
}

#[test]
fn a_folder_twice_on_path_shadows_nothing() {
    let env = TestEnv::new();
    let path = env.plugin("x", "#!/bin/sh\n");
    let link = env.root().join("link");
    std::os::unix::fs::symlink(env.bin(), &link).expect("link");
    let (bin, link) = (env.bin().display().to_string(), link.display().to_string());
    let twice = format!("{bin}:{bin}:{link}:/usr/bin:/bin");
    let listed = env.viam(&["plugin", "list", "--format", "json"]).env("PATH", &twice).run().ok();
    let listed = listed.json();
    assert_eq!(listed.as_array().map(Vec::len), Some(1), "{listed}");
    assert_eq!(listed[0]["status"], "ok", "{listed}");
    let which = env.viam(&["plugin", "which", "x"]).env("PATH", &twice).run().ok();
    assert_eq!(which.out(), format!("{}\n", path.display()));
}
