//! A shop's own texts: drafted, kept, approved, shown by a campaign, paused.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::thread;

use serde_json::{Value, json};

use crate::hawker::{CONSENT, Hawker, order_lines};

/// A model that learns in seconds.
const SETTINGS: &str = "[model]\nvocabulary = 300\nwidth = 32\nlayers = 1\nheads = 2\nhidden = 64\nmax_tokens = 64\n\
                        epochs = 40\npatience = 40\ndropout = 0.0\nlabel_smoothing = 0.0\nlearning_rate = 0.01\n\
                        batch_tokens = 512\n[drafts]\nsamples = 8\nbeam = 3\nmax_tokens = 24\n";
/// A shop so small that every text finds a reader.
pub(crate) const CONFIG: &str = "[campaign]\nmax_product_share = 1.0\nmax_variant_share = 1.0\nholdout_share = 0.0\n\
                      control_share = 0.9\nrepeat_days = 0\ncap_messages = 9\n[copywriter]\nnative = false\n";
pub(crate) const COLOURS: [&str; 3] = ["red", "blue", "green"];
const PRODUCTS: usize = 6;
pub(crate) const AT: &str = "2025-06-01T12:00:00Z";

/// A feed of all products, each in a colour.
pub(crate) fn feed(colour_of: impl Fn(usize) -> &'static str, price: &str) -> String {
    let mut feed = "id\ttitle\tprice\tavailability\tproduct_detail\n".to_owned();
    for number in 0..PRODUCTS {
        let (id, colour) = (20_000 + number, colour_of(number));
        writeln!(
            feed,
            "{id}\tAcme Pot {number}\t{price} GBP\tin_stock\t:colour:{colour}"
        )
        .expect("a string takes it");
    }
    feed
}

/// A shop with orders, and a model that has learnt to write `POT in COLOUR, for PRICE.`
pub(crate) fn shop() -> Hawker {
    shop_of(order_lines(160, 60, 6, 450))
}

/// The same with other orders.
pub(crate) fn shop_of(orders: String) -> Hawker {
    let hawker = Hawker::new();
    engine::write_demo_key(&hawker.data(), 1).expect("a key");
    hawker.file("hawker.toml", CONFIG);
    hawker.file("settings.toml", SETTINGS);
    hawker.file("orders.csv", orders);
    hawker.file("feed.txt", feed(|number| COLOURS[number % 3], "12.00"));
    hawker.says(&[&["import", "online-retail", "orders.csv"], &CONSENT[..]].concat());
    hawker.says(&["import", "merchant-feed", "feed.txt"]);
    let mut corpus = String::new();
    for number in 0..120 {
        let (colour, price) = (COLOURS[number % 3], format!("£{}.00", 3 + number % 40));
        writeln!(
            corpus,
            r#"{{"facts": {{"title": "Pot {number}", "colour": "{colour}", "price": "{price}"}}, "controls": ["push"], "text": "Pot {number} in {colour}, for {price}."}}"#
        )
        .expect("a string takes it");
    }
    hawker.file("corpus.jsonl", corpus);
    train_writer(&hawker);
    hawker
}

/// Trains the model on the corpus.
pub(crate) fn train_writer(hawker: &Hawker) {
    let train =
        "train copywriter --corpus corpus.jsonl --exact title,price --settings settings.toml";
    hawker.says(&train.split(' ').collect::<Vec<_>>());
}

/// The texts of `hawker copy list`.
fn list(hawker: &Hawker, filter: &[&str]) -> Vec<Value> {
    let list = [&["copy", "list", "--at", AT], filter, &["--json"]].concat();
    let told: Value = serde_json::from_str(hawker.says(&list).trim()).expect("an object");
    told["texts"].as_array().expect("texts").clone()
}

/// The messages of a campaign that show one of these texts.
fn shown(hawker: &Hawker, ids: &[String]) -> Vec<Value> {
    let campaign = [
        "campaign",
        "--channel",
        "push",
        "--goal",
        "click",
        "--at",
        AT,
    ];
    hawker.says(&[&campaign[..], &["--out", "campaign.jsonl"]].concat());
    let lines = std::fs::read_to_string(hawker.path("campaign.jsonl")).expect("written");
    let lines = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    lines
        .filter(|line: &Value| {
            let total: f64 = line["candidates"]
                .as_array()
                .expect("candidates")
                .iter()
                .map(|candidate| candidate["propensity"].as_f64().expect("a number"))
                .sum();
            assert!((total - 1.0).abs() < 1e-9, "{total}");
            ids.iter().any(|id| line["variant_id"] == id.as_str())
        })
        .collect()
}

