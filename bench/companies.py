"""Which company an e-mail domain belongs to, for the peers; ours has the SQL function company_domain."""

import pathlib

from publicsuffixlist import PublicSuffixList

# The very list of ours.
FREE_MAIL = pathlib.Path(__file__).resolve().parent.parent / "crates/query/src/functions/free_mail.txt"


def companies(domains):
    """The registrable domain of each domain; None for free mail and for public suffixes themselves."""
    suffixes = PublicSuffixList()
    lines = (line.strip() for line in FREE_MAIL.read_text().splitlines())
    free_mail = {line for line in lines if line and not line.startswith("#")}
    found = (suffixes.privatesuffix(domain) for domain in domains)
    return [None if company in free_mail else company for company in found]
