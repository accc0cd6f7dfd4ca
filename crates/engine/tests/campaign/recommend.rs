//! Lists of products: who gets one, what stands in it, with which propensity and why.

use std::collections::BTreeSet;
use std::fmt::Write;

use engine::ingest::Format;
use engine::{
    Config, EngineError, RecommendReport, RecommendRequest, RecommendedLine, RecommendedProduct,
    recommend,
};

use crate::shop::{SHOPPERS, SOLD_OUT, TestShop, is_chinese};

/// A user model that trains in a second.
const SMALL: &str = "[model]\nwidth = 8\nlayers = 1\nheads = 1\nhidden = 16\nmax_length = 16\ntext_buckets = 32\n\
                     batch_interactions = 256\nepochs = 3\n[copywriter]\nnative = false\n";

fn request() -> RecommendRequest {
    RecommendRequest {
        user: None,
        top: 5,
        category: None,
        segment: None,
        include_bought: false,
        explore: 0.0,
        seed: 1,
        why: false,
        identities: true,
        out: None,
    }
}

fn run(shop: &TestShop, request: &RecommendRequest) -> RecommendReport {
    recommend(&shop.store, &shop.config, request, &mut |_| {}).expect("lists")
}

fn refused(shop: &TestShop, request: &RecommendRequest) -> String {
    let ran = recommend(&shop.store, &shop.config, request, &mut |_| {});
    ran.expect_err("refused").to_string()
}

fn number(line: &RecommendedLine) -> u32 {
    let user_id = line.user_id.as_deref().expect("identities were asked for");
    user_id.parse::<u32>().expect("a number") - 12_000
}

fn ids(line: &RecommendedLine) -> Vec<&str> {
    line.products
        .iter()
        .map(|product| product.id.as_str())
        .collect()
}

fn products(report: &RecommendReport) -> impl Iterator<Item = &RecommendedProduct> {
    report.lines.iter().flat_map(|line| &line.products)
}

#[test]
fn every_shopper_gets_what_may_be_recommended_best_first() {
    let shop = TestShop::new();
    let report = run(&shop, &request());
    assert_eq!(report.shoppers, u64::from(SHOPPERS));
    assert_eq!(report.products as usize, products(&report).count());
    assert_eq!((report.explored, report.candidates), (0, None));
    for line in &report.lines {
        let ranks: Vec<usize> = line.products.iter().map(|product| product.rank).collect();
        assert_eq!(ranks, (1..=line.products.len()).collect::<Vec<_>>());
        assert!(line.products.is_sorted_by(|a, b| a.score >= b.score));
        assert!(
            line.products
                .iter()
                .all(|product| product.propensity >= 1.0)
        );
    }
    let recommended: BTreeSet<&str> = report.lines.iter().flat_map(ids).collect();
    assert!(
        SOLD_OUT.iter().all(|id| !recommended.contains(id)),
        "{recommended:?}"
    );
    // Everybody who came on the fourth visit lately bought the mug.
    let mug_buyers = |line: &&RecommendedLine| number(line).is_multiple_of(4) && number(line) < 60;
    let offered = |report: &RecommendReport| {
        let buyers = report.lines.iter().filter(mug_buyers);
        buyers.filter(|line| ids(line).contains(&"20001")).count()
    };
    assert_eq!(offered(&report), 0);
    let again = RecommendRequest {
        include_bought: true,
        ..request()
    };
    let again = run(&shop, &again);
    assert!(again.lines.iter().all(|line| line.products.len() == 5));
    assert!(offered(&again) > 0);
}

