{
    "name": "CTAI Grants Reports",
    "summary": "Financial statements of grant contracts as at any date, tied to the ledger",
    "version": "19.0.1.0.0",
    "category": "Accounting/Localizations",
    "author": "CTAI Grants contributors",
    "license": "AGPL-3",
    "depends": ["ctai_grants", "spreadsheet_dashboard"],
    "external_dependencies": {"python": ["xlsxwriter"]},
    "data": [
        "security/ir.model.access.csv",
        "security/figures_rules.xml",
        "security/review_rules.xml",
        "wizards/grant_statement_wizard_views.xml",
        "views/grant_contract_views.xml",
        "views/grants_portal_templates.xml",
        # figures
        "views/figures/grant_figure_views.xml",
        "views/figures/grant_contract_steering_views.xml",
        "data/dashboards.xml",
        # review
        "report/review/annual_review.xml",
        "views/review/annual_review_templates.xml",
        "views/review/grant_annual_review_views.xml",
    ],
    "assets": {
        "web.assets_backend": ["ctai_grants_reports/static/src/steering/**/*"],
    },
}
