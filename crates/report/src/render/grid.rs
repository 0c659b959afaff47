//! Columns of text under their names, within the width of a terminal.

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table, Width};

use super::width::pieces;

/// Of the 19 places of a comfy-table preset only the rule under the header and its crossings: quiet, and easy to copy.
const RULE_UNDER_HEADER: &str = "     ──            ";
/// A word that is wider may be broken where only words should be kept together: in a date and time there is none.
const WORD_MAX: usize = 20;
/// A column that gives way is left at least so wide.
const LEAST: usize = 8;

/// A table that is filled row by row.
#[derive(Debug, Clone)]
pub struct Grid {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

#[derive(Debug, Clone)]
struct Column {
    name: String,
    alignment: CellAlignment,
    breaks: Breaks,
}

/// Where the cells of a column may be broken when the table is too wide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breaks {
    /// Nowhere.
    Never,
    /// Between words, and inside of very long ones.
    Words,
    /// Wherever it is needed.
    Anywhere,
}

/// The blanks around columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gaps {
    /// Three between them, one at each end.
    Wide,
    /// Two between them, none at the ends.
    Narrow,
}

impl Gaps {
    fn room(self, columns: usize) -> usize {
        match self {
            Gaps::Wide => 3 * columns.saturating_sub(1) + 2,
            Gaps::Narrow => 2 * columns.saturating_sub(1),
        }
    }
}

impl Grid {
    /// With these columns, none of which may be broken.
    pub fn new(names: impl IntoIterator<Item = String>) -> Self {
        let column = |name| Column { name, alignment: CellAlignment::Left, breaks: Breaks::Never };
        Self { columns: names.into_iter().map(column).collect(), rows: Vec::new() }
    }

    /// This column holds numbers.
    pub fn right(&mut self, column: usize) {
        if let Some(column) = self.columns.get_mut(column) {
            column.alignment = CellAlignment::Right;
        }
    }

    /// This column may be broken.
    pub fn breaks(&mut self, column: usize, breaks: Breaks) {
        if let Some(column) = self.columns.get_mut(column) {
            column.breaks = breaks;
        }
    }

    /// One more row.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// The table, where it fits without a break that is not allowed.
    pub fn fitting(&self, width: usize) -> Option<String> {
        let natural = self.widths(str::to_owned);
        if let Some(gaps) = fits(&natural, width) {
            return Some(self.draw(gaps, &natural, &natural));
        }
        let words = self.widths(|text| text.replace(' ', "\n"));
        let least = |(column, (natural, word)): (&Column, (&usize, &usize))| match column.breaks {
            Breaks::Never => *natural,
            Breaks::Words => (*word).min(WORD_MAX),
            Breaks::Anywhere => (*natural).min(LEAST),
        };
        let least: Vec<usize> = self.columns.iter().zip(natural.iter().zip(&words)).map(least).collect();
        self.squeezed(&natural, &least, width)
    }

    /// The table, broken anywhere where nothing else helps.
    pub fn render(&self, width: usize) -> String {
        let anyhow = || {
            let natural = self.widths(str::to_owned);
            let squeezed = self.squeezed(&natural, &vec![1; natural.len()], width);
            squeezed.unwrap_or_else(|| self.draw(Gaps::Narrow, &natural, &vec![1; natural.len()]))
        };
        self.fitting(width).unwrap_or_else(anyhow)
    }

    fn squeezed(&self, natural: &[usize], least: &[usize], width: usize) -> Option<String> {
        let room = width.checked_sub(Gaps::Narrow.room(natural.len()))?;
        let widths = give_way(natural, least, room)?;
        Some(self.draw(Gaps::Narrow, natural, &widths))
    }

    /// The width of the widest line of each column, as a terminal shows it.
    fn widths(&self, lines: impl Fn(&str) -> String) -> Vec<usize> {
        let mut table = Table::new();
        table.set_header(self.columns.iter().map(|column| lines(&column.name)).collect::<Vec<_>>());
        table.add_rows(self.rows.iter().map(|row| row.iter().map(|cell| lines(cell)).collect::<Vec<_>>()));
        table.column_max_content_widths().into_iter().map(usize::from).collect()
    }

