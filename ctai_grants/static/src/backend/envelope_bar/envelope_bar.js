import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { formatMonetary, formatPercentage } from "@web/views/fields/formatters";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

/**
 * How far the money of an envelope, or of a subsidy, has come: one bar whose
 * lengths share one origin and one scale, and the same figures in words.
 * Each figure opens the ledger lines it is the sum of.
 */
export class GrantBar extends Component {
    static template = "ctai_grants.GrantBar";
    static props = {
        ...standardWidgetProps,
        wholes: { type: Array, element: Object },
        figures: { type: Array, element: Object },
        compact: { type: Boolean, optional: true },
    };

    setup() {
        this.action = useService("action");
    }

    /** What is 100 %: the first of the candidates that is not zero. */
    get whole() {
        const data = this.props.record.data;
        const { wholes } = this.props;
        const whole = wholes.find(({ name }) => data[name]) || wholes[0];
        return this.describe(whole, data[whole.name]);
    }

    get figures() {
        const data = this.props.record.data;
        const whole = data[this.whole.name];
        return this.props.figures
            .filter(({ hidden }) => !hidden?.(data))
            .filter(({ planned }) => planned || this.whole.kind)
            .map((figure) => this.describe(figure, data[figure.name], whole));
    }

    get bars() {
        return this.figures.filter(({ bar }) => bar);
    }

    /** The whole bar in one sentence, for those who cannot see it. */
    get sentence() {
        return [this.whole, ...this.figures]
            .map(({ label, text, share }) => (share ? `${label}: ${text} (${share})` : `${label}: ${text}`))
            .join("; ");
    }

    describe(figure, value, whole = 0) {
        const data = this.props.record.data;
        // The amount is the ledger's; a share is of what was not paid back.
        const net = value - ((figure.less && data[figure.less]) || 0);
        const ratio = whole ? net / whole : 0;
        const before = (figure.after && data[figure.after]) || 0;
        return {
            ...figure,
            label: figure.label(),
            text: formatMonetary(value, { data }),
            share: whole ? formatPercentage(ratio, { digits: [16, 0] }) : "",
            width: whole ? Math.max(0, Math.min(100, ((before + net) / whole) * 100)) : 0,
            zero: !value,
        };
    }

    open({ method, kind }) {
        const { resModel, resId, context } = this.props.record;
        if (!resId) {
            return;
        }
        return this.action.doActionButton({
            type: "object",
            name: method || "action_view_entries",
            resModel,
            resId,
            resIds: [resId],
            context: { ...context },
            buttonContext: kind ? { entry_kind: kind } : {},
        });
    }
}

const monetary = (name) => ({ name, type: "monetary" });
const CURRENCY = { name: "currency_id", type: "many2one", relation: "res.currency" };

const committed = { name: "committed_amount", label: () => _t("Committed"), kind: "commitment", bar: true };
const paid = {
    name: "paid_amount",
    label: () => _t("Paid"),
    kind: "payment",
    bar: true,
    less: "recovered_amount",
};
const justified = { name: "justified_amount", label: () => _t("Justified"), kind: "justification", bar: true };
const recovered = {
    name: "recovered_amount",
    label: () => _t("Recovered"),
    kind: "recovery",
    hidden: (data) => !data.recovered_amount,
};

export const envelopeBar = {
    component: GrantBar,
    extractProps: ({ options }) => ({
        compact: Boolean(options.compact),
        wholes: [
            { name: "allocated_amount", label: () => _t("Allocated"), kind: "allocation" },
            { name: "amount", label: () => _t("Planned, not in force yet") },
        ],
        figures: [
            {
                name: "received_amount",
                label: () => _t("Received"),
                kind: "receipt",
                apart: true,
                hidden: (data) => data.payment_path === "direct",
            },
            committed,
            paid,
            justified,
            { name: "available_amount", label: () => _t("Available"), rest: true },
            recovered,
            {
                name: "draft_amount",
                label: () => _t("In preparation"),
                method: "action_view_subsidies",
                bar: true,
                after: "committed_amount",
                planned: true,
                hidden: (data) => !data.draft_amount,
            },
        ],
    }),
    fieldDependencies: [
        CURRENCY,
        { name: "payment_path", type: "selection" },
        ...[
            "amount",
            "allocated_amount",
            "received_amount",
            "committed_amount",
            "paid_amount",
            "justified_amount",
            "recovered_amount",
            "draft_amount",
            "available_amount",
        ].map(monetary),
    ],
};

export const subsidyBar = {
    component: GrantBar,
    extractProps: ({ options }) => ({
        compact: Boolean(options.compact),
        wholes: [
            { name: "committed_amount", label: () => _t("Committed"), kind: "commitment" },
            { name: "amount", label: () => _t("Amount") },
        ],
        figures: [
            paid,
            justified,
            recovered,
            { name: "to_pay_amount", label: () => _t("To pay"), rest: true },
        ],
    }),
    fieldDependencies: [
        CURRENCY,
        ...[
            "amount",
            "committed_amount",
            "paid_amount",
            "justified_amount",
            "recovered_amount",
            "to_pay_amount",
        ].map(monetary),
    ],
};

registry.category("view_widgets").add("grant_envelope_bar", envelopeBar);
registry.category("view_widgets").add("grant_subsidy_bar", subsidyBar);
