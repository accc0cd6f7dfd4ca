//! `hawker click`: a table of impressions in, a table of models and a picture out.

use crate::hawker::Hawker;

/// Red is clicked four times out of five, blue once.
fn impressions(rows: usize) -> String {
    let mut text = "item_id,colour,price,clicked\n".to_owned();
    for row in 0..rows {
        let colour = ["red", "blue"][row % 2];
        let clicked = (row / 2 % 5 < 4) == (row % 2 == 0);
        text.extend([format!("i{row},{colour},{},{clicked}\n", row % 7)]);
    }
    text
}

#[test]
fn the_models_are_told_side_by_side_with_weights_and_a_plot() {
    let hawker = Hawker::new();
    hawker.file("impressions.csv", impressions(400));
    let arguments = [
        "click",
        "impressions.csv",
        "--model",
        "all",
        "--plot",
        "reliability.svg",
    ];
    let out = hawker.says(&arguments);
    for part in [
        "320 impressions to learn from, 40 to stop by, 40 to judge on; 2 columns: colour, price",
        "left out: item_id, a text of its own in nearly every row",
        "| logistic | 0.",
        "| mlp | 0.",
        "| dcn | 0.",
        "colour = red",
        "reliability plot in reliability.svg",
    ] {
        assert!(out.contains(part), "{part} is not in {out}");
    }
    let plot = std::fs::read_to_string(hawker.path("reliability.svg")).expect("a plot");
    assert!(
        plot.starts_with("<svg") && plot.contains("dcn: ECE 0."),
        "{plot}"
    );
    let report = hawker.json(&["click", "impressions.csv", "--seed", "2"]);
    assert_eq!(report["models"][0]["model"], "dcn");
    assert_eq!(report["models"][0]["examples"], 40);
    assert!(report["models"][0]["reliability"][14]["up_to"].is_number());
}

#[test]
fn a_fault_is_told_with_its_file_line_and_remedy() {
    let hawker = Hawker::new();
    hawker.file("impressions.csv", impressions(40) + "i,red,NaN,true\n");
    assert_eq!(
        hawker.fails(&["click", "impressions.csv"]),
        "impressions.csv, line 42: column `price` holds `NaN` among numbers; write a finite number such as 12.5, or leave \
         the cell empty where it is not known"
    );
}
