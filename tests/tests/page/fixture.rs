//! Documents for page tests: a realistic report of a year, and one with edge cases.

use understudy_report::page::{
    Banner, Block, Cell, Column, DataTable, Document, Fact, Figure, Section, Tone,
};

use super::figure_fixtures::{
    ROOMS, bars, distribution, dots, flow, matrix, series, small_multiples, table, week,
};

fn toned() -> DataTable {
    let row = |name: &str, value: &str, share: f64, tone: Tone, says: &str| {
        vec![name.into(), Cell::from(value).barred(share), Cell::from("12,293"), Cell::from(says).toned(tone)]
    };
    DataTable {
        caption: Some("The first eight windows against the bound".to_owned()),
        head: vec![
            Column::text("window"),
            Column::number("agreement"),
            Column::number("pairs"),
            Column::text("bound"),
        ],
        rows: vec![
            row("week ending 2016-07-03", "0.8614", 0.86, Tone::Good, "met"),
            row("week ending 2016-07-10", "0.8302", 0.83, Tone::Bad, "missed"),
            row("week ending 2016-07-17", "0.8499", 0.85, Tone::Unsure, "cannot be told"),
            row("week ending 2016-07-24", "–", 0.0, Tone::Void, "does not count"),
            row("a|b `c` <i>d</i> *e*", "0.8601", 0.86, Tone::Plain, "line\nbreak"),
        ],
        folded: false,
    }
}

/// A report of 62 windows, 40 subgroups, 5 conditions and two models.
pub fn year() -> Document {
    let models = ["booked-room 1.2.0", "room-rules 0.9.1"];
    let figures = |title: &str, blocks: Vec<Block>| {
        let mut all = vec![Block::Heading(title.to_owned())];
        all.extend(blocks);
        all
    };
    let class = |at: usize| format!("class {at:02}");
    let mut conditions = Vec::new();
    let mut classes = Vec::new();
    for model in models {
        conditions.extend(figures(model, vec![Block::Figure(dots(30, |at| format!("value {at}")))]));
        classes.extend(figures(
            model,
            vec![
                Block::Figure(matrix(12, |at| ROOMS[at % 12].to_owned())),
                Block::Figure(dots(40, class)),
                Block::Table(DataTable {
                    caption: Some("Precision and recall by class".to_owned()),
                    folded: true,
                    ..table(
                        ["class", "precision", "recall"],
                        (0..40).map(|at| [class(at), "0.81".into(), "0.79".into()]),
                    )
                }),
            ],
        ));
    }
    let windows = (0..62).map(|at| [week(at), "0.7981".to_owned(), "0.7602".to_owned(), "15,402".to_owned()]);
    Document {
        title: "The case for a canary: hotel-rooms".to_owned(),
        lead: vec![
            Fact::new("Study", "hotel-rooms"),
            Fact::new("Run", "2016-06-27 to 2017-08-31, UTC"),
            Fact::new("Made by", "understudy 0.1.0"),
            Fact::new("Seal", "9f2c1b7e04d5a8863e0f7cc12b94d1a6e5580c3f7a1d92b4"),
        ],
        banners: vec![Banner {
            tone: Tone::Bad,
            word: "NO-GO".to_owned(),
            text: "Not to try on canary: in week ending 2017-04-23 agreement was 0.7914, and at least 0.85 was declared."
                .to_owned(),
            points: vec![
                "forest: 7,903 of 10,096 (0.782785)".to_owned(),
                "booked-room: 7,854 of 10,096 (0.777932)".to_owned(),
            ],
        },
        Banner {
            tone: Tone::Good,
            word: "GO for booked-room in scope weekend".to_owned(),
            text: "safe to try on canary: 0.862500".to_owned(),
            points: Vec::new(),
        }],
        sections: vec![
            Section {
                id: "study",
                title: "The study as a figure".to_owned(),
                blocks: vec![Block::Figure(flow(&models.map(str::to_owned), 15_402))],
            },
            Section {
                id: "verdict",
                title: "What was declared, and what came".to_owned(),
                blocks: vec![
                    Block::Text(
                        "Agreement says how often a model would have done what was done. It never says that a model is \
                         better: the substrate is what it is measured against, and the substrate may be wrong."
                            .to_owned(),
                    ),
                    Block::Facts(vec![
                        Fact::new("Agreement", "0.7981"),
                        Fact::new("Pairs", "15,402"),
                        Fact::new("Windows", "62"),
                        Fact::new("Unanswered", "0"),
                    ]),
                    Block::Table(toned()),
                    Block::Note { tone: Tone::Unsure, text: "Two windows have fewer than 100 pairs.".to_owned() },
                    Block::Note { tone: Tone::Good, text: "The accounts balance.".to_owned() },
                    Block::List(vec![
                        "Every window was to meet the bound by itself.".to_owned(),
                        "The figure is a point: no interval was asked for.".to_owned(),
                    ]),
                ],
            },
            Section {
                id: "time",
                title: "Over time".to_owned(),
                blocks: vec![
                    Block::Figure(series(&models, 62, true)),
                    Block::Table(DataTable {
                        caption: Some("All windows".to_owned()),
                        folded: true,
                        ..table(["window", "booked-room", "room-rules", "pairs"], windows)
                    }),
                ],
            },
            Section { id: "conditions", title: "Where it agrees".to_owned(), blocks: conditions },
            Section {
                id: "windows",
                title: "Each window by condition".to_owned(),
                blocks: vec![
                    Block::Figure(small_multiples(5, 62, |at| format!("room {}", ROOMS[at]))),
                    Block::Figure(small_multiples(2, 3, |at| ["weekday", "weekend"][at].to_owned())),
                ],
            },
            Section { id: "classes", title: "Which answers".to_owned(), blocks: classes },
            Section {
                id: "times",
                title: "How long, and how far off".to_owned(),
                blocks: vec![
                    Block::Figure(distribution(&[("booked-room", 4e5), ("room-rules", 3e6), ("substrate", 9e12)], 100)),
                    Block::Figure(bars(16, |at| format!("{} to {}", at * 10, at * 10 + 10))),
                ],
            },
        ],
    }
}

