use std::ops::ControlFlow;

use nn::Training;
use nn::inference::Precision;
use tempfile::TempDir;

use super::*;

mod reinforcing;

const COLOURS: [&str; 4] = ["red", "blue", "green", "black"];
const SIZES: [&str; 3] = ["small", "large", "tiny"];

/// Mugs and bags with a name, a colour and perhaps a size, each described in one of two ways.
fn corpus() -> Corpus {
    let mut train = Vec::new();
    for number in 0..240usize {
        let (colour, size) = (COLOURS[number % 4], SIZES[number / 4 % 3]);
        let name = format!("Model {number}");
        let mut facts = vec![Fact::new("name", &name), Fact::new("colour", colour)];
        let sized = number % 5 != 0;
        if sized {
            facts.push(Fact::new("size", size));
        }
        let thing = if sized {
            format!("{size} {colour}")
        } else {
            colour.to_owned()
        };
        let text = if number % 3 == 0 {
            format!("{name} is a {thing} mug.")
        } else {
            format!("Meet the {thing} {name}.")
        };
        let meaning = Meaning::of_facts(facts);
        train.push(Example { meaning, text });
    }
    let validation = train.split_off(200);
    Corpus {
        train,
        validation,
        slots: vec!["name".to_owned()],
        copied: Vec::new(),
    }
}

pub(super) fn config() -> CopywriterConfig {
    CopywriterConfig {
        vocabulary: 320,
        width: 48,
        layers: 1,
        heads: 2,
        hidden: 96,
        dropout: 0.0,
        label_smoothing: 0.0,
        max_tokens: 64,
        batch_tokens: 512,
        epochs: 60,
        patience: 60,
        learning_rate: 0.01,
        ..CopywriterConfig::default()
    }
}

pub(super) fn trained(config: &CopywriterConfig) -> (TempDir, Copywriter) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let run = train(&corpus(), config, folder.path(), &mut |_| {
        ControlFlow::Continue(())
    });
    match run.expect("trains") {
        Training::Finished(model, _) => (folder, *model),
        Training::Paused(_) => panic!("nobody asked it to stop"),
    }
}

pub(super) fn meaning(name: &str, colour: &str) -> Meaning {
    Meaning::of_facts(vec![
        Fact::new("name", name),
        Fact::new("colour", colour),
        Fact::new("size", "large"),
    ])
}

fn sample(count: usize) -> DecodingConfig {
    DecodingConfig {
        search: Search::Sample {
            count,
            temperature: 1.0,
            top_p: 1.0,
            min_p: 0.0,
        },
        max_tokens: 24,
        ..DecodingConfig::default()
    }
}

fn texts(drafts: &[Draft]) -> Vec<&str> {
    drafts.iter().map(|draft| draft.text.as_str()).collect()
}

#[test]
fn it_learns_to_say_its_facts_and_obeys_constraints() {
    let (folder, model) = trained(&config());
    let writer = model.writer(Precision::F32).expect("fits");
    let asked = meaning("{{ price }} <slot:name>", "green");
    let required = DecodingConfig {
        required: vec!["name".to_owned()],
        ..DecodingConfig::default()
    };
    let drafts = writer.write(&asked, &required, 1).expect("writes");
    // A value is put in as it is, whatever it looks like.
    let expected = [
        "Meet the large green {{ price }} <slot:name>.",
        "{{ price }} <slot:name> is a large green mug.",
    ];
    for text in &texts(&drafts)[..2] {
        assert!(expected.contains(text), "{text}");
    }
    assert_eq!(writer.covered(&asked, &drafts[0]), Covered::default());
    let other = meaning("X", "red");
    let covered = writer.covered(&other, &drafts[0]);
    assert_eq!((covered.missing, covered.added), (1, 1));

    for (change, holds) in constraints() {
        let mut config = sample(40);
        change(&mut config);
        let drafts = writer.write(&asked, &config, 5).expect("writes");
        assert!(!drafts.is_empty());
        for draft in &drafts {
            assert!(holds(&draft.text), "{}", draft.text);
        }
    }
    // What was saved writes the same.
    let again = Copywriter::load(folder.path()).expect("was saved");
    let again = again.writer(Precision::F32).expect("fits");
    assert_eq!(again.write(&asked, &required, 1).expect("writes"), drafts);
    let path = folder.path().join("tokenizer.json");
    let json = std::fs::read_to_string(&path).expect("was saved");
    std::fs::write(&path, json + "\n").expect("written");
    let error = Copywriter::load(folder.path()).expect_err("another file");
    assert!(
        error
            .to_string()
            .contains("not what the model was trained with"),
        "{error}"
    );
}

