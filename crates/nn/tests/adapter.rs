//! Adapters in PEFT's layout: what training saw, through a file, merged into the model; and what is refused.
//!
//! Where `HAWKER_TRANSFORMERS_PYTHON` names a Python with `peft`, `transformers` and torch, PEFT reads what was saved here, and
//! what it saves is read.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use nn::{Decoder, Device, LoraConfig, LoraTarget, ParameterStore, Pass, Tensor, hugging_face};
use serde_json::{Value, json};
use tempfile::TempDir;

const CONFIG: LoraConfig = LoraConfig {
    rank: 2,
    alpha: 6.0,
    dropout: 0.0,
};
const SIZES: &str = "adapter_config.json";

fn base(name: &str) -> PathBuf {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/hugging_face");
    Path::new(folder).join(name)
}

fn load(name: &str) -> (ParameterStore, Decoder) {
    hugging_face::load(&base(name), &Device::Cpu).expect("whole")
}

fn logits(decoder: &Decoder) -> Vec<f32> {
    let ids = Tensor::new(&[[1u32, 5, 9, 2, 7]], &Device::Cpu).expect("fits");
    let logits = decoder.logits(&ids, &mut Pass::Infer).expect("fits");
    logits.flatten_all().and_then(|t| t.to_vec1()).expect("f32")
}

/// The largest difference between two lists of the same length.
fn difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    let differences = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    differences.fold(0.0, f32::max)
}

/// Changes of a model as training would leave them, saved in a folder; and the logits of the model in training.
fn saved(name: &str, targets: &[LoraTarget]) -> (TempDir, Vec<f32>) {
    let (store, decoder) = load(name);
    let mut changes = ParameterStore::new(3, &Device::Cpu);
    let changed = decoder.with_lora(&mut changes, CONFIG, targets);
    let changed = changed.expect("in range");
    for (index, (name, parameter)) in changes.iter().enumerate() {
        let count = parameter.var.elem_count();
        let moved = (0..count).map(|i| ((i * 7 + index) as f32).sin() * 0.2);
        let moved = Tensor::from_iter(moved, &Device::Cpu);
        let moved = moved.and_then(|t| t.reshape(parameter.var.dims()));
        changes.set(name, &moved.expect("fits")).expect("exists");
    }
    let folder = TempDir::new().expect("a folder");
    let print = store.fingerprint().expect("small");
    let about = ("base", print.as_str());
    hugging_face::save_adapter(folder.path(), &changes, CONFIG, targets, about).expect("writable");
    (folder, logits(&changed))
}

#[test]
fn a_merged_model_gives_the_logits_of_the_one_in_training() {
    for name in ["llama", "qwen2"] {
        for targets in [
            &LoraTarget::ALL[..],
            &LoraTarget::ATTENTION,
            &[LoraTarget::Value],
        ] {
            let (folder, trained) = saved(name, targets);
            let (store, decoder) = load(name);
            let before = logits(&decoder);
            hugging_face::merge_adapter(folder.path(), &store).expect("fits");
            let merged = logits(&decoder);
            assert!(difference(&merged, &trained) < 1e-4, "{name}, {targets:?}");
            assert!(difference(&merged, &before) > 1e-3, "{name}, {targets:?}");
        }
    }
}

/// Changes fields of the sizes' file.
fn change(folder: &Path, fields: &Value) {
    let path = folder.join(SIZES);
    let text = fs::read_to_string(&path).expect("a file");
    let mut value: Value = serde_json::from_str(&text).expect("JSON");
    for (name, field) in fields.as_object().expect("an object") {
        value[name] = field.clone();
    }
    fs::write(&path, value.to_string()).expect("writable");
}

fn refusal(folder: &Path, model: &str) -> String {
    let (store, decoder) = load(model);
    let before = logits(&decoder);
    let error = hugging_face::merge_adapter(folder, &store).expect_err("refused");
    assert_eq!(logits(&decoder), before, "nothing was moved");
    let message = error.to_string();
    let shown = folder.display().to_string();
    assert!(message.contains(&shown), "the file is named: {message}");
    message.replace(&format!("{shown}/"), "")
}

