import { Component, useEffect, useRef, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { formatFloat } from "@web/core/utils/numbers";
import { hidePDFJSButtons } from "@web/core/utils/pdfjs";
import { url } from "@web/core/utils/urls";
import { standardFieldProps } from "@web/views/fields/standard_field_props";
import { formView } from "@web/views/form/form_view";

/** What ends a review: the next one is opened then. */
const DECIDING = new Set(["action_accept", "action_send_back", "action_waive", "action_purge"]);

/** A review, that leads to the next one of the queue. */
export class ReviewFormController extends formView.Controller {
    setup() {
        super.setup();
        this.notification = useService("notification");
    }

    get modelParams() {
        const params = super.modelParams;
        params.hooks.onRootLoaded = this.onReviewLoaded.bind(this);
        return params;
    }

    async beforeExecuteActionButton(clickParams) {
        this.decidedId = DECIDING.has(clickParams.name) ? this.model.root.resId : null;
        return super.beforeExecuteActionButton(clickParams);
    }

    onReviewLoaded(root) {
        if (!this.decidedId || root.resId !== this.decidedId || root.data.state === "submitted") {
            return;
        }
        this.decidedId = null;
        const left = root.resIds.filter((id) => id !== root.resId);
        if (!left.length) {
            this.notification.add(_t("That was the last one to review."), { type: "success" });
            this.env.config.historyBack();
            return;
        }
        // Not within the loading of the one that was decided.
        const next = root.resIds[root.resIds.indexOf(root.resId) + 1] || left[0];
        setTimeout(() => this.model.load({ resId: next, resIds: left }));
    }
}

registry.category("views").add("grant_review_form", {
    ...formView,
    Controller: ReviewFormController,
});

/** The files that were handed in, one at a time, beside what was asked. */
export class FilesField extends Component {
    static template = "ctai_grants.FilesField";
    static props = { ...standardFieldProps };

    setup() {
        this.state = useState({ chosen: null });
        this.frame = useRef("frame");
        useEffect(
            (frame) => {
                if (frame) {
                    hidePDFJSButtons(frame);
                }
            },
            () => [this.frame.el]
        );
    }

    get files() {
        return this.props.record.data[this.props.name] || [];
    }

    /** The one that is shown: the first of the last version as long as no other is chosen. */
    get file() {
        return this.files.find(({ id }) => id === this.state.chosen) || this.files[0];
    }

    get kind() {
        const { mimetype, purged } = this.file;
        if (purged) {
            return "purged";
        }
        if (mimetype === "application/pdf") {
            return "pdf";
        }
        return mimetype.startsWith("image/") ? "picture" : "other";
    }

    get viewUrl() {
        return url(`/grants/files/${this.file.id}/view`);
    }

    get pdfUrl() {
        const file = encodeURIComponent(this.viewUrl);
        return url("/web/static/lib/pdfjs/web/viewer.html") + `?file=${file}#pagemode=none`;
    }

    get downloadUrl() {
        return url(`/grants/files/${this.file.id}`);
    }

    getLabel(file) {
        return _t("%(name)s (version %(version)s, %(size)s)", {
            name: file.name,
            version: file.version,
            size: this.getSize(file),
        });
    }

    getSize(file) {
        const inKb = Math.ceil(file.size / 1024);
        return inKb < 1024
            ? _t("%(size)s kB", { size: inKb })
            : _t("%(size)s MB", { size: formatFloat(file.size / 1024 ** 2, { digits: [16, 1] }) });
    }

    onChosen(ev) {
        this.state.chosen = Number(ev.target.value);
    }
}

registry.category("fields").add("grant_files", {
    component: FilesField,
    displayName: _t("Files"),
    supportedTypes: ["json"],
});
