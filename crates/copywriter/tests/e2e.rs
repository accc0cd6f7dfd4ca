//! Scores of six systems of the E2E challenge equal the official scorer's, to the four digits that it prints, and their
//! slot errors those of the script of its authors.

use std::fs::File;
use std::path::{Path, PathBuf};

use copywriter::metrics::{
    Bleu, NistForm, SlotErrors, SlotRules, Smoothing, cider, nist, rouge_l_coco, slot_error_rate,
    tokenise_13a, tokenise_ptb,
};
use serde_json::Value;

type Tokens = Vec<String>;

fn shared() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared")
}

fn each(texts: &[String], tokenise: fn(&str) -> Tokens) -> Vec<Tokens> {
    texts.iter().map(|text| tokenise(text)).collect()
}

fn lower_13a(text: &str) -> Tokens {
    tokenise_13a(&text.to_lowercase())
}

/// The references of each meaning representation, in the order of the file.
fn references() -> Option<Vec<(String, Vec<String>)>> {
    let path = shared().join("data/e2e_nlg/testset_w_refs.csv.xz");
    let file = File::open(&path).ok()?;
    let mut lists: Vec<(String, Vec<String>)> = Vec::new();
    for row in csv::Reader::from_reader(liblzma::read::XzDecoder::new(file)).records() {
        let row = row.expect("a row of the test set");
        match lists.last_mut() {
            Some((meaning, list)) if *meaning == row[0] => list.push(row[1].to_owned()),
            _ => lists.push((row[0].to_owned(), vec![row[1].to_owned()])),
        }
    }
    Some(lists)
}

/// The meanings and texts of a system.
fn rows(system: &str) -> Vec<(String, String)> {
    let path = shared().join(format!("data/e2e_nlg/system_outputs/{system}.tsv"));
    csv::ReaderBuilder::new()
        .delimiter(b'\t')
        .from_path(path)
        .expect("the outputs of a system")
        .records()
        .map(|row| row.expect("a row of the outputs"))
        .map(|row| (row[0].to_owned(), row[1].to_owned()))
        .collect()
}

/// The texts of a system, in the order of the references.
fn outputs(system: &str, meanings: &[(String, Vec<String>)]) -> Vec<String> {
    let rows = rows(system);
    meanings
        .iter()
        .map(|(meaning, _)| {
            let row = rows.iter().find(|(of, _)| of == meaning);
            row.expect("every meaning has a text").1.clone()
        })
        .collect()
}

#[test]
fn scores_of_six_systems_equal_the_official_ones() {
    let Some(meanings) = references() else {
        eprintln!("skipped: the E2E test set is not there");
        return;
    };
    let golden = std::fs::read_to_string(shared().join("golden/e2e_official.json"));
    let golden: Value =
        serde_json::from_str(&golden.expect("the official scores")).expect("valid JSON");
    let lists = |tokenise| -> Vec<Vec<Tokens>> {
        let lists = meanings.iter().map(|(_, list)| each(list, tokenise));
        lists.collect()
    };
    let (lists, word_lists) = (lists(lower_13a), lists(tokenise_ptb));
    for (system, entry) in golden["system_outputs_test"].as_object().expect("systems") {
        let official = |index: usize| entry["scores"][index].as_f64().expect("a score");
        let is_official = |score: f64, index: usize| (score - official(index)).abs() <= 5e-5;
        let raw = outputs(system, &meanings);
        let texts = each(&raw, lower_13a);
        let bleu = Bleu::of_corpus(&texts, &lists).expect("paired");
        let bleu = bleu.score(Smoothing::None);
        assert!(is_official(bleu, 0), "{system} BLEU {bleu}");
        let score = nist(&texts, &lists, NistForm::Mteval).expect("paired");
        assert!(is_official(score, 1), "{system} NIST {score}");

        let texts = each(&raw, tokenise_ptb);
        let pairs = texts.iter().zip(&word_lists);
        let rouge: f64 = pairs.map(|(text, list)| rouge_l_coco(text, list)).sum();
        let rouge = rouge / texts.len() as f64;
        assert!(is_official(rouge, 3), "{system} ROUGE-L {rouge}");
        let scores = cider(&texts, &word_lists).expect("paired");
        let mean = scores.iter().sum::<f64>() / scores.len() as f64;
        assert!(is_official(mean, 4), "{system} CIDEr {mean}");
    }
}

/// The attributes and values of a meaning representation such as `name[Zizzi], area[riverside]`.
fn slots(meaning: &str) -> Vec<(&str, &str)> {
    let slot = |slot| {
        let (attribute, value) = str::split_once(slot, '[').expect("a value in brackets");
        (attribute.trim(), value)
    };
    let parts = meaning.split("],");
    parts.map(|part| slot(part.trim_end_matches(']'))).collect()
}

#[test]
fn slot_errors_of_six_systems_equal_those_of_the_authors_script() {
    if references().is_none() {
        eprintln!("skipped: the E2E test set is not there");
        return;
    }
    let rules = SlotRules::e2e();
    // Missing, added and wrong values, as `slot_error.py` of tuetschek/e2e-cleaning counts them.
    for (system, expected) in [
        ("tgen", [125, 16, 14]),
        ("slug", [24, 6, 25]),
        ("tuda", [0, 0, 0]),
        ("gong", [12, 26, 11]),
        ("sheff1", [35, 2, 10]),
        ("tr1", [601, 1, 0]),
    ] {
        let errors: Vec<SlotErrors> = rows(system)
            .iter()
            .map(|(meaning, text)| rules.errors(&slots(meaning), text))
            .collect();
        let sum = |of: fn(&SlotErrors) -> usize| errors.iter().map(of).sum::<usize>();
        let counts = [
            sum(|text| text.missing.len()),
            sum(|text| text.added.len()),
            sum(|text| text.wrong.len()),
        ];
        assert_eq!(counts, expected, "{system}");
        let rate = expected.iter().sum::<usize>() as f64 / 4352.0;
        assert!((slot_error_rate(&errors) - rate).abs() < 1e-15, "{system}");
    }
}

#[test]
fn cleaned_texts_have_no_slot_errors() {
    // The authors cleaned the test set with their own rules, so that these find nothing in it.
    let path = shared().join("data/e2e_nlg/cleaned/test-fixed.csv.xz");
    let Ok(file) = File::open(path) else {
        eprintln!("skipped: the cleaned E2E test set is not there");
        return;
    };
    let rules = SlotRules::e2e();
    let (mut texts, mut clean) = (0, 0);
    for row in csv::Reader::from_reader(liblzma::read::XzDecoder::new(file)).records() {
        let row = row.expect("a row of the cleaned test set");
        texts += 1;
        clean += usize::from(rules.errors(&slots(&row[0]), &row[1]).count() == 0);
    }
    // The others are double spaces, "fast-food" and "£20-£25", which only these rules read.
    assert_eq!(texts, 4693);
    assert!(clean >= 4598, "{clean} texts");
}
