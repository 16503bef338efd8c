import hashlib

from odoo import api, models

from ...lib.treasury.pes_return import is_number


class GrantPesReader(models.AbstractModel):
    """Takes what the treasury answers to the files that were sent to it."""

    _name = "grant.pes.reader"
    _description = "Reader of the Treasury's Answers"

    @api.model
    def _take_answers(self, company, answers, content, filename):
        """Mark the orders and claims that the treasury answers about, and keep the file with what
        was sent: one that is there already changes nothing.

        :param answers: of :func:`ctai_grants.lib.treasury.pes_return.read_answers`
        :param bytes content: of the file
        :return: what was done, a list of sentences
        """
        documents = [
            pair
            for model in self._get_sent_models()
            for pair in self.env[model]._find_answered(company)
        ]
        marked, left, early, known = {}, [], [], {}
        for answer in answers.answers:
            sent = self._find_sent(documents, answer)
            answered = sent._get_answered(answer) if sent else ()
            if not answered or not answer.state:
                left.append(answer)
                continue
            # sudo: who reads the treasury's answer may not read every journal entry
            if answers.date < sent.sudo()._get_pes_date():
                # A batch of that number that was taken back since, say.
                early.append(answer)
                continue
            if sent not in known:
                known[sent] = self._is_kept(sent, content)
            for document in () if known[sent] else answered:
                if document._take_answer(answer, answers.date):
                    marked[document] = True
        for sent, is_known in known.items():
            if not is_known:
                self._keep(sent, content, filename)
        return self._say(list(marked), left, early)

    @api.model
    def _get_sent_models(self):
        names = self.pool.descendants(["grant.pes.mixin"], "_inherit")
        return [name for name in sorted(names) if not self.env[name]._abstract]

    def _find_sent(self, documents, answer):
        """The document that was sent in the batch that is answered, if it is clear which."""
        kinds = [answer.kind]
        if answer.kind == "DEP" and not answer.number:
            # An acknowledgement does not say whether the batch orders or reduces.
            kinds.append("REDUCTION")  # of orders
        found = [
            document
            for (kind, exercise, number), document in documents
            if kind in kinds
            and is_number(exercise, answer.exercise)
            and is_number(number, answer.batch)
        ]
        return found[0] if len(found) == 1 else None

    def _is_kept(self, document, content):
        # sudo: the file is compared, not shown
        return bool(self.env["ir.attachment"].sudo().search_count([
            ("res_model", "=", document._name), ("res_id", "=", document.id),
            ("checksum", "=", self.env["ir.attachment"]._compute_checksum(content)),
        ], limit=1))  # fmt: skip

    def _keep(self, document, content, filename):
        sha256 = hashlib.sha256(content).hexdigest()
        document.message_post(
            body=self.env._("Answer of the treasury. SHA-256: %s", sha256),
            attachments=[(filename, content)],
        )

    def _say(self, marked, left, early):
        orders = [document for document in marked if document._name == "grant.disbursement"]
        sentences = [self.env._("Orders marked: %s.", len(orders))]
        if len(marked) > len(orders):
            sentences.append(self.env._("Claims marked: %s.", len(marked) - len(orders)))
        sentences += filter(None, (document._say_answer() for document in marked))
        if early:
            sentences.append(
                self.env._(
                    "Dated before the batch that has this number now, left alone: %s.",
                    self._name_answers(early),
                )
            )
        if unclear := [answer for answer in left if not answer.state]:
            sentences.append(
                self.env._(
                    "In a state that the format does not have, left alone: %s.",
                    self._name_answers(unclear),
                )
            )
        if unknown := [answer for answer in left if answer.state]:
            sentences.append(
                self.env._(
                    "Not of grants, or not clear of which batch, left alone: %s.",
                    self._name_answers(unknown),
                )
            )
        return sentences

    def _name_answers(self, answers):
        """Which pieces these are, the first of them by name."""

        def sort_key(text):
            return (0, int(text), "") if text.isdecimal() else (1, 0, text)

        about = {(answer.exercise, answer.batch, answer.number) for answer in answers}
        numbers = sorted(about, key=lambda names: [sort_key(name) for name in names])
        first = [f"{number or '–'} ({batch}/{year})" for year, batch, number in numbers[:5]]
        more = "…" if len(numbers) > 5 else ""
        return f"{len(numbers)} ({', '.join(first)}{more})"
