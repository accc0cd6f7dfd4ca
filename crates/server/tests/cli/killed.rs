//! `kill -9` at seeded moments, then the same command again: the state of an undisturbed run.

use std::time::{Duration, Instant};

use crate::hawker::{CONSENT, Hawker, SMALL_COPYWRITER, SMALL_MODEL, order_lines, small_shop};

/// Starts a command and kills it after a part of the time that it takes undisturbed.
fn kill_after(hawker: &Hawker, arguments: &[&str], time: Duration) {
    let mut child = hawker.command(arguments).spawn().expect("starts");
    std::thread::sleep(time);
    child.kill().expect("ends");
    child.wait().expect("ended");
}

#[test]
fn an_import_that_is_killed_ends_where_an_undisturbed_one_ends() {
    let csv = order_lines(20_000, 900, 300, 700);
    let import = [&["import", "online-retail", "orders.csv"][..], &CONSENT].concat();
    let undisturbed = Hawker::new();
    undisturbed.file("orders.csv", &csv);
    let started = Instant::now();
    undisturbed.says(&import);
    let time = started.elapsed();
    let wanted = undisturbed.status()["fingerprint"].clone();
    for share in [0.35, 0.7] {
        let hawker = Hawker::new();
        hawker.file("orders.csv", &csv);
        kill_after(&hawker, &import, time.mul_f64(share));
        hawker.says(&import);
        assert_eq!(
            hawker.status()["fingerprint"],
            wanted,
            "killed after {share} of {time:?}"
        );
    }
}

#[test]
fn a_training_that_is_killed_ends_in_the_same_models_and_damaged_ones_are_made_anew() {
    let configuration = [SMALL_MODEL, SMALL_COPYWRITER].concat();
    let undisturbed = Hawker::new();
    undisturbed.file("hawker.toml", &configuration);
    undisturbed.file("orders.csv", small_shop());
    undisturbed.says(&[&["import", "online-retail", "orders.csv"][..], &CONSENT].concat());
    let [hawker, other] = [Hawker::new(), Hawker::new()];
    for copy in [&hawker, &other] {
        copy.file("hawker.toml", &configuration);
        undisturbed.copy_data_to(copy);
    }
    let started = Instant::now();
    let wanted = undisturbed.json(&["train"])["model_fingerprint"].clone();
    let time = started.elapsed();
    assert!(wanted.is_string());
    for (killed, share) in [(&hawker, 0.3), (&other, 0.6)] {
        kill_after(killed, &["train"], time.mul_f64(share));
        assert_eq!(
            killed.json(&["train"])["model_fingerprint"],
            wanted,
            "killed after {share} of {time:?}"
        );
    }
    damaged_models_are_refused_and_made_anew(&hawker, &wanted);
}

/// Each damage stops a campaign before it decides anything, and the remedy that the message names mends it.
fn damaged_models_are_refused_and_made_anew(hawker: &Hawker, wanted: &serde_json::Value) {
    let campaign = [
        "campaign",
        "--channel",
        "push",
        "--goal",
        "click",
        "--out",
        "x.jsonl",
    ];
    let models = hawker.data().join("models");
    let weights = std::fs::read_dir(models.join("serving"))
        .expect("a model")
        .find_map(|entry| {
            let name = entry
                .expect("readable")
                .file_name()
                .to_string_lossy()
                .into_owned();
            name.ends_with(".safetensors").then_some(name)
        });
    let weights = format!("serving/{}", weights.expect("weights"));
    for (file, folder) in [
        (weights.as_str(), "serving"),
        ("copywriter/drafts.json", "copywriter"),
        ("selection.json", ""),
    ] {
        let path = models.join(file);
        let mut content = std::fs::read(&path).expect("readable");
        content.truncate(content.len() - 9);
        std::fs::write(&path, content).expect("writable");
        let message = hawker.fails(&campaign);
        let name = file.rsplit('/').next().unwrap_or(file);
        assert!(
            message.contains(name) && message.contains("is damaged"),
            "{message}"
        );
        assert!(message.contains("delete the folder"), "{message}");
        assert!(!hawker.path("x.jsonl").exists());
        std::fs::remove_dir_all(models.join(folder)).expect("removes");
        assert_eq!(
            &hawker.json(&["train"])["model_fingerprint"],
            wanted,
            "{file} was damaged"
        );
    }
    assert_eq!(hawker.status()["decisions"], 0);
    hawker.says(&campaign);
}
