//! Every way in which a server or its answer can fail, each with its name and words.

use std::collections::BTreeMap;

use copywriter::llm::{LlmConfig, Spent};
use serde_json::json;

use crate::server::Reply;
use crate::shop::{GOOD, ask, completion, entry, event, refusal, whole};

/// Asks a server with this script, all of which must be used up, and compares the refusal.
fn check(script: Vec<Reply>, change: impl Fn(&mut LlmConfig), name: &str, words: &str) {
    let expected = script.len();
    let (written, spent, requests) = ask(script, change);
    assert_eq!(refusal(&written), (name, words.to_owned()));
    assert_eq!(
        (requests, spent.requests),
        (expected, expected as u64),
        "{words}"
    );
}

/// The head of a response that announces so many bytes.
fn head(bytes: usize) -> Reply {
    Reply::default().then(
        0,
        &format!("HTTP/1.1 200 OK\r\ncontent-length: {bytes}\r\n\r\n"),
    )
}

fn down(detail: &str) -> String {
    format!(
        "the server is down or fails ({detail}; attempts: 2); look at its log or correct `llm.base_url`"
    )
}

#[test]
fn a_server_that_takes_too_long_is_not_waited_for() {
    let hurried = |config: &mut LlmConfig| config.answer_timeout_ms = 100;
    let late = "nothing came within 100 ms; raise `llm.answer_timeout_ms` or choose a faster model";
    let good = completion(GOOD, "stop");
    check(vec![whole(GOOD).late(250)], hurried, "timeout", late);
    check(
        vec![head(good.len()).then(250, &good)],
        hurried,
        "timeout",
        late,
    );

    let silent = Reply::stream()
        .then(0, &event(&GOOD[..40], None))
        .then(250, &event(&GOOD[40..], Some("stop")));
    let watched = |config: &mut LlmConfig| (config.stream, config.chunk_timeout_ms) = (true, 100);
    let words = "nothing came within 100 ms; raise `llm.chunk_timeout_ms` or choose a faster model";
    check(vec![silent], watched, "timeout", words);
}

#[test]
fn an_answer_that_breaks_off_is_asked_for_again_and_given_up() {
    let half = Reply::stream().then(0, &event(&GOOD[..40], None));
    let streamed = |config: &mut LlmConfig| config.stream = true;
    let words = down("the stream ended before the answer did");
    check(vec![half; 2], streamed, "server_down", &words);

    // The length that was announced is wrong: too great, then too small.
    let good = completion(GOOD, "stop");
    let short = head(good.len()).then(0, &good[..50]);
    check(
        vec![short; 2],
        |_| (),
        "server_down",
        &down("io: Peer disconnected"),
    );
    let words = "the answer is not the JSON that was asked for (no chat completion: EOF while parsing a string at line 1 \
                 column 20); a larger model keeps to the form";
    check(
        vec![head(20).then(0, &good)],
        |_| (),
        "malformed_json",
        words,
    );

    // A server that fails in the middle of a stream has no status left to say so.
    let failing = Reply::stream().then(
        0,
        "data: {\"error\": {\"code\": 500, \"message\": \"so it is\"}}\n\n",
    );
    check(vec![failing; 2], streamed, "server_down", &down("so it is"));
}

#[test]
fn each_status_has_its_name() {
    let said = r#"{"error": {"message": "so it is"}}"#;
    let filtered = r#"{"error": {"code": "content_filter"}}"#;
    let at = "check `llm.base_url` and `llm.model`";
    let failing = down("HTTP 503: so it is");
    let rejected = format!("the server refuses the request (HTTP 404: so it is); {at}");
    let elsewhere = format!("the server refuses the request (HTTP 307: no reason given); {at}");
    let cases: [(&[&str], &str, &str, &str, &str); 8] = [
        (&["500 Oops", "503 Oops"], "", said, "server_down", &failing),
        (
            &["429 Slow down", "429 Slow down"],
            "",
            said,
            "busy",
            "the server is busy (HTTP 429; attempts: 2); lower `llm.concurrency` or try again later",
        ),
        (
            // An hour is longer than we wait.
            &["429 Slow down"],
            "retry-after: 3600\r\n",
            said,
            "busy",
            "the server is busy (HTTP 429; attempts: 1); lower `llm.concurrency` or try again later",
        ),
        (
            &["401 Unauthorized"],
            "",
            said,
            "wrong_key",
            "the server refuses the key (HTTP 401); check the variable that `llm.api_key_env` names",
        ),
        (
            &["403 Forbidden"],
            "",
            said,
            "wrong_key",
            "the server refuses the key (HTTP 403); check the variable that `llm.api_key_env` names",
        ),
        (&["404 Not Found"], "", said, "rejected", &rejected),
        (
            &["307 Elsewhere"],
            "location: http://127.0.0.1:9/\r\n",
            "",
            "rejected",
            &elsewhere,
        ),
        (
            &["400 Bad Request"],
            "",
            filtered,
            "content_filter",
            "the server's content filter withheld the answer; look at the product's texts or choose another model",
        ),
    ];
    for (statuses, headers, body, name, words) in cases {
        let reply = |status: &&str| Reply::status(status, headers, body);
        check(statuses.iter().map(reply).collect(), |_| (), name, words);
    }
}

