"""The ledger written out, for the day on which a city gives it up: to be read without Odoo.

A folder with ``ledger.csv`` (as it comes with a statement: the code in README checks it), the heads
of its chains, every table of the add-ons, the files of their documents, who did it and why; and
``SHA256SUMS`` of all that, for ``sha256sum -c``.
"""

import csv
import hashlib
import json
import os
import shutil
from contextlib import contextmanager

import psycopg2

from odoo import fields
from odoo.exceptions import UserError
from odoo.tools import SQL

from .lib.ledger import chain
from .lib.ledger.heads import write_heads

LEDGER = (*chain.HASHED_FIELDS, "previous_hash", "hash")
# Beside our own tables, where the chains of their lines end, and what their ids stand for.
NAMED = {
    "grant_chain": "SELECT * FROM grant_chain ORDER BY name",
    "res_partner": "SELECT id, name, company_registry, vat FROM res_partner",
    "res_users": "SELECT id, login, partner_id FROM res_users",
    "account_move": "SELECT id, name, date, ref, grant_origin_model, grant_origin_id"
    " FROM account_move WHERE grant_origin_id IS NOT NULL",
    "mail_message": "SELECT id, model, res_id, date, author_id, message_type, body"
    " FROM mail_message WHERE model = ANY(%s)",
}


class Archive:
    """A folder that takes the ledger of one database.

    :param path: of the folder, which is made, or empty
    :param dict about: who gives the ledger up, and why
    :raise OSError: it cannot be made, or holds something
    """

    def __init__(self, path, about):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(path.iterdir()):
            raise OSError(f"{path} is not empty: name a new folder.")
        (path / "files").mkdir()
        (path / "tables").mkdir()
        self.path, self.about, self.sums = path, about, {}

    @contextmanager
    def _writing(self, name):
        """A new file of this archive, on the disk and added up when it is closed."""
        path = self.path / name
        with path.open("x", encoding="utf-8", newline="") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        self._add_up(name)

    def _add_up(self, name):
        digest = hashlib.sha256()
        with (self.path / name).open("rb") as stream:
            while part := stream.read(2**20):
                digest.update(part)
        self.sums[name] = digest.hexdigest()

    def write_out(self, env):
        """Write all of it, in the transaction that will then take it from the database.

        :return: the SHA-256 of ``SHA256SUMS``, which says it of everything
        :raise UserError: something could not be read or written, or somebody writes into the ledger
        """
        try:
            return self._write(env, _lock(env))
        except OSError as error:
            raise UserError(
                env._(
                    "%(folder)s could not be written: %(reason)s. Nothing is uninstalled.",
                    folder=self.path,
                    reason=error,
                )
            ) from error

    def _write(self, env, tables):
        envelopes = env["grant.envelope"].search([])
        wrong = env["grant.entry"]._verify_database()
        self._write_ledger(env, envelopes)
        self._write_heads(env, envelopes.company_id)
        for name, query in tables.items():
            with self._writing(f"tables/{name}.csv") as stream:
                env.cr.copy_expert(f"COPY ({query}) TO STDOUT WITH (FORMAT csv, HEADER)", stream)
        self._write_files(env)
        about = {
            **self.about,
            "database": env.cr.dbname,
            "written_at": fields.Datetime.to_string(fields.Datetime.now()),
            "versions": {
                module.name: module.latest_version
                for module in env["ir.module.module"].search([("name", "like", "ctai\\_grants%")])
                if module.latest_version
            },
            "entries": sum(envelopes.mapped("entry_count")),
            # Said, and no reason to keep a city for ever: the lines are written as they are.
            "wrong": wrong,
        }
        with self._writing("about.json") as stream:
            json.dump(about, stream, ensure_ascii=False, indent=1)
            stream.write("\n")
        with self._writing("SHA256SUMS") as stream:
            stream.writelines(f"{digest}  {name}\n" for name, digest in self.sums.items())
        for folder in (self.path / "files", self.path / "tables", self.path):
            self._keep(folder)
        return self.sums["SHA256SUMS"]

    @staticmethod
    def _keep(folder):
        """The names in a folder are on the disk, too."""
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _write_ledger(self, env, envelopes):
        written = 0
        with self._writing("ledger.csv") as ledger:
            line = csv.DictWriter(ledger, LEDGER, lineterminator="\n")
            line.writeheader()
            for envelope in envelopes:
                for entry in env["grant.entry"]._get_chain_rows(envelope):
                    line.writerow(entry)
                    written += 1
        ((held,),) = env.execute_query(SQL("SELECT count(*) FROM grant_entry"))
        if written != held:
            raise UserError(
                env._(
                    "%(written)s lines of the ledger were written, of %(held)s: some belong to no "
                    "envelope. Nothing is uninstalled.",
                    written=written,
                    held=held,
                )
            )

    def _write_heads(self, env, companies):
        """As they left the database each day: ``grants_verify --against`` reads them."""
        with self._writing("heads.csv") as stream:
            for place, company in enumerate(companies):
                heads = env["grant.heads"]._get_heads(company)
                time = env["grant.heads"]._get_time(company)
                stream.write(write_heads(heads, time, header=not place))

    def _write_files(self, env):
        files = env["ir.attachment"].with_context(active_test=False, skip_res_field_check=True)
        domain = [("res_model", "in", _get_models(env)), ("id", "!=", False)]
        with self._writing("files.csv") as stream:
            row = csv.writer(stream, lineterminator="\n")
            row.writerow(["id", "model", "document", "name", "mimetype", "size", "sha256"])
            for attachment in files.search(domain, order="id"):
                name = f"files/{attachment.id}"
                with (self.path / name).open("xb") as copy:
                    if attachment.store_fname:
                        with open(attachment._full_path(attachment.store_fname), "rb") as original:
                            shutil.copyfileobj(original, copy)
                    else:
                        copy.write(attachment.raw or b"")
                    copy.flush()
                    os.fsync(copy.fileno())
                self._add_up(name)
                row.writerow([
                    attachment.id, attachment.res_model, attachment.res_id, attachment.name,
                    attachment.mimetype, attachment.file_size, self.sums[name],
                ])  # fmt: skip
                attachment.invalidate_recordset()


def _get_models(env):
    """Names of the models that the add-ons bring and that have a table of their own."""
    return sorted(
        name
        for name, model in env.items()
        if model._original_module.startswith("ctai_grants")
        and model._auto
        and not (model._abstract or model._transient)
    )


def _lock(env):
    """Hold what is written still until it is gone.

    :return: what is written of each table: dict {name: SQL of its rows}
    :raise UserError: somebody writes into it
    """
    names = _get_models(env)
    tables = {env[name]._table for name in names}
    for name in names:
        links = (field for field in env[name]._fields.values() if field.type == "many2many")
        tables |= {field.relation for field in links if field.store}
    try:
        with env.cr.savepoint():
            held = SQL(", ").join(map(SQL.identifier, sorted(tables)))
            env.cr.execute(SQL("LOCK TABLE %s IN SHARE MODE", held))
    except psycopg2.errors.LockNotAvailable as error:
        raise UserError(
            env._("Somebody is writing into the ledger: stop the server first. Nothing is done.")
        ) from error
    queries = {table: f'SELECT * FROM "{table}" ORDER BY 1' for table in sorted(tables)}
    models = env.cr.mogrify("%s", [names]).decode()
    return {**queries, **{name: query.replace("%s", models) for name, query in NAMED.items()}}
