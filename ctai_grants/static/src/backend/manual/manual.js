import { registry } from "@web/core/registry";
import { patch } from "@web/core/utils/patch";
import { ControlPanel } from "@web/search/control_panel/control_panel";

const chapters = registry.category("grants_manual");

/** Say in which page and chapter of the manual (docs/manuel) screens of models are explained. */
export function explain(page, byChapter) {
    for (const [chapter, models] of Object.entries(byChapter)) {
        for (const model of models) {
            chapters.add(model, `${page}.html#${chapter}`);
        }
    }
}

explain("coordination", {
    "mettre-un-contrat-en-vigueur": ["grant.contract", "grant.envelope", "grant.amendment"],
    "un-operateur-et-ses-personnes": ["grant.access", "res.partner"],
    "attribuer-et-signer-une-subvention": ["grant.subsidy", "grant.action", "grant.condition"],
    "lire-une-piece": ["grant.deliverable", "grant.deliverable.version", "grant.review"],
    "repondre-a-une-demande": ["grant.date.request"],
    "certifier-le-service-fait": ["grant.disbursement"],
    "le-compte-rendu-financier": ["grant.financial.report", "grant.budget.line"],
    "les-chiffres-et-l-evaluation": [
        ...["grant.evaluation", "grant.indicator", "grant.indicator.result"],
        "grant.indicator.value",
    ],
    "les-rappels": ["grant.reminder", "grant.reminder.preview"],
    "demander-un-reversement": ["grant.recovery"],
});
explain("finances", {
    mandater: ["grant.order.batch"],
    "enregistrer-ce-qui-est-paye": ["grant.treasury.import", "grant.treasury.line"],
    "l-argent-de-l-etat": ["grant.funding"],
    "ce-que-la-ville-depense-elle-meme": ["grant.own.cost"],
    "reprendre-de-l-argent": ["grant.set.off"],
    controler: ["grant.entry", "grant.heads", "grant.accounting.control"],
});
explain("premiere-heure", {
    "la-ville": ["res.config.settings"],
    "les-modeles": ["grant.schedule.template"],
});

/** Whether a screen is ours: of our models; of Odoo's, those that our menus open. */
function isOurs(model, context) {
    const isOpenedByUs = context?.default_grant_role || context?.module === "ctai_grants";
    return model.startsWith("grant.") || isOpenedByUs;
}

patch(ControlPanel.prototype, {
    /** Address of the manual on what is shown; nothing where it is no screen of ours. */
    get grantManual() {
        const { resModel: model = "", globalContext } = this.env.searchModel || {};
        const chapter = isOurs(model, globalContext)
            ? chapters.get(model, "index.html")
            : this.display.manual;
        return chapter && `/ctai_grants/static/manual/${chapter}`;
    },
});