type Change = fn(&mut DecodingConfig);
type Holds = fn(&str) -> bool;

/// Constraints, and what then holds for a text.
fn constraints() -> [(Change, Holds); 4] {
    [
        (
            |config| config.required = vec!["name".to_owned()],
            |text| text.contains("{{ price }}"),
        ),
        (
            |config| config.banned = vec!["MEET".to_owned(), "mug".to_owned()],
            |text| !text.to_lowercase().contains("meet") && !text.contains("mug"),
        ),
        (
            |config| config.max_width = Some(12),
            |text| text.len() <= 12,
        ),
        (
            |config| config.no_repeat = 1,
            |text| text.matches(" a").count() <= 1,
        ),
    ]
}

#[test]
fn every_search_scores_as_the_training_graph_does() {
    let (_folder, model) = trained(&CopywriterConfig {
        epochs: 2,
        user_width: 3,
        prefix_vectors: 2,
        ..config()
    });
    let writer = model.writer(Precision::F32).expect("fits");
    let asked = Meaning {
        user_state: Some(vec![0.5, -1.0, 2.0]),
        ..meaning("Zed", "red")
    };
    let searches = [
        Search::Greedy,
        Search::Beam {
            width: 4,
            groups: 2,
            diversity: 0.5,
            length_penalty: 1.0,
        },
        sample(4).search,
    ];
    for search in searches {
        let config = DecodingConfig {
            search,
            ..sample(4)
        };
        for draft in writer.write(&asked, &config, 3).expect("writes") {
            let prompt = sequence::Prompt::new(&asked, &model.slotted, &model.tokenizer);
            let mut tokens = prompt.expect("encodes").tokens;
            let prompt = tokens.len();
            tokens.extend(draft.tokens.iter().copied().chain([tokenizer::END]));
            let sequence = crate::network::Sequence {
                prompt,
                user_state: asked.user_state.clone(),
                tokens,
            };
            let learnt = (sequence.tokens.len() - prompt) as f64;
            let figures = model.validate(&[sequence]).expect("measures");
            let expected = -figures[LOSS] * learnt;
            let gap = (draft.log_probability - expected).abs();
            assert!(
                gap < 1e-3 * learnt,
                "{} is not {expected}",
                draft.log_probability
            );
        }
    }
    let error = writer.write(
        &Meaning {
            user_state: Some(vec![1.0]),
            ..asked
        },
        &sample(1),
        1,
    );
    let message = error.expect_err("too short").to_string();
    assert!(
        message.starts_with("a user state has 1 numbers, the model takes 3"),
        "{message}"
    );
}

#[test]
fn a_text_is_told_while_it_is_drawn() {
    let (_folder, model) = trained(&CopywriterConfig {
        epochs: 3,
        ..config()
    });
    let writer = model.writer(Precision::F32).expect("fits");
    let asked = meaning("Zoë 茶", "blue");
    let (mut told, mut pieces) = (String::new(), 0);
    let draft = writer.stream(&asked, &sample(1), 2, &mut |piece| {
        told.push_str(piece);
        pieces += 1;
        ControlFlow::Continue(())
    });
    let draft = draft.expect("writes");
    let written = writer.write(&asked, &sample(1), 2).expect("writes");
    assert_eq!(draft.as_ref(), written.first());
    assert_eq!(
        Some(told.trim()),
        written.first().map(|draft| &draft.text[..])
    );
    assert!(pieces > 3);
    let stopped = writer.stream(&asked, &sample(1), 2, &mut |_| ControlFlow::Break(()));
    assert_eq!(stopped.expect("stops"), None);
    let beam = DecodingConfig::default();
    let error = writer.stream(&asked, &beam, 2, &mut |_| ControlFlow::Continue(()));
    let message = error.expect_err("takes back what it wrote").to_string();
    assert!(
        message.contains("expected one text that is drawn"),
        "{message}"
    );
}

