import { Component, onMounted, reactive, useState } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { user } from "@web/core/user";
import { useService } from "@web/core/utils/hooks";
import { patch } from "@web/core/utils/patch";
import { NavBar } from "@web/webclient/navbar/navbar";

/** What waits in lists that menus open: asked once for all entries that are shown together. */
export const menuCounts = {
    dependencies: ["orm"],
    start(env, { orm }) {
        const counts = reactive({});
        let asking = null;
        return {
            counts,
            refresh() {
                asking ||= (async () => {
                    try {
                        if (!(await user.hasGroup("ctai_grants.group_reader"))) {
                            return;
                        }
                        const found = await orm.silent.call("grant.today", "get_counts", []);
                        for (const action of Object.keys({ ...counts, ...found })) {
                            counts[action] = found[action] || 0;
                        }
                    } finally {
                        asking = null;
                    }
                })();
                return asking;
            },
        };
    },
};
registry.category("services").add("grant_menu_counts", menuCounts);

/** Beside a menu entry of ours: how many lines of its list wait for the user. */
export class GrantMenuCount extends Component {
    static template = "ctai_grants.MenuCount";
    static props = { menu: Object };

    setup() {
        const service = useService("grant_menu_counts");
        this.counts = useState(service.counts);
        // Not before: a menu opens at once.
        onMounted(() => service.refresh());
    }

    get count() {
        return this.counts[this.props.menu.actionID];
    }
}

patch(NavBar, { components: { ...NavBar.components, GrantMenuCount } });
