//! Reads the language of [`Segment`](crate::Segment) by recursive descent:
//!
//! ```text
//! rule       = conjunction { "or" conjunction }
//! conjunction = negation { "and" negation }
//! negation   = "not" negation | "(" rule ")" | comparison
//! comparison = value operator value
//! value      = number | name | function "(" text ")"
//! ```

use crate::{
    FEATURE_NAMES, FeatureError, InterestKind,
    segment::{Comparison, Rule, Value},
    vector::position,
};

/// Functions of the language.
const FUNCTIONS: [&str; 4] = ["interest", "brand", "price_band", "bought"];
/// Depth of nesting past which a rule is refused: each level is a call of the parser.
const DEEPEST: usize = 64;

/// Characters past which a rule is refused: `or` and `and` nest the tree by one each, too.
const LONGEST: usize = 8192;

/// Reads a whole rule.
pub(crate) fn parse(text: &str) -> Result<Rule, FeatureError> {
    if text.chars().nth(LONGEST).is_some() {
        let start = text.chars().take(60).collect::<String>() + "…";
        let problem = format!("more than {LONGEST} characters; split the rule");
        return Err(fault(&start, LONGEST + 1, problem));
    }
    let mut parser = Parser {
        text,
        tokens: tokens_of(text)?,
        next: 0,
        depth: 0,
    };
    let rule = parser.rule()?;
    match parser.peek().clone() {
        Token::End => Ok(rule),
        token => Err(parser.fault(format!(
            "{} does not continue the rule; join comparisons by `and` or `or`",
            token.shown()
        ))),
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Name(String),
    Number(f64),
    Text(String),
    Operator(Comparison),
    Open,
    Close,
    End,
}

impl Token {
    fn shown(&self) -> String {
        match self {
            Self::Name(name) => format!("`{name}`"),
            Self::Number(number) => format!("`{number}`"),
            Self::Text(text) => format!("the text \"{text}\""),
            Self::Operator(_) => "a comparison".to_owned(),
            Self::Open => "`(`".to_owned(),
            Self::Close => "`)`".to_owned(),
            Self::End => "the end".to_owned(),
        }
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self, Self::Name(name) if name.eq_ignore_ascii_case(word))
    }
}

struct Parser<'t> {
    text: &'t str,
    /// Each token with its column, from 1; the last is the end.
    tokens: Vec<(usize, Token)>,
    next: usize,
    depth: usize,
}

