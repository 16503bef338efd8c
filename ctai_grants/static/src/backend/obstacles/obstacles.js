import { Component, useRef } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

/** What prevents an act, a sentence each, with the button to what lifts it (obstacle.py). */
export class ObstaclesField extends Component {
    static template = "ctai_grants.Obstacles";
    static props = { ...standardFieldProps };

    setup() {
        this.action = useService("action");
        this.root = useRef("root");
    }

    get obstacles() {
        return this.props.record.data[this.props.name] || [];
    }

    getLabel({ field }) {
        return field ? _t("Go There") : _t("Open It");
    }

    async lift({ field, action }) {
        if (field) {
            return this.goTo(field);
        }
        const { root } = this.props.record.model;
        // What is typed is kept, and is what the window shows.
        if (await root.save()) {
            await this.action.doAction(action, { onClose: () => root.load() });
        }
    }

    /** Put the cursor in a field of this form, on whichever of its pages that is. */
    async goTo(name) {
        const form = this.root.el.closest(".o_form_view");
        const nodes = [...this.env.config.viewArch.querySelectorAll(`field[name="${name}"]`)];
        // Lists in it have fields of their own, and some names are theirs too.
        const page = nodes.find((node) => !node.parentElement.closest("field"))?.closest("page");
        if (page) {
            form.querySelector(`.o_notebook .nav-link[name="${page.getAttribute("name")}"]`)?.click();
            await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
        }
        // The end of a period is entered in the field of its start.
        const end = form.querySelector(`input[data-field="${name}"]`);
        const field = end || form.querySelector(`.o_field_widget[name="${name}"]`);
        field?.scrollIntoView({ block: "center" });
        const inputs = "input, textarea, .o_field_x2many_list_row_add a, button";
        (end || field?.querySelector(inputs))?.focus();
    }
}

registry.category("fields").add("grant_obstacles", {
    component: ObstaclesField,
    supportedTypes: ["json"],
});
