# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Odoo 19 from Debian's packages, unpacked without root and without touching the machine.

The mirror and the keyring are the machine's own; only the suites are ours, in an apt
folder of ours. apt checks the signatures. `debian.lock` says what was tested.
"""

import json
import os
import re
import shutil
from collections import namedtuple
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
#: ClamAV's daemon, for the tests: of this machine's kind of processor, so not in the lock file;
#: apt checks what Debian signed.
CLAMD = ("clamav-daemon", "libclamav12", "libmspack0")
CLAMD_SUITE = "bookworm"


#: One line of the lock file.
Package = namedtuple("Package", "name version suite sha256")


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
    fetched = fetch(locked())
    side = paths.STATE / "odoo.new"
    with ui.step("Clear away an unfinished Odoo"):
        files.remove(side)
    side.mkdir(parents=True)
    for package, deb, _version in fetched:
        _unpack(package.name, deb, side)
    stub = side / STUB / "selfie_segmentation.js"
    stub.parent.mkdir(parents=True, exist_ok=True)
    stub.touch()
    for path in side.rglob("*"):
        if path.is_symlink() and not path.exists():
            raise Stop(
                f"The unpacked Odoo lacks {os.readlink(path)}: a Debian package changed.",
                "Check launcher/debian.lock. " + OWN_ODOO,
            )
    moved = {
        package.name: [package.version, version]
        for package, _deb, version in fetched
        if version != package.version
    }
    files.write(side / MARKER, json.dumps({"lock": files.digest(LOCK), "moved": moved}))
    with ui.step("Clear away the Odoo of before"):
        files.remove(paths.ODOO_TREE)
    os.rename(side, paths.ODOO_TREE)


def prepare_clamd():
    """Unpack the daemon of ClamAV for the tests, unless it is there or Debian cannot be had."""
    tree = paths.STATE / "clamd"
    if tree.exists():
        return
    side = paths.STATE / "clamd.new"
    files.remove(side)
    try:
        suite = Suite(CLAMD_SUITE)
        suite.update()
        for name in CLAMD:
            deb = suite.fetch_newest(name)
            _unpack(name, deb, side)
    except Stop as stop:
        ui.note(f"No clamd for the tests: {stop}")
        return
    os.rename(side, tree)


def _unpack(name, deb, side):
    # Only Odoo itself, of 1 GB, takes long enough for a word. Interrupted, the programs that
    # dpkg-deb starts end with it: they would hold our lock.
    log = paths.LOGS / "unpack.log"
    process.run(["dpkg-deb", "-x", deb, side], f"Unpack {name}", log, start_new_session=True)


# --- downloads -----------------------------------------------------------------------


def fetch(packages):
    """Return (package, its file in the cache, its version) of each, downloading what is missing."""
    suites = {}
    fetched = []
    for package in packages:
        deb, version = cached(package), package.version
        if not deb:
            if package.suite not in suites:
                suites[package.suite] = Suite(package.suite)
                suites[package.suite].update()
            deb, version = suites[package.suite].fetch(package)
        fetched.append((package, deb, version))
    return fetched


def _cache_path(name, sha256):
    # The name is the parent folder, so that a person can find his way in there.
    return paths.cache() / "debs" / name / f"{sha256}.deb"


def cached(package):
    """Return the file of a package that was downloaded before, or None."""
    deb = _cache_path(package.name, package.sha256)
    return deb if deb.exists() and files.sha256(deb) == package.sha256 else None


def refuse_without_tools():
    """Stop when this machine has not what it takes to get Odoo from Debian."""
    missing = [tool for tool in ("apt-get", "apt-cache", "dpkg-deb") if not shutil.which(tool)]
    missing += [] if missing or mirror() else ["Debian mirror in its apt settings"]
    missing += [] if missing or keyring() else ["keyring of Debian"]
    if missing:
        raise Stop(
            f"Odoo comes from Debian's packages, and this machine has no {missing[0]}.",
            "Use a Debian machine. " + OWN_ODOO,
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
    found = sorted(Path("/usr/share/keyrings").glob("debian-archive-keyring.*"))
    for source in [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*")]:
        named = re.findall(r"signed-by[=:]\s*(/[^\]\s]+)", files.read(source), re.I)
        found += [Path(name) for name in named if "debian" in name and Path(name).exists()]
    return found[0] if found else None


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
        refuse_without_tools()
        for folder in ("lists/partial", "cache/archives/partial"):
            (self.home / folder).mkdir(parents=True, exist_ok=True)
        files.write(
            self.home / "sources.list",
            f"deb [signed-by={keyring()}] {mirror()} {self.name} main\n",
        )
        self._get(f"Read Debian's list of packages ({self.name})", "update")

    def fetch(self, package):
        """Download a package, whose signed hash apt checks; return its file and its version."""
        version, sha256, size = self._choose(package)
        return self._download(package.name, version, sha256, size), version

    def fetch_newest(self, name):
        """Download the newest version of a package; return its file."""
        offered = self._offered(name)
        if not offered:
            raise Stop(f"Debian's {self.name} has no {name}.", "Tests of it are skipped.")
        version = next(iter(offered))
        return self._download(name, version, *offered[version])

    def _download(self, name, version, sha256, size):
        target = _cache_path(name, sha256)
        if target.exists() and files.sha256(target) == sha256:
            return target
        folder = target.parent / f"{os.getpid()}.new"
        files.remove(folder)
        folder.mkdir(parents=True)
        title = f"Download {name} ({size / 1e6:.0f} MB)"
        self._get(title, "download", f"{name}={version}", cwd=folder)
        os.replace(next(folder.glob("*.deb")), target)
        folder.rmdir()
        return target

    def _get(self, title, *words, cwd=None):
        log = paths.LOGS / "apt.log"
        words = ["apt-get", *self.options, "-oAPT::Update::Error-Mode=any", *words]
        process.run(words, title, log, cwd=cwd, on_error=_no_mirror)

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
        newest = fitting[0]  # apt shows the newest first
        ui.note(
            f"WARNING: Debian has moved on: {package.name} is {newest} now, {package.version} was"
            " tested. Going on with the one Debian signed."
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


def _no_mirror(text):
    said = re.findall(r"^[EW]: (.*)$", text, re.M)
    # apt says what it could not fetch with the address in front: the end says why.
    why = re.sub(r"^Failed to fetch \S+\s*", "", said[0]) if said else "it said nothing"
    return Stop(
        f"Debian's mirror of this machine could not be read ({why.strip()}).",
        "Check the network or the proxy and run the same command again: what is done is kept. "
        + OWN_ODOO,
    )
