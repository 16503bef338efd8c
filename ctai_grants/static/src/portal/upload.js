import { Interaction } from "@web/public/interaction";
import { registry } from "@web/core/registry";
import { _t } from "@web/core/l10n/translation";

const MB = 1024 * 1024;
// Milliseconds of silence before a comment is kept.
const PAUSE = 1500;
// More at once make each slower, on a telephone.
const AT_ONCE = 2;

// Comfort: the form does without. Each file is sent as soon as it is chosen and waits on the server,
// in the draft of the association, until all are handed in together. What the server would refuse
// after the upload is said before it: a phone's connection is slow.
export class GrantsUpload extends Interaction {
    static selector = ".o_grants_upload";
    dynamicContent = {
        "input[type=file]": { "t-on-change": this.addChosen },
        textarea: { "t-on-input": this.onInput, "t-on-change": this.keepComment },
        ".o_grants_drop": {
            "t-on-dragover.prevent": () => this.showOver(true),
            "t-on-dragleave": () => this.showOver(false),
            "t-on-drop.prevent": this.addDropped,
        },
        ".o_grants_join": { "t-att-class": () => ({ "d-none": !this.hasPhotos() }) },
        _root: { "t-on-submit": this.onSubmit },
        _window: {
            // Back from the next page: what was handed in is no draft any more.
            "t-on-pageshow": (event) => event.persisted && this.reload(),
            "t-on-beforeunload": this.onLeave,
        },
        // Another application, the screen switched off, the tab closed: no pause comes any more.
        _document: { "t-on-visibilitychange": () => document.hidden && this.keepComment() },
    };

    setup() {
        this.input = this.el.querySelector("input[type=file]");
        this.list = this.el.querySelector(".o_grants_files");
        this.said = this.el.querySelector(".o_grants_said");
        this.state = this.el.querySelector(".o_grants_state");
        this.comment = this.el.querySelector("textarea");
        this.button = this.el.querySelector("button[type=submit].btn-primary");
        this.label = this.button.textContent;
        this.lang = document.documentElement.lang || undefined;
        this.kept = [];
        this.items = [];
        this.sent = false;
        // A comment that the page was rendered with, after a refusal, may not be kept yet.
        this.keptComment = this.comment.value;
    }

    start() {
        this.take(JSON.parse(this.el.dataset.kept));
    }

    destroy() {
        clearTimeout(this.timer);
        this.items.forEach((item) => item.request?.abort());
    }

    get isSending() {
        return this.items.some((item) => ["waiting", "sending"].includes(item.state));
    }

    get isDirty() {
        return this.isSending || this.comment.value !== this.keptComment;
    }

    hasPhotos() {
        const names = [...this.kept, ...this.items].map((file) => file.name);
        return names.filter((name) => /\.(jpe?g|png|heic)$/i.test(name)).length > 1;
    }

    // ------------------------------------------------------------------
    // The draft, as the server keeps it
    // ------------------------------------------------------------------

    /** Read an answer of the server: what is kept, whoever of the association added it. */
    take(answer) {
        this.kept = answer.files;
        this.el.elements.revision.value = answer.revision;
        if (answer.token) {
            for (const input of document.querySelectorAll("input[name=csrf_token]")) {
                input.value = answer.token;
            }
        }
        this.show();
    }

    async reload() {
        this.sent = false;
        this.showSending(false);
        try {
            const answer = await this.read(await fetch(this.el.dataset.draft));
            if (String(answer.seen) !== this.el.elements.seen.value) {
                location.reload();
                return;
            }
            this.take(answer);
        } catch {
            // What the page was rendered with stays; the first upload says what is wrong.
        }
    }

    async read(response) {
        const isJson = (response.headers.get("Content-Type") || "").includes("json");
        if (!response.ok || !isJson) {
            throw new Error(response.status);
        }
        return response.json();
    }

    async post(values) {
        const data = new FormData();
        data.append("csrf_token", this.el.elements.csrf_token.value);
        data.append("revision", this.el.elements.revision.value);
        Object.entries(values).forEach(([name, value]) => data.append(name, value));
        // Goes on when the page is closed meanwhile.
        const options = { method: "POST", body: data, keepalive: document.hidden };
        return this.read(await fetch(this.el.dataset.draft, options));
    }

    /** Post; with a fresh token once, where one logged in again in another tab. */
    async postAgain(values) {
        try {
            return await this.post(values);
        } catch {
            this.take(await this.read(await fetch(this.el.dataset.draft)));
            return this.post(values);
        }
    }

