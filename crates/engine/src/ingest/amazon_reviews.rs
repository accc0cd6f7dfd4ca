//! Amazon's review files (`McAuley` and Leskovec 2013, and the later editions): one JSON object a line.
//!
//! A review becomes a `Product Reviewed` with its stars; the text, its headline and the reviewer's name are personal
//! data and stay sealed. Helpful votes and the written date (`reviewTime`) add nothing and are left out.

use events::{EventKind, Identity, IncomingEvent, LineItem, Properties, Timestamp};
use serde_json::{Map, Value, json};

use super::row::{Rejection, Row};

pub(crate) fn map(text: &str) -> Result<Row, Rejection> {
    let review: Map<String, Value> = serde_json::from_str(text)
        .map_err(|error| Rejection::new("not_a_review", format!("not a JSON object: {error}")))?;
    let reviewer = required(&review, "reviewerID")?;
    let product_id = required(&review, "asin")?;
    let seconds = review.get("unixReviewTime").and_then(Value::as_i64);
    let at = seconds
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .ok_or_else(|| fault(&review, "unixReviewTime", "seconds since 1970"))?;
    let stars = review
        .get("overall")
        .and_then(Value::as_f64)
        .filter(|stars| (1.0..=5.0).contains(stars))
        .ok_or_else(|| fault(&review, "overall", "1 to 5 stars"))?;
    let event = IncomingEvent {
        message_id: format!("amazon-reviews|{reviewer}|{product_id}|{}", at.as_second()),
        identity: Identity::User(reviewer.to_owned()),
        alias: None,
        kind: EventKind::ProductReviewed,
        at,
        properties: Properties {
            products: vec![LineItem::of(product_id)],
            rating: Some(stars as f32),
            ..Properties::default()
        },
        personal: personal(&review),
    };
    Ok(Row::Event(Box::new(event), None))
}

fn required<'a>(review: &'a Map<String, Value>, name: &str) -> Result<&'a str, Rejection> {
    let text = review.get(name).and_then(Value::as_str).map(str::trim);
    text.filter(|text| !text.is_empty()).ok_or_else(|| {
        Rejection::new(
            format!("missing_{name}"),
            format!("`{name}` is missing; a review names its reviewer and its product"),
        )
    })
}

fn fault(review: &Map<String, Value>, name: &str, expected: &str) -> Rejection {
    match review.get(name) {
        Some(value) => Rejection::new(
            format!("invalid_{name}"),
            format!("`{name}` is {value}; expected {expected}"),
        ),
        None => Rejection::new(
            format!("missing_{name}"),
            format!("`{name}` is missing; expected {expected}"),
        ),
    }
}

/// Review and reviewer under the names that Segment's `Product Reviewed` and `identify` use.
fn personal(review: &Map<String, Value>) -> Map<String, Value> {
    let text = |name: &str| {
        review
            .get(name)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    let mut properties = Map::new();
    for (wire, name) in [("review_body", "reviewText"), ("review_title", "summary")] {
        if let Some(text) = text(name) {
            properties.insert(wire.to_owned(), json!(text));
        }
    }
    let mut personal = Map::new();
    if !properties.is_empty() {
        personal.insert("properties".to_owned(), Value::Object(properties));
    }
    if let Some(name) = text("reviewerName") {
        personal.insert("traits".to_owned(), json!({ "name": name }));
    }
    personal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_review_is_read_and_its_text_is_personal() {
        let line = r#"{"reviewerID":"A2","asin":"B1","reviewerName":"Jo","helpful":[0,1],"reviewText":"Works.",
            "overall":4.0,"summary":"good","unixReviewTime":1393545600,"reviewTime":"02 28, 2014"}"#;
        let Ok(Row::Event(event, None)) = map(line) else {
            panic!("expected an event");
        };
        assert_eq!(event.kind, EventKind::ProductReviewed);
        assert_eq!(event.at.to_string(), "2014-02-28T00:00:00Z");
        assert_eq!(event.properties.rating, Some(4.0));
        assert_eq!(event.properties.products, [LineItem::of("B1")]);
        assert_eq!(event.personal["properties"]["review_body"], "Works.");
        assert_eq!(event.personal["traits"]["name"], "Jo");
    }

    #[test]
    fn bad_reviews_are_quarantined_by_name() {
        let good = r#"{"reviewerID":"A2","asin":"B1","overall":4.0,"unixReviewTime":1393545600}"#;
        assert!(map(good).is_ok());
        for (from, to, reason) in [
            ("{", "", "not_a_review"),
            ("\"A2\"", "\"\"", "missing_reviewerID"),
            ("asin", "isbn", "missing_asin"),
            ("4.0", "6", "invalid_overall"),
            ("overall", "stars", "missing_overall"),
            ("1393545600", "\"2014\"", "invalid_unixReviewTime"),
        ] {
            let line = good.replacen(from, to, 1);
            assert_eq!(map(&line).expect_err(&line).reason, reason, "{line}");
        }
    }
}
