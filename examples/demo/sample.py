"""Made-up customer profiles with the dirt of real data: the same bytes for the same seed, on any machine.

About two in a hundred rows carry a malformed e-mail, five none, fourteen one in mixed case or within
white space of every kind, one a name beyond ASCII, one an address that came hashed; four share an earlier
customer's mailbox. All addresses end in `.example`, which belongs to nobody.

    python examples/demo/sample.py profiles.parquet --profiles 1000000
    python examples/demo/sample.py profiles.parquet --profiles 1000000 --day 2

Day 2 is the same company a day later: some customers are gone, some are new, about one in twenty of the
loyal has fallen below `LOYAL_ABOVE`, some have risen above it, and a few have changed their e-mail.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import duckdb

LOYAL_ABOVE = 500
PROFILES = 1_000_000
SEED = 7

# Arithmetic instead of DuckDB's hash(): its results may change from one version to the next, and a
# sample must not. Two squarings modulo a prime are mixed well enough for names and spaces.
_MACROS = """
CREATE MACRO mixed(x) AS (x * x) % 2147483647;
CREATE MACRO draw(i, salt, choices) AS
    mixed(mixed((i::BIGINT * 48271 + salt * 1299709 + {seed} * 15485863) % 2147483647) + i % 1000003 + salt)
    % choices;
