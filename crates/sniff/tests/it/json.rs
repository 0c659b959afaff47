//! JSON: what tables, columns and types records become.

use stillhouse_sniff::{Kind, Options, Proposal, propose};

use crate::common::{doubts, input, line, load, sniff_all, types};

/// The proposal for one file, which loads whole.
fn sniff(text: &str) -> Proposal {
    let proposal = propose(&[input("data/orders.json", text)], &Options::default()).unwrap();
    let (loaded, _) = load(&proposal, text.as_bytes());
    assert_eq!(loaded.rejects, [], "{}", proposal.source);
    proposal
}

/// The type of the field `field` that has these values.
fn type_of(field: &str, values: &[&str]) -> String {
    let rows: Vec<String> = values.iter().map(|value| format!("{{\"nr\": 1, \"{field}\": {value}}}")).collect();
    sniff(&rows.join("\n")).columns[1].data_type.clone()
}

/// What is behind the parent's table.
fn children(proposal: &Proposal) -> &str {
    proposal.source.split_once("\n\n[[child]]").map_or("", |(_, rest)| rest)
}

#[test]
fn values_have_the_narrowest_type_that_holds_all_of_them() {
    for (values, expected) in [
        (vec!["true", "false", "null"], "bool"),
        (vec!["1", "-20", "9223372036854775807"], "int64"),
        (vec!["1", "9223372036854775808"], "decimal(38,0)"),
        (vec!["1", "2.5"], "float64"),
        (vec!["1e5", "2"], "float64"),
        (vec!["1e999", "2"], "string"),
        (vec!["\"12\"", "\"7\""], "string"),
        (vec!["\"true\"", "\"false\""], "string"),
        (vec!["1", "\"7\""], "string"),
        (vec!["1", "\"N/A\"", "\"\""], "int64"),
        (vec!["true", "7"], "string"),
        (vec!["\"2021-03-05\"", "\"2021-12-31\""], "date"),
        (vec!["\"2018-01-12T20:21:40+0000\"", "\"2018-01-13T20:21:40+0100\""], "timestamp"),
        (vec!["\"2018-01-12 20:21:40\"", "\"2018-01-12T20:21:40.123+0100\""], "timestamp"),
        (vec!["\"10:00\"", "\"23:59\""], "time"),
        (vec!["\"2021-03-05\"", "\"soon\""], "string"),
        (vec!["1617625815", "1617625999"], "int64"),
        (vec!["12.5", "3.2"], "float64"),
        (vec!["[1, 2]", "[]", "null"], "list<int64>"),
        (vec!["[1, \"a\", null]"], "list<string>"),
        (vec!["[true]"], "list<bool>"),
        (vec!["[[1]]", "[]"], "json"),
        (vec!["[{\"a\": 1}, 2]"], "json"),
        (vec!["[]", "[]"], "json"),
        (vec!["{}"], "json"),
        (vec!["{\"a\": 1}", "[1]"], "json"),
        (vec!["{\"a\": 1}", "\"a\""], "json"),
        (vec!["null"], "string"),
    ] {
        assert_eq!(type_of("thing", &values), expected, "{values:?}");
    }
}

#[test]
fn names_say_what_numbers_are() {
    assert_eq!(type_of("created_at", &["1617625815", "1617625999"]), "timestamp");
    assert_eq!(type_of("SentTimestamp", &["1617625815123"]), "timestamp");
    assert_eq!(type_of("start", &["12.5", "3.2"]), "float64");
    assert_eq!(type_of("price", &["12.50", "3"]), "decimal(18,2)");
    assert_eq!(type_of("price", &["12.123456"]), "float64");
    assert_eq!(type_of("amount", &["\"12.50\"", "\"3.10\""]), "decimal(18,2)");
    assert_eq!(type_of("price", &["12"]), "int64");
}

#[test]
fn a_time_that_some_records_lack_an_offset_of_is_read_as_utc_and_that_is_said() {
    let proposal = sniff("{\"at\": \"2018-01-12 20:21:40\"}\n{\"at\": \"2018-01-12T20:21:40+0100\"}\n");
    assert!(
        proposal.source.contains("# Without an offset, and read as UTC: 1 of the values; with one: 1."),
        "{}",
        proposal.source
    );
}

#[test]
fn orders_with_items_and_tags() {
    let proposal = sniff(
        r#"{"id": 1, "createdAt": "2021-03-05T10:00:00Z", "customer": {"id": "c1", "email": "ann@mail.example", "address": {"city": "Bonn"}},
            "tags": ["new", "web"], "items": [{"sku": "A1", "price": 2.50, "seller": {"name": "Ann Smith"}}, {"sku": "B2", "price": 10.00}]}
           {"id": 2, "createdAt": "2021-03-06T10:00:00Z", "customer": {"id": "c2", "email": "bo@mail.example"},
            "tags": [], "items": [{"sku": "A1", "price": 2.50, "seller": {"name": "Bo Jones"}, "note": null}], "coupon": "X"}"#,
    );
    insta::assert_snapshot!("orders_with_items_and_tags", proposal.source);
    let facts: Vec<String> = proposal
        .columns
        .iter()
        .map(|column| format!("{}.{} from {}", column.table.as_deref().unwrap_or("orders"), column.name, column.header))
        .collect();
    assert_eq!(
        facts[7..],
        [
            "order_items.sku from sku",
            "order_items.price from price",
            "order_items.seller_name from seller.name",
            "order_items.note from note"
        ]
    );
}

