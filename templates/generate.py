#!/usr/bin/env python3
"""Makes the sample data of the templates: `python3 templates/generate.py`.

Run by hand; what it writes is committed. The same bytes come out of every run and every version of Python: the random
numbers are made here. All people and companies are invented; addresses are of the kinds that RFC 2606 (.example) and
RFC 5737 (192.0.2.0/24 and its like) keep free, but for free mail, whose local parts say that they are samples.
"""

import base64
import csv
import datetime
import io
import json
import pathlib

HERE = pathlib.Path(__file__).resolve().parent


class Numbers:
    """Pseudo-random numbers (splitmix64)."""

    def __init__(self, seed):
        self.state = seed

    def below(self, limit):
        mask = (1 << 64) - 1
        self.state = (self.state + 0x9E3779B97F4A7C15) & mask
        mixed = self.state
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & mask
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & mask
        return (mixed ^ (mixed >> 31)) % limit

    def chance(self, of_thousand):
        return self.below(1000) < of_thousand

    def one_of(self, items):
        return items[self.below(len(items))]

    def skewed(self, items):
        """The first items come up most."""
        return items[min(self.below(len(items)), self.below(len(items)))]


COMPANIES = [
    "northgate.example", "lumen-works.example", "oakandpine.example", "bluefin.example", "kestrel.example",
    "mail.tessellate.example", "arcadia.example", "fernway.example", "quarry.example", "saltmarsh.example",
    "verdigris.example", "windrose.example",
]
FREE_MAIL = ["gmail.com", "hotmail.com", "yahoo.com"]
FIRST = ["ada", "bruno", "chen", "dana", "emil", "farah", "goran", "hana", "ines", "jonas", "kofi", "lena", "mika", "nora"]
LAST = ["abara", "berg", "costa", "dumas", "eriksen", "fischer", "greco", "holm"]
COUNTRIES = [
    "Germany", "India", "Brazil", "France", "Kenya", "Korea, Republic of", "Bosnia and Herzegovina", "Canada", "Japan",
    "Saint Helena", "Côte d'Ivoire", "Norway",
]
PAGES = ["index", "pricing", "login", "docs", "terms", "category", "search", "register"]
ACTIONS = ["visit", "visit", "visit", "visit", "click", "click", "scroll", "download", "signup"]
TAGS = ["mobile", "desktop", "newsletter", "campaign, spring", "what's new", "returning", "trial", "partner", "beta"]
NETWORKS = ["192.0.2.", "198.51.100.", "203.0.113."]

MONTHS = [(2021, 2), (2021, 3), (2021, 4)]
ROWS_A_MONTH = 2000


def users():
    """(e-mail, country, months in which the user is active, weight)."""
    numbers = Numbers(11)
    people = []
    for index in range(180):
        free = numbers.chance(300)
        name = f"{numbers.one_of(FIRST)}.{numbers.one_of(LAST)}"
        email = f"sample.{name}{index}@{numbers.one_of(FREE_MAIL)}" if free else f"{name}@{numbers.skewed(COMPANIES)}"
        months = set(MONTHS)
        if numbers.chance(150):
            months = set(MONTHS[:2])  # gone quiet in April
        elif numbers.chance(150):
            months = set(MONTHS[2:])  # new in April
        people.append((email, numbers.skewed(COUNTRIES), months, 1 + numbers.below(6)))
    return people


def weight(person, month):
    email, _, months, weight = person
    if month not in months:
        return 0
    growing = email.endswith(("kestrel.example", "fernway.example")) and month == MONTHS[2]
    return weight * 4 if growing else weight


def hexadecimal(numbers, digits):
    return "".join("0123456789abcdef"[numbers.below(16)] for _ in range(digits))


def identifier(numbers):
    return "-".join(hexadecimal(numbers, digits) for digits in (8, 4, 4, 4, 12))


def timestamp(numbers, day):
    if not numbers.chance(30):
        return day.isoformat()
    clock = (numbers.below(24), numbers.below(60), numbers.below(60))
    return f"{day.isoformat()}T{clock[0]:02}:{clock[1]:02}:{clock[2]:02}Z"


def days_of(year, month):
    """The days of a month, weekdays three times, and now and then a day beside the month."""
    day = datetime.date(year, month, 1)
    days = []
    while day.month == month:
        days.extend([day] * (30 if day.weekday() < 5 else 10))
        day += datetime.timedelta(days=1)
    beside = [datetime.date(year, month, 1) - datetime.timedelta(days=1), day]
    return days + beside * 4


def events(year, month, people):
    numbers = Numbers(year * 100 + month)
    days = days_of(year, month)
    active = [person for person in people for _ in range(weight(person, (year, month)))]
    rows = []
    for _ in range(ROWS_A_MONTH):
        email, country, _, _ = numbers.one_of(active)
        if numbers.chance(20):
            email = email.upper()
        if numbers.chance(4):
            email = ""
        repeated = rows and numbers.chance(10)
        rows.append([
            rows[numbers.below(len(rows))][0] if repeated else identifier(numbers),
            timestamp(numbers, numbers.one_of(days)),
            email,
            "" if numbers.chance(60) else country,
            numbers.one_of(NETWORKS) + str(1 + numbers.below(254)),
            numbers.skewed(PAGES),
            numbers.one_of(ACTIONS),
            # As Python writes a list, which is what such files often hold.
            repr([numbers.skewed(TAGS) for _ in range(numbers.below(4))]),
        ])
    if month == 3:
        rows[1234][1] = "2021-03-32"  # one record that is refused, so that there is something to see
    return rows