/// Keeps the best draft about each of three products and returns the ids.
fn keep(hawker: &Hawker) -> Vec<String> {
    (0..3)
        .map(|number| {
            let product = (20_000 + number).to_string();
            let draft = ["copy", "draft", "--product", &product, "--channel", "push"];
            let told = hawker.json(&[&draft[..], &["--keep", "--count", "1", "--at", AT]].concat());
            let draft = &told["drafts"][0];
            let text = format!("Acme Pot {number} in {}, for £12.00.", COLOURS[number % 3]);
            assert_eq!(
                (&told["provider"], &draft["text"]),
                (&json!("decoder"), &json!(text))
            );
            assert_eq!(draft["kept"]["status"], "draft", "{draft}");
            draft["kept"]["id"].as_str().expect("an id").to_owned()
        })
        .collect()
}

#[test]
fn a_draft_is_kept_approved_shown_and_paused() {
    let hawker = shop();
    assert!(list(&hawker, &[]).is_empty());
    let ids = keep(&hawker);
    let first = &list(&hawker, &["--status", "draft", "--product", "20000"])[0];
    assert_eq!(first["id"], ids[0].as_str());
    assert_eq!(
        first["template"]["body"],
        "{{ title | title_case | truncate: 60 }} in red, for {{ price | money }}."
    );
    assert_eq!(
        first["premises"],
        json!([{"path": "fact.colour", "value": "red"}])
    );
    assert!(shown(&hawker, &ids).is_empty(), "nobody has approved them");

    let all: Vec<&str> = ids.iter().map(String::as_str).collect();
    hawker.says(&[&["copy", "approve"], &all[..], &["--by", "Ada", "--at", AT]].concat());
    let lines = shown(&hawker, &ids);
    assert!(!lines.is_empty());
    for line in &lines {
        let chosen = line["chosen"].as_u64().expect("a place") as usize;
        let chosen = &line["candidates"][chosen];
        assert_eq!(
            (&chosen["provider"], &line["provider"]),
            (&json!("decoder"), &json!("decoder"))
        );
        assert_eq!(chosen["variant"], line["variant_id"]);
        let text = line["text"]["body"].as_str().expect("a text");
        assert!(
            text.starts_with("Acme Pot ") && text.ends_with(", for £12.00."),
            "{text}"
        );
    }
    let live = list(&hawker, &["--status", "live"]);
    assert!(!live.is_empty());
    assert_eq!(live[0]["approved_by"], "Ada");

    // A price follows the catalogue; a colour that was told as a word pauses the text.
    let colour = |number: usize| {
        if number == 0 {
            "white"
        } else {
            COLOURS[number % 3]
        }
    };
    hawker.file("feed.txt", feed(colour, "9.50"));
    hawker.says(&["import", "merchant-feed", "feed.txt"]);
    let first = &list(&hawker, &["--product", "20000"])[0];
    assert_eq!(first["refused"]["reason"], "changed:fact.colour");
    let lines = shown(&hawker, &ids);
    assert!(
        lines
            .iter()
            .all(|line| line["variant_id"] != ids[0].as_str())
    );
    let text = lines[0]["text"]["body"].as_str().expect("a text");
    assert!(text.ends_with(", for £9.50."), "{text}");
    let paused = list(&hawker, &["--status", "paused"]);
    assert_eq!(
        (paused.len(), &paused[0]["reason"]),
        (1, &json!("changed:fact.colour"))
    );
    let refused = hawker.fails(&["copy", "approve", &ids[0], "--by", "Ada", "--at", AT]);
    assert!(
        refused.contains("cannot be approved: changed:fact.colour"),
        "{refused}"
    );

    hawker.says(&[&["copy", "pause"], &all[1..2]].concat());
    hawker.says(&[&["copy", "retire"], &all[2..]].concat());
    assert!(shown(&hawker, &ids).is_empty());
    let error = hawker.fails(&["copy", "pause", &ids[2]]);
    assert!(
        error.contains(&format!("`{}` is retired, for good", ids[2])),
        "{error}"
    );
}

