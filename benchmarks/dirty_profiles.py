"""Deterministic profiles with the dirt of real data, for benchmarks: one DuckDB makes the same everywhere.

Each row's e-mail follows from hashes of its number alone: 20 % mixed case or white space, 5 % empty,
2 % malformed, 1 % placeholders, 1 % non-ASCII, 0.5 % already hashed, 4 % the e-mail of another row.
Phones are of six countries: 44 % E.164, 24 % international in other ways (6 % with `(0)`, 6 % with 00),
25 % national, 4 % empty, 1 % malformed, 1 % placeholders, 0.5 % with an extension, 0.5 % already hashed.
`--changed 0.05` gives the same people a while later: that share has left, and as many are new.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import duckdb

_PEOPLE = """
SELECT i + CASE WHEN hash(i, 'turnover') % 10000 < {changed} THEN {rows} ELSE 0 END AS person
FROM range({rows}) AS numbers(i)
"""

_DRAWN = """
SELECT *, hash(person, 'dirt') % 1000 AS dirt, hash(person, 'style') % 100 AS style,
    CASE WHEN hash(person, 'twice') % 100 < 4 AND person > 1000
         THEN person - hash(person, 'whose') % 1000 - 1 ELSE person END AS mailbox
FROM people
"""

_CLEAN = """
SELECT *, concat(
    ['anna', 'boris', 'chen', 'dewi', 'emre', 'fatima', 'goran', 'hanna', 'ivan', 'julia',
     'kofi', 'lena', 'mateo', 'nadia', 'olu', 'priya'][1 + (hash(mailbox, 'first') % 16)::INT], '.',
    ['smith', 'mueller', 'garcia', 'kim', 'novak', 'rossi', 'silva', 'tanaka', 'jones', 'dubois',
     'haddad', 'okafor', 'larsen', 'nowak', 'popov', 'singh'][1 + (hash(mailbox, 'last') % 16)::INT],
    mailbox, '@',
    ['gmail.com', 'yahoo.co.uk', 'outlook.com', 'example.org', 'mail.example.net', 'web.de', 'proton.me',
     'icloud.com'][1 + (hash(mailbox, 'host') % 8)::INT]) AS mail
FROM drawn
"""

_DIRTY = r"""
SELECT person,
    CASE
        WHEN dirt < 30 THEN NULL
        WHEN dirt < 50 THEN ['', ' ', chr(9), chr(160)][1 + (person % 4)::INT]
        WHEN dirt < 60 THEN ['test@test.com', 'n/a', 'N/A', 'none', '-'][1 + (person % 5)::INT]
        WHEN dirt < 80 THEN [replace(mail, '@', ' at '), replace(mail, '@', '@@'), replace(mail, '.', ''),
                             concat('x y', mail), replace(mail, '.', '..')][1 + (person % 5)::INT]
        WHEN dirt < 90 THEN
            concat([chr(252), chr(241), chr(304), chr(931), chr(233)][1 + (person % 5)::INT], mail)
        WHEN dirt < 95 THEN upper(sha256(mail))
        WHEN style < 8 THEN upper(mail)
        WHEN style < 14 THEN concat(upper(mail[1]), mail[2:])
        WHEN style < 20 THEN concat([' ', chr(9), '  '][1 + (person % 3)::INT], mail,
                                    [' ', chr(10), ''][1 + (person % 3)::INT])
        ELSE mail
    END AS email
FROM clean
"""

_CALLED = """
SELECT *, land[1] AS country, land[2] AS code, land[3] AS trunk,
    concat(land[4], printf(land[5], called)) AS number
FROM (SELECT *, hash(person, 'call') % 1000 AS call, hash(person, 'phone') % 100000000 AS called,
    [['DE', '49', '0', '15', '1%08d'], ['FR', '33', '0', '6', '%08d'], ['GB', '44', '0', '7', '4%08d'],
     ['ES', '34', '', '6', '%08d'], ['IT', '39', '', '34', '%08d'], ['NL', '31', '0', '6', '%08d']
    ][1 + (hash(person, 'country') % 6)::INT] AS land FROM dirty)
"""

_DIALLED = """
SELECT *, CASE
        WHEN call < 30 THEN NULL
        WHEN call < 40 THEN ['', ' ', '  ', chr(9)][1 + (person % 4)::INT]
        WHEN call < 50 THEN [number[:4], concat('+', code, number, number), 'call me', concat('+999', number)
            ][1 + (person % 4)::INT]
        WHEN call < 60 THEN ['0000000000', 'n/a', '-', '123456789'][1 + (person % 4)::INT]
        WHEN call < 65 THEN concat('+', code, ' ', number, ' ext. ', (person % 90 + 10)::VARCHAR)
        WHEN call < 70 THEN upper(sha256(concat(code, number)))
        WHEN call < 130 THEN concat('+', code, CASE WHEN trunk = '' THEN ' ' ELSE ' (0)' END, number[:3], ' ',
            number[4:])
        WHEN call < 190 THEN concat('00', code, number)
        WHEN call < 310 THEN concat('+', code, [' ', '-', '.', ' '][1 + (person % 4)::INT], number[:3],
            [' ', '-', '.', '/'][1 + (person % 4)::INT], number[4:])
        WHEN call < 440 THEN concat(trunk, number)
        WHEN call < 560 THEN concat(trunk, number[:3], [' ', '-', '/', '.'][1 + (person % 4)::INT],
            number[4:6], ' ', number[7:])
        ELSE concat('+', code, number)
    END AS phone
FROM called
"""

_PROFILES = """
SELECT printf('C%09d', person) AS customer_id, email, phone,
    CAST(md5(concat(person, 'device')) AS UUID)::VARCHAR AS mobile_ad_id,
    country,
    hash(person, 'consent') % 10 < 8 AS marketing_consent,
    round((hash(person, 'value') % 200000) / 100.0, 2) AS lifetime_value,
    DATE '2026-10-01' - (hash(person, 'order') % 700)::INT AS last_order
FROM dialled
"""


def query(rows: int, changed: float = 0.0) -> str:
    """The SELECT that yields the profiles."""
    people = _PEOPLE.format(rows=rows, changed=round(changed * 10_000))
    steps = {"people": people, "drawn": _DRAWN, "clean": _CLEAN, "dirty": _DIRTY}
    steps |= {"called": _CALLED, "dialled": _DIALLED}
    return f"WITH {', '.join(f'{name} AS ({step})' for name, step in steps.items())} {_PROFILES}"


def write(path: Path, rows: int, changed: float = 0.0) -> None:
    """Write the profiles to `path`, as Parquet or, by its name, CSV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    form = "FORMAT csv, HEADER" if path.suffix == ".csv" else "FORMAT parquet, COMPRESSION zstd"
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({query(rows, changed)}) TO '{path}' ({form})")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("path", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--changed", type=float, default=0.0)
    options = parser.parse_args()
    write(options.path, options.rows, options.changed)
