{
    "name": "CTAI Grants Reports",
    "summary": "Financial statements of grant contracts as at any date, tied to the ledger",
    "version": "19.0.1.6.0",
    "category": "Accounting/Localizations",
    "author": "CTAI Grants contributors",
    "license": "AGPL-3",
    "depends": ["ctai_grants", "spreadsheet_dashboard"],
    "external_dependencies": {
        "python": [
            "openpyxl",
            "pypdfium2",
            "qrcode",
            "requests",
            "rfc3161-client",
            "xlsxwriter",
            "zxing-cpp",
        ]
    },
    "data": [
        "security/ir.model.access.csv",
        # Documents.
        "security/documents_rules.xml",
        "report/documents/documents_reports.xml",
        "views/documents/documents_views.xml",
        "wizards/documents/grant_scan_upload_views.xml",
        # Letters
        "data/mail_template_data.xml",
        "views/documents/grant_letter_views.xml",
        # Statements as at any date.
        "wizards/grant_statement_wizard_views.xml",
        # The annex, the certified accounts, the cash plan and the end of the year.
        "security/accounts_rules.xml",
        "views/accounts/grant_annex_line_views.xml",
        "views/accounts/grant_certified_accounts_views.xml",
        "views/accounts/grant_year_end_line_views.xml",
        "views/accounts/grant_cash_views.xml",
        "wizards/accounts/grant_accounts_wizard_views.xml",
        # Open data.
        "security/open_data_rules.xml",
        "wizards/open_data/grant_publication_wizard_views.xml",
        "wizards/open_data/grant_publication_report_views.xml",
        "wizards/open_data/grant_award_upload_views.xml",
        "views/open_data/grant_publication_line_views.xml",
        "views/open_data/grant_publication_views.xml",
        "views/open_data/grant_award_import_views.xml",
        "views/open_data/grant_subsidy_views.xml",
        "views/open_data/res_config_settings_views.xml",
        # Statements that are issued.
        "security/grant_statement_rules.xml",
        "data/ir_sequence_data.xml",
        "data/ir_cron_data.xml",
        "views/statement/grant_statement_views.xml",
        "views/statement/statement_mail_templates.xml",
        "views/statement/res_config_settings_views.xml",
        "views/statement/grant_statement_matrix_views.xml",
        "views/grant_contract_views.xml",
        "views/grants_portal_templates.xml",
        "views/statement/portal_statement_templates.xml",
        # Figures, dashboard, steering.
        "security/figures_rules.xml",
        "views/figures/grant_figure_views.xml",
        "views/figures/grant_contract_steering_views.xml",
        "data/dashboards.xml",
        # The annual review.
        "security/review_rules.xml",
        "report/review/annual_review.xml",
        "views/review/annual_review_templates.xml",
        "views/review/grant_annual_review_views.xml",
    ],
    "assets": {
        "web.assets_backend": [
            "ctai_grants_reports/static/src/manual/**/*",
            "ctai_grants_reports/static/src/steering/**/*",
        ],
    },
}
