import { Interaction } from "@web/public/interaction";
import { registry } from "@web/core/registry";
import { _t } from "@web/core/l10n/translation";

// Milliseconds of silence before what was typed is kept.
const PAUSE = 1500;

/** Euros of what one types in French, 0 of nothing, NaN of what the server would refuse. */
export function readAmount(text) {
    const plain = text.replace(/[\s\u00a0\u202f€]/g, "").replace(",", ".");
    return plain === "" ? 0 : /^\d+(\.\d{1,2})?$/.test(plain) ? parseFloat(plain) : NaN;
}

// Adds up while one types, and keeps the draft. Without it the page does the same with its buttons.
export class GrantsReport extends Interaction {
    static selector = ".o_grants_report_form";
    dynamicContent = {
        _root: { "t-on-input": this.onInput, "t-on-submit": this.onSubmit },
        _window: { "t-on-beforeunload": this.onLeave },
        // Another application, the screen switched off, the tab closed: no pause comes any more.
        _document: { "t-on-visibilitychange": () => document.hidden && this.keep() },
    };

    setup() {
        this.status = this.el.querySelector(".o_grants_kept");
        this.money = new Intl.NumberFormat(document.documentElement.lang || "fr", {
            minimumFractionDigits: 2,
            maximumFractionDigits: 2,
        });
        this.dirty = false;
        // The last try to keep it came to nothing.
        this.lost = false;
        this.keeping = null;
        this.timer = null;
    }

    start() {
        this.el.classList.add("o_grants_live");
        this.addUp();
    }

    destroy() {
        clearTimeout(this.timer);
    }

    onInput() {
        this.dirty = true;
        this.addUp();
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.keep(), PAUSE);
    }

    format(amount) {
        return `${this.money.format(amount)} ${this.el.dataset.symbol}`;
    }

    addUp() {
        for (const part of this.el.querySelectorAll("[data-part]")) {
            let total = 0;
            for (const input of part.querySelectorAll("input[data-amount]")) {
                total += readAmount(input.value) || 0;
            }
            const shown = this.el.querySelector(`[data-total=${part.dataset.part}]`);
            if (shown) {
                shown.textContent = this.format(total);
            }
            for (const line of part.querySelectorAll(".o_grants_line")) {
                this.showGap(line, total > 0);
            }
        }
    }

    /** The gap of a line; why, is asked once its part is begun: before, nothing is entered yet. */
    showGap(line, begun) {
        const input = line.querySelector("input[data-amount]");
        if (!input) {
            return;
        }
        const actual = readAmount(input.value);
        const forecast = parseFloat(line.dataset.forecast);
        const gap = Math.round((actual - forecast) * 100) / 100;
        const unread = Number.isNaN(actual);
        input.setAttribute("aria-invalid", unread ? "true" : "false");
        const percent = forecast ? (100 * gap) / forecast : null;
        const shown = line.querySelector(".o_grants_gap");
        shown.textContent = unread
            ? _t("Write the amount as 1234,50.")
            : !forecast && !actual
              ? ""
              : _t("Gap: %s", this.format(gap)) +
                (percent === null ? "" : ` (${percent.toFixed(1).replace(".", ",")} %)`);
        const threshold = parseFloat(this.el.dataset.threshold);
        const large = percent === null ? actual > 0 : Math.abs(percent) > threshold;
        const comment = line.querySelector(".o_grants_comment input");
        line.querySelector(".o_grants_comment").classList.toggle(
            "o_grants_quiet",
            !comment.value && !(begun && threshold && large && !line.dataset.balancing)
        );
    }

    async keep() {
        if (this.keeping || !this.dirty) {
            return;
        }
        this.dirty = false;
        const data = new FormData(this.el);
        data.delete("hand_in");
        this.keeping = this.send(data);
        await this.keeping;
        this.keeping = null;
        if (this.dirty && !this.stopped) {
            this.timer = setTimeout(() => this.keep(), PAUSE);
        }
    }

    /** A token of the session that there is now: of who logged in again in another tab. */
    async renewToken() {
        const response = await fetch(this.el.dataset.keep);
        if (!response.ok || response.redirected) {
            throw new Error(response.status);
        }
        const { token } = await response.json();
        for (const input of document.querySelectorAll("input[name=csrf_token]")) {
            input.value = token;
        }
        return token;
    }

    async send(data) {
        try {
            if (this.lost) {
                data.set("csrf_token", await this.renewToken());
            }
            // Goes on when the page is closed meanwhile.
            const options = { method: "POST", body: data, keepalive: document.hidden };
            const response = await fetch(this.el.dataset.keep, options);
            if (!response.ok || response.redirected) {
                throw new Error(response.status);
            }
            const answer = await response.json();
            this.lost = false;
            if (answer.failure) {
                this.stopped = true;
                this.status.textContent = answer.failure;
                return;
            }
            this.el.elements.revision.value = answer.revision;
            this.showAdvice(answer.advice);
            this.status.textContent = Object.keys(answer.errors).length
                ? _t("Saved, but for what cannot be read.")
                : _t("Draft saved at %s.", new Date().toLocaleTimeString([], { timeStyle: "short" }));
        } catch {
            // The session ended, or the line is down: nothing typed is lost as long as the page is open.
            this.dirty = this.lost = true;
            this.status.textContent = _t(
                "Not saved: your connection or your session ended. Keep this page open, log in again in another tab, then press “Save the draft”."
            );
        }
    }

    showAdvice(sentences) {
        const box = this.el.querySelector(".o_grants_advice");
        if (!box) {
            return;
        }
        box.classList.toggle("d-none", !sentences.length);
        box.querySelector("ul").replaceChildren(
            ...sentences.map((sentence) => {
                const item = document.createElement("li");
                item.textContent = sentence;
                return item;
            })
        );
    }

    async onSubmit(event) {
        clearTimeout(this.timer);
        if (!this.keeping && !this.lost) {
            this.sent = true;
            return;
        }
        // What is being kept has its own number: the form is sent with the one after it. And what
        // came to nothing is tried as before: the page stays, with all that is typed in it.
        event.preventDefault();
        const button = event.submitter;
        await this.keeping;
        if (this.lost) {
            await this.keep();
        }
        if (!this.lost) {
            this.el.requestSubmit(button);
        }
    }

    onLeave(event) {
        if (this.dirty && !this.sent) {
            event.preventDefault();
        }
    }
}

registry.category("public.interactions").add("ctai_grants.report", GrantsReport);
