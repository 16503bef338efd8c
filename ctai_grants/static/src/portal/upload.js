import { Interaction } from "@web/public/interaction";
import { registry } from "@web/core/registry";
import { _t } from "@web/core/l10n/translation";

// Says before the upload what the server would say after it: a phone's connection is slow.
export class GrantsUpload extends Interaction {
    static selector = ".o_grants_upload";
    dynamicContent = {
        "input[type=file]": { "t-on-change": this.checkSize },
        _root: { "t-on-submit": () => this.showSending(true) },
        // Back from the next page, or from a connection that broke: the form is usable again.
        _window: { "t-on-pageshow": () => this.showSending(false) },
    };

    setup() {
        this.button = this.el.querySelector("button[type=submit]");
        this.label = this.button.textContent;
    }

    checkSize(event) {
        const [file] = event.currentTarget.files;
        const largest = parseInt(this.el.dataset.maxMb);
        const tooLarge = file && file.size > largest * 1024 * 1024;
        event.currentTarget.setCustomValidity(
            tooLarge ? _t("This file is larger than %s MB.", largest) : ""
        );
        event.currentTarget.reportValidity();
    }

    showSending(sending) {
        this.button.disabled = sending;
        this.button.textContent = sending ? _t("Sending…") : this.label;
    }
}

registry.category("public.interactions").add("ctai_grants.upload", GrantsUpload);
