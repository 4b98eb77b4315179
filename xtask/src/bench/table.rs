//! A table of figures with their goals, as the docs show it too.

/// A table.
pub(crate) struct Table {
    title: &'static str,
    rows: Vec<[String; 5]>,
}

/// What is to be reached, and whether it is.
pub(crate) struct Goal {
    words: String,
    met: bool,
}

impl Goal {
    /// A goal in words.
    pub(crate) fn new(words: impl Into<String>, met: bool) -> Self {
        Self { words: words.into(), met }
    }
}

impl Table {
    /// An empty one.
    pub(crate) fn new(title: &'static str) -> Self {
        Self { title, rows: Vec::new() }
    }

    /// Adds a figure: what, how much, and against what.
    pub(crate) fn row(&mut self, what: &str, figure: String, against: String, goal: Option<Goal>) {
        let (goal, met) = goal.map_or_else(Default::default, |goal| {
            (goal.words, if goal.met { "yes" } else { "NO" }.to_owned())
        });
        self.rows.push([what.to_owned(), figure, against, goal, met]);
    }

    /// Prints it.
    pub(crate) fn print(&self) {
        println!("\n## {}\n\n{}", self.title, self.render());
    }

    fn render(&self) -> String {
        let head = ["what", "figure", "against", "goal", "met"].map(str::to_owned);
        let rule = ["---"; 5].map(str::to_owned);
        let width = |column: usize| {
            let lines = std::iter::once(&head).chain(&self.rows);
            lines.map(|row| row[column].chars().count()).max().unwrap_or(0)
        };
        let mut text = String::new();
        for row in [&head, &rule].into_iter().chain(&self.rows) {
            for (column, cell) in row.iter().enumerate() {
                text.push_str(&format!("| {cell:<width$} ", width = width(column)));
            }
            text.push_str("|\n");
        }
        text.pop();
        text
    }
}

/// Two times as the tables show them.
pub(crate) fn milliseconds(times: super::measure::Times) -> String {
    format!("{:.2} / {:.2} ms", times.min, times.median)
}

/// Memory as the tables show it.
#[expect(clippy::cast_precision_loss, reason = "for people to read")]
pub(crate) fn mebibytes(kibibytes: u64) -> String {
    format!("{:.1} MiB", kibibytes as f64 / 1024.0)
}

/// How many times as much.
pub(crate) fn ratio(one: f64, other: f64) -> String {
    format!("{:.2} ×", one / other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let mut table = Table::new("x");
        table.row("`a`", "1 ms".into(), ratio(3.0, 2.0), Some(Goal::new("≤ 2 ×", true)));
        table.row("longer", "1 s".into(), String::new(), None);
        let expected = "\
| what   | figure | against | goal  | met |
| ---    | ---    | ---     | ---   | --- |
| `a`    | 1 ms   | 1.50 ×  | ≤ 2 × | yes |
| longer | 1 s    |         |       |     |";
        assert_eq!(table.render(), expected);
    }
}
