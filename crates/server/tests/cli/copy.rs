//! `hawker copy check`: texts of a file, with and without a shop.

use serde_json::{Value, json};

use crate::hawker::Hawker;

/// The answers to a file of texts, without their reasons.
fn answers(hawker: &Hawker, args: &[&str]) -> Vec<Value> {
    let said = hawker.run(&[&["copy", "check"], args, &["--json"]].concat());
    assert_eq!(said.code, Some(0), "{}", said.err);
    let answer = |line: &str| {
        let mut answer: Value = serde_json::from_str(line).expect("one object a line");
        for finding in answer["findings"].as_array_mut().expect("findings") {
            let reason = finding.as_object_mut().expect("an object").remove("reason");
            assert!(reason.is_some_and(|reason| !reason.as_str().unwrap_or_default().is_empty()));
        }
        answer
    };
    said.out.lines().map(answer).collect()
}

#[test]
fn each_line_is_answered_without_a_shop() {
    let hawker = Hawker::new();
    let texts = "\u{feff}A quiet mug\r\n\n🎁 最好的杯子\nNEW TEA TODAY";
    let bytes = [texts.as_bytes(), b"\nbad \xff byte\n"].concat();
    std::fs::write(hawker.path("texts.txt"), bytes).expect("written");
    let answers = answers(&hawker, &["texts.txt"]);
    assert_eq!(answers.len(), 5);
    assert_eq!(answers[0], json!({"line": 1, "ok": true, "findings": []}));
    assert_eq!(answers[1], json!({"line": 2, "ok": true, "findings": []}));
    assert_eq!(
        (&answers[2]["line"], &answers[2]["ok"]),
        (&json!(3), &json!(false))
    );
    assert_eq!(answers[2]["findings"][0]["span"], json!([2, 5]));
    assert_eq!(answers[3]["ok"], true);
    assert_eq!(answers[3]["findings"][0]["severity"], "warning");
    assert_eq!(
        answers[4]["findings"],
        json!([{"rule": "encoding", "severity": "error", "span": [4, 5], "fix": null}])
    );
    let strict = hawker.run(&["copy", "check", "texts.txt", "--strict"]);
    assert_eq!(strict.code, Some(1));
    assert!(
        strict.out.contains("2 of 5 texts must not be sent"),
        "{}",
        strict.out
    );
    let missing = hawker.run(&["copy", "check", "nowhere.txt"]);
    assert!(
        missing.err.contains("cannot read nowhere.txt"),
        "{}",
        missing.err
    );
}

#[test]
fn a_text_about_a_product_says_what_its_fields_say() {
    let hawker = Hawker::new();
    hawker.file(
        "feed.txt",
        "id\ttitle\tprice\tsale_price\tavailability\tproduct_detail\nmug-7\tBlue mug\t20.00 GBP\t15.00 GBP\tin_stock\t:capacity:35 cl\n",
    );
    hawker.says(&["import", "merchant-feed", "feed.txt"]);
    hawker.file(
        "texts.txt",
        "Blue mug, 25% off, now £15\nBlue mug, half price\nHolds 350 ml\nHolds 400 ml\n",
    );
    let answers = answers(&hawker, &["texts.txt", "--product", "mug-7"]);
    let oks: Vec<_> = answers.iter().map(|answer| answer["ok"] == true).collect();
    assert_eq!(oks, [true, false, true, false]);
    assert_eq!(answers[1]["findings"][0]["fix"], "25% off");
    assert_eq!(answers[0].get("told"), None);
    let asked = ["texts.txt", "--product", "mug-7", "--coverage"];
    let covered = self::answers(&hawker, &asked);
    assert_eq!(covered[0]["told"], json!(["title", "price"]));
    assert_eq!(covered[2]["told"], json!(["capacity"]));
    assert_eq!(covered[2]["left_out"], json!(["title", "price"]));
    let said = hawker.says(&[&["copy", "check"], &asked[..]].concat());
    assert!(
        said.contains("line 4: tells nothing; leaves out title, price, capacity"),
        "{said}"
    );
    let unknown = hawker.run(&["copy", "check", "texts.txt", "--product", "mug-8"]);
    assert!(
        unknown
            .err
            .contains("the catalogue has no product `mug-8`; did you mean `mug-7`?"),
        "{}",
        unknown.err
    );
}

#[test]
fn the_shop_has_rules_and_a_voice_of_its_own() {
    let hawker = Hawker::new();
    hawker.file(
        "hawker.toml",
        "[guard]\npacks = [\"own.toml\"]\n[voice]\navoid = [\"cheap~\"]\n[voice.use]\ncustomers = \"guests\"\n",
    );
    let pack = "version = \"own-1\"\n[[rule]]\nid = \"own\"\nkind = \"forbidden\"\nreason = \"our lawyer says so\"\nphrases = [\"(moonlight|starlight) price~\"]\npasses = [\"moonlight\"]\nfails = [\"starlight prices\"]\n";
    hawker.file("own.toml", pack);
    hawker.file(
        "texts.txt",
        "Moonlight prices\nA cheaper mug\nFor our customers\n",
    );
    let rules: Vec<_> = answers(&hawker, &["texts.txt"])
        .iter()
        .map(|answer| answer["findings"][0]["rule"].clone())
        .collect();
    assert_eq!(rules, ["own", "voice_avoid", "voice_use"]);
    hawker.file("own.toml", pack.replace("price~\"", "(price\""));
    let broken = hawker.run(&["copy", "check", "texts.txt"]);
    assert!(
        broken
            .err
            .contains("own.toml: rule pack line 6, column 35: rule `own` has the phrase"),
        "{}",
        broken.err
    );
}

