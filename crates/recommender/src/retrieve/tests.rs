//! The index against looking at every item, on vectors that stand in clusters as a shop's do.

use std::collections::HashSet;

use nn::generator;
use nn::scan::RowMask;
use proptest::prelude::*;
use rand::RngExt;

use super::{ItemIndex, RetrievalSettings};

const COLUMNS: usize = 32;

/// A graph however few the items are.
fn graph() -> RetrievalSettings {
    RetrievalSettings {
        exact_up_to: 0,
        ..RetrievalSettings::default()
    }
}

fn scan() -> RetrievalSettings {
    RetrievalSettings {
        exact_up_to: usize::MAX,
        ..graph()
    }
}

/// Vectors around one centre for each hundred of them, of lengths that differ some threefold, and queries around the
/// same centres.
fn clustered(items: usize, queries: usize) -> (Vec<f32>, Vec<f32>) {
    let mut rng = generator(5, "clusters", 0);
    let centres: Vec<f32> = (0..items.div_ceil(100) * COLUMNS)
        .map(|_| rng.random::<f32>() - 0.5)
        .collect();
    let mut around = |centre: usize, stretch: f32| -> Vec<f32> {
        let centre = &centres[centre * COLUMNS..][..COLUMNS];
        let point = centre
            .iter()
            .map(|x| (x + 0.6 * (rng.random::<f32>() - 0.5)) * stretch);
        point.collect()
    };
    let count = items.div_ceil(100);
    let vectors = (0..items).flat_map(|item| around(item % count, 0.6 + (item % 7) as f32 / 5.0));
    let vectors = vectors.collect();
    let queries = (0..queries).flat_map(|query| around(query * 13 % count, 1.0));
    (vectors, queries.collect())
}

fn items(found: &[(u32, f32)]) -> Vec<u32> {
    found.iter().map(|(item, _)| *item).collect()
}

/// The share of the exact hundred that the graph finds, over all queries.
fn recall(index: &ItemIndex, exact: &ItemIndex, queries: &[f32], admit: Option<&RowMask>) -> f64 {
    let found = index.search_all(queries, 100, admit).expect("numbers");
    let expected = exact.search_all(queries, 100, admit).expect("numbers");
    let mut shared = 0;
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found.len(), 100);
        assert!(
            found
                .iter()
                .all(|(item, _)| admit.is_none_or(|mask| mask.allows(*item as usize)))
        );
        let expected: HashSet<u32> = items(expected).into_iter().collect();
        shared += found
            .iter()
            .filter(|(item, _)| expected.contains(item))
            .count();
    }
    shared as f64 / (100 * expected.len()) as f64
}

#[test]
fn a_graph_finds_nearly_all_of_the_best_hundred() {
    let (vectors, queries) = clustered(6_000, 80);
    let index = ItemIndex::new(&vectors, COLUMNS, &graph()).expect("numbers");
    let exact = ItemIndex::new(&vectors, COLUMNS, &scan()).expect("numbers");
    assert!(!index.is_exact() && exact.is_exact());
    assert!(index.bytes() > 2 * exact.bytes());
    // Measured: 0.995 of all items and of half of them, 0.998 of a fifth.
    let of_all = recall(&index, &exact, &queries, None);
    assert!(of_all > 0.98, "all items: {of_all}");
    let half = RowMask::from_fn(6_000, |item| item % 2 == 0);
    let of_half = recall(&index, &exact, &queries, Some(&half));
    assert!(of_half > 0.98, "half of them: {of_half}");
    let fifth = RowMask::from_fn(6_000, |item| item % 5 == 3);
    let of_fifth = recall(&index, &exact, &queries, Some(&fifth));
    assert!(of_fifth > 0.98, "a fifth of them: {of_fifth}");
    // A mask that admits less than a tenth is scanned.
    let few = RowMask::from_fn(6_000, |item| item % 20 == 1);
    let found = index
        .search_all(&queries, 100, Some(&few))
        .expect("numbers");
    assert_eq!(
        found,
        exact
            .search_all(&queries, 100, Some(&few))
            .expect("numbers")
    );
}

#[test]
fn two_builds_and_any_number_of_threads_give_the_same_answer() {
    let (vectors, queries) = clustered(2_000, 20);
    let search = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.expect("threads").install(|| {
            let index = ItemIndex::new(&vectors, COLUMNS, &graph()).expect("numbers");
            index.search_all(&queries, 50, None).expect("numbers")
        })
    };
    let once = search(1);
    assert_eq!(once, search(4));
    let index = ItemIndex::new(&vectors, COLUMNS, &graph()).expect("numbers");
    let alone = index.search(&queries[COLUMNS..2 * COLUMNS], 50, None);
    assert_eq!(alone.expect("numbers"), once[1]);
}

