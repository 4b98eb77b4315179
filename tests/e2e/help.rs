//! Help, version, completion: what needs no session.

use viam_test::TestEnv;

#[test]
fn help_of_every_level_is_on_stdout_and_0() {
    let env = TestEnv::new();
    for words in [
        &[][..],
        &["help"],
        &["--help"],
        &["-h"],
        &["organizations"],
        &["organizations", "--help"],
        &["help", "organizations"],
        &["help", "organizations", "list"],
        &["organizations", "api-key"],
        &["organizations", "api-key", "create", "--help"],
        &["login", "--help"],
        &["help", "login"],
        &["sandbox"],
        &["robots", "list", "-h"],
        &["machines"],
        &["plugin"],
    ] {
        let outcome = env.viam(words).run().ok();
        assert!(outcome.out().contains("Usage: viam"), "{words:?}: {outcome}");
        assert!(outcome.stderr.is_empty(), "{words:?}: {outcome}");
    }
}

#[test]
fn the_version_line_is_the_known_one() {
    let env = TestEnv::new();
    let outcome = env.viam(&["version"]).run().ok();
    assert!(outcome.out().starts_with("Version 0.1.0 Git="), "{outcome}");
    assert_eq!(env.viam(&["--version"]).run().ok().stdout, outcome.stdout);
    let json = env.viam(&["version", "--format", "json"]).run().ok().json();
    assert_eq!(json["version"], "0.1.0");
    // Surplus words are ignored, as ever, but not silently.
    env.viam(&["version", "extra"]).run().ok().says("ignoring the surplus argument");
    env.viam(&["help", "--help"]).run().ok().prints("Usage: viam");
    // Neither a broken settings file nor a home that is none stops it.
    env.file(&env.home().join(".config/viam/config.toml"), "= broken", 0o644);
    env.viam(&["version"]).run().ok();
    env.viam(&["version"]).env("HOME", "/proc").run().ok();
    env.viam(&["version"]).env_remove("HOME").env_remove("PATH").run().ok();
}

#[test]
fn errors_of_the_command_line_are_2_and_name_the_next_step() {
    let env = TestEnv::new();
    for (words, said) in [
        (&["organizations", "lst"][..], "did you mean `viam organizations list`?"),
        (&["organizations", "list", "--fromat", "json"], "did you mean --format?"),
        (&["login", "api-key"], "Required flags \"key-id, key\" not set"),
        (&["--format", "xml", "version"], "text|json"),
        (&["--profile"], "needs an argument"),
        (&["robots", "list", "--all", "--location", "x"], "cannot be used"),
        (&["completion", "tcsh"], "bash"),
        (
            &["--profile", "p", "--disable-profiles", "whoami"],
            "Profile specified with disable-profiles flag set",
        ),
    ] {
        let outcome = env.viam(words).run().code(2).says(said).says("Hint: ");
        assert!(outcome.stdout.is_empty(), "{words:?}: {outcome}");
    }
}

#[test]
fn b22_completion_knows_words_flags_and_plugins_without_running_them() {
    let env = TestEnv::new();
    let trap = env.root().join("was-run");
    env.plugin("hello", &format!("#!/bin/sh\ntouch {}\n", trap.display()));
    env.file(
        &env.bin().join("viam-hello.plugin.toml"),
        "schema = \"viam.plugin/1\"\nname = \"hello\"\nsummary = \"say hello\"\n[[command]]\npath = [\"greet\"]\nsummary = \"greet one\"\n[[command.flag]]\nlong = \"kind\"\ntakes = \"enum:loud,soft\"\n",
        0o644,
    );
    let complete = |words: &[&str]| {
        let mut all = vec!["__complete", "--"];
        all.extend(words);
        env.viam(&all).run().ok().out()
    };
    assert!(complete(&["org"]).starts_with("organizations\t"));
    assert!(complete(&[""]).contains("hello\tsay hello\n"));
    assert!(complete(&["organizations", ""]).contains("api-key\t"));
    assert!(complete(&["robots", "list", "--"]).contains("--all\t"));
    assert!(complete(&["robots", "list", "--"]).contains("--format\t"));
    assert_eq!(complete(&["hello", "gr"]), "greet\tgreet one\n");
    assert_eq!(complete(&["hello", "greet", "--k"]), "--kind\n");
    assert_eq!(complete(&["hello", "greet", "--kind", ""]), "loud\nsoft\n");
    assert_eq!(complete(&["--format", ""]), "json\ntext\n");
    assert!(!trap.exists(), "the plugin was run");
}

#[test]
fn a_plugin_that_answers_completion_has_half_a_second() {
    let env = TestEnv::new();
    let side = |dynamic: &str| {
        env.file(
            &env.bin().join("viam-dyn.plugin.toml"),
            &format!(
                "schema = \"viam.plugin/1\"\nname = \"dyn\"\n[complete]\ndynamic = {dynamic}\n"
            ),
            0o644,
        );
    };
    side("true");
    env.plugin("dyn", "#!/bin/sh\n[ \"$1\" = --viam-complete ] && printf 'one\\tfirst\\ntwo\\n'\n");
    assert_eq!(env.viam(&["__complete", "--", "dyn", ""]).run().ok().out(), "one\tfirst\ntwo\n");
    env.plugin("dyn", "#!/bin/sh\necho rubbish; exit 3\n");
    assert_eq!(env.viam(&["__complete", "--", "dyn", ""]).run().ok().out(), "");
    env.plugin("dyn", "#!/bin/sh\nsleep 30\n");
    assert_eq!(env.viam(&["__complete", "--", "dyn", ""]).run().ok().out(), "");
}

#[test]
fn the_script_of_bash_completes() {
    let env = TestEnv::new();
    for shell in ["bash", "zsh", "fish", "powershell", "pwsh"] {
        let outcome = env.viam(&["completion", shell]).run().ok();
        assert!(outcome.out().contains("viam __complete"), "{outcome}");
    }
    let outcome = env
        .sh("source <(viam completion bash); COMP_WORDS=(viam organ); COMP_CWORD=1; _viam; printf '%s\\n' \"${COMPREPLY[@]}\"")
        .run()
        .ok();
    assert_eq!(outcome.out(), "organizations\n");
}

#[test]
fn the_scripts_of_zsh_and_fish_complete() {
    let env = TestEnv::new();
    let there = |shell: &str| {
        let found = env.sh(&format!("command -v {shell}")).run().code == 0;
        if !found {
            println!("SKIPPED 1: there is no {shell}");
        }
        found
    };
    if there("fish") {
        let script = "fish -c 'viam completion fish | source; complete -C \"viam organ\"'";
        env.sh(script).run().ok().prints("organizations\tlist organizations");
    }
    if there("zsh") {
        let script = "zsh -fc 'compdef() {}; _describe() { print -l -- ${(P)2} }; source <(viam completion zsh); words=(viam organ); CURRENT=2; _viam'";
        env.sh(script).run().ok().prints("organizations:list organizations");
    }
}

#[test]
fn a_closed_pipe_ends_quietly_and_a_full_disk_does_not() {
    let env = TestEnv::new();
    let outcome = env.sh("set -o pipefail; for i in $(seq 50); do viam help | head -1 >/dev/null || exit 9; done").run().ok();
    assert!(outcome.stderr.is_empty(), "{outcome}");
    env.sh("viam help > /dev/full").run().code(1).says("annot write the output");
    env.sh("viam version > /dev/full").run().code(1);
}
