"""Invented events as CSV or JSON lines, in chunks that do not depend on each other, so that several processes can make
one file.

Only integers, sums, products and square roots are used, which every machine computes alike: the same seed gives the
same bytes everywhere.
"""

import math
import random

# Rows that one chunk holds; a chunk has random numbers of its own.
CHUNK_ROWS = 50_000

SYLLABLES = (
    "ba co da el fi go ha in jo ka lu me no or pe ra sa ti un ve wa xi yo za".split()
)
ACTIONS = (
    "view click login logout purchase add_to_cart remove_from_cart search share like comment follow unfollow upload "
    "download signup refund subscribe unsubscribe rate"
).split()
TAGS = (
    "mobile desktop tablet newsletter campaign returning trial partner beta spring summer autumn winter organic paid "
    "social mail search video banner coupon gift loyal new lapsed vip staff test north south east west weekend night "
    "morning evening fast slow sale bundle review pricing docs support api"
).split()
# These need double quotes in Python's spelling of a list, or hold what looks like its comma.
AWKWARD_TAGS = ["what's new", "campaign, spring", "editor's choice"]
LONG_COUNTRIES = [
    "United Kingdom", "Bosnia and Herzegovina", "Saint Vincent and the Grenadines", "United States of America",
    "Papua New Guinea",
]
SUFFIXES = ["com", "net", "org", "io", "co.uk"]
FREE_MAIL = ["gmail.com", "yahoo.com", "hotmail.com"]

USERS, DOMAINS, COUNTRIES, PATHS = 50_000, 5_000, 200, 4_000
# Users of the rough file who are seen only on the day before its month.
QUIET_USERS = 200

COLUMNS = ["id", "timestamp", "email", "country", "ip", "uri", "action", "tags"]
# The rough file has its columns in another order.
ROUGH_COLUMNS = ["tags", "action", "uri", "ip", "country", "email", "timestamp", "id"]
MONTH = "2024-01"
DAYS = [f"{MONTH}-{day:02}" for day in range(1, 32)]
DAY_BEFORE, DAY_AFTER = "2023-12-31", "2024-02-01"


class Pools:
    """What the events of one seed are made of."""

    def __init__(self, seed):
        r = random.Random(seed)
        self.domains = [
            f"{word(r, 1, 3)}{i}.{r.choice(SUFFIXES)}" for i in range(DOMAINS - len(FREE_MAIL))
        ]
        # Free mail stands among the most frequent domains.
        for place, domain in zip((1, 4, 9), FREE_MAIL):
            self.domains.insert(place, domain)
        self.users = [self.user(r, i) for i in range(USERS)]
        self.quiet = [self.user(r, USERS + i) for i in range(QUIET_USERS)]
        names = [word(r, 2, 5).capitalize() for _ in range(COUNTRIES - len(LONG_COUNTRIES))]
        self.countries = LONG_COUNTRIES + names
        self.paths = ["/".join(word(r, 1, 4) for _ in range(r.randint(1, 3))) for _ in range(PATHS)]

    def user(self, r, i):
        return f"{word(r, 1, 3)}{i}@{self.domains[skewed(r.random(), DOMAINS)]}"


def word(r, least, most):
    return "".join(r.choice(SYLLABLES) for _ in range(r.randint(least, most)))


def skewed(uniform, count):
    """An index below `count`: the first ones come up most."""
    return int(count * uniform * math.sqrt(uniform))


def clean(pools, seed, first):
    """The chunk whose first id is `first`: nothing missing, nothing odd, dates alone."""
    r = random.Random(f"clean {seed} {first}")
    rnd, bits, sqrt = r.random, r.getrandbits, math.sqrt
    users, countries, paths, days, tags, actions = (
        pools.users, pools.countries, pools.paths, DAYS, TAGS, ACTIONS,
    )
    many = len(tags)
    rows = []
    for i in range(first, first + CHUNK_ROWS):
        b = bits(64)
        u, c, a = rnd(), rnd(), rnd()
        t = b >> 18
        list_of_tags = tags[t % many]
        for _ in range((b >> 15) & 3):
            t //= many
            list_of_tags += "', '" + tags[t % many]
        uri = f"https://{actions[b & 7]}.shop.example/{paths[(b >> 3) % 4000]}/{b >> 40:x}"[:60]
        rows.append(
            f"{i},{days[int(31 * rnd())]},{users[int(50000 * u * sqrt(u))]},{countries[int(200 * c * sqrt(c))]},"
            f"{1 + b % 223}.{(b >> 8) & 255}.{(b >> 16) & 255}.{(b >> 24) & 255},{uri},"
            f"{actions[int(20 * a * sqrt(a))]},\"['{list_of_tags}']\"\n"
        )
    return rows


