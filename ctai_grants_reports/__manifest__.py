{
    "name": "CTAI Grants Reports",
    "summary": "Financial statements of grant contracts as at any date, tied to the ledger",
    "version": "19.0.1.0.0",
    "category": "Accounting/Localizations",
    "author": "CTAI Grants contributors",
    "license": "AGPL-3",
    "depends": ["ctai_grants"],
    "external_dependencies": {"python": ["xlsxwriter"]},
    "data": [
        "security/ir.model.access.csv",
        "wizards/grant_statement_wizard_views.xml",
        # Statements that are issued
        "security/grant_statement_rules.xml",
        "data/ir_sequence_data.xml",
        "views/statement/grant_statement_views.xml",
        "views/statement/statement_mail_templates.xml",
        "views/grant_contract_views.xml",
        "views/grants_portal_templates.xml",
        "views/statement/portal_statement_templates.xml",
    ],
}
