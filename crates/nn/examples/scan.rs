//! Finding the best 100 of 100,000 items for a user, and what it costs.
//!
//! A two-tower model scores an item by the inner product of its vector with the user's. Serving a user is a search for
//! the largest of these products: here over all items exactly, over a quarter of the bytes in 8-bit integers, and over
//! the integers first with the best candidates scored anew.
//!
//! ```sh
//! cargo run -p nn --example scan
//! ```
#![allow(clippy::print_stdout, reason = "an example reports on standard output")]

use std::time::Instant;

use nn::scan::{DenseRows, Hit, Int8Rows, RowMask};
use nn::{NnError, generator};
use rand::RngExt;

const ITEMS: usize = 100_000;
const WIDTH: usize = 64;
const RESULTS: usize = 100;

fn main() -> Result<(), NnError> {
    // Item and user vectors: sums of uniform numbers, much like those of a trained table.
    let items = vectors("items", ITEMS);
    let users = vectors("users", 64);

    // The same items twice: 25.6 MB of f32, and 6.4 MB of integers with a scale for each item.
    let exact = DenseRows::new(&items, WIDTH)?;
    let int8 = Int8Rows::quantise(&items, WIDTH)?;

    // One user alone reads every byte once; many users share each read.
    println!("{ITEMS} items, {WIDTH} columns, best {RESULTS}, medians");
    for count in [1, 64] {
        let users = &users[..count * WIDTH];
        println!("for {count} users at once:");
        measure("f32", count, ITEMS, 4 * WIDTH, || {
            exact.top_k(users, RESULTS, None)
        })?;
        measure("int8", count, ITEMS, WIDTH + 4, || {
            int8.top_k(users, RESULTS, None)
        })?;
        measure("int8, then f32", count, ITEMS, WIDTH + 4, || {
            int8.top_k_rescored(&exact, users, RESULTS, 2, None)
        })?;
    }

    // Where only a tenth of the items may be shown, as after filtering by a shelf, the rest is never read.
    let shelf = RowMask::from_fn(ITEMS, |row| row / 1_000 % 10 == 3);
    println!("for 1 user and {} allowed items:", shelf.allowed());
    let user = &users[..WIDTH];
    measure("f32", 1, shelf.allowed(), 4 * WIDTH, || {
        exact.top_k(user, RESULTS, Some(&shelf))
    })?;

    // What the integers cost: the share of the exact results that they find.
    let expected = exact.top_k(&users, RESULTS, None)?;
    let coarse = int8.top_k(&users, RESULTS, None)?;
    let rescored = int8.top_k_rescored(&exact, &users, RESULTS, 2, None)?;
    println!("recall of int8: {:.4}", recall(&expected, &coarse));
    println!(
        "recall of int8 with 2 candidates a result scored anew: {:.4}",
        recall(&expected, &rescored)
    );
    Ok(())
}

/// Random vectors of one kind.
fn vectors(kind: &str, count: usize) -> Vec<f32> {
    let mut rng = generator(1, kind, 0);
    let mut one = || (0..4).map(|_| rng.random::<f32>() - 0.5).sum();
    (0..count * WIDTH).map(|_| one()).collect()
}

/// Prints the median time of a search and what it makes of the memory's bandwidth.
fn measure(
    name: &str,
    users: usize,
    rows: usize,
    bytes_a_row: usize,
    search: impl Fn() -> Result<Vec<Vec<Hit>>, NnError>,
) -> Result<(), NnError> {
    let mut seconds = Vec::new();
    for _ in 0..21 {
        let start = Instant::now();
        search()?;
        seconds.push(start.elapsed().as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    let median = seconds[seconds.len() / 2];
    println!(
        "  {name:15} {:7.2} ms, {:6.1} M rows scored/s, {:5.1} GB/s read",
        median * 1e3,
        (users * rows) as f64 / median / 1e6,
        (rows * bytes_a_row) as f64 / median / 1e9,
    );
    Ok(())
}

/// The share of the expected rows that were found.
fn recall(expected: &[Vec<Hit>], found: &[Vec<Hit>]) -> f64 {
    let mut same = 0;
    for (expected, found) in expected.iter().zip(found) {
        let has = |hit: &&Hit| found.iter().any(|other| other.row == hit.row);
        same += expected.iter().filter(has).count();
    }
    same as f64 / expected.iter().map(Vec::len).sum::<usize>() as f64
}
