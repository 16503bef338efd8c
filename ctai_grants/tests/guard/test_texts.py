from odoo.exceptions import ValidationError

from ..common import GrantsCommon


class TestTexts(GrantsCommon):
    """What no database keeps is refused with a sentence, where people write."""

    def test_nul(self):
        subsidy = self.make_subsidy()
        for call in (
            lambda: subsidy.write({"name": "a\0b"}),
            lambda: self.make_tranche(subsidy, name="a\0b"),
            lambda: self.env["grant.reason"].create({
                "res_model": subsidy._name, "res_ids": subsidy.ids, "action": "cancel",
                "reason": "a\0b",
            }),
            lambda: self.env["grant.identity.date"].create({"reason": "a\0b"}),
        ):  # fmt: skip
            with self.assertRaisesRegex(ValidationError, "NUL character"):
                call()
