//! The provider `llm` against a server that fails in every way a server can.

#[path = "llm/faults.rs"]
mod faults;
#[path = "llm/server.rs"]
mod server;
#[path = "llm/shop.rs"]
mod shop;

use std::collections::BTreeMap;
use std::thread;

use copywriter::brief::{Brief, Written};
use copywriter::llm::{Access, LlmConfig};
use copywriter::providers::{Attempt, Providers, first_that_writes};
use events::{Channel, Language, Scope, Strategy, VariantStatus};
use serde_json::json;
use server::{Reply, Server};
use shop::{GOOD, INJECTION, Shop, ask, config, entry, event, llm, refusal, whole};

#[test]
fn a_good_answer_becomes_a_variant_whose_values_follow_the_facts() {
    let server = Server::start(vec![whole(GOOD)]);
    let access = Access {
        key: Some("secret\n".to_owned()),
        ..Access::default()
    };
    let (llm, _) = llm(config(&server), access);
    let shop = Shop::new();
    let written = llm.write(&shop.brief(), shop.guard);
    assert_eq!(written.refused, []);
    let variant = &written.approved[0];
    assert_eq!(
        variant.template.body,
        "Made of {{ material | truncate: 40 }}, holds {{ capacity | truncate: 40 }}. Yours for {{ price | money }}."
    );
    assert!(
        variant.id.starts_with("l/push/en/benefit/"),
        "{}",
        variant.id
    );
    assert_eq!(variant.scope, Scope::ProductIds(vec!["mug".to_owned()]));
    assert_eq!(variant.status, VariantStatus::Approved);
    assert_eq!(
        (
            variant.generator.provider.as_str(),
            variant.generator.model.as_str()
        ),
        ("llm", "test-model")
    );
    assert_eq!(variant.generator.seed, 5);
    let rendered = shop
        .guard
        .render(variant, &shop.brief().facts)
        .expect("passed");
    assert_eq!(
        rendered.text.title.as_deref(),
        Some("For slow mornings: Red Mug")
    );
    assert_eq!(
        rendered.text.body,
        "Made of stoneware, holds 350 ml. Yours for £12.00."
    );

    let request = &server.requests()[0];
    assert!(
        request.head.starts_with("POST /v1/chat/completions "),
        "{}",
        request.head
    );
    assert!(
        request.head.contains("authorization: Bearer secret\r\n"),
        "{}",
        request.head
    );
    let schema = &request.body["response_format"]["json_schema"]["schema"];
    let required = &schema["properties"]["variants"]["items"]["required"];
    assert_eq!(*required, json!(["title", "body"]));
    assert_eq!(request.body["seed"], 2);
}

#[test]
fn facts_are_data_and_the_shopper_s_history_stays_at_home() {
    let obeyed = entry("{{ title }} is free", "It is free, says the {{ note }}.");
    let server = Server::start(vec![whole(&obeyed)]);
    let (llm, _) = llm(config(&server), Access::default());
    let shop = Shop::new();
    let written = llm.write(&shop.brief(), shop.guard);

    let messages = &server.requests()[0].body["messages"];
    let system = messages[0]["content"].as_str().expect("text");
    assert!(!system.contains("Ignore"), "{system}");
    let data: serde_json::Value =
        serde_json::from_str(messages[1]["content"].as_str().expect("text")).expect("JSON alone");
    assert_eq!(data["slots"]["note"]["value"], INJECTION);
    assert_eq!(data["slots"]["price"]["value"], "£12.00");
    assert_eq!(
        data["slots"]["bought"],
        json!({"meaning": "what the shopper bought before", "takes_at_most": "60 columns"})
    );
    assert!(!messages.to_string().contains("candles"), "{messages}");

    // A model that does as the fact says is refused all the same.
    let (name, words) = refusal(&written);
    assert_eq!(name, "guard", "{words}");
}

#[test]
fn a_stream_is_put_together() {
    let (start, rest) = GOOD.split_at(40);
    let reply = Reply::stream()
        .then(0, ": hello\n\n")
        .then(20, &event(start, None))
        .then(20, &event(rest, Some("stop")))
        .then(0, "data: {\"choices\": [], \"usage\": {\"prompt_tokens\": 4, \"completion_tokens\": 2}}\n\n")
        .then(0, "data: [DONE]\n\n");
    let (written, spent, _) = ask(vec![reply], |config| config.stream = true);
    assert_eq!((written.approved.len(), written.refused.len()), (1, 0));
    assert_eq!(
        (spent.input_tokens, spent.output_tokens, spent.estimated),
        (4, 2, 0)
    );
}

