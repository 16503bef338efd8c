import { Component, onWillStart, useState } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { Layout } from "@web/search/layout";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

/** A contract on one page: each figure opens what stands behind it. */
export class SteeringPage extends Component {
    static template = "ctai_grants_reports.SteeringPage";
    static components = { Layout };
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.display = { controlPanel: {} };
        this.state = useState({ page: null });
        const { params, context } = this.props.action;
        this.contractId = params?.contract_id || context?.active_id;
        onWillStart(async () => {
            if (this.contractId) {
                this.state.page = await this.orm.call("grant.contract", "get_steering", [
                    [this.contractId],
                ]);
                // Opened by its address, the window has no name of its own.
                this.env.config.setDisplayName(this.state.page.name);
            }
        });
    }

    open(window) {
        this.action.doAction(window);
    }

    print() {
        this.action.doAction("ctai_grants_reports.report_steering", {
            additionalContext: { active_ids: [this.contractId], active_id: this.contractId },
        });
    }

    openContract() {
        this.action.doAction({
            type: "ir.actions.act_window",
            res_model: "grant.contract",
            res_id: this.contractId,
            views: [[false, "form"]],
        });
    }
}

registry.category("actions").add("ctai_grants_reports.steering", SteeringPage);
