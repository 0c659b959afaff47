//! What Tab offers: commands, tables, columns, functions and SQL's own words, whatever fits the place.

use super::statements::is_code;

/// What the tables are made of.
#[derive(Debug, Clone, Default)]
pub struct Words {
    /// Tables and views with their columns.
    pub tables: Vec<(String, Vec<String>)>,
    /// Functions.
    pub functions: Vec<String>,
}

/// The commands of the prompt, and what each of them takes.
pub const COMMANDS: [(&str, &str); 5] = [
    (".columns", "TABLE   the columns of a table"),
    (".csv", "FILE        write the last result into a new file, whole"),
    (".help", "           this"),
    (".quit", "           leave; so does Ctrl-D"),
    (".tables", "         the tables"),
];

const KEYWORDS: &[&str] = &[
    "select",
    "from",
    "where",
    "group by",
    "order by",
    "having",
    "limit",
    "offset",
    "distinct",
    "as",
    "and",
    "or",
    "not",
    "in",
    "between",
    "like",
    "ilike",
    "is null",
    "is not null",
    "case",
    "when",
    "then",
    "else",
    "end",
    "join",
    "left join",
    "inner join",
    "full join",
    "cross join",
    "on",
    "using",
    "union",
    "union all",
    "intersect",
    "except",
    "with",
    "exists",
    "any",
    "all",
    "asc",
    "desc",
    "nulls first",
    "nulls last",
    "over",
    "partition by",
    "rows",
    "interval",
    "cast",
    "extract",
    "true",
    "false",
    "null",
    "filter",
    "values",
    "explain",
    "date",
    "timestamp",
    "unnest",
];

/// More than these are no help.
const OFFERED_MAX: usize = 200;

impl Words {
    /// What could stand at the end of `text`: where it begins, and the candidates.
    pub fn complete(&self, text: &str) -> (usize, Vec<String>) {
        if text.starts_with('.') {
            return self.command(text);
        }
        let start = text
            .rfind(|c: char| !is_name_char(c))
            .map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
        let (before, word) = text.split_at(start);
        if !is_code(before) {
            return (start, Vec::new());
        }
        let mut found = match before.strip_suffix('.') {
            Some(table) => self.columns_of(last_name(table), word),
            None => self.here(before, word),
        };
        found.truncate(OFFERED_MAX);
        (start, found)
    }

    /// `.columns ev`: commands, and the tables that one of them takes. Names of files are completed elsewhere.
    fn command(&self, text: &str) -> (usize, Vec<String>) {
        match text.split_once(' ') {
            None => {
                let fit = COMMANDS.iter().filter(|(name, _)| name.starts_with(text));
                (0, fit.map(|(name, _)| (*name).to_owned()).collect())
            }
            Some((".columns", word)) => {
                let names = self.tables.iter().map(|(name, _)| name);
                (text.len() - word.len(), names.filter(|name| begins(name, word)).cloned().collect())
            }
            Some(_) => (text.len(), Vec::new()),
        }
    }

    /// Behind `TABLE.`; of an alias nobody knows, and all columns are offered.
    fn columns_of(&self, table: &str, word: &str) -> Vec<String> {
        let known = self.tables.iter().find(|(name, _)| name.eq_ignore_ascii_case(table));
        let columns: Vec<&String> = match known {
            Some((_, columns)) => columns.iter().collect(),
            None => self.tables.iter().flat_map(|(_, columns)| columns).collect(),
        };
        unique(columns.into_iter().filter(|name| begins(name, word)).map(|name| in_quotes(name)))
    }

    fn here(&self, before: &str, word: &str) -> Vec<String> {
        let tables =
            self.tables.iter().map(|(name, _)| name).filter(|name| begins(name, word)).map(|name| in_quotes(name));
        if matches!(last_name(before.trim_end()).to_ascii_lowercase().as_str(), "from" | "join") {
            return unique(tables);
        }
        let named = |table: &str| {
            let lower = before.to_ascii_lowercase();
            lower.split(|c: char| !is_name_char(c)).any(|name| name == table.to_ascii_lowercase())
        };
        // Most people write the columns before the tables, so those of all tables come after those of the named ones.
        let (near, far): (Vec<_>, Vec<_>) = self.tables.iter().partition(|(name, _)| named(name));
        let columns = |tables: Vec<&(String, Vec<String>)>| {
            let all = tables.into_iter().flat_map(|(_, columns)| columns.clone());
            all.filter(|name| begins(name, word)).map(|name| in_quotes(&name)).collect::<Vec<_>>()
        };
        let (near, far) = (columns(near), columns(far));
        if word.is_empty() {
            return unique(if near.is_empty() { tables.collect::<Vec<_>>() } else { near }.into_iter());
        }
        let shout = word.chars().all(|c| c.is_ascii_uppercase());
        let keywords = KEYWORDS.iter().filter(|keyword| begins(keyword, word));
        let keywords = keywords.map(|keyword| if shout { keyword.to_ascii_uppercase() } else { (*keyword).to_owned() });
        let functions = self.functions.iter().filter(|name| begins(name, word)).map(|name| format!("{name}("));
        unique(near.into_iter().chain(tables).chain(keywords).chain(far).chain(functions))
    }
}

fn is_name_char(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The name that a text ends with.
fn last_name(text: &str) -> &str {
    text.trim_end_matches('"').rsplit(|c: char| !is_name_char(c)).next().unwrap_or_default()
}

fn begins(name: &str, word: &str) -> bool {
    name.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
}

/// The name as SQL takes it: what holds capitals or begins with a digit needs quotes.
fn in_quotes(name: &str) -> String {
    let plain =
        name.chars().all(|c| is_name_char(c) && !c.is_uppercase()) && !name.starts_with(|c: char| c.is_ascii_digit());
    if plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

fn unique(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = std::collections::BTreeSet::new();
    names.filter(|name| seen.insert(name.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(text: &str) -> String {
        let words = Words {
            tables: vec![
                ("events".into(), vec!["id".into(), "action".into(), "Country".into()]),
                ("event_tags".into(), vec!["id".into(), "tag".into()]),
            ],
            functions: vec!["count".into(), "company_domain".into()],
        };
        let (start, found) = words.complete(text);
        format!("{start}: {}", found.join(" "))
    }

    #[test]
    fn the_place_decides() {
        assert_eq!(offered("sel"), "0: select");
        assert_eq!(offered("SEL"), "0: SELECT");
        assert_eq!(offered("select co"), "7: \"Country\" count( company_domain(");
        assert_eq!(offered("select * from ev"), "14: events event_tags");
        assert_eq!(offered("select * from events\n join "), "27: events event_tags");
        assert_eq!(offered("select * from event_tags where t"), "31: tag then true timestamp");
        assert_eq!(offered("select * from event_tags where "), "31: id tag");
        assert_eq!(offered("select events.i"), "14: id");
        assert_eq!(offered("select \"events\".a"), "16: action");
        assert_eq!(offered("select e.ta from event_tags e where e.ta"), "38: tag");
        assert_eq!(offered("ä.ta"), "3: tag");
    }

    #[test]
    fn nothing_is_offered_in_texts_and_comments() {
        assert_eq!(offered("select 'ev"), "8: ");
        assert_eq!(offered("select 1 -- ev"), "12: ");
    }

    #[test]
    fn commands() {
        assert_eq!(offered(".c"), "0: .columns .csv");
        assert_eq!(offered(".columns event_"), "9: event_tags");
        assert_eq!(offered(".csv a"), "6: ");
    }
}
