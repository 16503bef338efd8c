import { registry } from "@web/core/registry";

// What waits is said beside the menu of its list, on whatever screen, and the list opens on it.
const openList = (menu) => [
    {
        content: "The menu says how many",
        trigger: `${menu}:has(.o_grant_menu_count:contains(1))`,
        run: "click",
    },
];

registry.category("web_tour.tours").add("grants_menu_counts", {
    steps: () => [
        {
            content: "Open the section",
            trigger: "button[data-menu-xmlid='ctai_grants.menu_follow_up']",
            run: "click",
        },
        ...openList("a[data-menu-xmlid='ctai_grants.menu_tranches_to_certify']"),
        {
            content: "The calendar opens on its month, years ago",
            trigger: ".o_switch_view.o_calendar",
            run: "click",
        },
        { trigger: ".o_calendar_view .fc-event" },
    ],
});

registry.category("web_tour.tours").add("grants_menu_counts_phone", {
    steps: () => [
        { content: "Open the menu", trigger: ".o_menu_toggle", run: "click" },
        ...openList("li[data-menu-xmlid='ctai_grants.menu_tranches_to_certify']"),
        {
            content: "Certify from the card",
            trigger: ".o_kanban_record button[name='action_ask_certificate']",
            run: "click",
        },
        { trigger: ".modal-dialog button[name='action_confirm']" },
    ],
});
