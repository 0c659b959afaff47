//! What names are made of. The most popular ones come first.

/// First names; each person has one, and a number.
pub(crate) const NAMES: &[&str] = &[
    "ada", "bruno", "chen", "dana", "emil", "farah", "goran", "hana", "ines", "jonas", "kofi", "lena", "mika", "nora",
    "otto", "priya", "quinn", "rosa", "sami", "tomas", "uma", "vera", "wanda", "yusuf",
];

/// First halves of company names.
pub(crate) const COMPANY_STARTS: &[&str] = &[
    "north", "lumen", "oak", "blue", "salt", "fern", "wind", "stone", "river", "amber", "copper", "silver", "iron",
    "moss", "harbor", "summit", "cedar", "maple", "falcon", "heron", "otter", "badger", "ember", "frost", "dawn",
    "dusk", "orbit", "comet", "delta", "gamma", "pixel", "vector", "quartz", "onyx", "cobalt", "saffron", "indigo",
    "willow", "aspen", "birch",
];

/// Second halves of company names.
pub(crate) const COMPANY_ENDS: &[&str] = &[
    "gate", "works", "pine", "fin", "marsh", "way", "rose", "field", "ford", "bridge", "port", "light", "craft",
    "forge", "mill", "yard", "peak", "crest", "brook", "lake", "shore", "grove", "point", "line", "loop", "stack",
    "wave", "spark", "nest", "path", "trade", "foods", "labs", "tools", "parts", "press", "media", "goods", "farms",
    "wheel",
];

/// Public suffixes below which company names are made, beside `example`: all are in the ICANN part of the public suffix
/// list, so that the registrable domain has one label more.
pub(crate) const SUFFIXES: &[&str] = &["com", "co.uk", "de", "com.au", "org", "com.br", "co.jp", "fr", "co.za", "net"];

/// Hosts of a company beside its own name.
pub(crate) const SUBDOMAINS: &[&str] = &["mail", "shop", "eu", "mx.corp"];

/// Providers of free mail, all in the list that `company_domain` leaves out.
pub(crate) const FREE_MAIL: &[&str] =
    &["gmail.com", "yahoo.com", "hotmail.com", "outlook.com", "gmx.de", "yahoo.co.uk", "icloud.com", "web.de"];

/// Countries: some with commas, apostrophes or letters beyond ASCII.
pub(crate) const COUNTRIES: &[&str] = &[
    "Germany",
    "India",
    "Brazil",
    "France",
    "United States",
    "Kenya",
    "Japan",
    "Korea, Republic of",
    "Canada",
    "Norway",
    "United Kingdom",
    "Bosnia and Herzegovina",
    "Spain",
    "Italy",
    "Mexico",
    "Poland",
    "Türkiye",
    "Chile",
    "Ghana",
    "Côte d'Ivoire",
    "Sweden",
    "Peru",
    "Egypt",
    "Vietnam",
    "Austria",
    "Tanzania, United Republic of",
    "Finland",
    "Nepal",
    "Portugal",
    "Saint Helena",
    "Denmark",
    "Uruguay",
    "Morocco",
    "Ireland",
    "Curaçao",
    "New Zealand",
    "Fiji",
    "Iceland",
    "Bonaire, Sint Eustatius and Saba",
    "Lao People's Democratic Republic",
];

/// Pages.
pub(crate) const PAGES: &[&str] = &[
    "index",
    "pricing",
    "login",
    "docs/start",
    "search",
    "category/tools",
    "docs/import/csv",
    "register",
    "terms",
    "account/settings",
    "docs/reports",
    "blog/spring-update",
    "category/books",
    "cart",
    "checkout/address",
    "checkout/payment",
    "docs/api/v2/events",
    "about",
    "contact",
    "blog/how-we-count",
    "help/passwords",
    "category/garden",
    "docs/export/parquet",
    "account/invoices",
    "jobs",
    "press",
    "help/refunds",
    "docs/faq",
    "status",
    "privacy",
    "category/kitchen/knives",
    "blog/a-year-in-numbers",
];

/// What people do.
pub(crate) const ACTIONS: &[&str] = &[
    "visit",
    "click",
    "scroll",
    "search",
    "login",
    "download",
    "signup",
    "share",
    "add_to_cart",
    "comment",
    "logout",
    "purchase",
    "follow",
    "upload",
    "rate",
    "refund",
];

/// Tags: some with commas, apostrophes, quotes or letters beyond ASCII.
pub(crate) const TAGS: &[&str] = &[
    "mobile",
    "desktop",
    "newsletter",
    "returning",
    "trial",
    "partner",
    "campaign, spring",
    "beta",
    "what's new",
    "tablet",
    "referral",
    "coupon",
    "organic",
    "weekend",
    "vip",
    "push",
    "app-4.2",
    "export",
    "survey",
    "night",
    "15\" screen",
    "kiosk",
    "loyalty",
    "red, green, blue",
    "webinar",
    "retry",
    "slow",
    "café",
    "first",
    "gift",
    "bulk",
    "intern",
    "it's \"new\"",
    "archive",
    "legacy",
    "dark mode",
    "offline",
    "Zürich",
    "chat",
    "phone",
];
