# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""`./ctai bench`: runs the measures of bench/ on a database made for them."""

import json
from pathlib import Path

from . import databases, files, odoo, paths, process, ui, workshop
from .errors import Stop


def bench(options):
    """Run one bench or all of them, and write their results as one JSON file."""
    found = {path.stem: path for path in sorted((paths.ROOT / "bench").glob("[a-z]*.py"))}
    names = [options.name] if options.name else list(found)
    if not names or names[0] not in found:
        raise Stop(
            f"There is no bench {options.name or ''}".rstrip() + ".",
            f"There are: {', '.join(found) or 'none'}.",
            code=2,
        )
    target = Path(options.json).absolute()
    target.parent.mkdir(parents=True, exist_ok=True)
    results = {}
    with files.Lock(paths.STATE / "bench.lock").alone("Wait for another ./ctai bench"):
        with workshop.running() as server:
            with workshop.lock():
                databases.install(server, databases.BENCH, paths.LOGS / "bench-install.log")
            for name in names:
                results[name] = _measure(server, name, found[name], options.full)
            databases.drop(server, databases.BENCH)
    # One bench keeps its own form; several are put side by side under their names.
    merged = results[names[0]] if options.name else results
    files.write(target, json.dumps(merged, indent=2, ensure_ascii=False) + "\n")


def _measure(server, name, script, full):
    part = paths.STATE / f"bench-{name}.json"
    files.remove(part)
    ui.note(f"== {name}")
    words = [paths.PYTHON, script, "--json", part, *(["--full"] if full else [])]
    env = odoo.variables(server, databases.BENCH)
    code = process.start(words, env=env, cwd=paths.ROOT)
    if code or not part.exists():
        raise Stop(f"The bench {name} failed (code {code}).")
    return json.loads(files.read(part))
