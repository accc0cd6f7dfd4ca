//! Checkpoints in the Hugging Face layout: against the logits of `transformers`, through a round trip, and damaged.
//!
//! `bench/golden/hugging_face.py` made the folders in `tests/data/hugging_face`. Where `HAWKER_TRANSFORMERS_PYTHON`
//! names a Python with `transformers` and torch, that package reads what was saved here.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use nn::{Decoder, Device, NnError, ParameterStore, Pass, RotaryScaling, Tensor, hugging_face};
use serde_json::{Value, json};
use tempfile::TempDir;

const FOLDERS: [&str; 3] = ["llama", "llama3", "qwen2"];
const TOLERANCE: f64 = 1e-4;
const WEIGHTS: &str = "model.safetensors";

fn data(name: &str) -> PathBuf {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/hugging_face");
    Path::new(folder).join(name)
}

fn read_json(path: &Path) -> Value {
    let text = fs::read_to_string(path).expect("a file");
    serde_json::from_str(&text).expect("JSON")
}

fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(rows) => rows.iter().flat_map(numbers).collect(),
        number => vec![number.as_f64().expect("a number")],
    }
}

fn load(folder: &Path) -> Result<(ParameterStore, Decoder), NnError> {
    hugging_face::load(folder, &Device::Cpu)
}

fn logits(decoder: &Decoder, ids: &Value) -> Vec<f64> {
    let sequences = ids.as_array().expect("sequences");
    let flat: Vec<u32> = numbers(ids).into_iter().map(|id| id as u32).collect();
    let shape = (sequences.len(), flat.len() / sequences.len());
    let ids = Tensor::from_vec(flat, shape, &Device::Cpu).expect("a regular array");
    let logits = decoder.logits(&ids, &mut Pass::Infer).expect("fits");
    let logits: Vec<f32> = logits.flatten_all().and_then(|t| t.to_vec1()).expect("f32");
    logits.into_iter().map(f64::from).collect()
}

/// The largest difference between two lists of the same length.
fn difference(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let differences = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    differences.fold(0.0, f64::max)
}

#[test]
fn logits_agree_with_transformers() {
    for name in FOLDERS {
        let (_, decoder) = load(&data(name)).expect("whole");
        let expected = read_json(&data(name).join("expected.json"));
        let (ours, theirs) = (
            logits(&decoder, &expected["ids"]),
            numbers(&expected["logits"]),
        );
        let largest = difference(&ours, &theirs);
        eprintln!(
            "{name}: largest difference of {} logits {largest:e}",
            ours.len()
        );
        assert!(largest <= TOLERANCE, "{name}: {largest}");
        let spread = theirs.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
        assert!(spread > 1.0, "{name}: logits vary, {spread}");
    }
}

#[test]
fn what_is_loaded_saved_and_loaded_is_the_same_to_the_bit() {
    let values = |store: &ParameterStore| -> BTreeMap<String, (Vec<usize>, Vec<u32>, bool)> {
        let entries = store.iter().map(|(name, parameter)| {
            let values: Vec<f32> = parameter
                .var
                .flatten_all()
                .and_then(|t| t.to_vec1())
                .expect("f32");
            let bits = values.into_iter().map(f32::to_bits).collect();
            (
                name.to_owned(),
                (parameter.var.dims().to_vec(), bits, parameter.decays),
            )
        });
        entries.collect()
    };
    for name in FOLDERS {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let target = folder.path().join("new");
        let (store, decoder) = load(&data(name)).expect("whole");
        hugging_face::save(&target, &store, &decoder).expect("writable");
        let (again, decoder_again) = load(&target).expect("whole");
        assert_eq!(decoder.config(), decoder_again.config());
        assert_eq!(values(&store), values(&again));
        let files = |folder: &Path| {
            [WEIGHTS, "config.json"].map(|file| fs::read(folder.join(file)).expect("a file"))
        };
        let second = folder.path().join("second");
        hugging_face::save(&second, &again, &decoder_again).expect("writable");
        assert_eq!(files(&target), files(&second));
    }
}

/// What `transformers` makes of a folder, where `HAWKER_TRANSFORMERS_PYTHON` names a Python that has it.
fn transformers(folder: &Path, ids: &Value) -> Option<Vec<f64>> {
    let Some(python) = std::env::var_os("HAWKER_TRANSFORMERS_PYTHON") else {
        eprintln!("skipped: HAWKER_TRANSFORMERS_PYTHON names no Python");
        return None;
    };
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../bench/golden/hugging_face.py"
    );
    let path = folder.join("ids.json");
    fs::write(&path, ids.to_string()).expect("writable");
    let mut command = Command::new(python);
    let output = command.arg(script).arg(folder).arg(path).output();
    let output = output.expect("the interpreter runs");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    let logits = serde_json::from_slice(&output.stdout).expect("JSON");
    Some(numbers(&logits))
}

