import { Interaction } from "@web/public/interaction";
import { registry } from "@web/core/registry";

// Milliseconds after which a page that is still there may send again: its answer does not come.
const PATIENCE = 10000;

// A second click on a button sends nothing twice. The forms of files and of the report see to it
// themselves; without a script the server does.
export class GrantsOnce extends Interaction {
    static selector =
        ".o_grants_portal form[method=post]:not(.o_grants_upload, .o_grants_report_form)";
    dynamicContent = {
        _root: { "t-on-submit": this.onSubmit },
        // Back from the next page.
        _window: { "t-on-pageshow": () => (this.sentAt = 0) },
    };

    setup() {
        this.sentAt = 0;
    }

    onSubmit(event) {
        if (Date.now() - this.sentAt < PATIENCE) {
            event.preventDefault();
            return;
        }
        this.sentAt = Date.now();
    }
}

registry.category("public.interactions").add("ctai_grants.once", GrantsOnce);