impl Parser<'_> {
    fn rule(&mut self) -> Result<Rule, FeatureError> {
        let mut rule = self.conjunction()?;
        while self.take_word("or") {
            rule = Rule::Or(Box::new(rule), Box::new(self.conjunction()?));
        }
        Ok(rule)
    }

    fn conjunction(&mut self) -> Result<Rule, FeatureError> {
        let mut rule = self.negation()?;
        while self.take_word("and") {
            rule = Rule::And(Box::new(rule), Box::new(self.negation()?));
        }
        Ok(rule)
    }

    fn negation(&mut self) -> Result<Rule, FeatureError> {
        if self.depth == DEEPEST {
            return Err(self.fault(format!(
                "more than {DEEPEST} levels are nested; split the rule"
            )));
        }
        self.depth += 1;
        let rule = if self.take_word("not") {
            Rule::Not(Box::new(self.negation()?))
        } else if *self.peek() == Token::Open {
            self.next += 1;
            let rule = self.rule()?;
            self.close()?;
            rule
        } else {
            self.comparison()?
        };
        self.depth -= 1;
        Ok(rule)
    }

    fn comparison(&mut self) -> Result<Rule, FeatureError> {
        let left = self.value()?;
        let Token::Operator(comparison) = *self.peek() else {
            let found = self.peek().shown();
            return Err(self.fault(format!("expected one of < <= > >= = !=, found {found}")));
        };
        self.next += 1;
        Ok(Rule::Compare(left, comparison, self.value()?))
    }

    fn value(&mut self) -> Result<Value, FeatureError> {
        match self.peek().clone() {
            Token::Number(number) => {
                self.next += 1;
                Ok(Value::Number(number))
            }
            Token::Name(name) => self.named(&name),
            token => Err(self.fault(format!(
                "expected a number, a feature or a function, found {}",
                token.shown()
            ))),
        }
    }

    fn named(&mut self, name: &str) -> Result<Value, FeatureError> {
        if let Some(position) = position(name) {
            self.next += 1;
            return Ok(Value::Feature(position));
        }
        if !FUNCTIONS.contains(&name) {
            return Err(self.fault(unknown(name)));
        }
        self.next += 1;
        if *self.peek() != Token::Open {
            return Err(self.fault(format!("`{name}` takes a text: {name}(\"…\")")));
        }
        self.next += 1;
        let Token::Text(text) = self.peek().clone() else {
            return Err(self.fault(format!("`{name}` takes a text in quotes: {name}(\"…\")")));
        };
        self.next += 1;
        self.close()?;
        Ok(match name {
            "interest" => Value::Share(InterestKind::Category, text),
            "brand" => Value::Share(InterestKind::Brand, text),
            "price_band" => Value::Share(InterestKind::PriceBand, text),
            _ => Value::Bought(text),
        })
    }

    fn close(&mut self) -> Result<(), FeatureError> {
        if *self.peek() != Token::Close {
            let found = self.peek().shown();
            return Err(self.fault(format!("expected `)`, found {found}")));
        }
        self.next += 1;
        Ok(())
    }

    fn take_word(&mut self, word: &str) -> bool {
        let is_word = self.peek().is_word(word);
        self.next += usize::from(is_word);
        is_word
    }

    fn peek(&self) -> &Token {
        &self.tokens[self.next].1
    }

    fn fault(&self, problem: String) -> FeatureError {
        fault(self.text, self.tokens[self.next].0, problem)
    }
}

/// What to say about a name that is none of the language's: the nearest one, if any is near.
fn unknown(name: &str) -> String {
    let nearest = FEATURE_NAMES
        .iter()
        .chain(&FUNCTIONS)
        .map(|known| {
            (
                strsim::damerau_levenshtein(&name.to_lowercase(), known),
                known,
            )
        })
        .min_by_key(|(distance, _)| *distance);
    match nearest {
        Some((distance, known)) if distance <= 1 + name.chars().count() / 3 => {
            format!("unknown name `{name}`; did you mean `{known}`?")
        }
        _ => format!(
            "unknown name `{name}`; a name is one of {}, {}",
            FEATURE_NAMES.join(", "),
            FUNCTIONS.join(", ")
        ),
    }
}

fn fault(text: &str, column: usize, problem: String) -> FeatureError {
    FeatureError::Segment {
        segment: text.to_owned(),
        column,
        problem,
    }
}

fn tokens_of(text: &str) -> Result<Vec<(usize, Token)>, FeatureError> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        if chars[at].is_whitespace() {
            at += 1;
            continue;
        }
        let (token, end) = token_at(&chars, at).map_err(|problem| fault(text, at + 1, problem))?;
        tokens.push((at + 1, token));
        at = end;
    }
    tokens.push((chars.len() + 1, Token::End));
    Ok(tokens)
}

