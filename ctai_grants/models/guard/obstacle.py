from markupsafe import Markup


class Obstacle(str):
    """A sentence on what prevents an act, that knows where it is lifted: the act refuses with the
    sentence, the form shows it with a button (widget ``grant_obstacles``)."""

    def __new__(cls, sentence, records=None, field=None, view=None, action=None):
        """
        :param records: what lifts it, none: nobody's form does
        :param str field: which field, of the form that shows the sentence
        :param str view: xmlid of a form of ours, for a window over the page
        :param str action: xmlid of a window of Odoo's, instead of records
        """
        self = super().__new__(cls, sentence)
        self.records, self.field, self.view, self.action = records, field, view, action
        return self

    def _get_action(self, env):
        """The window that opens what lifts this, or False: nothing, or the form that says it."""
        if self.field:
            return False
        if self.action:
            # Settings open for those who may change them.
            is_open = env.user.has_group("base.group_system")
            return is_open and env["ir.actions.act_window"]._for_xml_id(self.action)
        records = self.records and self.records._origin
        if not records:
            return False
        action = {
            "type": "ir.actions.act_window",
            "name": records.display_name if len(records) == 1 else records._description,
            "res_model": records._name,
            "views": [(env.ref(self.view).id if self.view else False, "form")],
            "target": "new" if self.view else "current",
        }
        if len(records) == 1:
            return {**action, "res_id": records.id}
        views = [(False, "list"), (False, "form")]
        return {**action, "views": views, "domain": [("id", "in", records.ids)]}

    def _get_link(self, env):
        """The sentence and the link to the one record that lifts it, as HTML."""
        if not self.records or len(self.records) > 1:
            return str(self)
        return Markup('%s <a href="/odoo/%s/%s">%s</a>') % (
            str(self),
            self.records._name,
            self.records.id,
            env._("Open It"),
        )


def describe(obstacles, env):
    """What the widget ``grant_obstacles`` reads: a list of dicts, or False."""
    return [
        {
            "sentence": sentence,
            "field": getattr(sentence, "field", None),
            "action": isinstance(sentence, Obstacle) and sentence._get_action(env),
        }
        for sentence in obstacles
    ] or False


def put_in_lines(obstacles):
    """The sentences, one a line, for the message that refuses."""
    return "\n".join(f"• {obstacle}" for obstacle in obstacles)
