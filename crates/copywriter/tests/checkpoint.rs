//! The provider `checkpoint` with a small random model: what it writes by chance is refused, what it learnt is let through.

#[path = "checkpoint/model.rs"]
mod model;

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use copywriter::brief::Refused;
use copywriter::checkpoint::{
    Chat, Checkpoint, CheckpointConfig, CheckpointPrecision, LoraTraining, fine_tune,
};
use copywriter::providers::Providers;
use events::VariantStatus;
use model::{GUARD, brief, config, lessons, products, save};
use serde_json::json;
use tempfile::TempDir;

const PRECISIONS: [CheckpointPrecision; 2] = [CheckpointPrecision::F32, CheckpointPrecision::Int8];

/// The random model in a folder of its own.
fn model() -> TempDir {
    let folder = TempDir::new().expect("a folder");
    save(folder.path(), &lessons(&products()));
    folder
}

fn settings() -> LoraTraining {
    LoraTraining {
        learning_rate: 0.01,
        epochs: 60,
        held_out: 0.0,
        batch_tokens: 2_048,
        ..LoraTraining::default()
    }
}

#[test]
fn what_a_random_model_writes_is_refused_by_name() {
    let folder = model();
    let products = products();
    for precision in PRECISIONS {
        let checkpoint = Checkpoint::open(config(folder.path(), precision)).expect("whole");
        let written = checkpoint.write(&brief(&products[0]), &GUARD);
        assert_eq!(written.approved, []);
        assert_eq!(written.refused.len(), 3, "{:?}", written.refused);
        let known = ["truncated", "malformed_json", "empty", "missing_field"];
        let names = written.refusals();
        assert!(names.keys().all(|name| known.contains(name)), "{names:?}");
        assert_eq!(checkpoint.write(&brief(&products[0]), &GUARD), written);
    }
    let checkpoint = Checkpoint::open(config(folder.path(), CheckpointPrecision::Int8));
    let checkpoint = checkpoint.expect("whole");
    let providers = Providers {
        checkpoint: Some(&checkpoint),
        ..Providers::default()
    };
    let chain = providers.write(&brief(&products[0]), &GUARD);
    let passed: Vec<&str> = chain.passed_over.iter().map(|one| one.provider).collect();
    assert_eq!(passed, ["llm", "checkpoint", "native"]);
    assert_eq!(chain.provider, Some("templates"));
}

#[test]
fn what_a_model_learnt_from_approved_texts_is_let_through() {
    let folder = model();
    let products = products();
    let out = folder.path().join("adapter");
    let base = config(folder.path(), CheckpointPrecision::F32);
    let lessons = lessons(&products);
    let mut losses = Vec::new();
    let record = fine_tune(&base, &lessons, &settings(), &out, &mut |progress| {
        if let nn::Done::Epoch(epoch) = &progress.done {
            losses.push(epoch.train_loss);
        }
        ControlFlow::Continue(())
    });
    let record = record.expect("trains");
    assert!(record.finished);
    let (first, last) = (losses[0], losses[losses.len() - 1]);
    assert!(last < first / 20.0, "{first} to {last}");
    for precision in PRECISIONS {
        let config = CheckpointConfig {
            adapter: Some(out.clone()),
            ..config(folder.path(), precision)
        };
        let checkpoint = Checkpoint::open(config).expect("whole");
        for product in &products[..3] {
            let brief = brief(product);
            let written = checkpoint.write(&brief, &GUARD);
            let variant = written.approved.first();
            let variant = variant.unwrap_or_else(|| panic!("{:?}", written.refused));
            assert_eq!(variant.status, VariantStatus::Approved);
            assert_eq!(variant.generator.provider, "checkpoint");
            assert!(variant.generator.model.ends_with("+adapter"));
            assert!(
                variant.id.starts_with("c/push/en/benefit/"),
                "{}",
                variant.id
            );
            GUARD.render(variant, &brief.facts).expect("passed");
        }
    }
}

#[test]
fn training_that_was_stopped_ends_in_the_same_bytes() {
    let folder = model();
    let lessons = lessons(&products());
    let base = config(folder.path(), CheckpointPrecision::F32);
    let settings = LoraTraining {
        epochs: 3,
        held_out: 0.2,
        feed_forward: false,
        ..settings()
    };
    let adapter = |out: &Path| fs::read(out.join("adapter_model.safetensors")).expect("written");
    let whole = folder.path().join("whole");
    let go_on = &mut |_: &nn::Progress| ControlFlow::Continue(());
    let record = fine_tune(&base, &lessons, &settings, &whole, go_on).expect("trains");
    assert!(record.epochs[0].validation["loss"] > 0.0);
    let parts = folder.path().join("parts");
    let record = fine_tune(
        &base,
        &lessons,
        &settings,
        &parts,
        &mut |progress| match progress.step {
            2 => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        },
    );
    assert!(!record.expect("stops").finished);
    fine_tune(&base, &lessons, &settings, &parts, go_on).expect("goes on");
    assert!(adapter(&whole) == adapter(&parts), "other bytes");
}

