//! A Rust file split into its code and its comments, without a parser.
//!
//! [`RustSource::new`] walks the text once and writes two copies of the same length: one in which comments
//! and the contents of literals are blanked, one in which everything but comments is. Line breaks stay in
//! both, so an offset or a line number means the same place in either. On top of the first copy, braces can
//! be matched and words searched for without meeting a brace in a string. It expects code that `rustfmt`
//! has formatted and that compiles.

/// A Rust file as seen by the checks.
#[derive(Debug)]
pub(crate) struct RustSource {
    /// The text with comments and the contents of string and character literals blanked.
    pub(crate) code: String,
    /// The text with everything but comments blanked.
    pub(crate) comments: String,
    /// Ranges of lines, counted from 1 and inclusive, of items under `#[cfg(test)]`.
    test_ranges: Vec<(usize, usize)>,
    /// Names of the modules declared as `#[cfg(test)] mod name;`, whose files are tests.
    pub(crate) test_modules: Vec<String>,
}

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) name: String,
    /// The line of the keyword `fn`, counted from 1.
    pub(crate) line: usize,
    /// Lines from the keyword to the closing brace.
    pub(crate) length: usize,
}

impl RustSource {
    /// Splits `text` into code and comments and finds what belongs to tests.
    pub(crate) fn new(text: &str) -> Self {
        let (code, comments) = separate(text);
        let mut source = Self {
            code,
            comments,
            test_ranges: Vec::new(),
            test_modules: Vec::new(),
        };
        source.find_tests();
        source
    }

    /// Returns the line, counted from 1, of a byte offset.
    pub(crate) fn line_of(&self, offset: usize) -> usize {
        1 + self.code[..offset].matches('\n').count()
    }

    /// Whether a line, counted from 1, lies in an item under `#[cfg(test)]`.
    pub(crate) fn is_test_line(&self, line: usize) -> bool {
        self.test_ranges
            .iter()
            .any(|&(first, last)| (first..=last).contains(&line))
    }

    /// Returns the offsets at which `word` stands in the code as a whole word.
    pub(crate) fn code_words(&self, word: &str) -> Vec<usize> {
        whole_words(&self.code, word)
    }

    /// Returns each attribute's offset and the text between its brackets.
    pub(crate) fn attributes(&self) -> Vec<(usize, &str)> {
        let mut found = Vec::new();
        for (offset, _) in self.code.match_indices('#') {
            let rest = &self.code[offset + 1..];
            let open = offset + 1 + usize::from(rest.starts_with('!'));
            if self.code[open..].starts_with('[')
                && let Some(close) = self.matching(open)
            {
                found.push((offset, &self.code[open + 1..close]));
            }
        }
        found
    }

    /// Returns every function that has a body, nested ones as well.
    pub(crate) fn functions(&self) -> Vec<Function> {
        let mut found = Vec::new();
        for offset in self.code_words("fn") {
            let name: String = self.code[offset + 2..]
                .trim_start()
                .chars()
                .take_while(|&c| is_word(c) || c == '#')
                .collect();
            // `fn(u8)` is a type, not a function.
            if name.is_empty() {
                continue;
            }
            if let Some((_, close)) = self.body_after(offset) {
                let line = self.line_of(offset);
                let length = self.line_of(close) + 1 - line;
                found.push(Function { name, line, length });
            }
        }
        found
    }

    /// Finds the braces of the first body after `offset`; `None` where a semicolon ends the item first.
    fn body_after(&self, offset: usize) -> Option<(usize, usize)> {
        let mut position = offset;
        while let Some(step) = self.code[position..].find(['(', '[', '{', ';']) {
            position += step;
            match self.code.as_bytes()[position] {
                b'{' => return Some((position, self.matching(position)?)),
                b';' => return None,
                _ => position = self.matching(position)? + 1,
            }
        }
        None
    }

    /// Returns the offset of the bracket that closes the one at `open`.
    fn matching(&self, open: usize) -> Option<usize> {
        let mut depth = 0_usize;
        for (step, byte) in self.code.bytes().enumerate().skip(open) {
            match byte {
                b'(' | b'[' | b'{' => depth += 1,
                b')' | b']' | b'}' if depth == 1 => return Some(step),
                b')' | b']' | b'}' => depth -= 1,
                _ => {}
            }
        }
        None
    }

