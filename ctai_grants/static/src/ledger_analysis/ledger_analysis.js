import { registry } from "@web/core/registry";
import { graphView } from "@web/views/graph/graph_view";
import { PivotModel } from "@web/views/pivot/pivot_model";
import { pivotView } from "@web/views/pivot/pivot_view";
import { AsAtControlPanel } from "@ctai_grants/backend/ledger/as_at_control_panel";

/** With one column for each kind, no column of their sums. */
export class LedgerPivotModel extends PivotModel {
    _getTableHeaders() {
        const headers = super._getTableHeaders();
        const first = headers[0];
        if (this.metaData.fullColGroupBys.includes("kind") && first.length > 2) {
            const total = first.pop();
            headers.at(-1).splice(-total.width);
        }
        return headers;
    }
}

const viewRegistry = registry.category("views");
viewRegistry.add("grant_ledger_pivot", {
    ...pivotView,
    ControlPanel: AsAtControlPanel,
    Model: LedgerPivotModel,
});
viewRegistry.add("grant_ledger_graph", { ...graphView, ControlPanel: AsAtControlPanel });