#[test]
fn a_category_narrows_the_products_and_a_segment_the_shoppers() {
    let mut shop = TestShop::new();
    let kitchen = RecommendRequest {
        category: Some("kitchen".to_owned()),
        include_bought: true,
        ..request()
    };
    let report = run(&shop, &kitchen);
    for line in &report.lines {
        let found: BTreeSet<&str> = ids(line).into_iter().collect();
        assert_eq!(found, BTreeSet::from(["20001", "20002", "20003", "20005"]));
    }
    let misspelt = RecommendRequest {
        category: Some("Kichten".to_owned()),
        ..request()
    };
    assert_eq!(
        refused(&shop, &misspelt),
        "no product is of the category `Kichten`; did you mean `Kitchen`?"
    );
    shop.config
        .segments
        .insert("new".to_owned(), "orders < 1".to_owned());
    let segment = |name: &str| RecommendRequest {
        segment: Some(name.to_owned()),
        ..request()
    };
    let report = run(&shop, &segment("new"));
    let mut numbers: Vec<u32> = report.lines.iter().map(number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [60, 61, 62, 63]);
    assert_eq!(
        refused(&shop, &segment("old")),
        "there is no segment `old`; define it under [segments], or use one of: new"
    );
}

#[test]
fn one_shopper_is_found_by_identifier_or_pseudonym() {
    let shop = TestShop::new();
    let all = run(&shop, &request());
    let expected = all
        .lines
        .iter()
        .find(|line| number(line) == 17)
        .expect("a shopper");
    let of = |user: &str| RecommendRequest {
        user: Some(user.to_owned()),
        ..request()
    };
    let pseudonym = expected.user.to_string();
    for name in ["12017", &pseudonym] {
        assert_eq!(run(&shop, &of(name)).lines, std::slice::from_ref(expected));
    }
    let message = refused(&shop, &of("99"));
    assert!(message.starts_with("no shopper of "), "{message}");
    assert!(
        message.contains(
            "is known as `99`; give the identifier as it stands in the files that were imported"
        ),
        "{message}"
    );
}

#[test]
fn places_explore_with_the_propensity_that_they_state() {
    let shop = TestShop::new();
    let exploring = |seed| RecommendRequest {
        explore: 0.4,
        include_bought: true,
        seed,
        ..request()
    };
    let report = run(&shop, &exploring(1));
    assert_eq!(report.lines, run(&shop, &exploring(1)).lines);
    assert_ne!(report.lines, run(&shop, &exploring(2)).lines);
    let best = run(&shop, &exploring(1));
    assert_eq!(
        report.explored as usize,
        products(&best).filter(|one| one.explored).count()
    );
    let share = report.explored as f64 / report.products as f64;
    // 320 places; four standard errors.
    assert!((share - 0.4).abs() < 0.11, "{share}");
    let catalogue = shop.store.catalogue().expect("readable").products.len();
    for product in products(&report) {
        if product.explored {
            assert!(product.rank > 5);
            let beyond = (0.4 / product.propensity).round() as usize;
            assert!((1..=catalogue - 5).contains(&beyond), "{product:?}");
        } else {
            assert!(product.rank <= 5);
            assert!((product.propensity - 0.6).abs() < 1e-12, "{product:?}");
        }
    }
    let whole = RecommendRequest {
        explore: 1.0,
        ..request()
    };
    assert_eq!(
        refused(&shop, &whole),
        "`explore` is 1; expected a share from 0 up to, not including, 1"
    );
}