#[test]
fn what_is_not_done_is_refused_by_its_field() {
    for (field, message) in [
        (
            json!({"peft_type": "IA3"}),
            "`adapter_config.json`: `peft_type` is \"IA3\"; use an adapter of the type `LORA`",
        ),
        (
            json!({"use_dora": true}),
            "`adapter_config.json`: `use_dora` is true; use an adapter of plain LoRA, which leaves this field out",
        ),
        (
            json!({"use_rslora": true}),
            "`adapter_config.json`: `use_rslora` is true; use an adapter of plain LoRA, which leaves this field out",
        ),
        (
            json!({"rank_pattern": {"q_proj": 4}}),
            "`adapter_config.json`: `rank_pattern` is {\"q_proj\":4}; use an adapter of plain LoRA, which leaves this field \
             out",
        ),
        (
            json!({"bias": "all"}),
            "`adapter_config.json`: `bias` is \"all\"; train the adapter with `bias` set to \"none\"",
        ),
        (
            json!({"target_modules": ["q_proj", "lm_head"]}),
            "`adapter_config.json`: `target_modules` is [\"q_proj\",\"lm_head\"]; train the adapter on q_proj, k_proj, \
             v_proj, o_proj, gate_proj, up_proj and down_proj alone",
        ),
        (
            json!({"init_lora_weights": "pissa_niter_4"}),
            "`adapter_config.json`: `init_lora_weights` is \"pissa_niter_4\"; save the adapter converted to plain LoRA, with \
             PEFT's `path_initial_model_for_weight_conversion`",
        ),
        (
            json!({"r": 0}),
            "`adapter_config.json`: `r` is 0; write a whole number from 1 to 2147483647",
        ),
    ] {
        let (folder, _) = saved("llama", &LoraTarget::ATTENTION);
        change(folder.path(), &field);
        assert_eq!(refusal(folder.path(), "llama"), message);
    }
    // What PEFT writes and has no effect here.
    let (folder, _) = saved("llama", &LoraTarget::ATTENTION);
    let harmless = json!({"megatron_core": "megatron.core", "qalora_group_size": 16, "revision": null, "loftq_config": {}});
    change(folder.path(), &harmless);
    let (store, _) = load("llama");
    hugging_face::merge_adapter(folder.path(), &store).expect("plain LoRA");
}

#[test]
fn an_adapter_of_another_model_is_refused() {
    let (folder, _) = saved("llama", &LoraTarget::ALL);
    let message = refusal(folder.path(), "qwen2");
    assert_eq!(
        message,
        "`adapter_model.safetensors`: was learnt for other weights; name the model that the adapter was trained on, or train \
         an adapter for this one"
    );
    // Without the fingerprint, as PEFT writes it, sizes tell.
    change(folder.path(), &json!({"r": 3}));
    let path = folder.path().join("adapter_model.safetensors");
    let tensors = raw_tensors(&path);
    save_plain(&path, &tensors);
    let message = refusal(folder.path(), "llama");
    assert!(
        message.contains("changes `model.layers.0.mlp.down_proj.weight` by [")
            && message.contains("with `r` 3"),
        "{message}"
    );
    change(folder.path(), &json!({"r": 2}));
    let mut alone = raw_tensors(&path);
    alone.retain(|(name, ..)| !name.ends_with("q_proj.lora_B.weight"));
    save_plain(&path, &alone);
    let message = refusal(folder.path(), "llama");
    assert!(
        message.contains("q_proj.lora_A.weight` without `base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight`"),
        "{message}"
    );
    save_plain(&path, &[]);
    assert!(refusal(folder.path(), "llama").contains("holds no change"));
    fs::write(&path, b"short").expect("writable");
    assert!(refusal(folder.path(), "llama").contains("no whole safetensors file"));
}

/// A tensor of a file: its name, shape and bytes.
type Raw = (String, Vec<usize>, Vec<u8>);

fn raw_tensors(path: &Path) -> Vec<Raw> {
    let content = fs::read(path).expect("a file");
    let file = safetensors::SafeTensors::deserialize(&content).expect("whole");
    let views = file.tensors().into_iter();
    views
        .map(|(name, view)| (name, view.shape().to_vec(), view.data().to_vec()))
        .collect()
}

fn save_plain(path: &Path, tensors: &[Raw]) {
    let views = tensors.iter().map(|(name, shape, data)| {
        let view =
            safetensors::tensor::TensorView::new(safetensors::Dtype::F32, shape.clone(), data);
        (name.clone(), view.expect("whole"))
    });
    let content = safetensors::serialize(views.collect::<Vec<_>>(), None).expect("whole");
    fs::write(path, content).expect("writable");
}

#[test]
fn peft_reads_what_was_saved_and_saves_what_is_read() {
    let Some(python) = std::env::var_os("HAWKER_TRANSFORMERS_PYTHON") else {
        eprintln!("skipped: HAWKER_TRANSFORMERS_PYTHON names no Python");
        return;
    };
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../bench/golden/peft_adapter.py"
    );
    for name in ["llama", "qwen2"] {
        let (folder, trained) = saved(name, &LoraTarget::ALL);
        let out = folder.path().join("theirs");
        let mut command = Command::new(&python);
        let output = command
            .arg(script)
            .arg(base(name))
            .arg(folder.path())
            .arg(&out)
            .output();
        let output = output.expect("the interpreter runs");
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{complaint}");
        let theirs: Vec<f32> = serde_json::from_slice(&output.stdout).expect("JSON");
        let largest = difference(&trained, &theirs);
        eprintln!(
            "{name}: largest difference of {} logits {largest:e}",
            theirs.len()
        );
        assert!(largest < 1e-4, "{name}: {largest}");
        let (store, decoder) = load(name);
        hugging_face::merge_adapter(&out, &store).expect("plain LoRA");
        let largest = difference(&logits(&decoder), &trained);
        assert!(largest < 1e-4, "{name}, saved by PEFT: {largest}");
    }
}
