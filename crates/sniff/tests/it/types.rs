//! Types of columns, formats, roles.

use crate::common::{doubts, line, load, sniff, sniff_all, types};

/// The proposal for a column of that name.
fn column(name: &str, values: &[&str]) -> stillhouse_sniff::Proposal {
    let rows: Vec<String> = values.iter().enumerate().map(|(at, value)| format!("{at},\"{value}\"")).collect();
    sniff(format!("nr,{name}\n{}\n", rows.join("\n")))
}

fn type_of(name: &str, values: &[&str]) -> String {
    column(name, values).columns[1].data_type.clone()
}

#[test]
fn values_have_the_narrowest_type_that_holds_all_of_them() {
    for (values, expected) in [
        (vec!["true", "FALSE", "true"], "bool"),
        (vec!["yes", "no", "Yes"], "bool"),
        (vec!["Y", "Y"], "string"),
        (vec!["0", "1", "1"], "int64"),
        (vec!["1", "-20", "+300"], "int64"),
        (vec!["1", "2.5", "-3.125"], "decimal(18,3)"),
        (vec!["1.0", "2"], "decimal(18,2)"),
        (vec!["1e5", "2.5"], "float64"),
        (vec!["0.1234567890123456", "1"], "decimal(23,18)"),
        (vec!["007", "008"], "string"),
        (vec!["1", "2", "A3"], "string"),
        (vec!["12345678901234567890", "1"], "string"),
        (vec!["2021-03-05", "2021-12-31"], "date"),
        (vec!["2021-03-05", "2021-12-31T10:00:00Z"], "timestamp"),
        (vec!["05.03.2021 10:00", "31.12.2021 23:59"], "timestamp"),
        (vec!["10:00", "23:59"], "time"),
        (vec!["1:05 PM", "11:59 am"], "time"),
        (vec!["['a', 'b']", "[]"], "list<string>"),
        (vec!["[1, 2]", "[3]"], "list<int64>"),
        (vec!["203.0.113.9", "2001:db8::1"], "string"),
        (vec!["3-2", "1-0"], "string"),
        (vec!["1.10.12", "1.10.11"], "string"),
        (vec!["20210305", "20211231"], "date"),
        (vec!["+4915112345678", "+4915187654321"], "string"),
    ] {
        assert_eq!(type_of("thing", &values), expected, "{values:?}");
    }
    assert_eq!(type_of("thing", &["{\"\"a\"\": 1}", "{}"]), "json");
    assert_eq!(type_of("is_open", &["0", "1", "1"]), "bool");
    assert_eq!(type_of("created_at", &["1617625815", "1617625999"]), "timestamp");
    assert_eq!(type_of("visits", &["1617625815", "1617625999"]), "int64");
    assert_eq!(type_of("zip", &["10115", "80331"]), "string");
    assert_eq!(type_of("amount", &["10", "-5"]), "decimal(18,2)");
}

#[test]
fn one_value_decides_between_day_first_and_month_first() {
    let day_first = column("day", &["2/8/2024", "15/7/2024", "3/4/2024"]);
    assert_eq!(line(&day_first, "day"), "day = { type = \"date\", required = true, format = \"%d/%m/%Y\" }");
    assert!(!doubts(&day_first).iter().any(|doubt| doubt.contains("format of")));
    let month_first = column("day", &["2/8/2024", "7/15/2024", "3/4/2024"]);
    assert!(line(&month_first, "day").contains("\"%m/%d/%Y\""));
}

#[test]
fn dates_that_fit_two_formats_are_a_doubt_that_names_both() {
    let proposal = column("day", &["2/8/2024", "5/7/2024", "3/4/2024"]);
    let doubt = doubts(&proposal).into_iter().find(|doubt| doubt.starts_with("format of day")).unwrap();
    assert!(doubt.contains("`%m/%d/%Y`") && doubt.contains("`%d/%m/%Y`"), "{doubt}");
    assert!(doubt.contains("2024-02-08") && doubt.contains("2024-08-02"), "{doubt}");
    assert!(proposal.source.contains("# DOUBT: every value fits"), "{}", proposal.source);
    assert_eq!(proposal.files[0].refused, 0);
    // Rows in order under one reading only speak for that one.
    let sorted = column("day", &["1/10/2023", "2/10/2023", "1/11/2023", "2/11/2023", "1/12/2023", "2/12/2023"]);
    assert!(line(&sorted, "day").contains("\"%d/%m/%Y\""), "{}", sorted.source);
}

