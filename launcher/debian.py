# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Odoo 19 from Debian's packages, unpacked without root and without touching the machine.

The mirror and the keyring are the machine's own; only the suites are ours, in an apt
folder of ours. apt checks the signatures. `debian.lock` says what was tested.
"""

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import files, paths, process, ui
from .errors import Stop

LOCK = paths.LAUNCHER / "debian.lock"
SERIES = {"odoo-19": "19.0."}  # a newer version outside its series is never taken
OWN_ODOO = "Or name an Odoo 19 of yours: CTAI_ODOO=/path/to/odoo ./ctai ..."
# Removed by Debian for its licence; without a file there the web client logs an error.
STUB = "usr/lib/python3/dist-packages/odoo/addons/mail/static/lib/selfie_segmentation"
DIST_PACKAGES = "usr/lib/python3/dist-packages"
MARKER = ".complete.json"


@dataclass(frozen=True)
class Package:
    """One line of the lock file."""

    name: str
    version: str
    suite: str
    sha256: str


def locked():
    """Return the packages of the lock file."""
    lines = LOCK.read_text(encoding="utf-8").splitlines()
    return [Package(*line.split()) for line in lines if line and not line.startswith("#")]


def complete():
    """Tell what the unpacked Odoo was made from, or None when it has to be made."""
    made = json.loads(files.read(paths.ODOO_TREE / MARKER) or "{}")
    return made if made.get("lock") == files.digest(LOCK) else None


def prepare():
    """Make the Odoo tree, unless it is there."""
    if complete():
        return
    debs, moved = [], {}
    for package, deb, version in _collect(locked()):
        debs.append(deb)
        if version != package.version:
            moved[package.name] = [package.version, version]
    side = paths.STATE / "odoo.new"
    with ui.Step("Clear away an unfinished Odoo"):
        files.remove(side)
    side.mkdir(parents=True)
    for deb in sorted(debs, key=lambda path: path.stat().st_size):
        # 1 GB: the only one worth a word is the last.
        process.run(
            ["dpkg-deb", "-x", deb, side], f"Unpack {deb.parent.name}", paths.LOGS / "unpack.log"
        )
    stub = side / STUB / "selfie_segmentation.js"
    stub.parent.mkdir(parents=True, exist_ok=True)
    stub.touch()
    _refuse_broken_links(side)
    made = {"lock": files.digest(LOCK), "moved": moved}
    files.write(side / MARKER, json.dumps(made))
    with ui.Step("Clear away the Odoo of before"):
        files.remove(paths.ODOO_TREE)
    os.rename(side, paths.ODOO_TREE)


def _refuse_broken_links(tree):
    for folder, folders, names in os.walk(tree):
        for name in folders + names:
            path = Path(folder, name)
            if path.is_symlink() and not path.exists():
                raise Stop(
                    f"The unpacked Odoo lacks {os.readlink(path)}: a Debian package changed.",
                    "Check launcher/debian.lock. " + OWN_ODOO,
                )


# --- downloads -----------------------------------------------------------------------


def _collect(packages):
    """Yield (package, its file in the cache, its version), downloading what is missing."""
    wanted = [package for package in packages if not cached(package)]
    suites = {}
    if wanted:
        _refuse_without_tools()
        for name in sorted({package.suite for package in wanted}):
            suites[name] = Suite(name)
            suites[name].update()
    for package in packages:
        deb = cached(package)
        if deb:
            yield package, deb, package.version
        else:
            yield (package, *suites[package.suite].fetch(package))


def _cache_path(name, sha256):
    # The name is the parent folder, so that a person can find his way in there.
    return paths.cache() / "debs" / name / f"{sha256}.deb"


def cached(package):
    deb = _cache_path(package.name, package.sha256)
    if deb.exists() and files.sha256(deb) == package.sha256:
        return deb
    return None


def _refuse_without_tools():
    missing = [tool for tool in ("apt-get", "apt-cache", "dpkg-deb") if not shutil.which(tool)]
    if missing:
        raise Stop(
            f"Odoo comes from Debian's packages, and this machine has no {missing[0]}.",
            "Use a Debian-family machine. " + OWN_ODOO,
        )


def mirror():
    """Return the address of the machine's own Debian mirror, or None."""
    printed = process.output(
        ["apt-get", "indextargets", "--no-release-info", "--format", "$(REPO_URI) $(COMPONENT)"]
    )
    found = [line.split() for line in (printed or "").splitlines()]
    for address, component in (words for words in found if len(words) == 2):
        if component == "main" and re.search(r"/debian/?$", address):
            return address
    return None


