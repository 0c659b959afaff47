//! Values of every type.

use stillhouse_spec::NewField;

use super::table;

#[test]
fn numbers_keep_all_their_digits() {
    let case = table("big = 'int64'\nmoney = 'decimal(38,10)'\nratio = 'float64'\ntext = 'string'");
    let got = case
        .run(
            r#"{"big": 9007199254740993, "money": 1234567890123456789012345678.0123456789, "ratio": 1.5e300, "text": 12345678901234567890.10}
{"big": "-9223372036854775808", "money": "0.1", "ratio": -0.0, "text": true}
{"big": 9223372036854775808}
{"big": 1.5}
{"money": 0.00000000001}
{"ratio": 1e400}
{"big": [1]}
{"text": {"a": 1}}"#,
        )
        .unwrap();
    assert_eq!(
        got.rows(),
        "9007199254740993,1234567890123456789012345678.0123456789,1.5e300,12345678901234567890.10\n\
         -9223372036854775808,0.1000000000,-0.0,true"
    );
    assert_eq!(
        got.refused(),
        "line 3 (bytes 204+28) column big: out_of_range, expected int64, found 9223372036854775808\n\
         line 4 (bytes 233+12) column big: unreadable_int64, expected int64, found 1.5\n\
         line 5 (bytes 246+24) column money: decimal_scale, expected decimal(38,10), found 0.00000000001\n\
         line 6 (bytes 271+16) column ratio: unreadable_float64, expected float64, found 1e400\n\
         line 7 (bytes 288+12) column big: unreadable_int64, expected int64, found [1]\n\
         line 8 (bytes 301+18) column text: unreadable_string, expected string, found {\"a\": 1}"
    );
}

#[test]
fn times_lists_and_json_are_read_as_in_other_formats() {
    let case = table(
        "at = { type = 'timestamp', format = ['iso8601', 'unix_ms'] }\nday = 'date'\nok = 'bool'\n\
         list = 'list<decimal(5,2)>'\nwords = { type = 'list<string>', list = { delimiter = '|' } }\nraw = 'json'",
    );
    let got = case
        .run(
            r#"{"at": "2018-01-12T20:21:40+0000", "day": "2021-04-01", "ok": true, "list": [1, "2.5", null], "words": "a|b", "raw": {"b" : [1.10, "x \" y"], "a":{} }}
{"at": null, "day": "", "ok": "no", "list": [], "words": ["c"], "raw": null}
{"list": [1, [2]]}"#,
        )
        .unwrap();
    assert_eq!(
        got.rows(),
        "2018-01-12T20:21:40Z,2021-04-01,true,[1.00|2.50|∅],[a|b],{\"b\":[1.10,\"x \\\" y\"],\"a\":{}}\n\
         ∅,∅,false,[],[c],∅"
    );
    assert!(
        got.refused().contains("column list: unreadable_list, expected list<decimal(5,2)>, found [1, [2]]"),
        "{}",
        got.refused()
    );
    let unix = table("at = { type = 'timestamp', format = ['iso8601', 'unix_ms'] }");
    assert_eq!(
        unix.rows("{\"at\": 1515788500000}\n{\"at\": \"1515788500001\"}"),
        "2018-01-12T20:21:40Z\n2018-01-12T20:21:40.001Z"
    );
}

#[test]
fn the_format_with_the_fewest_failures_over_all_records_is_taken() {
    let case = table("day = { type = 'date', format = ['%m/%d/%Y', '%d/%m/%Y'] }");
    let got = case.run("{\"day\": \"1/2/2024\"}\n{\"day\": \"3/4/2024\"}\n{\"day\": \"15/7/2024\"}").unwrap();
    assert_eq!((got.rows().as_str(), got.restarts), ("2024-02-01\n2024-04-03\n2024-07-15", 1));
    assert!(case.held("{\"day\": \"1/2/2024\"}").contains("fit `%m/%d/%Y` and `%d/%m/%Y` on equally many rows"));
    // A record that is refused for another reason is looked at all the same.
    let two = table("n = 'int64'\nday = { type = 'date', format = ['%m/%d/%Y', '%d/%m/%Y'] }");
    assert_eq!(two.rows("{\"n\": \"x\", \"day\": \"15/7/2024\"}\n{\"n\": 1, \"day\": \"1/2/2024\"}"), "1,2024-02-01");
}

#[test]
fn names_are_compared_loosely_and_paths_exactly_where_they_lead() {
    let case = table(
        "message_id = 'string'\ncountry = { type = 'string', from = ['land', 'Country Code'] }\nsrc = { type = 'string', from = 'meta.\"a.b\"' }",
    );
    let lines = r#"{"MessageId": "1", "land": "de", "meta": {"a.b": "x"}, "src": "not this"}
{"message-id": "2", "countryCode": "fr"}
{"message_id": "3", "country": "it", "meta": null}"#;
    assert_eq!(case.rows(lines), "1,de,x\n2,fr,∅\n3,it,∅");
}

