//! Lines that a campaign has written for each shopper.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;

use crate::hawker::{Hawker, small_shop};
use crate::own_texts::{AT, COLOURS, CONFIG, feed, shop, shop_of, train_writer};

/// Trains a user model that serves nobody well, in seconds.
const USER_MODEL: &str = "[model]\nwidth = 8\nlayers = 1\nheads = 1\nhidden = 16\nmax_length = 16\ntext_buckets = 32\n\
                          batch_interactions = 256\nepochs = 1\n[evaluation]\nbootstrap_resamples = 20\n";

/// A campaign's lines with what it said.
fn campaign(hawker: &Hawker) -> (Vec<Value>, Value) {
    let words = "campaign --channel push --goal click --out campaign.jsonl --at";
    let words: Vec<&str> = words.split(' ').chain([AT]).collect();
    let said = hawker.json(&words);
    let lines = std::fs::read_to_string(hawker.path("campaign.jsonl")).expect("written");
    let lines = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    (lines.collect(), said)
}

fn told(hawker: &Hawker) -> String {
    let words = "campaign --channel push --goal click --out campaign.jsonl --at";
    let words: Vec<&str> = words.split(' ').chain([AT]).collect();
    hawker.says(&words)
}

/// The candidates of a decision that were written for its shopper.
fn live_of(line: &Value) -> Vec<&Value> {
    let candidates = line["candidates"].as_array().expect("candidates").iter();
    candidates
        .filter(|candidate| candidate["live"].is_object())
        .collect()
}

#[test]
fn lines_for_one_shopper_are_checked_logged_and_sent() {
    let hawker = shop();
    hawker.file("hawker.toml", format!("{CONFIG}live = true\n"));
    let refused = told(&hawker);
    assert!(
        refused.contains("no live lines: approval (lines that nobody reads first need a standing approval: set `push = \"standing\"`"),
        "{refused}"
    );
    let standing = format!(
        "{CONFIG}live = true\nlive_lines = 3\n[copywriter.approval]\npush = \"standing\"\n"
    );
    hawker.file("hawker.toml", &standing);
    let (lines, said) = campaign(&hawker);
    let (mut offered, mut sent) = (0, 0);
    for line in &lines {
        let live = live_of(line);
        offered += live.len();
        assert!(live.len() <= 3);
        for candidate in &live {
            let log_probabilities = candidate["live"]["log_probabilities"].as_array();
            let log_probabilities = log_probabilities.expect("one each");
            let tokens = candidate["live"]["tokens"].as_array().expect("tokens");
            assert_eq!(log_probabilities.len(), tokens.len() + 1);
            assert!(
                log_probabilities
                    .iter()
                    .all(|x| x.as_f64().is_some_and(|x| x <= 0.0))
            );
            assert_eq!(candidate["provider"], "decoder");
        }
        let chosen = line["chosen"].as_u64().expect("a place") as usize;
        if line["candidates"][chosen]["live"].is_null() {
            continue;
        }
        sent += 1;
        let text = line["text"]["body"].as_str().expect("a text");
        let number: usize = text["Acme Pot ".len()..][..1].parse().expect("a number");
        assert_eq!(
            text,
            format!("Acme Pot {number} in {}, for £12.00.", COLOURS[number % 3])
        );
    }
    assert!(
        offered > lines.len() / 2 && sent > 0,
        "{offered} offered, {sent} sent"
    );
    assert_eq!(
        (said["live_lines"].as_u64(), said["live_messages"].as_u64()),
        (Some(offered as u64), Some(sent))
    );

    // A colour that the model never met: whatever it says of it is another's, and is refused against the product.
    hawker.file("feed.txt", feed(|_| "white", "12.00"));
    hawker.says(&["import", "merchant-feed", "feed.txt"]);
    let (lines, _) = campaign(&hawker);
    let refused = |exclusion: &&Value| exclusion["reason"] == "unfounded:colour";
    let exclusions = lines
        .iter()
        .filter_map(|line| line["exclusions"].as_array());
    assert!(exclusions.flatten().filter(refused).count() > 0);
    for line in &lines {
        let text = line["text"]["body"].as_str().unwrap_or_default();
        let of_another = |colour: &&&str| text.contains(&format!(" in {colour},"));
        assert_eq!(COLOURS.iter().find(of_another), None, "{text}");
    }
}

#[test]
fn lines_depend_on_the_shopper_where_the_corpus_names_shoppers() {
    let hawker = shop_of(small_shop());
    let mut corpus = String::new();
    let orders = std::fs::read_to_string(hawker.path("orders.csv")).expect("written");
    let customers = orders
        .lines()
        .skip(1)
        .filter_map(|line| line.split(',').nth(6));
    let shoppers: BTreeSet<&str> = customers.filter_map(|id| id.strip_suffix(".0")).collect();
    let shoppers: Vec<&str> = shoppers.into_iter().collect();
    // Every second shopper is told of the colour, the others of the price.
    for number in 0..160 {
        let at = number % shoppers.len();
        let (shopper, colour) = (shoppers[at], COLOURS[number % 3]);
        let text = ["Pot in {colour}.", "Pot for £7.00."][at % 2].replace("{colour}", colour);
        writeln!(
            corpus,
            r#"{{"facts": {{"title": "Pot", "colour": "{colour}", "price": "£7.00"}}, "shopper": "{shopper}", "text": "{text}"}}"#
        )
        .expect("a string takes it");
    }
    hawker.file("corpus.jsonl", corpus);
    let train =
        "train copywriter --corpus corpus.jsonl --exact title,price --settings settings.toml";
    let train: Vec<&str> = train.split(' ').collect();
    let error = hawker.fails(&train);
    assert!(error.contains("no user model is trained"), "{error}");
    let draft = [
        "copy",
        "draft",
        "--product",
        "20000",
        "--shopper",
        shoppers[0],
    ];
    let error = hawker.fails(&draft);
    assert!(
        error.contains("the language model knows no shoppers"),
        "{error}"
    );

    let config =
        format!("{CONFIG}live = true\n[copywriter.approval]\npush = \"standing\"\n{USER_MODEL}");
    hawker.file("hawker.toml", &config);
    hawker.says(&["train"]);
    train_writer(&hawker);
    let texts = |shopper: &str| -> Vec<String> {
        let told = hawker.json(&["copy", "draft", "--product", "20000", "--shopper", shopper]);
        let drafts = told["drafts"].as_array().expect("drafts").clone();
        drafts
            .iter()
            .map(|draft| draft["text"].to_string())
            .collect()
    };
    assert!(!texts(shoppers[0]).is_empty());
    let error = hawker.fails(&["copy", "draft", "--product", "20000", "--shopper", "nobody"]);
    assert!(error.contains("known as `nobody`"), "{error}");
    let (lines, _) = campaign(&hawker);
    assert!(lines.iter().any(|line| !live_of(line).is_empty()));

    // Another user model has other states.
    hawker.file(
        "hawker.toml",
        config.replace("epochs = 1\n", "epochs = 1\nseed = 2\n"),
    );
    hawker.says(&["train"]);
    let refused = told(&hawker);
    assert!(
        refused.contains("no live lines: user_model (the user model was trained again"),
        "{refused}"
    );
}