def keyring():
    """Return the machine's keyring of Debian, or None."""
    folder = Path("/usr/share/keyrings")
    for name in ("gpg", "pgp", "asc"):
        if (folder / f"debian-archive-keyring.{name}").exists():
            return folder / f"debian-archive-keyring.{name}"
    sources = [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*")]
    for source in sources:
        for path in re.findall(r"signed-by[=:]\s*(/[^\]\s]+)", files.read(source), re.I):
            if "debian" in path and Path(path).exists():
                return Path(path)
    return None


class Suite:
    """One suite of Debian seen through an apt folder of our own."""

    def __init__(self, name):
        self.name = name
        self.home = paths.STATE / "apt" / name
        source = self.home / "sources.list"
        self.options = [
            f"-oDir::Etc::sourcelist={source}",
            "-oDir::Etc::sourceparts=-",
            # Neither the machine's pins nor what it has installed may choose for us.
            "-oDir::Etc::preferences=-",
            "-oDir::Etc::preferencesparts=-",
            "-oDir::State::status=/dev/null",
            f"-oDir::State::lists={self.home / 'lists'}",
            f"-oDir::State={self.home}",
            f"-oDir::Cache={self.home / 'cache'}",
            "-oAPT::Get::List-Cleanup=false",
            "-oAcquire::Languages=none",
            "-oAcquire::Retries=2",
            "-oAcquire::http::Timeout=30",
        ]
        if os.geteuid() == 0:
            # apt's own user may not enter the folder of the checkout.
            self.options.append("-oAPT::Sandbox::User=root")

    def update(self):
        """Get the signed list of packages."""
        address, ring = mirror(), keyring()
        if not address or not ring:
            lacking = "has no Debian mirror" if not address else "lacks Debian's keyring"
            raise Stop(
                f"Odoo comes from Debian's packages, and this machine {lacking} in its apt"
                " settings.",
                "Use a Debian machine. " + OWN_ODOO,
            )
        for folder in ("lists/partial", "cache/archives/partial"):
            (self.home / folder).mkdir(parents=True, exist_ok=True)
        files.write(
            self.home / "sources.list", f"deb [signed-by={ring}] {address} {self.name} main\n"
        )
        process.run(
            ["apt-get", *self.options, "-oAPT::Update::Error-Mode=any", "update"],
            f"Read Debian's list of packages ({self.name})",
            paths.LOGS / "apt.log",
            on_error=_no_mirror,
        )

    def fetch(self, package):
        """Download a package; return its file in the cache and its version."""
        version, sha256, size = self._choose(package)
        folder = self.home / "download"
        files.remove(folder)
        folder.mkdir(parents=True)
        process.run(
            ["apt-get", *self.options, "download", f"{package.name}={version}"],
            f"Download {package.name} ({size / 1e6:.0f} MB)",
            paths.LOGS / "apt.log",
            cwd=folder,
            detail=lambda: f"{files.size(folder) / 1e6:.0f} MB",
            on_error=_no_mirror,
        )
        deb = next(folder.glob("*.deb"))
        if files.sha256(deb) != sha256:
            raise Stop(f"{deb.name} is not the file that Debian signed.", "Try again later.")
        target = _cache_path(package.name, sha256)
        target.parent.mkdir(parents=True, exist_ok=True)
        side = target.with_suffix(f".{os.getpid()}.new")
        shutil.move(deb, side)
        os.replace(side, target)
        return target, version

    def _choose(self, package):
        """Return version, hash and size of what to take: the locked one while it is there."""
        offered = self._offered(package.name)
        if package.version in offered:
            sha256, size = offered[package.version]
            if sha256 != package.sha256:
                raise Stop(
                    f"Debian's {package.name} {package.version} is not the file that was tested:"
                    f" its SHA-256 is {sha256}.",
                    "Do not use it before someone knows why. " + OWN_ODOO,
                )
            return package.version, sha256, size
        series = SERIES.get(package.name, "")
        fitting = [version for version in offered if version.startswith(series)]
        if not fitting:
            raise Stop(
                f"Debian's {self.name} no longer has {package.name} {series or package.version}"
                f" (it has: {', '.join(offered) or 'none'}).",
                "Update launcher/debian.lock. " + OWN_ODOO,
            )
        newest = fitting[0]
        for version in fitting[1:]:
            if subprocess.call(["dpkg", "--compare-versions", version, "gt", newest]) == 0:
                newest = version
        ui.warn(
            f"Debian has moved on: {package.name} is {newest} now, {package.version} was tested."
            " Going on with the one Debian signed."
        )
        return newest, *offered[newest]

    def _offered(self, name):
        shown = process.output(["apt-cache", *self.options, "show", name]) or ""
        offered = {}
        for paragraph in shown.split("\n\n"):
            fields = dict(re.findall(r"^(Version|SHA256|Size): (.*)$", paragraph, re.M))
            if len(fields) == 3:
                offered[fields["Version"]] = (fields["SHA256"], int(fields["Size"]))
        return offered


def _no_mirror(_code):
    said = re.findall(r"^[EW]: (.*)$", files.read(paths.LOGS / "apt.log"), re.M)
    # apt says what it could not fetch with the address in front: the end says why.
    why = re.sub(r"^Failed to fetch \S+\s*", "", said[0]) if said else "it said nothing"
    return Stop(
        f"Debian's mirror of this machine could not be read ({why.strip()}).",
        "Check the network or the proxy and run the same command again: what is done is kept. "
        + OWN_ODOO,
    )