#[test]
fn draws_depend_on_their_seed_alone() {
    let (_folder, model) = trained(&CopywriterConfig {
        epochs: 3,
        ..config()
    });
    let writer = model.writer(Precision::F32).expect("fits");
    let asked = meaning("Zed", "blue");
    let draw = |count, seed| writer.write(&asked, &sample(count), seed).expect("writes");
    let (few, many) = (draw(3, 9), draw(8, 9));
    // Products of other sizes round otherwise, so log-probabilities are alike only nearly.
    assert_eq!(texts(&few)[..], texts(&many)[..few.len()]);
    assert_ne!(texts(&draw(8, 10)), texts(&many));
    // A wide beam finds what is at least as likely as anything that was drawn.
    let beam = DecodingConfig {
        search: Search::Beam {
            width: 24,
            groups: 1,
            diversity: 0.0,
            length_penalty: 0.0,
        },
        ..sample(1)
    };
    let best = writer.write(&asked, &beam, 1).expect("writes")[0].log_probability;
    let drawn = many.iter().map(|draft| draft.log_probability);
    assert!(best >= drawn.fold(f64::NEG_INFINITY, f64::max) - 1e-3);
}

#[test]
fn a_name_that_was_never_read_is_told_in_words() {
    let (_folder, model) = trained(&CopywriterConfig {
        epochs: 1,
        ..config()
    });
    let facts = vec![Fact::new("<end>", "<slot:name>"), Fact::new("name", "Zed")];
    let asked = Meaning::of_facts(facts);
    let prompt = sequence::Prompt::new(&asked, &model.slotted, &model.tokenizer).expect("encodes");
    let (end, fact) = (tokenizer::END, tokenizer::FACT);
    assert!(!prompt.tokens.contains(&end), "a fact's name is data");
    assert_eq!(prompt.tokens[1], fact);
    let slot = model
        .tokenizer
        .special("<slot:name>")
        .expect("there is a slot");
    let slots = prompt.tokens.iter().filter(|token| **token == slot);
    assert_eq!(slots.count(), 1, "a fact's value is data");
}

/// A mixed text and the ids that Python's `tokenizers` gives it with `tokenizer.json`; see `bench/golden/tokenizer.py`.
#[derive(serde::Deserialize)]
struct Cut {
    text: String,
    ids: Vec<u32>,
}

#[test]
fn ids_equal_those_of_pythons_tokenizers() {
    let json = include_str!("tests/tokenizer.json");
    let cuts: Vec<Cut> =
        serde_json::from_str(include_str!("tests/tokenizer_ids.json")).expect("JSON");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("tokenizer.json");
    std::fs::write(&path, json).expect("is written");
    let loaded = tokenizer::Tokenizer::load(&path, None).expect("is a tokenizer");
    let learnt = tokenizer::Tokenizer::train(&mixed(), 420).expect("learns");
    // Python learns the same pieces in the same order.
    let [theirs, ours] = [json.to_owned(), learnt.to_json().expect("JSON")].map(|json| {
        let all: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        [
            &all["model"]["vocab"],
            &all["model"]["merges"],
            &all["added_tokens"],
        ]
        .map(Clone::clone)
    });
    assert_eq!(ours, theirs);
    assert!(cuts.len() >= 8);
    for tokenizer in [loaded, learnt] {
        let pieces = pieces::Pieces::new(&tokenizer);
        for cut in &cuts {
            let mut ids = Vec::new();
            tokenizer.encode(&cut.text, &mut ids).expect("encodes");
            assert_eq!(ids, cut.ids, "{}", cut.text);
            let bytes: Vec<u8> = ids
                .iter()
                .flat_map(|id| pieces.bytes(*id).expect("a piece").to_vec())
                .collect();
            assert_eq!(String::from_utf8(bytes).as_deref(), Ok(cut.text.as_str()));
        }
    }
}

