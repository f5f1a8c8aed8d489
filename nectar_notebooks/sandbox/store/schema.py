"""The SQLite tables behind the embedded sandbox: what is stored of each kind, and under which indexes.

A record is kept as JSON text beside the columns that lists filter, join and order by. Texts of documents and
usage are fragments: what a list page needs of them is put together by SQLite itself, so that a page of a
hundred bills costs reading them. Nothing here answers a request; see `queries`.
"""

from __future__ import annotations

from typing import Final

from nectar_notebooks.sandbox.store.templates import BRIEF, CHILDREN, USAGE

__all__ = ["COMPANY_TABLES", "DDL", "FORMAT", "MIGRATIONS"]

#: Marks a file as a state of this form; a change of the tables below counts it up.
FORMAT: Final = 0x6E620003
#: What a company owns, in an order in which it can be removed.
COMPANY_TABLES: Final = (
    "legacy_usage", "usage", "documents", "meters", "accounts", "connections", "sites", "invitations", "jobs",
    "uploads",
)  # fmt: skip
#: Usage as older versions list it, made when one is first asked for, see `legacy_usage`.
_LEGACY: Final = """
CREATE TABLE legacy_usage (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL, kind INTEGER NOT NULL, usage INTEGER, document INTEGER NOT NULL,
    company INTEGER NOT NULL, connection INTEGER, site INTEGER, deleted INTEGER NOT NULL, commodity TEXT,
    created TEXT, updated TEXT, bill_date TEXT, first_day TEXT, last_day TEXT, change TEXT NOT NULL
);
CREATE INDEX legacy_usage_company ON legacy_usage (company, created, id);
CREATE INDEX legacy_usage_id ON legacy_usage (id);
CREATE INDEX legacy_usage_document ON legacy_usage (document);
"""
#: Events of stored changes that are not told yet.
_OUTBOX: Final = "CREATE TABLE outbox (seq INTEGER PRIMARY KEY, at TEXT NOT NULL, body TEXT NOT NULL);"
#: Whole texts of bills and usage are put together of a template and values, see `templates`. `brief` and `body` are
#: JSON objects without their closing brace; `children` continues `brief`.
DDL: Final = f"""
CREATE TABLE templates (seq INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, text TEXT NOT NULL);
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE keys (
    digest TEXT PRIMARY KEY, environment TEXT NOT NULL, created TEXT NOT NULL, expires TEXT, revoked TEXT,
    companies TEXT
) WITHOUT ROWID;

CREATE TABLE companies (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, record TEXT NOT NULL, legacy INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE sites (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, company INTEGER NOT NULL, record TEXT NOT NULL
);
CREATE INDEX sites_company ON sites (company);

CREATE TABLE connections (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, company INTEGER NOT NULL, created TEXT, status TEXT,
    owner TEXT, record TEXT NOT NULL
);
CREATE INDEX connections_company ON connections (company, created, id);

CREATE TABLE accounts (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, company INTEGER NOT NULL, connection INTEGER,
    record TEXT NOT NULL
);
CREATE INDEX accounts_company ON accounts (company);
CREATE INDEX accounts_connection ON accounts (connection);

CREATE TABLE meters (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, company INTEGER NOT NULL, site INTEGER, account INTEGER,
    record TEXT NOT NULL
);
CREATE INDEX meters_company ON meters (company);
CREATE INDEX meters_site ON meters (site);
CREATE INDEX meters_account ON meters (account);

CREATE TABLE documents (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, company INTEGER NOT NULL, connection INTEGER,
    deleted INTEGER NOT NULL, created TEXT, updated TEXT, bill_date TEXT, first_day TEXT, last_day TEXT,
    brief INTEGER NOT NULL, {", ".join(BRIEF.columns)},
    children INTEGER NOT NULL, {", ".join(CHILDREN.columns)}
);
CREATE INDEX documents_company ON documents (company, created, id, bill_date, updated, first_day, last_day)
    WHERE deleted = 0;
CREATE INDEX documents_connection ON documents (connection, created, id);

CREATE TABLE usage (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, company INTEGER NOT NULL, connection INTEGER,
    document INTEGER NOT NULL, site INTEGER, meter INTEGER, deleted INTEGER NOT NULL, commodity TEXT,
    created TEXT, updated TEXT, bill_date TEXT, first_day TEXT, last_day TEXT,
    power_factor TEXT, body INTEGER NOT NULL, {", ".join(USAGE.columns)}
);
CREATE INDEX usage_company
    ON usage (company, created, id, commodity, bill_date, updated, first_day, last_day) WHERE deleted = 0;
CREATE INDEX usage_connection ON usage (connection, created, id);
CREATE INDEX usage_document ON usage (document, commodity, site);
CREATE INDEX usage_site ON usage (site, document);
CREATE INDEX usage_meter ON usage (meter);

{_LEGACY}

CREATE TABLE invitations (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, company INTEGER NOT NULL, connection INTEGER, created TEXT,
    token TEXT NOT NULL UNIQUE, record TEXT NOT NULL
);
CREATE INDEX invitations_company ON invitations (company, created, id);

CREATE TABLE jobs (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, company INTEGER NOT NULL, created TEXT, record TEXT NOT NULL
);
CREATE INDEX jobs_company ON jobs (company, created, id);

CREATE TABLE uploads (
    company INTEGER NOT NULL, digest TEXT NOT NULL, document TEXT NOT NULL, PRIMARY KEY (company, digest)
) WITHOUT ROWID;

CREATE TABLE usage_identifiers (
    value TEXT NOT NULL, usage INTEGER NOT NULL, PRIMARY KEY (value, usage)
) WITHOUT ROWID;
CREATE INDEX usage_identifiers_usage ON usage_identifiers (usage);
{_OUTBOX}
"""

#: What makes a state of this form of one of an earlier release, by its mark.
MIGRATIONS: Final = {
    0x6E620002: f"""
DROP TABLE older;
ALTER TABLE companies RENAME COLUMN older TO legacy;
UPDATE companies SET legacy = 0;
{_LEGACY}
{_OUTBOX}
"""
}
