# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The indicators of the demonstration: targets and figures are invented, each says so."""

from freezegun import freeze_time

INVENTED = "Chiffre inventé pour la démonstration"

#: Of each subsidy its indicators: target, and the figures of its periods (None: not told).
FIGURES = {
    "coallia": {
        "people": (60, 18, 41, 57),
        "people/women": (25, 7, 17, 24),
        "sessions": (40, 9, 15, 14),
        "hours": (120, 22, 41.5, 38),
        "rights": (30, 8, 19),
    },
    "audacia": {
        "people": (16, 6, 11, 14),
        "housing": (12, 3, 9),
        "employment": (6, 2, 4),
    },
    "indigo_formation": {
        "people": (40, 21, 29, 31),
        "sessions": (60, 14, 24, 18),
        "language": (20, 0, 13),
        "satisfaction": (80, (86, 22)),
    },
    "astre_en_moi": {"people": (25, 9, 16, None), "sessions": (12, 3, 5, None)},
    "ufolep_vienne": {
        "people": (50, 15, 28, None),
        "people/women": (20, 4, 9, None),
        "sessions": (30, 2, 11, None),
    },
    "beaulieu": {"people": (40, 12, 12, 36), "sessions": (8, 1, 2, 5)},
    "toit_du_monde": {
        "people": (120, 48, 83, 112),
        "people/women": (70, 29, 51, 68),
        "sessions": (90, 21, 38, 36),
        "language": (30, 6, 21),
        "employment": (10, 3, 8),
        "rights": (60, 14, 41),
        "satisfaction": (80, (91, 64)),
    },
}


def plan(env, name, subsidy):
    """Write into a draft subsidy what its convention asks for."""
    lines = env["grant.indicator.target"].with_env(subsidy.env)
    for sequence, (key, (target, *_figures)) in enumerate(FIGURES.get(name, {}).items()):
        indicator, _separator, audience = key.partition("/")
        lines.create(
            {
                "subsidy_id": subsidy.id,
                "sequence": sequence,
                "indicator_id": env.ref(f"ctai_grants.indicator_{indicator}").id,
                "audience_id": audience and env.ref(f"ctai_grants.audience_{audience}").id,
                "target": target,
            }
        )


def tell(year):
    """Each operator tells its figures as its periods end; one corrects a figure."""
    for day in ("2022-01-14", "2022-04-15", "2022-07-15"):
        with freeze_time(day):
            for name in FIGURES:
                _tell_due(year, name)
    with freeze_time("2022-04-20"):
        subsidy = year._get_subsidy("ufolep_vienne")
        line = subsidy.indicator_target_ids[:1]
        comment = f"Corrigé : deux personnes étaient comptées deux fois. {INVENTED}"
        _enter(year, subsidy, [(line, "2021-Q4", 1, 13, None, comment)])


def _tell_due(year, name):
    subsidy = year._get_subsidy(name)
    due, rows = subsidy._get_awaited_figures(), []
    for line, (_target, *figures) in zip(
        subsidy.indicator_target_ids, FIGURES[name].values(), strict=True
    ):
        for code, figure in zip(line._get_periods(), figures, strict=True):
            if figure is not None and code in [p.code for one, p in due if one == line]:
                value, base = figure if isinstance(figure, tuple) else (figure, None)
                rows.append((line, code, 0, value, base, INVENTED))
    _enter(year, subsidy, rows)


def _enter(year, subsidy, rows):
    keys = ("target", "period", "known", "value", "base", "comment")
    operator = year._get_operator(subsidy.partner_id)
    errors = subsidy.with_user(operator)._enter_figures(
        [dict(zip(keys, row, strict=True)) for row in rows]
    )
    if errors:
        raise AssertionError(errors)
