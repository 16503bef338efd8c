import { Interaction } from "@web/public/interaction";
import { registry } from "@web/core/registry";
import { _t } from "@web/core/l10n/translation";

const MB = 1024 * 1024;

// Comfort: the form does without. A list of the files that were chosen, one more each time, with a
// way to take one out, and said before the upload what the server would say after it: a phone's
// connection is slow.
export class GrantsUpload extends Interaction {
    static selector = ".o_grants_upload";
    dynamicContent = {
        "input[type=file]": { "t-on-change": this.addChosen },
        ".o_grants_drop": {
            "t-on-dragover.prevent": () => this.showOver(true),
            "t-on-dragleave": () => this.showOver(false),
            "t-on-drop.prevent": this.addDropped,
        },
        ".o_grants_join": { "t-att-class": () => ({ "d-none": !this.hasPhotos() }) },
        _root: { "t-on-submit": () => this.showSending(true) },
        // Back from the next page, or from a connection that broke: the form is usable again.
        _window: { "t-on-pageshow": () => this.showSending(false) },
    };

    setup() {
        this.input = this.el.querySelector("input[type=file]");
        this.list = this.el.querySelector(".o_grants_files");
        this.said = this.el.querySelector(".o_grants_said");
        this.button = this.el.querySelector("button[type=submit]");
        this.label = this.button.textContent;
        this.lang = document.documentElement.lang || undefined;
        // What the browser itself kept, after a button back.
        this.files = [...this.input.files];
        this.show();
    }

    hasPhotos() {
        return this.files.filter((file) => /\.(jpe?g|png|heic)$/i.test(file.name)).length > 1;
    }

    addChosen() {
        this.add([...this.input.files]);
    }

    addDropped(event) {
        this.showOver(false);
        this.add([...event.dataTransfer.files]);
    }

    add(added) {
        const isSame = (file, other) =>
            ["name", "size", "lastModified"].every((key) => file[key] === other[key]);
        // Choosing again adds, as dropping does; the same file stays one.
        const fresh = added.filter((file) => !this.files.some((other) => isSame(file, other)));
        this.files.push(...fresh);
        this.show();
    }

    remove(file) {
        const place = this.files.indexOf(file);
        this.files.splice(place, 1);
        this.show();
        // Not left on a button that is gone.
        const buttons = this.list.querySelectorAll("button");
        (buttons[Math.min(place, buttons.length - 1)] || this.input).focus();
    }

    show() {
        const transfer = new DataTransfer();
        this.files.forEach((file) => transfer.items.add(file));
        this.input.files = transfer.files;
        this.list.replaceChildren(...this.files.map((file) => this.makeLine(file)));
        const problem = this.getProblem();
        this.input.setCustomValidity(problem);
        this.said.textContent = this.files.length ? _t("Files chosen: %s", this.files.length) : "";
        if (problem) {
            this.input.reportValidity();
        }
    }

    makeLine(file) {
        const line = document.createElement("li");
        line.className = "d-flex align-items-center justify-content-between gap-2";
        const name = document.createElement("span");
        name.className = "text-break";
        const digits = { maximumFractionDigits: 1, minimumFractionDigits: 1 };
        name.textContent =
            file.size < MB
                ? _t("%(name)s (%(size)s kB)", {
                      name: file.name,
                      size: Math.ceil(file.size / 1024),
                  })
                : _t("%(name)s (%(size)s MB)", {
                      name: file.name,
                      size: (file.size / MB).toLocaleString(this.lang, digits),
                  });
        const button = document.createElement("button");
        button.type = "button";
        button.className = "btn btn-sm btn-link text-nowrap";
        button.textContent = _t("Remove");
        button.setAttribute("aria-label", _t("Remove %s", file.name));
        button.addEventListener("click", () => {
            this.remove(file);
            this.updateContent();
        });
        line.append(name, button);
        return line;
    }

    getProblem() {
        const { maxMb, maxTotalMb, maxFiles } = this.el.dataset;
        const types = this.input.accept.split(",");
        const isTaken = (file) => types.includes(`.${file.name.split(".").pop().toLowerCase()}`);
        const other = this.files.find((file) => !isTaken(file));
        if (other) {
            return _t(
                "“%s” is not of a type that is taken. Remove it, save it as a PDF, then choose that.",
                other.name
            );
        }
        const tooLarge = this.files.find((file) => file.size > maxMb * MB);
        if (tooLarge) {
            return _t("“%(name)s” is larger than %(largest)s MB.", {
                name: tooLarge.name,
                largest: maxMb,
            });
        }
        if (this.files.length > maxFiles) {
            return _t("No more than %s files at once.", maxFiles);
        }
        const total = this.files.reduce((sum, file) => sum + file.size, 0);
        if (total > maxTotalMb * MB) {
            return _t("These files are together larger than %s MB.", maxTotalMb);
        }
        return "";
    }

    showOver(over) {
        this.el.querySelector(".o_grants_drop").classList.toggle("o_grants_over", over);
    }

    showSending(sending) {
        this.button.disabled = sending;
        this.button.textContent = sending ? _t("Sending…") : this.label;
    }
}

registry.category("public.interactions").add("ctai_grants.upload", GrantsUpload);