    /// Records the items under `#[cfg(test)]`: their lines, or the module they name.
    fn find_tests(&mut self) {
        let mut ranges = Vec::new();
        let mut modules = Vec::new();
        for (offset, attribute) in self.attributes() {
            let compact: String = attribute.split_whitespace().collect();
            if compact != "cfg(test)" {
                continue;
            }
            let first = self.line_of(offset);
            let end = offset + attribute.len() + 3;
            if let Some((_, close)) = self.body_after_attributes(end) {
                ranges.push((first, self.line_of(close)));
            } else if let Some(name) = declared_module(&self.code[end..]) {
                modules.push(name);
            }
        }
        self.test_ranges = ranges;
        self.test_modules = modules;
    }

    /// Like [`Self::body_after`], past further attributes of the same item.
    fn body_after_attributes(&self, mut offset: usize) -> Option<(usize, usize)> {
        loop {
            let rest = &self.code[offset..];
            let blank = rest.len() - rest.trim_start().len();
            if !rest[blank..].starts_with("#[") {
                return self.body_after(offset);
            }
            offset = self.matching(offset + blank + 1)? + 1;
        }
    }
}

/// Returns the offsets at which `word` stands in `text` with no letter, digit or underscore beside it.
pub(crate) fn whole_words(text: &str, word: &str) -> Vec<usize> {
    text.match_indices(word)
        .map(|(offset, _)| offset)
        .filter(|&offset| !text[..offset].chars().next_back().is_some_and(is_word))
        .filter(|&offset| !text[offset + word.len()..].starts_with(is_word))
        .collect()
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Returns `name` where `code` continues with `mod name;`.
fn declared_module(code: &str) -> Option<String> {
    let item = &code[..code.find(';')?];
    let (_, name) = item.split_once("mod ")?;
    Some(name.trim().to_owned())
}

/// What a stretch of text is.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Code,
    Comment,
    Literal,
}

/// Copies `text` twice: code with comments and literals blanked, and comments with all else blanked.
fn separate(text: &str) -> (String, String) {
    let mut code = String::with_capacity(text.len());
    let mut comments = String::with_capacity(text.len());
    let mut rest = text;
    let mut in_word = false;
    while let Some(first) = rest.chars().next() {
        let (kind, length) = classify(rest, first, in_word);
        let (stretch, after) = rest.split_at(length);
        copy(stretch, kind == Kind::Code, &mut code);
        copy(stretch, kind == Kind::Comment, &mut comments);
        in_word = kind == Kind::Code && is_word(first);
        rest = after;
    }
    (code, comments)
}

/// Appends `stretch` as it is, or as blanks of the same length in bytes with its line breaks.
fn copy(stretch: &str, keep: bool, to: &mut String) {
    if keep {
        to.push_str(stretch);
    } else {
        to.extend(stretch.bytes().map(|b| if b == b'\n' { '\n' } else { ' ' }));
    }
}

