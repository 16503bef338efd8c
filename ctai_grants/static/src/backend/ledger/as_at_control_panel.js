import { _t } from "@web/core/l10n/translation";
import { DateTimeInput } from "@web/core/datetime/datetime_input";
import { deserializeDate, formatDate, serializeDate } from "@web/core/l10n/dates";
import { ControlPanel } from "@web/search/control_panel/control_panel";

/**
 * Control panel of the ledger: a date beside the search bar, "as at" which
 * the entries are taken. It drives the search view's own field on the date,
 * so that the choice shows as a facet, and stays from one view to the next
 * and in favourites.
 */
export class AsAtControlPanel extends ControlPanel {
    static template = "ctai_grants.AsAtControlPanel";
    static components = { ...ControlPanel.components, DateTimeInput };

    get asAtItem() {
        return Object.values(this.env.searchModel.searchItems).find(
            (item) => item.type === "field" && item.fieldName === "date"
        );
    }

    get asAt() {
        const item = this.asAtItem;
        const dates = this.env.searchModel.query
            .filter(({ searchItemId }) => searchItemId === item?.id)
            .map(({ autocompleteValue }) => autocompleteValue.value);
        return dates.length ? deserializeDate(dates.sort()[0]) : false;
    }

    onAsAtChange(date) {
        const { searchModel } = this.env;
        const item = this.asAtItem;
        searchModel.deactivateGroup(item.groupId);
        if (date) {
            searchModel.addAutoCompletionValues(item.id, {
                value: serializeDate(date),
                label: formatDate(date),
                operator: "<=",
            });
        }
    }

    get asAtPlaceholder() {
        return _t("Today");
    }
}
