from odoo.exceptions import ValidationError

from ..common import GrantsCommon

NOT_NUMBERS = (float("nan"), float("inf"), float("-inf"), 1e300, "NaN", "beaucoup")
TYPES = ("float", "monetary")


class TestNumbers(GrantsCommon):
    """“NaN” and “Infinity” come over RPC, and in files: a sentence, in each model of ours."""

    def test_every_number_that_somebody_writes(self):
        found = set()
        for name, model in self.env.items():
            if not name.startswith("grant.") or model._abstract or not model._auto:
                continue
            for field in model._fields.values():
                is_written = field.store and not (field.readonly or field.related)
                if field.type not in TYPES or not is_written or field.name == "id":
                    continue
                with self.subTest(model=name, field=field.name):
                    found.add(name)
                    for value in NOT_NUMBERS:
                        with self.assertRaises(ValidationError):
                            model._check_amounts({field.name: value})
                    model._check_amounts({field.name: 5})
        self.assertIn("grant.indicator.target", found)

    def test_over_rpc(self):
        figures = self.env["grant.context.figure"]
        vals = {"contract_id": self.contract.id, "name": "x", "date": "2022-01-01", "source": "y"}
        for value in NOT_NUMBERS:
            with self.assertRefused("Context Figure", "no number", exception=ValidationError):
                figures.create({**vals, "value": value})
        with self.assertRefused("no number", exception=ValidationError):
            self.company.write({"grant_gap_percent": float("nan")})
        figure = figures.create({**vals, "value": 229})
        with self.assertRefused("no number", exception=ValidationError):
            figure.write({"value": float("inf")})

    def test_imported(self):
        result = self.env["grant.context.figure"].load(
            ["contract_id/.id", "name", "date", "source", "value"],
            [[str(self.contract.id), "x", "2022-01-01", "y", "NaN"]],
        )
        self.assertFalse(result["ids"])
        self.assertIn("no number", result["messages"][0]["message"])