/// The token that starts at a character, and the character after it.
fn token_at(chars: &[char], at: usize) -> Result<(Token, usize), String> {
    let run = |belongs: fn(char) -> bool| {
        let length = chars[at..].iter().take_while(|c| belongs(**c)).count();
        (
            chars[at..at + length].iter().collect::<String>(),
            at + length,
        )
    };
    match chars[at] {
        '(' => Ok((Token::Open, at + 1)),
        ')' => Ok((Token::Close, at + 1)),
        '<' | '>' | '=' | '!' => {
            let (operator, end) = run(|c| matches!(c, '<' | '>' | '=' | '!'));
            let comparison = match operator.as_str() {
                "<" => Comparison::Less,
                "<=" => Comparison::LessOrEqual,
                ">" => Comparison::Greater,
                ">=" => Comparison::GreaterOrEqual,
                "=" | "==" => Comparison::Equal,
                "!=" => Comparison::NotEqual,
                _ => return Err(format!("`{operator}` is none of < <= > >= = !=")),
            };
            Ok((Token::Operator(comparison), end))
        }
        quote @ ('"' | '\'') => match chars[at + 1..].iter().position(|c| *c == quote) {
            Some(length) => {
                let text = chars[at + 1..at + 1 + length].iter().collect();
                Ok((Token::Text(text), at + length + 2))
            }
            None => Err(format!("the text has no closing {quote}")),
        },
        c if c.is_ascii_digit() || matches!(c, '.' | '-' | '+') => {
            let (number, end) = run(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+'));
            match number.parse::<f64>() {
                Ok(value) if value.is_finite() => Ok((Token::Number(value), end)),
                _ => Err(format!("`{number}` is not a number")),
            }
        }
        c if c.is_alphabetic() || c == '_' => {
            let (name, end) = run(|c| c.is_alphanumeric() || c == '_');
            Ok((Token::Name(name), end))
        }
        c => Err(format!("`{c}` has no meaning here")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_name_the_column_and_the_remedy() {
        for (rule, column, problem) in [
            (
                "order >= 3",
                1,
                "unknown name `order`; did you mean `orders`?",
            ),
            (
                "orders >= 3 and recencydays < 60",
                17,
                "unknown name `recencydays`; did you mean `recency_days`?",
            ),
            (
                "intrest(\"bag\") > 0",
                1,
                "unknown name `intrest`; did you mean `interest`?",
            ),
            (
                "",
                1,
                "expected a number, a feature or a function, found the end",
            ),
            ("orders", 7, "expected one of < <= > >= = !=, found the end"),
            (
                "orders >= ",
                11,
                "expected a number, a feature or a function, found the end",
            ),
            ("orders => 3", 8, "`=>` is none of < <= > >= = !="),
            ("(orders > 3", 12, "expected `)`, found the end"),
            (
                "orders > 3 spend > 2",
                12,
                "`spend` does not continue the rule; join comparisons by `and` or `or`",
            ),
            (
                "interest(bag) > 1",
                10,
                "`interest` takes a text in quotes: interest(\"…\")",
            ),
            (
                "interest > 1",
                10,
                "`interest` takes a text: interest(\"…\")",
            ),
            (
                "interest(\"灯\" > 1",
                14,
                "expected `)`, found a comparison",
            ),
            (
                "interest(\"灯\") > \"a\"",
                17,
                "expected a number, a feature or a function, found the text \"a\"",
            ),
            ("interest(\"灯", 10, "the text has no closing \""),
            ("orders > 3x", 10, "`3x` is not a number"),
            ("orders > 1e999", 10, "`1e999` is not a number"),
            ("orders > 3 & spend > 1", 12, "`&` has no meaning here"),
        ] {
            let error = parse(rule).expect_err("a fault");
            let expected = fault(rule, column, problem.to_owned());
            assert_eq!(error, expected, "{rule}");
        }
        let error = parse("order > 1").expect_err("a fault").to_string();
        assert_eq!(
            error,
            "column 1 of segment `order > 1`: unknown name `order`; did you mean `orders`?"
        );
    }

    #[test]
    fn a_name_near_none_lists_them_all() {
        let error = parse("xylophone > 1").expect_err("a fault").to_string();
        assert!(error.contains("recency_days, idle_days"), "{error}");
    }

    #[test]
    fn nesting_has_an_end() {
        let deep = format!("{}orders > 1{}", "(".repeat(63), ")".repeat(63));
        assert!(parse(&deep).is_ok());
        let deeper = "not ".repeat(100) + "orders > 1";
        let error = parse(&deeper).expect_err("a fault").to_string();
        assert!(error.contains("more than 64 levels"), "{error}");
        let long = "orders > 1 or ".repeat(500) + "orders > 1";
        assert!(parse(&long).is_ok());
        let error = parse(&long.repeat(9)).expect_err("a fault").to_string();
        assert!(
            error.starts_with("column 8193 of segment `orders > 1 or "),
            "{error}"
        );
    }
}
