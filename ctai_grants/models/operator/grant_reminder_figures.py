from odoo import api, fields, models
from odoo.tools import SQL, groupby

from ..guard.dates import say_day


class GrantReminder(models.Model):
    """Figures of indicators whose period is over: in the one mail that reminds an operator of what
    it owes, from the day after on."""

    _inherit = "grant.reminder"

    @api.model
    def _get_figures_query(self, company, condition=None):
        """SQL of the figures to remind of: operator, subsidy, end of the period, and the step.

        :param condition: SQL on ``subsidy``
        """
        today = company._grant_today()
        steps = [days for days in company._get_reminder_steps() if days > 0]
        since = fields.Date.subtract(today, days=steps[-1] + 7)
        self.env.flush_all()
        return SQL(
            """
            SELECT DISTINCT operator.id, awaited.subsidy_id, awaited.date_end, step.days
              FROM (%(awaited)s) awaited
              JOIN grant_subsidy subsidy ON subsidy.id = awaited.subsidy_id
              JOIN res_partner party ON party.id = subsidy.partner_id
              JOIN res_partner operator ON operator.id = party.commercial_partner_id
        CROSS JOIN LATERAL (SELECT max(days) AS days FROM unnest(%(steps)s) days
                             WHERE awaited.date_end + days <= %(today)s) step
             WHERE subsidy.company_id = %(company)s
               AND COALESCE(operator.grant_unreminded_reason, '') = ''
               AND NOT EXISTS (SELECT FROM grant_reminder told
                                WHERE told.kind = 'figures' AND told.subsidy_id = subsidy.id
                                  AND told.due_date = awaited.date_end AND told.days >= step.days)
          ORDER BY operator.id, awaited.subsidy_id, awaited.date_end
            """,
            awaited=self.env["grant.indicator.target"]._get_awaited_sql(
                since, today, condition or SQL("TRUE")
            ),
            steps=steps,
            today=today,
            company=company.id,
        )

    @api.model
    def _lock_figures(self, company, figures):
        """Those of these figures that are still to be told of: none that somebody is entering, or
        that another transaction tells.

        :param figures: dict {(id of the subsidy, end of the period): days}
        """
        if not figures:
            return {}
        ids = [subsidy for subsidy, _end in figures]
        locked = self.env.execute_query(
            SQL(
                "SELECT id FROM grant_subsidy WHERE id = ANY(%s) ORDER BY id"
                " FOR NO KEY UPDATE SKIP LOCKED",
                ids,
            )
        )
        condition = SQL("subsidy.id = ANY(%s)", [subsidy for (subsidy,) in locked])
        rows = self.env.execute_query(self._get_figures_query(company, condition))
        still = {(subsidy, end) for _operator, subsidy, end, _days in rows}
        return {key: days for key, days in figures.items() if key in still}

    @api.model
    def _note_figures(self, letters, messages, figures):
        """Note which operators were told of their awaited figures, and tell the coordinators."""
        by_operator = {letter.partner: letter for letter in letters}
        rows, told, unreached = [], self.env["grant.subsidy"], self.env["grant.subsidy"]
        for (subsidy_id, end), days in figures.items():
            subsidy = told.browse(subsidy_id)
            letter = by_operator[subsidy.partner_id.commercial_partner_id]
            rows.append(
                {
                    "kind": "figures", "subsidy_id": subsidy_id, "due_date": end, "days": days,
                    "sent_at": fields.Datetime.now(),
                    "recipients": ", ".join(letter.addresses) or False,
                    "message_id": messages[letter.partner].id if letter.addresses else False,
                }
            )  # fmt: skip
            told |= subsidy if letter.addresses else told.browse()
            unreached |= subsidy if not letter.addresses else told.browse()
        self.create(rows)
        for subsidies, say in ((told, self._say_figures), (unreached, self._say_nobody)):
            if subsidies:
                today = subsidies.company_id._grant_today()
                self._leave_activities("figures", subsidies, say, today)

    def _say_figures(self):
        return self.env._("Figures of indicators are awaited: ask the operator")

    @api.model
    def _get_awaited_by(self, company, operators):
        """What is awaited of each operator: dict {operator: list of subsidy, end, number}."""
        condition = SQL(
            "subsidy.company_id = %s AND subsidy.partner_id IN (SELECT id FROM res_partner"
            " WHERE commercial_partner_id = ANY(%s))",
            company.id, operators.ids,
        )  # fmt: skip
        awaited = self.env["grant.indicator.target"]._get_awaited(company, condition)
        return dict(
            groupby(awaited, lambda row: row[0].partner_id.commercial_partner_id)
        )

    @api.model
    def _write_figures(self, lines, awaited):
        """The letter of an operator that owes figures and nothing else."""
        return (
            lines.env._("figures of your indicators are awaited"),
            "operator_mail_reminder",
            {
                "intro": lines.env._("this is what %(city)s awaits from %(operator)s."),
                "items": self._get_figure_items(lines, awaited),
            },
        )

    @api.model
    def _get_figure_items(self, documents, awaited):
        """What a letter lists of the awaited figures of an operator, an item a subsidy."""
        env, operator = documents.env, documents.partner_id.commercial_partner_id
        return [
            {
                "name": env._("Indicators"),
                "subsidy": f"{subsidy.name} ({subsidy.code})",
                "when": self._say_awaited(subsidy.with_env(env), number, end),
                "is_late": False,
                "answer": False,
                "instructions": False,
                "button": env._("Enter your figures"),
                "url": f"{subsidy.get_base_url()}{subsidy._get_figures_url()}",
            }
            for subsidy, end, number in awaited.get(operator.with_env(self.env), ())
        ]

    @api.model
    def _say_awaited(self, subsidy, number, end):
        date = say_day(subsidy.env, end)
        about = {"number": number, "date": date}
        if number == 1:
            return subsidy.env._(
                "1 figure to enter, of a period that ended on %(date)s", **about
            )
        return subsidy.env._(
            "%(number)s figures to enter, the first of a period that ended on %(date)s", **about
        )


class GrantSubsidy(models.Model):
    _inherit = "grant.subsidy"

    def _get_figures_url(self):
        self.ensure_one()
        return f"/my/subsidies/{self.id}/figures"

    @api.model
    def _get_figure_steps(self, company, condition, limit=None):
        """What operators have to enter for these subsidies, now: steps as those of
        ``grant.deliverable``; in sudo.

        :param company: the city, or none: of all; :param condition: SQL on ``subsidy``
        """
        targets = self.env["grant.indicator.target"]
        return [
            {
                "subsidy": subsidy,
                # To do now: after what is late, before what is due later.
                "date": subsidy.company_id._grant_today(),
                "late": False,
                "sentence": self.env._(
                    "Enter the figures of your indicators: %s.",
                    self.env["grant.reminder"]._say_awaited(subsidy, number, end),
                ),
                "gain": False,
                "answer": False,
                "url": subsidy._get_figures_url(),
                "button": self.env._("Enter your figures"),
            }
            for subsidy, end, number in targets._get_awaited(company, condition, limit)
        ]