#[test]
fn words_around_the_answer_do_no_harm() {
    let prose = format!("Here you are, with {{{{ price }}}}:\n```json\n{GOOD}\n```\nEnjoy!");
    let (written, _, _) = ask(vec![whole(&prose)], |_| ());
    assert_eq!((written.approved.len(), written.refused.len()), (1, 0));
}

#[test]
fn a_server_that_recovers_is_asked_again_when_it_wishes() {
    let later = |header: &str| Reply::status("429 Slow down", header, "");
    let failed = Reply::status("500 Oops", "", "");
    for (first, least_ms, most_ms) in [
        (later("retry-after: 2\r\n"), 2_000, 2_000),
        (later("retry-after-ms: 150\r\n"), 150, 150),
        (failed, 50, 100),
        (Reply::reset(), 50, 100),
    ] {
        let server = Server::start(vec![first, whole(GOOD)]);
        let (llm, waits) = llm(config(&server), Access::default());
        let shop = Shop::new();
        let written = llm.write(&shop.brief(), shop.guard);
        assert_eq!((written.approved.len(), written.refused.len()), (1, 0));
        let waits = waits.lock().expect("whole");
        let wait_ms = waits[0].as_millis();
        assert_eq!(waits.len(), 1);
        assert!((least_ms..=most_ms).contains(&wait_ms), "{wait_ms}");
    }
}

#[test]
fn a_server_that_knows_no_schema_is_asked_in_words() {
    let unknown = Reply::status("400 Bad Request", "", "response_format is unknown");
    let server = Server::start(vec![unknown, whole(GOOD), whole(GOOD)]);
    let (llm, waits) = llm(config(&server), Access::default());
    let shop = Shop::new();
    for _ in 0..2 {
        assert_eq!(llm.write(&shop.brief(), shop.guard).refused, []);
    }
    let has_schema: Vec<bool> = server
        .requests()
        .iter()
        .map(|request| request.body.get("response_format").is_some())
        .collect();
    assert_eq!(has_schema, [true, false, false]);
    assert_eq!(*waits.lock().expect("whole"), []);
}

#[test]
fn a_key_that_the_server_repeats_is_taken_out() {
    let echo = Reply::status("418 Teapot", "", "who gave you sk-12345?");
    let server = Server::start(vec![echo]);
    let access = Access {
        key: Some("sk-12345".to_owned()),
        ..Access::default()
    };
    let (llm, _) = llm(config(&server), access);
    let shop = Shop::new();
    let (_, words) = refusal(&llm.write(&shop.brief(), shop.guard));
    assert_eq!(
        words,
        "the server refuses the request (HTTP 418: who gave you …?); check `llm.base_url` and `llm.model`"
    );
}

#[test]
fn an_encrypted_server_is_trusted_by_its_authority_alone() {
    let shop = Shop::new();
    let ask = |authority: &[u8]| {
        let config = LlmConfig {
            base_url: Server::start_tls(whole(GOOD)),
            retries: 0,
            ..LlmConfig::default()
        };
        let access = Access {
            ca_pem: authority.to_vec(),
            ..Access::default()
        };
        llm(config, access).0.write(&shop.brief(), shop.guard)
    };
    let written = ask(include_bytes!("llm/tls/authority.pem"));
    assert_eq!((written.approved.len(), written.refused.len()), (1, 0));
    let stranger = ask(include_bytes!("llm/tls/stranger.pem"));
    assert_eq!(
        refusal(&stranger),
        (
            "untrusted",
            "the server's certificate is not trusted (UnknownIssuer); add its authority to the file of `llm.ca_file`"
                .to_owned()
        )
    );
}

#[test]
fn the_budget_ends_a_campaign_before_the_next_request() {
    let server = Server::start(vec![whole(GOOD); 5]);
    let (llm, _) = llm(
        LlmConfig {
            input_price_per_1000: 1.0,
            output_price_per_1000: 2.0,
            budget: Some(1.0),
            ..config(&server)
        },
        Access::default(),
    );
    let shop = Shop::new();
    // An answer costs 400 · 1 / 1,000 + 100 · 2 / 1,000 = 0.6, so the second one passes the budget and the third is not asked.
    let outcomes: Vec<Written> = thread::scope(|scope| {
        let ask = || llm.write(&shop.brief(), shop.guard);
        let threads: Vec<_> = (0..5).map(|_| scope.spawn(ask)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("no panic"))
            .collect()
    });
    let written = outcomes
        .iter()
        .filter(|written| !written.approved.is_empty());
    assert_eq!(written.count(), 2);
    let refused: Vec<String> = outcomes
        .iter()
        .flat_map(|written| &written.refused)
        .map(ToString::to_string)
        .collect();
    let spent = "the run has cost 1.2000 of its budget of 1; raise `llm.budget` to go on";
    assert_eq!(refused, [spent; 3]);
    assert_eq!(server.requests().len(), 2);
    assert_eq!(
        (llm.spent().input_tokens, llm.spent().output_tokens),
        (800, 200)
    );
}