#[test]
fn the_path_decides_between_two_formats() {
    let text = "nr,day\n1,4/1/2021\n2,4/2/2021\n3,4/3/2021\n4,4/12/2021\n";
    let proposal = sniff_all(&[("data/2021/04/x.csv", text)]).unwrap();
    assert!(line(&proposal, "day").contains("\"%m/%d/%Y\""), "{}", proposal.source);
    let text = "nr,day\n1,1/4/2021\n2,2/4/2021\n3,3/4/2021\n4,12/4/2021\n";
    let proposal = sniff_all(&[("data/2021/04/x.csv", text)]).unwrap();
    assert!(line(&proposal, "day").contains("\"%d/%m/%Y\""), "{}", proposal.source);
    assert!(!doubts(&proposal).iter().any(|doubt| doubt.starts_with("format")));
}

#[test]
fn files_in_two_formats_get_both() {
    let proposal = sniff_all(&[
        ("in/a.csv", "nr,day\n1,15/7/2024\n2,16/7/2024\n"),
        ("in/b.csv", "nr,day\n3,2024-07-17\n4,2024-07-18\n"),
    ])
    .unwrap();
    assert!(line(&proposal, "day").contains("format = [\"%d/%m/%Y\", \"iso8601\"]"), "{}", proposal.source);
    assert_eq!(proposal.files.iter().map(|file| file.loaded).collect::<Vec<_>>(), [2, 2]);
}

#[test]
fn a_year_that_nobody_states_is_named() {
    let proposal = column("day", &["7/15", "7/28", "8/2"]);
    assert!(line(&proposal, "day").contains("\"%m/%d\""));
    assert!(proposal.source.contains("# year = 2023"), "{}", proposal.source);
    assert!(doubts(&proposal).iter().any(|doubt| doubt.contains("state no year") && doubt.contains("2023")));
    let leap = column("day", &["2/29", "3/15"]);
    assert_eq!(leap.files[0].refused, 0);
    let by_path = sniff_all(&[("data/2019/x.csv", "nr,day\n1,7/15\n2,8/20\n")]).unwrap();
    assert!(by_path.source.contains("the one of the path, such as 2019"), "{}", by_path.source);
}

#[test]
fn numbers_may_have_marks_and_currencies() {
    let proposal = column("price", &["1,234.50", "12.00", "$7.25"]);
    assert!(line(&proposal, "price").contains("grouping = \",\", currency = \"skip\""), "{}", proposal.source);
    let proposal = column("price", &["1.234,50", "12,00", "7,25 €"]);
    assert!(line(&proposal, "price").contains("decimal = \",\", grouping = \".\""), "{}", proposal.source);
    let proposal = column("count", &["1,234", "2,345"]);
    assert_eq!(proposal.columns[1].data_type, "int64");
    assert!(doubts(&proposal).iter().any(|doubt| doubt.starts_with("marks of count")), "{:?}", doubts(&proposal));
}

#[test]
fn words_for_no_value_are_none() {
    let text =
        "nr,amount,word\n1,1.50,a\n2,N/A,NULL\n3,-,\n4,2.25,NA\n5,3.00,x\n6,1,y\n7,1,y\n8,1,z\n9,1,w\n10,1,w\n11,2,w\n";
    let proposal = sniff(text);
    assert!(line(&proposal, "amount").contains("null_values = [\"-\", \"N/A\"]"), "{}", proposal.source);
    assert!(line(&proposal, "word").contains("null_values = [\"\", \"NULL\"]"), "{}", proposal.source);
    // `NA` is a country in a column of texts.
    assert!(load(&proposal, text.as_bytes()).0.rows.iter().any(|row| row[2] == "NA"));
}

#[test]
fn few_unreadable_values_are_refused_and_named() {
    let text = "nr,day,amount\n1,2021-03-05,1.50\n2,never,2.25\n3,2021-03-07,3.00\n4,2021-03-08,ten\n";
    let proposal = sniff(text);
    assert_eq!(types(&proposal), ["nr int64", "day date", "amount decimal(18,2)"]);
    let (loaded, _) = load(&proposal, text.as_bytes());
    let reasons: Vec<(u64, &str)> = loaded.rejects.iter().map(|(line, reason)| (*line, reason.as_str())).collect();
    assert_eq!(reasons, [(3, "unreadable_date"), (5, "unreadable_decimal")]);
    assert_eq!(line(&proposal, "max_rejected"), "max_rejected = \"50%\"");
    assert!(doubts(&proposal).iter().any(|doubt| doubt.contains("line 3 (never)")), "{:?}", doubts(&proposal));
}