#[test]
fn reasons_are_in_the_shoppers_language_and_add_up() {
    let mut shop = TestShop::new();
    let small = Config::parse(SMALL, "small.toml".as_ref()).expect("a configuration");
    (shop.config.model, shop.config.copywriter) = (small.model, small.copywriter);
    let why = RecommendRequest {
        top: 2,
        why: true,
        ..request()
    };
    assert_eq!(
        refused(&shop, &why),
        "no user model is trained, and the reasons are read from it; run `hawker train` first, or leave --why out"
    );
    engine::train(&shop.store, &shop.config, &mut |_| {}).expect("trains");
    let report = run(&shop, &why);
    for line in &report.lines {
        let chinese = is_chinese(number(line));
        for product in &line.products {
            let why = product.why.as_ref().expect("was asked for");
            assert_eq!(why.text.ends_with('。'), chinese, "{}", why.text);
            assert_eq!(
                why.text.contains("not the user model")
                    || why.text.contains("而不是用户模型")
                    || why.text.contains("No model ranks")
                    || why.text.contains("没有模型"),
                !why.by_user_model,
                "{}",
                why.text
            );
            let model = &why.user_model;
            let events: f32 = model.events.iter().map(|event| event.part).sum();
            let interests: f32 = model.interests.iter().map(|interest| interest.part).sum();
            let sum = events + model.other + model.popularity + model.own_past;
            assert!((sum - model.score).abs() < 1e-3, "{model:?}");
            assert!((interests - events - model.other).abs() < 1e-3, "{model:?}");
            assert!(why.models.is_sorted_by(|a, b| a.part >= b.part));
        }
    }
    let texts = products(&report).filter_map(|product| product.why.as_ref());
    let texts: BTreeSet<&str> = texts.map(|why| why.text.as_str()).collect();
    assert!(texts.len() > 5, "{texts:?}");
}

/// Orders of shoppers who keep to a fifth of 150 products.
fn many_products() -> String {
    let mut csv =
        "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country\n".to_owned();
    for order in 0..900_u32 {
        let (shopper, day) = (order % 75, order / 3);
        for line in 0..2 {
            let product = shopper % 5 + 5 * ((order / 75 * 7 + shopper * 3 + line * 11) % 30);
            writeln!(
                csv,
                "{},{},THING NO {product},1,2025-{:02}-{:02} 10:00:00,{}.50,{},United Kingdom",
                700_000 + order,
                40_000 + product,
                day / 28 + 1,
                day % 28 + 1,
                product % 9 + 1,
                13_000 + shopper
            )
            .expect("fits");
        }
    }
    csv
}

#[test]
fn a_large_catalogue_is_ranked_in_two_stages() -> Result<(), EngineError> {
    let mut shop = TestShop::new();
    let small = Config::parse(SMALL, "small.toml".as_ref())?;
    (shop.config.model, shop.config.copywriter) = (small.model, small.copywriter);
    shop.config.import.in_stock_days = 400;
    shop.import(Format::OnlineRetail, "more.csv", &many_products());
    engine::train(&shop.store, &shop.config, &mut |_| {})?;
    // Most places hold what stands far down among the candidates, where the two stages differ.
    let request = || RecommendRequest {
        explore: 0.9,
        ..request()
    };
    let whole = run(&shop, &request());
    assert_eq!(whole.candidates, None);
    shop.config.retrieval.exact_up_to = 40;
    // As many candidates as there are products change nothing.
    let enough = run(&shop, &request());
    assert_eq!(
        (enough.candidates, &enough.lines),
        (Some(500), &whole.lines)
    );
    shop.config.retrieval.candidates = 60;
    let narrow = run(&shop, &request());
    assert_eq!(narrow.candidates, Some(60));
    assert_eq!(narrow.lines, run(&shop, &request()).lines);
    for (narrow, whole) in narrow.lines.iter().zip(&whole.lines) {
        assert_eq!(narrow.products.len(), whole.products.len());
        for (narrow, whole) in narrow.products.iter().zip(&whole.products) {
            // The same ranks are drawn, among fewer products.
            assert_eq!(narrow.rank, whole.rank);
            assert!(narrow.score <= whole.score);
        }
    }
    assert!(
        narrow.lines != whole.lines,
        "sixty candidates hold all that was drawn"
    );
    // In a file, whole or not at all, readable by its owner alone since it names people.
    let out = RecommendRequest {
        out: Some(shop.path("lists.jsonl")),
        ..request()
    };
    let report = run(&shop, &out);
    assert!(report.lines.is_empty());
    let text = std::fs::read_to_string(shop.path("lists.jsonl")).expect("written");
    let lines: Vec<RecommendedLine> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line"))
        .collect();
    assert_eq!(lines, narrow.lines);
    Ok(())
}
