import io

from odoo import api, models
from odoo.fields import Domain

from odoo.addons.ctai_grants.lib.ledger.copies import CopyError, HeadsComparison, read_heads

from ...lib import frozen
from ...lib.statement_copies import DAMAGED


class GrantStatement(models.Model):
    """The verifier of issued statements: files, frozen lines, state, and the ledger that they were
    made from."""

    _inherit = "grant.statement"

    @api.model
    def _get_altered(self, contracts):
        """Sentences naming the issued statements of ``contracts`` that are not what they were."""
        # What was issued has acts, whatever its row says of state and contract by now.
        issued = Domain("state", "!=", "draft") | Domain("act_ids", "!=", False)
        of_these = Domain("contract_id", "in", contracts.ids) | Domain(
            "line_ids.envelope_id.contract_id", "in", contracts.ids
        )
        # sudo: who verifies may not read every attachment; only digests and figures are compared
        statements = self.sudo().search(issued & of_these, order="id")
        return [sentence for one in statements for sentence in one._judge()]

    def _judge(self):
        """Sentences of what is wrong with this statement."""
        about = {"statement": self.display_name}
        sentences = [
            self.env._(
                "%(statement)s: the kept file “%(file)s” is not the one that was issued.",
                file=file.name,
                **about,
            )
            for file in self.file_ids
            if not file._is_as_issued()
        ]
        kinds = self.act_ids.sorted("id").mapped("kind")
        try:
            decided = self.env["grant.statement.act"]._get_state_after(kinds)
        except KeyError:
            decided = None
        if decided != self.state:
            sentences.append(
                self.env._(
                    "%(statement)s: its state is “%(state)s”, which nobody's act made it.",
                    state=self._get_state_label(),
                    **about,
                )
            )
        try:
            if not sentences and (wrong := self._judge_frozen()):
                sentences.append(wrong)
        except DAMAGED as error:
            # Of one statement: the others are judged all the same.
            sentences.append(f"{self.display_name}: {type(error).__name__}: {error}"[:300])
        if wrong := self._judge_heads():
            sentences.append(wrong)
        return sentences

    def _judge_frozen(self):
        """Whether lines and file say the same: a sentence, or None."""
        file = self.file_ids.filtered(lambda one: one.kind == "json")
        about = {"statement": self.display_name}
        if not file:
            return self.env._("%(statement)s: its file for programs is not there.", **about)
        try:
            stated = frozen.read(io.BytesIO(file.attachment_id.raw or b""))
        except frozen.FrozenError:
            return self.env._(
                "%(statement)s: the kept file “%(file)s” cannot be read.", file=file.name, **about
            )
        file.attachment_id.invalidate_recordset(["raw", "datas"])
        said = {(block.key, row[1]): row[4:10] for block in stated.blocks for row in block.read()}
        names = ("allocated", "committed", "paid", "justified", "received", "recovered")
        for line in self.line_ids._get_values():
            if line["subsidy_id"]:
                continue
            found = said.get((line["payment_path"], line["envelope_id"]))
            if not found or tuple(found) != tuple(line[name] for name in names):
                return self.env._(
                    "%(statement)s: the figures of “%(line)s” are not those of its file.",
                    line=line["name"],
                    **about,
                )
        if wrong := self._find_rewritten(stated):
            return self.env._(
                "%(statement)s: its “%(field)s” is not what was issued.",
                field=self._fields[wrong]._description_string(self.env),
                **about,
            )
        return None

    def _find_rewritten(self, stated):
        """The first field of this statement that is not as its acts and its file say."""
        said, acts = stated.about, self.act_ids.sorted("id")
        forced = "".join(act.text or "" for act in acts if act.kind == "forced")
        heads = [row for table in stated.lists if table.key == "heads" for row in table.read()]
        start = self.date_from.isoformat() if self.date_from else ""
        corrected = [value for _label, value in stated.cover if value == self.correction]
        as_issued = {
            "name": said["number"] == self.name,
            "contract_id": self.line_ids.envelope_id.contract_id == self.contract_id,
            "as_at": said["as_at"] == self.as_at.isoformat(),
            "date_from": said["date_from"] == start,
            "issued_at": said["issued_at"] == self.issued_at.isoformat(),
            "issued_by_id": acts[:1].user_id == self.issued_by_id,
            "lang": said["lang"] == self.lang,
            "replaces_id": said["replaces"] == (self.replaces_id.name or ""),
            "correction": bool(corrected) or not self.replaces_id,
            "forced_reason": forced.startswith(self.forced_reason or "\0")
            if forced
            else not self.forced_reason,
            "is_certified": len(said["signatures"]) == 1 + bool(self.is_certified),
            "heads": heads == [tuple(head[:5]) for head in self._read_heads()],
        }
        return next((name for name, is_same in as_issued.items() if not is_same), None)

    def _judge_heads(self):
        """Whether the ledger still is the one that this statement was made from: a sentence, or
        None."""
        comparison = HeadsComparison(self.env["grant.heads"]._find_hashes)
        heads = io.BytesIO((self.heads or "").encode())
        try:
            difference = comparison.find_difference(read_heads(heads))
        except CopyError:
            return self.env._("%(name)s: a line is damaged.", name=self.display_name)
        if not difference:
            return None
        return self.env["grant.entry"]._say_difference(difference, self.display_name)