#[test]
fn a_whole_mail_is_checked() {
    let hawker = Hawker::new();
    // The subject reads 全网最低价 and the text `Only today: the best mug, 4.00 £`, encoded as mail programs do.
    let mail = "From: Slope <hello@slope.example>\r\n\
        Subject: =?UTF-8?B?5YWo572R5pyA5L2O5Lu3?=\r\n\
        List-Unsubscribe: <https://slope.example/u?s=1>,\r\n <mailto:u@slope.example>\r\n\
        MIME-Version: 1.0\r\n\
        Content-Type: multipart/alternative; boundary=b\r\n\r\n\
        --b\r\nContent-Type: text/html; charset=utf-8\r\n\
        Content-Transfer-Encoding: quoted-printable\r\n\r\n\
        <p>Only today: the <b>best</b> mug, 4.00 =C2=A3</p>\r\n\
        <p>12 Mill Lane, Leeds. <a href=3D\"https://slope.example/u\">Unsubscribe</a></p>\r\n--b--\r\n";
    std::fs::write(hawker.path("tea.eml"), mail).expect("written");
    let said = hawker.run(&["copy", "check", "tea.eml", "--mail", "--json"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    let answer: Value = serde_json::from_str(said.out.trim()).expect("one object");
    let found = |part: &str, key: &str| -> Vec<Value> {
        let findings = answer[part].as_array().expect("findings");
        findings
            .iter()
            .map(|finding| finding[key].clone())
            .collect()
    };
    assert_eq!(answer["ok"], false);
    assert_eq!(
        found("form", "rule"),
        ["mail_unsubscribe_post", "mail_label"]
    );
    assert_eq!(found("subject", "span")[0], json!([0, 5]));
    let body = found("body", "rule");
    assert!(body.contains(&json!("urgency_today_en")), "{body:?}");
    let said = hawker.run(&["copy", "check", "tea.eml", "--mail", "--strict"]);
    assert_eq!(said.code, Some(1));
    for part in [
        "mail: error mail_unsubscribe_post: ",
        "subject, 0–5: error cn_zui_price: `全网最低价`",
        "text, 0–10: error urgency_today_en: `Only today`",
        "the mail must not be sent",
    ] {
        assert!(said.out.contains(part), "{part} in {}", said.out);
    }
    std::fs::write(hawker.path("texts.txt"), "A quiet mug\nToday: tea\n").expect("written");
    let said = hawker.run(&["copy", "check", "texts.txt", "--mail"]);
    assert!(said.err.contains("texts.txt is no mail"), "{}", said.err);
}

/// A mail with everything that its form demands.
fn mail(subject: &str, charset: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "From: Slope <hello@slope.example>\r\nSubject: {subject}\r\n\
         List-Unsubscribe: <https://slope.example/u>\r\n\
         List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n\
         MIME-Version: 1.0\r\n{charset}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

#[test]
fn whatever_of_a_mail_may_be_read_is_checked() {
    let hawker = Hawker::new();
    let plain = "Content-Type: text/plain; charset=utf-8";
    let way_out = "Unsubscribe: https://slope.example/u\r\nSlope, 12 Mill Lane, Leeds\r\n";
    let both = |html: &str| {
        let body = format!(
            "--b\r\nContent-Type: text/plain\r\n\r\nIn a browser.\r\n{way_out}--b\r\n\
             Content-Type: text/html\r\n\r\n{html}\r\n--b--\r\n"
        );
        mail(
            "Tea",
            "Content-Type: multipart/alternative; boundary=b",
            body.as_bytes(),
        )
    };
    // 全网最低价 in GB2312.
    let chinese = b"\xc8\xab\xcd\xf8\xd7\xee\xb5\xcd\xbc\xdb\r\nunsubscribe\r\n12 Mill Lane\r\n";
    let twice = "Subject: Guaranteed miracle cure\r\nContent-Type: text/plain";
    for (mail, ok, told) in [
        (
            mail(
                "New tea",
                plain,
                format!("New tea.\r\n\tMild.\r\n{way_out}").as_bytes(),
            ),
            true,
            "the mail may be sent",
        ),
        (both("<p>New tea.</p>"), true, "the mail may be sent"),
        (
            both("<style>p { color: red }</style><div>Miracle</div><div>cure for cancer</div>"),
            false,
            "medical_disease_en",
        ),
        (
            both("<p>Tea < 5 minutes, a miracle cure for cancer <b>ever</b></p>"),
            false,
            "medical_disease_en",
        ),
        (
            mail("Tea", "Content-Type: text/plain; charset=gb2312", chinese),
            false,
            "`全网最低价`",
        ),
        (
            mail("Tea", twice, way_out.as_bytes()),
            false,
            "mail_header_twice",
        ),
    ] {
        std::fs::write(hawker.path("a.eml"), &mail).expect("written");
        let said = hawker.run(&["copy", "check", "a.eml", "--mail", "--strict"]);
        let shown = String::from_utf8_lossy(&mail);
        assert_eq!(said.code, Some(i32::from(!ok)), "{shown}\n{}", said.out);
        assert!(said.out.contains(told), "{told} in {}", said.out);
    }
}