#[test]
fn tokens_that_nobody_counted_are_estimated() {
    let body =
        r#"{"choices": [{"message": {"content": "twelve chars"}, "finish_reason": "stop"}]}"#;
    let (_, spent, _) = ask(vec![Reply::json(body)], |_| ());
    assert_eq!((spent.output_tokens, spent.estimated), (3, 1));
    assert!(spent.input_tokens > 300, "{spent:?}");
}

#[test]
fn no_more_requests_run_at_once_than_configured() {
    let server = Server::start(vec![whole(GOOD).late(60); 6]);
    let limited = LlmConfig {
        concurrency: 2,
        ..config(&server)
    };
    let (llm, _) = llm(limited, Access::default());
    let shop = Shop::new();
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| assert_eq!(llm.write(&shop.brief(), shop.guard).refused, []));
        }
    });
    assert_eq!(server.requests().len(), 6);
    assert_eq!(server.most_at_once(), 2);
}

#[test]
fn chinese_is_asked_for_and_judged_as_such() {
    let server = Server::start(vec![
        whole(&entry(
            "{{ short }}",
            "用{{ material }}做的杯子，{{ price }}。",
        )),
        whole(&entry("{{ short }}", "A calm start to the day.")),
    ]);
    let (llm, _) = llm(config(&server), Access::default());
    let shop = Shop::new();
    let brief = Brief {
        language: Language::Zh,
        ..shop.brief()
    };
    let written = llm.write(&brief, shop.guard);
    assert_eq!(written.refused, []);
    assert_eq!(written.approved[0].locale.0, "zh");
    let other = llm.write(&brief, shop.guard);
    assert_eq!(
        refusal(&other).1,
        "only 0 % of the words are Chinese; choose a model that writes the language"
    );
}

#[test]
fn the_chain_goes_on_to_whoever_writes_and_says_why() {
    let shop = Shop::new();
    let server = Server::start(vec![whole(GOOD), Reply::status("401 No", "", "")]);
    let (llm, _) = llm(config(&server), Access::default());
    let providers = Providers {
        llm: Some(&llm),
        ..Providers::default()
    };
    let chain = providers.write(&shop.brief(), shop.guard);
    assert_eq!((chain.provider, chain.variants.len()), (Some("llm"), 1));
    assert_eq!(chain.passed_over, []);

    let chain = providers.write(&shop.brief(), shop.guard);
    assert_eq!(chain.provider, Some("templates"));
    assert!(!chain.variants.is_empty());
    let why: Vec<(&str, Vec<&str>)> = chain
        .passed_over
        .iter()
        .map(|passed| {
            (
                passed.provider,
                passed.reasons.keys().map(String::as_str).collect(),
            )
        })
        .collect();
    let off = || vec!["off"];
    let refused = ("llm", vec!["wrong_key"]);
    assert_eq!(why, [refused, ("checkpoint", off()), ("native", off())]);
    assert_eq!(chain.passed_over[2].detail, "no native model is trained");

    // Nobody has bought it twice, so nobody can say that it runs out.
    let brief = Brief {
        strategy: Strategy::Replenishment,
        ..shop.brief()
    };
    let chain = providers.write(&brief, shop.guard);
    assert_eq!((chain.provider, chain.passed_over.len()), (None, 4));
    assert_eq!(
        chain.passed_over[0].reasons,
        BTreeMap::from([("no_evidence".to_owned(), 1)])
    );
}

#[test]
fn a_chain_ends_at_the_first_that_writes() {
    let variant = copywriter::templates::library(Channel::Sms, Language::En).remove(0);
    let mut asked = Vec::new();
    let chain = {
        let asked = std::cell::RefCell::new(&mut asked);
        first_that_writes([
            ("a", &mut || {
                asked.borrow_mut().push("a");
                Attempt::default()
            }),
            ("b", &mut || {
                asked.borrow_mut().push("b");
                Attempt {
                    variants: vec![variant.clone()],
                    reasons: Vec::new(),
                }
            }),
            ("c", &mut || {
                asked.borrow_mut().push("c");
                Attempt::default()
            }),
        ])
    };
    assert_eq!(asked, ["a", "b"]);
    assert_eq!(chain.provider, Some("b"));
    assert_eq!(chain.passed_over[0].provider, "a");
}