#[test]
fn transformers_reads_what_was_saved() {
    for name in FOLDERS {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (store, decoder) = load(&data(name)).expect("whole");
        hugging_face::save(folder.path(), &store, &decoder).expect("writable");
        let expected = read_json(&data(name).join("expected.json"));
        let ids = &expected["ids"];
        let Some(theirs) = transformers(folder.path(), ids) else {
            return;
        };
        // The same weights in the same program: what it reads is what it wrote.
        let largest = difference(&theirs, &numbers(&expected["logits"]));
        eprintln!("{name}: largest difference of its own logits {largest:e}");
        assert!(largest <= 1e-5, "{name}: {largest}");
        assert!(difference(&logits(&decoder, ids), &theirs) <= TOLERANCE);
    }
}

#[test]
fn positions_stretched_in_the_older_form_agree_with_transformers() {
    let folder = copy("llama");
    let path = folder.path().join("config.json");
    let mut config = read_json(&path);
    config["rope_parameters"].take();
    config["rope_theta"] = json!(5000.0);
    config["rope_scaling"] = json!({"type": "linear", "factor": 2.5});
    fs::write(&path, config.to_string()).expect("writable");
    let (store, decoder) = load(folder.path()).expect("whole");
    let scaling = RotaryScaling::Linear { factor: 2.5 };
    assert_eq!(decoder.config().rotary_scaling, scaling);
    let expected = read_json(&data("llama").join("expected.json"));
    let ours = logits(&decoder, &expected["ids"]);
    let plain = difference(&ours, &numbers(&expected["logits"]));
    assert!(plain > 0.1, "the positions are stretched: {plain}");
    let saved = folder.path().join("saved");
    hugging_face::save(&saved, &store, &decoder).expect("writable");
    for folder in [folder.path(), &saved] {
        let Some(theirs) = transformers(folder, &expected["ids"]) else {
            return;
        };
        let largest = difference(&ours, &theirs);
        eprintln!("stretched: largest difference {largest:e}");
        assert!(largest <= TOLERANCE, "{largest}");
    }
}

/// A copy of a folder of the test data, to be damaged.
fn copy(name: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for entry in fs::read_dir(data(name)).expect("a folder") {
        let entry = entry.expect("an entry");
        // Written anew: the copy may be changed where the data may not.
        let content = fs::read(entry.path()).expect("a file");
        fs::write(folder.path().join(entry.file_name()), content).expect("writable");
    }
    folder
}

/// The message of what loading a folder says, without the folder's own path.
fn refusal(folder: &TempDir) -> String {
    let error = load(folder.path()).expect_err("refused");
    assert!(matches!(error, NnError::Interchange { .. }), "{error:?}");
    let own = folder.path().display().to_string();
    error.to_string().replace(&own, "FOLDER")
}

type Weights = BTreeMap<String, Tensor>;
type Damage = Box<dyn Fn(&mut Weights)>;

#[test]
fn weights_that_do_not_fit_are_refused() {
    let norm = "model.norm.weight";
    let vector = |values: Vec<f32>| {
        let count = values.len();
        Tensor::from_vec(values, count, &Device::Cpu).expect("fits")
    };
    let with = |mut values: Vec<f32>, at: usize, value: f32| {
        values[at] = value;
        vector(values)
    };
    let ones = || vec![1.0; 32];
    let put = |name: &'static str, tensor: Tensor| {
        move |weights: &mut Weights| drop(weights.insert(name.to_owned(), tensor.clone()))
    };
    let cases: [(Damage, &str); 6] = [
        (
            Box::new(|weights| drop(weights.remove("model.layers.1.mlp.up_proj.weight"))),
            "`FOLDER/model.safetensors`: `model.layers.1.mlp.up_proj.weight` is missing; take the weights and `config.json` from the same model",
        ),
        (
            Box::new(put(
                "model.layers.0.self_attn.q_norm.weight",
                vector(ones()),
            )),
            "`FOLDER/model.safetensors`: `model.layers.0.self_attn.q_norm.weight` is not a parameter of the model; take the weights and `config.json` from the same model",
        ),
        (
            Box::new(put(norm, vector(vec![1.0; 16]))),
            "`FOLDER/model.safetensors`: `model.norm.weight` has shape [16], the model's has [32]; take the weights and `config.json` from the same model",
        ),
        (
            Box::new(put(norm, with(ones(), 5, f32::NAN))),
            "`FOLDER/model.safetensors`: `model.norm.weight` is NaN at [5]; take the weights from before training diverged, or download them again",
        ),
        (
            Box::new(|weights| {
                let name = "model.embed_tokens.weight";
                let mut rows: Vec<Vec<f32>> = weights[name].to_vec2().expect("a table");
                rows[60][31] = f32::NEG_INFINITY;
                weights.insert(
                    name.to_owned(),
                    Tensor::new(rows, &Device::Cpu).expect("fits"),
                );
            }),
            "`FOLDER/model.safetensors`: `model.embed_tokens.weight` is -inf at [60, 31]; take the weights from before training diverged, or download them again",
        ),
        (
            Box::new(put(
                norm,
                Tensor::new(&[1u8; 32], &Device::Cpu).expect("fits"),
            )),
            "`FOLDER/model.safetensors`: `model.norm.weight` is stored as U8; export the model in f32, f16 or bf16",
        ),
    ];
    for (damage, message) in cases {
        let folder = copy("llama");
        let path = folder.path().join(WEIGHTS);
        let content = fs::read(&path).expect("a file");
        let weights = candle_core::safetensors::load_buffer(&content, &Device::Cpu);
        let mut weights = weights.expect("whole").into_iter().collect();
        damage(&mut weights);
        let content = safetensors::serialize(&weights, None).expect("tensors");
        fs::write(&path, content).expect("writable");
        assert_eq!(refusal(&folder), message);
    }
}

