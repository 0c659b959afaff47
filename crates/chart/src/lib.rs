//! One description of a chart, drawn as SVG, PNG and HTML.
