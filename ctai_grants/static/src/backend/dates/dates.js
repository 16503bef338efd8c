import { useEffect } from "@odoo/owl";
import { areDatesEqual } from "@web/core/l10n/dates";
import { localization } from "@web/core/l10n/localization";
import { registry } from "@web/core/registry";
import { patch } from "@web/core/utils/patch";
import { DateTimeField } from "@web/views/fields/datetime/datetime_field";
import { RemainingDaysField } from "@web/views/fields/remaining_days/remaining_days_field";

// As all dates of our documents (ir_ui_view.py): with their year, also when it is the one that runs.
patch(RemainingDaysField.prototype, {
    get formattedValue() {
        const ours = this.props.record.resModel.startsWith("grant.");
        return ours ? this.numericValue : super.formattedValue;
    },
});

// Times with them: by the minute, unless a view asks for seconds; Odoo's numbers always have them.
const formatters = registry.category("formatters");
const formatAsOdoo = formatters.get("datetime");

function formatDateTime(value, options = {}) {
    const isShort = options.numeric && !options.showSeconds && options.showTime !== false;
    const format = localization.dateTimeFormat.replace(/\W?ss/, "");
    return formatAsOdoo(value, isShort ? { format, ...options } : options);
}
formatDateTime.extractOptions = formatAsOdoo.extractOptions;
formatters.add("datetime", formatDateTime, { force: true });

// Where the server is asked what a day changes, Odoo's field can go on showing the day of before
// while the new one is saved: its calendar closes before the answer, and takes what comes for known.
patch(DateTimeField.prototype, {
    setup() {
        super.setup();
        const follow = () => {
            const value = this.getRecordValue();
            if (!this.picker.activeInput && !areDatesEqual(this.state.value, value)) {
                this.state.value = value;
            }
        };
        useEffect(follow, () => [String(this.getRecordValue())]);
    },

    getFormattedValue(valueIndex, numeric = this.props.numeric) {
        const value = this.values[valueIndex];
        const { showSeconds, showTime } = this.props;
        return value && this.field.type === "datetime" && numeric && showTime
            ? formatDateTime(value, { numeric, showSeconds })
            : super.getFormattedValue(...arguments);
    },
});
