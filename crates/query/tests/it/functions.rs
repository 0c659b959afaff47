use std::sync::Arc;

use arrow::array::{Array, LargeStringArray, StringArray, StringViewArray};
use stillhouse_query::{Params, Value};

use crate::lake::{Lake, batch};

async fn call(function: &str, argument: Option<&str>) -> Option<String> {
    let session = Lake::new().session();
    let value = argument.map_or(Value::Null, |text| Value::Text(text.to_owned()));
    let params: Params = [("x".to_owned(), value)].into();
    let result = session.query(&format!("select {function}($x)"), &params).await.unwrap();
    let column = result.batches[0].column(0);
    let column = column.as_any().downcast_ref::<StringArray>().unwrap();
    column.is_valid(0).then(|| column.value(0).to_owned())
}

#[tokio::test]
async fn email_domain() {
    for (address, domain) in [
        ("ann@example.com", Some("example.com")),
        ("ANN@Example.COM", Some("example.com")),
        (" ann@example.com ", Some("example.com")),
        ("ann@example.com.", Some("example.com")),
        ("a@b@example.com", Some("example.com")),
        ("\"a@b\"@example.com", Some("example.com")),
        ("ann@mail.eu.example.com", Some("mail.eu.example.com")),
        ("ann@bücher.de", Some("bücher.de")),
        ("ann@ÄRZTE.de", Some("ärzte.de")),
        ("ann@xn--bcher-kva.de", Some("xn--bcher-kva.de")),
        ("ann+tag@a_b.example.com", Some("a_b.example.com")),
        ("", None),
        ("ann", None),
        ("@example.com", None),
        ("ann@", None),
        ("ann@localhost", None),
        ("ann@.com", None),
        ("ann@example..com", None),
        ("ann@-example.com", None),
        ("ann@exa mple.com", None),
        ("an n@example.com", None),
        ("ann@example.com>", None),
        ("ann@10.0.0.1", None),
        ("ann@[10.0.0.1]", None),
    ] {
        assert_eq!(call("email_domain", Some(address)).await.as_deref(), domain, "{address}");
    }
    assert_eq!(call("email_domain", None).await, None);
    let long = format!("ann@{}.com", "a".repeat(64));
    assert_eq!(call("email_domain", Some(&long)).await, None);
}

#[tokio::test]
async fn company_domain() {
    for (text, domain) in [
        ("ann@wells.co.uk", Some("wells.co.uk")),
        ("ann@mail.a.example.com", Some("example.com")),
        ("mail.a.example.com", Some("example.com")),
        ("Example.COM", Some("example.com")),
        ("ann@tanaka.co.jp", Some("tanaka.co.jp")),
        ("ann@a.b.tanaka.co.jp", Some("tanaka.co.jp")),
        ("ann@acme.internal", Some("acme.internal")),
        ("ann@team.github.io", Some("team.github.io")),
        ("ann@bücher.de", Some("bücher.de")),
        ("ann@gmail.com", None),
        ("ann@GMAIL.com", None),
        ("ann@mail.yahoo.co.jp", None),
        ("ann@hotmail.com", None),
        ("qq.com", None),
        ("ann@co.uk", None),
        ("co.uk", None),
        ("com", None),
        ("ann@10.0.0.1", None),
        ("not an address", None),
        ("", None),
    ] {
        assert_eq!(call("company_domain", Some(text)).await.as_deref(), domain, "{text}");
    }
    assert_eq!(call("company_domain", None).await, None);
}

#[tokio::test]
async fn columns_of_every_kind_of_text_are_taken() {
    let mut lake = Lake::new();
    let texts = vec![Some("ann@a.example.com"), None, Some("bo@gmail.com")];
    lake.add(
        "t",
        "a.parquet",
        &[batch(vec![
            ("plain", Arc::new(StringArray::from(texts.clone()))),
            ("large", Arc::new(LargeStringArray::from(texts.clone()))),
            ("view", Arc::new(StringViewArray::from(texts))),
        ])],
    );
    for column in ["plain", "large", "view", "upper(view)"] {
        let result = lake.query(&format!("select company_domain({column}) as d from t")).await.unwrap();
        let domains = result.batches[0].column(0).as_any().downcast_ref::<StringArray>().unwrap();
        assert_eq!(domains.iter().collect::<Vec<_>>(), [Some("example.com"), None, None], "{column}");
    }
    assert_eq!(lake.query("select * from t where email_domain(plain) = 'gmail.com'").await.unwrap().rows, 1);
    lake.query("select email_domain(1, 2)").await.unwrap_err();
}

/// The list is read by people: one domain a line, each a registrable domain, none twice, about 150 of them.
#[test]
fn the_list_of_free_mail_providers_is_clean() {
    let text = include_str!("../../src/functions/free_mail.txt");
    let domains: Vec<&str> = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let mut sorted = domains.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(sorted.len(), domains.len(), "a domain is listed twice");
    for domain in &domains {
        assert_eq!(psl::domain_str(domain), Some(*domain), "{domain} is no registrable domain in lower case");
    }
    assert!(domains.len() > 150, "{}", domains.len());
}
