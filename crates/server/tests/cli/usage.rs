//! What is asked for: help with examples, exit code 2 for what is no command, and the configuration.

use crate::hawker::Hawker;

const COMMANDS: [&str; 16] = [
    "demo",
    "init",
    "import",
    "quarantine",
    "train",
    "evaluate",
    "click",
    "campaign",
    "learn",
    "lift",
    "run",
    "report",
    "status",
    "export",
    "bench",
    "recommend",
];

#[test]
fn every_command_has_help_with_an_example() {
    let hawker = Hawker::new();
    let overview = hawker.says(&["--help"]);
    for command in COMMANDS {
        assert!(
            overview.contains(&format!("\n  {command} ")),
            "{command} is not in {overview}"
        );
        let help = hawker.says(&[command, "--help"]);
        let example = help.split("Example:\n").nth(1).expect("an example");
        let own = format!("  hawker {command}");
        assert!(example.lines().any(|line| line.starts_with(&own)), "{help}");
        assert!(
            help.contains("--data-dir") && help.contains("--json"),
            "{help}"
        );
    }
    assert!(!hawker.data().exists(), "help makes no data directory");
}

#[test]
fn what_is_no_command_ends_with_code_2_and_says_what_is() {
    let hawker = Hawker::new();
    let campaign = ["campaign", "--goal", "click", "--out", "x", "--channel"];
    for (arguments, hint) in [
        (&["tran"] as &[&str], "train"),
        (
            &["import", "online-retial", "a.csv"],
            "did you mean `online-retail`?",
        ),
        (&["import", "online-retail"], "<PATHS>"),
        (
            &["import", "segment", "a", "--consent", "push"],
            "push:marketing=granted",
        ),
        (
            &[
                "import",
                "segment",
                "a",
                "--consent",
                "fax:marketing=granted",
            ],
            "one of push, sms, email, banner, social",
        ),
        (
            &[&campaign[..], &["fax"]].concat(),
            "one of push, sms, email, banner, social",
        ),
        (
            &[
                "campaign",
                "--channel",
                "push",
                "--goal",
                "fame",
                "--out",
                "x",
            ],
            "click",
        ),
        (&[&campaign[..], &["push", "--at", "soon"]].concat(), "soon"),
        (
            &[&campaign[..], &["push", "--at", "2999-05-01T12:00:00Z"]].concat(),
            "more than a week ahead",
        ),
        (
            &["campaign", "--channel", "push", "--goal", "click"],
            "--out",
        ),
        (&["evaluate", "--dataset", "online-retail"], "--path"),
        (&["recommend"], "--out"),
        (&["recommend", "--out", "x", "--top", "0"], "1..=1000"),
        (
            &["recommend", "--user", "7", "--segment", "loyal"],
            "cannot be used with",
        ),
        (
            &["export", "everything", "--out", "x"],
            "events, products, decisions",
        ),
    ] {
        let said = hawker.run(arguments);
        assert_eq!(said.code, Some(2), "{arguments:?}: {said:?}");
        assert!(said.err.contains(hint), "{arguments:?}: {}", said.err);
        assert_eq!(said.out, "");
    }
    assert!(!hawker.data().exists());
}

#[test]
fn init_writes_a_configuration_once() {
    let hawker = Hawker::new();
    hawker.says(&["init"]);
    let written = std::fs::read_to_string(hawker.path("hawker.toml")).expect("written");
    assert!(written.contains("[campaign]") && written.contains("cap_messages = 3"));
    hawker.file("hawker.toml", "# mine\n");
    let message = hawker.fails(&["init"]);
    assert_eq!(
        message,
        "hawker.toml exists already; edit it, or name another file"
    );
    assert_eq!(
        std::fs::read_to_string(hawker.path("hawker.toml")).expect("kept"),
        "# mine\n"
    );
    let other = hawker.json(&["init", "shop/other.toml"]);
    assert_eq!(other["config"], "shop/other.toml");
    assert_eq!(
        std::fs::read_to_string(hawker.path("shop/other.toml")).expect("written"),
        written
    );
}

#[test]
fn a_wrong_configuration_is_refused_with_the_line_and_the_nearest_key() {
    let hawker = Hawker::new();
    hawker.file("orders.csv", "");
    let import = ["import", "online-retail", "orders.csv"];
    hawker.file("hawker.toml", "[shop]\nname = \"A\"\ncurency = \"GBP\"\n");
    let message = hawker.fails(&import);
    assert!(
        message.starts_with("hawker.toml: line 3: unknown field `curency`"),
        "{message}"
    );
    assert!(message.ends_with("did you mean `currency`?"), "{message}");
    let message = hawker.fails(&[&import[..], &["--config", "gone.toml"]].concat());
    assert!(message.starts_with("cannot read gone.toml: "), "{message}");
    assert!(
        !hawker.data().exists(),
        "nothing is made before the configuration is read"
    );
}

#[test]
fn commands_that_need_a_shop_say_how_to_get_one() {
    let hawker = Hawker::new();
    let out = ["--out", "x.jsonl"];
    for arguments in [
        vec!["status"],
        vec!["train"],
        vec!["evaluate"],
        vec!["learn", "--goal", "click"],
        vec!["lift"],
        vec!["report"],
        vec!["quarantine", "list"],
        [&["recommend"][..], &out].concat(),
        [
            &["campaign", "--channel", "push", "--goal", "click"][..],
            &out,
        ]
        .concat(),
    ] {
        let message = hawker.fails(&arguments);
        assert_eq!(
            message,
            "there is no shop in hawker-data; run `hawker import` first, or name another --data-dir",
            "{arguments:?}"
        );
    }
    assert!(!hawker.data().exists() && !hawker.path("x.jsonl").exists());
}
