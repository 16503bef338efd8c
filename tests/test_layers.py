# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The layers of ctai_grants: each knows those before it and none after it (docs/architecture.md).

Read from the sources, without Odoo: imports, models named in texts (``env["…"]``, ``_inherit``,
relational fields), and names of fields and methods that only a higher layer defines.
"""

import ast
import re
import textwrap
from pathlib import Path

import pytest

ADDON = Path(__file__).resolve().parent.parent / "ctai_grants"
LAYERS = (
    "guard", "ledger", "award", "proof", "payment", "closing", "change", "accounting", "treasury",
    "portal", "operator", "home",
)  # fmt: skip
# Fields of our models, and of Odoo's own.
EVERYBODYS = {"company_id", "currency_id", "partner_id", "user_id", "_get_report"}
MODEL = re.compile(r"grant(\.[a-z]+)+")
NAME = re.compile(r"[a-z_][a-z_0-9]*(\.[a-z_][a-z_0-9]*)*")


def sources():
    """Return the modules of the layers: {path relative to the add-on: syntax tree}."""
    found = {}
    for folder in ("models", "wizards", "lib"):
        for path in sorted((ADDON / folder).rglob("*.py")):
            name = path.relative_to(ADDON).as_posix()
            if path.name != "__init__.py":
                found[name] = ast.parse(path.read_text(encoding="utf-8"), name)
    return found


def layer_of(name):
    """Return the place of a module in the order of the layers."""
    return LAYERS.index(Path(name).parts[1])


def classes(tree):
    """Yield the classes of models of a module."""
    return (node for node in tree.body if isinstance(node, ast.ClassDef))


def assigned(class_node):
    """Yield what a class assigns in its body: pairs of name and value."""
    for node in class_node.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            yield node.targets[0].id, node.value


def texts(node):
    """Yield the texts below a node, but those of docstrings and messages."""
    for child in ast.walk(node):
        if isinstance(child, ast.Constant) and isinstance(child.value, str):
            yield child.lineno, child.value


class House:
    """What each layer defines: models, and the fields and methods of them."""

    def __init__(self, modules):
        self.models, self.names = {}, {}
        for name, tree in modules.items():
            for class_node in classes(tree):
                values = dict(assigned(class_node))
                self._add_model(layer_of(name), values)
                self._add_names(layer_of(name), class_node, values)

    def _add_model(self, layer, values):
        if "_name" not in values:
            return
        model = ast.literal_eval(values["_name"])
        self.models[model] = min(layer, self.models.get(model, layer))

    def _add_names(self, layer, class_node, values):
        methods = {node.name for node in class_node.body if isinstance(node, ast.FunctionDef)}
        # One word alone (“count”) is anybody's.
        names = (methods | values.keys()) - EVERYBODYS
        for name in filter(lambda name: "_" in name.strip("_"), names):
            self.names[name] = min(layer, self.names.get(name, layer))

    def wrong(self, name, tree):
        """Yield what a module knows of a higher layer: pairs of line and thing."""
        layer = layer_of(name)
        for line, other, thing in self._known(tree, name):
            if other is not None and other > layer:
                yield f"{name}:{line}: {thing} is of the layer “{LAYERS[other]}”"

    def _known(self, tree, name):
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.level:
                folder = Path(name).parts[:-1]
                target = [*folder[: len(folder) - node.level + 1], *(node.module or "").split(".")]
                known = [part for part in target if part in LAYERS]
                if known:
                    yield node.lineno, LAYERS.index(known[0]), ".".join(target)
            elif isinstance(node, ast.Attribute):
                yield node.lineno, self.names.get(node.attr), f".{node.attr}"
        for line, text in texts(tree):
            if MODEL.fullmatch(text):
                yield line, self.models.get(text), text
        yield from self._in_paths(tree)

    def _in_paths(self, tree):
        """What is named in the paths of depends, constrains, mapped and the like."""
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            if node.func.attr not in ("depends", "constrains", "mapped", "filtered", "sorted"):
                continue
            for argument in node.args:
                for line, text in texts(argument):
                    for part in text.split(".") if NAME.fullmatch(text) else ():
                        yield line, self.names.get(part), text


def test_every_module_is_in_a_layer():
    assert [name for name in sources() if Path(name).parts[1] not in LAYERS] == []


def test_no_layer_knows_a_higher_one():
    modules = sources()
    house = House(modules)
    assert [line for name, tree in modules.items() for line in house.wrong(name, tree)] == []


PLANTED = {
    "an import": "from ..treasury import grant_treasury_import",
    "an import of a library": "from ...lib.treasury import pes",
    "a model of the environment": 'env["grant.recovery"].search([])',
    "an inherited model": "class Planted:\n    _inherit = ['grant.amendment']",
    "a relation": "order_id = fields.Many2one('grant.order.batch')",
    "a field": "total = sum(self.disbursement_ids.mapped('amount'))",
    "a path": "@api.depends('envelope_id.analytic_account_id')\ndef compute(self): pass",
    "a method": "self._get_live_move()",
}


@pytest.mark.parametrize("planted", PLANTED.values(), ids=PLANTED)
def test_a_planted_line_is_seen(planted):
    """The test above can fail: each kind of knowledge, planted in the ledger."""
    modules = sources()
    name = "models/ledger/grant_envelope.py"
    modules[name].body += ast.parse(textwrap.dedent(planted)).body
    assert list(House(sources()).wrong(name, modules[name]))


# --- the size of rooms --------------------------------------------------------------------------


def lines(node):
    """Return how many lines a class or function takes, its docstring not counted."""
    first = node.body[0]
    is_documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    documented = first.end_lineno - first.lineno + 1 if is_documented else 0
    return node.end_lineno - node.lineno + 1 - documented


def test_pages_do_not_take_each_others_methods():
    """Odoo makes one class of all controllers that extend one: of two methods of a name, in classes
    that do not know each other, one answers for both."""
    bases, owners = {}, {}
    for path in sorted((ADDON / "controllers").glob("*.py")):
        for node in classes(ast.parse(path.read_text(encoding="utf-8"), path.name)):
            bases[node.name] = {base.id for base in node.bases if isinstance(base, ast.Name)}
            for method in node.body:
                if isinstance(method, ast.FunctionDef):
                    owners.setdefault(method.name, []).append(node.name)

    def above(name):
        return {name}.union(*map(above, bases.get(name, ())))

    assert len(owners) > 50
    clashes = [
        (method, one, other)
        for method, names in owners.items()
        for place, one in enumerate(names)
        for other in names[place + 1 :]
        if one not in above(other) and other not in above(one)
    ]
    assert clashes == []


def test_no_room_is_too_large():
    """No model above 500 lines in a layer, no file above 600, no function above 45."""
    found = []
    for folder in (ADDON, ADDON.parent / "ctai_grants_reports"):
        for path in folder.rglob("*.py"):
            if "tests" in path.parts:
                continue
            text = path.read_text(encoding="utf-8")
            name = path.relative_to(folder.parent)
            if text.count("\n") > 600:
                found.append(f"{name}: {text.count(chr(10))} lines")
            for node in ast.walk(ast.parse(text)):
                most = {ast.ClassDef: 500, ast.FunctionDef: 45}.get(type(node))
                if most and lines(node) > most:
                    found.append(f"{name}: {node.name} has {lines(node)} lines")
    assert found == []


def test_functions_are_short():
    """Half of them within 8 lines, nine in ten within 20."""
    sizes = sorted(
        lines(node)
        for folder in (ADDON, ADDON.parent / "ctai_grants_reports")
        for path in folder.rglob("*.py")
        if "tests" not in path.parts
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    )
    assert sizes[len(sizes) // 2] <= 8
    assert sizes[len(sizes) * 9 // 10] <= 20