#[test]
fn a_control_that_the_model_does_not_know_is_refused() {
    let hawker = shop();
    let error = hawker.fails(&["copy", "draft", "--product", "20000", "--control", "sms"]);
    assert_eq!(
        error,
        "the model knows no control `sms`; its corpus had push"
    );
    let native = [
        "copy",
        "draft",
        "--product",
        "20000",
        "--provider",
        "native",
    ];
    let error = hawker.fails(&[&native[..], &["--control", "push"]].concat());
    assert!(
        error.starts_with("native writes from the catalogue alone; leave"),
        "{error}"
    );
    let error = hawker.fails(&native);
    assert!(
        error.ends_with("name them with --product and --channel"),
        "{error}"
    );
    let wrong = hawker.run(&["copy", "draft", "--product", "20000", "--keep"]);
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.err.contains("--channel"), "{}", wrong.err);
    // The same corpus again changes nothing, another is refused before it is learnt.
    let train =
        "train copywriter --corpus corpus.jsonl --exact title,price --settings settings.toml";
    let model =
        || std::fs::read(hawker.data().join("models/writer/copywriter.json")).expect("there");
    let before = model();
    hawker.says(&train.split(' ').collect::<Vec<_>>());
    hawker.file("settings.toml", "[drafts]\ntop_p = 2.0\n");
    let error = hawker.fails(&train.split(' ').collect::<Vec<_>>());
    assert!(error.contains("`top_p` is 2"), "{error}");
    assert_eq!(model(), before);
}

/// Answers as many requests as there are replies, on the loopback interface, and returns its address.
fn server(replies: Vec<(&'static str, String)>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    thread::spawn(move || {
        for (status, body) in replies {
            let (mut stream, _) = listener.accept().expect("a connection");
            let mut reader = BufReader::new(stream.try_clone().expect("the same stream"));
            let (mut line, mut length) = (String::new(), 0);
            while reader.read_line(&mut line).expect("a request") > 2 {
                let header = line.to_ascii_lowercase();
                if let Some(count) = header.strip_prefix("content-length:") {
                    length = count.trim().parse().expect("a length");
                }
                line.clear();
            }
            reader.read_exact(&mut vec![0; length]).expect("the body");
            let bytes = body.len();
            let head = format!(
                "HTTP/1.1 {status}\r\ncontent-length: {bytes}\r\nconnection: close\r\n\r\n"
            );
            stream
                .write_all((head + &body).as_bytes())
                .expect("a client");
        }
    });
    format!("http://{address}/v1")
}

#[test]
fn a_language_model_on_a_server_writes_or_is_passed_over_by_name() {
    let hawker = Hawker::new();
    hawker.file("feed.txt", feed(|_| "red", "12.00"));
    hawker.says(&["import", "merchant-feed", "feed.txt"]);
    let answer = json!({"variants": [
        {"title": "A calm start: {{ short }}", "body": "In {{ colour }}, for {{ price }}."},
        {"title": "For you: {{ short }}", "body": "Yours for £12 only."},
    ]});
    let good =
        json!({"choices": [{"finish_reason": "stop", "message": {"content": answer.to_string()}}]});
    let base_url = server(vec![
        ("401 Unauthorized", "{}".to_owned()),
        ("200 OK", good.to_string()),
    ]);
    let config = format!(
        "[copywriter.approval]\npush = \"standing\"\n[copywriter.llm]\nbase_url = \"{base_url}\"\nstream = false\n\
         structured = false\nretries = 0\n"
    );
    hawker.file("hawker.toml", config);
    let draft = "copy draft --product 20001 --channel push --provider llm --count 2 --keep";
    let draft: Vec<&str> = draft.split(' ').collect();

    let told = hawker.json(&draft);
    let passed: Vec<(&Value, &Value)> = told["passed_over"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| (&one["provider"], &one["reasons"]))
        .collect();
    assert_eq!(
        passed,
        [
            (&json!("llm"), &json!({"wrong_key": 1})),
            (&json!("checkpoint"), &json!({"off": 1})),
            (&json!("native"), &json!({"off": 1}))
        ]
    );
    assert_eq!(told["provider"], "templates");
    assert_eq!(told["drafts"][0]["not_kept"]["reason"], "library");

    let said = hawker.says(&draft);
    assert!(
        said.contains("A calm start: Acme Pot 1 In red, for £12.00."),
        "{said}"
    );
    assert!(
        said.contains("refused: literal: `£12` is written out"),
        "{said}"
    );
    assert!(
        said.contains("approved by standing policy: push drafts that pass the guard"),
        "{said}"
    );
    let kept = &list(&hawker, &[])[0];
    assert_eq!(
        (&kept["status"], &kept["generator"]["provider"]),
        (&json!("approved"), &json!("llm"))
    );
    let rests_on: Vec<&Value> = kept["premises"]
        .as_array()
        .expect("premises")
        .iter()
        .map(|premise| &premise["path"])
        .collect();
    assert_eq!(rests_on, ["fact.colour", "product.title"]);
}