#[test]
fn files_that_are_damaged_or_absent_are_refused() {
    let folder = copy("llama");
    let path = folder.path().join(WEIGHTS);
    let content = fs::read(&path).expect("a file");
    let whole = content.len();
    for (size, reason) in [
        (whole - 1, "incomplete metadata, file not fully covered"),
        (200, "invalid header length"),
        (0, "header too small"),
    ] {
        fs::write(&path, &content[..size]).expect("writable");
        let message = format!(
            "`FOLDER/model.safetensors`: {size} bytes are no whole safetensors file: {reason}; download the file again"
        );
        assert_eq!(refusal(&folder), message);
    }
    fs::remove_file(&path).expect("there");
    assert_eq!(
        refusal(&folder),
        "`FOLDER`: holds neither `model.safetensors` nor `model.safetensors.index.json`; download the weights as safetensors, or write them so with `save_pretrained`"
    );

    let folder = copy("llama3");
    fs::remove_file(folder.path().join("model-00002-of-00003.safetensors")).expect("there");
    assert_eq!(
        refusal(&folder),
        "`FOLDER/model.safetensors.index.json`: names `model-00002-of-00003.safetensors`, which is not in the folder; download that file too"
    );
    let index = folder.path().join("model.safetensors.index.json");
    fs::write(&index, r#"{"weight_map": {"a": "../a.safetensors"}}"#).expect("writable");
    assert_eq!(
        refusal(&folder),
        "`FOLDER/model.safetensors.index.json`: names `../a.safetensors`, which is no plain file name; put all shards into the index's folder"
    );

    let folder = copy("llama");
    fs::remove_file(folder.path().join("config.json")).expect("there");
    let error = load(folder.path()).expect_err("no configuration");
    assert!(matches!(error, NnError::Io { .. }), "{error:?}");
}

/// A folder, a field of its configuration, what the field is set to, and what follows.
type Setting = (&'static str, &'static str, Value, &'static str);

fn assert_refused(settings: Vec<Setting>) {
    for (name, field, value, message) in settings {
        let folder = copy(name);
        let path = folder.path().join("config.json");
        let mut config = read_json(&path);
        config[field] = value;
        fs::write(&path, config.to_string()).expect("writable");
        assert_eq!(refusal(&folder), format!("`FOLDER/config.json`: {message}"));
    }
}

#[test]
fn sizes_that_are_missing_or_do_not_fit_are_refused() {
    assert_refused(vec![
        (
            "llama",
            "hidden_size",
            Value::Null,
            "`hidden_size` is missing; add the field as the model's authors give it",
        ),
        (
            "qwen2",
            "num_key_value_heads",
            Value::Null,
            "`num_key_value_heads` is missing; add the field as the model's authors give it",
        ),
        (
            "llama",
            "num_hidden_layers",
            json!(-2),
            "`num_hidden_layers` is -2; write a whole number from 1 to 2147483647",
        ),
        (
            "llama",
            "num_attention_heads",
            json!(5),
            "`num_attention_heads` is 5; write a divisor of `hidden_size`",
        ),
        (
            "llama",
            "num_key_value_heads",
            json!(3),
            "`num_key_value_heads` is 3; write a divisor of `num_attention_heads`",
        ),
        (
            "llama",
            "num_attention_heads",
            json!(32),
            "`num_attention_heads` is 32; rotary positions need an even `hidden_size` / `num_attention_heads`",
        ),
        (
            "llama",
            "rms_norm_eps",
            json!(0),
            "`rms_norm_eps` is 0; write a number above 0",
        ),
        (
            "llama",
            "tie_word_embeddings",
            json!("no"),
            "`tie_word_embeddings` is \"no\"; write true or false",
        ),
        (
            "llama",
            "max_position_embeddings",
            json!(10_000_000),
            "`max_position_embeddings` is 10000000; write at most 1048576, the longest sequence that will be read",
        ),
    ]);
    let folder = copy("llama");
    fs::write(folder.path().join("config.json"), "{").expect("writable");
    assert_eq!(
        refusal(&folder),
        "`FOLDER/config.json`: is no JSON: EOF while parsing an object at line 1 column 1; download the file again"
    );
}

#[test]
fn what_a_decoder_does_not_do_is_refused() {
    assert_refused(vec![
        (
            "llama",
            "model_type",
            json!("gpt2"),
            "`model_type` is \"gpt2\"; use a checkpoint of the model type `llama` or `qwen2`",
        ),
        (
            "llama",
            "head_dim",
            json!(16),
            "`head_dim` is 16; use a checkpoint whose heads are `hidden_size` / `num_attention_heads` wide",
        ),
        (
            "llama",
            "hidden_act",
            json!("gelu"),
            "`hidden_act` is \"gelu\"; use a checkpoint whose feed-forward layers have the activation `silu`",
        ),
        (
            "llama",
            "attention_bias",
            json!(true),
            "`attention_bias` is true; use a checkpoint without biases in its attention, or one of the model type `qwen2`",
        ),
        (
            "llama",
            "mlp_bias",
            json!(true),
            "`mlp_bias` is true; use a checkpoint without biases in its feed-forward layers",
        ),
        (
            "qwen2",
            "use_sliding_window",
            json!(true),
            "`use_sliding_window` is true; use a checkpoint in which every layer sees all earlier tokens",
        ),
        (
            "qwen2",
            "layer_types",
            json!(["full_attention", "sliding_attention"]),
            "`layer_types` is [\"full_attention\",\"sliding_attention\"]; use a checkpoint whose layers are all of the type `full_attention`",
        ),
        (
            "llama",
            "quantization_config",
            json!({"bits": 4}),
            "`quantization_config` is {\"bits\":4}; use a checkpoint that is not quantised, in f32, f16 or bf16",
        ),
        (
            "llama",
            "rope_parameters",
            json!({"rope_type": "yarn"}),
            "`rope_parameters.rope_type` is \"yarn\"; use a checkpoint whose rotary positions are of the type `default`, `linear` or `llama3`",
        ),
    ]);
}

#[test]
fn a_tied_checkpoint_may_repeat_its_table_but_not_change_it() {
    let folder = copy("llama");
    let path = folder.path().join("config.json");
    let mut config = read_json(&path);
    config["tie_word_embeddings"] = json!(true);
    fs::write(&path, config.to_string()).expect("writable");
    assert_eq!(
        refusal(&folder),
        "`FOLDER/model.safetensors`: `lm_head.weight` differs from `model.embed_tokens.weight`; set `tie_word_embeddings` in `config.json` to false, or remove the tensor"
    );
    let path = folder.path().join(WEIGHTS);
    let content = fs::read(&path).expect("a file");
    let weights = candle_core::safetensors::load_buffer(&content, &Device::Cpu);
    let mut weights: BTreeMap<_, _> = weights.expect("whole").into_iter().collect();
    let table = weights["model.embed_tokens.weight"].clone();
    weights.insert("lm_head.weight".to_owned(), table);
    let content = safetensors::serialize(&weights, None).expect("tensors");
    fs::write(&path, content).expect("writable");
    let (store, decoder) = load(folder.path()).expect("the same twice");
    assert!(decoder.config().tied && store.get("lm_head.weight").is_none());
}

#[test]
fn what_load_would_refuse_is_not_written() {
    let (store, decoder) = load(&data("qwen2")).expect("whole");
    assert!(decoder.config().attention_bias);
    assert_eq!(decoder.config().rotary_scaling, RotaryScaling::Unscaled);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let nan = Tensor::full(f32::NAN, 32, &Device::Cpu).expect("small");
    store.set("model.norm.weight", &nan).expect("fits");
    let target = folder.path().join("new");
    let error = hugging_face::save(&target, &store, &decoder).expect_err("not finite");
    assert!(
        error
            .to_string()
            .contains("`model.norm.weight` is NaN at [0]"),
        "{error}"
    );
    let (_, other) = load(&data("llama")).expect("whole");
    let (store, _) = load(&data("qwen2")).expect("whole");
    let error = hugging_face::save(&target, &store, &other).expect_err("another model");
    assert!(
        error.to_string().contains("`lm_head.weight` is missing"),
        "{error}"
    );
    assert!(!target.exists());
}