/// A few sentences in English and Chinese.
fn mixed() -> Corpus {
    let texts = [
        "The blue mug is back: it's made of china, holds 350 ml and costs less than before.",
        "这款连衣裙采用柔软的棉质面料，穿着舒适透气，显瘦又百搭。",
        "A soft cotton dress that's easy to match — in red, white or blue.",
        "简约的圆领设计修饰颈部线条，宽松的版型穿着舒适，T恤百搭。",
    ];
    let example = |text: &&str| Example {
        meaning: Meaning {
            controls: vec!["push".to_owned()],
            facts: vec![Fact::new("title", "mug"), Fact::new("颜色", "蓝色")],
            ..Meaning::default()
        },
        text: (*text).to_owned(),
    };
    Corpus {
        train: texts.iter().map(example).collect(),
        validation: Vec::new(),
        slots: vec!["title".to_owned()],
        ..Corpus::default()
    }
}

/// Shoppers who write as they wrote before, each sentence one that the model never saw.
fn of_habit() -> Vec<Example> {
    let said = ["Lovely stuff, lovely price.", "Nope: 12 days late!"];
    let example = |at: usize| Example {
        meaning: Meaning {
            own_texts: vec!["Hm.".to_owned(), said[at % 2].to_owned()],
            ..meaning("Zed", "red")
        },
        text: said[at % 2].to_owned(),
    };
    (0..20).map(example).collect()
}

#[test]
fn own_words_are_expected_of_whoever_used_them() {
    let (folder, mut model) = trained(&config());
    let examples = of_habit();
    let nats = |model: &Copywriter, examples: &[Example]| -> f64 {
        let found = model.surprise(examples).expect("measures");
        found.iter().flatten().map(|surprise| surprise.nats).sum()
    };
    let before = nats(&model, &examples);
    let fitted = model.fit_own_words(&examples, folder.path());
    fitted.expect("is written");
    let mut swapped = examples.clone();
    for (at, example) in swapped.iter_mut().enumerate() {
        let other = &examples[(at + 1) % examples.len()].meaning.own_texts;
        example.meaning.own_texts.clone_from(other);
    }
    let after = nats(&model, &examples);
    assert!(after < 0.5 * before, "{after} of {before}");
    assert!(after < 0.5 * nats(&model, &swapped));
    // Of nobody, the language model alone is asked.
    let mut of_nobody = examples.clone();
    for example in &mut of_nobody {
        example.meaning.own_texts.clear();
    }
    let gap = nats(&model, &of_nobody) - before;
    assert!(gap.abs() < 1e-3, "{gap}");

    // What was saved says the same, and a search scores as the measure does.
    let model = Copywriter::load(folder.path()).expect("was saved");
    let writer = model.writer(Precision::F32).expect("fits");
    let asked = &examples[1].meaning;
    for search in [sample(6).search, Search::Greedy] {
        let config = DecodingConfig {
            search,
            ..sample(6)
        };
        let drafts = writer.write(asked, &config, 4).expect("writes");
        assert!(!drafts.is_empty());
        for draft in drafts.iter().filter(|draft| !draft.text.contains("Zed")) {
            let example = Example {
                meaning: asked.clone(),
                text: draft.text.clone(),
            };
            let expected = -nats(&model, &[example]);
            let gap = (draft.log_probability - expected).abs();
            assert!(gap < 0.05, "{} {expected}", draft.log_probability);
        }
    }
}

#[test]
fn facts_that_leave_no_room_are_refused() {
    let (_folder, model) = trained(&CopywriterConfig {
        epochs: 1,
        ..config()
    });
    let writer = model.writer(Precision::F32).expect("fits");
    let long = Meaning::of_facts(vec![Fact::new("colour", "@".repeat(8_000))]);
    let error = writer.write(&long, &sample(1), 1).expect_err("too long");
    let message = error.to_string();
    assert!(
        message.contains("tokens of the 64 that facts and text may have"),
        "{message}"
    );
}

#[test]
fn nothing_to_learn_from_is_an_error() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let run = train(&Corpus::default(), &config(), folder.path(), &mut |_| {
        ControlFlow::Continue(())
    });
    let message = run.expect_err("no text").to_string();
    assert!(
        message.starts_with("there is no style text to learn from"),
        "{message}"
    );
}
