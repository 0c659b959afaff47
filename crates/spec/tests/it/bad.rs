//! What a person reads who made a mistake.

use insta::assert_snapshot;

use super::{SETTINGS, parse};

/// The problems of a project of these files.
fn problems(files: &[(&str, &str)]) -> String {
    let text = match parse(files) {
        Ok(project) => format!("no problem: {project:#?}"),
        Err(problems) => problems.to_string(),
    };
    assert!(!text.contains("hunter2"), "a secret shows: {text}");
    text
}

/// The problems of a source in a project that is right but for it.
fn source(text: &str) -> String {
    problems(&[("stillhouse.toml", SETTINGS), ("sources/s.toml", text)])
}

/// The problems of a source with these columns.
fn columns(text: &str) -> String {
    source(&format!(
        "format = 1\n[source]\npath = 'data/{{yyyy}}/x.csv'\ntype = 'csv'\n[table]\nname = 't'\n[table.columns]\n{text}"
    ))
}

/// The problems of a report with one right query in a project that is right but for it.
fn report(text: &str) -> String {
    let files = [("stillhouse.toml", SETTINGS), ("reports/r/report.toml", text), ("reports/r/q.sql", "SELECT 1")];
    problems(&files)
}

#[test]
fn nothing_there() {
    assert_snapshot!(problems(&[]), @r"stillhouse.toml:1:1: the file is missing");
    assert_snapshot!(problems(&[("stillhouse.toml", "")]), @r#"
    stillhouse.toml:1:1: `[project]` is missing
      hint: write `[project]` with `name = "my-project"`
    stillhouse.toml:1:1: `format` is missing
      hint: write `format = 1` in the first line
    "#);
}

#[test]
fn not_toml() {
    assert_snapshot!(problems(&[("stillhouse.toml", "format = 1\n[project\nname = \"shop\"\n")]), @r"stillhouse.toml:2:9: this is not TOML: unclosed table, expected `]`");
    assert_snapshot!(problems(&[("stillhouse.toml", "format = 1\nformat = 1\n[project]\nname = 'shop\n")]), @r"
    stillhouse.toml:2:1: this is not TOML: duplicate key
    stillhouse.toml:4:13: this is not TOML: invalid literal string, expected `'`
    ");
    assert_snapshot!(problems(&[("stillhouse.toml", "format = 1\n[project]\nname = shop\n[project]\nname = 'x'\n")]), @r"
    stillhouse.toml:3:8: this is not TOML: string values must be quoted, expected literal string
    stillhouse.toml:4:2: this is not TOML: duplicate key
    stillhouse.toml:5:1: this is not TOML: duplicate key
    ");
}

#[test]
fn newer_format() {
    assert_snapshot!(problems(&[("stillhouse.toml", "format = 2\n[whatever]\n")]), @r"
    stillhouse.toml:1:10: made by a newer Stillhouse: format 2, this one reads format 1
      hint: use a newer stillhouse for this project
    ");
    assert_snapshot!(problems(&[("stillhouse.toml", "format = '1'\n[project]\nname = 'shop'\n")]), @r"
    stillhouse.toml:1:10: `format`: expected 1
      hint: write `format = 1`
    ");
}

#[test]
fn unknown_keys() {
    let settings = "format = 1\nnmae = 1\ntime_zone = 'UTC'\n[project]\nname = 'shop'\nwhatever = 2\n[limits]\nQuery_Memory = '1 MB'\n";
    assert_snapshot!(problems(&[("stillhouse.toml", settings)]), @r"
    stillhouse.toml:2:1: unknown key `nmae` at the top of the file
      hint: allowed here: `format`, `project`, `lake`, `ledger`, `limits`, `tables`
    stillhouse.toml:3:1: unknown key `time_zone` at the top of the file
      hint: `time_zone` belongs in [project]
    stillhouse.toml:6:1: unknown key `whatever` in [project]
      hint: allowed here: `name`, `time_zone`
    stillhouse.toml:8:1: unknown key `Query_Memory` in [limits]
      hint: did you mean `query_memory`?
    ");
    let text = "format = 1\n[source]\npath = 'x.csv'\ntype = 'csv'\nmax_rejected = '1%'\n[csv]\ndelimeter = ';'\n\
        [table]\nname = 't'\ncolumns = { a = 'string', b = { type = 'string', aliases = ['c'] } }\n";
    assert_snapshot!(source(text), @r"
    sources/s.toml:5:1: unknown key `max_rejected` in [source]
      hint: `max_rejected` belongs in [table]
    sources/s.toml:7:1: unknown key `delimeter` in [csv]
      hint: did you mean `delimiter`?
    sources/s.toml:10:50: unknown key `aliases` in [table.columns.b]
      hint: allowed here: `type`, `from`, `derive`, `required`, `format`, `zone`, `decimal`, `grouping`, `currency`, `list`, `null_values`, `default`, `allowed`, `min`, `max`, `pattern`, `pii`
    ");
}

#[test]
fn wrong_types() {
    let settings = "format = 1\n[project]\nname = 5\ntime_zone = 2021-04-01\n[lake]\npath = ''\ndurability = 'fsinc'\n\
        [limits]\nquery_memory = '1 potato'\nquery_seconds = 0\nresult_rows = '5'\nspill = 0\nworkers = 0x0\n";
    assert_snapshot!(problems(&[("stillhouse.toml", settings)]), @r"
    stillhouse.toml:3:8: `name` in [project]: expected text, found integer 5
    stillhouse.toml:4:13: `time_zone` in [project]: expected text, found date or time 2021-04-01 (write it in quotes)
    stillhouse.toml:6:8: `path` in [lake]: expected a path, found nothing
    stillhouse.toml:7:14: `durability` in [lake]: expected `fsync` or `os`, found `fsinc`
      hint: did you mean `fsync`?
    stillhouse.toml:9:16: `query_memory` in [limits]: `1 potato` is not a size; write 64MB, 512 kB or 1.5 GB (steps of 1024)
    stillhouse.toml:10:17: `query_seconds` in [limits]: expected a whole number from 1 to 31622400, found 0
    stillhouse.toml:11:15: `result_rows` in [limits]: expected a whole number, found text `5`
    stillhouse.toml:12:9: `spill` in [limits]: expected more than 0 bytes
    stillhouse.toml:13:11: `workers` in [limits]: expected a whole number from 1 to 1024, found 0x0
    ");
    assert_snapshot!(problems(&[("stillhouse.toml", "format = 1\nproject = 'shop'\nlake = []\n")]), @r"
    stillhouse.toml:2:11: `project`: expected a table, found text `shop`
    stillhouse.toml:3:8: `lake`: expected a table, found an array
    ");
}

#[test]
fn environment() {
    let settings = "format = 1\n[project]\nname = 'a $${b} ${HOME_OF_THE_BRAVE}'\ntime_zone = '${SECRET}'\n\
        [lake]\npath = '''\nx\n${NOT THIS}'''\ndurability = '${SECRET}'\n[limits]\nquery_memory = '${SECRET}'\n";
    assert_snapshot!(problems(&[("stillhouse.toml", settings)]), @r"
    stillhouse.toml:3:17: `name` in [project]: the environment variable `HOME_OF_THE_BRAVE` is not set
      hint: set HOME_OF_THE_BRAVE, or write `$${` for a plain `${`
    stillhouse.toml:4:13: `time_zone` in [project]: `${SECRET}` is not a time zone
      hint: write UTC or a name of the IANA database, such as Europe/Berlin
    stillhouse.toml:8:1: `path` in [lake]: `${NOT THIS}` is not a variable
      hint: write ${NAME} with letters, digits and `_`, or `$${` for a plain `${`
    stillhouse.toml:9:14: `durability` in [lake]: expected `fsync` or `os`, found `${SECRET}`
    stillhouse.toml:11:16: `query_memory` in [limits]: what `${SECRET}` stands for is not a size
    ");
    let text = "format = 1\n[source]\npath = '/${SECRET}'\ntype = '${SECRET}'\nevery = 'day'\n\
        [table]\nname = '${SECRET}'\ntime = '${SECRET}'\n[table.columns]\na = { type = '${SECRET}', format = '%${SECRET}' }\n";
    assert_snapshot!(source(text), @r"
    sources/s.toml:3:8: `path` in [source]: what `/${SECRET}` stands for is not a path
    sources/s.toml:4:8: `type` in [source]: expected `csv`, `json` or `parquet`, found `${SECRET}`
    sources/s.toml:7:8: `name` in [table]: what `${SECRET}` stands for is not a table name
    sources/s.toml:8:8: `time` in [table]: what `${SECRET}` stands for is not a column name
    sources/s.toml:10:14: `type` in [table.columns.a]: what `${SECRET}` stands for is not a type
    ");
    let text = "format = 1\n[source]\npath = '${SECRET}/{yyyy}'\ntype = 'csv'\n\
        [table]\nname = 't'\ntime = '${SECRET}'\n[table.columns]\na = { type = 'string', from = '{${SECRET}}' }\n\
        b = { type = 'string', from = ['${SECRET}', 'c'] }\nc = { type = 'string', from = '${SECRET}' }\n\
        [[child]]\nname = 'u'\nfrom = '${SECRET}.tags[]'\nitem = '${SECRET}'\ncopy = { x = '${SECRET}' }\n";
    assert_snapshot!(source(text), @r"
    sources/s.toml:7:8: `time` in [table]: what `${SECRET}` stands for is not a column name
    sources/s.toml:9:31: `from` in [table.columns.a]: the path has no `{${SECRET}}`
    sources/s.toml:15:8: `item` in [[child]]: what `${SECRET}` stands for is not a column name
    sources/s.toml:16:14: `x` in [child.copy]: what `${SECRET}` stands for is not a column name
    ");
}

#[test]
fn missing_keys() {
    assert_snapshot!(source("format = 1\n[source]\n[table]\n[[child]]\n"), @r#"
    sources/s.toml:2:2: `path` is missing in [source]
      hint: write `path = "data/{yyyy}/{MM}/events.csv"`
    sources/s.toml:2:2: `type` is missing in [source]
      hint: write `type = "csv"`
    sources/s.toml:3:2: `columns` is missing in [table]
      hint: write `[table.columns]` with `id = "string"`
    sources/s.toml:3:2: `name` is missing in [table]
      hint: write `name = "events"`
    sources/s.toml:4:1: `from` is missing in [[child]]
      hint: write `from = "events.tags[]"`
    sources/s.toml:4:1: `item` is missing in [[child]]
      hint: write `item = "tag"`
    sources/s.toml:4:1: `name` is missing in [[child]]
      hint: write `name = "event_tags"`
    "#);
    assert_snapshot!(source("format = 1\n"), @r#"
    sources/s.toml:1:1: `[source]` is missing
      hint: write `[source]` with `path = "data/*.csv"` and `type = "csv"`
    sources/s.toml:1:1: `[table]` is missing
      hint: write `[table]` with `name = "events"`, and its `[table.columns]`
    "#);
    assert_snapshot!(columns(""), @r#"
    sources/s.toml:7:1: `columns` in [table]: a table needs a column
      hint: write `id = "string"`
    "#);
    assert_snapshot!(columns("a = {}\nb = 5\n"), @r#"
    sources/s.toml:8:1: `type` is missing in [table.columns.a]
      hint: write `type = "string"`
    sources/s.toml:9:5: `b` in [table.columns]: expected text, found integer 5
    "#);
}

#[test]
fn paths_and_cadence() {
    let with = |source_lines: &str| {
        source(&format!(
            "format = 1\n[source]\ntype = 'csv'\n{source_lines}\n[table]\nname = 't'\ncolumns = {{ a = 'string' }}\n"
        ))
    };
    assert_snapshot!(with("path = '../x.csv'"), @r"sources/s.toml:4:8: `path` in [source]: path `../x.csv`: must stay inside the project folder: no leading `/`, no `.` or `..`");
    assert_snapshot!(with("path = 'x/{yyyy'"), @r"sources/s.toml:4:8: `path` in [source]: path `x/{yyyy`: a `{` is never closed");
    assert_snapshot!(with("path = 'x/{yyyy}/{MM}/a.csv'\nevery = 'day'\nspill = '12 h'"), @r"
    sources/s.toml:5:9: `every` in [source]: the path tells months apart, but not days
    sources/s.toml:6:9: `spill` in [source]: `12 h` is not a number of whole days; write 1 day or 2 days
    ");
    assert_snapshot!(with("path = 'x/*.csv'\nevery = 'month'"), @r"
    sources/s.toml:5:9: `every` in [source]: the path does not say which period a file is about
      hint: put {yyyy}, {MM} or {dd} into `path`, or leave `every` out
    ");
    assert_snapshot!(with("path = 'x/*.csv'\nspill = '1 day'"), @r"sources/s.toml:5:9: `spill` in [source]: means nothing without `every`");
    assert_snapshot!(with("path = 'x/*.csv'\nsettle = '2'\nmax_record_bytes = 0\nevery = 'week'"), @r"
    sources/s.toml:5:10: `settle` in [source]: `2` is not a length of time; write 500 ms, 2s, 5 min, 1 h or 1 day
    sources/s.toml:6:20: `max_record_bytes` in [source]: expected more than 0 bytes
    sources/s.toml:7:9: `every` in [source]: expected `day`, `month` or `year`, found `week`
    ");
}

#[test]
fn csv() {
    let with = |lines: &str| {
        source(&format!(
            "format = 1\n[source]\npath = 'x.csv'\ntype = 'csv'\n[csv]\n{lines}\n[table]\nname = 't'\ncolumns = {{ a = 'string' }}\n"
        ))
    };
    assert_snapshot!(with("delimiter = ';;'\nquote = 'ä'\nescape = 'double'\nheader = 'yes'\nskip_lines = -1\nyear = 0"), @r"
    sources/s.toml:6:13: `delimiter` in [csv]: expected one ASCII character, found `;;`
    sources/s.toml:7:9: `quote` in [csv]: expected one ASCII character, found `ä`
    sources/s.toml:8:10: `escape` in [csv]: expected `doubled` or `backslash`, found `double`
      hint: did you mean `doubled`?
    sources/s.toml:9:10: `header` in [csv]: expected true or false, found text `yes`
    sources/s.toml:10:14: `skip_lines` in [csv]: expected a whole number of at least 0, found -1
    sources/s.toml:11:8: `year` in [csv]: expected a whole number from 1 to 9999, found 0
    ");
    assert_snapshot!(with("delimiter = ';'\nquote = ';'\ncomment = ';'"), @r"
    sources/s.toml:7:9: `quote` in [csv]: the same character as `delimiter`
    sources/s.toml:8:11: `comment` in [csv]: the same character as `delimiter`
    sources/s.toml:8:11: `comment` in [csv]: the same character as `quote`
    ");
}

#[test]
fn column_names() {
    assert_snapshot!(columns("_id = 'string'\n'a b' = 'string'\n1st = 'int64'\n"), @r"
    sources/s.toml:8:1: column `_id`: names that begin with `_` are kept for Stillhouse's own columns
    sources/s.toml:9:1: column name `a b` holds something other than letters, digits and `_`
    sources/s.toml:10:1: column name `1st` does not begin with a letter
    ");
    assert_snapshot!(columns("amount = 'int64'\nAmount = 'string'\n"), @r"sources/s.toml:9:1: columns `amount` and `Amount` differ only in case");
    assert_snapshot!(columns("user_id = 'int64'\nUserId = 'string'\nx = { type = 'string', from = ['y', 'USER-ID'] }\n"), @r"
    sources/s.toml:9:1: a field `UserId` would belong to `user_id` and to `UserId`: names are compared without case, blanks, `_` and `-`
    sources/s.toml:10:37: a field `USER-ID` would belong to `UserId` and to `x`: names are compared without case, blanks, `_` and `-`
    ");
}

#[test]
fn column_types() {
    assert_snapshot!(columns("a = 'text'\nb = 'decimal(40,2)'\nc = 'list<list<string>>'\n"), @r"
    sources/s.toml:8:5: `a` in [table.columns]: `text` is not a type; types are string, int64, float64, decimal(p,s), bool, date, timestamp, time, json, list<T>
    sources/s.toml:9:5: `b` in [table.columns]: `decimal(40,2)`: a decimal is written `decimal(p,s)` with 1 ≤ p ≤ 38 and s ≤ p
    sources/s.toml:10:5: `c` in [table.columns]: `list<list<string>>`: a list of lists is not offered
    ");
    let text = "a = { type = 'string', format = '%Y', zone = 'UTC', decimal = ',', list = 'json' }\n\
        b = { type = 'decimal(9,2)', decimal = ',', grouping = ',' }\nc = { type = 'timestamp', zone = 'Europe/Atlantis' }\n";
    assert_snapshot!(columns(text), @r"
    sources/s.toml:8:33: `format` in [table.columns.a]: only for date, timestamp and time columns, this column is string
    sources/s.toml:8:46: `zone` in [table.columns.a]: only for timestamp columns, this column is string
    sources/s.toml:8:63: `decimal` in [table.columns.a]: only for number columns, this column is string
    sources/s.toml:8:75: `list` in [table.columns.a]: only for list columns, this column is string
    sources/s.toml:9:56: `grouping` in [table.columns.b]: the same as the decimal mark
    sources/s.toml:10:34: `zone` in [table.columns.c]: `Europe/Atlantis` is not a time zone
      hint: write UTC or a name of the IANA database, such as Europe/Berlin
    ");
    assert_snapshot!(columns("a = { type = 'list<string>', list = 'pyhton' }\nb = { type = 'list<date>', list = { delimiter = '' } }\n"), @r"
    sources/s.toml:8:37: `list` in [table.columns.a]: expected `auto`, `python` or `json`, found `pyhton`
      hint: did you mean `python`?
    sources/s.toml:9:49: `delimiter` in [table.columns.b.list]: expected a text between the items, found nothing
    ");
}

#[test]
fn column_formats() {
    let text = "a = { type = 'date', format = ['%Y-%q', '%Y', '%m/%d', '%m/%d', '%d/%m/%d', 'iso'] }\n\
        b = { type = 'time', format = ['%Y-%m-%d', '%M:%S', 'unix', '%I:%M'] }\nc = { type = 'timestamp', format = [] }\n";
    assert_snapshot!(columns(text), @r"
    sources/s.toml:8:32: item 1 of `format` in [table.columns.a]: format `%Y-%q`: after `%` expected one of Y y m b B d H I p M S f z %, found `q`
    sources/s.toml:8:41: item 2 of `format` in [table.columns.a]: `%Y` names no month
    sources/s.toml:8:56: item 4 of `format` in [table.columns.a]: `%m/%d` stands here twice
    sources/s.toml:8:65: item 5 of `format` in [table.columns.a]: `%d/%m/%d` names the day twice
    sources/s.toml:8:77: item 6 of `format` in [table.columns.a]: format `iso` has no part such as %Y; named formats are iso8601, unix, unix_ms
    sources/s.toml:9:32: item 1 of `format` in [table.columns.b]: `%Y-%m-%d` is no format of a time of day
    sources/s.toml:9:44: item 2 of `format` in [table.columns.b]: `%M:%S` names no hour
    sources/s.toml:9:53: item 3 of `format` in [table.columns.b]: `unix` is no format of a time of day
    sources/s.toml:9:61: item 4 of `format` in [table.columns.b]: `%I:%M` needs both `%I` and `%p`, or `%H`
    sources/s.toml:10:36: `format` in [table.columns.c]: expected a format, found none
    ");
}

#[test]
fn column_origins() {
    let text = "a = { type = 'string', from = '{MM}' }\nb = { type = 'string', from = 'year of c' }\n\
        c = { type = 'string', from = ['x', '{yyyy}'] }\nd = { type = 'date', from = 'year of e' }\n\
        e = { type = 'date', from = 'year of 5%' }\nf = { type = 'string', from = 'year of a' }\n";
    assert_snapshot!(columns(text), @r"
    sources/s.toml:8:31: `from` in [table.columns.a]: the path has no `{MM}`
      hint: it has `{yyyy}`
    sources/s.toml:10:37: item 2 of `from` in [table.columns.c]: `{yyyy}` has to stand alone
    sources/s.toml:12:29: `from` in [table.columns.e]: `year of 5%` names no column
    ");
    let text =
        "b = { type = 'string', from = 'year of c' }\nc = 'string'\nd = { type = 'string', from = 'year of x' }\n";
    assert_snapshot!(columns(text), @r"
    sources/s.toml:8:5: `b` in [table.columns]: `year of …` needs a date or timestamp column, that one is string
    sources/s.toml:10:5: `d` in [table.columns]: `year of …` names a column that the table does not have
    ");
}

#[test]
fn tables() {
    let text = "format = 1\n[source]\npath = 'x.csv'\ntype = 'csv'\n[table]\nname = '_receipts'\ntime = 'b'\nmax_rejected = '101%'\n\
        columns_by = 'names'\n[table.columns]\na = 'string'\n";
    assert_snapshot!(source(text), @r"
    sources/s.toml:6:8: `name` in [table]: names that begin with `_` are kept for Stillhouse's own tables and columns
    sources/s.toml:7:8: `time` in [table]: the table has no column `b`
      hint: its columns are `a`
    sources/s.toml:8:16: `max_rejected` in [table]: `101%` is neither a share such as 1% or 0.25% nor a number of records
    sources/s.toml:9:14: `columns_by` in [table]: expected `name`, `position` or `fit`, found `names`
      hint: did you mean `name`?
    ");
    let text = "format = 1\n[source]\npath = 'x.csv'\ntype = 'csv'\n[table]\nname = 't'\ntime = 'a'\n[table.columns]\na = 'string'\n";
    assert_snapshot!(source(text), @r"sources/s.toml:7:8: `time` in [table]: expected a date or timestamp column, `a` is string");
}

#[test]
fn views() {
    let table = |lines: &str| {
        source(&format!(
            "format = 1\n[source]\npath = 'x.csv'\ntype = 'csv'\n[table]\nname = 't'\n{lines}\n[table.columns]\n\
             id = {{ type = 'string', required = true }}\nb = 'int64'\nc = {{ type = 'list<string>', required = true }}\n\
             d = 'timestamp'\ne = 'json'\nf = {{ type = 'float64', required = true }}\ng = 'bool'\n"
        ))
    };
    assert_snapshot!(table("keep = 'latest by d'\ndeleted = { column = 'g' }\ncurrent = 'now'"), @r#"
    sources/s.toml:7:8: `keep` in [table]: means nothing without `key`
      hint: write `key = "id"`, or leave it out
    sources/s.toml:8:11: `deleted` in [table]: means nothing without `key`
      hint: write `key = "id"`, or leave it out
    sources/s.toml:9:11: `current` in [table]: means nothing without `key`
      hint: write `key = "id"`, or leave it out
    "#);
    assert_snapshot!(table("key = 'id'"), @r#"
    sources/s.toml:5:2: `keep` is missing in [table]
      hint: write `keep = "latest by updated_at"`
    "#);
    assert_snapshot!(table("key = []\nkeep = 'newest'\ncurrent = '_now'"), @r"
    sources/s.toml:7:7: `key` in [table]: expected a column, found none
    sources/s.toml:8:8: `keep` in [table]: `newest` does not say which row to keep; write `latest by COLUMN` or `latest by COLUMN, COLUMN`
    sources/s.toml:9:11: `current` in [table]: names that begin with `_` are kept for Stillhouse's own tables and columns
    ");
    assert_snapshot!(table("key = 5\nkeep = 5\ndeleted = 'op'\ncurrent = 'a-b'"), @r#"
    sources/s.toml:7:7: `key` in [table]: expected text or an array of texts, found integer 5
    sources/s.toml:8:8: `keep` in [table]: expected text, found integer 5
    sources/s.toml:9:11: `deleted` in [table]: expected a column and what it says in a delete
      hint: write `deleted = { column = "op", values = ["D", "delete"] }`
    sources/s.toml:10:11: `current` in [table]: table name `a-b` holds something other than letters, digits and `_`
    "#);
    assert_snapshot!(table("key = ['id', 'x', 'b', 'c', 'f', 'id']\nkeep = 'latest by d, x, _object, c, d'"), @r#"
    sources/s.toml:7:14: item 2 of `key` in [table]: the table has no column `x`
      hint: its columns are `id`, `b`, `c`, `d`, `e`, `f`, `g`
    sources/s.toml:7:19: item 3 of `key` in [table]: `b` is not `required`, and a row without it would belong to nothing
      hint: add `required = true` to the column `b`
    sources/s.toml:7:24: item 4 of `key` in [table]: `c` is list<string>, whose values do not tell one thing from another
      hint: use a column of another type
    sources/s.toml:7:29: item 5 of `key` in [table]: `f` is float64, whose values do not tell one thing from another
      hint: use a column of another type
    sources/s.toml:7:34: item 6 of `key` in [table]: `id` stands here twice
    sources/s.toml:8:8: `keep` in [table]: `c` is list<string>, whose values are not earlier or later
    sources/s.toml:8:8: `keep` in [table]: `d` stands here twice
    sources/s.toml:8:8: `keep` in [table]: the table has no column `_object`
      hint: its columns are `id`, `b`, `c`, `d`, `e`, `f`, `g`, `_ingested_at`
    sources/s.toml:8:8: `keep` in [table]: the table has no column `x`
      hint: its columns are `id`, `b`, `c`, `d`, `e`, `f`, `g`, `_ingested_at`
    "#);
    assert_snapshot!(table("key = 'id'\nkeep = 'latest by '\ndeleted = { colum = 'op' }"), @r#"
    sources/s.toml:8:8: `keep` in [table]: `latest by ` does not say which row to keep; write `latest by COLUMN` or `latest by COLUMN, COLUMN`
    sources/s.toml:9:1: `column` is missing in [table.deleted]
      hint: write `column = "op"`
    sources/s.toml:9:13: unknown key `colum` in [table.deleted]
      hint: did you mean `column`?
    "#);
    assert_snapshot!(table("key = 'id'\nkeep = 'latest by d desc, , 5'\ndeleted = { column = 'op', values = ['D'] }"), @r"
    sources/s.toml:8:8: `keep` in [table]: column name `d desc` holds something other than letters, digits and `_`
    sources/s.toml:9:22: `column` in [table.deleted]: the table has no column `op`
      hint: its columns are `id`, `b`, `c`, `d`, `e`, `f`, `g`
    ");
    assert_snapshot!(table("key = 'id'\nkeep = 'latest by d'\ndeleted = { column = 'id' }"), @r#"
    sources/s.toml:9:1: `values` is missing in [table.deleted]
      hint: write `values = ["D", "delete"]`
    "#);
    assert_snapshot!(table("key = 'id'\nkeep = 'latest by d'\ndeleted = { column = 'id', values = [] }"), @r"sources/s.toml:9:37: `values` in [table.deleted]: expected a value, found none");
    assert_snapshot!(table("key = 'id'\nkeep = 'latest by d'\ndeleted = { column = 'b', values = ['3', 4] }"), @r"sources/s.toml:9:37: item 1 of `values` in [table.deleted]: expected a whole number, found text `3`");
    assert_snapshot!(table("key = 'id'\nkeep = 'latest by d'\ndeleted = { column = 'g', values = [true] }"), @r"
    sources/s.toml:9:36: `values` in [table.deleted]: only for string and int64 columns, `g` is bool
      hint: leave it out: true in `g` means a delete
    ");
    assert_snapshot!(table("key = 'id'\nkeep = 'latest by d'\ndeleted = { column = 'd', values = '2024-01-01' }"), @r"
    sources/s.toml:9:36: `values` in [table.deleted]: only for string and int64 columns, `d` is timestamp
      hint: leave it out: any value in `d` means a delete
    ");
    assert_snapshot!(table("key = 'id'\nkeep = 'latest by d'\ndeleted = { column = 'e' }"), @r"sources/s.toml:9:22: `column` in [table.deleted]: expected a string, int64, bool, date or timestamp column, `e` is json");
    assert_snapshot!(table("key = '${SECRET}'\nkeep = 'latest by ${SECRET}'"), @r"
    sources/s.toml:7:7: `key` in [table]: the table has no column `${SECRET}`
      hint: its columns are `id`, `b`, `c`, `d`, `e`, `f`, `g`
    sources/s.toml:8:8: `keep` in [table]: what `latest by ${SECRET}` stands for is not a rule such as `latest by updated_at`
    ");
    assert_snapshot!(table("key = '${DIR}'\nkeep = 'latest by ${DIR}, c'"), @r"
    sources/s.toml:7:7: `key` in [table]: the table has no column `${DIR}`
      hint: its columns are `id`, `b`, `c`, `d`, `e`, `f`, `g`
    sources/s.toml:8:8: `keep` in [table]: `latest by ${DIR}, c` is list<string>, whose values are not earlier or later
    sources/s.toml:8:8: `keep` in [table]: the table has no column `latest by ${DIR}, c`
      hint: its columns are `id`, `b`, `c`, `d`, `e`, `f`, `g`, `_ingested_at`
    ");
}

#[test]
fn names_of_views() {
    let text = |name: &str, more: &str| {
        format!(
            "format = 1\n[source]\npath = 'x.csv'\ntype = 'csv'\n[table]\nname = '{name}'\nkey = 'id'\n\
             keep = 'latest by id'\n{more}[table.columns]\nid = {{ type = 'string', required = true }}\n"
        )
    };
    let two =
        |a: &str, b: &str| problems(&[("stillhouse.toml", SETTINGS), ("sources/a.toml", a), ("sources/b.toml", b)]);
    assert_snapshot!(two(&text("t", ""), &text("T_Current", "")), @r#"
    sources/a.toml:7:1: the view `t_current` has the name of a table of sources/b.toml
      hint: give it another name with `current = "NAME"`; case does not count
    "#);
    assert_snapshot!(two(&text("t", "current = 'Now'\n"), &text("u", "current = 'now'\n")), @r#"
    sources/b.toml:9:11: the view `now` has the name of a view of sources/a.toml
      hint: give it another name with `current = "NAME"`; case does not count
    "#);
    assert_snapshot!(two(&text("t", "current = 't'\n"), &text("u", "")), @r#"
    sources/a.toml:9:11: the view `t` has the name of a table of sources/a.toml
      hint: give it another name with `current = "NAME"`; case does not count
    "#);
    assert_snapshot!(source(&text(&"x".repeat(95), "")), @r#"
    sources/s.toml:7:7: `key` in [table]: the name of the view, that of the table and `_current`, is longer than 100 bytes
      hint: give the view a shorter one with `current = "NAME"`
    "#);
}

#[test]
fn children() {
    let child = |text: &str| {
        source(&format!(
            "format = 1\n[source]\npath = 'x.csv'\ntype = 'csv'\n[table]\nname = 't'\n[table.columns]\na = 'string'\nb = 'list<string>'\n{text}"
        ))
    };
    assert_snapshot!(child("[[child]]\nname = 'u'\nfrom = 't.a[]'\nitem = 'x'\n[[child]]\nname = 'T'\nfrom = 't.b[]'\nitem = 'x'\n"), @r"sources/s.toml:12:8: `from` in [[child]]: expected a list column, `t.a[]` names one of type string");
    assert_snapshot!(child("[[child]]\nname = 'u'\nfrom = 't.b'\nitem = 'x'\ncopy = { y = 'z', _a = 'a' }\n"), @r"
    sources/s.toml:12:8: `from` in [[child]]: expected a path such as `events.tags[]`, found `t.b`
    sources/s.toml:14:14: `y` in [child.copy]: the table has no column `z`
      hint: its columns are `a`, `b`
    sources/s.toml:14:19: column `_a`: names that begin with `_` are kept for Stillhouse's own columns
    ");
    assert_snapshot!(child("[[child]]\nname = 'u'\nfrom = 's.b[]'\nitem = '_x'\n[[child]]\nname = 'v'\nfrom = 't.c[]'\nitem = 'x'\n"), @r"
    sources/s.toml:12:8: `from` in [[child]]: `s.b[]` does not begin with the table `t`
    sources/s.toml:13:8: `item` in [[child]]: names that begin with `_` are kept for Stillhouse's own tables and columns
    sources/s.toml:16:8: `from` in [[child]]: `t.c[]`: the table has no such column
      hint: its columns are `a`, `b`
    ");
    assert_snapshot!(child("[[child]]\nname = 'u'\nfrom = 't.b[]'\nitem = 'x'\ncopy = { X = 'a' }\n"), @r"sources/s.toml:10:1: item 1 of `child`: two columns named `X` (case does not count)");
    assert_snapshot!(child("[[child]]\nname = 'T'\nfrom = 't.b[]'\nitem = 'x'\n[[child]]\nname = 'u'\nfrom = 't.b[]'\nitem = 'x'\n"), @r"
    sources/s.toml:11:8: table `T` is already a table of sources/s.toml
      hint: give it another name; one source writes a table, and case does not count
    ");
    assert_snapshot!(child("[child]\nname = 'u'\n"), @r"
    sources/s.toml:10:1: `child`: each child table is one item of an array
      hint: write `[[child]]`
    ");
}

#[test]
fn two_sources_one_table() {
    let text =
        "format = 1\n[source]\npath = 'x.csv'\ntype = 'csv'\n[table]\nname = 'orders'\ncolumns = { a = 'string' }\n";
    let other = text.replace("orders", "Orders");
    let files = [
        ("stillhouse.toml", SETTINGS),
        ("sources/a.toml", text),
        ("sources/b.toml", &other),
        ("sources/c d.toml", text),
    ];
    assert_snapshot!(problems(&files), @r"
    sources/b.toml:6:8: table `Orders` is already a table of sources/a.toml
      hint: give it another name; one source writes a table, and case does not count
    sources/c d.toml:1:1: source name `c d` holds something other than letters, digits, `_` and `-`
    ");
}

#[test]
fn reports() {
    assert_snapshot!(report("format = 1\n"), @r#"
    reports/r/report.toml:1:1: `period` is missing
      hint: write `period = { type = "any" }`
    reports/r/report.toml:1:1: `queries` is missing
      hint: write `[queries.NAME]` with `title = "…"`
    reports/r/report.toml:1:1: `title` is missing
      hint: write `title = "…"`
    "#);
    assert_snapshot!(report("format = 1\ntitle = 'x'\nperiod = { type = 'any' }\n[queries]\n"), @r"
    reports/r/report.toml:4:1: `queries`: a report needs a query
      hint: write `[queries.summary]`, and summary.sql beside the file
    ");
    let text = "format = 1\ntitle = 'x'\nperiod = { type = 'month', default = '2021-04-05', grain = 1 }\n\
        [parameters]\nperiod_start = 5\nlimit = 0.5\n'a b' = 'x'\n[queries.q.columns.total]\ndecimals = 99\n[queries.other]\n[queries.third]\nfile = '../q.sql'\n";
    assert_snapshot!(report(text), @r"
    reports/r/report.toml:3:38: `default` in [period]: a report of type `month` cannot be about `2021-04-05`
      hint: leave it out for `last-month`
    reports/r/report.toml:3:52: unknown key `grain` in [period]
      hint: allowed here: `type`, `default`
    reports/r/report.toml:5:16: `period_start` in [parameters]: every query has this parameter already; use another name
    reports/r/report.toml:6:9: `limit` in [parameters]: expected text or a whole number, found number 0.5
    reports/r/report.toml:7:1: query name `a b` holds something other than letters, digits and `_`
    reports/r/report.toml:9:12: `decimals` in [queries.q.columns.total]: expected a whole number from 0 to 38, found 99
    reports/r/report.toml:10:1: `other` in [queries]: its SQL file `reports/r/other.sql` is missing
      hint: write it, or name one of `q.sql` as `file`
    reports/r/report.toml:12:8: `file` in [queries.third]: expected a .sql file in the report's folder, found `../q.sql`
    ");
    let text = "format = 1\ntitle = 'x'\nperiod = { type = 'all', default = 'last-month' }\n[queries.q]\ntitel = 'Q'\n";
    assert_snapshot!(report(text), @r"
    reports/r/report.toml:3:36: `default` in [period]: a report of type `all` cannot be about `last-month`
      hint: leave it out for `all`
    reports/r/report.toml:5:1: unknown key `titel` in [queries.q]
      hint: did you mean `title`?
    ");
    assert_snapshot!(report("format = 1\ntitle = 'x'\nperiod = { default = 'yesterday' }\n[queries.q]\n"), @r#"
    reports/r/report.toml:3:1: `type` is missing in [period]
      hint: write `type = "any"`
    reports/r/report.toml:3:22: `default` in [period]: `yesterday` is not a period; write 2021-04 (month), 2021-04-05 (day), 2021 (year), 2021-04..2021-06 (range), last-month, last-day, last-year or all
    "#);
}

#[test]
fn report_files() {
    assert_snapshot!(problems(&[("stillhouse.toml", SETTINGS), ("reports/r/q.sql", "SELECT 1")]), @r"reports/r/report.toml:1:1: the file is missing");
    let text = "format = 1\ntitle = 'x'\nperiod = { type = 'any' }\n[queries.q]\n[queries.p]\nfile = '${SECRET}.sql'\n[queries.o]\nfile = 'o.sql'\n";
    let files =
        [("stillhouse.toml", SETTINGS), ("reports/R 1/report.toml", text), ("reports/R 1/q.sql", "-- nothing\n\n")];
    assert_snapshot!(problems(&files), @r"
    reports/R 1/report.toml:1:1: report name `R 1` holds something other than letters, digits, `_` and `-`
    reports/R 1/report.toml:4:1: `q` in [queries]: `reports/R 1/q.sql` holds no query
    reports/R 1/report.toml:6:8: `file` in [queries.p]: its SQL file `reports/R 1/${SECRET}.sql` is missing
      hint: write it, or name one of `q.sql` as `file`
    reports/R 1/report.toml:8:8: `file` in [queries.o]: its SQL file `reports/R 1/o.sql` is missing
      hint: write it, or name one of `q.sql` as `file`
    ");
}

#[test]
fn several_files_at_once() {
    let files = [
        ("stillhouse.toml", "format = 1\n[project]\nnam = 'x'\n"),
        ("sources/a.toml", "format = 1\n[source]\npth = 'x'\n"),
        ("reports/r/report.toml", "format = 3\n"),
    ];
    assert_snapshot!(problems(&files), @r#"
    reports/r/report.toml:1:10: made by a newer Stillhouse: format 3, this one reads format 1
      hint: use a newer stillhouse for this project
    sources/a.toml:1:1: `[table]` is missing
      hint: write `[table]` with `name = "events"`, and its `[table.columns]`
    sources/a.toml:2:2: `path` is missing in [source]
      hint: write `path = "data/{yyyy}/{MM}/events.csv"`
    sources/a.toml:2:2: `type` is missing in [source]
      hint: write `type = "csv"`
    sources/a.toml:3:1: unknown key `pth` in [source]
      hint: did you mean `path`?
    stillhouse.toml:2:2: `name` is missing in [project]
      hint: write `name = "my-project"`
    stillhouse.toml:3:1: unknown key `nam` in [project]
      hint: did you mean `name`?
    "#);
}

#[test]
fn long_and_odd_texts_stay_on_one_line() {
    let long = "x".repeat(500);
    assert_snapshot!(columns(&format!("a = {{ type = 'string', '{long}' = 1 }}\nb = '{long}'\n")), @r"
    sources/s.toml:8:24: unknown key `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…` in [table.columns.a]
      hint: allowed here: `type`, `from`, `derive`, `required`, `format`, `zone`, `decimal`, `grouping`, `currency`, `list`, `null_values`, `default`, `allowed`, `min`, `max`, `pattern`, `pii`
    sources/s.toml:9:5: `b` in [table.columns]: `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
    ");
    assert_snapshot!(columns("a = \"x\\ny\\u001b[31m\"\n\"ü\\t\" = 'string'\n"), @r"
    sources/s.toml:8:5: `a` in [table.columns]: `x\ny\u{1b}[31m` is not a type; types are string, int64, float64, decimal(p,s), bool, date, timestamp, time, json, list<T>
    sources/s.toml:9:1: column name `ü\t` does not begin with a letter
    ");
}

#[test]
fn charts() {
    let chart = |text: &str| {
        report(&format!("format = 1\ntitle = 'x'\nperiod = {{ type = 'any' }}\n[queries.q.chart]\n{text}"))
    };
    assert_snapshot!(chart("x = 'day'\n"), @r#"
    reports/r/report.toml:4:12: `kind` is missing in [queries.q.chart]
      hint: write `kind = "bar"`
    "#);
    assert_snapshot!(chart("kind = 'bars'\ncolour = 'red'\nlimit = 0\nrest = 'drop'\nformat = { decimal = 2, thousands = '.' }\n"), @r"
    reports/r/report.toml:5:8: `kind` in [queries.q.chart]: expected `line`, `bar`, `stacked`, `area`, `pie` or `figure`, found `bars`
      hint: did you mean `bar`?
    reports/r/report.toml:6:1: unknown key `colour` in [queries.q.chart]
      hint: allowed here: `kind`, `title`, `subtitle`, `x`, `y`, `series`, `x_title`, `y_title`, `format`, `limit`, `rest`
    reports/r/report.toml:7:9: `limit` in [queries.q.chart]: expected a whole number from 1 to 200, found 0
    reports/r/report.toml:8:8: `rest` in [queries.q.chart]: expected `other` or `omit`, found `drop`
    reports/r/report.toml:9:12: unknown key `decimal` in [queries.q.chart.format]
      hint: did you mean `decimals`?
    reports/r/report.toml:9:37: `thousands` in [queries.q.chart.format]: expected `comma`, `blank`, `apostrophe` or `none`, found `.`
    ");
    assert_snapshot!(chart("kind = 'bar'\ny = ['a', 'b']\nseries = 'c'\n"), @r"
    reports/r/report.toml:6:5: `y` in [queries.q.chart]: expected one column beside `series`, found 2
      hint: the values of the column `series` are the series already; name one column, or leave `series` out
    ");
    assert_snapshot!(chart("kind = 'pie'\ny = ['a', 'b']\n"), @r"
    reports/r/report.toml:6:5: `y` in [queries.q.chart]: expected one column for a pie, found 2
      hint: use `bar` for several
    ");
}
