from odoo import models


class GrantAnnualReview(models.Model):
    """The text that an annual review begins with: written from the data, for people."""

    _inherit = "grant.annual.review"

    def _prepare_paragraphs(self):
        """Paragraphs as they would be written now: values, one for each section."""
        self.ensure_one()
        review = self._in_words()
        return [
            {
                "section": section, "title": title, "body": "\n\n".join(filter(None, texts)),
                "written": "\n\n".join(filter(None, texts)), "sequence": 10 * place,
                "block": block,
            }
            for place, (section, block, title, texts) in enumerate(review._write_sections(), 1)
        ]  # fmt: skip

    def _write_sections(self):
        money, rows = self._get_money(), self._get_action_rows()
        evaluations = self._get_evaluations()
        return [
            ("contract", "none", self.env._("A contract between the State and the city"),
             self._write_contract(money)),
            ("actions", "actions", self.env._("Who did what, and for whom"),
             self._write_actions(rows)),
            ("money", "money", self.env._("The money, to the last euro"),
             self._write_money(money)),
            ("figures", "figures", self.env._("What can be counted"), self._write_figures()),
            ("evaluation", "evaluation", self.env._("What we think of it"),
             self._write_evaluation(evaluations)),
            ("next", "none", self.env._("What comes next"), self._write_next(evaluations)),
        ]  # fmt: skip

    def _write_contract(self, money):
        return [
            self.env._(
                "On {{signed_on}}, {{funder}} and {{city}} signed the contract “{{contract}}”. It "
                "runs from {{start}} to {{end}}, and entrusts {{allocated}} to {{city}}, in "
                "{{envelopes}}, so that those who arrive here find a home, care, the language, "
                "work and their rights."
            ),
            self.env._(
                "This review tells what was done of it in {{year}}: by whom, for whom, with what "
                "money, and what we learn from it. Its figures are those of the city's ledger as "
                "at {{as_at}}."
            ),
        ]

    def _write_actions(self, rows):
        if not rows:
            return [self.env._("As at {{as_at}}, no action has been entrusted to an operator yet.")]
        return [
            self.env._(
                "The contract lives by those who carry it. As at {{as_at}}, it entrusts "
                "{{actions}} to {{operators}}, on {{themes}}: {{theme_names}}."
            ),
            self.env._(
                "The table below says of each action who leads it, for whom it is, and what was "
                "committed to it. An action that is about several themes is shown under all of "
                "them at once, and counts once."
            ),
        ]

    def _write_money(self, money):
        direct = money["paid_direct"] and self.env._(
            "Besides, the State itself paid {{paid_direct}} to the operators. This money does not "
            "go through the city's accounts; it is followed here with the rest."
        )
        back = money["recovered"] and self.env._(
            "{{recovered}} came back: what was not spent as agreed is returned."
        )
        return [
            self.env._(
                "Of the {{allocated}} of the contract, {{committed}} are committed, or "
                "{{committed_share}}; {{available}} remain available. The city received "
                "{{received}} of the State, and paid {{paid_city}}."
            ),
            direct,
            back,
            self.env._(
                "Of what was paid, {{justified}} are justified by financial reports that the city "
                "has accepted; {{unjustified}} are still to be justified. {{to_pay}} remain to be "
                "paid, as the operators report on their work."
            ),
        ]

    def _write_figures(self):
        return [
            self.env._(
                "The operators tell their figures by the periods of their conventions. They are "
                "counts and never names: numbers below five are shown as “{{few}}”, and a figure "
                "that would give a small one away is withheld. The same person may follow several "
                "actions, so people are not added up from one operator to another."
            )
        ]

    def _write_evaluation(self, evaluations):
        if not evaluations:
            return [self.env._("No action has been evaluated for {{year}} yet.")]
        exchanges = evaluations.meeting_ids and self.env._(
            "It met the operators, visited actions and talked with them: of this it keeps a record "
            "({{meetings}})."
        )
        return [
            self.env._(
                "For {{year}}, the city concluded {{evaluated}}, by the criteria of one grid: the "
                "need, what was done, who was reached, what changed for them, working together, "
                "and the use of the money."
            ),
            exchanges,
            self.env._(
                "What came out of it: to continue, {{continue}}; to amend, {{amend}}; to stop, "
                "{{stop}}."
            ),
        ]

    def _write_next(self, evaluations):
        ends = self.contract_id.date_end and self.contract_id.date_end > self.as_at
        amendments = self._get_next_amendments() and self.env._(
            "Since {{as_at}}, the contract and its conventions have moved on ({{amendments}}, "
            "signed or being drafted): more time, another split or one more action, where the "
            "evaluation or the operators ask for it."
        )
        return [
            self.env._(
                "The contract goes on until {{end}}. {{available}} can still be committed, and "
                "{{to_pay}} are to be paid as the actions are done and justified."
            ) if ends else self.env._(
                "The contract ended on {{end}}. What remains is to be justified and settled: "
                "{{unjustified}} are awaited from the financial reports."
            ),
            amendments,
            self.env._(
                "{{city}} thanks the operators, their employees and volunteers, and the services "
                "of the State. In {{next_year}} it keeps to what this year has shown: to meet "
                "early, to look at what changes for people, and to say what was done with public "
                "money."
            ),
        ]  # fmt: skip