#[test]
fn a_text_may_be_json_itself() {
    let case = table(
        "message = 'string'\nbody = 'string'\nid = { type = 'int64', from = 'body.id', required = true }\ndeep = { type = 'string', from = 'body.meta.x' }",
    );
    let got = case
        .run(
            r#"{"message": "m1", "body": "{\"id\": 1, \"meta\": \"{\\\"x\\\": \\\"é\\\"}\"}"}
{"message": "m2", "body": {"id": 2, "meta": {"x": "y"}}}
{"message": "m3", "body": "{\"id\": "}
{"message": "m4", "body": "[]"}
{"message": "m5", "body": "{}"}
{"message": "m6", "body": "{\"id\": \"x\"}"}"#,
        )
        .unwrap();
    let got_rows = got.rows();
    assert!(got_rows.starts_with(r#"m1,{"id": 1, "meta": "{\"x\": \"é\"}"},1,é"#), "{got_rows}");
    let reasons: Vec<String> =
        got.rejects.iter().map(|reject| format!("{} {}", reject.place.line, reject.place.reason)).collect();
    assert_eq!(
        reasons,
        ["2 unreadable_string", "3 bad_json", "4 not_an_object", "5 missing_value", "6 unreadable_int64"]
    );
    assert!(got.rejects[1].place.found.contains("EOF while parsing a value at byte 7 of it"), "{}", got.refused());
}

#[test]
fn required_default_and_checks() {
    let case = table(
        "id = { type = 'int64', required = true, min = 1, max = 99 }\nplan = { type = 'string', default = 'free', allowed = ['free', 'pro'] }\n\
         code = { type = 'string', pattern = '^[a-z]{2}$' }\npaid = { type = 'decimal(6,2)', max = '100.50' }\nday = { type = 'date', min = '2021-01-01' }\ntags = { type = 'list<string>', allowed = ['x', 'y'] }",
    );
    let got = case
        .run(
            r#"{"id": 1, "code": "de", "paid": 100.50, "day": "2021-01-01", "tags": ["x", "y"]}
{"id": 2, "plan": "pro"}
{"plan": "pro"}
{"id": null}
{"id": 100}
{"id": 3, "plan": "gold"}
{"id": 4, "code": "deu"}
{"id": 5, "paid": 100.51}
{"id": 6, "day": "2020-12-31"}
{"id": 7, "tags": ["x", "z"]}"#,
        )
        .unwrap();
    assert_eq!(got.rows(), "1,free,de,100.50,2021-01-01,[x|y]\n2,pro,∅,∅,∅,∅");
    let reasons: Vec<String> = got
        .rejects
        .iter()
        .map(|reject| format!("{} {}: {}", reject.place.line, reject.place.reason, reject.place.expected))
        .collect();
    assert_eq!(
        reasons,
        [
            "3 missing_value: a value",
            "4 missing_value: a value",
            "5 outside_limits: 1 to 99",
            "6 not_allowed: one of `free`, `pro`",
            "7 pattern_mismatch: a text like `^[a-z]{2}$`",
            "8 outside_limits: at most 100.50",
            "9 outside_limits: at least 2021-01-01",
            "10 not_allowed: one of `x`, `y`",
        ]
    );
}

#[test]
fn unknown_and_missing_fields_follow_the_policies() {
    let with = |settings: &str| {
        super::json(&format!("[table]\nname = 't'\n{settings}\n[table.columns]\nid = 'int64'\nname = 'string'"))
    };
    let lines = "{\"id\": 1, \"extra\": [1, 2], \"more\": {\"a\": null}}\n{\"id\": 2, \"extra\": \"x\"}\n{\"id\": 3}";
    let ignored = with("").run(lines).unwrap();
    assert_eq!(ignored.rows(), "1,∅\n2,∅\n3,∅");
    assert_eq!(ignored.outcome.warnings, ["fields that the contract does not know are left out: `extra`, `more`"]);
    assert_eq!(
        with("unknown_columns = 'hold'").held(lines),
        "no column for the fields `extra`, `more`\nhint: add the columns to the source file, or set `unknown_columns` to \"add\", \"json\" or \"ignore\""
    );
    assert_eq!(
        with("unknown_columns = 'json'").rows(lines),
        "1,∅,{\"extra\":[1,2],\"more\":{\"a\":null}}\n2,∅,{\"extra\":\"x\"}\n3,∅,∅"
    );
    let error = with("unknown_columns = 'add'").run(lines).unwrap_err();
    let own = |path: &str| NewField { table: None, path: path.to_owned() };
    assert_eq!(
        (error.kind(), error.columns()),
        (stillhouse_decode::Kind::MoreColumns, [own("extra"), own("more")].as_slice())
    );
    assert!(with("missing_columns = 'hold'").held(lines).starts_with("no record has a value for column `name`"));
}
