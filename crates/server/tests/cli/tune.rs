//! `hawker tune`: sequences in, a table of trials, settings and a picture out.

use crate::hawker::Hawker;

/// Forty shoppers who each have eight of twelve items, one after the other.
fn visits() -> String {
    let line = |shopper: usize| {
        let items = (0..8).map(|step| format!(" i{}", (shopper + step) % 12));
        format!("u{shopper}{}\n", items.collect::<String>())
    };
    (0..40).map(line).collect()
}

#[test]
fn the_best_settings_are_written_and_can_be_evaluated() {
    let hawker = Hawker::new();
    hawker.file("visits.txt", visits());
    hawker.file(
        "small.toml",
        "width = 8\nhidden = 8\nlayers = 1\ntext_buckets = 8\nepochs = 3\nlearning_rate = 0.00001\n",
    );
    hawker.file("space.toml", "learning_rate = [0.02]\n");
    let set = ["--dataset", "sequences", "--path", "visits.txt"];
    let search = [
        "--settings",
        "small.toml",
        "--space",
        "space.toml",
        "--trials",
        "3",
        "--out",
        "tuned.toml",
        "--plot",
        "tune.svg",
    ];
    let tune = [&["tune"], &set[..], &search[..]].concat();
    let out = hawker.says(&tune);
    for part in [
        "| trial | NDCG@10 | epochs | seconds | settings |",
        "| learning_rate = 0.02 |",
        "| as given |",
        "the best settings are in tuned.toml",
    ] {
        assert!(out.contains(part), "{part} is not in {out}");
    }
    let tuned = std::fs::read_to_string(hawker.path("tuned.toml")).expect("settings");
    assert!(tuned.contains("\nlearning_rate = 0.02\n"), "{tuned}");
    let plot = std::fs::read_to_string(hawker.path("tune.svg")).expect("a plot");
    assert!(
        plot.starts_with("<svg") && plot.matches("<polyline").count() == 5,
        "{plot}"
    );
    assert_eq!(hawker.json(&tune)["cuts"], serde_json::json!([1, 3]));
    let evaluate = ["--settings", "tuned.toml", "--seeds", "1"];
    let out = hawker.says(&[&["evaluate"], &set[..], &evaluate[..]].concat());
    assert!(out.contains("| user-model, transformer |"), "{out}");
}

#[test]
fn a_space_that_fits_nothing_is_told_by_its_key() {
    let hawker = Hawker::new();
    hawker.file("visits.txt", visits());
    hawker.file("space.toml", "widht = [8]\n");
    let set = ["--dataset", "sequences", "--path", "visits.txt"];
    let message = hawker.fails(&[&["tune"], &set[..], &["--space", "space.toml"]].concat());
    assert!(message.contains("widht"), "{message}");
}
