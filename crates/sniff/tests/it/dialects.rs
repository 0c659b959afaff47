//! Delimiters, quotes, headers, and lines before the records.

use crate::common::{doubts, line, load, sniff, sniff_all, types};

#[test]
fn a_decimal_comma_does_not_hide_the_semicolon() {
    let proposal = sniff("1;2,50\n2;3,25\n3;4,75\n");
    assert_eq!(line(&proposal, "delimiter"), "delimiter = \";\"");
    assert_eq!(types(&proposal), ["column_1 int64", "column_2 decimal(18,2)"]);
    assert!(line(&proposal, "column_2").contains("decimal = \",\""));
}

#[test]
fn rare_delimiters_are_found() {
    for (mark, written) in [("\t", "\"tab\""), ("|", "\"|\""), ("^", "\"^\""), ("~", "\"~\""), ("\u{1}", "\"\\u0001\"")]
    {
        let text = "id,day,word\n1,2021-03-05,one\n2,2021-03-06,two\n".replace(',', mark);
        let proposal = sniff(&text);
        assert_eq!(line(&proposal, "delimiter"), format!("delimiter = {written}"));
        assert_eq!(types(&proposal), ["id int64", "day date", "word string"], "{written}");
        assert_eq!(load(&proposal, text.as_bytes()).0.rows.len(), 2);
    }
}

#[test]
fn text_with_commas_is_one_column() {
    let text = "note\nhello, world\njust words\none, two, three\nand more\nthe end\n";
    let proposal = sniff(text);
    assert_eq!(types(&proposal), ["note string"]);
    assert_eq!(load(&proposal, text.as_bytes()).0.rows.len(), 5);
    assert!(doubts(&proposal)[0].contains("only one column"));
}

#[test]
fn titles_before_the_header_are_left_out() {
    let text = "Movements of March\nprinted 2021-04-01\n\nid,day,amount\n1,2021-03-05,1.50\n2,2021-03-06,-2.25\n";
    let proposal = sniff(text);
    assert_eq!(line(&proposal, "skip_lines"), "skip_lines = 3");
    assert_eq!(types(&proposal), ["id int64", "day date", "amount decimal(18,2)"]);
    let (loaded, _) = load(&proposal, text.as_bytes());
    assert_eq!((loaded.rows.len(), loaded.rejects.len()), (2, 0));
}

#[test]
fn comments_are_left_out_and_a_marked_header_is_none() {
    let text = "# made by a machine\nid,day\n1,2021-03-05\n# half-way\n2,2021-03-06\n";
    let proposal = sniff(text);
    assert_eq!(line(&proposal, "comment"), "comment = \"#\"");
    assert_eq!(load(&proposal, text.as_bytes()).0.rows.len(), 2);
    let text = "#id,day\n1,2021-03-05\n2,2021-03-06\n";
    let proposal = sniff(text);
    assert_eq!(types(&proposal), ["id int64", "day date"]);
    assert_eq!(load(&proposal, text.as_bytes()).0.rows.len(), 2);
}

#[test]
fn a_header_with_fewer_fields_than_the_records_loses_none() {
    let text = "id,day,word\n1,2021-03-05,a,\n2,2021-03-06,b,\n";
    let proposal = sniff(text);
    assert_eq!(types(&proposal), ["id int64", "day date", "word string", "column_4 string"]);
    let (loaded, _) = load(&proposal, text.as_bytes());
    assert_eq!((loaded.rows.len(), loaded.rejects.len()), (2, 0), "{}", proposal.source);
    assert!(doubts(&proposal).iter().any(|doubt| doubt.contains("another number of fields")));
}

#[test]
fn names_become_identifiers_and_the_header_still_finds_them() {
    let text = "Transaction ID,Montant (€),Größe,2021,_id,${HOME}\n1,1.50,2,3,4,x\n2,2.50,3,4,5,y\n";
    let proposal = sniff(text);
    let names: Vec<&str> = proposal.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["transaction_id", "montant", "grosse", "c_2021", "id", "home"]);
    assert!(line(&proposal, "montant").contains("from = \"Montant (€)\""));
    assert!(!line(&proposal, "transaction_id").contains("from"));
    assert_eq!(load(&proposal, text.as_bytes()).0.rows.len(), 2);
}

#[test]
fn names_that_repeat_or_lack_are_found_by_position() {
    let text = "a,A,,b\n1,2,3,4\n5,6,7,8\n";
    let proposal = sniff(text);
    assert_eq!(types(&proposal), ["a int64", "a_2 int64", "column_3 int64", "b int64"]);
    assert_eq!(line(&proposal, "columns_by"), "columns_by = \"position\"");
    assert_eq!(load(&proposal, text.as_bytes()).0.rows[1][..4], ["5", "6", "7", "8"]);
}

#[test]
fn a_name_that_would_take_the_field_of_another_is_another() {
    let text = "Montant (€),montant\n1.50,a\n2.50,b\n";
    let proposal = sniff(text);
    let (loaded, _) = load(&proposal, text.as_bytes());
    assert_eq!(loaded.rows[0][..2], ["1.50", "a"], "{}", proposal.source);
}

#[test]
fn files_with_different_dialects_share_a_source() {
    let proposal = sniff_all(&[
        ("in/a.csv", "id,day\n1,2021-03-05\n2,2021-03-06\n"),
        ("in/b.csv", "id;day\n3;2021-03-07\n4;2021-03-08\n"),
    ])
    .unwrap();
    assert!(!proposal.source.contains("\ndelimiter ="), "{}", proposal.source);
    assert_eq!(proposal.files.iter().map(|file| file.loaded).collect::<Vec<_>>(), [2, 2]);
    assert_eq!(line(&proposal, "path"), "path = \"in/*.csv\"");
}

#[test]
fn a_column_that_some_files_lack_is_empty_there() {
    let proposal = sniff_all(&[
        ("in/2021-03.csv", "id,day\n1,2021-03-05\n2,2021-03-06\n"),
        ("in/2021-04.csv", "id,day,word\n3,2021-04-07,x\n4,2021-04-08,y\n"),
    ])
    .unwrap();
    assert_eq!(line(&proposal, "missing_columns"), "missing_columns = \"null\"");
    assert_eq!(proposal.files.iter().map(|file| file.loaded).collect::<Vec<_>>(), [2, 2], "{}", proposal.source);
    assert!(
        doubts(&proposal).iter().any(|doubt| doubt.contains("in/2021-03.csv has no `word`")),
        "{:?}",
        doubts(&proposal)
    );
}

#[test]
fn stray_quotes_mean_that_quotes_mean_nothing() {
    let text = "size,word\n\"5 inch,a\n\"6 inch,b\n\"7 inch,c\n";
    let proposal = sniff(text);
    assert_eq!(line(&proposal, "quote"), "quote = \"none\"");
    let (loaded, _) = load(&proposal, text.as_bytes());
    assert_eq!((loaded.rows.len(), loaded.rejects.len()), (3, 0));
}