/// Says what starts at the head of `rest` and how many bytes it takes.
fn classify(rest: &str, first: char, in_word: bool) -> (Kind, usize) {
    if rest.starts_with("//") {
        return (Kind::Comment, rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return (Kind::Comment, block_comment(rest));
    }
    if first == '"' {
        return (Kind::Literal, escaped(rest, '"'));
    }
    if first == '\'' {
        return char_literal(rest);
    }
    if !in_word && let Some(length) = raw_string(rest) {
        return (Kind::Literal, length);
    }
    (Kind::Code, first.len_utf8())
}

/// Returns the length of the block comment at the head of `rest`; block comments nest.
fn block_comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut position = 0;
    while position < rest.len() {
        if rest[position..].starts_with("/*") {
            depth += 1;
            position += 2;
        } else if rest[position..].starts_with("*/") {
            depth -= 1;
            position += 2;
            if depth == 0 {
                return position;
            }
        } else {
            position += rest[position..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// Returns the length of the literal at the head of `rest` up to the unescaped `end`.
fn escaped(rest: &str, end: char) -> usize {
    let mut backslash = false;
    for (position, c) in rest.char_indices().skip(1) {
        if backslash {
            backslash = false;
        } else if c == '\\' {
            backslash = true;
        } else if c == end {
            return position + c.len_utf8();
        }
    }
    rest.len()
}

/// Tells a character literal from a lifetime or a label at the head of `rest`.
fn char_literal(rest: &str) -> (Kind, usize) {
    let mut following = rest.chars().skip(1);
    let second = following.next();
    if second == Some('\\') || (second.is_some() && following.next() == Some('\'')) {
        (Kind::Literal, escaped(rest, '\''))
    } else {
        (Kind::Code, 1)
    }
}

/// Returns the length of a raw string such as `r#"…"#`, `br"…"` or `cr"…"` at the head of `rest`.
fn raw_string(rest: &str) -> Option<usize> {
    let prefix = ["br", "cr", "r"]
        .into_iter()
        .find(|p| rest.starts_with(p))?;
    let after = &rest[prefix.len()..];
    let hashes = after.len() - after.trim_start_matches('#').len();
    if !after[hashes..].starts_with('"') {
        return None;
    }
    let close = format!("\"{}", "#".repeat(hashes));
    let start = prefix.len() + hashes + 1;
    let length = rest[start..]
        .find(&close)
        .map_or(rest.len(), |at| start + at + close.len());
    Some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_and_words_in_literals_and_comments_are_blanked() {
        let text = "let a = \"} // \\\" fn\"; // fn } \nlet b = r#\"\"{\"#; /* a /* b */ fn */ let c = '{';";
        let source = RustSource::new(text);
        assert_eq!(source.code.len(), text.len());
        assert!(!source.code.contains(['{', '}']));
        assert!(source.code_words("fn").is_empty());
        assert!(source.code.contains("let c ="));
        assert!(source.comments.contains("// fn }"));
        assert!(source.comments.contains("/* a /* b */ fn */"));
        assert!(!source.comments.contains("let"));
    }

    #[test]
    fn lifetimes_labels_and_raw_identifiers_stay_code() {
        let text = "fn f<'a>(r#type: &'a str) -> char { 'outer: loop { break 'outer; } '\\'' }";
        let source = RustSource::new(text);
        assert!(source.code.contains("<'a>(r#type: &'a str)"));
        assert!(source.code.contains("break 'outer; }"));
        assert_eq!(source.functions().len(), 1);
    }

    #[test]
    fn chinese_text_keeps_offsets() {
        let text = "const A: &str = \"你好}\"; // 再见\nfn f() {}\n";
        let source = RustSource::new(text);
        assert_eq!(source.code.len(), text.len());
        let expected = Function {
            name: "f".into(),
            line: 2,
            length: 1,
        };
        assert_eq!(source.functions(), [expected]);
    }

    #[test]
    fn functions_are_measured_and_declarations_and_types_are_not() {
        let text = "trait T {\n    fn declared(&self, a: [u8; 3]);\n}\ntype F = fn(u8) -> u8;\n\
                    fn long(\n    a: [u8; 2],\n) -> u8 {\n    fn inner() {\n    }\n    a[0]\n}\n";
        let functions = RustSource::new(text).functions();
        let summary: Vec<_> = functions
            .iter()
            .map(|f| (f.name.as_str(), f.line, f.length))
            .collect();
        assert_eq!(summary, [("long", 5, 7), ("inner", 8, 2)]);
    }

    #[test]
    fn test_items_and_test_modules_are_found() {
        let text = "fn a() {}\n#[cfg(test)]\n#[allow(x)]\nmod tests {\n    fn b() {}\n}\nfn c() {}\n\
                    #[cfg(test)]\nmod fixture;\n";
        let source = RustSource::new(text);
        let lines: Vec<_> = (1..=9).filter(|&line| source.is_test_line(line)).collect();
        assert_eq!(lines, [2, 3, 4, 5, 6]);
        assert_eq!(source.test_modules, ["fixture"]);
    }

    #[test]
    fn attributes_are_cut_at_their_own_bracket() {
        let source = RustSource::new("#![a(b = [1])]\n#[c]\nfn f() {}");
        assert_eq!(source.attributes(), [(0, "a(b = [1])"), (15, "c")]);
    }
}
