//! The metrics equal the reference implementations on `shared/golden/text_metrics.json`.

use copywriter::characters;
use copywriter::metrics::{
    Bleu, NistForm, Rouge, Smoothing, chrf, cider, distinct_n, feature_coverage_ratio,
    feature_diversity, jieba_words, nist, rouge_chinese, rouge_l, rouge_l_coco, rouge_n, self_bleu,
    self_bleu_each, tokenise_13a, tokenise_rouge, unique_sentence_ratio,
};
use serde_json::Value;

fn golden() -> Option<Value> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/golden/text_metrics.json"
    );
    if let Ok(text) = std::fs::read_to_string(path) {
        return Some(serde_json::from_str(&text).expect("the golden file is JSON"));
    }
    eprintln!("skipped: {path} is not there");
    None
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

fn numbers(value: &Value) -> Vec<f64> {
    list(value).iter().map(number).collect()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn strings(value: &Value) -> Vec<String> {
    let text = |item: &Value| item.as_str().expect("a string").to_owned();
    list(value).iter().map(text).collect()
}

fn assert_close(actual: f64, expected: f64, what: &str) {
    assert!(
        (actual - expected).abs() < 1e-9 * expected.abs().max(1.0),
        "{what}: {actual} is not {expected}"
    );
}

fn lower_split(text: &str) -> Vec<String> {
    text.to_lowercase()
        .split_whitespace()
        .map(String::from)
        .collect()
}

type Tokens = Vec<String>;

/// The English texts and references under a tokeniser.
fn english(golden: &Value, tokenise: impl Fn(&str) -> Tokens) -> (Vec<Tokens>, Vec<Vec<Tokens>>) {
    let input = &golden["inputs"]["en"];
    let tokens = |texts: &Value| -> Vec<Tokens> {
        strings(texts).iter().map(|text| tokenise(text)).collect()
    };
    let references = list(&input["refs_per_hyp"]).iter().map(tokens).collect();
    (tokens(&input["hyps"]), references)
}

/// The Chinese texts, each with its reference.
fn chinese(golden: &Value) -> (Vec<Tokens>, Vec<Vec<Tokens>>) {
    let input = &golden["inputs"]["zh"];
    let of = |texts: &Value| -> Vec<Tokens> {
        strings(texts).iter().map(|text| characters(text)).collect()
    };
    let references = of(&input["refs"]).into_iter().map(|r| vec![r]).collect();
    (of(&input["hyps"]), references)
}

#[test]
fn the_13a_tokeniser_equals_sacrebleu() {
    let Some(golden) = golden() else { return };
    let (texts, references) = english(&golden, tokenise_13a);
    let joined: Vec<String> = texts
        .iter()
        .chain(references.iter().flatten())
        .map(|tokens| tokens.join(" "))
        .collect();
    assert_eq!(joined, strings(&golden["sacrebleu"]["tokenize_13a"]));
}

#[test]
fn bleu_equals_sacrebleu() {
    let Some(golden) = golden() else { return };
    let scores = &golden["sacrebleu"];
    let lower_13a = |text: &str| tokenise_13a(&text.to_lowercase());
    let plain = |text: &str| text.split_whitespace().map(String::from).collect();
    for (name, (texts, references)) in [
        ("corpus_13a_2refs", english(&golden, tokenise_13a)),
        ("corpus_13a_2refs_lc", english(&golden, lower_13a)),
        ("corpus_char_2refs", english(&golden, characters)),
        ("corpus_none_2refs", english(&golden, plain)),
        ("corpus_zhdata_zh", chinese(&golden)),
        ("corpus_zhdata_char", chinese(&golden)),
    ] {
        let bleu = Bleu::of_corpus(&texts, &references).expect("paired");
        let expected = &scores[name];
        let counted: Vec<f64> = bleu.matches.iter().map(|&count| count as f64).collect();
        assert_eq!(counted, numbers(&expected["counts"]), "{name}");
        assert_close(
            bleu.reference_length as f64,
            number(&expected["ref_len"]),
            name,
        );
        assert_close(bleu.brevity_penalty(), number(&expected["bp"]), name);
        let score = 100.0 * bleu.score(Smoothing::Exponential);
        assert_close(score, number(&expected["score"]), name);
    }
}

#[test]
fn smoothings_equal_sacrebleu_and_nltk() {
    let Some(golden) = golden() else { return };
    for (smoothing, name) in [
        (Smoothing::Exponential, "sentence_exp"),
        (Smoothing::Floor(0.1), "sentence_floor"),
        (Smoothing::AddK(1.0), "sentence_add-k"),
        (Smoothing::None, "sentence_none"),
    ] {
        let (texts, references) = english(&golden, tokenise_13a);
        let expected = numbers(&golden["sacrebleu"][name]);
        for ((text, references), expected) in texts.iter().zip(&references).zip(expected) {
            let score = 100.0 * Bleu::of_text(text, references).score(smoothing);
            assert_close(score, expected, name);
        }
    }
    for (smoothing, name) in [
        (Smoothing::None, "sentence_bleu4_method0"),
        (Smoothing::Floor(0.1), "sentence_bleu4_method1"),
        (Smoothing::AddK(1.0), "sentence_bleu4_method2"),
        (Smoothing::Exponential, "sentence_bleu4_method3"),
        (Smoothing::ByLength(5.0), "sentence_bleu4_method4"),
    ] {
        let (texts, references) = english(&golden, lower_split);
        let expected = numbers(&golden["nltk"][name]);
        for ((text, references), expected) in texts.iter().zip(&references).zip(expected) {
            assert_close(
                Bleu::of_text(text, references).score(smoothing),
                expected,
                name,
            );
        }
    }
}

#[test]
fn corpus_bleu_equals_nltk() {
    let Some(golden) = golden() else { return };
    let expected = &golden["nltk"];
    let (texts, references) = english(&golden, lower_split);
    let bleu = Bleu::of_corpus(&texts, &references).expect("paired");
    for (orders, name) in [
        (4, "corpus_bleu4"),
        (2, "corpus_bleu_w2"),
        (1, "corpus_bleu_w1"),
    ] {
        let score = bleu.score_of_orders(Smoothing::None, orders);
        assert_close(score, number(&expected[name]), name);
    }
    let name = "zh_char_sentence_bleu4_method3 (ChatGLM-6B ptuning main.py)";
    let (texts, references) = chinese(&golden);
    for ((text, references), expected) in
        texts.iter().zip(&references).zip(numbers(&expected[name]))
    {
        let score = Bleu::of_text(text, references).score(Smoothing::Exponential);
        assert_close(score, expected, name);
    }
}

#[test]
fn nist_equals_nltk_and_the_e2e_scorer() {
    let Some(golden) = golden() else { return };
    let (texts, references) = english(&golden, lower_split);
    let score = nist(&texts, &references, NistForm::Nltk).expect("paired");
    assert_close(score, number(&golden["nltk"]["corpus_nist5"]), "NLTK");
    let (texts, references) = english(&golden, |text| tokenise_13a(&text.to_lowercase()));
    let score = nist(&texts, &references, NistForm::Mteval).expect("paired");
    assert_close(score, number(&golden["e2e_pymteval"]["nist"]), "mteval");
    for (index, item) in list(&golden["e2e_pymteval"]["per_item"]).iter().enumerate() {
        let score = nist(
            &texts[index..=index],
            &references[index..=index],
            NistForm::Mteval,
        );
        assert_close(score.expect("paired"), number(&item["nist"]), "one text");
    }
}

#[test]
fn rouge_l_equals_the_coco_caption_tools() {
    let Some(golden) = golden() else { return };
    let (texts, references) = english(&golden, lower_split);
    let expected = numbers(&golden["coco_caption"]["rouge_l_each"]);
    for ((text, references), expected) in texts.iter().zip(&references).zip(expected) {
        assert_close(rouge_l_coco(text, references), expected, "coco");
    }
}

#[test]
fn rouge_equals_rouge_score() {
    let Some(golden) = golden() else { return };
    let (texts, references) = english(&golden, tokenise_rouge);
    let expected = list(&golden["rouge_score"]["nostem"]);
    for ((text, references), expected) in texts.iter().zip(&references).zip(expected) {
        let reference = &references[0];
        for (name, score) in [
            ("rouge1", rouge_n(text, reference, 1)),
            ("rouge2", rouge_n(text, reference, 2)),
            ("rougeL", rouge_l(text, reference)),
        ] {
            assert_rouge(score, &expected[name], name);
        }
    }
}

#[test]
fn rouge_chinese_equals_the_package_over_words_and_characters() {
    let Some(golden) = golden() else { return };
    let expected = &golden["rouge_chinese"];
    let input = &golden["inputs"]["zh"];
    let words = |texts: &Value| -> Vec<Tokens> {
        strings(texts)
            .iter()
            .map(|text| jieba_words(text))
            .collect()
    };
    let (texts, references) = (words(&input["hyps"]), words(&input["refs"]));
    let split = |name: &str| -> Vec<Tokens> { list(&expected[name]).iter().map(strings).collect() };
    assert_eq!(texts, split("jieba_hyp"));
    assert_eq!(references, split("jieba_ref"));
    for ((text, reference), expected) in texts.iter().zip(&references).zip(list(&expected["word"]))
    {
        assert_rouge_chinese(text, reference, expected);
    }
    let (texts, references) = chinese(&golden);
    for ((text, references), expected) in texts.iter().zip(&references).zip(list(&expected["char"]))
    {
        assert_rouge_chinese(text, &references[0], expected);
    }
}

fn assert_rouge_chinese(text: &[String], reference: &[String], expected: &Value) {
    let scores = rouge_chinese(text, reference);
    assert_rouge(scores.rouge_1, &expected["rouge-1"], "rouge-1");
    assert_rouge(scores.rouge_2, &expected["rouge-2"], "rouge-2");
    assert_rouge(scores.rouge_l, &expected["rouge-l"], "rouge-l");
}

fn assert_rouge(score: Rouge, expected: &Value, name: &str) {
    assert_close(score.precision, number(&expected["p"]), name);
    assert_close(score.recall, number(&expected["r"]), name);
    assert_close(score.f, number(&expected["f"]), name);
}

#[test]
fn chrf_equals_sacrebleu() {
    let Some(golden) = golden() else { return };
    let input = &golden["inputs"]["en"];
    let references: Vec<Vec<String>> = list(&input["refs_per_hyp"]).iter().map(strings).collect();
    for (name, word_order) in [("chrf2_corpus_2refs", 0), ("chrf++_corpus_2refs", 2)] {
        let score = chrf(&strings(&input["hyps"]), &references, word_order).expect("paired");
        assert_close(100.0 * score, number(&golden["sacrebleu"][name]), name);
    }
}

#[test]
fn cider_equals_the_coco_caption_tools() {
    let Some(golden) = golden() else { return };
    let (texts, references) = english(&golden, lower_split);
    let scores = cider(&texts, &references).expect("paired");
    let expected = numbers(&golden["coco_caption"]["cider_each"]);
    for (&score, expected) in scores.iter().zip(expected) {
        assert_close(score, expected, "one text");
    }
    let mean = scores.iter().sum::<f64>() / scores.len() as f64;
    assert_close(mean, number(&golden["coco_caption"]["cider"]), "mean");
}

#[test]
fn diversity_equals_the_reference() {
    let Some(golden) = golden() else { return };
    let (texts, _) = english(&golden, lower_split);
    for n in 1..=4 {
        let expected = &golden["distinct"]["corpus"][format!("d{n}")];
        assert_close(distinct_n(&texts, n), number(expected), "distinct");
    }
    let (chinese, _) = chinese(&golden);
    for n in 1..=2 {
        let expected = &golden["distinct"]["zh_char_corpus"][format!("d{n}")];
        assert_close(distinct_n(&chinese, n), number(expected), "zh distinct");
    }
    let expected = &golden["self_bleu4_method1"];
    for (score, expected) in self_bleu_each(&texts)
        .into_iter()
        .zip(numbers(&expected["each"]))
    {
        assert_close(score, expected, "self-BLEU");
    }
    assert_close(self_bleu(&texts), number(&expected["mean"]), "self-BLEU");
}

#[test]
fn feature_metrics_equal_peter() {
    let Some(golden) = golden() else { return };
    let peter = &golden["peter"];
    let texts: Vec<Tokens> = list(&peter["gen"]).iter().map(strings).collect();
    let features = strings(&peter["feature_set"]).into_iter().collect();
    assert_close(unique_sentence_ratio(&texts), number(&peter["USR"]), "USR");
    assert_close(
        feature_coverage_ratio(&texts, &features),
        number(&peter["FCR"]),
        "FCR",
    );
    assert_close(
        feature_diversity(&texts, &features),
        number(&peter["DIV"]),
        "DIV",
    );
    let references: Vec<Vec<Tokens>> = list(&peter["ref"])
        .iter()
        .map(|reference| vec![strings(reference)])
        .collect();
    let bleu = Bleu::of_corpus(&texts, &references).expect("paired");
    let bleu_1 = 100.0 * bleu.score_of_orders(Smoothing::None, 1);
    assert_close(bleu_1, number(&peter["bleu1"]), "BLEU-1");
}
