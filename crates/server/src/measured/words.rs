//! What the short stable names mean, in words.

/// What a reason of the quarantine means.
pub(super) fn quarantine(reason: &str) -> &'static str {
    match reason {
        "stock_adjustment" => "The shop corrected its stock; nobody bought anything.",
        "postage" => "Postage and carriage, not a product.",
        "manual_entry" => "An amount entered by hand, without a product.",
        "zero_price" => "A line without a price: a gift, a sample or a write-off.",
        "gift_voucher" => "A gift voucher was sold, not a product.",
        "discount" => "A discount booked as a line of its own.",
        "bank_charges" => "Bank charges booked as a line.",
        "adjustment" => "A correction of an account.",
        "sample" => "Samples for customers.",
        "test_product" => "Somebody tried the till.",
        "marketplace_fee" => "A fee of a marketplace.",
        "charity_commission" => "A charity's commission.",
        "bad_debt" => "A debt was written off.",
        "implausible_quantity" => {
            "More pieces than a real order has; the limit is import.max_quantity."
        }
        "negative_price" => "A price below zero.",
        "currency_changes" => "Another currency than the shop's.",
        "future_timestamp" => "A moment that has not come yet.",
        "not_an_event" => "Not JSON, or not in the form of an event.",
        "missing_messageId" => "No message id, so that a repetition could not be told.",
        "missing_userId" => "Nobody is named.",
        "missing_timestamp" => "No time is given.",
        "invalid_timestamp" => "The time is not in RFC 3339.",
        "invalid_type" => "No call of Segment's specification.",
        _ => "",
    }
}

/// What a reason for sending nothing means.
pub(super) fn nothing(reason: &str) -> &'static str {
    match reason {
        "no_consent" => "The shopper did not agree to messages on this channel.",
        "frequency_cap" => "The shopper had enough messages lately.",
        "quiet_hours" => "It is night where the shopper lives.",
        "holdout" => "Kept without messages, to measure against.",
        "policy" => "No message promised more than silence.",
        "nothing_eligible" => "No product in stock with a text that applies.",
        "not_in_segment" => "The campaign is for another segment.",
        _ => "",
    }
}

/// Who is in a group of recency, frequency and monetary value.
pub(super) fn rfm_group(name: &str) -> &'static str {
    match name {
        "champions" => "bought lately, often and much",
        "loyal" => "come back again and again",
        "new" => "bought lately for the first times",
        "promising" => "bought not long ago, not yet often",
        "at risk" => "used to buy often and have been away",
        "asleep" => "bought seldom and long ago",
        "no order" => "have not ordered anything yet",
        _ => "",
    }
}

/// What a task of the evaluation asks.
pub(super) fn task(name: &str) -> &'static str {
    match name {
        "new-items" => "Which products will the next order hold that the shopper never bought?",
        "repeats" => "Which of the products bought before will the next order hold?",
        "all" => "Which products will the next order hold?",
        _ => "",
    }
}

/// What a refusal of the guard means, by the first word of its reason.
pub(super) fn refusal(reason: &str) -> &'static str {
    match reason.split(':').next().unwrap_or_default() {
        "length" => "The text is too long for its field with these values.",
        "shouting" | "style" => "Too many capitals or exclamation marks.",
        "number" | "unbound_number" => "A number that no fact stands behind.",
        "forbidden" => "A phrase that the rule pack forbids.",
        "urgency" => "Urgency without a fact behind it.",
        "link" => "A link that is not the product's own.",
        "hygiene" => "Leftovers of markup, placeholders or control characters.",
        _ => "",
    }
}