/// Writes a random model over bytes, whose conversations are those of `chatml`.
fn model(folder: &Path) {
    let own = |byte: &u32| matches!(byte, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff);
    let others = (0..256).filter(|byte| !own(byte)).zip(256..);
    let letters = (0..256).filter(own).map(|byte| (byte, byte)).chain(others);
    let mut vocabulary: BTreeMap<String, u32> = letters
        .map(|(byte, letter)| (char::from_u32(letter).expect("a letter").to_string(), byte))
        .collect();
    let mut added = Vec::new();
    for (content, id) in [("<|im_start|>", 256), ("<|im_end|>", 257)] {
        vocabulary.insert(content.to_owned(), id);
        added.push(json!({"id": id, "content": content, "special": true, "single_word": false, "lstrip": false,
            "rstrip": false, "normalized": false}));
    }
    let bytes = json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true});
    let tokenizer = json!({"version": "1.0", "added_tokens": added, "pre_tokenizer": bytes, "decoder": bytes,
        "model": {"type": "BPE", "vocab": vocabulary, "merges": []}});
    let config = nn::DecoderConfig {
        vocabulary: 258,
        width: 8,
        layers: 1,
        heads: 2,
        key_heads: 1,
        hidden: 8,
        positions: 8_192,
        rotary_base: 10_000.0,
        rotary_scaling: nn::RotaryScaling::Unscaled,
        norm_epsilon: 1e-6,
        attention_bias: true,
        tied: true,
        dropout: 0.0,
    };
    let mut store = nn::ParameterStore::new(1, &nn::Device::Cpu);
    let decoder = nn::Decoder::new(&mut store, &config).expect("sizes fit");
    nn::hugging_face::save(folder, &store, &decoder).expect("writable");
    std::fs::write(folder.join("tokenizer.json"), tokenizer.to_string()).expect("writable");
}

#[test]
fn a_language_model_on_this_machine_learns_approved_texts_and_is_judged() {
    let hawker = Hawker::new();
    hawker.file("feed.txt", feed(|_| "red", "12.00"));
    hawker.says(&["import", "merchant-feed", "feed.txt"]);
    let answer = json!({"variants": [
        {"title": "A calm start: {{ short }}", "body": "In {{ colour }}, for {{ price }}."},
        {"title": "For you: {{ short }}", "body": "Yours in {{ colour }}."},
    ]});
    let good =
        json!({"choices": [{"finish_reason": "stop", "message": {"content": answer.to_string()}}]});
    let base_url = server(vec![("200 OK", good.to_string())]);
    let config = format!(
        "[copywriter.approval]\npush = \"standing\"\n[copywriter.llm]\nbase_url = \"{base_url}\"\nstream = false\n"
    );
    hawker.file("hawker.toml", &config);
    let draft = |provider| {
        let draft = ["copy", "draft", "--product", "20001", "--channel", "push"];
        hawker.json(
            &[
                &draft[..],
                &["--provider", provider, "--count", "2", "--keep"],
            ]
            .concat(),
        )
    };
    draft("llm");
    let error = hawker.fails(&["train", "adapter"]);
    assert_eq!(
        error,
        "no language model on this machine is configured; name its folder as `folder` in `[copywriter.checkpoint]` of \
         hawker.toml"
    );

    model(&hawker.path("model"));
    let checkpoint = "[copywriter.checkpoint]\nfolder = \"model\"\nmax_tokens = 8\n";
    hawker.file("hawker.toml", config + checkpoint);
    hawker.file(
        "lora.toml",
        "rank = 1\nepochs = 2\nheld_out = 0.0\nmax_tokens = 8000\n",
    );
    let told = hawker.json(&["train", "adapter", "--settings", "lora.toml"]);
    assert_eq!(
        (&told["lessons"], &told["passed_over"]),
        (&json!(2), &json!({}))
    );
    assert_eq!(told["record"]["finished"], true);
    let adapter = hawker.data().join("models/adapter/adapter_config.json");
    assert!(adapter.exists());

    let told = draft("checkpoint");
    let passed = &told["passed_over"][0];
    assert_eq!(passed["provider"], "checkpoint");
    let reasons = passed["reasons"].as_object().expect("reasons").values();
    let reasons: u64 = reasons.filter_map(Value::as_u64).sum();
    assert_eq!((reasons, &told["provider"]), (2, &json!("templates")));
    hawker.file("lora.toml", "ranks = 1\n");
    let error = hawker.fails(&["train", "adapter", "--settings", "lora.toml"]);
    assert!(error.contains("unknown field `ranks`"), "{error}");
    // An adapter goes with the weights that it was learnt for.
    let config = hawker.path("model/model.safetensors");
    let mut bytes = std::fs::read(&config).expect("a file");
    let last = bytes.len() - 3;
    bytes[last] ^= 1;
    std::fs::write(&config, bytes).expect("writable");
    let draft = ["copy", "draft", "--product", "20001", "--channel", "push"];
    let error = hawker.fails(&[&draft[..], &["--provider", "checkpoint"]].concat());
    assert!(error.contains("was learnt for other weights"), "{error}");
}