    onInput() {
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.keepComment(), PAUSE);
    }

    async keepComment() {
        clearTimeout(this.timer);
        const text = this.comment.value;
        if (text === this.keptComment) {
            return true;
        }
        try {
            const answer = await this.postAgain({ comment: text });
            this.take(answer);
            if (answer.failures.length) {
                this.state.textContent = answer.failures.join(" ");
                return false;
            }
            this.keptComment = text;
            this.sayKept();
            return true;
        } catch {
            this.state.textContent = this.getLost();
            return false;
        }
    }

    getLost() {
        return _t(
            "Not saved: your connection or your session ended. Keep this page open, log in again in another tab, then try again."
        );
    }

    sayKept() {
        const time = new Date().toLocaleTimeString(this.lang, { timeStyle: "short" });
        this.state.textContent = _t("Draft saved at %s. The city does not see it.", time);
    }

    // ------------------------------------------------------------------
    // Files
    // ------------------------------------------------------------------

    addChosen(event) {
        const files = [...event.target.files];
        event.target.value = "";
        this.add(files);
    }

    addDropped(event) {
        this.showOver(false);
        this.add([...event.dataTransfer.files]);
    }

    add(files) {
        for (const file of files) {
            const error = this.getProblem(file);
            const state = error ? "refused" : "waiting";
            this.items.push({ file, name: file.name, size: file.size, state, error });
        }
        this.show();
        this.sendNext();
    }

    getProblem(file) {
        const { maxMb, maxTotalMb, maxFiles } = this.el.dataset;
        const types = this.input.accept.split(",");
        if (!types.includes(`.${file.name.split(".").pop().toLowerCase()}`)) {
            return _t(
                "“%s” is not of a type that is taken. Remove it, save it as a PDF, then choose that.",
                file.name
            );
        }
        if (file.size > maxMb * MB) {
            return _t("“%(name)s” is larger than %(largest)s MB.", {
                name: file.name,
                largest: maxMb,
            });
        }
        const others = [...this.kept, ...this.items.filter((item) => item.state !== "refused")];
        if (others.length >= maxFiles) {
            return _t("No more than %s files at once.", maxFiles);
        }
        const total = others.reduce((sum, other) => sum + other.size, file.size);
        if (total > maxTotalMb * MB) {
            return _t("These files are together larger than %s MB.", maxTotalMb);
        }
        return "";
    }

    sendNext() {
        const sending = this.items.filter((item) => item.state === "sending").length;
        const waiting = this.items.filter((item) => item.state === "waiting");
        waiting.slice(0, Math.max(0, AT_ONCE - sending)).forEach((item) => this.send(item));
    }

    send(item) {
        item.state = "sending";
        item.error = "";
        item.progress = 0;
        const data = new FormData();
        data.append("csrf_token", this.el.elements.csrf_token.value);
        data.append("ufile", item.file, item.name);
        // fetch tells nothing of how far it is.
        const request = new XMLHttpRequest();
        item.request = request;
        request.upload.addEventListener("progress", (event) => {
            item.progress = event.total ? (100 * event.loaded) / event.total : 0;
            if (item.bar) {
                item.bar.value = item.progress;
            }
        });
        request.addEventListener("load", () => this.onAnswer(item, request));
        request.addEventListener("error", () => this.fail(item, this.getLost()));
        request.open("POST", this.el.dataset.draft);
        request.send(data);
        this.show();
    }

    async onAnswer(item, request) {
        let answer = null;
        if (request.status === 200) {
            try {
                answer = JSON.parse(request.responseText);
            } catch {
                // The login page: the session ended.
            }
        } else if (request.status === 413) {
            this.refuse(item, this.getProblem(item.file) || _t("“%s” is too large.", item.name));
            return;
        } else if (request.status === 400 && !item.renewed) {
            // The page outlived its session: once more, with a token of the new one.
            item.renewed = true;
            await this.reload();
            this.send(item);
            return;
        }
        if (!answer) {
            this.fail(item, this.getLost());
        } else if (answer.failures.length) {
            this.refuse(item, answer.failures.join(" "));
            this.take(answer);
        } else {
            this.drop(item);
            this.take(answer);
            this.say(_t("%s is saved.", item.name));
            this.sayKept();
        }
        this.sendNext();
        this.goOn();
    }

    refuse(item, error) {
        item.state = "refused";
        item.error = error;
        this.say(error);
        this.show();
    }

    fail(item, error) {
        item.state = "failed";
        item.error = error;
        item.renewed = false;
        this.say(_t("%s was not sent.", item.name) + " " + error);
        this.show();
        this.sendNext();
        this.goOn();
    }

    drop(item) {
        this.items.splice(this.items.indexOf(item), 1);
    }

    /** Take a file that is not kept out of the list; one that is being sent is sent no further. */
    cancel(item) {
        item.request?.abort();
        this.drop(item);
        this.say(_t("%s is removed.", item.name));
        this.show();
        this.sendNext();
        this.input.focus();
    }

    async discard(file) {
        try {
            this.take(await this.postAgain({ discard: file.id }));
            this.say(_t("%s is removed.", file.name));
            this.sayKept();
        } catch {
            this.state.textContent = this.getLost();
        }
        this.input.focus();
    }

    // ------------------------------------------------------------------
    // What is shown
    // ------------------------------------------------------------------

    say(text) {
        this.said.textContent = text;
    }

    show() {
        this.list.replaceChildren(
            ...this.kept.map((file) => this.makeKept(file)),
            ...this.items.map((item) => this.makeItem(item))
        );
        const kept = this.el.querySelector(".o_grants_kept");
        kept.classList.toggle("d-none", !this.kept.length);
        this.input.required = !this.kept.length && !this.items.length;
        const wrong = this.items.find((item) => ["refused", "failed"].includes(item.state));
        this.input.setCustomValidity(wrong ? wrong.error : "");
        if (wrong) {
            this.input.setAttribute("aria-invalid", "true");
        } else if (this.items.length) {
            this.input.removeAttribute("aria-invalid");
        }
        this.updateContent();
    }

    makeLine(text, ...controls) {
        const line = document.createElement("li");
        const row = document.createElement("div");
        row.className = "d-flex align-items-center justify-content-between gap-2";
        const name = document.createElement("span");
        name.className = "text-break";
        name.textContent = text;
        row.append(name, ...controls);
        line.append(row);
        return line;
    }

    makeButton(label, about, act) {
        const button = document.createElement("button");
        button.type = "button";
        button.className = "btn btn-sm btn-link text-nowrap";
        button.textContent = label;
        button.setAttribute("aria-label", about);
        button.addEventListener("click", act);
        return button;
    }

    makeKept(file) {
        const text = file.by
            ? _t("%(file)s, added by %(who)s", { file: this.describe(file), who: file.by })
            : this.describe(file);
        const about = _t("Remove %s", file.name);
        return this.makeLine(text, this.makeButton(_t("Remove"), about, () => this.discard(file)));
    }

    makeItem(item) {
        const isSending = ["waiting", "sending"].includes(item.state);
        const controls = [
            isSending
                ? this.makeButton(_t("Cancel"), _t("Cancel %s", item.name), () => this.cancel(item))
                : this.makeButton(_t("Remove"), _t("Remove %s", item.name), () => this.cancel(item)),
        ];
        if (item.state === "failed") {
            const about = _t("Try %s again", item.name);
            const again = () => {
                this.send(item);
                this.input.focus();
            };
            controls.unshift(this.makeButton(_t("Try again"), about, again));
        }
        const line = this.makeLine(this.describe(item), ...controls);
        item.bar = null;
        if (isSending) {
            item.bar = document.createElement("progress");
            item.bar.className = "w-100";
            item.bar.max = 100;
            item.bar.value = item.progress || 0;
            item.bar.setAttribute("aria-label", _t("Sending %s", item.name));
            line.append(item.bar);
        } else {
            const error = document.createElement("div");
            error.className = "text-danger small";
            error.textContent = item.error;
            line.append(error);
        }
        return line;
    }

    describe(file) {
        const digits = { maximumFractionDigits: 1, minimumFractionDigits: 1 };
        return file.size < MB
            ? _t("%(name)s (%(size)s kB)", { name: file.name, size: Math.ceil(file.size / 1024) })
            : _t("%(name)s (%(size)s MB)", {
                  name: file.name,
                  size: (file.size / MB).toLocaleString(this.lang, digits),
              });
    }

    showOver(over) {
        this.el.querySelector(".o_grants_drop").classList.toggle("o_grants_over", over);
    }

    showSending(sending) {
        this.button.disabled = sending;
        this.button.textContent = sending ? _t("Sending…") : this.label;
    }

    // ------------------------------------------------------------------
    // Handing in
    // ------------------------------------------------------------------

    onSubmit(event) {
        if (this.isSending) {
            // What is on its way first; then the same button.
            event.preventDefault();
            this.waiting = event.submitter;
            this.showSending(true);
            return;
        }
        clearTimeout(this.timer);
        this.sent = true;
        // Not before the browser has read the form: a disabled button is not sent.
        setTimeout(() => this.showSending(true));
    }

    goOn() {
        if (!this.waiting || this.isSending) {
            return;
        }
        const submitter = this.waiting;
        this.waiting = null;
        this.showSending(false);
        if (this.items.length) {
            this.input.reportValidity();
        } else {
            this.el.requestSubmit(submitter);
        }
    }

    onLeave(event) {
        if (this.isDirty && !this.sent) {
            event.preventDefault();
        }
    }
}

registry.category("public.interactions").add("ctai_grants.upload", GrantsUpload);
