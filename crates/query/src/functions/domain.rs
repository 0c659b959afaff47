//! Domains of e-mail addresses, and the companies behind them.

use std::collections::HashSet;
use std::sync::LazyLock;

/// What follows the last `@`, in lower case; `None` when `text` is not an address. The local part is not judged, but
/// there has to be one, and blanks end the benefit of the doubt.
pub(crate) fn email_domain(text: &str) -> Option<String> {
    let (local, domain) = text.trim().rsplit_once('@')?;
    if local.is_empty() || local.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return None;
    }
    host(domain)
}

/// The registrable domain of an address or a domain: the public suffix and one label more. `None` for free-mail
/// providers, for addresses of machines, for public suffixes themselves and for what is no domain at all.
pub(crate) fn company_domain(text: &str) -> Option<String> {
    let host = if text.contains('@') { email_domain(text)? } else { host(text.trim())? };
    let domain = psl::domain_str(&host)?;
    (!FREE_MAIL.contains(domain)).then(|| domain.to_owned())
}

/// `domain` in lower case without a final dot, if it has the form of a host name of two labels or more.
fn host(domain: &str) -> Option<String> {
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    let name = domain.to_lowercase();
    let mut labels = name.split('.').peekable();
    let mut count = 0;
    while let Some(label) = labels.next() {
        let last = labels.peek().is_none();
        let numeric = label.bytes().all(|b| b.is_ascii_digit());
        if !label_ok(label) || (last && numeric) {
            return None; // the last label of a host name is never a number: that would be an IP address
        }
        count += 1;
    }
    (count >= 2 && name.len() <= HOST_BYTES_MAX).then_some(name)
}

fn label_ok(label: &str) -> bool {
    !label.is_empty()
        && label.len() <= LABEL_BYTES_MAX
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
}

/// RFC 1035, 2.3.4.
const HOST_BYTES_MAX: usize = 253;
const LABEL_BYTES_MAX: usize = 63;

static FREE_MAIL: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    let lines = include_str!("free_mail.txt").lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
});