#[test]
fn equal_items_come_in_their_order() {
    let vectors = [0.5, 0.5, 1.0, 0.0, 0.5, 0.5, 0.5, 0.5, 0.0, 0.1];
    for settings in [graph(), scan()] {
        let index = ItemIndex::new(&vectors, 2, &settings).expect("numbers");
        let found = index.search(&[1.0, 1.0], 4, None).expect("numbers");
        assert_eq!(items(&found), [0, 1, 2, 3], "{settings:?}");
        let admit = RowMask::from_fn(5, |item| item != 2);
        let found = index.search(&[1.0, 1.0], 3, Some(&admit)).expect("numbers");
        assert_eq!(items(&found), [0, 1, 3], "{settings:?}");
    }
}

#[test]
fn nothing_is_found_where_there_is_nothing() {
    for settings in [graph(), scan()] {
        let empty = ItemIndex::new(&[], 3, &settings).expect("no numbers");
        assert_eq!(
            empty.search(&[1.0, 0.0, 0.0], 5, None).expect("numbers"),
            []
        );
        let index = ItemIndex::new(&[1.0, 2.0, 3.0], 1, &settings).expect("numbers");
        assert_eq!(index.search(&[1.0], 0, None).expect("numbers"), []);
        let nobody = RowMask::none(3);
        assert_eq!(index.search(&[1.0], 2, Some(&nobody)).expect("numbers"), []);
        let found = index.search(&[1.0], 9, None).expect("numbers");
        assert_eq!(found, [(2, 3.0), (1, 2.0), (0, 1.0)]);
    }
}

#[test]
fn what_cannot_be_searched_is_named() {
    for settings in [graph(), scan()] {
        let message = |vectors: &[f32]| {
            let error = ItemIndex::new(vectors, 2, &settings).expect_err("refused");
            error.to_string()
        };
        assert_eq!(
            message(&[1.0, 2.0, 0.5, f32::NAN]),
            "`rows` is NaN in row 1, column 1; expected numbers between -1e15 and 1e15"
        );
        assert_eq!(
            message(&[1.0; 5]),
            "scan: expected rows of 2 columns, at least one, got 5 numbers; check the sizes given to the layer"
        );
        let index = ItemIndex::new(&[1.0, 2.0, 3.0, 4.0], 2, &settings).expect("numbers");
        let message = |query: &[f32], mask: Option<&RowMask>| {
            let error = index.search(query, 1, mask).expect_err("refused");
            error.to_string()
        };
        assert_eq!(
            message(&[f32::NAN, 1.0], None),
            "`queries` is NaN in row 0, column 0; expected numbers between -1e15 and 1e15"
        );
        assert_eq!(
            message(&[1.0; 4], None),
            "scan: expected one query of 2 columns, got 2 queries; check the sizes given to the layer"
        );
        assert_eq!(
            message(&[1.0; 2], Some(&RowMask::none(3))),
            "item index: expected a mask of 2 items, got 3; check the sizes given to the layer"
        );
    }
    let refused = RetrievalSettings {
        connectivity: 1,
        ..graph()
    };
    let error = ItemIndex::new(&[1.0], 1, &refused).expect_err("refused");
    assert_eq!(error.to_string(), "`connectivity` is 1; expected 2 to 512");
}

proptest! {
    /// With as many items in view as there are, the walk is the scan: nothing of the order, the mask or the scores is lost.
    #[test]
    fn a_graph_that_sees_all_equals_the_scan(
        rows in proptest::collection::vec(proptest::array::uniform3(-4i8..5), 1..60),
        query in proptest::array::uniform3(-4i8..5),
        k in 0usize..70,
        forbidden in 0usize..5,
    ) {
        let vectors: Vec<f32> = rows.iter().flatten().map(|x| f32::from(*x)).collect();
        let query = query.map(f32::from);
        let admit = RowMask::from_fn(rows.len(), |item| item % 5 != forbidden);
        let search = |settings: &RetrievalSettings| {
            let index = ItemIndex::new(&vectors, 3, settings).expect("numbers");
            index.search(&query, k, Some(&admit)).expect("numbers")
        };
        let (found, expected) = (search(&graph()), search(&scan()));
        let scores = |found: &[(u32, f32)]| found.iter().map(|hit| hit.1).collect::<Vec<_>>();
        prop_assert_eq!(scores(&found), scores(&expected));
        prop_assert_eq!(found.len(), k.min(admit.allowed()));
        prop_assert!(found.iter().all(|(item, _)| admit.allows(*item as usize)));
    }
}
