import { Component, markup, onWillStart, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { user } from "@web/core/user";
import { useService } from "@web/core/utils/hooks";
import { Layout } from "@web/search/layout";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";
import { GrantBar, envelopeBar } from "@ctai_grants/backend/envelope_bar/envelope_bar";

/** What waits for its user, and what comes: each tile opens the list that it counts. */
export class TodayPage extends Component {
    static template = "ctai_grants.TodayPage";
    static components = { GrantBar, Layout };
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.display = { controlPanel: {} };
        this.state = useState({ page: null });
        this.done = _t("Done");
        this.toDo = _t("To do");
        this.bar = envelopeBar.extractProps({ options: {} });
        onWillStart(async () => {
            this.state.page = await this.orm.call("grant.today", "get_today", []);
            // What the question mark opens, of the manual.
            const { steps } = this.state.page;
            this.display.controlPanel.manual = steps.length ? "premiere-heure.html" : "index.html";
        });
    }

    get showsSteps() {
        return this.state.page.steps.length && !this.state.page.steps_closed;
    }

    open(action) {
        // As the web client does of what a button answers: what an empty list says is HTML.
        const help = action.help && markup(action.help);
        return this.action.doAction(help ? { ...action, help } : action);
    }

    /** First steps: what each user wants to see, on whatever machine. */
    async closeSteps(closed) {
        await user.setUserSettings("grant_steps_closed", closed);
        this.state.page.steps_closed = closed;
    }

    openEnvelope(envelope) {
        return this.open({
            type: "ir.actions.act_window",
            res_model: "grant.envelope",
            res_id: envelope.id,
            views: [[false, "form"]],
        });
    }

    /** What the bar of the form reads of its record. */
    describe(envelope) {
        return {
            resModel: "grant.envelope",
            resId: envelope.id,
            context: {},
            data: { ...envelope, currency_id: { id: envelope.currency_id } },
        };
    }
}

registry.category("actions").add("ctai_grants.today", TodayPage);