def csv_bytes(header, rows):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()


def transactions():
    numbers = Numbers(77)
    rows = []
    day = datetime.date(2024, 6, 3)
    for index in range(20):
        cents = 100 + numbers.below(9900)
        sign, cents = ("+", cents * 3) if index % 5 == 0 else ("-", cents)
        rows.append([index, f"{day.month}/{day.day}", f"{sign}{cents // 100}.{cents % 100:02}"])
        day += datetime.timedelta(days=1 + numbers.below(6))
    return rows


WORDS = "the a video was great boring funny again never watch season finale trailer love this why who part best".split()


def identity(number):
    """Ids look like text in base64 without padding."""
    return base64.b64encode(f"{number:015}".encode()).decode().rstrip("=")


def comment(numbers, number):
    moment = datetime.datetime(2018, 1, 8) + datetime.timedelta(seconds=numbers.below(6 * 86400))
    return {
        "comment_count": 0,
        "created_time": moment.strftime("%Y-%m-%dT%H:%M:%S+0000"),
        "h_id": identity(number),
        "up_likes": numbers.below(9),
    }


def comments(numbers):
    """The lines of comment_info, and the ids of posts with their pages, and of comments."""
    lines, posts, known = [], [], []
    for page in range(3):
        page_id, data = identity(9000 + page), []
        for _ in range(6):
            post_id, top = identity(5000 + len(posts)), []
            posts.append((post_id, page_id))
            for _ in range(numbers.below(8)):
                one = comment(numbers, 10000 + len(known))
                known.append(one["h_id"])
                replies = []
                for _ in range(numbers.below(4)):
                    reply = comment(numbers, 10000 + len(known))
                    known.append(reply["h_id"])
                    replies.append(reply | {"parent": {"h_id": one["h_id"]}})
                if replies:
                    one = {"comments": {"data": replies}} | one | {"comment_count": len(replies)}
                top.append(one)
            data.append({"comments": {"data": top}, "h_id": post_id} if top else {"h_id": post_id})
        lines.append({"h_id": page_id, "posts": {"data": data}})
    # The first page is seen once more, later and with more likes.
    again = json.loads(json.dumps(lines[0]))
    for post in again["posts"]["data"]:
        for one in post.get("comments", {}).get("data", []):
            one["up_likes"] += 5
    return lines + [again], posts, known


def texts(numbers, known):
    rows = []
    for one in known:
        words = [numbers.one_of(WORDS) for _ in range(1 + numbers.below(12))]
        text = " ".join(words)
        if numbers.chance(200):
            text = f'She said "{text}", and left.'
        if numbers.chance(150):
            text = text.replace(" ", "\n", 1)
        rows.append([one, text])
    return rows


def backslash_csv(header, rows):
    """Quotes in texts stand behind a backslash, as Spark writes them."""
    quoted = lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    plain = lambda text: text if text.isalnum() else quoted(text)
    return "".join(",".join(map(plain, row)) + "\n" for row in [header] + rows).encode()


def parquet(posts, numbers):
    """Needs pyarrow; the file that is committed is left alone without it."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        print("no pyarrow: post_meta stays as it is")
        return None
    rows = []
    names = {page: base64.b64encode(name.encode()).decode().rstrip("=") for page, name in
             zip(sorted({page for _, page in posts}), ["Channel One", "Kids TV", "Evening News"])}
    for post, page in posts[:-2]:
        moment = datetime.datetime(2018, 1, 5) + datetime.timedelta(seconds=numbers.below(5 * 86400))
        rows += [(moment, numbers.one_of("vvvplse"), post, page, names[page])] * 2
    columns = ["created_time", "type", "post_h_id", "page_h_id", "name_h_id"]
    table = pyarrow.table({name: [row[at] for row in rows] for at, name in enumerate(columns)})
    out = io.BytesIO()
    pyarrow.parquet.write_table(table, out, use_deprecated_int96_timestamps=True, store_schema=False)
    return out.getvalue()


def write_comments():
    numbers = Numbers(31)
    lines, posts, known = comments(numbers)
    info = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines).encode()
    write("comments/data/comment_info/part-00000.json", info)
    rows, header = texts(numbers, known), ["h_id", "message"]
    half = len(rows) // 2
    write("comments/data/comment_text/part-00000.csv", csv_bytes(header, rows[:half]))
    write("comments/data/comment_text/part-00001.csv", backslash_csv(header, rows[half:]))
    meta = parquet(posts, numbers)
    if meta is not None:
        write("comments/data/post_meta/part-00000.snappy.parquet", meta)


def write(path, data):
    path = HERE / path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def main():
    header = ["id", "timestamp", "email", "country", "ip", "uri", "action", "tags"]
    people = users()
    for year, month in MONTHS:
        write(f"events/data/{year}/{month:02}/events.csv", csv_bytes(header, events(year, month, people)))
    write("transactions/data/transactions.csv", csv_bytes(["Id", "Date", "Transaction"], transactions()))
    write_comments()


if __name__ == "__main__":
    main()
