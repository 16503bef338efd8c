import { registry } from "@web/core/registry";
import { ListRenderer } from "@web/views/list/list_renderer";
import { listView } from "@web/views/list/list_view";
import { AsAtControlPanel } from "./as_at_control_panel";

/** Whether `domain` lets only one kind of entries through. */
function hasOneKind(domain) {
    return (
        !domain.includes("|") &&
        !domain.includes("!") &&
        domain.some((leaf) => Array.isArray(leaf) && leaf[0] === "kind" && leaf[1] === "=")
    );
}

/** Euros allocated, committed and paid do not add up: no sum over several kinds. */
export class LedgerListRenderer extends ListRenderer {
    computeAggregates() {
        const aggregates = super.computeAggregates();
        if (this.isMixed()) {
            delete aggregates.amount;
        }
        return aggregates;
    }

    formatGroupAggregate(group, column) {
        const { domain, groupBy } = this.props.list;
        const byKind = groupBy.slice(0, this.getGroupLevel(group) + 1).includes("kind");
        if (column.name === "amount" && !byKind && !hasOneKind(domain)) {
            return { value: "" };
        }
        return super.formatGroupAggregate(group, column);
    }

    isMixed() {
        const { domain, groupBy, groups, isGrouped, records, selection } = this.props.list;
        if (isGrouped && !selection.length) {
            return !hasOneKind(domain) && !(groupBy[0] === "kind" && groups.length === 1);
        }
        const lines = selection.length ? selection : records;
        return new Set(lines.map((line) => line.data.kind)).size > 1;
    }
}

registry.category("views").add("grant_ledger_list", {
    ...listView,
    ControlPanel: AsAtControlPanel,
    Renderer: LedgerListRenderer,
});
