from . import grant_import_template, grant_today, grant_today_steps, ir_http