    fn draw(&self, gaps: Gaps, natural: &[usize], widths: &[usize]) -> String {
        let mut table = Table::new();
        table.load_preset(RULE_UNDER_HEADER).set_content_arrangement(ContentArrangement::Disabled);
        let cell = |(text, (natural, width)): (&String, (&usize, &usize))| {
            let broken = || text.lines().flat_map(|line| pieces(line, *width)).collect::<Vec<_>>().join("\n");
            if natural > width { broken() } else { text.clone() }
        };
        let shown =
            |cells: &[String]| -> Vec<String> { cells.iter().zip(natural.iter().zip(widths)).map(cell).collect() };
        let names: Vec<String> = self.columns.iter().map(|column| column.name.clone()).collect();
        table.set_header(shown(&names));
        table.add_rows(self.rows.iter().map(|row| shown(row)));
        let last = self.columns.len().saturating_sub(1);
        for (number, (column, width)) in self.columns.iter().zip(widths).enumerate() {
            let Some(drawn) = table.column_mut(number) else { continue };
            drawn.set_cell_alignment(column.alignment);
            let padding = match gaps {
                Gaps::Wide => (1, 1),
                Gaps::Narrow => (0, u16::from(number < last)),
            };
            // Signs that are two columns wide may make a piece wider than it has characters.
            let width = u16::try_from(*width).unwrap_or(u16::MAX).saturating_add(padding.0 + padding.1);
            drawn.set_padding(padding).set_constraint(ColumnConstraint::Absolute(Width::Fixed(width)));
        }
        let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
        lines.join("\n") + "\n"
    }
}

/// The blanks with which columns of these widths fit.
fn fits(widths: &[usize], width: usize) -> Option<Gaps> {
    let room: usize = widths.iter().sum();
    [Gaps::Wide, Gaps::Narrow].into_iter().find(|gaps| room + gaps.room(widths.len()) <= width)
}

/// The largest widths that fit into the room: the widest columns give way first, and none is narrower than its least.
fn give_way(natural: &[usize], least: &[usize], room: usize) -> Option<Vec<usize>> {
    let at_most = |most: usize| -> Vec<usize> {
        natural.iter().zip(least).map(|(natural, least)| (*natural).min(most.max(*least))).collect()
    };
    (1..=room).rev().map(at_most).find(|widths| widths.iter().sum::<usize>() <= room)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(names: &[&str], rows: &[&[&str]]) -> Grid {
        let mut grid = Grid::new(names.iter().map(|name| (*name).to_owned()));
        rows.iter().for_each(|row| grid.row(row.iter().map(|cell| (*cell).to_owned()).collect()));
        grid
    }

    #[test]
    fn gaps_shrink_before_columns_do() {
        let mut two = grid(&["name", "number"], &[&["abcdefgh", "1"]]);
        two.right(1);
        assert_eq!(two.render(19), " name       number\n───────────────────\n abcdefgh        1\n");
        assert_eq!(two.render(18), "name      number\n────────────────\nabcdefgh       1\n");
        assert_eq!(two.fitting(15), None);
    }

    #[test]
    fn columns_give_way_as_they_may() {
        let mut files = grid(&["file", "at"], &[&["data/2021/02/events.csv", "2021-02-03 10:00"]]);
        assert_eq!(files.fitting(34), None);
        files.breaks(0, Breaks::Words);
        assert_eq!(files.fitting(37), None, "a path is one word");
        assert!(files.fitting(38).is_some(), "and a long one");
        files.breaks(0, Breaks::Anywhere);
        let text =
            "file            at\n────────────────────────────────\ndata/2021/02/   2021-02-03 10:00\nevents.csv\n";
        assert_eq!(files.fitting(32).as_deref(), Some(text));
        assert!(files.render(12).lines().all(|line| line.chars().count() <= 12), "{}", files.render(12));
        assert!(!files.render(1).is_empty());
    }

    #[test]
    fn the_widest_give_way_first() {
        assert_eq!(give_way(&[3, 30, 20], &[3, 5, 5], 33), Some(vec![3, 15, 15]));
        assert_eq!(give_way(&[3, 30, 20], &[3, 28, 5], 40), Some(vec![3, 28, 9]));
        assert_eq!(give_way(&[3, 30], &[3, 30], 30), None);
    }
}
