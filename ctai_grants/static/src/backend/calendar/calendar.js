import { deserializeDate, serializeDate } from "@web/core/l10n/dates";
import { registry } from "@web/core/registry";
import { CalendarModel } from "@web/views/calendar/calendar_model";
import { calendarView } from "@web/views/calendar/calendar_view";

const { DateTime } = luxon;

/** A calendar of days that opens where there is something: on what comes next, else on what was last. */
export class GrantCalendarModel extends CalendarModel {
    async load(params = {}) {
        if (!this.meta.date && !params.date && !params.context?.initial_date) {
            params = { ...params, date: await this.findDate({ ...this.meta, ...params }) };
        }
        return super.load(params);
    }

    async findDate({ resModel, domain, context, fieldMapping }) {
        const today = DateTime.local().startOf("day");
        const field = fieldMapping.date_start;
        for (const [operator, order] of [
            [">=", "asc"],
            ["<", "desc"],
        ]) {
            const [found] = await this.orm.searchRead(
                resModel,
                [...(domain || []), [field, operator, serializeDate(today)]],
                [field],
                { context, limit: 1, order: `${field} ${order}` }
            );
            if (found) {
                return deserializeDate(found[field]);
            }
        }
        return today;
    }
}

registry.category("views").add("grant_calendar", { ...calendarView, Model: GrantCalendarModel });
