//! The page of a report: one file that needs nothing else, and in which no text of the data is markup.

use stillhouse_report::render::html;
use stillhouse_report::{Provenance, RunView};

use crate::fixture::{Lake, MONTHLY, foreign, project};

const REPORT: &str = "format = 1\ntitle = '<b>Shop</b> & more'\nperiod = { type = 'any' }\n[queries.q]\ntitle = 'Sales \"by\" name'\n\
    columns.total = { decimals = 2 }\nchart = { kind = 'bar' }\n[queries.none]\nchart = { kind = 'bar' }\n";

const SALES: &str = "select * from (values ('<script>alert(1)</script>', 1.005, 3, '2021-04-05'), \
    ('\"><img src=x onerror=alert(1)>', null, 4, '2021-04-06'), ('שלום🎉' || chr(8238) || chr(8), -2.5, 5, null)) \
    as t(name, total, orders, day)";

async fn view() -> RunView {
    let report = project(MONTHLY, REPORT, &[("q", SALES), ("none", "select 'a' as name, 1 as n where false")]);
    let mut view =
        Lake::new().run(&report.reports[0], "2021-04", &[], "r1").await.unwrap_or_else(|error| panic!("{error}"));
    view.notes.push("data/<x>.csv: 1 of 10 records refused".to_owned());
    view
}

fn page(view: &RunView) -> String {
    let mut out = Vec::new();
    html(view, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[tokio::test]
async fn a_page_needs_nothing_else() {
    let page = page(&view().await);
    for reference in ["src=", "href=", "url(", "@import", "<script", "<link", "<iframe", "http://", "https://"] {
        let without_names = page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "").replace("img src=x", "");
        assert!(!without_names.contains(reference), "{reference}");
    }
    assert!(page.starts_with("<!DOCTYPE html><html lang=\"en\">"));
}

#[tokio::test]
async fn texts_stay_texts() {
    let page = page(&view().await);
    assert_well_formed(&page);
    assert!(
        page.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && !page.contains("<script>") && !page.contains("<img")
    );
    assert!(page.contains("<h1>&lt;b&gt;Shop&lt;/b&gt; &amp; more</h1>") && page.contains("data/&lt;x&gt;.csv"));
    assert!(!page.contains('\u{202e}') && !page.contains('\u{8}'));
}

#[tokio::test]
async fn a_page_has_charts_tables_and_provenance() {
    let mut view = view().await;
    view.provenance = Provenance {
        fingerprint: "f".repeat(64),
        report_fingerprint: "e".repeat(64),
        program: "stillhouse 1".to_owned(),
        snapshot_seq: 7,
        tables: [("events".to_owned(), 3)].into(),
        foreign: [("plans".to_owned(), foreign(12))].into(),
        finished_at: crate::fixture::NOW,
    };
    let page = page(&view);
    let has = |text: &str| assert!(page.contains(text), "{text}\n{page}");
    has("<span class=\"state complete\">COMPLETE</span>");
    has("<td class=\"n\">1.01</td><td class=\"n\">3</td><td>2021-04-05</td>");
    has("<td class=\"n none\">-</td>");
    has("<h2>Sales &quot;by&quot; name</h2><figure><svg xmlns");
    has("aria-labelledby=\"chart-q-title chart-q-desc\"");
    has("<h2>None</h2><p class=\"none\">no rows</p>");
    has(&"f".repeat(64));
    has("7: events at version 3");
    has("<dt>Tables of others</dt><dd>plans at version 12 of ../plans</dd>");
    has("2021-06-15 12:00:00Z, stillhouse 1");
    assert_eq!(page.matches("<svg").count(), 1, "nothing is drawn of nothing");
}

/// Every element that is opened is closed, in order.
fn assert_well_formed(page: &str) {
    let mut open: Vec<&str> = Vec::new();
    let (head, body) = page.split_once("<style>").unwrap();
    let body = body.split_once("</style>").unwrap().1;
    for part in [head, body].into_iter().flat_map(|text| text.split('<').skip(1)) {
        let (tag, _) = part.split_once('>').unwrap_or_else(|| panic!("<{part}"));
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap();
        if tag.starts_with('!') || tag.ends_with('/') || name == "meta" {
            continue;
        }
        assert_eq!(tag.matches('"').count() % 2, 0, "<{tag}>");
        match tag.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name), "</{name}>"),
            None => open.push(name),
        }
    }
    assert_eq!(open, [""; 0]);
}