#[test]
fn the_same_structure_inside_of_itself_is_one_table() {
    let proposal = sniff(
        r#"{"id": 1, "children": [{"id": 2, "name": "a", "children": [{"id": 3, "name": "b", "children": [{"id": 4, "name": "c"}]}]}]}"#,
    );
    let again = "[[child]]\nname = \"children\"\nfrom = \"children.children[]\"\ncopy = { order_id = \"order_id\" }\n";
    assert!(proposal.source.ends_with(again), "{}", proposal.source);
    assert_eq!(proposal.source.matches("[[child]]").count(), 2);
    let (loaded, _) =
        load(&proposal, br#"{"id": 1, "children": [{"id": 2, "children": [{"id": 3, "children": [{"id": 4}]}]}]}"#);
    assert_eq!(loaded.counts, [1, 3]);
}

#[test]
fn other_things_inside_of_things_are_tables_of_their_own() {
    let proposal = sniff(
        r#"{"id": 1, "items": [{"id": 2, "name": "a", "price": 1.5, "stock": 3, "variants": [{"id": 3, "name": "b"}]}]}"#,
    );
    assert!(children(&proposal).contains("name = \"variants\"\nfrom = \"order_items.variants[]\"\ncopy = { order_id = \"order_id\", order_item_id = \"id\" }"), "{}", proposal.source);
}

#[test]
fn names_that_are_values_are_kept_as_json() {
    let rows: Vec<String> = (0..20)
        .map(|nr| {
            format!(
                "{{\"id\": {nr}, \"scores\": {{\"u{nr}\": 1, \"u{}\": 2}}, \"days\": {{\"2021-03-{:02}\": 5}}}}",
                nr + 1,
                nr + 1
            )
        })
        .collect();
    let proposal = sniff(&rows.join("\n"));
    assert_eq!(types(&proposal), ["id int64", "scores json", "days json"]);
    assert!(proposal.source.contains("# Kept as JSON: its names differ"), "{}", proposal.source);
    // Fields that only some records have are fields all the same.
    let rows: Vec<String> =
        (0..20).map(|nr| format!("{{\"id\": {nr}, \"more\": {{\"kind\": \"a\", \"f{}\": 1}}}}", nr % 3)).collect();
    assert_eq!(
        types(&sniff(&rows.join("\n"))),
        ["id int64", "kind string", "more_f0 int64", "more_f1 int64", "more_f2 int64"]
    );
}

#[test]
fn only_what_every_record_has_is_required() {
    let proposal = sniff(
        "{\"id\": 1, \"date\": \"2021-03-05\", \"price\": 1.5}\n{\"id\": 2, \"date\": \"2021-03-06\", \"price\": null}\n",
    );
    assert_eq!(line(&proposal, "id"), "id = { type = \"int64\", required = true }");
    assert_eq!(line(&proposal, "date"), "date = { type = \"date\", required = true }");
    assert_eq!(line(&proposal, "price"), "price = \"decimal(18,2)\"");
    let proposal = sniff("{\"id\": 1, \"date\": \"2021-03-05\"}\n{\"date\": \"\"}\n");
    assert!(!proposal.source.contains("required"), "{}", proposal.source);
}

#[test]
fn the_time_is_when_a_record_came_to_be() {
    let text = "{\"received_at\": \"2021-03-05T10:00:01Z\", \"occurred_at\": \"2021-03-05T10:00:00Z\", \"born\": \"1980-01-01\"}\n";
    assert_eq!(line(&sniff(text), "time"), "time = \"occurred_at\"");
}

#[test]
fn json_inside_of_a_text_stays_a_text() {
    let proposal = sniff(
        "{\"MessageId\": \"a\", \"Body\": \"{\\\"id\\\": 1}\"}\n{\"MessageId\": \"b\", \"Body\": \"{\\\"id\\\": 2}\"}\n",
    );
    assert_eq!(types(&proposal), ["message_id string", "body string"]);
    assert!(proposal.source.contains("# 2 of 2 texts are JSON, and stay as they are"), "{}", proposal.source);
    assert!(proposal.source.contains("`Body.NAME`"), "{}", proposal.source);
}

#[test]
fn personal_data_is_marked_and_never_shown() {
    let proposal = sniff(
        r#"{"id": 1, "user": {"name": "Ann Smith", "joined": "2/3/1980"}, "last_logins": [{"ip": "203.0.113.9", "birthday": "2/3/1980"}], "emails": ["ann@mail.example"], "changes": {"a/1": {"email": "ann@mail.example"}, "b/2": 1}}"#,
    );
    let pii: Vec<&str> =
        proposal.columns.iter().filter(|column| column.pii).map(|column| column.name.as_str()).collect();
    assert_eq!(pii, ["user_name", "emails", "changes", "ip", "birthday"]);
    let said = format!("{}{:?}", proposal.source, proposal.notes);
    for secret in ["ann@", "203.0.113", "Ann"] {
        assert!(!said.contains(secret), "{secret} in {said}");
    }
}

#[test]
fn records_that_have_nothing_but_arrays_still_make_a_table() {
    let text = "{\"data\": [{\"id\": 1}, {\"id\": 2}]}";
    let proposal = sniff(text);
    assert_eq!(line(&proposal, "nothing"), "nothing = \"string\"");
    assert_eq!(load(&proposal, text.as_bytes()).0.counts, [1, 2]);
}

#[test]
fn every_layout_is_read() {
    for text in [
        "{\"id\": 1}\n{\"id\": 2}\n",
        "\u{feff}{\"id\": 1}\n{\"id\": 2}",
        "[{\"id\": 1},\n {\"id\": 2}]",
        "[\n  {\n    \"id\": 1\n  },\n  {\n    \"id\": 2\n  }\n]\n",
        "{\n  \"id\": 1\n}\n{\n  \"id\": 2\n}\n",
        "{\"id\": 1}{\"id\": 2}",
        " {\"id\": 1}\n\n {\"id\": 2}",
    ] {
        let proposal = sniff(text);
        assert_eq!(types(&proposal), ["id int64"], "{text}");
        assert_eq!(proposal.files[0].loaded, 2, "{text}");
    }
}

#[test]
fn only_the_beginning_of_a_long_file_is_looked_at_and_that_is_said() {
    let records: Vec<String> = (0..1000).map(|nr| format!("{{\"nr\": {nr}}}")).collect();
    for text in [records.join("\n"), format!("[{}]", records.join(",\n")), records.join("\n\n").replace(':', ":\n")] {
        let proposal = propose(&[input("x.json", &text)], &Options { bytes_max: 1000, ..Options::default() }).unwrap();
        let file = &proposal.files[0];
        assert!(file.read_bytes < 1100 && file.bytes == text.len() as u64 && file.refused == 0, "{file:?}");
        assert!(file.loaded > 50, "{file:?}");
        assert!(doubts(&proposal)[0].contains("only the first"), "{:?}", doubts(&proposal));
    }
}

#[test]
fn records_that_are_no_objects_are_refused_and_named() {
    let text = "{\"id\": 1}\n{\"id\": 2\n{\"id\": 3}\n7\n";
    let proposal = propose(&[input("x.json", text)], &Options::default()).unwrap();
    assert_eq!((proposal.files[0].loaded, proposal.files[0].refused), (2, 2));
    assert_eq!(line(&proposal, "max_rejected"), "max_rejected = \"50%\"");
    assert!(
        doubts(&proposal).iter().any(|doubt| doubt.contains("bad_json") && doubt.contains("line 2")),
        "{:?}",
        doubts(&proposal)
    );
}

#[test]
fn files_that_have_nothing_in_common_do_not_belong_together() {
    for (other, text) in [("b.json", "{\"x\": 1}\n"), ("b.csv", "a,b\n1,2\n")] {
        let error = sniff_all(&[("a.json", "{\"id\": 1}\n"), (other, text)]).unwrap_err();
        assert_eq!(error.kind(), Kind::FixSettings);
        assert!(error.to_string().contains("do not belong together"), "{error}");
    }
    let proposal = sniff_all(&[("a.json", "{\"id\": 1}\n"), ("b.json", "{\"id\": 2, \"new\": true}\n")]).unwrap();
    assert_eq!(types(&proposal), ["id int64", "new bool"]);
    assert_eq!(proposal.files.iter().map(|file| file.loaded).collect::<Vec<_>>(), [1, 1]);
}

#[test]
fn more_names_than_a_table_has_columns_are_kept_all_the_same() {
    let fields: Vec<String> = (0..1200).map(|nr| format!("\"n{nr}\": {nr}")).collect();
    let proposal = sniff(&format!("{{{}}}", fields.join(", ")));
    assert_eq!(line(&proposal, "unknown_columns"), "unknown_columns = \"json\"");
    assert_eq!(proposal.columns.len(), 1000);
}

#[test]
fn dates_without_a_year_name_the_one_that_is_assumed() {
    let proposal = sniff("{\"day\": \"7/15\"}\n{\"day\": \"7/28\"}\n");
    assert!(proposal.source.contains("[json]\n# DOUBT: the dates of `day` state no year."), "{}", proposal.source);
    assert!(proposal.source.contains("# year = 2023"), "{}", proposal.source);
}
