import { registry } from "@web/core/registry";

function choose(name, bytes) {
    return function () {
        const transfer = new DataTransfer();
        transfer.items.add(new File([bytes], name));
        this.anchor.files = transfer.files;
        this.anchor.dispatchEvent(new Event("change", { bubbles: true }));
    };
}

// The smallest that opens: one empty page.
const PDF = [
    "%PDF-1.7",
    "1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj",
    "2 0 obj <</Type/Pages/Count 1/Kids[3 0 R]>> endobj",
    "3 0 obj <</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>> endobj",
    "trailer <</Root 1 0 R/Size 4>>",
    "%%EOF",
].join("\n");

const openSubsidy = [
    {
        content: "Open the subsidies from the home page",
        trigger: ".o_portal_docs a[href='/my/subsidies']",
        run: "click",
        expectUnloadPage: true,
    },
    {
        content: "Open the subsidy",
        trigger: ".list-group-item a:contains('Ateliers')",
        run: "click",
        expectUnloadPage: true,
    },
];

registry.category("web_tour.tours").add("grants_operator_hands_in", {
    url: "/my",
    steps: () => [
        ...openSubsidy,
        {
            content: "Open the piece",
            trigger: "#pieces a:contains('Bilan')",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "A file that is too large is refused before it is sent",
            trigger: "#wrap input[type=file]",
            run: choose("film.pdf", new Uint8Array(16 * 2 ** 20)),
        },
        {
            content: "The browser says so, with the limit",
            trigger: "#wrap input[type=file]:invalid",
            run() {
                if (!this.anchor.validationMessage.includes("15")) {
                    throw new Error(`No limit in: ${this.anchor.validationMessage}`);
                }
            },
        },
        {
            content: "It is taken out of the list",
            trigger: "#wrap button[aria-label='Remove film.pdf']",
            run: "click",
        },
        {
            content: "A type that is not taken is said before it is sent, too",
            trigger: "#wrap input[type=file]",
            run: choose("vieux.doc", "x"),
        },
        {
            content: "And taken out",
            trigger: "#wrap button[aria-label='Remove vieux.doc']",
            run: "click",
        },
        {
            content: "A page of HTML under the name of a PDF",
            trigger: "#wrap input[type=file]",
            run: choose("bilan.pdf", "<html></html>"),
        },
        {
            content: "It is refused as soon as it was sent, beside its name",
            trigger: "#wrap .o_grants_files li .text-danger:contains('bilan.pdf')",
        },
        {
            content: "And taken out",
            trigger: "#wrap button[aria-label='Remove bilan.pdf']",
            run: "click",
        },
        {
            content: "With a comment",
            trigger: "#wrap textarea",
            run: "edit Voici notre bilan",
        },
        {
            content: "Which is kept while one does something else",
            trigger: "#wrap .o_grants_state:contains('Draft saved at')",
        },
        {
            content: "A PDF",
            trigger: "#wrap input[type=file]",
            run: choose("bilan.pdf", PDF),
        },
        {
            content: "And counts beside it: choosing again adds",
            trigger: "#wrap button[aria-label='Remove bilan.pdf']",
        },
        {
            content: "The second file",
            trigger: "#wrap input[type=file]",
            run: choose("nombres.csv", "a;b\n1;2\n"),
        },
        {
            content: "Both are kept",
            trigger: "#wrap .o_grants_kept:not(.d-none)",
        },
        {
            content: "Hand it in",
            trigger: "#wrap .o_grants_upload button.btn-primary",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "It is confirmed",
            trigger: "#wrap [role=status]:contains('has arrived')",
        },
        {
            content: "Both files can be downloaded",
            trigger: "#wrap a[href^='/grants/files/']:contains('bilan.pdf')",
        },
        {
            content: "The second one too",
            trigger: "#wrap a[href^='/grants/files/']:contains('nombres.csv')",
        },
    ],
});

registry.category("web_tour.tours").add("grants_operator_reads_answer", {
    url: "/my",
    steps: () => [
        ...openSubsidy,
        {
            content: "The piece is accepted",
            trigger: "li:contains('Bilan') .badge:contains('Accepted')",
        },
        {
            content: "What the city answered about the other one",
            trigger: "li:contains('Budget') .alert-warning:contains('La page 3 manque')",
        },
        {
            content: "The payment and its date",
            trigger: "tr:contains('Avance'):contains('Paid'):contains('11/25/2021')",
        },
    ],
});

registry.category("web_tour.tours").add("grants_prefecture_reads_contract", {
    url: "/my",
    steps: () => [
        {
            content: "Open the contracts from the home page",
            trigger: ".o_portal_docs a[href='/my/contracts']",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "Open the contract",
            trigger: ".list-group-item a:contains('Contrat de test')",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "Figures of the envelope",
            trigger: "section:contains('Protection') dl:contains('150,000.00')",
        },
        {
            content: "The envelope that the State pays itself is marked",
            trigger: "section:contains('Newcomers') .badge:contains('Paid by the State')",
        },
        {
            content: "Unfold the accepted pieces",
            trigger: "section:contains('Protection') summary",
            run: "click",
        },
        {
            content: "The piece can be downloaded",
            trigger: "section:contains('Protection') a[href^='/grants/versions/']:contains('Bilan')",
        },
    ],
});