/// A name that is too long for every layout.
pub fn long(at: usize) -> String {
    format!(
        "a name of a kind of decision that goes on and on, number {at}, Rindfleischetikettierungsüberwachung"
    )
}

/// A report with edge cases: no data, single values, few values, long names.
pub fn edges() -> Document {
    let middling = |at: usize| format!("{} room {}", ["double", "single", "twin", "family"][at % 4], at + 1);
    let blocks = |figures: Vec<Figure>| figures.into_iter().map(Block::Figure).collect();
    let section = |id, title: &str, figures| Section { id, title: title.to_owned(), blocks: blocks(figures) };
    Document {
        title: "Edges <b>&amp;</b> ends".to_owned(),
        lead: vec![Fact::new("Study", "x".repeat(120))],
        banners: vec![Banner {
            tone: Tone::Void,
            word: "VOID".to_owned(),
            text: "The run is not whole.".to_owned(),
            points: Vec::new(),
        }],
        sections: vec![
            section(
                "none",
                "Nothing",
                vec![
                    series(&[], 0, true),
                    series(&["a"], 0, false),
                    dots(0, long),
                    matrix(0, long),
                    bars(0, long),
                    distribution(&[], 0),
                    small_multiples(0, 0, long),
                ],
            ),
            section(
                "one",
                "One",
                vec![
                    series(&["a"], 1, false),
                    dots(1, middling),
                    matrix(1, middling),
                    bars(1, middling),
                    distribution(&[("a", 1e6)], 1),
                    flow(&["a".to_owned()], 0),
                    small_multiples(1, 1, middling),
                ],
            ),
            section(
                "few",
                "Few",
                vec![
                    series(&["a", "b"], 2, false),
                    series(&["a", "b", "c", "d"], 8, false),
                    series(&["booked-room"], 20, true),
                    dots(3, middling),
                    matrix(2, middling),
                    bars(4, middling),
                    distribution(&[("a", 1e3), ("b", 1e3)], 3),
                    small_multiples(4, 2, middling),
                ],
            ),
            section(
                "long",
                "Long",
                vec![
                    dots(6, long),
                    matrix(4, long),
                    matrix(12, middling),
                    bars(12, middling),
                    bars(60, |at| format!("{} to {}", at * 10, at * 10 + 10)),
                    bars(30, long),
                    flow(&[long(0), long(1)], 999_999_999_999),
                    small_multiples(24, 40, long),
                ],
            ),
        ],
    }
}
