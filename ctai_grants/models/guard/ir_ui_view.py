from odoo import models


class IrUiView(models.Model):
    _inherit = "ir.ui.view"

    def _postprocess_tag_field(self, node, name_manager, node_info):
        """Dates of our documents with their year: Odoo leaves out the one that runs, and these are
        read, printed and photographed for years."""
        result = super()._postprocess_tag_field(node, name_manager, node_info)
        model = name_manager.model
        field = model._fields.get(node.get("name"))
        if field and field.type in ("date", "datetime") and model._name.startswith("grant."):
            options = node.get("options", "").strip().removeprefix("{").removesuffix("}")
            if "numeric" not in options:
                options = ", ".join(filter(None, ("'numeric': True", options)))
                node.set("options", f"{{{options}}}")
        return result

    def _postprocess_tag_form(self, node, name_manager, node_info):
        """Forms and lists of our documents are known by their class: their steps, tabs and
        headings stay in sight (``grants.scss``)."""
        result = super()._postprocess_tag_form(node, name_manager, node_info)
        if name_manager.model._name.startswith("grant."):
            node.set("class", f"{node.get('class', '')} o_grant_screen".strip())
        return result
