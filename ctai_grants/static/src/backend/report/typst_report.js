import { download } from "@web/core/network/download";
import { registry } from "@web/core/registry";
import { user } from "@web/core/user";

/**
 * Reports of type “typst”: one request, one file (no wkhtmltopdf to ask about).
 */
registry.category("ir.actions.report handlers").add("typst", async (action, options, env) => {
    if (action.report_type !== "typst") {
        return false;
    }
    const ids = (action.context && action.context.active_ids) || [];
    const url = `/report/typst/${action.report_name}/${ids.join(",")}`;
    env.services.ui.block();
    try {
        await download({
            url: "/report/download",
            data: {
                data: JSON.stringify([url, action.report_type]),
                context: JSON.stringify({ ...user.context, ...action.context }),
            },
        });
    } finally {
        env.services.ui.unblock();
    }
    return true;
});