#[test]
fn personal_data_is_marked_and_never_shown() {
    let text = "id,email,ip,phone,first_name,name,product_name,birthday\n\
                1,ann@mail.example,203.0.113.9,+49 151 1234567,Ann,Ann Smith,Red Shoe,2/3/1980\n\
                2,bo@mail.example,203.0.113.10,+49 151 7654321,Bo,Bo Jones,Blue Hat,4/5/1981\n\
                3,cy@mail.example,203.0.113.11,+49 151 1111111,Cy,Cy Brown,Green Sock,6/7/1982\n";
    let proposal = sniff(text);
    let pii: Vec<&str> =
        proposal.columns.iter().filter(|column| column.pii).map(|column| column.name.as_str()).collect();
    assert_eq!(pii, ["email", "ip", "phone", "first_name", "name", "birthday"]);
    let said = format!("{}{:?}", proposal.source, proposal.notes);
    for secret in ["ann@", "203.0.113", "1234567", "Ann", "Smith", "1980", "2/3"] {
        assert!(!said.contains(secret), "{secret} in {said}");
    }
    assert!(!proposal.source.contains("time = \"birthday\""));
}

#[test]
fn an_id_that_repeats_is_no_key_and_one_that_does_not_is_a_doubt() {
    let repeats = sniff("id,day\n7,2021-03-05\n7,2021-03-06\n8,2021-03-07\n");
    assert!(repeats.source.contains("`id` repeats: 2 different values in 3 records"), "{}", repeats.source);
    let rows: Vec<String> = (10..22).map(|id| format!("{id},2021-03-{id}")).collect();
    let unique = sniff(format!("id,day\n{}\n", rows.join("\n")));
    assert!(doubts(&unique).iter().any(|doubt| doubt.contains("keep = \"latest by day\"")), "{:?}", doubts(&unique));
}

#[test]
fn rows_outside_of_the_path_s_period_are_spill() {
    let text =
        "id,time\n1,2021-03-31T23:00:00Z\n2,2021-04-05T00:00:00Z\n3,2021-04-09T10:00:00Z\n4,2021-05-01T00:00:01Z\n";
    let proposal = sniff_all(&[("data/2021/04/x.csv", text)]).unwrap();
    assert_eq!(line(&proposal, "every"), "every = \"month\"");
    assert_eq!(line(&proposal, "spill"), "spill = \"1 day\"");
    // A date in a path need not be that of the rows.
    let text = "id,time\n1,2019-01-01T23:00:00Z\n2,2019-04-05T00:00:00Z\n";
    let proposal = sniff_all(&[("exported/2021-04-01.csv", text)]).unwrap();
    assert!(!proposal.source.contains("\nevery ="), "{}", proposal.source);
    assert!(doubts(&proposal).iter().any(|doubt| doubt.starts_with("every")));
}

#[test]
fn lists_become_a_child_table() {
    let proposal = sniff("id,tags\n1,\"['a', 'b']\"\n2,\"[\"\"it's\"\"]\"\n");
    let child = "[[child]]\nname = \"thing_tags\"\nfrom = \"things.tags[]\"\nitem = \"tag\"\ncopy = { id = \"id\" }\n";
    assert!(proposal.source.contains(child), "{}", proposal.source);
    let delimited = sniff("id,tags\n1,a|b\n2,c\n3,d|e|f\n");
    assert!(line(&delimited, "tags").contains("list = { delimiter = \"|\" }"), "{}", delimited.source);
    assert!(doubts(&delimited).iter().any(|doubt| doubt.contains("taken for a list")));
}

#[test]
fn the_name_is_that_of_the_file() {
    for (path, expected) in [
        ("data/2021/04/events.csv", "events"),
        ("Order Items 2021-04.csv", "order_items"),
        ("clicks/part-00000.csv", "clicks"),
        ("2021.csv", "records"),
        ("in/customers_20210405.csv.txt", "customers"),
    ] {
        assert_eq!(sniff_all(&[(path, "id,word\n1,a\n2,b\n")]).unwrap().name, expected, "{path}");
    }
}
