import { patch } from "@web/core/utils/patch";
import { RemainingDaysField } from "@web/views/fields/remaining_days/remaining_days_field";

// As all dates of our documents (ir_ui_view.py): with their year, also when it is the one that runs.
patch(RemainingDaysField.prototype, {
    get formattedValue() {
        const ours = this.props.record.resModel.startsWith("grant.");
        return ours ? this.numericValue : super.formattedValue;
    },
});