#[test]
fn limits_of_time_and_room_are_named() {
    let folder = model();
    let products = products();
    let write = |change: fn(&mut CheckpointConfig), tick_ms: u64| {
        let mut config = config(folder.path(), CheckpointPrecision::F32);
        change(&mut config);
        let ticks = AtomicU64::new(0);
        let clock = move || Duration::from_millis(ticks.fetch_add(1, Ordering::Relaxed) * tick_ms);
        let checkpoint = Checkpoint::open(config).expect("whole").timed_by(clock);
        checkpoint.write(&brief(&products[0]), &GUARD).refused
    };
    let truncated = write(|config| config.max_tokens = 2, 0);
    let expected = Refused::Truncated {
        max_tokens: 2,
        setting: "checkpoint.max_tokens",
    };
    assert!(truncated.contains(&expected), "{truncated:?}");
    let late = write(|config| config.timeout_ms = 10, 6);
    let expected = Refused::Timeout {
        setting: "checkpoint.timeout_ms",
        limit_ms: 10,
    };
    assert!(late.contains(&expected), "{late:?}");
    let long = write(|config| config.max_tokens = 2_048, 0);
    assert!(
        matches!(
            long[..],
            [Refused::NoRoom {
                answer: 2_048,
                positions: 2_048,
                ..
            }]
        ),
        "{long:?}"
    );
}

/// Opens a model after a change to its folder, and returns the complaint without the folder's name.
fn complaint(change: impl Fn(&Path, &mut CheckpointConfig)) -> String {
    let folder = model();
    let mut config = config(folder.path(), CheckpointPrecision::F32);
    change(folder.path(), &mut config);
    let error = Checkpoint::open(config).expect_err("refused").to_string();
    error.replace(&format!("{}/", folder.path().display()), "")
}

#[test]
fn what_cannot_be_opened_names_file_and_remedy() {
    let remove = |folder: &Path, name: &str| fs::remove_file(folder.join(name)).expect("a file");
    let write = |folder: &Path, name: &str, value: serde_json::Value| {
        fs::write(folder.join(name), value.to_string()).expect("writable");
    };
    assert_eq!(
        complaint(|folder, _| remove(folder, "tokenizer.json")),
        "`tokenizer.json` is missing; copy it from the model's folder, or write it with \
         `AutoTokenizer.from_pretrained(…).save_pretrained(…)`"
    );
    assert!(
        complaint(|folder, config| config.folder = folder.join("none"))
            .starts_with("cannot read `none/config.json`")
    );
    assert_eq!(
        complaint(|_, config| config.chat = Chat::Llama3),
        "`tokenizer.json` has no token `<|start_header_id|>`, which `checkpoint.chat` needs; set `checkpoint.chat` to `auto` \
         or `plain`"
    );
    let renamed = |folder: &Path| {
        let path = folder.join("tokenizer.json");
        let text = fs::read_to_string(&path).expect("a file");
        fs::write(path, text.replace("<|im_start|>", "<turn>")).expect("writable");
    };
    assert_eq!(
        complaint(|folder, _| {
            renamed(folder);
            write(
                folder,
                "tokenizer_config.json",
                json!({"chat_template": "{{ x }}"}),
            );
        }),
        "`tokenizer_config.json` has a chat template of a family that is not known; set `checkpoint.chat` to `chatml`, \
         `llama3` or `plain`, whichever the model was trained with"
    );
    assert_eq!(
        complaint(|folder, _| {
            renamed(folder);
            remove(folder, "tokenizer_config.json");
        }),
        "`generation_config.json` and its siblings name no `eos_token_id`; write the token at which the model ends its texts \
         there, as {\"eos_token_id\": 2}"
    );
    assert_eq!(
        complaint(|folder, _| write(
            folder,
            "generation_config.json",
            json!({"eos_token_id": [99_999]})
        )),
        "`generation_config.json` `eos_token_id` is [99999], which is no token of the tokenizer; take the file from the \
         folder of the model"
    );
    assert_eq!(
        complaint(|_, config| config.min_p = 1.0),
        "`checkpoint.min_p` is 1; expected 0 or more and below 1"
    );
    assert!(
        complaint(|folder, config| config.adapter = Some(folder.join("none")))
            .starts_with("cannot read `none/adapter_config.json`")
    );
}

#[test]
fn an_adapter_of_another_model_is_refused() {
    let folder = model();
    let lessons = lessons(&products());
    let base = config(folder.path(), CheckpointPrecision::F32);
    let out = folder.path().join("adapter");
    let settings = LoraTraining {
        epochs: 1,
        ..settings()
    };
    let go_on = &mut |_: &nn::Progress| ControlFlow::Continue(());
    fine_tune(&base, &lessons, &settings, &out, go_on).expect("trains");
    let error = fine_tune(&base, &[], &settings, &out, go_on).expect_err("nothing to learn");
    assert_eq!(
        error.to_string(),
        "none of 0 approved texts can be learnt within 1536 tokens; approve texts with `hawker copy approve`, or raise \
         `max_tokens` up to the model's positions"
    );
    let message = complaint(|folder, config| {
        let (store, decoder) =
            nn::hugging_face::load(folder, &nn::Device::Cpu).expect("the same model");
        let gain = nn::Tensor::full(41f32, 48, &nn::Device::Cpu).expect("small");
        store.set("model.norm.weight", &gain).expect("exists");
        nn::hugging_face::save(folder, &store, &decoder).expect("writable");
        config.adapter = Some(out.clone());
    });
    assert!(
        message.contains("was learnt for other weights"),
        "{message}"
    );
}
