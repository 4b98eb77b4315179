use super::*;
use crate::Kind;
use clap::{Arg, ArgAction, Command};

fn tree() -> Command {
    Command::new("robots").bin_name("viam robots").subcommand_required(true).subcommand(
        Command::new("logs")
            .alias("log")
            .arg(Arg::new("machine").long("machine").alias("robot").required(true))
            .arg(Arg::new("tail").long("tail").short('f').action(ArgAction::SetTrue))
            .arg(Arg::new("errors").long("errors").action(ArgAction::SetTrue))
            .arg(Arg::new("component").long("component").short('c'))
            .arg(Arg::new("location-ids").long("location-ids")),
    )
}

fn run(words: &[&str]) -> (ArgMatches, Given, Vec<String>) {
    let args: Vec<OsString> = words.iter().map(OsString::from).collect();
    match parse_command(tree(), &args).expect("parses") {
        Parsed::Run { matches, given, warnings } => {
            let (_, leaf) = matches.subcommand().expect("leaf");
            (leaf.clone(), given, warnings)
        }
        Parsed::Help(text) => panic!("help: {text}"),
    }
}

fn fails(words: &[&str]) -> Error {
    let args: Vec<OsString> = words.iter().map(OsString::from).collect();
    match parse_command(tree(), &args) {
        Err(error) => error,
        Ok(_) => panic!("accepted"),
    }
}

#[test]
fn habits_of_the_existing_program_work() {
    for words in [
        &["logs", "--machine", "m", "--tail", "true"][..],
        &["logs", "-machine", "m", "-tail"],
        &["log", "--robot=m", "--tail=true"],
        &["logs", "-f", "--machine", "m"],
        &["logs", "-robot=m", "--tail", "true", "--errors", "false"],
    ] {
        let (leaf, ..) = run(words);
        assert_eq!(leaf.get_one::<String>("machine").map(String::as_str), Some("m"), "{words:?}");
        assert!(leaf.get_flag("tail"), "{words:?}");
        assert!(!leaf.get_flag("errors"), "{words:?}");
    }
}

#[test]
fn a20_underscores_count_as_dashes() {
    let (leaf, ..) = run(&["logs", "--machine=m", "--location_ids=123"]);
    assert_eq!(leaf.get_one::<String>("location-ids").map(String::as_str), Some("123"));
}

#[test]
fn a_value_may_begin_with_a_dash() {
    let (leaf, ..) = run(&["logs", "--machine", "-5"]);
    assert_eq!(leaf.get_one::<String>("machine").map(String::as_str), Some("-5"));
}

#[test]
fn global_flags_after_the_word_and_a_flag_of_ones_own_wins() {
    let (leaf, given, _) = run(&[
        "logs",
        "--machine=m",
        "--debug",
        "--format",
        "json",
        "-q",
        "-c",
        "cam",
        "--base_url=h",
    ]);
    assert!(given.debug && given.quiet);
    assert_eq!(given.format, Some(crate::Format::Json));
    assert_eq!(given.base_url.as_deref(), Some("h"));
    assert_eq!(leaf.get_one::<String>("component").map(String::as_str), Some("cam"));
    let (_, given, _) = run(&["logs", "--machine=m", "-vvv"]);
    assert!(given.debug);
}

#[test]
fn surplus_words_are_ignored_aloud() {
    let (_, _, warnings) = run(&["logs", "--machine=m", "extra"]);
    assert_eq!(warnings, ["ignoring the surplus argument \"extra\""]);
}

#[test]
fn errors_name_the_thing_and_the_next_step() {
    let error = fails(&["logs"]);
    assert_eq!(error.kind(), Kind::Usage);
    assert_eq!(error.message(), "required flag \"machine\" not set");
    assert_eq!(
        fails(&["logs", "--machin=m"]).message(),
        "unknown flag --machin for `viam robots logs`"
    );
    assert_eq!(fails(&["lgos"]).message(), "unknown command \"lgos\" for `viam robots`");
    assert!(format!("{:?}", fails(&["lgos"]).hints()).contains("did you mean `viam robots logs`?"));
}

#[test]
fn a_bare_group_is_help() {
    for words in [&[][..], &["--debug"], &["--help"], &["logs", "--help"], &["help"]] {
        let args: Vec<OsString> = words.iter().map(OsString::from).collect();
        assert!(
            matches!(parse_command(tree(), &args), Ok(Parsed::Help(text)) if text.contains("Usage:")),
            "{words:?}"
        );
    }
}

#[test]
fn leading_flags_are_read_by_hand() {
    let words = [
        "--debug",
        "--base-url",
        "h:1",
        "-q",
        "-c",
        "f.toml",
        "--format=json",
        "robots",
        "--debug",
    ];
    let leading = split_leading(words.map(OsString::from)).expect("splits");
    assert_eq!(leading.word, Some("robots".into()));
    assert_eq!(leading.rest, ["--debug"]);
    assert!(leading.given.debug && leading.given.quiet);
    assert_eq!(leading.given.base_url.as_deref(), Some("h:1"));
    assert_eq!(leading.given.config.as_deref(), Some(std::path::Path::new("f.toml")));

    let error = split_leading(["--bse-url".into(), "x".into()]).expect_err("unknown");
    assert_eq!(error.kind(), Kind::Usage);
    assert!(format!("{:?}", error.hints()).contains("--base-url"));
    assert!(split_leading(["--profile".into()]).is_err());
    assert!(split_leading(["--format=xml".into()]).is_err());
    assert!(!split_leading(["--debug=false".into()]).expect("switch").given.debug);
}

#[test]
fn the_words_of_another_program_are_left_alone() {
    let tree = Command::new("exec")
        .bin_name("viam plugin exec")
        .arg(Arg::new("plugin").required(true))
        .arg(Arg::new("args").num_args(0..).trailing_var_arg(true).allow_hyphen_values(true));
    let words = ["--debug", "hello", "-c", "x", "--debug", "--a_b", "--", "-h"].map(OsString::from);
    let Ok(Parsed::Run { matches, given, .. }) = parse_command(tree, &words) else {
        panic!("not parsed")
    };
    assert!(given.debug);
    let args: Vec<&String> = matches.get_many("args").expect("args").collect();
    assert_eq!(args, ["-c", "x", "--debug", "--a_b", "--", "-h"]);
}
