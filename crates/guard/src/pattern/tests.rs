use super::*;

/// The segments of a phrase, one sequence a line: alternatives in braces, gaps by ` … `.
fn read(phrase: &str) -> Vec<String> {
    fn written(pieces: &[Piece]) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Number => "#".to_owned(),
            Piece::Word => "~".to_owned(),
            Piece::OneOf(one_of) => {
                let alternatives: Vec<_> = one_of
                    .alternatives
                    .iter()
                    .map(|pieces| written(pieces))
                    .collect();
                format!("{{{}}}", alternatives.join(","))
            }
        };
        pieces.iter().map(piece).collect()
    }
    let sequences = parse(phrase, &Lists::default()).expect(phrase);
    let sequence = |segments: &Vec<Segment>| {
        segments
            .iter()
            .map(|pieces| written(pieces))
            .collect::<Vec<_>>()
            .join(" … ")
    };
    sequences.iter().map(sequence).collect()
}

#[test]
fn few_alternatives_are_multiplied_out() {
    for (phrase, sequences) in [
        ("Best  Mug", vec!["best mug"]),
        ("(the |)best", vec!["{the best,best}"]),
        ("only # left", vec!["only # left"]),
        (
            "doctors … (recommend|use)",
            vec!["doctors  … { recommend, use}"],
        ),
        ("(a|b)(c|d) … (e|f)", vec!["{ac ,ad ,bc ,bd } … { e, f}"]),
        ("最(好|(佳|优))", vec!["{最优,最佳,最好}"]),
        ("guarant~", vec!["guarant~"]),
        ("a \\# b", vec!["a # b"]),
        ("(a … b|c) d", vec!["a  …  b d", "c d"]),
        ("(a~|b#) (of|in) it", vec!["{a~,b#}{ in it, of it}"]),
    ] {
        assert_eq!(read(phrase), sequences, "{phrase}");
    }
}

#[test]
fn lists_are_named_in_braces() {
    let of = |words: &[&str]| {
        BTreeMap::from([(
            "pets".to_owned(),
            words
                .iter()
                .map(|word| (*word).to_owned())
                .collect::<Vec<_>>(),
        )])
    };
    let lists = Lists::read(&of(&["cat(s|)", "dog"])).expect("valid");
    let sequences = parse("my {pets}", &lists).expect("valid");
    assert_eq!(sequences[0][0].len(), 2);
    let error = parse("my {pet}", &lists).expect_err("unknown");
    assert_eq!(
        (error.at, error.problem),
        (3, "a `{` without the name of a list")
    );
    let (name, word, error) = Lists::read(&of(&["cat … dog"])).expect_err("a gap");
    assert_eq!(
        (name.as_str(), word.as_str(), error.problem),
        ("pets", "cat … dog", "a list holds no `…`")
    );
}

#[test]
fn faults_are_named_with_their_place() {
    for (phrase, at, problem) in [
        ("最(好", 3, "a `(` that is not closed"),
        ("最好)", 6, "a `)` without its `(`"),
        ("#", 0, "can be found by no word of its own"),
        ("(a|)", 0, "can be found by no word of its own"),
        ("… best", 0, "can be found by no word of its own"),
        ("best\\", 4, "a `\\` at the end"),
        ("((((((((((a))))))))))", 8, "parentheses more than 8 deep"),
        (
            "(a … b|c … d)(a … b|c … d)(a … b|c … d)(a … b|c … d)(a … b|c … d)(a … b|c … d)(a … b|c … d)(a … b|c … d)(a … b|c … d)",
            0,
            "has more than 256 ways through its alternatives with `…` inside",
        ),
    ] {
        let error = parse(phrase, &Lists::default()).expect_err(phrase);
        assert_eq!((error.at, error.problem), (at, problem), "{phrase}");
    }
}
