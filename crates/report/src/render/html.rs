//! HTML: a report as one page that needs nothing else. No script, no font, no picture comes from anywhere.

use std::io;

use jiff::Timestamp;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use stillhouse_spec::Completeness;

use super::cell::{Cell, cell};
use super::terminal::{counted, plain, shown};
use crate::view::{QueryView, RunView};

/// Rows of a result that the page shows; the other forms have all of them.
const ROWS_SHOWN: usize = 1_000;

/// The run as a page: title, period, completeness with its reasons, notes; a chart and a table for each query; what it was
/// made from. It is dark where the reader's screen is, and prints on white.
///
/// # Errors
/// Those of `out`.
pub fn html(view: &RunView, out: &mut dyn io::Write) -> io::Result<()> {
    out.write_all(page(view).into_string().as_bytes())?;
    out.flush()
}

fn page(view: &RunView) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (plain(&view.title)) " · " (view.period) }
                style { (PreEscaped(include_str!("html.css"))) (PreEscaped(stillhouse_chart::CSS)) }
            }
            body {
                main {
                    (heading(view))
                    @for query in &view.queries { (section(query)) }
                    (provenance(view))
                }
            }
        }
        "\n"
    }
}

fn heading(view: &RunView) -> Markup {
    let class = match view.completeness {
        Completeness::Complete => "state complete",
        Completeness::Partial => "state partial",
        Completeness::Empty => "state empty",
    };
    html! {
        header {
            h1 { (plain(&view.title)) }
            p.period { (view.period) " " span class=(class) { (view.completeness) } }
            @if !view.reasons.is_empty() {
                ul { @for reason in &view.reasons { li { (plain(reason)) } } }
            }
            @if !view.notes.is_empty() {
                ul.notes { @for note in &view.notes { li { (plain(note)) } } }
            }
        }
    }
}

fn section(query: &QueryView) -> Markup {
    let rows: usize = query.batches.iter().map(|batch| batch.num_rows()).sum();
    html! {
        section id={ "q-" (query.name) } {
            h2 { (plain(&query.title)) }
            @if let Some(chart) = query.chart.as_ref().filter(|_| rows > 0) {
                figure { (PreEscaped(stillhouse_chart::svg_inline(chart, &format!("chart-{}", query.name)))) }
            }
            @if rows == 0 { p.none { "no rows" } } @else { (table(query, rows)) }
        }
    }
}

fn table(query: &QueryView, rows: usize) -> Markup {
    let decimals = query.decimals();
    let all = query.batches.iter().flat_map(|batch| (0..batch.num_rows()).map(move |row| (batch, row)));
    html! {
        div.scroll {
            table {
                thead {
                    tr {
                        @for field in query.schema.fields() {
                            th scope="col" class=[field.data_type().is_numeric().then_some("n")] { (plain(field.name())) }
                        }
                    }
                }
                tbody {
                    @for (batch, row) in all.take(ROWS_SHOWN) {
                        tr {
                            @for (index, column) in batch.columns().iter().enumerate() {
                                (data(cell(column, row, decimals[index]), column.data_type().is_numeric()))
                            }
                        }
                    }
                }
            }
        }
        @if rows > ROWS_SHOWN {
            p.none { "and " (counted(rows - ROWS_SHOWN, "more row", "more rows")) ", which the other forms of this report have" }
        }
    }
}

fn data(cell: Cell, is_number: bool) -> Markup {
    let class = match cell {
        Cell::Null if is_number => Some("n none"),
        Cell::Null => Some("none"),
        _ if is_number => Some("n"),
        _ => None,
    };
    html! { td class=[class] { (shown(cell)) } }
}

/// By what the run can be found and made again.
fn provenance(view: &RunView) -> Markup {
    let made = &view.provenance;
    let tables: Vec<String> =
        made.tables.iter().map(|(name, version)| format!("{name} at version {version}")).collect();
    let foreign = made.foreign.iter();
    let foreign: Vec<String> =
        foreign.map(|(name, table)| format!("{name} at version {} of {}", table.version, table.folder)).collect();
    let at = Timestamp::from_microsecond(made.finished_at)
        .map_or_else(|_| made.finished_at.to_string(), |at| at.strftime("%Y-%m-%d %H:%M:%SZ").to_string());
    html! {
        footer {
            h2 { "What this report was made from" }
            dl {
                dt { "Run" } dd { code { (view.run_id) } ", " (at) ", " (made.program) }
                dt { "Report" } dd { (view.report) ", " code { (made.report_fingerprint) } }
                dt { "Fingerprint" } dd { code { (made.fingerprint) } }
                dt { "Snapshot" } dd { (made.snapshot_seq) @if !tables.is_empty() { ": " (tables.join(", ")) } }
                @if !foreign.is_empty() { dt { "Tables of others" } dd { (plain(&foreign.join(", "))) } }
            }
            @if view.inputs.is_empty() { p { "No object was loaded for it." } } @else { (inputs(view)) }
        }
    }
}

fn inputs(view: &RunView) -> Markup {
    html! {
        h3 { (counted(view.inputs.len(), "input", "inputs")) }
        div.scroll {
            table {
                thead {
                    tr {
                        th scope="col" { "source" } th scope="col" { "object" } th scope="col" class="n" { "generation" }
                        th scope="col" class="n" { "rows of the period" } th scope="col" { "BLAKE3 of its bytes" }
                    }
                }
                tbody {
                    @for input in view.inputs.iter().take(INPUTS_SHOWN) {
                        tr {
                            td { (plain(&input.source)) }
                            td { (plain(&input.key)) @if !input.member.is_empty() { "!" (plain(&input.member)) } }
                            td.n { (input.generation) }
                            td.n { (input.rows) }
                            td { code { (input.digest.get(..DIGEST_SHOWN).unwrap_or(&input.digest)) } }
                        }
                    }
                }
            }
        }
        @if view.inputs.len() > INPUTS_SHOWN {
            p { "and " (counted(view.inputs.len() - INPUTS_SHOWN, "more input", "more inputs")) ", which the manifest of the run lists" }
        }
    }
}

/// Inputs that the page lists.
const INPUTS_SHOWN: usize = 200;
/// Digits of a digest that the page shows.
const DIGEST_SHOWN: usize = 16;
