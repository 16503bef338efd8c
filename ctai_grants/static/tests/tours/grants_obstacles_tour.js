import { registry } from "@web/core/registry";

const of = (words) => `.o_field_grant_obstacles li:contains(${words}) button`;

// From what prevents an act to where it is lifted, and back: it is gone then.
registry.category("web_tour.tours").add("grants_obstacles", {
    steps: () => [
        { content: "A field of the form", trigger: of("Decision Number"), run: "click" },
        {
            trigger: ".o_field_widget[name='decision_number'] input:focus",
            run: "edit 2021-0042 && press Tab",
        },
        { trigger: ".o_form_view:not(:has(.o_field_grant_obstacles li))" },
        { trigger: "button[name='action_grant']", run: "click" },
        { content: "On another page of the form", trigger: of("add up to"), run: "click" },
        { trigger: ".o_notebook .tab-pane.active .o_field_widget[name='disbursement_ids']" },
        { content: "Another document", trigger: of("SIRET"), run: "click" },
        { trigger: ".o_form_view .o_field_widget[name='company_registry']" },
    ],
});

registry.category("web_tour.tours").add("grants_obstacles_range", {
    steps: () => [
        { content: "The end is entered with the start", trigger: of("End"), run: "click" },
        { trigger: "input[data-field='date_end']:focus" },
    ],
});

registry.category("web_tour.tours").add("grants_obstacles_window", {
    steps: () => [
        { content: "Fields that the form does not show", trigger: of("executory"), run: "click" },
        {
            trigger: ".modal .o_field_widget[name='executory_date'] :is(input, button)",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name='executory_date'] input",
            run: "edit 10/01/2021 && press Enter",
        },
        { trigger: ".modal .o_form_button_save", run: "click" },
        { trigger: "body:not(:has(.modal))" },
        { trigger: ".o_form_view:not(:has(.o_field_grant_obstacles li))" },
    ],
});