CREATE MACRO pick(list, i, salt) AS list[1 + draw(i, salt, len(list))];
"""

# Of the words beyond ASCII the last two are lower-cased otherwise by a table of letters than by Unicode.
_WORDS = {
    "first": """anna boris chen dewi emre fatima goran hanna ivan julia kofi lena mateo nadia olu priya quinn
        rosa sven tomas uma viktor wanda yusuf zoe""",
    "last": """smith mueller garcia kim novak rossi silva tanaka jones dubois haddad okafor larsen nowak
        popov singh kowalski de-vries ibrahim lindqvist costa""",
    "host": "mail.example post.example inbox.example firma.example univ.post.example web.example",
    "beyond_ascii": "müller søren zoë иван 太郎 عمر straße ΝΙΚΟΣ İREM",
    "country": "DE FR GB ES IT NL DK US JP de gb",
}
_SPACED = {
    "spaces": [" ", "  ", "\t", "\n", "\r\n", "\u00a0", "\u3000", "\u2009", "\u202f"],
    "blank": ["", " ", "\t", "\u00a0", "\u3000 "],
    "placeholder": ["test@test.com", "TEST@test.com ", "n/a", "N/A", "none", "null", "-", "unknown"],
}

_SAMPLE = """
WITH customers AS (
    SELECT i FROM range({profiles}) AS numbers(i)
    WHERE {day} = 1 OR draw(i, 1, 1000) >= 4
    UNION ALL
    SELECT i FROM range({profiles}, {profiles} + ({day} - 1) * ({profiles} // 100)) AS numbers(i)
),
drawn AS (
    SELECT i, draw(i, 2, 1000) AS dirt, draw(i, 3, 100) AS look, draw(i, 4, 1000000) / 1000000.0 AS luck,
        CASE WHEN draw(i, 5, 100) < 4 AND i > 1000 THEN i - 1 - draw(i, 6, 1000) ELSE i END AS mailbox,
        {day} = 2 AND draw(i, 7, 100) < 2 AS moved, draw(i, 8, 100) AS fate,
        draw(i, 18, 100) AS form, draw(i, 19, 100000000) AS number
    FROM customers
),
valued AS (
    SELECT *, round(luck * luck * luck * 5000, 2) AS worth,
        concat(pick({first}, mailbox, 9), '.', pick({last}, mailbox, 10), mailbox, '@',
            pick({host}, mailbox, 11)) AS address
    FROM drawn
),
addressed AS (
    SELECT * REPLACE (CASE WHEN moved THEN concat('new.', address) ELSE address END AS address),
        CASE WHEN {day} = 2 AND worth > {loyal} AND fate < 5 THEN round(worth / 100, 2)
             WHEN {day} = 2 AND worth <= {loyal} AND fate < 4 THEN round(worth + {loyal}, 2)
             ELSE worth END AS lifetime_value
    FROM valued
)
SELECT printf('C%09d', i) AS customer_id,
    CASE WHEN dirt < 30 THEN NULL
         WHEN dirt < 50 THEN pick({blank}, i, 12)
         WHEN dirt < 62 THEN pick({placeholder}, i, 13)
         WHEN dirt < 80 THEN [
            replace(address, '@', ' at '), replace(address, '@', '@@'), split_part(address, '@', 1),
            replace(address, '.example', '..example'), concat('@', split_part(address, '@', 2)),
            concat(split_part(address, '@', 1), '@localhost'), replace(address, '.', '. '),
            concat(address, ';second', i, '@mail.example')][1 + draw(i, 14, 8)]
         WHEN dirt < 90 THEN concat(pick({beyond_ascii}, i, 15), '.', address)
         WHEN dirt < 92 THEN replace(address, '@', '@bücher.')
         WHEN dirt < 96 THEN sha256(address)
         WHEN dirt < 99 THEN upper(sha256(address))
         WHEN dirt < 100 THEN concat(' ', sha256(address), chr(10))
         WHEN dirt < 104 THEN md5(address)
         WHEN look < 5 THEN upper(address)
         WHEN look < 9 THEN concat(upper(address[1]), address[2:])
         WHEN look < 14 THEN concat(pick({spaces}, i, 16), address, pick({spaces}, i, 17))
         ELSE address END AS email,
    CASE WHEN form < 12 THEN NULL
         WHEN form < 36 THEN printf('+49151%08d', number)
         WHEN form < 50 THEN printf('0049 151 %08d', number)
         WHEN form < 64 THEN printf('+44 (0)7700 %06d', number % 1000000)
         WHEN form < 76 THEN printf('+1(706)-767-%04d', number % 10000)
         WHEN form < 96 THEN printf('06 %08d', number)
         WHEN form < 98 THEN '+0000000000'
         ELSE ' ' END AS phone,
    CASE WHEN draw(i, 21, 100) < 35 THEN NULL
         WHEN draw(i, 21, 100) < 40 THEN '00000000-0000-0000-0000-000000000000'
         WHEN draw(i, 21, 100) < 70 THEN upper(md5(concat(i, 'device'))::UUID::VARCHAR)
         ELSE md5(concat(i, 'device'))::UUID::VARCHAR END AS mobile_ad_id,
    pick({country}, i, 22) AS country,
    [true, true, true, true, true, true, true, false, false, NULL][1 + draw(i, 23, 10)] AS marketing_consent,
    lifetime_value,
    DATE '2026-10-01' + ({day} - 1) - draw(i, 24, 700)::INTEGER AS last_order
FROM addressed
"""


def _query(profiles: int, day: int) -> str:
    listed = {name: words.split() for name, words in _WORDS.items()} | _SPACED
    lists = {name: f"[{', '.join(map(_spelt, words))}]" for name, words in listed.items()}
    return _SAMPLE.format(profiles=profiles, day=day, loyal=LOYAL_ABOVE, **lists)


def _spelt(word: str) -> str:
    """A word as an SQL expression that survives any editor and terminal."""
    if word.isascii() and word.isprintable():
        return f"'{word}'"
    return "concat(" + ", ".join(f"chr({ord(letter)})" for letter in word) + ")"


def write_sample(path: Path, profiles: int = PROFILES, *, day: int = 1, seed: int = SEED) -> int:
    """Write the profiles of a day (1 or 2) to `path` as Parquet; returns how many there are."""
    target = str(path).replace("'", "''")
    # The row groups' size and the kept order make the file the same for any number of threads.
    form = "FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880"
    with duckdb.connect() as connection:
        connection.execute(_MACROS.format(seed=seed))
        copied = connection.execute(f"COPY ({_query(profiles, day)}) TO '{target}' ({form})").fetchone()
    return int(copied[0]) if copied else 0


def write_next_day(path: Path, profiles: int = PROFILES, *, seed: int = SEED) -> int:
    """Write the same company's profiles a day later."""
    return write_sample(path, profiles, day=2, seed=seed)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("path", type=Path)
    parser.add_argument("--profiles", type=int, default=PROFILES)
    parser.add_argument("--day", type=int, choices=(1, 2), default=1)
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    count = write_sample(options.path, options.profiles, day=options.day, seed=options.seed)
    print(f"{count:,} profiles in {options.path}")
