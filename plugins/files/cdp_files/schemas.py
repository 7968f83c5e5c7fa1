"""What an export to files can be told: which folder it fills, and how its files look."""

from __future__ import annotations

from marshmallow import fields, validate

from cdp_core import Sentence
from cdp_files.encoding import COMPRESSIONS, DELIMITERS, FORMATS
from cdp_files.places import checked_dated_path, checked_folder
from cdp_files.settings import Trimmed, reads, said

KINDS = ("EMAIL", "PHONE", "MOBILE_AD_ID")
ROWS_LIMIT = 1_000_000
# Of whole rows: so many are in memory at once.
WHOLE_ROWS_LIMIT = 250_000


def while_emptied(latest: str) -> Sentence:
    """What is lost from the emptying on, where that file names the newest manifest."""
    return Sentence(
        "Earlier files stay where they are: the run writes all members into files of its own, and "
        f"{latest} names them once they are whole.",
        in_language={
            "nl": "Eerdere bestanden blijven staan: de run schrijft alle leden in eigen bestanden, en "
            f"{latest} noemt die zodra ze volledig zijn.",
            "da": "Tidligere filer bliver: kørslen skriver alle medlemmer i sine egne filer, og "
            f"{latest} nævner dem, når de er hele.",
        },
    )


class ExportSettings(Trimmed):
    """Which folder an export fills, and how its files look."""

    folder = fields.String(
        required=True,
        validate=reads(checked_folder),
        metadata=said(
            "Folder of the audience",
            "Below the connection's folder; it is made.",
            nl=("Map van de doelgroep", "Onder de map van de verbinding; ze wordt gemaakt."),
            da=("Målgruppens mappe", "Under forbindelsens mappe; den oprettes."),
            example="loyal-customers",
            asked=True,
        ),
    )
    format = fields.String(
        load_default="parquet",
        validate=validate.OneOf(FORMATS),
        metadata=said(
            "Format",
            "parquet, csv or ndjson (a JSON object on each line).",
            nl=("Indeling", "parquet, csv of ndjson (een JSON-object op elke regel)."),
            da=("Format", "parquet, csv eller ndjson (et JSON-objekt på hver linje)."),
            example="csv",
            asked=True,
        ),
    )
    compression = fields.String(
        load_default="none",
        validate=validate.OneOf(COMPRESSIONS),
        metadata=said(
            "Compression",
            "none, gzip or zstd; Parquet compresses within itself.",
            nl=("Compressie", "none, gzip of zstd; Parquet comprimeert in het bestand zelf."),
            da=("Komprimering", "none, gzip eller zstd; Parquet komprimerer i selve filen."),
            example="gzip",
        ),
    )
    delimiter = fields.String(
        load_default="comma",
        validate=validate.OneOf(tuple(DELIMITERS)),
        metadata=said(
            "Delimiter",
            "Between the columns of CSV: comma, semicolon, tab or pipe.",
            nl=("Scheidingsteken", "Tussen de kolommen van CSV: comma, semicolon, tab of pipe."),
            da=("Skilletegn", "Mellem kolonnerne i CSV: comma, semicolon, tab eller pipe."),
            example="semicolon",
        ),
    )
    dated_path = fields.String(
        load_default="%Y/%m/%d",
        validate=reads(checked_dated_path),
        metadata=said(
            "Dated path",
            "Folders above each run's own, with %Y, %m, %d and %H of its beginning (UTC). Empty: none.",
            nl=(
                "Pad met datum",
                "Mappen boven die van elke run, met %Y, %m, %d en %H van het begin (UTC). Leeg: geen.",
            ),
            da=(
                "Sti med dato",
                "Mapper over hver kørsels egen, med %Y, %m, %d og %H for dens begyndelse (UTC). Tom: ingen.",
            ),
            example="year=%Y/month=%m",
        ),
    )
    rows_per_file = fields.Integer(
        load_default=ROWS_LIMIT,
        validate=validate.Range(min=1, max=ROWS_LIMIT),
        metadata=said(
            "Rows in a file",
            "The most, up to 1,000,000: so many digests are one batch, which is one file.",
            nl=(
                "Rijen per bestand",
                "Hoogstens, tot 1.000.000: zoveel digests zijn één batch, dus één bestand.",
            ),
            da=("Rækker i en fil", "Højst, op til 1.000.000: så mange digests er én batch, altså én fil."),
            example="250000",
        ),
    )


class RowsExportSettings(ExportSettings):
    """The same for whole rows, which CSV can carry into a spreadsheet."""

    rows_per_file = fields.Integer(
        load_default=WHOLE_ROWS_LIMIT,
        validate=validate.Range(min=1, max=WHOLE_ROWS_LIMIT),
        metadata=said(
            "Rows in a file",
            "The most, up to 250,000: so many rows are one batch, which is one file.",
            nl=("Rijen per bestand", "Hoogstens, tot 250.000: zoveel rijen zijn één batch, dus één bestand."),
            da=("Rækker i en fil", "Højst, op til 250.000: så mange rækker er én batch, altså én fil."),
            example="50000",
        ),
    )
    escape_formulas = fields.Boolean(
        load_default=True,
        metadata=said(
            "Escape formulas",
            "In CSV, put an apostrophe before a value that a spreadsheet would take for a formula (true or "
            "false).",
            nl=(
                "Formules onschadelijk maken",
                "In CSV een apostrof zetten voor een waarde die een rekenblad voor een formule zou houden "
                "(true of false).",
            ),
            da=(
                "Uskadeliggør formler",
                "I CSV sættes en apostrof foran en værdi, som et regneark ville tage for en formel (true "
                "eller false).",
            ),
            example="false",
        ),
    )
