# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What the tests of the whole system share. Odoo is imported by those that need it alone: the
tests of the tree run without."""

import os

import pytest

#: `./ctai test --long`: what is tried a few times in every run is tried thousands of times.
LONG = bool(os.environ.get("CTAI_LONG"))
COUNTS = []


@pytest.fixture(scope="session")
def long():
    """Whether this is the long form."""
    return LONG


@pytest.fixture
def tell():
    """Say what was counted, at the end of the run: also when all is well."""
    return COUNTS.append


@pytest.fixture
def progress(request):
    """Say how far the long form is, while it lasts: the launcher shows the last line."""
    plugins = request.config.pluginmanager
    capture, reporter = plugins.getplugin("capturemanager"), plugins.getplugin("terminalreporter")

    def say(text):
        if LONG:
            with capture.global_and_fixture_disabled():
                reporter.ensure_newline()
                reporter.write_line(text)
                reporter.flush()

    return say


def pytest_terminal_summary(terminalreporter):
    """Print the counts, which pytest would keep for itself when all is well."""
    if COUNTS:
        terminalreporter.section("counted")
        for line in COUNTS:
            terminalreporter.line(line)


@pytest.fixture(scope="session")
def database():
    """A copy of the test database, to commit to."""
    from clients import copied_database

    with copied_database() as name:
        yield name


@pytest.fixture(scope="session")
def workers(database):
    """Eight clients of it."""
    from clients import started_workers

    with started_workers(database) as workers:
        yield workers


@pytest.fixture(scope="session")
def city(workers):
    """The city that they work for."""
    from clients import City

    return City(workers)


@pytest.fixture(scope="module")
def clicks(city):
    """What there is to click on."""
    from hands import set_clicks

    return set_clicks(city)


@pytest.fixture(scope="module")
def hand(database, clicks, tmp_path_factory):
    """Who clicks."""
    from hands import open_hand

    with open_hand(database, clicks["login"], tmp_path_factory.mktemp("clicks")) as hand:
        yield hand
