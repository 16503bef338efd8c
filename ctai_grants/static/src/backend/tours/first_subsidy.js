import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";

const FIELD = ".o_form_view .o_field_widget";
const CHOICE = ".o-autocomplete--dropdown-item:not(.o_m2o_dropdown_option) a:not(.o_loading)";

/** Choose what is there already, whatever its name. */
const choose = (name, content) => [
    {
        trigger: `${FIELD}[name=${name}] input`,
        content,
        tooltipPosition: "bottom",
        run: "click",
    },
    { isActive: ["auto"], trigger: `${FIELD}[name=${name}] ${CHOICE}`, run: "click" },
];

/** From the menu to a draft with its schedule, for who enters the first one (user menu: Onboarding). */
registry.category("web_tour.tours").add("grants_first_subsidy", {
    url: "/odoo/grants-today",
    steps: () => [
        {
            trigger: "button[data-menu-xmlid='ctai_grants.menu_follow_up']",
            content: _t("Subsidies are followed here, from the award to the closing."),
            tooltipPosition: "bottom",
            run: "click",
        },
        {
            trigger: "a[data-menu-xmlid='ctai_grants.menu_subsidies']",
            content: _t("Open the list of all subsidies."),
            tooltipPosition: "right",
            run: "click",
        },
        {
            trigger: ".o_list_button_add",
            content: _t("Enter the first one: what one operator gets from one envelope."),
            tooltipPosition: "bottom",
            run: "click",
        },
        {
            trigger: `${FIELD}[name=name] textarea, ${FIELD}[name=name] input`,
            content: _t("What it is for, in a few words."),
            tooltipPosition: "bottom",
            run: "edit Workshops",
        },
        ...choose("partner_id", _t("Who gets it. An operator that is not there yet is made here.")),
        ...choose("envelope_id", _t("Which money of the State it comes from.")),
        {
            trigger: `${FIELD}[name=amount] input`,
            content: _t("How much, in euros."),
            tooltipPosition: "bottom",
            run: "edit 1000",
        },
        {
            trigger: ".o_form_button_save",
            content: _t(
                "Save the draft. Then apply a schedule template, grant it when the council has decided, sign it: its amount is committed."
            ),
            tooltipPosition: "bottom",
            run: "click",
        },
        { isActive: ["auto"], trigger: ".o_form_saved" },
    ],
});