def lines(pools, seed, first):
    """The events of the clean chunk as JSON lines: ids are numbers, and tags are a list."""
    found = []
    for row in clean(pools, seed, first):
        number, day, email, country, ip, uri, action, tags = row[:-1].split(",", 7)
        tags = tags[1:-1].replace("'", '"')
        found.append(
            f'{{"id": {number}, "timestamp": "{day}", "email": "{email}", "country": "{country}", "ip": "{ip}", '
            f'"uri": "{uri}", "action": "{action}", "tags": {tags}}}\n'
        )
    return found


def rough(pools, seed, first):
    """The same as CSV with what files of the world have: missing values, times, odd case, quotes inside quotes, line
    breaks inside fields, fields quoted now and then, days beside the month, and eight records in a thousand that cannot
    be read."""
    r = random.Random(f"rough {seed} {first}")
    return [rough_row(pools, r, i) for i in range(first, first + CHUNK_ROWS)]


def rough_row(pools, r, i):
    b = r.getrandbits(64)
    odd = r.getrandbits(60)
    day, email = rough_day(pools, r, odd)
    uri = rough_uri(pools, b, odd)
    country = pools.countries[skewed(r.random(), COUNTRIES)]
    fields = [
        quoted(rough_tags(r, odd)),
        ACTIONS[skewed(r.random(), 20)],
        uri,
        f"{1 + b % 223}.{(b >> 8) & 255}.{(b >> 16) & 255}.{(b >> 24) & 255}",
        # 1 in 20 is missing.
        "" if (odd >> 20) % 20 == 0 else country,
        email,
        day,
        str(i),
    ]
    if (odd >> 40) & 7 == 0:
        fields = [field if field.startswith('"') else f'"{field}"' for field in fields]
    return ",".join(fields) + "\n"


def rough_day(pools, r, odd):
    """(timestamp, e-mail)"""
    kind = odd % 1000
    email = pools.users[skewed(r.random(), USERS)]
    if kind < 20:
        day = DAY_BEFORE
        if odd % 7 == 0:
            email = pools.quiet[int(QUIET_USERS * r.random())]
    elif kind < 25:
        day = DAY_AFTER
    else:
        day = DAYS[int(31 * r.random())]
    if kind >= 970:
        day += f"T{(odd >> 10) % 24:02}:{(odd >> 15) % 60:02}:{(odd >> 21) % 60:02}Z"
    elif 100 <= kind < 106:
        day = ("2024-01-32", "yesterday", "", "01/15/2024", "2024-13-01", "n/a")[kind - 100]
    if (odd >> 25) % 20 == 0:
        email = ""
    elif (odd >> 30) % 50 == 0:
        email = email.upper() if odd & 1 else f" {email} "
    return day, email


def rough_uri(pools, b, odd):
    uri = f"https://{ACTIONS[b & 7]}.shop.example/{pools.paths[(b >> 3) % PATHS]}/{b >> 40:x}"[:60]
    kind = (odd >> 35) % 100
    if kind == 0:
        return quoted(f'{uri}?q="{ACTIONS[b & 7]}"')
    if kind == 1:
        return quoted(f"{uri}\n{ACTIONS[b & 7]}, with a note")
    return "" if kind in (2, 3, 4, 5, 6) else uri


def rough_tags(r, odd):
    kind = (odd >> 45) % 1000
    if kind < 100:
        return "[]"
    tags = [TAGS[int(len(TAGS) * r.random())] for _ in range(1 + (odd >> 55) % 4)]
    if kind < 150:
        tags.append(AWKWARD_TAGS[kind % 3])
    # Two in a thousand have lost their end.
    return repr(tags)[:-1] if kind >= 998 else repr(tags)


def quoted(text):
    return '"' + text.replace('"', '""') + '"'
