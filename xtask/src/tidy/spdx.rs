//! SPDX licence expressions: names joined by `OR`, `AND`, `WITH` and parentheses.
//!
//! Source: SPDX specification 2.3, annex D. `AND` binds more tightly than `OR`. The older `MIT/Apache-2.0`
//! of Cargo manifests reads as `OR`. `Name WITH Exception` is one licence of that full name.

/// Whether an expression is satisfied by the licences for which `allowed` is true.
///
/// # Errors
/// Returns what is wrong with an expression that does not follow the grammar.
pub(crate) fn is_satisfied(
    expression: &str,
    allowed: &dyn Fn(&str) -> bool,
) -> Result<bool, String> {
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let mut tokens = Tokens {
        rest: spaced.split_whitespace().collect(),
        allowed,
    };
    let satisfied = tokens.any_of()?;
    match tokens.rest.first() {
        None => Ok(satisfied),
        Some(token) => Err(format!("unexpected `{token}` in `{expression}`")),
    }
}

struct Tokens<'a> {
    rest: Vec<&'a str>,
    allowed: &'a dyn Fn(&str) -> bool,
}

impl<'a> Tokens<'a> {
    /// `all (OR all)*`
    fn any_of(&mut self) -> Result<bool, String> {
        let mut satisfied = self.all_of()?;
        while self.take("OR") {
            satisfied |= self.all_of()?;
        }
        Ok(satisfied)
    }

    /// `one (AND one)*`
    fn all_of(&mut self) -> Result<bool, String> {
        let mut satisfied = self.one()?;
        while self.take("AND") {
            satisfied &= self.one()?;
        }
        Ok(satisfied)
    }

    /// `( any )`, or a name with an optional exception.
    fn one(&mut self) -> Result<bool, String> {
        if self.take("(") {
            let satisfied = self.any_of()?;
            return if self.take(")") {
                Ok(satisfied)
            } else {
                Err("missing `)`".into())
            };
        }
        let name = self.name()?;
        if self.take("WITH") {
            let exception = self.name()?;
            return Ok((self.allowed)(&format!("{name} WITH {exception}")));
        }
        Ok((self.allowed)(name))
    }

    fn name(&mut self) -> Result<&'a str, String> {
        match self.rest.first().copied() {
            Some(token) if !["OR", "AND", "WITH", "(", ")"].contains(&token) => {
                self.rest.remove(0);
                Ok(token)
            }
            other => Err(format!(
                "expected a licence, got `{}`",
                other.unwrap_or("the end")
            )),
        }
    }

    fn take(&mut self, token: &str) -> bool {
        let is_next = self.rest.first() == Some(&token);
        if is_next {
            self.rest.remove(0);
        }
        is_next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn satisfied(expression: &str) -> Result<bool, String> {
        is_satisfied(expression, &|name| {
            ["MIT", "Zlib", "Apache-2.0 WITH LLVM-exception"].contains(&name)
        })
    }

    #[test]
    fn expressions_are_evaluated() {
        for (expression, expected) in [
            ("MIT", true),
            ("GPL-3.0", false),
            ("GPL-3.0 OR MIT", true),
            ("GPL-3.0 AND MIT", false),
            ("MIT AND Zlib", true),
            ("Apache-2.0/MIT", true),
            ("Apache-2.0 / BSD-3-Clause", false),
            ("Apache-2.0 WITH LLVM-exception", true),
            ("MIT WITH LLVM-exception", false),
            // AND binds more tightly: GPL-3.0 OR (MIT AND Zlib), MIT OR (Zlib AND GPL-3.0).
            ("GPL-3.0 OR MIT AND Zlib", true),
            ("MIT OR Zlib AND GPL-3.0", true),
            ("(MIT OR Zlib) AND GPL-3.0", false),
            ("(GPL-3.0 OR (MIT)) AND Zlib", true),
        ] {
            assert_eq!(satisfied(expression), Ok(expected), "{expression}");
        }
    }

    #[test]
    fn malformed_expressions_are_errors() {
        for (expression, message) in [
            ("", "expected a licence, got `the end`"),
            ("MIT OR", "expected a licence, got `the end`"),
            ("OR MIT", "expected a licence, got `OR`"),
            ("(MIT", "missing `)`"),
            ("MIT Zlib", "unexpected `Zlib` in `MIT Zlib`"),
        ] {
            assert_eq!(
                satisfied(expression),
                Err(message.to_owned()),
                "{expression}"
            );
        }
    }
}