#[test]
fn each_fault_of_the_words_has_its_name() {
    let mug = "{{ short }}";
    let cases = [
        (
            entry(mug, "Holds a pint for £12 only."),
            "literal",
            "`£12` is written out; write `{{ price }}` in its place",
        ),
        (
            entry(mug, "Holds 350 of them."),
            "literal",
            "`350` is written out; write `{{ capacity }}` in its place",
        ),
        (
            entry(mug, "Save 50% today."),
            "literal",
            "`50%` is written out; no fact has this value, so leave it out",
        ),
        (
            entry(mug, "给你的早晨，安静一点。"),
            "language",
            "only 0 % of the words are English; choose a model that writes the language",
        ),
        (
            entry(mug, "Yours for {{ sale }}."),
            "unknown_slot",
            "there is no slot `sale`; use one of those that were offered",
        ),
        (
            entry("For you", "A calm start."),
            "unsupported",
            "the text shows none of `title`, `headline`, `short`; show one, or it states what nothing bears out",
        ),
        (
            entry(mug, &"A calm start to the day. ".repeat(8)),
            "too_long",
            "it does not fit its channel: the body has 199 columns, the limit is 150; shorten it or use `truncate`",
        ),
        (
            entry(mug, "Our mug cures cancer."),
            "guard",
            "the guard refuses it (forbidden:cures cancer); see the checks",
        ),
    ];
    for (answer, name, words) in cases {
        let (written, ..) = ask(vec![whole(&answer)], |_| ());
        assert_eq!(refusal(&written), (name, words.to_owned()), "{answer}");
    }
    let twice = json!({"variants": [{"title": mug, "body": "A calm start."}, {"title": mug, "body": "A calm start."}]});
    let (written, ..) = ask(vec![whole(&twice.to_string())], |_| ());
    assert_eq!(written.approved.len(), 1);
    assert_eq!(written.refusals(), BTreeMap::from([("duplicate", 1)]));
}

#[test]
fn each_fault_of_the_form_has_its_name() {
    let mug = "{{ short }}";
    let cases = [
        (
            entry(mug, "{{ price | money }} a piece."),
            "markup",
            "`{{ price | money }}` may not be written; a text holds words and slots such as `{{ title }}` alone",
        ),
        (
            entry(mug, "  "),
            "empty",
            "`body` is empty; a larger model keeps to the form",
        ),
        (
            r#"{"variants": []}"#.to_owned(),
            "empty",
            "`variants` is empty; a larger model keeps to the form",
        ),
        (
            r#"{"variants": [{"title": "{{ short }}"}]}"#.to_owned(),
            "missing_field",
            "the answer has no text for `body`; a larger model keeps to the form",
        ),
        (
            r#"{"texts": []}"#.to_owned(),
            "missing_field",
            "the answer has no text for `variants`; a larger model keeps to the form",
        ),
        (
            r#"{"variants": [{"title": "{{ short }}", "body": "A ca"#.to_owned(),
            "malformed_json",
            "the answer is not the JSON that was asked for (it begins `{\"variants\": [{\"title\": \"{{ short }}\", \
             \"body\": \"A ca`); a larger model keeps to the form",
        ),
        (
            String::new(),
            "empty",
            "`variants` is empty; a larger model keeps to the form",
        ),
    ];
    for (answer, name, words) in cases {
        let (written, ..) = ask(vec![whole(&answer)], |_| ());
        assert_eq!(refusal(&written), (name, words.to_owned()), "{answer}");
    }
    let words = "the answer is not the JSON that was asked for (no chat completion: expected value at line 1 column 1); a \
                 larger model keeps to the form";
    check(vec![Reply::json("<html>")], |_| (), "malformed_json", words);
}

#[test]
fn an_answer_that_did_not_end_by_itself_is_not_used() {
    let refusal_of = |body: &str| refusal(&ask(vec![Reply::json(body)], |_| ()).0).0;
    assert_eq!(refusal_of(&completion(GOOD, "length")), "truncated");
    assert_eq!(
        refusal_of(&completion("", "content_filter")),
        "content_filter"
    );
    let declined = r#"{"choices": [{"message": {"content": null, "refusal": "No."}, "finish_reason": "stop"}]}"#;
    assert_eq!(refusal_of(declined), "content_filter");
}

#[test]
fn a_server_that_is_gone_or_resets_is_down() {
    let (written, ..) = ask(vec![Reply::reset(), Reply::reset()], |_| ());
    assert_eq!(refusal(&written).0, "server_down");
    let (written, spent, _) = ask(vec![], |_| ());
    assert_eq!(refusal(&written).0, "server_down");
    assert_eq!(
        spent,
        Spent {
            requests: 2,
            ..Spent::default()
        }
    );
}
